"""API v2 of one simulated panel: form fields in, JSON with HTTP 200 out, errors in the panel's dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from viralcore.sandbox.worlds.catalogue import Panel, Service
from viralcore.sandbox.worlds.faults import cut, fail, hang_up
from viralcore.sandbox.worlds.panel_orders import Book, Order, Refill

MOST_IDS = 100
Fields = Mapping[str, str]


class PanelError(Exception):
    """`kind`: a key of the dialect's errors, or a whole text."""

    def __init__(self, kind: str, service: Service | None = None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.service = service  # whose limits the text names


class PanelServer:
    """One panel: its book, its dialect and its faults."""

    def __init__(self, panel: Panel, now: Callable[[], datetime], rng: Random) -> None:
        self.panel = panel
        self.book = Book(panel, rng)
        self.outage = ""
        self.latency_ms = 0
        self.refuse = ""
        self.swallow_next = 0  # that many orders are booked and not answered; -1: one, and the line hangs first
        self.busy_links: tuple[str, ...] | bool = ()
        self.busy_when_active = False
        self.missing_keys = False  # answers leave out what some clones leave out
        self._now = now
        self._actions: dict[str, Callable[[Fields], Any]] = {
            "services": self._services,
            "add": self._add,
            "status": self._status,
            "balance": self._balance,
            "refill": self._refill,
            "refill_status": self._refill_status,
            "cancel": self._cancel,
        }

    def id_json(self, number: int) -> int | str:
        return number if self.panel.dialect.ids == "int" else str(number)

    async def serve(self, request: Request, fields: Fields) -> Response:
        if self.outage:
            return await fail(self.outage, request)
        swallow = self.swallow_next
        try:
            answer = self._answer(fields)
        except PanelError as error:
            return JSONResponse({"error": self._words(error)})
        if swallow and fields.get("action") == "add":
            self.swallow_next = max(0, swallow - 1)
            return await (hang_up(request) if swallow < 0 else cut(request))
        return JSONResponse(answer)

    def _answer(self, fields: Fields) -> Any:
        if fields.get("key") != self.panel.key:
            raise PanelError("key")
        action = self._actions.get(fields.get("action", ""))
        if action is None:
            raise PanelError("request")
        return action(fields)

    def _words(self, error: PanelError) -> str:
        if error.kind not in self.panel.dialect.errors:
            return error.kind
        limits = error.service or self.panel.services[0]
        return self._plain(error.kind).format(minimum=limits.minimum, maximum=limits.maximum)

    def _plain(self, kind: str) -> str:
        return self.panel.dialect.errors.get(kind, kind)

    # actions

    def _services(self, _: Fields) -> list[dict[str, Any]]:
        found = []
        for service in self.book.shelf:
            row: dict[str, Any] = {
                "service": self.id_json(service.id),
                "name": service.name,
                "type": service.kind,
                "category": service.category,
                "rate": f"{service.rate:f}",
                "min": str(service.minimum),
                "max": str(service.maximum),
            }
            if not self.panel.dialect.lean and not self.missing_keys:
                row |= {"refill": service.refill, "cancel": service.cancel}
            found.append(row)
        return found

    def _add(self, fields: Fields) -> dict[str, Any]:
        if self.refuse:
            raise PanelError(self.refuse)
        service = self.book.service(fields.get("service", "").strip())
        if service is None:
            raise PanelError("service")
        link = fields.get("link", "").strip()
        if not link.startswith(("http://", "https://")) or " " in link:
            raise PanelError("link")
        quantity = self._quantity(service, fields)
        if self._busy(link, service):
            raise PanelError("busy")
        order = self.book.place(service, link, quantity, self._now(), answered=not self.swallow_next)
        if order is None:
            raise PanelError("funds")
        answer: dict[str, Any] = {"status": "success"} if self.panel.dialect.success else {}
        return answer | {"order": self.id_json(order.id)}

    def _quantity(self, service: Service, fields: Fields) -> int:
        if service.kind == "Custom Comments":
            quantity = len([line for line in fields.get("comments", "").splitlines() if line.strip()])
        else:
            text = fields.get("quantity", "")
            if not (text.isascii() and text.isdigit() and len(text) < 12):
                raise PanelError("missing" if "missing" in self.panel.dialect.errors else "request")
            quantity = int(text)
        if service.kind == "Poll" and not fields.get("answer_number", "").isdigit():
            raise PanelError("missing" if "missing" in self.panel.dialect.errors else "request")
        if quantity < service.minimum:
            raise PanelError("minimum", service)
        if quantity > service.maximum:
            raise PanelError("maximum", service)
        return quantity

    def _busy(self, link: str, service: Service) -> bool:
        if isinstance(self.busy_links, bool):
            return self.busy_links
        watched = self.busy_when_active and self.panel.dialect.watches_links
        return link in self.busy_links or (watched and self.book.is_active(link, service, self._now()))

    def _status(self, fields: Fields) -> dict[str, Any]:
        if "orders" in fields:
            return {text: self._status_or_error(text) for text in self._ids(fields["orders"])}
        order = self.book.order(fields.get("order", "").strip())
        if order is None:
            raise PanelError("order")
        return self._order_json(order)

    def _status_or_error(self, text: str) -> dict[str, Any]:
        order = self.book.order(text)
        return self._order_json(order) if order is not None else {"error": self._plain("order")}

    def _order_json(self, order: Order) -> dict[str, Any]:
        self.book.look(order, self._now())
        status = self.panel.dialect.spelling.get(order.status, order.status)
        if self.missing_keys:
            return {"status": status, "remains": str(order.remains), "start_count": None}
        return {
            "charge": f"{order.charge.normalize():f}",
            "start_count": str(order.start_count),
            "status": status,
            "remains": str(order.remains),
            "currency": "USD",
        }

    def _balance(self, _: Fields) -> dict[str, Any]:
        told = {"balance": f"{self.book.balance:f}"}
        return told if self.missing_keys else told | {"currency": "USD"}

    def _refill(self, fields: Fields) -> Any:
        now = self._now()
        if "orders" in fields:
            rows = []
            for text in self._ids(fields["orders"]):
                order = self.book.order(text)
                done = self.book.refill(order, now) if order is not None else "order"
                told = done.id if isinstance(done, Refill) else {"error": self._plain(done)}
                rows.append({"order": _number(text), "refill": told})
            return rows
        order = self.book.order(fields.get("order", "").strip())
        done = self.book.refill(order, now) if order is not None else "order"
        if not isinstance(done, Refill):
            raise PanelError(done)
        return {"refill": str(done.id)}

    def _refill_status(self, fields: Fields) -> Any:
        now = self._now()
        if "refills" in fields:
            rows = []
            for text in self._ids(fields["refills"]):
                status = self.book.refill_status(text, now)
                told = status if status is not None else {"error": self._plain("refill_unknown")}
                rows.append({"refill": _number(text), "status": told})
            return rows
        status = self.book.refill_status(fields.get("refill", "").strip(), now)
        if status is None:
            raise PanelError("refill_unknown")
        return {"status": status}

    def _cancel(self, fields: Fields) -> list[dict[str, Any]]:
        rows = []
        for text in self._ids(fields.get("orders", fields.get("order", ""))):
            order = self.book.order(text)
            done = order is not None and self.book.cancel(order, self._now())
            rows.append({"order": _number(text), "cancel": 1 if done else {"error": self._plain("cancel")}})
        return rows

    def _ids(self, text: str) -> list[str]:
        ids = [part.strip() for part in text.split(",") if part.strip()]
        if not ids or len(ids) > MOST_IDS:
            raise PanelError("request")
        return ids


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 15 else text

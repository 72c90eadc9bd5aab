"""The panel world: three SMM panels on one port, each in its own dialect of API v2."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Annotated, Any
from urllib.parse import parse_qsl

from pydantic import BeforeValidator, Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from viralcore.sandbox.world import BookOrder, Books
from viralcore.sandbox.worlds.catalogue import PANELS
from viralcore.sandbox.worlds.control import Amount, Body, NonsenseError, choice, control, read, swallow
from viralcore.sandbox.worlds.faults import OUTAGES, Wire
from viralcore.sandbox.worlds.panel_orders import STATUSES, Order
from viralcore.sandbox.worlds.panel_wire import PanelServer

PATH = "/{panel}/api/v2"
_FAULTS = {
    "outage",
    "latency_ms",
    "refuse",
    "swallow_next",
    "busy_links",
    "busy_when_active",
    "missing_keys",
}
_SHOWN = 100  # orders of a panel on the page


def _refusal(value: object) -> object:
    if value is None or value is False:
        return ""
    if isinstance(value, str) and len(value) <= 300:
        return value
    raise ValueError("must be the error text to answer, or null")


def _links(value: object) -> object:
    if value is None or value is False:
        return ()
    if value is True:
        return True
    if isinstance(value, list) and len(value) <= 1000 and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise ValueError("must be a list of links, or true for every link")


def _texts(value: object) -> object:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise ValueError("must be a list of service numbers, as text")


def _end(value: object) -> object:
    known = {"completed": "Completed", "partial": "Partial", "canceled": "Canceled", "cancelled": "Canceled"}
    if isinstance(value, str) and value.lower() in known:
        return known[value.lower()]
    raise ValueError("must be completed, partial or canceled")


def _refill_end(value: object) -> object:
    known = {"completed": "Completed", "rejected": "Rejected"}
    if isinstance(value, str) and value.lower() in known:
        return known[value.lower()]
    raise ValueError("must be completed or rejected")


def _status(value: object) -> object:
    known = {status.lower(): status for status in STATUSES} | {"cancelled": "Canceled", "failed": "Fail"}
    if isinstance(value, str) and value.lower() in known:
        return known[value.lower()]
    raise ValueError(f"must be one of: {', '.join(STATUSES)}")


Count = Annotated[int, Field(ge=0, le=10**9)]


class PanelBody(Body):
    """Faults of one panel; what is not named stays as it is."""

    outage: Annotated[str, choice(*OUTAGES, yes="503")] = ""
    latency_ms: Annotated[int, Field(ge=0, le=60_000)] = 0
    balance: Amount = Decimal(0)
    refuse: Annotated[str, BeforeValidator(_refusal)] = ""
    swallow_next: Annotated[int, BeforeValidator(swallow)] = 0
    busy_links: Annotated[tuple[str, ...] | bool, BeforeValidator(_links)] = ()
    busy_when_active: bool = False
    missing_keys: bool = False
    ends: Annotated[str, BeforeValidator(_end)] = "Completed"  # of orders placed from now on
    refills: Annotated[str, BeforeValidator(_refill_end)] = "Completed"
    rates: dict[str, Amount] = Field(default_factory=dict)  # service -> its price per 1,000
    hide: Annotated[tuple[str, ...], BeforeValidator(_texts)] = ()  # services that are not listed


class OrderBody(Body):
    status: Annotated[str, BeforeValidator(_status)]
    start_count: Count | None = None
    remains: Count | None = None


class PanelsWorld:
    """Implements `viralcore.sandbox.world.World` for smmflare, plugsmm and smmstone."""

    name = "panels"

    def __init__(self, now: Callable[[], datetime], rng: Random) -> None:
        self._now = now
        self.panels = {panel.name: PanelServer(panel, now, rng) for panel in PANELS}
        self._app = Wire(Starlette(routes=[Route(PATH, self._api, methods=["GET", "POST"])]))

    @property
    def app(self) -> ASGIApp:
        return self._app

    def environment(self, base_url: str) -> Mapping[str, str]:
        found = {}
        for panel in PANELS:
            found[f"{panel.environment}_BASE_URL"] = base_url + PATH.format(panel=panel.name)
            found[f"{panel.environment}_API_KEY"] = panel.key
        return found

    def control_routes(self) -> list[Route]:
        return [
            control("/panels/{panel}/orders", "GET", self._list),
            control("/panels/{panel}/orders/{order}", "POST", self._set_order),
            control("/panels/{panel}", "POST", self._set),
        ]

    async def tick(self, now: datetime) -> None:
        for server in self.panels.values():
            for order in server.book.orders.values():
                server.book.look(order, now)

    def pending(self, now: datetime) -> list[str]:
        return []

    def next_due(self, now: datetime) -> datetime | None:
        due = [server.book.next_due(now) for server in self.panels.values()]
        return min((moment for moment in due if moment is not None), default=None)

    def snapshot(self) -> Mapping[str, Any]:
        return {"panels": {name: self._panel_json(server) for name, server in self.panels.items()}}

    def books(self) -> Books:
        """Every order a panel accepted, whether it said so or not, in its own (canonical) words."""
        now = self._now()
        return Books(
            orders=[
                BookOrder(
                    name,
                    str(order.id),
                    str(order.service.id),
                    order.link,
                    order.quantity,
                    server.book.look(order, now).status,
                )
                for name, server in self.panels.items()
                for order in server.book.orders.values()
            ]
        )

    async def _api(self, request: Request) -> Response:
        server = self.panels.get(request.path_params["panel"])
        if server is None:
            return JSONResponse({"error": "Not Found"}, status_code=404)
        body = await request.body()
        form = "application/x-www-form-urlencoded" in request.headers.get("content-type", "")
        fields = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)) if form else {}
        response = await server.serve(request, fields)
        if server.latency_ms:
            await asyncio.sleep(server.latency_ms / 1000)
        return response

    # control

    def _panel(self, request: Request) -> PanelServer:
        name = request.path_params["panel"]
        if name not in self.panels:
            raise NonsenseError(f"no such panel; there are: {', '.join(self.panels)}", 404)
        return self.panels[name]

    async def _list(self, request: Request) -> list[dict[str, Any]]:
        server = self._panel(request)
        return [self._order_json(server, order) for order in server.book.orders.values()]

    def _order_json(self, server: PanelServer, order: Order) -> dict[str, Any]:
        server.book.look(order, self._now())
        return {
            "order": order.id,
            "service": order.service.id,
            "link": order.link,
            "quantity": order.quantity,
            "status": order.status,
            "start_count": order.start_count,
            "remains": order.remains,
            "charge": f"{order.charge:f}",
        }

    def _panel_json(self, server: PanelServer) -> dict[str, Any]:
        orders = [
            self._order_json(server, order) | {"at": order.at.isoformat(), "answered": order.answered}
            for order in list(server.book.orders.values())[: -_SHOWN - 1 : -1]
        ]
        return {
            "balance": f"{server.book.balance:f}",
            "outage": server.outage,
            "latency_ms": server.latency_ms,
            "refuse": server.refuse,
            "swallow_next": server.swallow_next if server.swallow_next >= 0 else "hang",
            "busy_links": server.busy_links if isinstance(server.busy_links, bool) else list(server.busy_links),
            "busy_when_active": server.busy_when_active,
            "missing_keys": server.missing_keys,
            "ends": server.book.ends,
            "refills": server.book.refills_end,
            "orders": orders,
        }

    async def _set(self, request: Request) -> dict[str, Any]:
        server = self._panel(request)
        body = await read(request, PanelBody)
        for field in body.model_fields_set & _FAULTS:
            setattr(server, field, getattr(body, field))
        unknown = [text for text in (*body.rates, *body.hide) if text not in server.book.sold]
        if unknown:
            raise NonsenseError(f"it sells no service {', '.join(unknown)}")
        if "hide" in body.model_fields_set:
            server.book.hide(body.hide)
        for text, rate in body.rates.items():
            server.book.offer(text, rate=rate)
        server.book.ends = body.ends if "ends" in body.model_fields_set else server.book.ends
        server.book.refills_end = body.refills if "refills" in body.model_fields_set else server.book.refills_end
        if "balance" in body.model_fields_set:
            server.book.balance = body.balance
        return self._panel_json(server)

    async def _set_order(self, request: Request) -> dict[str, Any]:
        server = self._panel(request)
        body = await read(request, OrderBody)
        order = server.book.order(str(request.path_params["order"]))
        if order is None:
            raise NonsenseError("no such order at this panel", 404)
        now = self._now()
        remains = body.remains if body.remains is not None else _usual_remains(body.status, order)
        if remains > order.quantity:
            raise NonsenseError(f"remains: the order is for {order.quantity}")
        server.book.set(order, body.status, remains, now)
        if body.start_count is not None:
            order.start_count = body.start_count
        return self._order_json(server, order)


def _usual_remains(status: str, order: Order) -> int:
    """What a panel would say when the caller does not."""
    if status == "Completed":
        return 0
    return order.quantity // 2 if status in {"Partial", "In progress", "Processing"} else order.quantity

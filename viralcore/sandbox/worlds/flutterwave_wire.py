"""The API of Flutterwave v3, its front and collections: bearer key in, its envelope out, amounts checked strictly."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from viralcore.sandbox.worlds.faults import OUTAGES, cut, fail, hang_up
from viralcore.sandbox.worlds.flutterwave_book import LASTS, NAIRA, Book, Order, Payment, fee_of
from viralcore.sandbox.worlds.flutterwave_faults import LOST, SLOW, SLOW_BOOKED, Faults
from viralcore.sandbox.worlds.flutterwave_json import (
    OTHERS,
    balance_row,
    charge_json,
    envelope,
    list_json,
    verify_json,
)
from viralcore.sandbox.worlds.flutterwave_reading import RefusedError, read_amount, read_body, read_text

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LONGEST = 365 * 86_400
_UNKNOWN = "No transaction was found for this id"
Handler = Callable[[Request], Awaitable[dict[str, Any]]]


class FlutterwaveServer:
    """The endpoints. `resend(payment)`: send the webhook of a payment once more. `more`: method, path and handler of
    further ones. `chance(100)`: a number below 100, for storms."""

    def __init__(
        self,
        book: Book,
        faults: Faults,
        key: str,
        now: Callable[[], datetime],
        resend: Callable[[Payment], None],
        more: Sequence[tuple[str, str, Handler]] = (),
        chance: Callable[[int], int] = lambda _: 99,
    ) -> None:
        self._book = book
        self._faults = faults
        self._key = key
        self._now = now
        self._resend = resend
        self._more = more
        self._chance = chance

    def routes(self) -> list[Route]:
        def route(method: str, path: str, handler: Handler) -> Route:
            return Route("/v3" + path, self._guarded(handler), methods=[method])

        return [
            route("POST", "/charges", self._charge),
            route("GET", "/transactions", self._list),
            route("GET", "/transactions/verify_by_reference", self._verify_reference),
            route("GET", "/transactions/{id}/verify", self._verify),
            route("POST", "/transactions/{id}/resend-hook", self._resend_hook),
            route("GET", "/balances", self._balances),
            route("GET", "/balances/{currency}", self._balance),
            *(route(method, path, handler) for method, path, handler in self._more),
            Route("/{rest:path}", self._guarded(_nothing), methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        ]

    def _guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            faults = self._faults
            outage = faults.outage or self._weather(request)
            if faults.latency_ms:
                await asyncio.sleep(faults.latency_ms / 1000)
            if outage in OUTAGES:
                return await fail(outage, request)
            response = await self._answer(handler, request) if outage != SLOW else None
            if outage == LOST:
                return await cut(request)
            if outage in (SLOW, SLOW_BOOKED):
                await asyncio.sleep(0 if outage != faults.outage else faults.slow_seconds)
                timeout = envelope("An error occurred. Please contact support", good=False)
                return JSONResponse(timeout, status_code=503)
            if getattr(request.state, "lost", 0):
                return await (hang_up(request) if request.state.lost < 0 else cut(request))
            assert response is not None  # noqa: S101  # nosec B101 # only a slow outage has none
            return response

        return endpoint

    def _weather(self, request: Request) -> str:
        """In a storm, what happens to this transfer: the bank's own 503 with and without having taken it, an answer
        lost after, a connection cut before."""
        if request.method != "POST" or request.url.path != "/v3/transfers":
            return ""
        return (SLOW_BOOKED, SLOW, LOST, "drop")[self._chance(4)] if self._chance(100) < self._faults.storm else ""

    async def _answer(self, handler: Handler, request: Request) -> Response:
        try:
            self._admit(request)
            return JSONResponse(await handler(request))
        except RefusedError as refusal:
            told = envelope(refusal.message, good=False)
            if refusal.bare:
                del told["data"]
            return JSONResponse(told, status_code=refusal.status)

    def _admit(self, request: Request) -> None:
        given = request.headers.get("authorization", "")
        if not given:
            raise RefusedError("Authorization required", 401)
        if given != f"Bearer {self._key}":
            raise RefusedError("Invalid authorization key", 401)

    # charges

    async def _charge(self, request: Request) -> dict[str, Any]:
        if request.query_params.get("type") != "bank_transfer":
            raise RefusedError("type must be bank_transfer")
        order = self._order(await read_body(request))
        lost = request.state.lost = self._faults.swallow_next
        self._faults.swallow_next = max(0, lost - 1)
        answered = not lost and self._faults.outage != SLOW_BOOKED
        return charge_json(self._book.open(order, answered=answered))

    def _order(self, body: Mapping[str, Any]) -> Order:
        tx_ref, email = read_text(body, "tx_ref", 100), read_text(body, "email", 254)
        amount = read_amount(body)
        if read_text(body, "currency", 10) != NAIRA:
            raise RefusedError("currency must be NGN for bank_transfer")
        if not _EMAIL.fullmatch(email):
            raise RefusedError("email must be a valid email address")
        if body.get("is_permanent"):
            raise RefusedError("BVN is required for static account number")
        name = read_text(body, "fullname", 200, "Anonymous customer")
        return Order(
            tx_ref=tx_ref,
            amount=amount,
            email=email,
            name=name,
            phone=read_text(body, "phone_number", 30, "N/A"),
            narration=read_text(body, "narration", 200, name),
            lasts=_lasts(body.get("expires")),
            fee=fee_of(amount) if self._faults.payer_pays_fee else Decimal(0),
        )

    # transactions

    def _payment(self, request: Request) -> Payment:
        text = request.path_params["id"]
        known = self._book.payments.get(int(text)) if text.isascii() and text.isdigit() and len(text) < 18 else None
        if known is None:
            raise RefusedError(_UNKNOWN)
        return known

    async def _verify(self, request: Request) -> dict[str, Any]:
        return verify_json(self._payment(request), self._now())

    async def _verify_reference(self, request: Request) -> dict[str, Any]:
        """One transaction, the newest: a second payment into the same account hides the first."""
        found = self._book.of_reference(request.query_params.get("tx_ref", ""))
        if found is None:
            raise RefusedError(_UNKNOWN)
        return verify_json(found, self._now())

    async def _list(self, request: Request) -> dict[str, Any]:
        asked, now = request.query_params, self._now()
        try:
            page = max(1, int(asked.get("page") or 1))
            since = date.fromisoformat(asked["from"]) if asked.get("from") else date.min
            until = date.fromisoformat(asked["to"]) if asked.get("to") else date.max
        except ValueError:
            raise RefusedError("page must be a number; from and to must be dates (YYYY-MM-DD)") from None

        def fits(item: Payment) -> bool:
            kept = {
                "tx_ref": item.charge.order.tx_ref,
                "status": item.status(now),
                "currency": item.currency,
                "customer_email": item.charge.order.email,
            }
            named = all(asked.get(name, "") in ("", value) for name, value in kept.items())
            return named and since <= item.at.date() <= until

        return list_json([item for item in reversed(self._book.payments.values()) if fits(item)], page, now)

    async def _resend_hook(self, request: Request) -> dict[str, Any]:
        self._resend(self._payment(request))
        return envelope("hook sent successfully", "hook sent")

    # balances

    def _row(self, currency: str) -> dict[str, Any]:
        available = self._book.available if currency == NAIRA else Decimal(0)
        return balance_row(currency, available, self._book.collected(currency))

    async def _balances(self, _: Request) -> dict[str, Any]:
        return envelope("Wallet balances fetched", [self._row(currency) for currency in (NAIRA, *OTHERS)])

    async def _balance(self, request: Request) -> dict[str, Any]:
        currency = request.path_params["currency"].upper()
        if currency not in (NAIRA, *OTHERS):
            raise RefusedError(f"Wallet balance for {currency[:10]} was not found")
        return envelope("Wallet balance fetched", self._row(currency))


async def _nothing(request: Request) -> dict[str, Any]:
    raise RefusedError(f"Cannot {request.method} {request.url.path}", 404)


def _lasts(value: Any) -> timedelta:
    if value is None:
        return LASTS
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _LONGEST:
        raise RefusedError("expires must be a number of seconds")
    return timedelta(seconds=value)

"""The API of Flutterwave v3 (collections): bearer key in, its envelope out, amounts checked as strictly as it may."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from viralcore.core.money import parse_decimal
from viralcore.sandbox.worlds.faults import OUTAGES, cut, fail, hang_up
from viralcore.sandbox.worlds.flutterwave_book import KOBO, LASTS, NAIRA, Book, Order, Payment, fee_of
from viralcore.sandbox.worlds.flutterwave_faults import SLOW, SLOW_BOOKED, Faults
from viralcore.sandbox.worlds.flutterwave_json import (
    OTHERS,
    balance_row,
    charge_json,
    envelope,
    list_json,
    verify_json,
)

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LONGEST = 365 * 86_400
_MOST = Decimal(10**12)
_UNKNOWN = "No transaction was found for this id"
Handler = Callable[[Request], Awaitable[dict[str, Any]]]


class RefusedError(Exception):
    """Goes back as ``{"status": "error", "message": ..., "data": null}``."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class FlutterwaveServer:
    """The endpoints. `resend(payment)`: send the webhook of a payment once more."""

    def __init__(
        self, book: Book, faults: Faults, key: str, now: Callable[[], datetime], resend: Callable[[Payment], None]
    ) -> None:
        self._book = book
        self._faults = faults
        self._key = key
        self._now = now
        self._resend = resend

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
            Route("/{rest:path}", self._guarded(_nothing), methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        ]

    def _guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            faults = self._faults
            outage = faults.outage
            if faults.latency_ms:
                await asyncio.sleep(faults.latency_ms / 1000)
            if outage in OUTAGES:
                return await fail(outage, request)
            response = await self._answer(handler, request) if outage != SLOW else None
            if outage in (SLOW, SLOW_BOOKED):
                await asyncio.sleep(faults.slow_seconds)
                timeout = envelope("An error occurred. Please contact support", good=False)
                return JSONResponse(timeout, status_code=503)
            if getattr(request.state, "lost", 0):
                return await (hang_up(request) if request.state.lost < 0 else cut(request))
            assert response is not None  # noqa: S101  # nosec B101 # only a slow outage has none
            return response

        return endpoint

    async def _answer(self, handler: Handler, request: Request) -> Response:
        try:
            self._admit(request)
            return JSONResponse(await handler(request))
        except RefusedError as refusal:
            return JSONResponse(envelope(refusal.message, good=False), status_code=refusal.status)

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
        order = self._order(await _body(request))
        lost = request.state.lost = self._faults.swallow_next
        self._faults.swallow_next = max(0, lost - 1)
        answered = not lost and self._faults.outage != SLOW_BOOKED
        return charge_json(self._book.open(order, answered=answered))

    def _order(self, body: Mapping[str, Any]) -> Order:
        tx_ref, email = _text(body, "tx_ref", 100), _text(body, "email", 254)
        amount = _amount(body)
        if _text(body, "currency", 10) != NAIRA:
            raise RefusedError("currency must be NGN for bank_transfer")
        if not _EMAIL.fullmatch(email):
            raise RefusedError("email must be a valid email address")
        if body.get("is_permanent"):
            raise RefusedError("BVN is required for static account number")
        name = _text(body, "fullname", 200, "Anonymous customer")
        return Order(
            tx_ref=tx_ref,
            amount=amount,
            email=email,
            name=name,
            phone=_text(body, "phone_number", 30, "N/A"),
            narration=_text(body, "narration", 200, name),
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


async def _body(request: Request) -> Mapping[str, Any]:
    if "application/json" not in request.headers.get("content-type", ""):
        raise RefusedError("Content-Type must be application/json")
    try:
        body: Any = json.loads(await request.body(), parse_float=Decimal, parse_constant=lambda _: None)
    except ValueError:
        raise RefusedError("Invalid JSON in request body") from None
    if not isinstance(body, dict):
        raise RefusedError("Request body must be an object")
    return body


def _text(body: Mapping[str, Any], name: str, most: int, default: str | None = None) -> str:
    value = body.get(name)
    if value is None or value == "":
        if default is None:
            raise RefusedError(f"{name} is required")
        return default
    if not isinstance(value, str) or len(value) > most:
        raise RefusedError(f"{name} must be a string of at most {most} characters")
    return value


def _amount(body: Mapping[str, Any]) -> Decimal:
    """A number or the text of one."""
    value = body.get("amount")
    if value is None or value == "":
        raise RefusedError("amount is required")
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise ValueError("not a number")
        amount = parse_decimal(value if isinstance(value, str) else f"{Decimal(value):f}")
    except ValueError:
        raise RefusedError("amount must be a number") from None
    if not 0 < amount < _MOST:
        raise RefusedError("amount must be a positive number")
    if amount != amount.quantize(KOBO):
        raise RefusedError("amount must have at most 2 decimal places")
    return amount


def _lasts(value: Any) -> timedelta:
    if value is None:
        return LASTS
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _LONGEST:
        raise RefusedError("expires must be a number of seconds")
    return timedelta(seconds=value)

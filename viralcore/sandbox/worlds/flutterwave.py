"""The bank's world: Flutterwave v3 over its real wire, money that comes in, its webhooks, and what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

from viralcore.core.nursery import Nursery
from viralcore.sandbox.world import BookPayment, Books
from viralcore.sandbox.worlds.control import Amount, Body, NonsenseError, control, read
from viralcore.sandbox.worlds.faults import Wire
from viralcore.sandbox.worlds.flutterwave_book import KOBO, NAIRA, Book, Charge, Payment
from viralcore.sandbox.worlds.flutterwave_faults import LATE, LEGACY, MIXED, OFF, BankBody, Faults
from viralcore.sandbox.worlds.flutterwave_hooks import Courier
from viralcore.sandbox.worlds.flutterwave_json import event_json, legacy_json, moment
from viralcore.sandbox.worlds.flutterwave_wire import FlutterwaveServer

WEBHOOK_PATH = "/webhooks/flutterwave"
LATE_BY = timedelta(minutes=30)
SHUFFLED_WITHIN_MS = 5000
TICK_WITHIN = 3.0
_SHOWN = 50  # charges on the page
_MOST = Decimal(10**12)


class PayBody(Body):
    """`status` failed: the bank says that the transfer came to nothing."""

    account_number: Annotated[str, Field(min_length=1, max_length=40)]
    amount: Amount
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = NAIRA
    status: Literal["successful", "failed"] = "successful"


class FlutterwaveWorld:
    """Implements `viralcore.sandbox.world.World`. `bot`: the base URL at which the bot takes webhooks."""

    name = "flutterwave"

    def __init__(self, now: Callable[[], datetime], rng: Random, *, nursery: Nursery, bot: str) -> None:
        self._now = now
        self._rng = rng
        self.key = f"FLWSECK_TEST-{rng.getrandbits(128):032x}-X"
        self.secret = f"{rng.getrandbits(160):040x}"
        self.book = Book(now, rng)
        self.faults = Faults()
        self.courier = Courier(now, nursery, bot + WEBHOOK_PATH, self.secret, self.faults)
        server = FlutterwaveServer(self.book, self.faults, self.key, now, self._announce)
        self._app = Wire(Starlette(routes=server.routes()))

    @property
    def app(self) -> ASGIApp:
        return self._app

    def environment(self, base_url: str) -> Mapping[str, str]:
        return {
            "FLUTTERWAVE_BASE_URL": f"{base_url}/v3",
            "FLUTTERWAVE_API_KEY": self.key,
            "FLUTTERWAVE_WEBHOOK_SECRET": self.secret,
        }

    def control_routes(self) -> list[Route]:
        return [
            control("/bank", "POST", self._set),
            control("/bank/pay", "POST", self._pay),
            control("/bank/charges", "GET", self._charges),
            control("/bank/transfers", "GET", self._transfers),
            control("/bank/transfers/{reference}", "POST", self._transfer),
        ]

    async def tick(self, now: datetime) -> None:
        """What falls due with a turn of the clock is sent before anybody turns it again."""
        await self.courier.settle(TICK_WITHIN)

    def pending(self, now: datetime) -> list[str]:
        left = self.courier.pending(now)
        return [f"{left} webhook{'s' if left > 1 else ''} to be delivered"] if left else []

    def next_due(self, now: datetime) -> datetime | None:
        due = (self.courier.next_due(now), self.book.next_due(now))
        return min((moment for moment in due if moment is not None), default=None)

    def snapshot(self) -> Mapping[str, Any]:
        charges = list(self.book.charges.values())[: -_SHOWN - 1 : -1]
        return {"bank": self._bank_json() | {"charges": [self._charge_json(item) for item in charges]}}

    def books(self) -> Books:
        """Every payment there ever was, told or not."""
        now = self._now()
        return Books(
            payments=[
                BookPayment(
                    id=str(item.id),
                    tx_ref=item.charge.order.tx_ref,
                    amount=int(item.amount / KOBO),
                    currency=item.currency,
                    status=item.status(now),
                )
                for item in self.book.payments.values()
            ]
        )

    # webhooks

    def _announce(self, payment: Payment) -> None:
        """Send the webhook of a payment, as often, as late and as truly as things stand."""
        if self.faults.webhooks == OFF:
            return
        body = self._body(payment)
        due = self._now() + (LATE_BY if self.faults.webhooks == LATE else timedelta(0))
        more = self.faults.duplicate_webhooks
        for _ in range(1 + (more if more >= 0 else self._rng.randrange(1, 3))):
            drift = self._rng.randrange(SHUFFLED_WITHIN_MS) if self.faults.shuffle else 0
            self.courier.send(payment.id, body, due + timedelta(milliseconds=drift))

    def _body(self, payment: Payment) -> bytes:
        """The bytes as a JavaScript server writes them: compact, and names in their own letters."""
        kind = self.faults.envelope
        legacy = kind == LEGACY or (kind == MIXED and self._rng.randrange(8) == 0)
        told = legacy_json(payment) if legacy else event_json(payment, meta_data=self._rng.randrange(3) == 0)
        if self.faults.lie:
            data = told if legacy else told["data"]
            data |= {"status": "successful", "amount": data["amount"] * 10, "charged_amount": data["amount"] * 10}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()

    # control

    async def _pay(self, request: Request) -> dict[str, Any]:
        body = await read(request, PayBody)
        charge = self.book.charges.get(body.account_number)
        if charge is None:
            raise NonsenseError("no such account", 404)
        if not 0 < body.amount < _MOST:
            raise NonsenseError("amount: more than nothing, and less than there is")
        if body.amount != body.amount.quantize(KOBO):
            raise NonsenseError("amount: at most 2 decimals")
        undecided = timedelta(seconds=self.faults.pending_first)
        failed = body.status == "failed"
        payment = self.book.pay(charge, body.amount, body.currency, failed=failed, undecided=undecided)
        self._announce(payment)
        return {"id": payment.id, "tx_ref": charge.order.tx_ref}

    async def _set(self, request: Request) -> dict[str, Any]:
        body = await read(request, BankBody)
        for field in body.model_fields_set - {"balance"}:
            setattr(self.faults, field, getattr(body, field))
        if "balance" in body.model_fields_set:
            self.book.available = body.balance
        return self._bank_json()

    async def _charges(self, _: Request) -> list[dict[str, Any]]:
        return [self._charge_json(charge) for charge in self.book.charges.values()]

    async def _transfers(self, _: Request) -> list[dict[str, Any]]:
        """No payouts are made through this bank yet."""
        return []

    async def _transfer(self, request: Request) -> None:
        raise NonsenseError(f"no transfer has the reference {request.path_params['reference'][:100]}", 404)

    def _bank_json(self) -> dict[str, Any]:
        waiting = {"waiting": len(self.courier.waiting), "lost": self.courier.lost.total()}
        return self.faults.json() | waiting | {"balance": f"{self.book.available:f}"}

    def _charge_json(self, charge: Charge) -> dict[str, Any]:
        now = self._now()
        return {
            "account_number": charge.account,
            "bank": charge.bank,
            "reference": charge.reference,
            "tx_ref": charge.order.tx_ref,
            "amount": f"{charge.order.amount:.2f}",
            "transfer_amount": f"{charge.due:.2f}",
            "currency": NAIRA,
            "email": charge.order.email,
            "at": moment(charge.at),
            "expires_at": moment(charge.expires_at),
            "expired": now >= charge.expires_at,
            "answered": charge.answered,
            "payments": [
                {
                    "id": item.id,
                    "amount": f"{item.paid:.2f}",
                    "currency": item.currency,
                    "status": item.status(now),
                    "at": moment(item.at),
                    "webhooks": self.courier.delivered[item.id],
                }
                for item in charge.payments
            ],
        }

"""The bank's world: Flutterwave v3 over its real wire, money in and out, its webhooks, and what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

from viralcore.core.nursery import Nursery
from viralcore.sandbox.world import BookPayment, BookPayout, Books
from viralcore.sandbox.worlds.control import Amount, Body, NonsenseError, control, read
from viralcore.sandbox.worlds.faults import Wire
from viralcore.sandbox.worlds.flutterwave_book import KOBO, NAIRA, Book, Charge, Payment
from viralcore.sandbox.worlds.flutterwave_faults import LATE, LEGACY, MIXED, OFF, BankBody, Faults
from viralcore.sandbox.worlds.flutterwave_hooks import Courier
from viralcore.sandbox.worlds.flutterwave_json import event_json, legacy_json, moment
from viralcore.sandbox.worlds.flutterwave_payouts import DONE, ENDS, PayoutBook, Transfer
from viralcore.sandbox.worlds.flutterwave_payouts_json import legacy_transfer_event, transfer_event
from viralcore.sandbox.worlds.flutterwave_transfers import TransfersServer
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


class DecideBody(Body):
    """`message`: what the bank says of it; left out, the commonest words of its kind."""

    status: Annotated[Literal["SUCCESSFUL", "FAILED"], BeforeValidator(lambda said: str(said).upper())]
    message: Annotated[str, Field(max_length=300)] = ""


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
        self.payouts = PayoutBook(now, rng, self.book, self.faults, self._announce_transfer)
        paying = TransfersServer(self.payouts, self.faults, now)
        server = FlutterwaveServer(
            self.book, self.faults, self.key, now, self._announce, paying.handlers(), rng.randrange
        )
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
            control("/bank/transfers/{reference}", "POST", self._decide),
        ]

    async def tick(self, now: datetime) -> None:
        """What falls due with a turn of the clock is sent before anybody turns it again."""
        self.payouts.settle(now)
        await self.courier.settle(TICK_WITHIN)

    def pending(self, now: datetime) -> list[str]:
        left = self.courier.pending(now)
        return [f"{left} webhook{'s' if left > 1 else ''} to be delivered"] if left else []

    def next_due(self, now: datetime) -> datetime | None:
        due = (self.courier.next_due(now), self.book.next_due(now), self.payouts.next_due(now))
        return min((moment for moment in due if moment is not None), default=None)

    def snapshot(self) -> Mapping[str, Any]:
        charges = list(self.book.charges.values())[: -_SHOWN - 1 : -1]
        self.payouts.settle(self._now())
        transfers = list(self.payouts.transfers.values())[: -_SHOWN - 1 : -1]
        shown = {
            "charges": [self._charge_json(item) for item in charges],
            "transfers": [self._transfer_json(item) for item in transfers],
            "messages": list(ENDS),
        }
        return {"bank": self._bank_json() | shown}

    def books(self) -> Books:
        """Every payment and payout there ever was, told or not."""
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
            ],
            payouts=[
                BookPayout(
                    id=str(item.id),
                    reference=item.reference,
                    amount=int(item.amount / KOBO),
                    account=item.account,
                    status=item.shown(now),
                )
                for item in self.payouts.transfers.values()
            ],
        )

    # webhooks

    def _announce(self, payment: Payment) -> None:
        """Send the webhook of a payment, as often, as late and as truly as things stand."""
        meta_data = self._rng.randrange(3) == 0
        self._deliver(
            payment.id,
            lambda: event_json(payment, meta_data=meta_data),
            lambda: legacy_json(payment),
            {"status": "successful"},
        )

    def _announce_transfer(self, transfer: Transfer) -> None:
        now = self._now()
        lie = {"status": "SUCCESSFUL", "complete_message": DONE}
        self._deliver(
            transfer.id, lambda: transfer_event(transfer, now), lambda: legacy_transfer_event(transfer, now), lie
        )

    def _deliver(
        self, number: int, told: Callable[[], dict[str, Any]], legacy: Callable[[], dict[str, Any]], lie: dict[str, Any]
    ) -> None:
        if self.faults.webhooks == OFF:
            return
        body = self._body(told, legacy, lie)
        due = self._now() + (LATE_BY if self.faults.webhooks == LATE else timedelta(0))
        more = self.faults.duplicate_webhooks
        for _ in range(1 + (more if more >= 0 else self._rng.randrange(1, 3))):
            drift = self._rng.randrange(SHUFFLED_WITHIN_MS) if self.faults.shuffle else 0
            self.courier.send(number, body, due + timedelta(milliseconds=drift))

    def _body(
        self, told: Callable[[], dict[str, Any]], legacy: Callable[[], dict[str, Any]], lie: dict[str, Any]
    ) -> bytes:
        """The bytes as a JavaScript server writes them: compact, and names in their own letters."""
        kind = self.faults.envelope
        old = kind == LEGACY or (kind == MIXED and self._rng.randrange(8) == 0)
        event = legacy() if old else told()
        if self.faults.lie:
            data = next((event[name] for name in ("data", "transfer") if name in event), event)
            tenfold = {name: data[name] * 10 for name in ("amount", "charged_amount") if name in data}
            data |= lie | tenfold
        return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()

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
        self.payouts.settle(self._now())
        return [self._transfer_json(transfer) for transfer in self.payouts.transfers.values()]

    async def _decide(self, request: Request) -> dict[str, Any]:
        reference = request.path_params["reference"]
        transfer = self.payouts.transfers.get(reference)
        if transfer is None:
            raise NonsenseError(f"no transfer has the reference {reference[:100]}", 404)
        body = await read(request, DecideBody)
        if transfer.decided:
            raise NonsenseError(f"it is {transfer.status} already", 409)
        if not self.payouts.decide(transfer, body.status, body.message):
            raise NonsenseError("there is not enough on the balance for it", 409)
        return self._transfer_json(transfer)

    def _bank_json(self) -> dict[str, Any]:
        waiting = {"waiting": len(self.courier.waiting), "lost": self.courier.lost.total()}
        return self.faults.json() | waiting | {"balance": f"{self.book.available:f}"}

    def _transfer_json(self, transfer: Transfer) -> dict[str, Any]:
        return {
            "reference": transfer.reference,
            "id": transfer.id,
            "status": transfer.shown(self._now()),
            "message": transfer.message,
            "amount": f"{transfer.amount:.2f}",
            "fee": f"{transfer.fee:f}",
            "currency": NAIRA,
            "account_number": transfer.account,
            "bank_code": transfer.bank_code,
            "bank_name": transfer.bank_name,
            "name": transfer.name,
            "narration": transfer.narration,
            "at": moment(transfer.at),
            "decided": transfer.decided,
            "answered": transfer.answered,
            "covered": transfer.covered,
            "sent_again": self.payouts.refused.count(transfer.reference),
            "webhooks": self.courier.delivered[transfer.id],
        }

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

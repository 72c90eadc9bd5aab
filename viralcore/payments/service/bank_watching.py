"""Payments by bank, found in two ways: Flutterwave tells us (a webhook), and we ask about open accounts (a job). Both
ask the API for the payment before any money moves, and end in the same crediting transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Any

import structlog

from viralcore.core.clock import Clock
from viralcore.core.db import Database, Tx
from viralcore.core.effects import EffectCall, Later, Outcome, Silence, Succeeded
from viralcore.core.errors import NotFound
from viralcore.payments.config import PaymentsConfig
from viralcore.payments.domain.bank import Charge, poll_delay, wait_of
from viralcore.payments.events import BankTrouble
from viralcore.payments.ports import Bank, BankDown, PaidIn, StillPending, WillNotCome
from viralcore.payments.repository import bank, invoices
from viralcore.payments.service.bank_crediting import BankCrediting

log = structlog.get_logger(__name__)

KIND = "payments.bank_verify"


class BankWatcher:
    """`bank` None: there is none to ask; what is stored waits until there is one again."""

    def __init__(
        self, *, db: Database, clock: Clock, config: PaymentsConfig, bank: Bank | None, crediting: BankCrediting
    ) -> None:
        self._db = db
        self._clock = clock
        self._config = config
        self._bank = bank
        self._crediting = crediting

    # --- what we were told, and what a payer says --------------------------------------------------------------------

    def ask(self, tx: Tx, *, key: str, payment_id: str, reference: str, once: bool = False, due_in: int = 0) -> None:
        """Store the effect that asks the API. `once`: somebody else goes on asking."""
        payload = {"id": payment_id, "reference": reference, "since": tx.now.isoformat(), "once": once}
        due = tx.now + timedelta(seconds=due_in) if due_in else None
        tx.effect(kind=KIND, key=key, payload=payload, due=due, ref=f"bank:{reference}"[:100])

    async def look_for(self, tx: Tx, *, key: str, user_id: int, invoice_id: int) -> None:
        """The payer says they have paid: ask about all accounts they saw, now and often. Raises NotFound."""

        async def run() -> Mapping[str, Any]:
            invoice = await invoices.get_invoice(tx.conn, invoice_id)
            if invoice is None or invoice.user_id != user_id:
                raise NotFound(what="invoice")
            charges = await bank.open_charges_of(tx.conn, invoice_id)
            due = tx.now + timedelta(seconds=self._config.bank.first_poll_seconds)
            await bank.ask_soon(tx.conn, [charge.id for charge in charges], due=due, now=tx.now)
            stretch = int(tx.now.timestamp()) // self._config.bank.poll_seconds
            for charge in charges:  # pressed ten times in a row, it is asked once
                name = f"paid:{charge.reference}:{stretch}"
                self.ask(tx, key=name, payment_id="", reference=charge.reference, once=True)
            return {}

        inputs = {"user_id": user_id, "invoice_id": invoice_id}
        await tx.once(scope="payments.look_for_transfer", key=key, inputs=inputs, run=run)

    async def check(self, payload: Mapping[str, Any]) -> tuple[int, str] | None:
        """One look. Returns the seconds of business time until the next one, and why; None when it is over."""
        waiting = await self._look(str(payload["id"]), str(payload["reference"]))
        if waiting is None or payload["once"]:
            return None
        limits, age = self._config.bank, self._clock.now() - datetime.fromisoformat(str(payload["since"]))
        if age >= timedelta(hours=limits.give_up_hours):
            log.error("bank_payment_unconfirmed", id=payload["id"], reference=payload["reference"], reason=waiting)
            async with self._db.transaction() as tx:
                tx.record(BankTrouble(what="unconfirmed", detail=f"{payload['id']} {payload['reference']}"))
            return None
        seconds = wait_of(
            int(age.total_seconds()),
            first_seconds=limits.first_poll_seconds,
            longest_seconds=limits.longest_poll_seconds,
        )
        return seconds, waiting

    async def _look(self, payment_id: str, reference: str) -> str | None:
        """Ask, and credit what came. None: it is decided; else why not yet. No answer ever means that nothing came."""
        if self._bank is None:
            return "no_bank"
        try:
            found = await self._bank.payment(payment_id=payment_id, reference=reference)
        except BankDown as trouble:
            return trouble.reason
        if isinstance(found, PaidIn):
            return None if await self._crediting.settle(found.payment) == "settled" else "price"
        if isinstance(found, WillNotCome):
            return None
        return "pending" if isinstance(found, StillPending) else "not_found"

    async def ask_again(self, tx: Tx, call: EffectCall) -> None:
        """The effect broke down for good: another one takes its place."""
        wait = self._config.bank.longest_poll_seconds
        name, reference = f"{call.key}:after{call.effect_id}", str(call.payload["reference"])
        self.ask(tx, key=name, payment_id=str(call.payload["id"]), reference=reference, due_in=wait)

    # --- what we ask by ourselves ------------------------------------------------------------------------------------

    async def poll(self) -> None:
        """The job: accounts that are due, a bounded number of them. One that breaks never stops the others."""
        if self._bank is None:
            return
        limits = self._config.bank
        async with self._db.read() as conn:
            due = await bank.due_charges(conn, self._clock.now(), limits.polls_per_run)
        for start in range(0, len(due), limits.polls_at_once):
            some: Sequence[tuple[Charge, datetime | None]] = due[start : start + limits.polls_at_once]
            await asyncio.gather(*(self._poll_one(charge, closed_at) for charge, closed_at in some))

    async def next_poll(self) -> datetime | None:
        if self._bank is None:
            return None
        async with self._db.read() as conn:
            return await bank.next_poll(conn)

    async def _poll_one(self, charge: Charge, closed_at: datetime | None) -> None:
        limits, kept = self._config.bank, timedelta(hours=self._config.invoices.reservation_hours)
        first, longest = limits.first_poll_seconds, limits.longest_poll_seconds
        try:
            paid, answered = await self._poll_payment(charge)
        except Exception:
            log.exception("account_not_polled", reference=charge.reference)
            paid, answered = False, False
        now = self._clock.now()
        over = closed_at is not None and now - closed_at >= kept
        due: datetime | None = now + timedelta(seconds=first if not answered else 0)
        polls = charge.polls
        if answered:
            polls += 1
            wait = timedelta(seconds=poll_delay(polls, first_seconds=first, longest_seconds=longest))
            due = None if over else now + (kept if paid else wait)  # after the money only one last look
        async with self._db.transaction() as tx:
            await bank.note_poll(tx.conn, charge, polls=polls, due=due, now=tx.now)

    async def _poll_payment(self, charge: Charge) -> tuple[bool, bool]:
        """(the money is booked, the bank answered)."""
        if self._bank is None:
            return False, False
        try:
            found = await self._bank.payment(payment_id="", reference=charge.reference)
        except BankDown as trouble:
            log.warning("account_not_polled", reference=charge.reference, reason=trouble.reason)
            return False, False
        if not isinstance(found, PaidIn):
            return False, True
        settled = await self._crediting.settle(found.payment) == "settled"
        return settled, settled and await self._others(self._bank, charge.reference, found.payment.id)

    async def _others(self, bank: Bank, reference: str, known: str) -> bool:
        """Whoever pays twice to one account is told of by the newest alone: look at the rest. False: not all are
        decided."""
        try:
            numbers = [number for number in await bank.numbers(reference=reference) if number != known]
        except BankDown as trouble:
            log.info("payments_not_listed", reference=reference, reason=trouble.reason)
            return True  # a list is more than what was promised: each has its webhook
        undecided = [number for number in numbers if await self._look(number, reference) not in (None, "not_found")]
        return not undecided


class VerifyPaymentEffect:
    """The effect kind: asks the API, changes nothing outside, so silence is simply asked again."""

    name = KIND
    silence: Silence = "repeat"
    max_attempts = 5
    urgent = True

    def __init__(self, watcher: BankWatcher, *, parallelism: int) -> None:
        self._watcher = watcher
        self.parallelism = parallelism

    def slot(self, payload: Mapping[str, Any]) -> AbstractAsyncContextManager[object]:
        return nullcontext()

    async def call(self, call: EffectCall) -> Outcome | Later:
        waits = await self._watcher.check(call.payload)
        return Succeeded() if waits is None else Later(*waits)

    async def on_outcome(self, tx: Tx, call: EffectCall, outcome: Outcome) -> None:
        if not isinstance(outcome, Succeeded):
            await self._watcher.ask_again(tx, call)

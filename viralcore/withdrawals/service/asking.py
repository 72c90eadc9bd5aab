"""Asks the provider what became of transfers: because it told us to look (webhook), because it is time (poll), or
because staff want to know now. All of them end in `Settling.heard`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from viralcore.core.db import Tx
from viralcore.core.effects import EffectCall, Later, Outcome, Silence, Succeeded
from viralcore.withdrawals.domain import attempts as rules
from viralcore.withdrawals.domain.states import Attempt
from viralcore.withdrawals.events import TransferLookedFor
from viralcore.withdrawals.ports import Payouts, PayoutsDown, TransferRecord
from viralcore.withdrawals.repository import attempts, requests
from viralcore.withdrawals.service.house import House, locked
from viralcore.withdrawals.service.settling import Settling

log = structlog.get_logger(__name__)
KIND = "withdrawals.ask"


class Asking:
    def __init__(self, house: House, settling: Settling) -> None:
        self._house = house
        self._settling = settling
        self._rules = house.config.sending

    async def told(self, tx: Tx, *, key: str, reference: str) -> None:
        """Something was said of a transfer, which is only a reason to ask. Of none of ours: nothing."""
        attempt = await attempts.by_reference(tx.conn, reference)
        if attempt is not None:
            self.ask(tx, key=key, attempt=attempt)

    def ask(self, tx: Tx, *, key: str, attempt: Attempt, staff: bool = False) -> None:
        """`staff`: somebody looks at the card meanwhile."""
        payload = {"attempt_id": attempt.id, **({"staff": True} if staff else {})}
        tx.effect(kind=KIND, key=key, payload=payload, ref=f"withdrawal:{attempt.withdrawal_id}")

    async def looked(self, tx: Tx, attempt_id: int) -> None:
        """Staff asked, and were answered."""
        attempt = await attempts.get(tx.conn, attempt_id)
        request = None if attempt is None else await requests.get(tx.conn, attempt.withdrawal_id)
        if request is not None:
            tx.record(TransferLookedFor(withdrawal_id=request.id, user_id=request.user_id))

    async def look(self, attempt_id: int) -> str:
        """One look. ``""``: answered; else why not."""
        if self._house.payouts is None:
            return "nobody pays"
        async with self._house.db.read() as conn:
            attempt = await attempts.get(conn, attempt_id)
        if attempt is None:
            return ""
        try:
            records = await self._records(self._house.payouts, attempt)
        except PayoutsDown as trouble:
            return trouble.reason
        if records and await self._settling.heard(attempt.id, records):
            return ""
        known = any(record.reference == attempt.reference for record in records)
        if not known and attempt.state in ("accepted", "unknown"):
            await self._settling.missing(attempt.id)
        await self._note(attempt.id)
        return ""

    async def poll(self) -> None:
        """The job: what is due, a bounded number. One that breaks stops none of the others."""
        await self._unsent()
        if self._house.payouts is None:
            return
        async with self._house.db.read() as conn:
            due = await attempts.due(conn, self._house.clock.now(), self._rules.asks_per_run)
        gate = asyncio.Semaphore(self._rules.asks_at_once)
        await asyncio.gather(*(self._poll_one(gate, attempt) for attempt in due))

    async def next_poll(self) -> datetime | None:
        if self._house.payouts is None:
            return None
        async with self._house.db.read() as conn:
            return await attempts.next_due(conn)

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _poll_one(self, gate: asyncio.Semaphore, attempt: Attempt) -> None:
        async with gate:
            try:
                reason = await self.look(attempt.id)
            except Exception:
                log.exception("transfer_not_polled", reference=attempt.reference)
                reason = "broken"
            if reason:
                await self._note(attempt.id)

    async def _records(self, payouts: Payouts, attempt: Attempt) -> tuple[TransferRecord, ...]:
        """By its id there when we know it, else by our reference."""
        if attempt.provider_id:
            record = await payouts.by_id(attempt.provider_id)
            if record is not None and record.reference == attempt.reference:
                return (record,)
            return await payouts.by_reference(attempt.reference) or (() if record is None else (record,))
        return await payouts.by_reference(attempt.reference)

    async def _unsent(self) -> None:
        """Staff are told of what could not be sent for long: whom nobody can reach, or who does not serve us."""
        since = self._house.clock.now() - timedelta(hours=self._rules.alarm_hours)
        async with self._house.db.read() as conn:
            found = await attempts.unsent(conn, since)
        for attempt_id in found:
            await self._house.db.run(partial(self._tell_unsent, attempt_id))

    async def _tell_unsent(self, attempt_id: int, tx: Tx) -> None:
        attempt = await attempts.get(tx.conn, attempt_id)
        if attempt is not None and rules.never_sent(attempt):
            request = await locked(tx.conn, attempt.withdrawal_id)
            await self._settling.trouble(tx, request, attempt, "unsent", "")

    async def _note(self, attempt_id: int) -> None:
        """Asked and still not decided: when to ask again, and whether staff must know."""

        async def work(tx: Tx) -> None:
            known = await attempts.get(tx.conn, attempt_id)
            if known is None or not known.open:
                return
            request = await locked(tx.conn, known.withdrawal_id)
            attempt = await attempts.get(tx.conn, attempt_id, hold=True)
            if attempt is None or not attempt.open:
                return
            asks = attempt.asks + 1
            due = None if attempt.state == "sending" else tx.now + rules.ask_delay(asks, self._rules)
            await attempts.change(tx.conn, attempt, (attempt.state,), asks=asks, asked_at=tx.now, ask_due=due)
            age = tx.now - attempt.created_at
            if age >= timedelta(hours=self._rules.alarm_hours):
                what = "unconfirmed" if request.state == "unconfirmed" else "slow"
                await self._settling.trouble(tx, request, attempt, what, attempt.reason)

        await self._house.db.run(work)


class AskEffect:
    """The effect kind: asks, changes nothing outside, so silence is simply asked again; the poll goes on after it."""

    name = KIND
    silence: Silence = "repeat"
    max_attempts = 3
    urgent = True

    def __init__(self, asking: Asking, *, parallelism: int) -> None:
        self._asking = asking
        self.parallelism = parallelism

    def slot(self, payload: Mapping[str, Any]) -> AbstractAsyncContextManager[object]:
        return nullcontext()

    async def call(self, call: EffectCall) -> Outcome | Later:
        reason = await self._asking.look(int(call.payload["attempt_id"]))
        return Later(15, reason, counts=True) if reason else Succeeded()

    async def on_outcome(self, tx: Tx, call: EffectCall, outcome: Outcome) -> None:
        """What was learnt is recorded already."""
        if call.payload.get("staff"):
            await self._asking.looked(tx, int(call.payload["attempt_id"]))

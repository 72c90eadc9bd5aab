"""Sends one attempt, under the reference that was stored before (DESIGN 6, `keyed`).

What is stored when, and what a crash between any two of these steps leaves:

1. with the decision: the attempt (its reference) and the effect. Crash: nothing was sent, the effect runs later.
2. the effect is claimed. Crash: it may have been sent; ten minutes later the reference is looked for first.
3. `_note_send`: that it is about to be sent, counted and on disk, so that 0 is proof that nothing ever left. Whoever
   ended it meanwhile was first, and nothing is sent. Crash: it counts as one that may have arrived.
4. the call. Crash, or no answer: unknown. Looked for by reference; not found twice, ten minutes apart: sent again under
   the same reference, which the provider takes once.
5. the outcome and its consequences, one transaction. Crash: as 4, and the look-up finds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from viralcore.core.db import Tx
from viralcore.core.effects import EffectCall, Later, Outcome, Refused, Silence, Succeeded, Unknown
from viralcore.core.money import NGN, Money
from viralcore.withdrawals.domain import attempts as rules
from viralcore.withdrawals.domain.states import Account, Attempt, Request
from viralcore.withdrawals.ports import Declined, DuplicateReference, NotSent, Payouts, PayoutsDown, Queued
from viralcore.withdrawals.repository import attempts, requests
from viralcore.withdrawals.service.dispatching import KIND
from viralcore.withdrawals.service.house import House, account_of, locked
from viralcore.withdrawals.service.returning import Returning
from viralcore.withdrawals.service.settling import Settling

log = structlog.get_logger(__name__)
SETTLED = Succeeded({"settled": True})
"""Whoever looked found out: the effect has nothing to add."""


@dataclass(frozen=True, slots=True)
class _Transfer:
    """All it takes to send."""

    attempt: Attempt
    request: Request
    account: Account
    held_back: bool  # payouts are paused or stopped


class Sending:
    def __init__(self, house: House, settling: Settling, returning: Returning) -> None:
        self._house = house
        self._settling = settling
        self._returning = returning
        self._rules = house.config.sending

    async def send(self, attempt_id: int, *, perhaps_sent: bool) -> Outcome | Later:
        """One round. `perhaps_sent`: an earlier round may have reached the provider."""
        payouts, found = self._house.payouts, await self._look(attempt_id)
        if not found.attempt.open or found.attempt.state == "accepted":
            return SETTLED
        if payouts is None:
            if found.attempt.sends:
                await self._settling.silent(attempt_id, "nobody pays")
            return Later(self._rules.unsent_seconds, "nobody pays")
        if perhaps_sent:
            known = await self._looked_for(payouts, found.attempt)
            if known is not None:
                return known
        if found.held_back:
            return Later(self._rules.unsent_seconds, "held back")
        if not await self._note_send(attempt_id):
            return SETTLED
        said = await payouts.send(
            reference=found.attempt.reference,
            bank_code=found.account.bank_code,
            account_number=self._house.sealing.open(found.account),
            name=found.account.holder,
            amount=Money(found.request.terms.net, NGN),
            narration=f"{self._rules.narration} {found.request.id}",
        )
        if isinstance(said, Queued):
            return Succeeded({"provider_id": said.provider_id, "fee": None if said.fee is None else said.fee.minor})
        if isinstance(said, Declined):
            return await self._declined(found.attempt, said, perhaps_sent=perhaps_sent)
        if isinstance(said, NotSent):
            await self._note_unsent(attempt_id)
            return Later(self._rules.unsent_seconds, said.reason)
        if isinstance(said, DuplicateReference):
            return await self._duplicate(payouts, found.attempt)
        await self._settling.silent(attempt_id, said.reason)
        return Unknown(said.reason)

    async def record(self, tx: Tx, attempt_id: int, outcome: Outcome) -> None:
        """The last word of the effect. Unknown changes nothing: the poll goes on asking."""
        if isinstance(outcome, Refused):
            await self._settling.refused(
                tx, attempt_id, reason=outcome.reason, words=str(outcome.data.get("words", ""))
            )
        elif isinstance(outcome, Succeeded) and "provider_id" in outcome.data:
            fee = outcome.data.get("fee")
            await self._settling.accepted(
                tx,
                attempt_id,
                provider_id=str(outcome.data["provider_id"]),
                fee=None if fee is None else int(fee),
            )

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _look(self, attempt_id: int) -> _Transfer:
        async with self._house.db.read() as conn:
            attempt = await attempts.get(conn, attempt_id)
            request = None if attempt is None else await requests.get(conn, attempt.withdrawal_id)
            if attempt is None or request is None:
                raise RuntimeError("an attempt vanished")
            switches = await attempts.get_desk(conn)
            return _Transfer(attempt, request, await account_of(conn, request), switches.paused or switches.stopped)

    async def _looked_for(self, payouts: Payouts, attempt: Attempt) -> Outcome | Later | None:
        """Ask before sending again. None: it never arrived, send it."""
        try:
            records = await payouts.by_reference(attempt.reference)
        except PayoutsDown as trouble:
            await self._settling.silent(attempt.id, trouble.reason)
            return Later(self._rules.unsent_seconds, trouble.reason)
        if records:
            if await self._settling.heard(attempt.id, records):
                return SETTLED
            await self._settling.silent(attempt.id, "mismatch")
            return Unknown("mismatch")
        await self._settling.silent(attempt.id, "not_found")
        missing = await self._settling.missing(attempt.id)
        if missing is None:
            return SETTLED
        now = self._house.clock.now()
        decision = rules.resend(missing, now=now, rules=self._rules)
        if decision == "wait" and missing.missing_since is not None:
            left = missing.missing_since + timedelta(seconds=self._rules.quiet_seconds) - now
            return Later(max(left.total_seconds(), 1.0), "not_found")
        return None if decision == "send" else Unknown("not_found")

    async def _note_send(self, attempt_id: int) -> bool:
        """Guarded: only an attempt that is alive and not known there is sent. What staff gave back or took over is not,
        and what waited until its terms were out of date goes back to its owner. On disk before the call."""

        async def work(tx: Tx) -> bool:
            known = await attempts.get(tx.conn, attempt_id)
            if known is None:
                return False
            request = await locked(tx.conn, known.withdrawal_id)
            attempt = await attempts.get(tx.conn, attempt_id, hold=True)
            if attempt is None or attempt.state not in ("sending", "unknown"):
                return False
            if rules.never_sent(attempt) and await self._returning.if_outdated(tx, request):
                return False
            sent = {"sends": attempt.sends + 1, "sent_at": tx.now, "missing_since": None, "missing_at": None}
            tx.wait_for_disk()
            return await attempts.change(tx.conn, attempt, (attempt.state,), **sent)

        return await self._house.db.run(work)

    async def _note_unsent(self, attempt_id: int) -> None:
        """It is proven that nothing came of it."""

        async def work(tx: Tx) -> None:
            attempt = await attempts.get(tx.conn, attempt_id, hold=True)
            if attempt is not None and attempt.open and attempt.sends > 0:
                await attempts.change(tx.conn, attempt, (attempt.state,), sends=attempt.sends - 1)

        await self._house.db.run(work)

    async def _declined(self, attempt: Attempt, said: Declined, *, perhaps_sent: bool) -> Outcome | Later:
        """No transfer was made by this call. Where an earlier one may have arrived that decides nothing."""
        if said.why == "config":
            await self._stop(attempt, said.words)
        if perhaps_sent:
            await self._settling.silent(attempt.id, "declined")
            return Unknown("declined", {"words": said.words})
        if said.why == "config":
            await self._note_unsent(attempt.id)
            return Later(self._rules.unsent_seconds, "config")
        if said.why == "passing" and attempt.sends < self._house.config.withdrawal_retry_count:
            return Later(self._house.config.withdrawal_retry_backoff_sec, "passing")
        return Refused(rules.reason_of(said.why), {"words": said.words})

    async def _duplicate(self, payouts: Payouts, attempt: Attempt) -> Outcome | Later:
        """It is there under our reference: look, compare, adopt."""
        try:
            records = await payouts.by_reference(attempt.reference)
        except PayoutsDown:
            records = ()
        if records and await self._settling.heard(attempt.id, records):
            return SETTLED
        if not records:
            await self._settling.exists(attempt.id)
        await self._settling.silent(attempt.id, "duplicate")
        return Unknown("duplicate")

    async def _stop(self, attempt: Attempt, words: str) -> None:
        async def work(tx: Tx) -> None:
            await self._settling.stop_refused(tx, attempt, words)

        await self._house.db.run(work)


class TransferEffect:
    """The effect kind. Its rounds are as many as a day has: after that the poll alone asks."""

    name = KIND
    silence: Silence = "keyed"
    max_attempts = 144
    urgent = True

    def __init__(self, sending: Sending, payouts: Payouts | None, *, parallelism: int) -> None:
        self._sending = sending
        self._payouts = payouts
        self.parallelism = parallelism

    def slot(self, payload: Mapping[str, Any]) -> AbstractAsyncContextManager[object]:
        return nullcontext() if self._payouts is None else self._payouts.slot()

    async def call(self, call: EffectCall) -> Outcome | Later:
        return await self._sending.send(int(call.payload["attempt_id"]), perhaps_sent=call.attempt > 1)

    async def on_outcome(self, tx: Tx, call: EffectCall, outcome: Outcome) -> None:
        await self._sending.record(tx, int(call.payload["attempt_id"]), outcome)

"""The one transaction in which every way to learn an outcome ends: webhook, poll and look-up by reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog

from viralcore.core.db import Tx
from viralcore.core.money import NGN, Money
from viralcore.withdrawals.domain import attempts as rules
from viralcore.withdrawals.domain.states import Attempt, Request
from viralcore.withdrawals.events import (
    PayoutSwitched,
    PayoutTrouble,
    TransferLookedFor,
    WithdrawalAttemptFailed,
    WithdrawalUnconfirmed,
)
from viralcore.withdrawals.ports import TransferRecord
from viralcore.withdrawals.repository import attempts, requests
from viralcore.withdrawals.service.dispatching import Dispatching
from viralcore.withdrawals.service.ending import Ending
from viralcore.withdrawals.service.house import House, account_of, locked

log = structlog.get_logger(__name__)
UNDER_WAY = ("sending", "accepted", "unknown")
LONGEST_WORDS = 200
CONFIG = "config: "
"""How the reason of a stop begins when the provider does not serve us; its own words follow."""


class Settling:
    def __init__(self, house: House, ending: Ending, dispatching: Dispatching) -> None:
        self._house = house
        self._ending = ending
        self._dispatching = dispatching

    async def heard(self, attempt_id: int, records: Sequence[TransferRecord]) -> bool:
        """The provider's records under an attempt's reference; False: none of them is ours. Of several, which should
        not be, a successful one counts before one under way, and that before a failed one."""
        order = {"successful": 0, "pending": 1, "new": 1, "failed": 2}
        ranked = sorted(records, key=lambda record: order[record.status])

        async def work(tx: Tx) -> bool:
            request, attempt = await self._both(tx, attempt_id)
            ours = [record for record in ranked if await self._is_ours(tx, request, attempt, record)]
            if not ours:
                await self._foreign(tx, request, attempt, records)
                return False
            await self._apply(tx, request, attempt, ours[0])
            return True

        return await self._house.db.run(work)

    async def accepted(self, tx: Tx, attempt_id: int, *, provider_id: str, fee: int | None) -> None:
        """The answer to sending: queued, which is not paid. Whoever settled it meanwhile was right."""
        request, attempt = await self._both(tx, attempt_id)
        await self._queued(tx, request, attempt, provider_id=provider_id, fee=fee)

    async def refused(self, tx: Tx, attempt_id: int, *, reason: str, words: str) -> None:
        """The provider said no and made no transfer, for a reason that stays."""
        request, attempt = await self._both(tx, attempt_id)
        if not attempt.open:
            return
        await self._close(tx, attempt, "failed", reason=reason, words=words[:LONGEST_WORDS])
        await self._ending.fail(tx, request, reason=reason, actor=0)
        await self._dispatching.fill(tx)

    async def silent(self, attempt_id: int, reason: str) -> None:
        """The answer was lost: from now on it is asked about by its reference."""

        async def work(tx: Tx) -> None:
            request, attempt = await self._both(tx, attempt_id)
            if not attempt.open or attempt.state == "accepted":
                return
            due = tx.now + timedelta(seconds=self._house.config.sending.first_ask_seconds)
            await attempts.change(
                tx.conn, attempt, ("sending", "unknown"), state="unknown", reason=reason[:60], ask_due=due
            )
            if request.state == "processing":
                await requests.move(tx.conn, request, "unconfirmed")
                tx.record(WithdrawalUnconfirmed(withdrawal_id=request.id, user_id=request.user_id))

        await self._house.db.run(work)

    async def exists(self, attempt_id: int) -> None:
        """Its reference was refused as used, and no record of ours is shown: there is one, whatever it says."""

        async def work(tx: Tx) -> None:
            request, attempt = await self._both(tx, attempt_id)
            if attempt.open and not attempt.seen:
                await self._note(tx, request, attempt, seen="exists", missing_since=None, missing_at=None)

        await self._house.db.run(work)

    async def missing(self, attempt_id: int) -> Attempt | None:
        """The provider does not know it: since when. None: it was settled meanwhile. What it had taken and does not
        know any more is unconfirmed, once two looks say so."""

        async def work(tx: Tx) -> Attempt | None:
            request, attempt = await self._both(tx, attempt_id)
            if not attempt.open:
                return None
            since = attempt.missing_since or tx.now
            await self._note(tx, request, attempt, missing_since=since, missing_at=max(since, tx.now))
            quiet = timedelta(seconds=self._house.config.sending.quiet_seconds)
            if attempt.state == "accepted" and tx.now - since >= quiet:
                await self._doubt(tx, request, attempt, "not_found")
            return await attempts.get(tx.conn, attempt_id)

        return await self._house.db.run(work)

    async def trouble(self, tx: Tx, request: Request, attempt: Attempt, what: str, detail: str) -> None:
        """Staff are told, once of each kind."""
        if await attempts.note_alarm(tx.conn, attempt, what):
            log.error("payout_trouble", reference=attempt.reference, what=what)
            tx.record(
                PayoutTrouble(
                    withdrawal_id=request.id, reference=attempt.reference, what=what, detail=detail[:LONGEST_WORDS]
                )
            )

    async def stop(self, tx: Tx, reason: str) -> bool:
        """Nothing more goes by itself until an owner lifts it. False: it was stopped."""
        switches = await attempts.lock_desk(tx.conn)
        if switches.stopped:
            return False
        await attempts.turn(tx.conn, stopped=True, stop_reason=reason)
        tx.record(PayoutSwitched(what="stopped", value="true", reason=reason, actor=0))
        return True

    async def stop_refused(self, tx: Tx, attempt: Attempt, words: str) -> None:
        """The provider does not serve us: every other transfer would fail in the same way. Staff are told once of each
        stop, also when it was stopped for another reason before."""
        switches = await attempts.lock_desk(tx.conn)
        if switches.stopped and switches.stop_reason.startswith(CONFIG):
            return
        reason = f"{CONFIG}{words}"[:LONGEST_WORDS]
        await attempts.turn(tx.conn, stopped=True, stop_reason=reason)
        tx.record(PayoutSwitched(what="stopped", value="true", reason=reason, actor=0))
        log.error("payouts_refused", reference=attempt.reference)
        tx.record(
            PayoutTrouble(
                withdrawal_id=attempt.withdrawal_id,
                reference=attempt.reference,
                what="config",
                detail=words[:LONGEST_WORDS],
            )
        )

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _both(self, tx: Tx, attempt_id: int) -> tuple[Request, Attempt]:
        """Request first, then its attempt: the order of all locks."""
        known = await attempts.get(tx.conn, attempt_id)
        if known is None:
            raise RuntimeError("an attempt vanished")
        request = await locked(tx.conn, known.withdrawal_id)
        attempt = await attempts.get(tx.conn, attempt_id, hold=True)
        if attempt is None:
            raise RuntimeError("an attempt vanished")
        return request, attempt

    async def _is_ours(self, tx: Tx, request: Request, attempt: Attempt, record: TransferRecord) -> bool:
        """Reference, account and amount, or it is nobody's to adopt."""
        account = await account_of(tx.conn, request)
        amount = Money(request.terms.net, NGN)
        number = self._house.sealing.open(account)
        if record.reference == attempt.reference and record.is_for(
            account_number=number, bank_code=account.bank_code, amount=amount
        ):
            return True
        await self.trouble(tx, request, attempt, "mismatch", f"{record.id} {record.amount.decimal}")
        return False

    async def _foreign(self, tx: Tx, request: Request, attempt: Attempt, records: Sequence[TransferRecord]) -> None:
        """None of them is ours to adopt. While one under our reference is anything but FAILED it may be what pays, so
        the money stays held, and what was looked for in vain before does not count."""
        carried = [record.status for record in records if record.reference == attempt.reference]
        if not carried or not attempt.open:
            return
        values = {"seen": rules.seen_in(carried), "missing_since": None, "missing_at": None, "asked_at": tx.now}
        await self._note(tx, request, attempt, **values)
        if attempt.state == "accepted":
            await self._doubt(tx, request, attempt, "mismatch")

    async def _doubt(self, tx: Tx, request: Request, attempt: Attempt, reason: str) -> None:
        """It was accepted, and what the provider shows now does not agree: nobody knows whether it was paid."""
        due = tx.now + timedelta(seconds=self._house.config.sending.first_ask_seconds)
        await attempts.change(tx.conn, attempt, ("accepted",), state="unknown", reason=reason, ask_due=due)
        if request.state == "processing":
            await requests.move(tx.conn, request, "unconfirmed")
            tx.record(WithdrawalUnconfirmed(withdrawal_id=request.id, user_id=request.user_id))

    async def _note(self, tx: Tx, request: Request, attempt: Attempt, **values: Any) -> None:
        """What a look found. The card is drawn again when giving back becomes possible, or impossible."""
        await attempts.change(tx.conn, attempt, UNDER_WAY, **values)
        sending = self._house.config.sending
        if rules.dead(attempt, rules=sending) != rules.dead(replace(attempt, **values), rules=sending):
            tx.record(TransferLookedFor(withdrawal_id=request.id, user_id=request.user_id))

    async def _other(self, tx: Tx, request: Request, attempt: Attempt) -> Attempt | None:
        """Another attempt of it that may still be paid, locked."""
        for one in await attempts.of(tx.conn, request.id):
            if one.id != attempt.id and one.open:
                return await attempts.get(tx.conn, one.id, hold=True)
        return None

    async def _apply(self, tx: Tx, request: Request, attempt: Attempt, record: TransferRecord) -> None:
        again = record.status == "successful" and attempt.state == "failed"
        other = await self._other(tx, request, attempt) if again else None
        retries = self._house.config.withdrawal_retry_count
        verdict = rules.read(request, attempt, record.status, record.why, retries=retries, other=other)
        fee = None if record.fee is None else record.fee.minor
        facts = {"provider_id": record.id, "words": record.complete_message[:LONGEST_WORDS]}
        if verdict == "queued":
            await self._queued(tx, request, attempt, provider_id=record.id, fee=fee, waits=record.waits_for_approval)
            await self._alarm(tx, request, attempt, record)
        elif verdict in ("paid", "instead"):
            if other is not None and verdict == "instead":  # first: only one may be anything but failed
                await self._close(tx, other, "failed", reason="paid_before")
            await self._close(tx, attempt, "succeeded", fee=fee, **facts)
            if request.state == "approved":  # finance was to pay it by hand
                await requests.move(tx.conn, request, "processing")
                request = await locked(tx.conn, request.id)
            await self._ending.complete(tx, request, reference=attempt.reference, fee=fee, actor=0)
            await self._dispatching.fill(tx)
        elif verdict == "again":
            await self._again(tx, request, attempt, record, facts)
        elif verdict == "fail":
            reason = rules.reason_of(record.why)
            await self._close(tx, attempt, "failed", reason=reason, **facts)
            await self._ending.fail(tx, request, reason=reason, actor=0)
            await self._dispatching.fill(tx)
        elif verdict in ("late_success", "twice", "late_failure"):
            await self.trouble(tx, request, attempt, verdict, record.complete_message)
        if verdict in ("late_success", "twice", "late_failure", "nothing"):
            await attempts.change(tx.conn, attempt, (attempt.state,), asked_at=tx.now, ask_due=None)

    async def _alarm(self, tx: Tx, request: Request, attempt: Attempt, record: TransferRecord) -> None:
        """Somebody has to approve it there, or it has been under way for long."""
        if record.waits_for_approval:
            await self.trouble(tx, request, attempt, "approval", "")
        elif tx.now - attempt.created_at >= timedelta(hours=self._house.config.sending.alarm_hours):
            await self.trouble(tx, request, attempt, "slow", record.complete_message)

    async def _again(
        self, tx: Tx, request: Request, attempt: Attempt, record: TransferRecord, facts: dict[str, Any]
    ) -> None:
        """Read as FAILED for a passing reason: the next number, after a while."""
        reason = "bank" if record.why == "passing" else "config"
        await self._close(tx, attempt, "failed", reason=reason, **facts)
        due = tx.now + timedelta(seconds=self._house.config.withdrawal_retry_backoff_sec)
        if request.state == "unconfirmed":
            await requests.move(tx.conn, request, "processing", next_attempt_at=due)
        else:
            await requests.set_values(tx.conn, request, next_attempt_at=due)
        tx.record(
            WithdrawalAttemptFailed(withdrawal_id=request.id, user_id=request.user_id, n=attempt.n, reason=reason)
        )
        if record.why == "config":
            await self.stop_refused(tx, attempt, record.complete_message)
        else:
            await self._dispatching.fill(tx)

    async def _queued(
        self, tx: Tx, request: Request, attempt: Attempt, *, provider_id: str, fee: int | None, waits: bool = False
    ) -> None:
        """Under way there; asked about seldom and seldomer."""
        first = attempt.state != "accepted"
        asks = 0 if first else attempt.asks + 1
        moved = await attempts.change(
            tx.conn,
            attempt,
            UNDER_WAY,
            state="accepted",
            provider_id=provider_id,
            fee=attempt.fee if fee is None else fee,
            asks=asks,
            asked_at=tx.now,
            ask_due=tx.now + rules.ask_delay(asks, self._house.config.sending),
            missing_since=None,
            missing_at=None,
            seen="approval" if waits else "",
        )
        if moved and request.state == "unconfirmed":
            await requests.move(tx.conn, request, "processing")

    async def _close(self, tx: Tx, attempt: Attempt, state: str, **values: Any) -> None:
        """Must hit: request and attempt are locked."""
        values = {name: value for name, value in values.items() if not (name == "fee" and value is None)}
        ended = {"ended_at": tx.now, "asked_at": tx.now, "ask_due": None}
        if not await attempts.change(tx.conn, attempt, (attempt.state,), state=state, **ended, **values):
            raise RuntimeError(f"attempt {attempt.id} was not {attempt.state}")

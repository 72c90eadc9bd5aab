"""The one transaction in which every way to learn an outcome ends: webhook, poll and look-up by reference."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog

from viralcore.core.db import Tx
from viralcore.core.money import NGN, Money
from viralcore.withdrawals.domain import attempts as rules
from viralcore.withdrawals.domain.states import Attempt, Request
from viralcore.withdrawals.events import PayoutSwitched, PayoutTrouble, WithdrawalAttemptFailed, WithdrawalUnconfirmed
from viralcore.withdrawals.ports import TransferRecord
from viralcore.withdrawals.repository import attempts, requests
from viralcore.withdrawals.service.dispatching import Dispatching
from viralcore.withdrawals.service.ending import Ending
from viralcore.withdrawals.service.house import House, account_of, locked

log = structlog.get_logger(__name__)
UNDER_WAY = ("sending", "accepted", "unknown")
LONGEST_WORDS = 200


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

    async def _apply(self, tx: Tx, request: Request, attempt: Attempt, record: TransferRecord) -> None:
        verdict = rules.read(
            request, attempt, record.status, record.why, retries=self._house.config.withdrawal_retry_count
        )
        fee = None if record.fee is None else record.fee.minor
        facts = {"provider_id": record.id, "words": record.complete_message[:LONGEST_WORDS]}
        if verdict == "queued":
            await self._queued(tx, request, attempt, provider_id=record.id, fee=fee)
        elif verdict == "paid":
            await self._close(tx, attempt, "succeeded", fee=fee, **facts)
            await self._ending.complete(tx, request, reference=attempt.reference, fee=fee, actor=0)
            await self._dispatching.fill(tx)
        elif verdict == "again":
            await self._again(tx, request, attempt, record, facts)
        elif verdict == "fail":
            reason = rules.reason_of(record.why)
            await self._close(tx, attempt, "failed", reason=reason, **facts)
            await self._ending.fail(tx, request, reason=reason, actor=0)
            await self._dispatching.fill(tx)
        elif verdict in ("late_success", "late_failure"):
            await self.trouble(tx, request, attempt, verdict, record.complete_message)
        if verdict in ("late_success", "late_failure", "nothing"):
            await attempts.change(tx.conn, attempt, (attempt.state,), asked_at=tx.now, ask_due=None)

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
            await self.stop(tx, f"config: {record.complete_message}"[:LONGEST_WORDS])
        else:
            await self._dispatching.fill(tx)

    async def _queued(self, tx: Tx, request: Request, attempt: Attempt, *, provider_id: str, fee: int | None) -> None:
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
        )
        if moved and request.state == "unconfirmed":
            await requests.move(tx.conn, request, "processing")

    async def _close(self, tx: Tx, attempt: Attempt, state: str, **values: Any) -> None:
        """Must hit: request and attempt are locked."""
        values = {name: value for name, value in values.items() if not (name == "fee" and value is None)}
        ended = {"ended_at": tx.now, "asked_at": tx.now, "ask_due": None}
        if not await attempts.change(tx.conn, attempt, (attempt.state,), state=state, **ended, **values):
            raise RuntimeError(f"attempt {attempt.id} was not {attempt.state}")

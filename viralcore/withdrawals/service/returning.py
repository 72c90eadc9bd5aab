"""Takes a request back from the sender while it is proven that nothing of it ever left.

The row of the request is locked, then that of its open attempt, if there is one; the attempt ends as failed in the same
transaction. The sender notes under the same locks that it is about to send, and on disk, before it calls: whoever comes
second finds the other's word. A crash before the commit leaves everything as it was, one after it finds it done.
"""

from __future__ import annotations

from typing import Any

from viralcore.core.db import Tx
from viralcore.withdrawals.api import AlreadySent, State
from viralcore.withdrawals.domain.attempts import never_sent
from viralcore.withdrawals.domain.states import Request
from viralcore.withdrawals.events import WithdrawalApprovalVoid, WithdrawalTakenOver
from viralcore.withdrawals.repository import attempts, requests
from viralcore.withdrawals.service.house import House, locked
from viralcore.withdrawals.service.judging import Judging


class Returning:
    def __init__(self, house: House, judging: Judging) -> None:
        self._house = house
        self._judging = judging

    async def by_hand(self, tx: Tx, request: Request, *, actor: int) -> None:
        """An automatic one is paid by hand from now on. Raises AlreadySent."""
        await self._end_unsent(tx, request, "by_hand")
        values = {"mode": "manual", "next_attempt_at": None, "decided_by": actor}
        if request.state == "approved":
            await requests.set_values(tx.conn, request, **values)
        else:
            await self._back(tx, request, "approved", **values)
        tx.record(WithdrawalTakenOver(withdrawal_id=request.id, user_id=request.user_id, actor=actor))

    async def if_outdated(self, tx: Tx, request: Request) -> bool:
        """Before anything of it is sent for the first time: back to its owner, if its terms no longer hold."""
        if any(one.sends for one in await attempts.of(tx.conn, request.id)):
            return False
        why = await self._judging.outdated(tx, request)
        if not why:
            return False
        await self.to_owner(tx, request, why)
        return True

    async def to_owner(self, tx: Tx, request: Request, why: str) -> None:
        """Its approvals are void, and its owner is asked to confirm new terms. Raises AlreadySent."""
        await self._end_unsent(tx, request, "terms")
        void = {"mode": None, "approved_at": None, "decided_by": None, "next_attempt_at": None}
        await self._back(tx, request, "pending", round=request.round + 1, **void)
        tx.record(WithdrawalApprovalVoid(withdrawal_id=request.id, user_id=request.user_id, why=why))
        await self._judging.judge(tx, await locked(tx.conn, request.id))

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _end_unsent(self, tx: Tx, request: Request, reason: str) -> None:
        """What was read as FAILED before paid nothing; whatever else there is must never have left."""
        for one in await attempts.of(tx.conn, request.id):
            attempt = one if one.state == "failed" else await attempts.get(tx.conn, one.id, hold=True)
            if attempt is None or (attempt.state != "failed" and not never_sent(attempt)):
                raise AlreadySent(withdrawal_id=request.id)
            if attempt.open:
                ended = {"state": "failed", "reason": reason, "ended_at": tx.now, "ask_due": None}
                if not await attempts.change(tx.conn, attempt, (attempt.state,), **ended):
                    raise RuntimeError(f"attempt {attempt.id} was not {attempt.state}")

    @staticmethod
    async def _back(tx: Tx, request: Request, state: State, **values: Any) -> None:
        if request.state == "unconfirmed":
            await requests.move(tx.conn, request, "processing")
            request = await locked(tx.conn, request.id)
        await requests.move(tx.conn, request, state, **values)

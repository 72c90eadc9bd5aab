"""Lets approved transfers go, a bounded number at once. The attempt and its effect are stored in one transaction; the
call comes later, from what is stored."""

from __future__ import annotations

from datetime import datetime, timedelta

from viralcore.core.db import Tx
from viralcore.withdrawals.events import WithdrawalSent
from viralcore.withdrawals.repository import attempts, requests
from viralcore.withdrawals.service.house import House
from viralcore.withdrawals.service.returning import Returning

KIND = "withdrawals.transfer"


class Dispatching:
    def __init__(self, house: House, returning: Returning) -> None:
        self._house = house
        self._returning = returning

    async def run(self) -> None:
        """The job: what waited for a place, for its time, or for a switch."""
        await self._house.db.run(self.fill)

    async def next_due(self) -> datetime | None:
        async with self._house.db.read() as conn:
            return await attempts.next_again(conn)

    async def fill(self, tx: Tx) -> int:
        """Give free places to those that wait longest; how many. One whose terms are out of date takes none: it goes
        back to its owner. The last thing a transaction does: the desk's lock is everybody's."""
        if self._house.payouts is None:
            return 0
        rules = self._house.config.sending
        switches = await attempts.lock_desk(tx.conn)
        if switches.paused or switches.stopped:
            return 0
        since = tx.now - timedelta(minutes=rules.slow_minutes)
        free = rules.at_once - await attempts.in_flight(tx.conn, since=since)
        started = 0
        while started < free:
            found = await attempts.to_send(tx.conn, tx.now, free - started)
            if not found:
                break
            for request_id in found:
                started += await self._start(tx, request_id)
        return started

    async def _start(self, tx: Tx, request_id: int) -> bool:
        request = await requests.get(tx.conn, request_id)
        if request is None:
            raise RuntimeError("a withdrawal vanished")
        if request.state == "approved" and await self._returning.if_outdated(tx, request):
            return False
        if request.state == "approved":
            await requests.move(tx.conn, request, "processing")
        else:
            await requests.set_values(tx.conn, request, next_attempt_at=None)
        attempt = await attempts.add(tx.conn, request.id, now=tx.now)
        tx.effect(kind=KIND, key=attempt.reference, payload={"attempt_id": attempt.id}, ref=f"withdrawal:{request.id}")
        tx.record(WithdrawalSent(withdrawal_id=request.id, user_id=request.user_id, n=attempt.n))
        return True

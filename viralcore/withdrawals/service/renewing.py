"""Terms that are too old, or whose rate moved too far: their owner confirms new ones, or the request ends."""

from __future__ import annotations

import structlog

from viralcore.core.db import Tx
from viralcore.withdrawals.domain import terms
from viralcore.withdrawals.domain.states import Request
from viralcore.withdrawals.events import WithdrawalTermsOutdated
from viralcore.withdrawals.repository import requests
from viralcore.withdrawals.service.house import House, locked
from viralcore.withdrawals.service.requesting import Requesting

log = structlog.get_logger(__name__)
BATCH = 100


class Renewing:
    def __init__(self, house: House, requesting: Requesting) -> None:
        self._house = house
        self._requesting = requesting
        self._rules = house.config.terms

    async def run(self) -> None:
        """The job: look at everything pending. One that breaks stops none of the others."""
        after = 0
        while True:
            async with self._house.db.read() as conn:
                found = await requests.pending(conn, after_id=after, limit=BATCH)
            for request in found:
                await self._one(request.id)
            if len(found) < BATCH:
                return
            after = found[-1].id

    async def judge(self, tx: Tx, request: Request) -> str:
        """Whether the terms of a pending one, whose row is locked, still hold (``""``); if not, new ones are offered.
        While there is no rate nothing can be offered, and what is old stays outdated."""
        live = await self._house.rate()
        since = request.terms_at if request.offered_at is None else request.offered_at
        current = request.offered or request.terms
        why = terms.outdated(request.source, current, since=since, now=tx.now, live=live, rules=self._rules)
        if not why:
            return "" if request.offered is None else "offered"
        if live is None:
            return why
        offer = terms.fresh(request.source, request.amount, request.terms.fee, live)
        if offer is None:
            return why
        await requests.set_values(
            tx.conn,
            request,
            offered_rate=offer.rate,
            offered_gross=offer.gross,
            offered_fee=offer.fee,
            offered_at=tx.now,
            asked_at=request.asked_at or tx.now,
        )
        if request.asked_at is None:  # told once; a screen that is open later shows the newest terms
            tx.record(WithdrawalTermsOutdated(withdrawal_id=request.id, user_id=request.user_id, why=why))
        return why

    async def _one(self, request_id: int) -> None:
        async def work(tx: Tx) -> None:
            request = await locked(tx.conn, request_id)
            if request.state != "pending":
                return
            if terms.abandoned(request.asked_at, tx.now, self._rules):
                await self._requesting.end(tx, request, expired=True)
                return
            await self.judge(tx, request)

        try:
            await self._house.db.run(work)
        except Exception:
            log.exception("terms_not_judged", withdrawal_id=request_id)

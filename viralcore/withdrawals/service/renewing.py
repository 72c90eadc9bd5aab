"""Terms that are too old, or whose rate moved too far: their owner confirms new ones, or the request ends."""

from __future__ import annotations

import structlog

from viralcore.core.db import Tx
from viralcore.withdrawals.domain import terms
from viralcore.withdrawals.repository import requests
from viralcore.withdrawals.service.house import House, locked
from viralcore.withdrawals.service.judging import Judging
from viralcore.withdrawals.service.requesting import Requesting

log = structlog.get_logger(__name__)
BATCH = 100


class Renewing:
    def __init__(self, house: House, requesting: Requesting, judging: Judging) -> None:
        self._house = house
        self._requesting = requesting
        self._judging = judging
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

    async def _one(self, request_id: int) -> None:
        async def work(tx: Tx) -> None:
            request = await locked(tx.conn, request_id)
            if request.state != "pending":
                return
            if terms.abandoned(request.asked_at, tx.now, self._rules):
                await self._requesting.end(tx, request, expired=True)
                return
            await self._judging.judge(tx, request)

        try:
            await self._house.db.run(work)
        except Exception:
            log.exception("terms_not_judged", withdrawal_id=request_id)

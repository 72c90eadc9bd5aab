"""For whoever compares what we sent and owe. Implements `withdrawals.api.Books`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from viralcore.core.db import Tx
from viralcore.core.money import Money
from viralcore.core.one_line import one_line
from viralcore.withdrawals.api import OPEN, TransferView
from viralcore.withdrawals.repository import attempts, requests
from viralcore.withdrawals.service.house import LONGEST_REASON, SCOPE, House, page_size
from viralcore.withdrawals.service.settling import Settling
from viralcore.withdrawals.service.views import naira, transfer_view

MOST = 1000


class BooksService:
    def __init__(self, house: House, settling: Settling) -> None:
        self._house = house
        self._settling = settling

    async def pause_automatic(self, tx: Tx, *, key: str, reason: str) -> bool:
        words = one_line(reason, LONGEST_REASON)

        async def run() -> Mapping[str, Any]:
            return {"stopped": await self._settling.stop(tx, words)}

        done = await tx.once(scope=f"{SCOPE}.stop", key=key, inputs={"reason": words}, run=run)
        return bool(done["stopped"])

    async def transfers(
        self, *, after_id: int = 0, since: datetime | None = None, limit: int = 500
    ) -> tuple[TransferView, ...]:
        async with self._house.db.read() as conn:
            rows = await attempts.page(conn, after_id=after_id, since=since, limit=page_size(limit, MOST))
        return tuple(transfer_view(row) for row in rows)

    async def transfer(self, *, reference: str) -> TransferView | None:
        async with self._house.db.read() as conn:
            row = await attempts.one_with_net(conn, reference)
        return None if row is None else transfer_view(row)

    async def owed(self) -> Mapping[str, Money]:
        async with self._house.db.read() as conn:
            rows = await requests.by_state(conn, None, None)
        sums = dict.fromkeys(OPEN, 0)
        for row in rows:
            if row.state in sums:
                sums[row.state] += int(row.net) + int(row.fee)
        return {state: naira(kobo) for state, kobo in sums.items()}

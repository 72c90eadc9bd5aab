"""Held work for owners: look, let go on, and write down who did."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from viralcore.admin.api import PAGE, HeldView
from viralcore.core.db import Database, Tx
from viralcore.core.held import HeldQueues, HeldRow
from viralcore.core.log import Redactor
from viralcore.users.api import Users

RIGHT = "switches"


class HeldService:
    """Implements `admin.api.HeldWork`."""

    def __init__(self, db: Database, queues: HeldQueues, users: Users) -> None:
        self._db = db
        self._queues = queues
        self._users = users
        self._redactor = Redactor()

    async def count(self) -> int:
        return await self._queues.count()

    async def page(self, *, limit: int = PAGE, offset: int = 0) -> tuple[HeldView, ...]:
        found = await self._queues.page(limit=max(1, min(limit, PAGE)), offset=max(0, offset))
        return tuple(self._view(row) for row in found)

    async def get(self, *, token: str) -> HeldView:
        return self._view(await self._queues.get(token))

    async def retry(self, *, key: str, actor: int, token: str) -> None:
        await self._db.run(partial(self._retry, key, actor, token))

    async def _retry(self, key: str, actor: int, token: str, tx: Tx) -> None:
        await self._users.authorize(tx, actor=actor, right=RIGHT)

        async def run() -> Mapping[str, Any]:
            one = await self._queues.get(token)
            await self._queues.retry(tx, one)
            await self._users.audit(
                tx,
                actor=actor,
                action="held.retried",
                subject=f"{one.queue}:{one.ref}",
                before={"state": "held", "what": one.what, "attempts": one.attempts},
                after={"state": "pending"},
            )
            return {"token": token}

        await tx.once(scope="admin.retry_held", key=key, inputs={"actor": actor, "token": token}, run=run)

    def _view(self, row: HeldRow) -> HeldView:
        return HeldView(
            token=row.token,
            queue=row.queue,
            what=row.what,
            about=row.about,
            attempts=row.attempts,
            error=self._redactor.text(row.error),
            since=row.since,
            answered=row.answered,
            reference=row.correlation_id,
        )

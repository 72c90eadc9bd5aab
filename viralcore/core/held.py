"""Held work: what was given up after its attempts, and waits for somebody to mend the cause. Three queues, one list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import text

from viralcore.core import deliveries, effect_store, inbox_store
from viralcore.core.db import Database, Tx
from viralcore.core.errors import NotFound

Queue = Literal["inbox", "delivery", "effect"]

# A delivery's name is far longer than a button may carry, so each has a short one, made of what it is.
_ALL = """
SELECT left(md5(queue || ':' || ref), 16) AS token, h.* FROM (
    SELECT 'inbox' AS queue, id::text AS ref, source AS what, external_id AS about, attempts, error,
        received_at AS since, false AS answered, '' AS correlation_id
    FROM core.inbox WHERE state = 'held'
    UNION ALL
    SELECT 'delivery', d.event_id || ':' || d.subscriber, d.subscriber, e.name, d.attempts, d.error,
        e.recorded_at, false, e.correlation_id
    FROM core.deliveries d JOIN core.events e ON e.id = d.event_id WHERE d.state = 'held'
    UNION ALL
    SELECT 'effect', id::text, kind, coalesce(nullif(ref, ''), key), attempts, error,
        created_at, answer IS NOT NULL, correlation_id
    FROM core.effects WHERE state = 'held'
) h
"""
_PAGE = text(_ALL + "ORDER BY since, queue, ref LIMIT :limit OFFSET :offset")
_ONE = text(f"SELECT * FROM ({_ALL}) a WHERE token = :token")  # noqa: S608  # nosec B608 # a constant
_COUNT = text("""
SELECT (SELECT count(*) FROM core.inbox WHERE state = 'held')
    + (SELECT count(*) FROM core.deliveries WHERE state = 'held')
    + (SELECT count(*) FROM core.effects WHERE state = 'held')
""")


@dataclass(frozen=True, slots=True)
class HeldRow:
    """`token`: its short name. `what`: the source, the subscriber, or the kind of effect; `about`: the update, the
    event, or what the effect is for. `answered`: the outside has answered, only the recording failed."""

    token: str
    queue: Queue
    ref: str
    what: str
    about: str
    attempts: int
    error: str
    since: datetime
    answered: bool
    correlation_id: str


class HeldQueues:
    """Looks at all three queues; lets one thing go on."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def count(self) -> int:
        async with self._db.read() as conn:
            return int((await conn.execute(_COUNT)).scalar_one())

    async def page(self, *, limit: int, offset: int) -> tuple[HeldRow, ...]:
        """Oldest first."""
        async with self._db.read() as conn:
            return tuple(HeldRow(*row) for row in await conn.execute(_PAGE, {"limit": limit, "offset": offset}))

    async def get(self, token: str) -> HeldRow:
        """Raises NotFound when it is not held (any more)."""
        async with self._db.read() as conn:
            row = (await conn.execute(_ONE, {"token": token})).one_or_none()
        if row is None:
            raise NotFound(what="held work")
        return HeldRow(*row)

    async def retry(self, tx: Tx, one: HeldRow) -> None:
        """Let it go on. What it did stays done under its own keys, and a call outside whose outcome is not known is
        never repeated (`effect_store.retry`). Raises NotFound when somebody else was faster."""
        if one.queue == "effect":
            await effect_store.retry(tx, int(one.ref))
        elif one.queue == "delivery":
            event_id, _, subscriber = one.ref.partition(":")
            await deliveries.retry(tx, event_id, subscriber)
        elif not await inbox_store.release_held(tx.conn, [int(one.ref)]):
            raise NotFound(what="inbox item")

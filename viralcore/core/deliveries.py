"""Deliveries: an event reaches each subscriber once, in one transaction with what the subscriber does about it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import text

from viralcore.core import outbox
from viralcore.core.db import Database, Tx, connection_lost, raw_connection
from viralcore.core.errors import NotFound
from viralcore.core.events import Event, Subscription
from viralcore.core.log import correlated
from viralcore.core.registry import Unreadable

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 5
DELAYS = (2, 15, 60, 300)
"""Business seconds before attempts 2, 3, 4 and 5."""
BATCH = 200

# The count survives a kill of this process without waiting for the disk; that is all it is for.
_COUNT = text("""
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
UPDATE core.deliveries d SET attempts = attempts + 1
FROM core.events e, quick
WHERE e.id = d.event_id AND d.event_id = :event_id AND d.subscriber = :subscriber
    AND d.state = 'pending' AND d.gen = :gen
RETURNING d.attempts, e.name, e.payload, e.correlation_id
""")
_DONE = text("""
UPDATE core.deliveries SET state = 'done', done_at = :now, error = ''
WHERE event_id = :event_id AND subscriber = :subscriber AND state = 'pending' AND gen = :gen
""")
_FAILED = text("""
UPDATE core.deliveries SET state = :state, retry_at = :retry_at, error = :error
WHERE event_id = :event_id AND subscriber = :subscriber AND state = 'pending' AND gen = :gen
""")
_RELEASE = text(f"""
WITH ready AS (
    SELECT event_id, subscriber FROM core.deliveries
    WHERE state = 'pending' AND retry_at <= :now ORDER BY retry_at LIMIT {BATCH} FOR UPDATE SKIP LOCKED
)
UPDATE core.deliveries d SET retry_at = NULL, gen = gen + 1 FROM ready
WHERE d.event_id = ready.event_id AND d.subscriber = ready.subscriber
RETURNING d.event_id::text, d.subscriber, d.gen
""")  # noqa: S608  # nosec B608 # a constant
_STRANDED = text(f"""
WITH lost AS (
    SELECT event_id, subscriber FROM core.deliveries d
    WHERE state = 'pending' AND retry_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM queue.pgqueuer q
        WHERE q.dedupe_key = 'd:' || d.event_id || ':' || d.subscriber || ':' || d.gen
            AND q.status IN ('queued', 'picked')
    )
    LIMIT {BATCH} FOR UPDATE SKIP LOCKED
)
UPDATE core.deliveries d SET gen = gen + 1 FROM lost
WHERE d.event_id = lost.event_id AND d.subscriber = lost.subscriber
RETURNING d.event_id::text, d.subscriber, d.gen
""")  # noqa: S608  # nosec B608 # a constant
_RETRY = text("""
UPDATE core.deliveries SET state = 'pending', attempts = 0, retry_at = NULL, gen = gen + 1
WHERE event_id = :event_id AND subscriber = :subscriber AND state = 'held' RETURNING gen
""")
_HELD = text("""
SELECT d.event_id::text, d.subscriber, e.name, d.attempts, d.error, e.recorded_at, e.correlation_id
FROM core.deliveries d JOIN core.events e ON e.id = d.event_id
WHERE d.state = 'held' ORDER BY e.recorded_at, d.subscriber LIMIT :limit OFFSET :offset
""")
_BACKLOG = text("""
SELECT count(*) FROM core.deliveries WHERE state = 'pending' AND (retry_at IS NULL OR retry_at <= :now)
""")
_NEXT = text("SELECT min(retry_at) FROM core.deliveries WHERE state = 'pending'")


@dataclass(frozen=True, slots=True)
class HeldDelivery:
    """A delivery that failed too often and waits for staff. `error` is for staff, never for users."""

    event_id: str
    subscriber: str
    event_name: str
    attempts: int
    error: str
    recorded_at: datetime
    correlation_id: str


class Deliveries:
    """Delivers, counts, retries with growing delay, and holds what keeps failing."""

    def __init__(self, db: Database, *, parallelism: int = 8) -> None:
        self._db = db
        # Each delivery holds a database connection; the rest of the process needs some too.
        self._room = asyncio.Semaphore(parallelism)

    async def deliver(self, event_id: str, subscriber: str, gen: int) -> None:
        """One attempt. Raises only when the database cannot be reached; the caller then tries again."""
        which = {"event_id": event_id, "subscriber": subscriber, "gen": gen}
        async with self._room:
            counted = await self._db.single(_COUNT, which)
            if not counted:
                return  # delivered, held, or the job of an earlier round
            row = counted[0]
            with correlated(row.correlation_id, event_name=row.name, subscriber=subscriber):
                await self._attempt(which, row)

    async def _attempt(self, which: dict[str, Any], row: Any) -> None:
        if row.attempts > MAX_ATTEMPTS:
            # Every attempt was counted and none came back to say how it ended.
            await self._fail(which, row.attempts, "the process died in every attempt")
            return
        subscription = self._db.registry.subscriptions.get(which["subscriber"])
        if subscription is None:
            await self._fail(which, MAX_ATTEMPTS, "this build has no such subscriber")
            return
        try:
            event = self._db.registry.decode(row.name, row.payload)
        except Unreadable as error:
            await self._fail(which, MAX_ATTEMPTS, str(error))
            return
        try:
            await self._db.run(lambda tx: self._hand_over(tx, which, subscription, event))
        except Exception as error:
            if connection_lost(error):
                raise
            log.exception("delivery_failed", event_id=which["event_id"], attempt=row.attempts)
            await self._fail(which, row.attempts, f"{type(error).__name__}: {error}")

    @staticmethod
    async def _hand_over(tx: Tx, which: dict[str, Any], subscription: Subscription, event: Event) -> None:
        # First of all: whoever delivers the same at the same time waits here, finds it done and leaves.
        done = await tx.conn.execute(_DONE, {**which, "now": tx.now})
        if done.rowcount == 1:
            await subscription.handler(tx, which["event_id"], event)

    async def _fail(self, which: dict[str, Any], attempts: int, error: str) -> None:
        held = attempts >= MAX_ATTEMPTS
        async with self._db.transaction() as tx:
            retry_at = None if held else tx.now + timedelta(seconds=DELAYS[attempts - 1])
            state = "held" if held else "pending"
            await tx.conn.execute(_FAILED, {**which, "state": state, "retry_at": retry_at, "error": error[:2000]})
        if held:
            log.error("delivery_held", event_id=which["event_id"], reason=error)
        elif self._db.on_due is not None:
            self._db.on_due()

    async def release_due(self) -> int:
        """Queue what is due for another attempt; returns how many."""
        return await self._queue_up(_RELEASE, {"now": self._db.clock.now()})

    async def requeue_stranded(self) -> int:
        """Queue what should run but has no job, e.g. because the job was dropped while the database was away."""
        return await self._queue_up(_STRANDED, {})

    async def _queue_up(self, statement: Any, values: dict[str, Any]) -> int:
        total = 0
        while True:
            async with self._db.transaction() as tx:
                rows = (await tx.conn.execute(statement, values)).all()
                jobs = [outbox.delivery_job(*row) for row in rows]
                await outbox.enqueue(await raw_connection(tx.conn), jobs)
            total += len(rows)
            if len(rows) < BATCH:
                return total

    async def held(self, *, limit: int = 20, offset: int = 0) -> tuple[HeldDelivery, ...]:
        """What staff should look at, oldest first."""
        async with self._db.read() as conn:
            return tuple(HeldDelivery(*row) for row in await conn.execute(_HELD, {"limit": limit, "offset": offset}))

    async def retry(self, event_id: str, subscriber: str) -> None:
        """Staff pressed retry: a fresh set of attempts. Raises NotFound when it is not held (any more)."""
        async with self._db.transaction() as tx:
            which = {"event_id": event_id, "subscriber": subscriber}
            gen = (await tx.conn.execute(_RETRY, which)).scalar_one_or_none()
            if gen is None:
                raise NotFound(what="delivery")
            jobs = [outbox.delivery_job(event_id, subscriber, gen)]
            await outbox.enqueue(await raw_connection(tx.conn), jobs)

    async def backlog(self) -> int:
        """Deliveries that run now or could."""
        async with self._db.read() as conn:
            return int((await conn.execute(_BACKLOG, {"now": self._db.clock.now()})).scalar_one())

    async def next_due(self) -> datetime | None:
        """Business time of the earliest retry."""
        async with self._db.read() as conn:
            moment: datetime | None = (await conn.execute(_NEXT)).scalar_one()
            return moment

"""Deliveries: an event reaches each subscriber once, in one transaction with what the subscriber does about it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import text

from viralcore.core import outbox
from viralcore.core.db import Database, Tx, connection_lost, raw_connection, tried
from viralcore.core.errors import NotFound
from viralcore.core.events import Event, Handler
from viralcore.core.lines import Late, Lines, Rows
from viralcore.core.log import correlated
from viralcore.core.registry import Unreadable
from viralcore.core.wires import Outcome

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 5
TRIES = 3
"""Within one attempt, while Postgres breaks deadlocks."""
DELAYS = (2, 15, 60, 300)
"""Business seconds before attempts 2, 3, 4 and 5."""
BATCH = 200

# The count survives a kill of this process without waiting for the disk; that is all it is for. What was counted and
# neither ended nor failed since (error = '') has seen a process die: it is left out, and run alone.
_COUNT = """
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
UPDATE core.deliveries d SET attempts = attempts + 1, error = ''
FROM unnest($1::uuid[], $2::text[], $3::integer[]) AS asked (event_id, subscriber, gen)
    JOIN core.events e ON e.id = asked.event_id, quick
WHERE d.event_id = asked.event_id AND d.subscriber = asked.subscriber AND d.state = 'pending' AND d.gen = asked.gen
    AND (d.attempts = 0 OR d.error <> '' OR $4)
RETURNING d.event_id::text, d.subscriber, d.attempts, e.name, e.payload, e.correlation_id
"""
# Marks it done and says whether it was still to be done: whoever delivers the same at the same time waits here.
_TAKE = "SELECT core.take_delivery(%s, %s, %s, %s)"
# The same, where nothing else is to be done in the transaction.
_DONE = b"""
UPDATE core.deliveries SET state = 'done', done_at = $4, error = ''
WHERE event_id = $1 AND subscriber = $2 AND state = 'pending' AND gen = $3
"""
_FAILED = b"""
UPDATE core.deliveries SET state = $1, retry_at = $2, error = $3
WHERE event_id = $4::uuid AND subscriber = $5 AND state = 'pending' AND gen = $6
"""
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
_BACKLOG = text("""
SELECT count(*) FROM core.deliveries WHERE state = 'pending' AND (retry_at IS NULL OR retry_at <= :now)
""")
_NEXT = text("SELECT min(retry_at) FROM core.deliveries WHERE state = 'pending'")


@dataclass(frozen=True, slots=True)
class _Which:
    """A delivery in one round."""

    event_id: str
    subscriber: str
    gen: int


@dataclass(frozen=True, slots=True)
class _Counted:
    """A delivery whose attempt is counted: it may run."""

    attempts: int
    name: str
    payload: dict[str, Any]
    correlation_id: str


class _TakenAlready(Exception):
    """Somebody else has delivered it."""


def _still_to_do(taken: Rows) -> None:
    if not taken[0][0]:
        raise _TakenAlready


async def retry(tx: Tx, event_id: str, subscriber: str) -> None:
    """A fresh set of attempts for a held delivery, with the caller's transaction. Raises NotFound."""
    which = {"event_id": event_id, "subscriber": subscriber}
    gen = (await tx.conn.execute(_RETRY, which)).scalar_one_or_none()
    if gen is None:
        raise NotFound(what="delivery")
    await outbox.enqueue(await raw_connection(tx.conn), [outbox.delivery_job(event_id, subscriber, gen)])


class Deliveries:
    """Delivers, counts, retries with growing delay, and holds what keeps failing.

    The commit of a delivery does not wait for the disk unless money moved in it (`Tx.wait_for_disk`). When the machine
    goes down, the last of them may be lost, each as a whole and together with everything that came after it: the log of
    Postgres has one order, and whatever is durable carries all that was before. The event itself is durable since it
    was recorded, its delivery is then pending again, and is made again; nothing that left the house can know of a lost
    one, because the claim of an effect waits for the disk.
    """

    def __init__(self, db: Database, *, parallelism: int = 8) -> None:
        self._db = db
        self.counted: Callable[[str, str], None] = lambda subscriber, outcome: None
        """Told how attempts end (delivered, failed, held), for the metrics."""
        # Each delivery holds a database connection; the rest of the process needs some too.
        self._lines = Lines(db, min(parallelism, max(1, db.size * 2 // 3)))
        self._count = db.together("core.attempts", self._count_at_once, patient=True)
        self._end = db.together("core.delivered", self._done_at_once, patient=True)
        self._alone = asyncio.Lock()

    async def deliver(self, event_id: str, subscriber: str, gen: int) -> None:
        """One attempt. Raises only when the database cannot be reached; the caller then tries again."""
        which = _Which(event_id, subscriber, gen)
        counted = await self._count(which)
        if counted is not None:
            await self._deliver(which, counted)
            return
        # Delivered, held, the job of an earlier round - or one in whose last attempt a process died. Those run one by
        # one, each counted when its turn comes: what kills is held in the end, and what stood beside it is not.
        async with self._alone:
            (counted,) = await self._count_at_once([which], suspects=True)
            if counted is not None:
                await self._deliver(which, counted)

    async def _count_at_once(self, asked: Sequence[_Which], *, suspects: bool = False) -> list[_Counted | None]:
        """Count attempts before they run, one statement for all; None: not to be run (with the others)."""
        # In one order for everybody: two processes with the same deliveries then wait for, not lock, each other.
        rows = sorted(asked, key=lambda one: (one.event_id, one.subscriber))
        columns = ([one.event_id for one in rows], [one.subscriber for one in rows], [one.gen for one in rows])
        counted = await self._db.write(_COUNT.encode(), (*columns, suspects))
        found = {(row[0], row[1]): _Counted(*row[2:]) for row in counted}
        # Of two that ask for the same, one gets it.
        return [found.pop((one.event_id, one.subscriber), None) for one in asked]

    async def _deliver(self, which: _Which, counted: _Counted) -> None:
        with correlated(counted.correlation_id, event_name=counted.name, subscriber=which.subscriber):
            if counted.attempts > MAX_ATTEMPTS:
                # Every attempt was counted and none came back to say how it ended.
                await self._fail(which, counted.attempts, "the process died in every attempt")
                return
            subscription = self._db.registry.subscriptions.get(which.subscriber)
            if subscription is None:
                await self._fail(which, MAX_ATTEMPTS, "this build has no such subscriber")
                return
            try:
                event = self._db.registry.decode(counted.name, counted.payload)
            except Unreadable as error:
                await self._fail(which, MAX_ATTEMPTS, str(error))
                return
            try:
                await tried(partial(self._attempt, which, subscription.handler, event), TRIES)
            except Exception as error:
                if connection_lost(error):
                    raise
                log.exception("delivery_failed", event_id=which.event_id, attempt=counted.attempts)
                await self._fail(which, counted.attempts, f"{type(error).__name__}: {error}")
            else:
                self.counted(which.subscriber, "delivered")

    async def _attempt(self, which: _Which, handler: Handler, event: Event) -> None:
        """The subscriber's work and the end of the delivery in one transaction, which begins when the work first needs
        the database.

        A subscriber that never needs it only has something run after the commit; then taking the delivery is all there
        is to the transaction, and one statement. Whoever delivers the same at the same time has called it for nothing:
        one of them finds the delivery taken, and forgets what it would have done.
        """
        values = (which.event_id, which.subscriber, which.gen, self._db.clock.now())
        late = Late(self._lines, _TAKE, values, _still_to_do)
        try:
            async with late.transaction(self._db, partial(self._done, which)) as tx:
                await handler(tx, which.event_id, event)
        except _TakenAlready:
            pass

    async def _done_at_once(self, asked: Sequence[_Which]) -> list[Outcome]:
        now = self._db.clock.now().isoformat().encode()
        sets = [(one.event_id.encode(), one.subscriber.encode(), b"%d" % one.gen, now) for one in asked]
        return await self._db.each_soon(_DONE, sets)

    async def _done(self, which: _Which) -> None:
        outcome = await self._end(which)
        if isinstance(outcome, BaseException):
            raise outcome
        if not outcome:
            raise _TakenAlready

    async def _fail(self, which: _Which, attempts: int, error: str) -> None:
        held = attempts >= MAX_ATTEMPTS
        now = self._db.clock.now()
        retry_at = None if held else now + timedelta(seconds=DELAYS[attempts - 1])
        values = ("held" if held else "pending", retry_at, error[:2000], which.event_id, which.subscriber, which.gen)
        await self._db.write(_FAILED, values)
        self.counted(which.subscriber, "held" if held else "failed")
        if held:
            log.error("delivery_held", event_id=which.event_id, reason=error)
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

    async def backlog(self) -> int:
        """Deliveries that run now or could."""
        async with self._db.read() as conn:
            return int((await conn.execute(_BACKLOG, {"now": self._db.clock.now()})).scalar_one())

    async def next_due(self) -> datetime | None:
        """Business time of the earliest retry."""
        async with self._db.read() as conn:
            moment: datetime | None = (await conn.execute(_NEXT)).scalar_one()
            return moment

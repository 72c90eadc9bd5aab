"""The figures of what waits: how old the oldest of each kind is, what is held, what each effect is doing.

Every statement here runs on partial indexes over open rows: what is finished is never counted, however much there is.
(The inbox has none for held items: those are counted as they happen, in ``viralcore_updates_total``.)
"""

from __future__ import annotations

from sqlalchemy import text

from viralcore.core.db import Database
from viralcore.core.figures import Figure

_AGES = {
    "inbox": text("SELECT min(received_at) FROM core.inbox WHERE state = 'pending'"),
    "deliveries": text("""
        SELECT min(coalesce(d.retry_at, e.recorded_at)) FROM core.deliveries d JOIN core.events e ON e.id = d.event_id
        WHERE d.state = 'pending' AND (d.retry_at IS NULL OR d.retry_at <= :now)
    """),
    "effects": text("""
        SELECT min(coalesce(due, created_at)) FROM core.effects
        WHERE state IN ('queued', 'calling', 'answered') AND (due IS NULL OR due <= :now)
    """),
}
_HELD = {
    "deliveries": text("SELECT count(*) FROM core.deliveries WHERE state = 'held'"),
    "effects": text("SELECT count(*) FROM core.effects WHERE state = 'held'"),
}
_HELD_DELIVERIES = text("SELECT subscriber, count(*) FROM core.deliveries WHERE state = 'held' GROUP BY subscriber")
_EFFECTS = text("""
SELECT kind, state, count(*) FROM core.effects WHERE state IN ('queued', 'calling', 'answered') GROUP BY kind, state
UNION ALL
SELECT kind, state, count(*) FROM core.effects WHERE state IN ('unknown', 'held') GROUP BY kind, state
""")
_JOBS = text("SELECT status::text, count(*) FROM queue.pgqueuer GROUP BY status")

_AGE = "Business seconds for which the oldest thing that could run has waited, 0: nothing waits"
_HELD_ABOUT = "Things that failed too often and wait for staff"
_HELD_BY = "Deliveries that failed too often and wait for staff, by subscriber"
_EFFECT = "Effects that are not over, and those that ended without an answer, by kind and state"
_JOB = "Jobs in PgQueuer's own table by status"


class QueueFigures:
    """Reads the tables of `core` and `queue`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def read(self) -> tuple[Figure, ...]:
        """All of them."""
        now = self._db.clock.now()
        found: list[Figure] = []
        async with self._db.read() as conn:
            for queue, statement in _AGES.items():
                oldest = (await conn.execute(statement, {"now": now} if ":now" in statement.text else {})).scalar_one()
                age = 0 if oldest is None else max(0, round((now - oldest).total_seconds()))
                found.append(Figure("viralcore_queue_age_seconds", _AGE, age, {"queue": queue}))
            for queue, statement in _HELD.items():
                held = (await conn.execute(statement)).scalar_one()
                found.append(Figure("viralcore_held", _HELD_ABOUT, held, {"queue": queue}))
            for subscriber, count in await conn.execute(_HELD_DELIVERIES):
                found.append(Figure("viralcore_deliveries_held", _HELD_BY, count, {"subscriber": subscriber}))
            for kind, state, count in await conn.execute(_EFFECTS):
                found.append(Figure("viralcore_effects", _EFFECT, count, {"kind": kind, "state": state}))
            for status, count in await conn.execute(_JOBS):
                found.append(Figure("viralcore_queue_jobs", _JOB, count, {"status": status}))
        return tuple(found)

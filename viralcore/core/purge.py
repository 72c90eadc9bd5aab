"""Clearing away what is not kept any longer (DESIGN 4), a little at a time: no statement may run longer than a few
seconds, and a shop that was busy for months has millions of rows to forget."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import TextClause, text

from viralcore.core.db import Database, Tx

log = structlog.get_logger(__name__)

BATCH = 2000
"""Rows in one statement and one transaction."""


def _deletion(table: str, old: str) -> TextClause:
    """By place, as not every table has a key of one column; nobody moves rows that are final."""
    return text(
        f"DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT t.ctid FROM {table} t WHERE {old} LIMIT :batch))"  # noqa: S608  # nosec B608 # constants
    )


# Machine time for the queue's own log, business time for our rows. What is not final, or was never answered, stays: an
# effect of which nobody knows whether it happened is the proof that it was tried.
KEPT: dict[str, tuple[TextClause, timedelta]] = {
    "job log": (_deletion("queue.pgqueuer_log", "t.created < now() - interval '7 days'"), timedelta(0)),
    "job statistics": (_deletion("queue.pgqueuer_statistics", "t.created < now() - interval '7 days'"), timedelta(0)),
    "events": (
        _deletion(
            "core.events",
            "t.recorded_at < :before AND NOT EXISTS "
            "(SELECT 1 FROM core.deliveries d WHERE d.event_id = t.id AND d.state <> 'done')",
        ),
        timedelta(days=90),
    ),
    "sealed bodies": (
        text("""
        UPDATE core.effects SET sealed = '', answer = answer - 'sealed' WHERE id = ANY (ARRAY(
            SELECT id FROM core.effects WHERE finished_at < :before AND sealed <> '' ORDER BY finished_at LIMIT :batch))
        """),
        timedelta(days=7),
    ),
    "effects": (
        _deletion("core.effects", "t.finished_at < :before AND t.state IN ('succeeded', 'refused')"),
        timedelta(days=90),
    ),
    "idempotency": (_deletion("core.idempotency", "t.created_at < :before"), timedelta(days=90)),
}


async def purge(db: Database) -> None:
    """Each kind by itself: one that fails is told at the end, and holds up none of the others."""
    failures: list[Exception] = []
    for name, (statement, age) in KEPT.items():
        try:
            gone = await _all_of(db, statement, age)
        except Exception as error:
            log.exception("purge_failed", what=name)
            failures.append(error)
        else:
            log.info("purged", what=name, rows=gone)
    if failures:
        raise failures[0]


async def _all_of(db: Database, statement: TextClause, age: timedelta) -> int:
    total = 0
    while True:
        gone = await db.run(partial(_some, statement, age))
        total += gone
        if gone < BATCH:
            return total


async def _some(statement: TextClause, age: timedelta, tx: Tx) -> int:
    values = {"batch": BATCH, **({"before": tx.now - age} if age else {})}
    return int((await tx.conn.execute(statement, values)).rowcount)

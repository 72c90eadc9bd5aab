"""Clearing away: all that is too old, however much, in small statements; one that fails stops no other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.support.clock import FakeClock
from viralcore.core import purge as purging
from viralcore.core.db import Database
from viralcore.core.inbox import Inbox
from viralcore.core.nursery import Nursery

EFFECTS = """
INSERT INTO core.effects (kind, key, payload, sealed, state, created_at, finished_at)
SELECT 'k', n::text, '{}', 'secret', :state, :at,
    CASE WHEN CAST(:state AS text) = 'held' THEN NULL ELSE CAST(:at AS timestamptz) END
FROM generate_series(CAST(:first AS int), CAST(:last AS int)) n
"""
OTHERS = """
INSERT INTO core.events (id, name, payload, recorded_at)
    SELECT gen_random_uuid(), 'a.b.v1', '{}', :at FROM generate_series(1, 10);
INSERT INTO core.deliveries (event_id, subscriber, state)
    SELECT id, 's', CASE WHEN row_number() OVER () = 1 THEN 'held' ELSE 'done' END FROM core.events;
INSERT INTO core.idempotency (scope, key, inputs_hash, created_at)
    SELECT 's', n::text, '', :at FROM generate_series(1, 10) n;
INSERT INTO core.inbox (source, external_id, order_key, received_at, handled_at, state)
    SELECT 's', n::text, 'k', :at, :at, CASE WHEN n = 1 THEN 'held' ELSE 'handled' END FROM generate_series(1, 10) n;
INSERT INTO queue.pgqueuer_log (job_id, status, entrypoint, priority, created)
    SELECT n, 'successful', 'e', 0, now() - interval '8 days' FROM generate_series(1, 10) n
"""


async def left(database: Database, what: str) -> list[str]:
    async with database.read() as conn:
        return [str(value) for value in (await conn.execute(text(what))).scalars()]


@pytest.fixture
async def full(database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Ten and more of everything, and three at a time."""
    monkeypatch.setattr(purging, "BATCH", 3)
    monkeypatch.setattr("viralcore.core.inbox.PRUNED", 3)
    async with database.transaction() as tx:
        for state, first, last in (("succeeded", 1, 10), ("refused", 11, 14), ("unknown", 15, 16), ("held", 17, 17)):
            values = {"state": state, "first": first, "last": last, "at": tx.now}
            await tx.conn.execute(text(EFFECTS), values)
        for one in OTHERS.split(";"):
            await tx.conn.execute(text(one), {"at": tx.now} if ":at" in one else {})
    return database


async def test_more_than_a_batch_of_everything_goes_and_what_is_open_stays(full: Database, clock: FakeClock) -> None:
    await purging.purge(full)
    assert await left(full, "SELECT count(*) FROM queue.pgqueuer_log") == ["0"]
    assert await left(full, "SELECT count(*) FROM core.effects WHERE sealed <> ''") == ["17"]
    clock.advance(timedelta(days=8).total_seconds())
    await purging.purge(full)
    assert await left(full, "SELECT state FROM core.effects WHERE sealed <> ''") == ["held"]
    assert await left(full, "SELECT count(*) FROM core.effects") == ["17"]
    clock.advance(timedelta(days=83).total_seconds())
    await purging.purge(full)
    assert await left(full, "SELECT state FROM core.effects ORDER BY id") == ["unknown", "unknown", "held"]
    assert await left(full, "SELECT state FROM core.deliveries") == ["held"]
    assert await left(full, "SELECT count(*) FROM core.events") == ["1"]
    assert await left(full, "SELECT count(*) FROM core.idempotency") == ["0"]


async def test_one_that_fails_is_told_and_holds_up_no_other(
    full: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {
        "job log": (text("SELECT 1 / 0, :batch"), timedelta(0)),
        **{name: kept for name, kept in purging.KEPT.items() if name != "job log"},
    }
    monkeypatch.setattr(purging, "KEPT", broken)
    clock.advance(timedelta(days=91).total_seconds())
    with pytest.raises(DBAPIError):
        await purging.purge(full)
    assert await left(full, "SELECT count(*) FROM core.idempotency") == ["0"]
    assert await left(full, "SELECT count(*) FROM core.effects") == ["3"]


async def test_the_inbox_is_pruned_a_little_at_a_time(full: Database, clock: FakeClock) -> None:
    nursery = Nursery()
    assert await Inbox(full, nursery).prune(before=clock.now() + timedelta(seconds=1)) == 9
    assert await left(full, "SELECT state FROM core.inbox") == ["held"]
    await nursery.stop()

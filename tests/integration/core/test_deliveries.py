"""Events: all or nothing with the work, each subscriber once, and what happens when one fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
from sqlalchemy import text

from tests.support.clock import FakeClock
from tests.support.queueing import ScriptedKind, settled
from viralcore.core.db import Database, Tx
from viralcore.core.deliveries import MAX_ATTEMPTS
from viralcore.core.errors import NotFound
from viralcore.core.events import Event, Subscription
from viralcore.core.log import correlated, correlation_id
from viralcore.core.queue import QueueEngine
from viralcore.core.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened(Event):
    NAME: ClassVar[str] = "test.happened.v1"
    number: int
    parts: tuple[str, ...] = ()
    note: str | None = None


class Hearer:
    """A subscriber that notes what it hears and fails when told to."""

    def __init__(self, name: str = "test.hearer") -> None:
        self.name = name
        self.heard: list[tuple[str, Event, str]] = []
        self.errors: list[BaseException] = []

    async def __call__(self, tx: Tx, event_id: str, event: Event) -> None:
        await tx.conn.execute(
            text(
                "INSERT INTO core.meta AS m VALUES (:key, '1') ON CONFLICT (key) DO UPDATE SET value = m.value || '1'"
            ),
            {"key": f"{self.name}:{event_id}"},
        )
        if self.errors:
            raise self.errors.pop(0)
        self.heard.append((event_id, event, correlation_id.get()))

    def subscription(self) -> Subscription:
        return Subscription(Happened, self.name, self)


async def _record(database: Database, number: int = 1) -> str:
    async with database.transaction() as tx:
        return tx.record(Happened(number=number, parts=("a", "b")))


async def _marks(database: Database) -> list[str]:
    async with database.read() as conn:
        return list((await conn.execute(text("SELECT value FROM core.meta"))).scalars())


async def _jobs(database: Database) -> list[tuple[str, bytes]]:
    async with database.read() as conn:
        rows = await conn.execute(text("SELECT entrypoint, payload FROM queue.pgqueuer ORDER BY id"))
        return [(row.entrypoint, bytes(row.payload)) for row in rows]


async def test_events_effects_and_jobs_commit_together_or_not_at_all(database: Database, registry: Registry) -> None:
    registry.subscribe(Hearer().subscription(), Hearer("test.other").subscription())
    registry.add_kinds(ScriptedKind())

    async def work(tx: Tx) -> str:
        event_id = tx.record(Happened(number=1))
        tx.effect(kind="test.call", key="k1", payload={"a": 1})
        return event_id

    async def work_then_fail() -> None:
        async with database.transaction() as tx:
            await work(tx)
            raise LookupError

    with pytest.raises(LookupError):
        await work_then_fail()
    assert await _jobs(database) == []
    event_id = await database.run(work)
    jobs = await _jobs(database)
    assert [job[0] for job in jobs] == ["deliver", "deliver", "effect:test.call"]
    assert jobs[0][1] == f"d:{event_id}:test.hearer:1".encode()


async def test_every_subscriber_hears_once_with_the_correlation_id(
    database: Database, registry: Registry, engine: QueueEngine
) -> None:
    hearers = [Hearer(), Hearer("test.other")]
    registry.subscribe(*[hearer.subscription() for hearer in hearers])
    await engine.start()
    with correlated("c0ffee"):
        event_id = await _record(database, 7)
    await settled(engine)
    for hearer in hearers:
        assert hearer.heard == [(event_id, Happened(number=7, parts=("a", "b")), "c0ffee")]


async def test_a_second_delivery_finds_the_row_and_leaves(
    database: Database, registry: Registry, engine: QueueEngine
) -> None:
    hearer = Hearer()
    registry.subscribe(hearer.subscription())
    event_id = await _record(database)
    for _ in range(3):
        await engine.deliveries.deliver(event_id, hearer.name, 1)
    assert len(hearer.heard) == 1
    assert await _marks(database) == ["1"]


async def test_a_failure_undoes_its_work_and_comes_again_later(
    database: Database, registry: Registry, engine: QueueEngine, clock: FakeClock
) -> None:
    hearer = Hearer()
    hearer.errors = [LookupError("no")]
    registry.subscribe(hearer.subscription())
    await engine.start()
    await _record(database)
    await settled(engine)
    assert hearer.heard == []
    assert await _marks(database) == []
    due = await engine.next_due()
    assert due is not None
    clock.set(due)
    await engine.release_due()
    await settled(engine)
    assert len(hearer.heard) == 1
    assert await engine.next_due() is None


async def test_what_keeps_failing_is_held_until_staff_retry_it(
    database: Database, registry: Registry, engine: QueueEngine, clock: FakeClock
) -> None:
    hearer = Hearer()
    hearer.errors = [LookupError("no")] * MAX_ATTEMPTS
    registry.subscribe(hearer.subscription())
    await engine.start()
    event_id = await _record(database)
    delays = []
    await settled(engine)
    while (due := await engine.next_due()) is not None:
        delays.append((due - clock.now()).total_seconds())
        clock.set(due)
        await engine.release_due()
        await settled(engine)
    assert delays == sorted(delays)
    assert len(delays) == MAX_ATTEMPTS - 1
    (held,) = await engine.deliveries.held()
    assert (held.event_id, held.subscriber, held.error) == (event_id, hearer.name, "LookupError: no")
    await engine.deliveries.retry(event_id, hearer.name)
    await settled(engine)
    assert len(hearer.heard) == 1
    with pytest.raises(NotFound):
        await engine.deliveries.retry(event_id, hearer.name)


async def test_a_delivery_that_kills_the_process_is_held(
    database: Database, registry: Registry, engine: QueueEngine
) -> None:
    class Killed(BaseException):
        pass

    hearer = Hearer()
    hearer.errors = [Killed()] * 99
    registry.subscribe(hearer.subscription())
    event_id = await _record(database)
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(Killed):
            await engine.deliveries.deliver(event_id, hearer.name, 1)
    await engine.deliveries.deliver(event_id, hearer.name, 1)
    assert len(hearer.errors) == 99 - MAX_ATTEMPTS
    (held,) = await engine.deliveries.held()
    assert "died" in held.error


@pytest.mark.parametrize("gone", ["event", "subscriber"])
async def test_what_this_build_does_not_know_is_held_not_crashed(
    database: Database, registry: Registry, engine: QueueEngine, gone: str
) -> None:
    hearer = Hearer()
    registry.subscribe(hearer.subscription())
    event_id = await _record(database)
    if gone == "subscriber":
        registry.subscriptions.clear()
    else:
        registry._events.clear()
    await engine.deliveries.deliver(event_id, hearer.name, 1)
    assert len(await engine.deliveries.held()) == 1


async def test_a_delivery_without_a_job_gets_one(database: Database, registry: Registry, engine: QueueEngine) -> None:
    hearer = Hearer()
    registry.subscribe(hearer.subscription())
    await _record(database)
    async with database.transaction() as tx:
        await tx.conn.execute(text("DELETE FROM queue.pgqueuer"))
    assert await engine.deliveries.requeue_stranded() == 1
    assert await engine.deliveries.requeue_stranded() == 0
    await engine.start()
    await settled(engine)
    assert len(hearer.heard) == 1


async def test_old_events_are_cleared_away_unless_they_are_held(
    database: Database, registry: Registry, engine: QueueEngine, clock: FakeClock
) -> None:
    hearer = Hearer()
    hearer.errors = [LookupError()]
    registry.subscribe(hearer.subscription())
    await _record(database)
    await engine.deliveries.deliver(await _record(database), hearer.name, 1)
    await engine.deliveries.deliver(await _record(database), hearer.name, 1)
    clock.advance(91 * 86400)
    await engine.purge()
    async with database.read() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM core.events"))).scalar_one() == 2

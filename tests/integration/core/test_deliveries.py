"""Events: all or nothing with the work, each subscriber once, and what happens when one fails."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import ClassVar

import psycopg
import pytest
from sqlalchemy import text

from tests.support.clock import FakeClock
from tests.support.queueing import ScriptedKind, settled
from viralcore.core.db import Database, Tx
from viralcore.core.deliveries import MAX_ATTEMPTS, _Which
from viralcore.core.errors import NotFound
from viralcore.core.events import Event, Subscription
from viralcore.core.held import HeldQueues, HeldRow
from viralcore.core.log import correlated, correlation_id
from viralcore.core.queue import QueueEngine
from viralcore.core.registry import Registry
from viralcore.ledger.api import Entry, house_account, user_account
from viralcore.ledger.service import LedgerService


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened(Event):
    NAME: ClassVar[str] = "test.happened.v1"
    number: int
    parts: tuple[str, ...] = ()
    note: str | None = None


SEEN_AT_COMMIT = """
CREATE FUNCTION public.seen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO core.meta VALUES ('synchronous_commit', current_setting('synchronous_commit'));
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER seen AFTER INSERT ON core.job_runs DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION public.seen();
"""
"""Notes the setting in the very COMMIT of whoever adds a job run."""


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


async def _held(database: Database) -> tuple[HeldRow, ...]:
    return await HeldQueues(database).page(limit=20, offset=0)


async def _retry(database: Database, one: HeldRow) -> None:
    async with database.transaction() as tx:
        await HeldQueues(database).retry(tx, one)


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
    (held,) = await _held(database)
    assert (held.ref, held.what, held.error) == (f"{event_id}:{hearer.name}", hearer.name, "LookupError: no")
    await _retry(database, held)
    await settled(engine)
    assert len(hearer.heard) == 1
    assert await _held(database) == ()
    with pytest.raises(NotFound):
        await _retry(database, held)


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
    (held,) = await _held(database)
    assert "died" in held.error


async def test_what_stood_beside_a_killer_is_delivered_and_never_held(
    database: Database, registry: Registry, engine: QueueEngine
) -> None:
    class Killed(BaseException):
        pass

    killer, hearer = Hearer("test.killer"), Hearer()
    killer.errors = [Killed()] * 99
    registry.subscribe(killer.subscription(), hearer.subscription())
    deadly = await _record(database)
    others = [await _record(database, number) for number in range(20)]
    for event_id in others:
        await engine.deliveries.deliver(event_id, killer.name, 99)  # of another round: nobody's business
    # All are counted in one statement; then the process dies before it comes to the others.
    await engine.deliveries._count_at_once([_Which(event_id, hearer.name, 1) for event_id in others])
    for _ in range(MAX_ATTEMPTS + 1):
        tried = [engine.deliveries.deliver(event_id, hearer.name, 1) for event_id in others[:2]]
        done = await asyncio.gather(engine.deliveries.deliver(deadly, killer.name, 1), *tried, return_exceptions=True)
        assert [one for one in done[1:] if one is not None] == []
    assert [one.ref for one in await _held(database)] == [f"{deadly}:{killer.name}"]
    for event_id in others:
        await engine.deliveries.deliver(event_id, hearer.name, 1)
    assert sorted(event_id for event_id, *_ in hearer.heard) == sorted(others)


async def test_those_in_whose_attempt_a_process_died_run_one_by_one(
    database: Database, registry: Registry, engine: QueueEngine
) -> None:
    at_once, most = 0, 0

    async def slow(tx: Tx, event_id: str, event: Event) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await tx.conn.execute(text("SELECT pg_sleep(0.02)"))
        at_once -= 1

    registry.subscribe(Subscription(Happened, "test.slow", slow))
    ids = [await _record(database, number) for number in range(6)]
    await engine.deliveries._count_at_once([_Which(event_id, "test.slow", 1) for event_id in ids])
    await asyncio.gather(*(engine.deliveries.deliver(event_id, "test.slow", 1) for event_id in ids))
    assert most == 1
    assert await engine.deliveries.backlog() == 0


async def test_many_at_once_leave_connections_for_the_rest(
    database: Database, registry: Registry, engine: QueueEngine
) -> None:
    hearer = Hearer()
    registry.subscribe(hearer.subscription())
    async with database.transaction() as tx:
        ids = [tx.record(Happened(number=number)) for number in range(60)]
    deliveries = [engine.deliveries.deliver(event_id, hearer.name, 1) for event_id in ids]

    async def somebody_else() -> None:
        for _ in range(10):
            async with database.transaction() as tx:
                await tx.conn.execute(text("SELECT 1"))

    await asyncio.gather(*deliveries, somebody_else())
    assert len(hearer.heard) == 60
    async with database.transaction() as tx:  # what the deliveries were made on is as it was
        assert (await tx.conn.execute(text("SHOW synchronous_commit"))).scalar_one() == "on"


@pytest.mark.parametrize(("money", "waited"), [(True, "on"), (False, "off")])
async def test_only_a_delivery_that_moves_money_waits_for_the_disk(
    database: Database, database_url: str, registry: Registry, engine: QueueEngine, money: bool, waited: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(SEEN_AT_COMMIT)

    async def hears(tx: Tx, event_id: str, event: Event) -> None:
        await tx.conn.execute(text("INSERT INTO core.job_runs VALUES ('probe', now(), true)"))
        if money:
            account = user_account(1, "wallet")
            entries = (Entry(account, 5), Entry(house_account("bank"), -5))
            await LedgerService(database).post(tx, key="k", kind="deposit", entries=entries, description="test")

    registry.subscribe(Subscription(Happened, "test.hears", hears))
    await engine.deliveries.deliver(await _record(database), "test.hears", 1)
    assert await _marks(database) == [waited]


async def _noted(database: Database, how: str, heard: list[str], tx: Tx, event_id: str) -> None:
    """What a subscriber may do before it needs a connection, or without ever needing one."""
    tx.after_commit(lambda: heard.append(event_id))
    if how == "records":
        tx.effect(kind="test.call", key=event_id, payload={})
    elif how == "moves money":
        tx.wait_for_disk()
    elif how == "reads":
        async with database.read() as conn:
            assert (await conn.execute(text("SELECT state FROM core.deliveries"))).scalars().first() == "done"
    elif how == "in a savepoint":
        savepoint = await tx.conn.begin_nested()
        await savepoint.rollback()


@pytest.mark.parametrize("how", ["nothing", "records", "moves money", "reads", "in a savepoint"])
async def test_one_that_needs_the_database_late_or_never_is_delivered_once(
    database: Database, registry: Registry, engine: QueueEngine, how: str
) -> None:
    heard: list[str] = []
    inside = 0

    async def hears(tx: Tx, event_id: str, event: Event) -> None:
        nonlocal inside
        inside += 1
        await asyncio.sleep(0.02)
        await _noted(database, how, heard, tx, event_id)

    registry.subscribe(Subscription(Happened, "test.hears", hears))
    registry.add_kinds(ScriptedKind())
    event_id = await _record(database)
    # Two processes: each has counted its attempt, and both are at work at once.
    which = _Which(event_id, "test.hears", 1)
    (counted,) = await engine.deliveries._count_at_once([which])
    assert counted is not None
    await asyncio.gather(*(engine.deliveries._deliver(which, counted) for _ in range(2)))
    assert inside >= 1
    assert heard == [event_id]
    assert await engine.deliveries.backlog() == 0
    assert len([job for job in await _jobs(database) if job[0] == "effect:test.call"]) == (how == "records")


async def test_without_a_connection_no_statement_of_its_own_either(
    database: Database, registry: Registry, engine: QueueEngine
) -> None:
    async def hears(tx: Tx, event_id: str, event: Event) -> None:
        await database.write(b"INSERT INTO core.meta VALUES ('outside', '1')", ())

    registry.subscribe(Subscription(Happened, "test.hears", hears))
    await engine.deliveries.deliver(await _record(database), "test.hears", 1)
    assert await _marks(database) == []
    assert await engine.next_due() is not None


async def test_one_without_a_connection_that_fails_comes_again(
    database: Database, registry: Registry, engine: QueueEngine
) -> None:
    called: list[str] = []

    async def hears(tx: Tx, event_id: str, event: Event) -> None:
        tx.after_commit(lambda: called.append("never"))
        raise LookupError("no")

    registry.subscribe(Subscription(Happened, "test.hears", hears))
    await engine.deliveries.deliver(await _record(database), "test.hears", 1)
    assert called == []
    assert await engine.next_due() is not None


async def test_what_fails_beneath_a_subscriber_that_does_not_mind_is_not_delivered(
    database: Database, registry: Registry, engine: QueueEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hears(tx: Tx, event_id: str, event: Event) -> None:
        with contextlib.suppress(psycopg.Error):
            await tx.conn.execute(text("INSERT INTO core.meta VALUES ('late', '1')"))

    registry.subscribe(Subscription(Happened, "test.hears", hears))
    monkeypatch.setattr("viralcore.core.deliveries._TAKE", "SELECT 1/(%s::text = '')::int, %s::text, %s::int, %s::text")
    await engine.deliveries.deliver(await _record(database), "test.hears", 1)
    assert await _marks(database) == []
    assert await engine.next_due() is not None


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
    assert [one.ref for one in await _held(database)] == [f"{event_id}:{hearer.name}"]


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

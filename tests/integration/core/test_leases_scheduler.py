"""Leases and the scheduler: one process runs the clock, a turn runs every job once, in order, never overlapping."""

from __future__ import annotations

import asyncio
import math
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.support.clock import FakeClock
from viralcore.core.db import Database
from viralcore.core.jobs import Job
from viralcore.core.leases import Lease, Leases, process_identity
from viralcore.core.nursery import Nursery
from viralcore.core.scheduler import LEASE, Scheduler

Make = Callable[..., Scheduler]


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


async def expire(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.conn.execute(text("UPDATE core.leases SET until = clock_timestamp() - interval '1 second'"))


async def test_one_holder_at_a_time_and_the_epoch_rises(database: Database) -> None:
    one, two = Leases(database, "one"), Leases(database, "two")
    first = await one.acquire("x", seconds=60)
    assert first == Lease("x", "one", 1)
    assert await two.acquire("x", seconds=60) is None
    assert await two.acquire("y", seconds=60) is not None
    assert await one.renew(first, seconds=60)
    await expire(database)
    assert not await one.renew(first, seconds=60)
    second = await two.acquire("x", seconds=60)
    assert second == Lease("x", "two", 2)
    assert not await one.renew(first, seconds=60)
    await one.release(first)  # not ours any more: nothing happens
    assert await one.acquire("x", seconds=60) is None
    await two.release(second)
    assert await one.acquire("x", seconds=60) == Lease("x", "one", 3)
    assert await one.epoch("x") == 3
    assert await one.epoch("nobody") is None


async def test_of_many_at_once_one_gets_it(database: Database) -> None:
    takers = [Leases(database, f"t{number}") for number in range(12)]
    found = await asyncio.gather(*(taker.acquire("x", seconds=60) for taker in takers))
    assert len([lease for lease in found if lease is not None]) == 1


async def test_a_holder_killed_on_this_machine_is_replaced_at_once(database: Database) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        place = process_identity().rsplit("/", 2)[0]
        started = (await asyncio.to_thread(open, f"/proc/{child.pid}/stat")).read().rpartition(")")[2].split()[19]
        dead = Leases(database, f"{place}/{child.pid}/{started}")
        us = Leases(database)
        assert await dead.acquire("x", seconds=600) is not None
        assert await us.acquire("x", seconds=60) is None
    finally:
        child.kill()
        child.wait()
    assert await us.acquire("x", seconds=60) is not None
    elsewhere = Leases(database, f"other-boot/1/{os.getpid()}/1")
    assert await elsewhere.acquire("y", seconds=600) is not None
    assert await us.acquire("y", seconds=60) is None


@pytest.fixture
async def nursery() -> AsyncIterator[Nursery]:
    made = Nursery()
    yield made
    await made.stop()


@pytest.fixture
async def make(database: Database, clock: FakeClock, nursery: Nursery) -> AsyncIterator[Make]:
    made: list[Scheduler] = []

    def build(*jobs: Job, holder: str = "one", **options: Any) -> Scheduler:
        scheduler = Scheduler(database, clock, nursery, Leases(database, holder), **{"watch_seconds": 0.002, **options})
        scheduler.add(jobs)
        made.append(scheduler)
        return scheduler

    yield build
    for scheduler in made:
        await scheduler.stop(timeout=1)


class Work:
    """A job's body: counts its runs and notices when it overlaps itself."""

    def __init__(self, log: list[str], name: str, seconds: float = 0.0) -> None:
        self.log = log
        self.name = name
        self.seconds = seconds
        self.runs = 0
        self.overlapped = False
        self.inside = False

    async def __call__(self) -> None:
        self.overlapped |= self.inside
        self.inside = True
        await asyncio.sleep(self.seconds)
        self.runs += 1
        self.log.append(self.name)
        self.inside = False


async def test_the_start_and_each_turn_run_every_job_once_in_order(make: Make, clock: FakeClock) -> None:
    log: list[str] = []
    prices, later, also = Work(log, "prices", 0.01), Work(log, "later"), Work(log, "also")
    scheduler = make(
        Job("later", 3600, later, order=20), Job("prices", 3600, prices, order=1), Job("also", 3600, also, order=20)
    )
    assert math.isnan(scheduler.settled_offset())
    await scheduler.start()
    await until(lambda: scheduler.settled_offset() == 0)
    assert log[0] == "prices"
    assert sorted(log[1:]) == ["also", "later"]
    clock.advance(7200)
    await until(lambda: scheduler.settled_offset() == 7200)
    assert log[3] == "prices"
    assert (prices.runs, later.runs, also.runs) == (2, 2, 2)
    assert await scheduler.backlog() == 0


async def test_a_small_turn_runs_polls_but_no_rare_job_before_its_time(make: Make, clock: FakeClock) -> None:
    poll, nightly = Work([], "poll"), Work([], "nightly")
    scheduler = make(Job("poll", 60, poll), Job("nightly", 86400, nightly))
    await scheduler.start()
    await until(lambda: scheduler.settled_offset() == 0)
    clock.advance(3600)
    await until(lambda: scheduler.settled_offset() == 3600)
    assert (poll.runs, nightly.runs) == (2, 1)
    clock.advance(86400)
    await until(lambda: scheduler.settled_offset() == 90000)
    assert (poll.runs, nightly.runs) == (3, 2)


async def test_a_run_that_began_before_the_turn_does_not_count_for_it(make: Make, clock: FakeClock) -> None:
    gate = asyncio.Event()
    seen: list[datetime] = []

    async def slow() -> None:
        seen.append(clock.now())
        if len(seen) == 2:
            await gate.wait()

    scheduler = make(Job("slow", 300, slow))
    await scheduler.start()
    await until(lambda: scheduler.settled_offset() == 0)
    scheduler.wake("slow")
    await until(lambda: len(seen) == 2)
    clock.advance(60)
    await asyncio.sleep(0.02)
    assert scheduler.settled_offset() == 0
    assert await scheduler.backlog() == 1
    gate.set()
    await until(lambda: scheduler.settled_offset() == 60)
    assert seen[2] == clock.now()


async def test_intervals_run_and_never_overlap(make: Make) -> None:
    log: list[str] = []
    quick, slow = Work(log, "quick"), Work(log, "slow", 0.15)
    scheduler = make(Job("quick", 0.05, quick), Job("slow", 0.05, slow))
    await scheduler.start()
    await until(lambda: slow.runs >= 3)
    assert quick.runs > slow.runs
    assert not slow.overlapped
    assert not quick.overlapped


async def test_wakes_during_a_run_cause_exactly_one_more(make: Make) -> None:
    log: list[str] = []
    work = Work(log, "work", 0.2)
    scheduler = make(Job("work", 3600, work))
    await scheduler.start()
    await until(lambda: scheduler.settled_offset() == 0)
    for _ in range(10):
        scheduler.wake("work")
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    for _ in range(10):
        scheduler.wake("work")
    await until(lambda: work.runs >= 3)
    await asyncio.sleep(0.4)
    assert work.runs in (3, 4)  # start, the first wakes (one or two runs), the later ones
    assert not work.overlapped
    scheduler.wake("unknown")  # logged, harmless


async def test_a_due_moment_fires_without_the_interval(make: Make, clock: FakeClock) -> None:
    due: list[datetime] = [clock.now() + timedelta(seconds=0.1), clock.now() + timedelta(seconds=0.2)]
    runs = 0
    done = asyncio.Event()

    async def run() -> None:
        nonlocal runs
        runs += 1
        if runs > 1:
            due.pop(0)
            done.set()

    async def next_due() -> datetime | None:
        return due[0] if due else None

    scheduler = make(Job("phases", 3600, run, next_due))
    await scheduler.start()
    assert await scheduler.next_due() == due[0]
    async with asyncio.timeout(30):
        await done.wait()
    await until(lambda: runs == 3)
    assert await scheduler.next_due() is None


async def test_what_stays_due_is_looked_at_again_but_not_in_a_hot_loop(make: Make, clock: FakeClock) -> None:
    runs = 0
    stuck = clock.now() - timedelta(seconds=5)

    async def run() -> None:
        nonlocal runs
        runs += 1

    async def next_due() -> datetime | None:
        return stuck

    scheduler = make(Job("stuck", 3600, run, next_due))
    await scheduler.start()
    await until(lambda: runs >= 3)
    assert runs < 6
    assert await scheduler.next_due() is None  # it is not ahead of us


async def test_a_failing_job_is_recorded_and_does_not_stop_the_turn(make: Make, database: Database) -> None:
    async def fail() -> None:
        raise ValueError("no")

    async def fine() -> None:
        pass

    async def due_fails() -> datetime | None:
        raise ValueError("no")

    scheduler = make(Job("bad", 3600, fail, due_fails), Job("good", 3600, fine))
    await scheduler.start()
    await until(lambda: scheduler.settled_offset() == 0)
    async with database.read() as conn:
        found = await conn.execute(text("SELECT name, last_ok, error FROM core.job_runs ORDER BY name"))
        assert [tuple(row) for row in found] == [("bad", False, "ValueError: no"), ("good", True, "")]


async def test_a_hanging_job_is_cut_off(make: Make) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    scheduler = make(Job("hang", 3600, hang), run_limit_seconds=0.02)
    await scheduler.start()
    await until(lambda: scheduler.settled_offset() == 0)


async def test_only_the_holder_of_the_lease_runs_the_clock(make: Make, database: Database, clock: FakeClock) -> None:
    log: list[str] = []
    one = make(Job("job", 300, Work(log, "one")), holder="one", lease_seconds=0.4)
    two = make(Job("job", 300, Work(log, "two")), holder="two", lease_seconds=0.4)
    await one.start()
    await until(lambda: one.settled_offset() == 0)
    await two.start()
    clock.advance(1)
    await until(lambda: one.settled_offset() == 1)
    assert log == ["one", "one"]
    assert not two.leading
    two.wake("job")
    await one.stop(timeout=1)
    await until(lambda: two.settled_offset() == 1)
    assert log == ["one", "one", "two"]


async def test_a_deposed_leader_stops_and_its_records_are_refused(make: Make, database: Database) -> None:
    log: list[str] = []
    gate = asyncio.Event()

    async def slow() -> None:
        log.append("run")
        await gate.wait()

    one = make(Job("job", 3600, slow), holder="one", lease_seconds=0.2)
    await one.start()
    await until(lambda: bool(log))
    async with database.transaction() as tx:
        await tx.conn.execute(
            text(
                "UPDATE core.leases SET holder = 'other', epoch = epoch + 1, until = clock_timestamp() + interval '1h'"
            )
        )
    await until(lambda: not one.leading)
    gate.set()
    await until(lambda: not any(r.busy for r in one._runners.values()))
    async with database.read() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM core.job_runs"))).scalar_one() == 0
    one.wake("job")
    await asyncio.sleep(0.01)
    assert log == ["run"]


async def test_two_jobs_cannot_share_a_name(make: Make) -> None:
    async def nothing() -> None:
        pass

    with pytest.raises(ValueError):
        make(Job("a", 1, nothing), Job("a", 1, nothing))
    assert LEASE == "clock"

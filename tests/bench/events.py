"""Events a second: our deliveries against PgQueuer's bare no-op, on one durable Postgres, turn by turn.

    python -m tests.bench --only events

Both sides consume the same number of jobs that wait in the queue already, in one process on one event loop (uvloop, as
the program runs), over the same driver (a psycopg pool for statements, one connection for LISTEN; PgQueuer's stock
psycopg driver shares one connection between the two and stalls), from the first job's start to the moment the last one
is done.

- Baseline: PgQueuer as its documentation sets it up (its own schema and settings, `QueueManager.run`), a consumer that
  does nothing, and a batch of 100: four times what its guide on tuning shows, ten times its default. Here 10 and 32
  reached a third and a half of it, 250 up to a quarter more.
- Ours: a job is one delivery of an event to one subscriber, through the engine as the program runs it: the attempt is
  counted and committed before it runs, a subscriber that does nothing is called with its transaction, and the delivery
  is taken and committed in that transaction, which is nobody else's. It begins when it is first needed, so here it is
  one statement, and those of many deliveries travel together, each with a sync, and so a commit, of its own. The
  engine has as many effect kinds with limits as the shop, because they cost each fetch. As for every subscriber that
  moves no money, the commit is one that Postgres may write a moment later (`core.deliveries` says why nothing is lost
  by that).

Beside it, without a judgement: deliveries to a subscriber that reads one thing in its transaction, which then cannot be
one statement (BEGIN and taking, the read, COMMIT: three round trips); and how fast events are recorded. One record is
what a use case does: a transfer through the ledger's door, an event, two deliveries and their two jobs, in a
transaction of its own, 16 at a time.
"""

from __future__ import annotations

import asyncio
import gc
import random
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.models import Job as QueueRow
from pgqueuer.domain.settings import DBSettings
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import text

from tests.bench.harness import PAIRS, Result, absolute, compared
from tests.support.clock import FakeClock
from tests.support.database import Cluster
from tests.support.queueing import ScriptedKind
from viralcore.core import runtime
from viralcore.core.clock import monotonic
from viralcore.core.db import Database, Tx, conninfo
from viralcore.core.embedded import EmbeddedPostgres
from viralcore.core.events import Event, Subscription
from viralcore.core.nursery import Nursery
from viralcore.core.queue import QueueEngine
from viralcore.core.queue_driver import QueueDriver, listen
from viralcore.core.registry import Registry
from viralcore.ledger.api import Entry, NewPosting, house_account, user_account
from viralcore.ledger.service import LedgerService

JOBS = 6000
READING_JOBS = 2000
GOAL = 0.3
BASELINE_BATCH = 100
KINDS = 9
"""Effect kinds with a limit, as many as the shop has."""
PATIENCE = 90.0
READ = text("SELECT value FROM core.meta WHERE key = 'environment'")
RECORD_SECONDS = 3.0
RECORDERS = 16
PEOPLE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened(Event):
    """Something happened, and one subscriber hears it."""

    NAME = "bench.happened.v1"
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid(Event):
    """A use case's event, with two subscribers."""

    NAME = "bench.paid.v1"
    number: int


@dataclass
class Count:
    """From the first job's start to the end of the last."""

    wanted: int
    began: float = 0.0
    done: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def start(self) -> None:
        if not self.began:
            self.began = monotonic()

    def one(self) -> None:
        self.done += 1
        if self.done == self.wanted:
            self.ended.set()

    async def rate(self) -> float:
        """Jobs a second. Raises TimeoutError when they do not end."""
        await asyncio.wait_for(self.ended.wait(), PATIENCE)
        return self.wanted / (monotonic() - self.began)


class Ours:
    """Our engine over a database of its own."""

    def __init__(self, url: str, nursery: Nursery, *, reading: bool = False) -> None:
        self._nursery = nursery
        self._reading = reading
        self._count = Count(0)
        registry = Registry()
        registry.know(Paid)
        registry.subscribe(Subscription(Happened, "bench.hears", self._hear))
        registry.add_kinds(*(ScriptedKind(name=f"bench.kind{number}") for number in range(KINDS)))
        self._db = Database(url, FakeClock(), registry)

    async def _hear(self, tx: Tx, event_id: str, event: Event) -> None:
        self._count.start()
        if self._reading:
            await tx.conn.execute(READ)
        tx.after_commit(self._count.one)

    async def measure(self, jobs: int = JOBS) -> float:
        """Record, then consume."""
        for first in range(0, jobs, 500):
            async with self._db.transaction() as tx:
                for number in range(first, first + 500):
                    tx.record(Happened(number=number))
        self._count = Count(jobs)
        engine = QueueEngine(self._db, self._nursery)
        await engine.start()
        try:
            rate = await self._count.rate()
        finally:
            await engine.stop()
        if self._count.done != jobs or await engine.deliveries.backlog():
            raise AssertionError(f"{self._count.done} of {jobs} delivered")
        return rate

    async def stop(self) -> None:
        await self._db.stop()


class Bare:
    """PgQueuer and nothing else, over a database of its own."""

    def __init__(self, url: str, nursery: Nursery, batch: int = BASELINE_BATCH) -> None:
        self._url = url
        self._nursery = nursery
        self._batch = batch

    def install(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(QueryBuilderEnvironment().build_install_query().encode())

    async def measure(self) -> float:
        """Enqueue, then consume."""
        async with self._driver() as driver:
            queries = Queries(driver)
            for _ in range(0, JOBS, 500):
                await queries.enqueue(["noop"] * 500, [b"1"] * 500, [0] * 500)
            count = Count(JOBS)
            manager = QueueManager(queries)

            @manager.entrypoint("noop", accepts_context=False)
            async def noop(row: QueueRow) -> None:
                count.start()
                count.one()

            running = asyncio.ensure_future(manager.run(dequeue_timeout=timedelta(seconds=1), batch_size=self._batch))
            try:
                return await count.rate()
            finally:
                manager.shutdown.set()
                await running

    @asynccontextmanager
    async def _driver(self) -> AsyncIterator[QueueDriver]:
        async with AsyncExitStack() as stack:
            pool: AsyncConnectionPool[AsyncConnection[Any]] = AsyncConnectionPool(
                self._url, min_size=4, max_size=4, open=False, kwargs={"autocommit": True}
            )
            await stack.enter_async_context(pool)
            listener = await AsyncConnection.connect(self._url, autocommit=True)
            stack.push_async_callback(listener.close)
            await listen(listener, DBSettings().channel)
            yield QueueDriver(pool, listener, self._nursery, lambda: None)


async def record(url: str) -> float:
    """Use cases a second: a transfer, an event, two deliveries and two jobs in one transaction."""
    registry = Registry()
    registry.subscribe(*(Subscription(Paid, f"bench.paid{number}", _ignore) for number in range(2)))
    database = Database(url, FakeClock(), registry, size=RECORDERS)
    ledger = LedgerService(database)
    dice, counts = random.Random(1), [0] * RECORDERS
    entries = (
        (Entry(user_account(n, "wallet"), 10**6), Entry(house_account("bank"), -(10**6))) for n in range(1, PEOPLE + 1)
    )
    funds = [NewPosting(f"fund:{n}", "deposit", each, "to play with") for n, each in enumerate(entries)]
    async with database.transaction() as tx:
        await ledger.post_many(tx, funds)
    end = monotonic() + RECORD_SECONDS

    async def use(number: int) -> None:
        while monotonic() < end:
            one, two = dice.sample(range(1, PEOPLE + 1), 2)
            moved = (Entry(user_account(one, "wallet"), -1), Entry(user_account(two, "wallet"), 1))
            async with database.transaction() as tx:
                key = f"use:{number}:{counts[number]}"
                await ledger.post(tx, key=key, kind="adjustment", entries=moved, description="a transfer")
                tx.record(Paid(number=counts[number]))
            counts[number] += 1

    await asyncio.gather(*(use(number) for number in range(RECORDERS)))
    await database.stop()
    return sum(counts) / RECORD_SECONDS


async def _ignore(tx: Tx, event_id: str, event: Event) -> None:
    """Heard by nobody: these are only recorded."""


async def in_turn(cluster: Cluster) -> tuple[list[float], list[float], float, float]:
    """Pairs, every second one with the other side first; then the reading, and the recording."""
    nursery = Nursery()
    ours, bare = Ours(cluster.clone(), nursery), Bare(conninfo(cluster.empty()), nursery)
    bare.install()
    mine: list[float] = []
    theirs: list[float] = []
    sides: list[tuple[Callable[[], Awaitable[float]], list[float]]] = [(ours.measure, mine), (bare.measure, theirs)]
    for turn in range(PAIRS):
        for measure_side, figures in sides[:: -1 if turn % 2 else 1]:
            gc.collect()
            figures.append(await measure_side())
    await ours.stop()
    reader = Ours(cluster.clone(), nursery, reading=True)
    read = await reader.measure(READING_JOBS)
    await reader.stop()
    recorded = await record(cluster.clone())
    await nursery.stop()
    return mine, theirs, read, recorded


def measure(wanted: Sequence[str]) -> Sequence[Result]:
    """The line `events`, and `events_reading` and `events_recorded` beside it."""
    with tempfile.TemporaryDirectory(prefix="viralcore-bench-") as folder:
        server = EmbeddedPostgres(Path(folder), durable=True, tuning={"shared_buffers": "256MB"})
        try:
            cluster = Cluster(server, server.start())
            mine, theirs, read, recorded = runtime.run(in_turn(cluster))
        finally:
            server.stop()
            server.wipe()
    return [
        compared("events", mine, theirs, "jobs/s", baseline_name="PgQueuer, bare no-op", goal=GOAL),
        absolute("events_reading", read, "jobs/s", better="higher"),
        absolute("events_recorded", recorded, "use cases/s", better="higher"),
    ]

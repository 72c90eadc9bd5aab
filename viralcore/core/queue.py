"""The queue engine: runs PgQueuer for deliveries and effects in this process, through losses of the database and to a
graceful end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any

import structlog
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job as QueueRow
from pgqueuer.domain.types import QueueEntrypoint, QueueManagerId
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from viralcore.core import outbox
from viralcore.core.db import Database, conninfo
from viralcore.core.deliveries import Deliveries
from viralcore.core.effect_runner import EffectRunner
from viralcore.core.jobs import Job
from viralcore.core.loop import be_patient
from viralcore.core.nursery import Nursery
from viralcore.core.purge import purge
from viralcore.core.queue_driver import QueueDriver, listen
from viralcore.core.turns import Turns
from viralcore.core.workers import Worker

log = structlog.get_logger(__name__)

POLL = timedelta(seconds=1)
"""A missed notice costs a second."""
HEARTBEAT = timedelta(seconds=30)
BATCH = 128
"""Jobs taken in one statement: what a fetch costs does not depend on how many it brings."""
DELIVERIES_AT_ONCE = 8
DELIVERIES_IN_HAND = 2 * BATCH
"""Deliveries taken from the queue and not over, beyond which this process fetches no more. Without a bound they would
fill it while they step aside for urgent effects, and leave no room to fetch those."""
AHEAD = 3
"""Effects taken from the queue for each that may run. PgQueuer notes the end of a job, and looks for the next, up to a
fifth of a second later: what is to follow must be here already, or a kind's places stand empty half of the time."""
LONGEST_PAUSE = 5.0
KEEPALIVE: dict[str, Any] = {"keepalives": 1, "keepalives_idle": 20, "keepalives_interval": 5, "keepalives_count": 3}


class _Manager(QueueManager):
    """Fetches no deliveries while `too_many` are in hand. A limit in the database would count those of all processes,
    and costs each fetch a seat for every job."""

    too_many: Callable[[], bool] = staticmethod(lambda: False)

    def entrypoints_below_capacity_limits(self) -> set[QueueEntrypoint]:
        wanted = super().entrypoints_below_capacity_limits()
        return wanted - {QueueEntrypoint(outbox.DELIVER)} if self.too_many() else wanted


class QueueEngine:
    """Deliveries and effects of one process. Register everything in the database's registry before `start`."""

    def __init__(self, db: Database, nursery: Nursery) -> None:
        self._db = db
        self._nursery = nursery
        self._worker = Worker()
        self.deliveries = Deliveries(db, parallelism=DELIVERIES_AT_ONCE)
        self.effects = EffectRunner(db, self._worker)
        self._turns = Turns()
        self._delivering = 0
        self._manager: QueueManager | None = None
        self._task: asyncio.Task[Any] | None = None
        self._running: set[asyncio.Task[Any]] = set()
        self._stopping = False
        self._ready = asyncio.Event()

    async def start(self) -> None:
        """Begin to work; returns at once, and keeps trying while the database is away."""
        self._task = self._nursery.start("queue", self._keep_running())

    async def ready(self, timeout: float = 10.0) -> None:  # noqa: ASYNC109 - a bound on waiting, not on the work
        """Wait until jobs are being fetched. Raises TimeoutError."""
        await asyncio.wait_for(self._ready.wait(), timeout)

    @property
    def alive(self) -> bool:
        """Whether jobs are being fetched now, for /ready."""
        return self._ready.is_set()

    async def stop(self, timeout: float = 8.0) -> None:  # noqa: ASYNC109 - a bound on waiting, not on the work
        """Fetch no more, let what runs finish for up to `timeout` seconds, hand the rest back."""
        self._stopping = True
        if self._manager is not None:
            self._manager.shutdown.set()
        if self._task is None:
            return
        await asyncio.wait({self._task}, timeout=timeout)
        if not self._task.done():
            log.warning("queue_jobs_cancelled", count=len(self._running))
            for job in self._running:
                job.cancel()
            await asyncio.wait({self._task}, timeout=2.0)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=1.0)

    # --- jobs and figures for the scheduler and the metrics -----------------------------------------------------

    @property
    def jobs(self) -> tuple[Job, ...]:
        """For the scheduler: releasing what is due, finding what was abandoned, clearing away what is old."""
        return (
            Job(name=RELEASE_JOB, every_seconds=10, run=self.release_due, next_due=self.next_due, order=50),
            Job(name="core.recover", every_seconds=15, run=self.recover, order=60),
            Job(name="core.purge", every_seconds=86400, run=self.purge, order=900),
        )

    async def release_due(self) -> None:
        """Queue every delivery and effect whose business moment has come."""
        await self.deliveries.release_due()
        await self.effects.release_due()

    async def next_due(self) -> datetime | None:
        """The next business moment at which a delivery or an effect becomes due."""
        moments = [await self.deliveries.next_due(), await self.effects.next_due()]
        return min((moment for moment in moments if moment is not None), default=None)

    async def recover(self) -> None:
        """Take back what dead workers held, and queue what has no job."""
        await self.effects.recover()
        await self.effects.requeue_stranded()
        await self.deliveries.requeue_stranded()

    async def purge(self) -> None:
        """Delete what is not kept any longer."""
        await purge(self._db)

    # --- the engine ----------------------------------------------------------------------------------------------

    async def _keep_running(self) -> None:
        be_patient()
        pause = 0.1
        while not self._stopping:
            try:
                await self._run()
                pause = 0.1
            except Exception as error:
                log.warning("queue_restarts", reason=f"{type(error).__name__}: {error}", again_in=pause)
            finally:
                self._ready.clear()
            if not self._stopping:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _run(self) -> None:
        """One life of PgQueuer's manager: from connecting to the loss of the database or our stop."""
        address = conninfo(self._db.url)
        async with AsyncExitStack() as stack:
            pool: AsyncConnectionPool[AsyncConnection[Any]] = AsyncConnectionPool(
                address,
                min_size=1,
                max_size=4,
                timeout=5,
                reconnect_timeout=5,
                open=False,
                kwargs={"autocommit": True, "connect_timeout": 5, "prepare_threshold": self._db.prepare_threshold},
                configure=self._prepare,
                name="queue",
            )
            stack.push_async_callback(pool.close, 1.0)
            await pool.open(wait=True, timeout=5)
            listener = await AsyncConnection.connect(address, autocommit=True, connect_timeout=5, **KEEPALIVE)
            stack.push_async_callback(listener.close)
            await self._db.prepare(listener)
            await listen(listener, outbox.QUEUE_SETTINGS.channel)
            await self._worker.register(listener)
            await self.effects.recover(own_jobs=True)
            await self.recover()
            manager = self._build(pool, listener)
            kinds = self._db.registry.kinds
            if self._stopping:
                return
            self._manager = manager
            self._ready.set()
            log.info("queue_running", worker=self._worker.uuid)
            try:
                await manager.run(
                    dequeue_timeout=POLL,
                    batch_size=BATCH,
                    max_concurrent_tasks=2 * DELIVERIES_IN_HAND
                    + AHEAD * sum(kind.parallelism for kind in kinds.values()),
                    shutdown_on_listener_failure=True,
                    heartbeat_timeout=HEARTBEAT,
                    log_aggregation_interval=timedelta(0),
                )
            finally:
                self._manager = None

    async def _prepare(self, connection: AsyncConnection[Any]) -> None:
        """PgQueuer's own statements do not wait for the disk.

        They only say which job is queued, taken or over. When the machine goes down and the last of them are lost, a
        job is run again, and its row says that it is done; jobs are enqueued by other connections, with what they do.
        """
        await self._db.prepare(connection)
        await connection.execute("SET synchronous_commit = off")

    def _build(self, pool: AsyncConnectionPool[AsyncConnection[Any]], listener: AsyncConnection[Any]) -> QueueManager:
        def lost() -> None:
            manager.shutdown.set()

        driver = QueueDriver(pool, listener, self._nursery, lost)
        manager = _Manager(outbox.queue_queries(driver), channel=outbox.QUEUE_SETTINGS.channel)
        manager.too_many = lambda: self._delivering >= DELIVERIES_IN_HAND
        # The same id for the life of the process: it is what the effects are claimed by.
        manager.queue_manager_id = QueueManagerId(self._worker.uuid_value)
        manager.entrypoint(outbox.DELIVER, accepts_context=False)(self._job(self._deliver))
        for name, kind in self._db.registry.kinds.items():
            entrypoint = manager.entrypoint(
                outbox.effect_entrypoint(name), concurrency_limit=AHEAD * kind.parallelism, accepts_context=False
            )
            entrypoint(self._job(self._in_place(asyncio.Semaphore(kind.parallelism), urgent=kind.urgent)))
        return manager

    def _job(self, work: Callable[[str, int], Awaitable[None]]) -> Callable[[QueueRow], Awaitable[None]]:
        async def run(row: QueueRow) -> None:
            target, _, gen = (row.payload or b"").decode().rpartition(":")
            task = asyncio.current_task()
            if task is not None:
                self._running.add(task)
            try:
                await work(target.partition(":")[2], int(gen))
            except RetryRequested:
                raise
            except Exception as error:
                # The row still says what is to be done; only the database could not be asked.
                log.exception("queue_job_failed", entrypoint=row.entrypoint)
                raise RetryRequested(delay=timedelta(seconds=1), reason=type(error).__name__) from error
            finally:
                if task is not None:
                    self._running.discard(task)

        return run

    async def _deliver(self, target: str, gen: int) -> None:
        event_id, _, subscriber = target.partition(":")
        self._delivering += 1
        try:
            async with self._turns.aside():
                await self.deliveries.deliver(event_id, subscriber, gen)
        finally:
            self._delivering -= 1

    def _in_place(self, places: asyncio.Semaphore, *, urgent: bool) -> Callable[[str, int], Awaitable[None]]:
        """An effect in one of its kind's places in this process."""

        async def run(target: str, gen: int) -> None:
            async with places:
                if self._stopping:  # it has not begun: somebody else may have it
                    raise RetryRequested(delay=timedelta(0), reason="stopping")
                await self.effects.run(int(target), gen)

        async def at_once(target: str, gen: int) -> None:
            with self._turns.urgent():
                await run(target, gen)

        async def aside(target: str, gen: int) -> None:
            async with self._turns.aside():
                await run(target, gen)

        return at_once if urgent else aside


RELEASE_JOB = "core.release_due"
"""Woken by `Database.on_due`: `db.on_due = lambda: scheduler.wake(RELEASE_JOB)`."""

"""The clock's work: APScheduler wakes jobs, a turn of the clock wakes them all, and the rows decide what is due."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler  # type: ignore[import-untyped]
from sqlalchemy import text

from viralcore.core.clock import Clock, SystemClock, monotonic
from viralcore.core.db import Database
from viralcore.core.jobs import Job
from viralcore.core.leases import Lease, Leases
from viralcore.core.log import correlated
from viralcore.core.loop import be_patient
from viralcore.core.metrics import Metrics
from viralcore.core.nursery import Nursery

log = structlog.get_logger(__name__)

LEASE = "clock"
_RECORD = text("""
INSERT INTO core.job_runs AS r (name, last_run, last_ok, error)
SELECT :name, :at, :ok, :error
WHERE EXISTS (SELECT 1 FROM core.leases WHERE name = :lease AND epoch = :epoch)
ON CONFLICT (name) DO UPDATE SET last_run = excluded.last_run, last_ok = excluded.last_ok, error = excluded.error
""")
_LAST_RUN = text("SELECT max(last_run) FROM core.job_runs")
_WALL = SystemClock()
RARE_SECONDS = 600
"""Jobs that come at least this seldom (audits, tidying) do not run at every small turn of the clock."""


class _Runner:
    """One job: at most one run at a time; a call that comes during a run causes exactly one more."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.asked = 0  # runs asked for
        self.served = 0  # asks that a run started after
        self.busy = False
        self.due: datetime | None = None
        self.overdue_pause = 0.0
        self.began: datetime | None = None  # business time of the last run
        self.finished = asyncio.Condition()

    def is_due(self, now: datetime) -> bool:
        """Whether a turn of the clock to `now` is a reason to run: a poll always does, a rare job by its interval."""
        if self.began is None or self.job.every_seconds < RARE_SECONDS:
            return True
        return abs((now - self.began).total_seconds()) >= self.job.every_seconds


class Scheduler:
    """Runs the jobs of the process that holds the clock's lease."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        nursery: Nursery,
        leases: Leases,
        *,
        metrics: Metrics | None = None,
        watch_seconds: float = 0.05,
        lease_seconds: float = 10.0,
        run_limit_seconds: float = 120.0,
    ) -> None:
        self._db = db
        self._clock = clock
        self._nursery = nursery
        self._leases = leases
        self._metrics = metrics or Metrics()
        self._watch_seconds = watch_seconds
        self._lease_seconds = lease_seconds
        self._run_limit = run_limit_seconds
        self._runners: dict[str, _Runner] = {}
        self._aps = AsyncIOScheduler(timezone="UTC", job_defaults={"coalesce": True, "misfire_grace_time": None})
        self._lease: Lease | None = None
        self._settled: float | None = None
        self._closing = False

    def add(self, jobs: Iterable[Job]) -> None:
        """Register jobs, before `start`. Raises ValueError on a name taken."""
        for job in jobs:
            if job.name in self._runners:
                raise ValueError(f"two jobs are called {job.name}")
            self._runners[job.name] = _Runner(job)

    async def start(self) -> None:
        """Begin to try for the lease; the jobs start when it is held."""
        self._aps.start(paused=True)
        self._nursery.keep("scheduler", self._lead, longest=5.0)

    async def stop(self, timeout: float = 5.0) -> None:  # noqa: ASYNC109 - a bound on waiting, not on the work
        """Start no more runs, wait for the running ones, give the lease back."""
        self._closing = True
        if self._aps.running:
            self._aps.shutdown(wait=False)
        deadline = monotonic() + timeout
        while any(r.busy for r in self._runners.values()) and monotonic() < deadline:  # noqa: ASYNC110 - once
            await asyncio.sleep(0.01)
        if self._lease is not None:
            lease, self._lease = self._lease, None
            try:
                await self._leases.release(lease)
            except Exception:
                log.exception("lease_not_released")  # it runs out by itself

    def wake(self, name: str) -> None:
        """Run a job soon (used after a commit that made something due). Never lost while it is running; cheap."""
        runner = self._runners.get(name)
        if runner is None:
            log.error("unknown_job_woken", job=name)
            return
        self._ask(runner)

    @property
    def leading(self) -> bool:
        """Whether this process runs the clock."""
        return self._lease is not None

    def settled_offset(self) -> float:
        """The clock offset for which every job has completed a run; NaN before the first round."""
        return float("nan") if self._settled is None else self._settled

    async def next_due(self) -> datetime | None:
        """The next business moment, after now, at which some job has something due."""
        now = self._clock.now()
        moments = [await self._read_due(runner) for runner in self._runners.values()]
        return min((moment for moment in moments if moment is not None and moment > now), default=None)

    async def backlog(self) -> int:
        """Jobs that run now or should."""
        return sum(1 for runner in self._runners.values() if runner.busy or runner.asked > runner.served)

    # --- leading -------------------------------------------------------------------------------------------------

    async def _lead(self) -> None:
        while not self._closing:
            lease = await self._leases.acquire(LEASE, seconds=self._lease_seconds)
            if lease is None:
                await asyncio.sleep(min(1.0, self._lease_seconds / 4))
                continue
            await self._reign(lease)

    async def _reign(self, lease: Lease) -> None:
        log.info("clock_taken", epoch=lease.epoch)
        self._lease = lease
        self._settled = None
        try:
            for runner in self._runners.values():
                self._every(runner)
            self._aps.resume()
            watch = self._nursery.keep("clock-watch", lambda: self._watch(lease))
            try:
                await self._hold(lease)
            finally:
                watch.cancel()
        finally:
            self._lease = None if self._lease is lease else self._lease
            if self._aps.running:
                self._aps.pause()
                self._aps.remove_all_jobs()

    async def _hold(self, lease: Lease) -> None:
        """Renew until it fails. Not being able to ask is a failure too, once the lease may have run out."""
        renewed = monotonic()
        while monotonic() - renewed < self._lease_seconds * 0.7:
            await asyncio.sleep(self._lease_seconds / 4)
            if self._lease is not lease:
                return
            asked = monotonic()
            try:
                async with asyncio.timeout(self._lease_seconds / 4):
                    if not await self._leases.renew(lease, seconds=self._lease_seconds):
                        break
                renewed = asked
            except Exception:
                log.exception("lease_renewal_failed")
        log.warning("clock_lost", epoch=lease.epoch)

    async def _watch(self, lease: Lease) -> None:
        """Every turn of the clock runs every poll once, and the rarer jobs when their time has come; the first look
        runs them all."""
        while self._lease is lease:
            offset = self._clock.offset()
            if offset != self._settled:
                await self._round()
                if self._lease is lease:
                    self._settled = offset
            else:
                await asyncio.sleep(self._watch_seconds)

    async def _round(self) -> None:
        now = self._clock.now()
        due = [runner for runner in self._runners.values() if runner.is_due(now)]
        ordered = sorted(due, key=lambda runner: runner.job.order)
        for _, group in groupby(ordered, key=lambda runner: runner.job.order):
            await asyncio.gather(*(self._run_after_now(runner) for runner in group))

    # --- running -------------------------------------------------------------------------------------------------

    def _every(self, runner: _Runner) -> None:
        async def fire() -> None:
            self._ask(runner)

        self._aps.add_job(
            fire, "interval", seconds=runner.job.every_seconds, id=f"every:{runner.job.name}", replace_existing=True
        )

    def _ask(self, runner: _Runner) -> int:
        """Ask for a run that starts after now; returns the ticket to wait for."""
        if self._lease is None or self._closing:
            return runner.served
        runner.asked += 1
        if not runner.busy:
            runner.busy = True
            self._nursery.start(f"job:{runner.job.name}", self._serve(runner))
        return runner.asked

    async def _run_after_now(self, runner: _Runner) -> None:
        ticket = self._ask(runner)
        async with runner.finished:
            await runner.finished.wait_for(lambda: runner.served >= ticket or self._closing)

    async def _serve(self, runner: _Runner) -> None:
        be_patient()
        try:
            while runner.asked > runner.served and self._lease is not None and not self._closing:
                serving, runner.began = runner.asked, self._clock.now()
                await self._once(runner.job, self._lease)
                await self._plan(runner)
                runner.served = serving
                async with runner.finished:
                    runner.finished.notify_all()
        finally:
            runner.served = runner.asked
            runner.busy = False
            async with runner.finished:
                runner.finished.notify_all()

    async def _once(self, job: Job, lease: Lease) -> None:
        error = ""
        with correlated(job=job.name):
            try:
                async with asyncio.timeout(self._run_limit):
                    await job.run()
            except Exception as failure:
                error = f"{type(failure).__name__}: {failure}"[:500]
                log.exception("job_failed", job=job.name)
        self._metrics.jobs.labels(job=job.name, outcome="failed" if error else "ok").inc()
        try:
            async with self._db.transaction() as tx:
                facts = {"name": job.name, "at": tx.now, "ok": not error, "error": error}
                await tx.conn.execute(_RECORD, {**facts, "lease": lease.name, "epoch": lease.epoch})
        except Exception:
            log.exception("job_run_not_recorded", job=job.name)

    # --- due moments ---------------------------------------------------------------------------------------------

    async def _plan(self, runner: _Runner) -> None:
        """Set the date job for the moment that is due next, as wall time: business time minus the clock's offset.

        What is still due right after a run waits for something else; it is looked at again with a growing pause.
        """
        due = await self._read_due(runner)
        name = f"due:{runner.job.name}"
        if due is None or self._lease is None or self._closing:
            runner.due = None
            if self._aps.get_job(name) is not None:
                self._aps.remove_job(name)
            return
        wait = (due - self._clock.now()).total_seconds()
        if wait <= 0:
            repeated = due == runner.due
            runner.overdue_pause = min(runner.overdue_pause * 2, runner.job.every_seconds) if repeated else 0.1
            wait = runner.overdue_pause
        else:
            runner.overdue_pause = 0.1
        runner.due = due

        async def fire() -> None:
            self._ask(runner)

        run_date = _WALL.now() + timedelta(seconds=wait)
        self._aps.add_job(fire, "date", run_date=run_date, id=name, replace_existing=True)

    async def _read_due(self, runner: _Runner) -> datetime | None:
        if runner.job.next_due is None:
            return None
        try:
            return await runner.job.next_due()
        except Exception:
            log.exception("next_due_failed", job=runner.job.name)
            return None


async def last_alive(db: Database) -> datetime | None:
    """The business moment of the last job anybody ran: how long we were away, at start. None on a new database."""
    async with db.read() as conn:
        found: datetime | None = (await conn.execute(_LAST_RUN)).scalar_one_or_none()
    return found

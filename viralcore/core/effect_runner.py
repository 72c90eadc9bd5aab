"""Runs effects: slot, claim, call, record (DESIGN 6). Between two of these steps the process may die at any point."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from psycopg import AsyncRawCursor

from viralcore.core import effect_store as store
from viralcore.core import outbox
from viralcore.core.clock import monotonic
from viralcore.core.db import Database, Tx, connection_lost, raw_connection
from viralcore.core.effects import EffectCall, EffectKind, Later, Outcome, Refused, Said, SetKind, Unknown
from viralcore.core.log import correlated, correlation_id
from viralcore.core.together import Together
from viralcore.core.workers import Worker

log = structlog.get_logger(__name__)

KEYED_QUIET = 600.0
"""Business seconds before a silent keyed call is asked about (and, not found, sent again)."""
REPEAT_DELAYS = (5.0, 30.0, 120.0, 600.0)
SLOT_DELAY = 15.0
RECORD_DELAYS = (5.0, 30.0, 120.0, 600.0)
SHORTEST_WAIT = 0.05
CALL_LIMIT = 300.0
"""Machine seconds after which a call without timeouts of its own is given up as silent."""
LAST_WORD = 1.5
"""Machine seconds in which a call that is cut off by our own end is recorded as silent."""
RECORD_PATIENCE = 60.0
"""Machine seconds for which an answer waits in memory for a database that went away."""


class _Silence(Unknown):
    """`call` raised or took too long. Told apart from an Unknown it returned only in the log."""


@dataclass(frozen=True, slots=True)
class _Job:
    """One effect in one round."""

    effect_id: int
    gen: int
    kind: EffectKind
    sealed: bool


@dataclass(frozen=True, slots=True)
class _Answer:
    """A last word on its way into the database. `values`: as `store.RECORD` takes them."""

    said: Said
    values: dict[str, Any]


class EffectRunner:
    """Runs the effects of one process. `worker` is who claims them.

    Reading, claiming, and recording of the kinds that can take it (`SetKind`), go together for all that are asked for
    at the same moment. What each step means is as it was: a claim is on disk before its call, and an outcome and its
    consequences are one transaction, which several may share. When that fails, each has one of its own.
    """

    def __init__(self, db: Database, worker: Worker) -> None:
        self._db = db
        self._worker = worker
        self._in_flight: set[int] = set()
        self._reads = db.together("core.effects.read", self._read_at_once, patient=True)
        self._claims = db.together("core.effects.claim", self._claim_at_once, patient=True)
        self._recorders: dict[str, Together[_Answer, None]] = {}
        self.counted: Callable[[str, str], None] = lambda kind, outcome: None
        """Told how rounds end (succeeded, refused, unknown, postponed, held), for the metrics."""

    async def run(self, effect_id: int, gen: int) -> None:
        """One round of one effect. Raises only when the database cannot be reached before anything was sent."""
        row = await self._reads((effect_id, gen))
        if row is None:
            return  # over, waiting, or the job of an earlier round
        kind = self._db.registry.kinds.get(row.kind)
        if kind is None:
            await self._hold(effect_id, gen, "this build has no such kind")
            return
        job = _Job(effect_id, gen, kind, row.sealed is not None)
        with correlated(row.correlation_id, effect=row.kind, effect_id=effect_id):
            try:
                payload = (
                    store.open_sealed(self._db.cipher, row.sealed) if row.sealed is not None else row.payload or {}
                )
                answer = store.unpack(row.answer or {}, self._db.cipher) if row.state == "answered" else None
            except Exception as error:
                log.exception("effect_unreadable")
                await self._hold(effect_id, gen, f"{type(error).__name__}: {error}")
                return
            self._in_flight.add(effect_id)
            try:
                if answer is not None:
                    call = EffectCall(effect_id, row.key, row.attempts, payload)
                    await self._record(job, call, answer, row.record_failures)
                else:
                    await self._first(job, EffectCall(effect_id, row.key, 0, payload), row.attempts)
            finally:
                self._in_flight.discard(effect_id)

    async def _first(self, job: _Job, call: EffectCall, attempts: int) -> None:
        """Slot, claim, call; then settle with the slot given back."""
        said: Outcome | Later | None = None
        claimed = False
        try:
            async with job.kind.slot(call.payload):
                attempt = await self._claims((job.effect_id, job.gen))
                if attempt is None:
                    return
                claimed = True
                call = EffectCall(call.effect_id, call.key, attempt, call.payload)
                said = await self._call(job.kind, call)
        except asyncio.CancelledError:
            if claimed:
                await self._last_word(job, call, said or _Silence("stopped"))
            raise
        except Exception as error:
            if not claimed:
                if connection_lost(error):
                    raise
                log.warning("effect_slot_refused", reason=f"{type(error).__name__}: {error}")
                await self._postpone(job, attempts, getattr(error, "retry_after", None) or SLOT_DELAY, "slot refused")
                return
            log.exception("effect_slot_not_left")
            said = said or _Silence("slot_failed")
        if said is not None:
            await self._settle(job, call, said)

    async def _last_word(self, job: _Job, call: EffectCall, said: Outcome | Later) -> None:
        """We are to stop. What is known is kept, and that nothing is known is said now; what does not get through is
        found as abandoned when we are gone."""
        try:
            async with asyncio.timeout(LAST_WORD):
                await self._settle(job, call, said)
        except Exception:
            log.warning("effect_last_word_lost", exc_info=True)

    async def _read_at_once(self, asked: Sequence[tuple[int, int]]) -> list[store.Found | None]:
        rows = await self._db.rows(store.READ, ([number for number, _ in asked], [gen for _, gen in asked]))
        found = {(row[0], row[1]): store.Found(*row[2:]) for row in rows}
        return [found.get(one) for one in asked]

    async def _claim_at_once(self, asked: Sequence[tuple[int, int]]) -> list[int | None]:
        """The number of the attempt for each that is ours now; of two that ask for the same, one gets it."""
        rows = sorted(asked)  # in one order for everybody: two processes then wait for, not lock, each other
        columns = ([number for number, _ in rows], [gen for _, gen in rows])
        claimed = await self._db.write(store.CLAIM, (*columns, self._worker.uuid_value))
        found = {(row[0], row[1]): int(row[2]) for row in claimed}
        return [found.pop(one, None) for one in asked]

    @staticmethod
    async def _call(kind: EffectKind, call: EffectCall) -> Outcome | Later:
        try:
            async with asyncio.timeout(CALL_LIMIT):
                return await kind.call(call)
        except Exception as error:
            log.exception("effect_call_failed", attempt=call.attempt)
            return _Silence(type(error).__name__)

    async def _settle(self, job: _Job, call: EffectCall, said: Outcome | Later) -> None:
        """Decide by the kind's silence whether this was the last word."""
        last = call.attempt >= job.kind.max_attempts
        if isinstance(said, Later):
            if not said.counts:
                await self._postpone(job, call.attempt - 1, said.seconds, said.reason)
            elif not last:
                await self._postpone(job, call.attempt, said.seconds, said.reason)
            else:
                await self._record(job, call, Refused("gave_up", {"last": said.reason}), 0)
        elif isinstance(said, Unknown) and job.kind.silence != "once" and not last:
            await self._postpone(job, call.attempt, _quiet(job.kind, call.attempt), said.reason)
        elif isinstance(said, Unknown) and job.kind.silence == "repeat":
            await self._record(job, call, Refused("gave_up", {"last": said.reason}), 0)
        else:
            outcome = Unknown(said.reason, said.data) if isinstance(said, Unknown) else said
            await self._record(job, call, outcome, 0)

    async def _postpone(self, job: _Job, attempts: int, seconds: float, reason: str) -> None:
        async def work(tx: Tx) -> None:
            due = tx.now + timedelta(seconds=max(seconds, SHORTEST_WAIT))
            values = {"id": job.effect_id, "gen": job.gen, "worker": self._worker.uuid}
            await tx.conn.execute(store.POSTPONE, {**values, "due": due, "attempts": attempts, "error": reason[:2000]})

        await self._insist(partial(self._db.run, work))
        self.counted(job.kind.name, "postponed")
        if self._db.on_due is not None:
            self._db.on_due()

    async def _record(self, job: _Job, call: EffectCall, outcome: Outcome, failures: int) -> None:
        """The outcome and what the module makes of it, in one transaction."""
        values = {
            "id": job.effect_id,
            "gen": job.gen,
            "worker": self._worker.uuid,
            "answer": store.pack(outcome, self._db.cipher if job.sealed else None),
            "error": store.reason_of(outcome)[:2000],
        }

        try:
            if isinstance(job.kind, SetKind):
                answer = _Answer(Said(call, outcome, correlation_id.get()), values)
                await self._insist(partial(self._recorder(job.kind, job.kind.name), answer))
            else:
                await self._insist(partial(self._db.run, partial(self._record_one, job.kind, call, outcome, values)))
        except Exception as error:
            if connection_lost(error):
                raise
            log.exception("effect_outcome_failed", failures=failures + 1)
            held = await self._keep_answer(values, failures, f"{type(error).__name__}: {error}")
            self.counted(job.kind.name, "held" if held else "postponed")
        else:
            self.counted(job.kind.name, store.state_of(outcome))

    @staticmethod
    async def _record_one(kind: EffectKind, call: EffectCall, outcome: Outcome, values: dict[str, Any], tx: Tx) -> None:
        done = await tx.conn.execute(store.RECORD, {**values, "state": store.state_of(outcome), "now": tx.now})
        if done.rowcount == 1:
            await kind.on_outcome(tx, call, outcome)
        else:
            _too_late(outcome)

    def _recorder(self, kind: SetKind, name: str) -> Together[_Answer, None]:
        """One for each kind: its outcomes are recorded one transaction after another, each with all that is there."""

        async def record(answers: Sequence[_Answer]) -> list[None]:
            await self._db.run(
                partial(self._record_set, kind, sorted(answers, key=lambda one: one.said.call.effect_id))
            )
            return [None] * len(answers)

        if name not in self._recorders:
            self._recorders[name] = self._db.together(f"core.effects.record.{name}", record, patient=True)
        return self._recorders[name]

    async def _record_set(self, kind: SetKind, answers: Sequence[_Answer], tx: Tx) -> None:
        cursor = AsyncRawCursor(await raw_connection(tx.conn))
        columns = (
            [one.values["id"] for one in answers],
            [one.values["gen"] for one in answers],
            [store.state_of(one.said.outcome) for one in answers],
            [outbox.dumps(one.values["answer"]) for one in answers],
            [one.values["error"] for one in answers],
        )
        await cursor.execute(store.RECORD_SET, (*columns, tx.now, self._worker.uuid_value))
        recorded = {number for (number,) in await cursor.fetchall()}
        for one in answers:
            if one.said.call.effect_id not in recorded:
                _too_late(one.said.outcome)
        ours = [one.said for one in answers if one.said.call.effect_id in recorded]
        if ours:
            await kind.on_outcomes(tx, ours)

    async def _keep_answer(self, values: dict[str, Any], failures: int, error: str) -> bool:
        """on_outcome failed: what the outside said is kept, and only the recording is tried again; True: by staff."""
        held = failures >= len(RECORD_DELAYS)

        async def work(tx: Tx) -> None:
            due = None if held else tx.now + timedelta(seconds=RECORD_DELAYS[failures])
            state = "held" if held else "answered"
            await tx.conn.execute(store.ANSWERED, {**values, "state": state, "due": due, "error": error[:2000]})

        await self._insist(partial(self._db.run, work))
        if held:
            log.error("effect_held", effect_id=values["id"], reason=error)
        elif self._db.on_due is not None:
            self._db.on_due()
        return held

    async def _insist(self, once: Callable[[], Awaitable[Any]]) -> None:
        """Do it in a transaction, waiting out a database that went away: what the outside said exists nowhere else."""
        deadline, pause = monotonic() + RECORD_PATIENCE, 0.1
        while True:
            try:
                await once()
                return
            except Exception as error:
                if not connection_lost(error) or monotonic() > deadline:
                    raise
                log.warning("effect_waits_for_database")
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)

    async def _hold(self, effect_id: int, gen: int, error: str) -> None:
        async with self._db.transaction() as tx:
            await tx.conn.execute(store.HOLD, {"id": effect_id, "gen": gen, "error": error[:2000]})
        log.error("effect_held", effect_id=effect_id, reason=error)

    # --- looked after by jobs ------------------------------------------------------------------------------------

    async def release_due(self) -> int:
        """Queue what has become due; returns how many."""
        return await self._queue_up(store.RELEASE, {"now": self._db.clock.now()})

    async def requeue_stranded(self) -> int:
        """Queue what should run but has no job, e.g. because the job was dropped while the database was away."""
        return await self._queue_up(store.STRANDED, {})

    async def _queue_up(self, statement: Any, values: dict[str, Any]) -> int:
        total = 0
        while True:
            async with self._db.transaction() as tx:
                rows = (await tx.conn.execute(statement, values)).all()
                await outbox.enqueue(await raw_connection(tx.conn), [outbox.effect_job(*row) for row in rows])
            total += len(rows)
            if len(rows) < store.BATCH:
                return total

    async def recover(self, *, own_jobs: bool = False) -> int:
        """Treat what dead workers, and earlier lives of this process, left in the middle; returns how many effects.

        `own_jobs`: also take back the jobs PgQueuer believes this process runs (before its engine starts again).
        """
        total = 0
        while True:
            async with self._db.transaction() as tx:
                living = await self._worker.living(tx)
                others = living - {self._worker.uuid} if own_jobs else living
                await tx.conn.execute(store.JOBS_BACK, {"living": sorted(others)})
                values = {"living": sorted(living), "me": self._worker.uuid, "in_flight": sorted(self._in_flight)}
                rows = (await tx.conn.execute(store.ABANDONED, values)).all()
                # Asked once more, with the rows locked: a call of ours may have begun between our list and the look.
                left = [row for row in rows if row.id not in self._in_flight]
                jobs = [job for row in left if (job := await self._abandoned(tx, row)) is not None]
                await outbox.enqueue(await raw_connection(tx.conn), jobs)
            total += len(left)
            if len(rows) < store.BATCH:
                return total

    async def _abandoned(self, tx: Tx, row: Any) -> outbox.QueueJob | None:
        """A call somebody died in: nobody knows whether it was made. The kind's silence says what that means."""
        kind = self._db.registry.kinds.get(row.kind)
        log.warning("effect_abandoned", effect_id=row.id, kind=row.kind, attempt=row.attempts)
        if kind is None or kind.silence == "once" or row.attempts >= kind.max_attempts:
            repeat = kind is not None and kind.silence == "repeat"
            outcome = Refused("gave_up", {"last": "crashed"}) if repeat else Unknown("crashed")
            await tx.conn.execute(store.CRASHED, {"id": row.id, "answer": store.pack(outcome, None)})
            return outbox.effect_job(row.id, row.kind, row.gen + 1)
        due = tx.now + timedelta(seconds=KEYED_QUIET) if kind.silence == "keyed" else None
        await tx.conn.execute(store.AGAIN, {"id": row.id, "due": due})
        return None if due is not None else outbox.effect_job(row.id, row.kind, row.gen + 1)

    async def backlog(self) -> int:
        """Effects that run now or could."""
        async with self._db.read() as conn:
            return int((await conn.execute(store.BACKLOG, {"now": self._db.clock.now()})).scalar_one())

    async def next_due(self) -> datetime | None:
        """Business time of the earliest effect that waits."""
        async with self._db.read() as conn:
            moment: datetime | None = (await conn.execute(store.NEXT)).scalar_one()
            return moment


def _too_late(outcome: Outcome) -> None:
    """We were taken for dead; what was decided then stands, and staff have the card for it."""
    log.error("effect_answer_too_late", outcome=store.state_of(outcome), reason=store.reason_of(outcome))


def _quiet(kind: EffectKind, attempt: int) -> float:
    if kind.silence == "keyed":
        return KEYED_QUIET
    return REPEAT_DELAYS[min(attempt, len(REPEAT_DELAYS)) - 1]

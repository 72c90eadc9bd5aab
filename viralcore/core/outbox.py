"""The outbox: events, their deliveries, effects and queue jobs, written with the transaction that caused them.

Everything here runs on the transaction's own psycopg connection, in a handful of statements however many rows.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.tm import TaskManager
from pgqueuer.domain.settings import DBSettings
from pgqueuer.ports.driver import Driver, NotifyCallback
from psycopg import AsyncConnection, AsyncRawCursor
from psycopg.rows import dict_row

QUEUE_SETTINGS = DBSettings(db_schema="queue")
DELIVER = "deliver"
"""The queue entrypoint of all deliveries; an effect kind has its own, `effect:<kind>`."""


class Cipher(Protocol):
    """What stores of secret payloads need of `core.crypto.Cipher`."""

    def encrypt(self, text: str) -> str: ...

    def decrypt(self, token: str) -> str: ...


@dataclass(frozen=True, slots=True)
class QueueJob:
    """One job to enqueue. `gen` tells a job of an earlier round from the one that counts."""

    entrypoint: str
    target: str
    gen: int

    @property
    def dedupe_key(self) -> str:
        return f"{self.target}:{self.gen}"

    @property
    def payload(self) -> bytes:
        return self.dedupe_key.encode()


def delivery_job(event_id: str, subscriber: str, gen: int) -> QueueJob:
    """The job of one delivery."""
    return QueueJob(DELIVER, f"d:{event_id}:{subscriber}", gen)


def effect_entrypoint(kind: str) -> str:
    """The queue entrypoint of an effect kind."""
    return f"effect:{kind}"


def effect_job(effect_id: int, kind: str, gen: int) -> QueueJob:
    """The job of one effect."""
    return QueueJob(effect_entrypoint(kind), f"e:{effect_id}", gen)


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event on its way into the database."""

    event_id: str
    name: str
    payload: Mapping[str, Any]
    correlation_id: str
    subscribers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordedEffect:
    """An effect on its way into the database. `due` None: at once."""

    kind: str
    key: str
    ref: str
    payload: Mapping[str, Any]
    secret: bool
    due: datetime | None
    correlation_id: str


_EVENTS = """
WITH stored AS (
    INSERT INTO core.events (id, name, payload, correlation_id, recorded_at)
    SELECT id, name, payload, correlation_id, $5
    FROM unnest($1::uuid[], $2::text[], $3::jsonb[], $4::text[]) AS new (id, name, payload, correlation_id)
)
INSERT INTO core.deliveries (event_id, subscriber) SELECT * FROM unnest($6::uuid[], $7::text[])
"""
_EFFECTS = """
INSERT INTO core.effects (kind, key, ref, payload, sealed, due, correlation_id, created_at)
SELECT kind, key, ref, payload, sealed, due, correlation_id, $8
FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::text[], $6::timestamptz[], $7::text[])
    AS new (kind, key, ref, payload, sealed, due, correlation_id)
ON CONFLICT (kind, key) DO NOTHING
RETURNING id, kind, gen, due
"""


def dumps(value: Mapping[str, Any]) -> str:
    """JSON of a payload; a value JSON does not know is a programming error."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


async def write(
    connection: AsyncConnection[Any],
    now: datetime,
    events: Sequence[RecordedEvent],
    effects: Sequence[RecordedEffect],
    cipher: Cipher | None,
) -> datetime | None:
    """Store events and effects with their jobs on an open transaction; returns the earliest due moment left waiting."""
    jobs = await _write_events(connection, now, events) if events else []
    earliest = None
    if effects:
        effect_jobs, earliest = await _write_effects(connection, now, effects, cipher)
        jobs += effect_jobs
    await enqueue(connection, jobs)
    return earliest


async def _write_events(
    connection: AsyncConnection[Any], now: datetime, events: Sequence[RecordedEvent]
) -> list[QueueJob]:
    heard = [(one.event_id, name) for one in events for name in one.subscribers]
    await AsyncRawCursor(connection).execute(
        _EVENTS,
        (
            [one.event_id for one in events],
            [one.name for one in events],
            [dumps(one.payload) for one in events],
            [one.correlation_id for one in events],
            now,
            [event_id for event_id, _ in heard],
            [name for _, name in heard],
        ),
    )
    return [delivery_job(event_id, name, 1) for event_id, name in heard]


async def _write_effects(
    connection: AsyncConnection[Any], now: datetime, effects: Sequence[RecordedEffect], cipher: Cipher | None
) -> tuple[list[QueueJob], datetime | None]:
    # In one order for everybody: two transactions that store the same keys then wait for, not lock, each other.
    rows = sorted(effects, key=lambda one: (one.kind, one.key))
    bodies = [dumps(one.payload) for one in rows]
    cursor = AsyncRawCursor(connection)
    await cursor.execute(
        _EFFECTS,
        (
            [one.kind for one in rows],
            [one.key for one in rows],
            [one.ref for one in rows],
            [None if one.secret else body for one, body in zip(rows, bodies, strict=True)],
            [_seal(cipher, body) if one.secret else None for one, body in zip(rows, bodies, strict=True)],
            [one.due if one.due is not None and one.due > now else None for one in rows],
            [one.correlation_id for one in rows],
            now,
        ),
    )
    stored = await cursor.fetchall()
    jobs = [effect_job(number, kind, gen) for number, kind, gen, due in stored if due is None]
    return jobs, min((due for *_, due in stored if due is not None), default=None)


def _seal(cipher: Cipher | None, body: str) -> str:
    if cipher is None:
        raise RuntimeError("a secret effect needs the cipher (ENCRYPTION_KEYS)")
    return cipher.encrypt(body)


async def enqueue(connection: AsyncConnection[Any], jobs: Sequence[QueueJob]) -> None:
    """Hand jobs to PgQueuer on this connection's open transaction; a job that is queued already is left alone."""
    if not jobs:
        return
    queries = queue_queries(TransactionDriver(connection))
    await queries.enqueue(
        [one.entrypoint for one in jobs],
        [one.payload for one in jobs],
        [0] * len(jobs),
        dedupe_key=[one.dedupe_key for one in jobs],
        on_conflict="skip",
    )


_ENVIRONMENT = QueryBuilderEnvironment(settings=QUEUE_SETTINGS)
_QUEUE = QueryQueueBuilder(settings=QUEUE_SETTINGS)
_SCHEDULER = QuerySchedulerBuilder(settings=QUEUE_SETTINGS)


def queue_queries(driver: Driver) -> Queries:
    """PgQueuer's statements over a driver, in our schema."""
    return Queries(driver, qbe=_ENVIRONMENT, qbq=_QUEUE, qbs=_SCHEDULER)


class TransactionDriver(Driver):
    """PgQueuer's driver over a connection with an open transaction: what it enqueues commits with everything else."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self._connection = connection
        self._shutdown = asyncio.Event()
        self._tasks = TaskManager()

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        cursor = AsyncRawCursor(self._connection, row_factory=dict_row)
        await cursor.execute(query, args or None)
        return await cursor.fetchall()

    async def execute(self, query: str, *args: object) -> str:
        cursor = AsyncRawCursor(self._connection)
        await cursor.execute(query, args or None)
        return cursor.statusmessage or ""

    async def notify(self, channel: str, payload: str) -> None:
        await self.execute("SELECT pg_notify($1, $2)", channel, payload)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        raise NotImplementedError("a transaction does not listen")

    @property
    def shutdown(self) -> asyncio.Event:
        return self._shutdown

    @property
    def tm(self) -> TaskManager:
        return self._tasks

    async def __aenter__(self) -> TransactionDriver:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

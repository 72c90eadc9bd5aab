"""The database: engine, transactions with the "no open transaction" guard, events and effects recorded with the work.

Repositories use `tx.conn` (SQLAlchemy Core). A transaction is opened by a service and by nobody else.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import psycopg
import structlog
from sqlalchemy import Executable, Row, bindparam, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from viralcore.core import outbox
from viralcore.core.clock import Clock
from viralcore.core.errors import CannotStart, KeyReused, OpenTransaction
from viralcore.core.events import Event
from viralcore.core.ids import new_uuid
from viralcore.core.log import correlation_id
from viralcore.core.nursery import Nursery
from viralcore.core.registry import Registry, encode
from viralcore.core.together import Together, Work
from viralcore.core.wires import Outcome, Rows, Wires, said_goodbye
from viralcore.core.wires import conninfo as conninfo
from viralcore.core.wires import driver_url as driver_url

log = structlog.get_logger(__name__)
Connection = AsyncConnection
"""What repositories take; services pass it on by this name and know no SQL library."""
T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

APP_ROLE = "viralcore_app"
RETRYABLE = frozenset({"40001", "40P01"})
"""serialization_failure, deadlock_detected: the transaction did nothing and may simply be run again."""

_open: ContextVar[Tx | _Reading | None] = ContextVar("open_transaction", default=None)

_ONCE_TAKE = text("""
INSERT INTO core.idempotency (scope, key, inputs_hash, created_at) VALUES (:scope, :key, :hash, :now)
ON CONFLICT (scope, key) DO NOTHING
""")
_ONCE_READ = text("SELECT inputs_hash, result FROM core.idempotency WHERE scope = :scope AND key = :key")
_ONCE_KEEP = text("UPDATE core.idempotency SET result = :result WHERE scope = :scope AND key = :key").bindparams(
    bindparam("result", type_=JSONB)
)
_BIND = text("INSERT INTO core.meta (key, value) VALUES ('environment', :name) ON CONFLICT (key) DO NOTHING")
_BOUND = text("SELECT value FROM core.meta WHERE key = 'environment'")


class WrongEnvironment(CannotStart):
    """This database belongs to another kind of environment: play money and real money never share one."""


class _Reading:
    """Marks an open `read()` in the context."""

    closed = False


class Tx:
    """One open transaction.

    `conn`: the SQLAlchemy Core connection. `now`: business time, fixed at the start of the transaction.
    """

    def __init__(self, conn: AsyncConnection, now: datetime, registry: Registry, cipher: outbox.Cipher | None) -> None:
        self.conn = conn
        self.now = now
        self.closed = False
        self.waits_for_disk = False
        self._registry = registry
        self._cipher = cipher
        self._events: list[outbox.RecordedEvent] = []
        self._effects: list[outbox.RecordedEffect] = []
        self._after: list[Callable[[], None]] = []

    def record(self, event: Event) -> str:
        """Make an event durable with this transaction; returns its id (uuid text). Written at commit, in order."""
        if not event.NAME:
            raise ValueError(f"{type(event).__name__} has no NAME")
        event_id = new_uuid()
        heard_by = self._registry.hearing(event.NAME)
        self.after_commit(partial(self._registry.recorded, event.NAME))
        self._events.append(outbox.RecordedEvent(event_id, event.NAME, encode(event), correlation_id.get(), heard_by))
        return event_id

    def effect(
        self,
        *,
        kind: str,
        key: str,
        payload: Mapping[str, Any],
        due: datetime | None = None,
        ref: str = "",
        secret: bool = False,
    ) -> None:
        """Store an effect of a registered kind with this transaction; a (kind, key) that exists already is left alone.

        `due`: business time before which it must not run. `ref`: whose it is (``order:12``), for screens and metrics.
        `secret`: encrypt the payload at rest. Raises ValueError on an unknown kind.
        """
        if kind not in self._registry.kinds:
            raise ValueError(f"no effect kind is called {kind}")
        self._effects.append(outbox.RecordedEffect(kind, key, ref, payload, secret, due, correlation_id.get()))

    def wait_for_disk(self) -> None:
        """Money moves here: the commit returns only when it is on disk, also where transactions may come back without
        (`core.deliveries`)."""
        self.waits_for_disk = True

    def after_commit(self, call: Callable[[], None]) -> None:
        """Run a cheap, non-failing callback after the commit (wake a job, drop a cache). Lost in a crash."""
        self._after.append(call)

    async def once(
        self, *, scope: str, key: str, inputs: Mapping[str, Any], run: Callable[[], Awaitable[Mapping[str, Any]]]
    ) -> Mapping[str, Any]:
        """Idempotency for a mutating door: the first call runs and stores its JSON result in this transaction; the same
        (scope, key) returns it. Raises KeyReused when the inputs differ.

        A second caller that comes while the first is at work waits at the insert until the first has committed.
        """
        digest = hashlib.sha256(json.dumps(inputs, sort_keys=True, default=str).encode()).hexdigest()
        which = {"scope": scope, "key": key}
        taken = await self.conn.execute(_ONCE_TAKE, {**which, "hash": digest, "now": self.now})
        if taken.rowcount == 0:
            known = (await self.conn.execute(_ONCE_READ, which)).one()
            if known.inputs_hash != digest:
                raise KeyReused(scope=scope, key=key)
            if known.result is None:
                raise RuntimeError(f"once({scope}) was entered twice in one transaction")
            stored: Mapping[str, Any] = known.result
            return stored
        # Through JSON, so that the first answer and every later one are the same thing.
        result: Mapping[str, Any] = json.loads(json.dumps(await run()))
        await self.conn.execute(_ONCE_KEEP, {**which, "result": result})
        return result

    async def flush(self) -> datetime | None:
        """Write what was recorded so far; called by `Database` before the commit. Returns the earliest future due."""
        if not self._events and not self._effects:
            return None
        raw = await raw_connection(self.conn)
        events, self._events = self._events, []
        effects, self._effects = self._effects, []
        return await outbox.write(raw, self.now, events, effects, self._cipher)

    def committed(self) -> None:
        """Run the after-commit callbacks; called by `Database`."""
        for call in self._after:
            try:
                call()
            except Exception:
                log.exception("after_commit_failed")


class Database:
    """Owns the connections: a pool for transactions, and a smaller one that can only read.

    `cipher` seals payloads of secret effects. `role` None: stay the login user (migrations, tools). `on_due` is called
    after a commit that left an effect waiting for a business moment.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        registry: Registry,
        *,
        cipher: outbox.Cipher | None = None,
        role: str | None = APP_ROLE,
        size: int = 12,
        read_size: int = 6,
        wires: int = 6,
        prepared: bool = True,
    ) -> None:
        self.url = url
        self.clock = clock
        self.registry = registry
        self.cipher = cipher
        self.role = role
        self.on_due: Callable[[], None] | None = None
        self.prepare_threshold = 5 if prepared else None
        self.size = size
        self._writing = self._engine(size, read_only=False)
        self._reading = self._engine(read_size, read_only=True)
        self._wires = Wires(self._wire, wires)
        self._soon = Wires(partial(self._wire, soon=True), wires)
        self._nursery = Nursery()

    async def start(self) -> None:
        """Prove that the database answers. Raises the driver's error when it does not."""
        async with self.read() as conn:
            await conn.execute(text("SELECT 1"))

    async def stop(self) -> None:
        """Close every connection."""
        await self._nursery.stop(1.0)
        self._nursery = Nursery()
        await self._wires.close()
        await self._soon.close()
        await self._writing.dispose()
        await self._reading.dispose()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """Open a transaction. Raises OpenTransaction when one is open in this task."""
        assert_no_transaction("a second transaction")
        async with self._writing.connect() as conn:
            # Without it, work done only on the raw connection would find commit() a no-op and be rolled back.
            await conn.begin()
            async with self.over(conn, lambda tx: conn.commit()) as tx:
                yield tx

    @asynccontextmanager
    async def over(self, conn: AsyncConnection, commit: Callable[[Tx], Awaitable[None]]) -> AsyncIterator[Tx]:
        """A transaction on a connection that is at hand; whoever began it there undoes it when this raises."""
        assert_no_transaction("a second transaction")
        tx = Tx(conn, self.clock.now(), self.registry, self.cipher)
        token = _open.set(tx)
        try:
            yield tx
            due = await tx.flush()
            await commit(tx)
        finally:
            tx.closed = True
            _open.reset(token)
        tx.committed()
        if due is not None and self.on_due is not None:
            self.on_due()

    async def connect(self) -> AsyncConnection:
        """A connection of the transactions' pool. Whoever takes it closes it."""
        return await self._writing.connect()

    async def run(self, work: Callable[[Tx], Awaitable[T]], *, tries: int = 3) -> T:
        """One transaction around `work`, run again from the start when Postgres broke a deadlock or a conflict."""

        async def once() -> T:
            async with self.transaction() as tx:
                return await work(tx)

        return await tried(once, tries)

    async def single(self, statement: Executable, values: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """One writing statement that is a transaction of its own, in one round trip instead of three."""
        assert_no_transaction("a statement of its own")
        async with self._writing.connect() as conn:
            conn = await conn.execution_options(isolation_level="AUTOCOMMIT")
            return (await conn.execute(statement, values)).all()

    async def rows(self, statement: bytes, values: Sequence[Any]) -> Rows:
        """A reading statement of its own, straight to psycopg (``$1``): a fifth of what `read` costs."""
        assert_no_transaction("a statement of its own")
        return await self._wires.rows(statement, values)

    async def write(self, statement: bytes, values: Sequence[Any]) -> Rows:
        """A writing statement that is a transaction of its own, straight to psycopg; committed when it returns."""
        assert_no_transaction("a statement of its own")
        return await self._wires.rows(statement, values)

    async def write_soon(self, statement: bytes, values: Sequence[Any]) -> Rows:
        """Like `write`, but committed without waiting for the disk: what Postgres may forget when the machine goes
        down, because something durable is still there and does it again. A kill of this process loses nothing."""
        assert_no_transaction("a statement of its own")
        return await self._soon.rows(statement, values)

    async def each_soon(self, statement: bytes, sets: Sequence[Sequence[bytes]]) -> list[Outcome]:
        """Like `write_soon`, once for each set of values, each a transaction of its own (`Wires.each`)."""
        return await self._soon.each(statement, sets)

    def together(self, name: str, work: Work[K, V], *, patient: bool = False) -> Together[K, V]:
        """Let many callers' questions be one statement. Call `reads_own_writes` first: inside a transaction the answer
        must come from that transaction. `patient`: nobody who waits for a screen waits for it."""
        return Together(
            lambda task, coro: self._nursery.start(task, coro), name, work, fatal=connection_lost, patient=patient
        )

    @property
    def reads_own_writes(self) -> bool:
        """Whether this task has a transaction (or a read) open, whose connection `read` would use."""
        current = _open.get()
        return current is not None and not current.closed

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A read-only connection for queries that need no consistency with a write.

        Inside an open transaction it is that transaction's connection, so that a read sees what was just written and a
        task never holds two connections.
        """
        current = _open.get()
        if isinstance(current, Tx) and not current.closed:
            yield current.conn
            return
        assert_no_transaction("a second read")
        async with self._reading.connect() as conn:
            marker = _Reading()
            token = _open.set(marker)
            try:
                yield conn
            finally:
                marker.closed = True
                _open.reset(token)

    async def bind_environment(self, name: str) -> None:
        """The first ENVIRONMENT to open this database owns it. Raises WrongEnvironment for any other."""
        async with self.transaction() as tx:
            await tx.conn.execute(_BIND, {"name": name})
            bound = (await tx.conn.execute(_BOUND)).scalar_one()
        if bound != name:
            raise WrongEnvironment(f"this database belongs to ENVIRONMENT={bound}; refusing to open it as {name}")

    async def prepare(self, raw: psycopg.AsyncConnection[Any], *, read_only: bool = False) -> None:
        """Give a fresh connection its role and its bounds on waiting. Also used for the queue's own connections."""
        settings = [
            "SET statement_timeout = '15s'",
            "SET lock_timeout = '5s'",
            "SET idle_in_transaction_session_timeout = '30s'",
            "SET TIME ZONE 'UTC'",
        ]
        if read_only:
            settings.append("SET default_transaction_read_only = on")
        if self.role is not None:
            settings.append(f'SET ROLE "{self.role}"')
        autocommit = raw.autocommit
        await raw.set_autocommit(True)
        await raw.execute("; ".join(settings))
        await raw.set_autocommit(autocommit)

    async def _wire(self, *, soon: bool = False) -> psycopg.AsyncConnection[Any]:
        raw = await psycopg.AsyncConnection.connect(conninfo(self.url), autocommit=True, connect_timeout=5)
        raw.prepare_threshold = None
        await self.prepare(raw)
        if soon:
            await raw.execute("SET synchronous_commit = off")
        raw.prepare_threshold = None if self.prepare_threshold is None else 0  # few statements, each of them often
        return raw

    def _engine(self, size: int, *, read_only: bool) -> AsyncEngine:
        engine = create_async_engine(
            driver_url(self.url),
            isolation_level="AUTOCOMMIT" if read_only else "READ COMMITTED",
            pool_size=size,
            max_overflow=0,
            pool_timeout=10,
            pool_recycle=1800,
            pool_use_lifo=True,
            connect_args={"connect_timeout": 5, "prepare_threshold": self.prepare_threshold},
        )

        def connected(dbapi_connection: Any, _record: object) -> None:
            dbapi_connection.run_async(lambda raw: self.prepare(raw, read_only=read_only))

        event.listen(engine.sync_engine, "connect", connected)
        event.listen(engine.sync_engine, "checkout", _refuse_dead)
        return engine


async def tried(work: Callable[[], Awaitable[T]], tries: int) -> T:
    """Run `work`, a whole transaction, again when Postgres broke a deadlock or a conflict: it did nothing."""
    for left in reversed(range(tries)):
        try:
            return await work()
        except (DBAPIError, psycopg.Error) as error:
            if left == 0 or sqlstate(error) not in RETRYABLE:
                raise
            await asyncio.sleep(random.uniform(0.01, 0.05))  # noqa: S311  # nosec B311 # not a secret
    raise AssertionError("tries starts at 1")


def _refuse_dead(dbapi_connection: Any, _record: object, _proxy: object) -> None:
    """Notice a connection the server has closed, without a round trip: an idle one has nothing to say but goodbye."""
    raw = dbapi_connection.driver_connection
    if raw.closed:
        raise DisconnectionError("closed")
    if said_goodbye(raw):
        raise DisconnectionError("the server closed this connection")


async def raw_connection(conn: AsyncConnection) -> psycopg.AsyncConnection[Any]:
    """The psycopg connection under a SQLAlchemy one, with the same open transaction."""
    raw = (await conn.get_raw_connection()).driver_connection
    if not isinstance(raw, psycopg.AsyncConnection):
        raise TypeError("this engine does not run on psycopg")
    return raw


def sqlstate(error: BaseException) -> str | None:
    """The five-letter code Postgres gave, through SQLAlchemy or straight from psycopg."""
    inner = error.orig if isinstance(error, DBAPIError) else error
    return inner.sqlstate if isinstance(inner, psycopg.Error) else None


def connection_lost(error: BaseException) -> bool:
    """Whether this failure means that the database went away, rather than that it said no."""
    inner = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(inner, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    state = sqlstate(error)
    return state is None or state[:2] == "08" or state[:4] == "57P0"  # never reached, broken, or shut down


def assert_no_transaction(doing: str) -> None:
    """Raise OpenTransaction when a transaction is open in this task. Called by every network client."""
    current = _open.get()
    if current is not None and not current.closed:
        raise OpenTransaction(f"{doing} was tried while a transaction is open")

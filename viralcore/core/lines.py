"""Lines: connections kept for many small transactions, one after another.

Taking a connection from the pool and giving it back costs as much as two statements, and a BEGIN of its own a whole
round trip. Who has a row of small transactions to run (deliveries) keeps the connection in between, and says BEGIN and
its first statement in one breath.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import psycopg
import structlog
from psycopg import AsyncClientCursor
from sqlalchemy.exc import DBAPIError

from viralcore.core.db import Connection, Database, Tx, raw_connection, tried

log = structlog.get_logger(__name__)
T = TypeVar("T")
Rows = list[tuple[Any, ...]]
_IDLE = psycopg.pq.TransactionStatus.IDLE


class Line:
    """One connection, in psycopg's autocommit mode: its transactions begin and end by what is said on it."""

    def __init__(self, db: Database, conn: Connection, raw: psycopg.AsyncConnection[Any]) -> None:
        self._db = db
        self._conn = conn
        self._raw = raw

    @staticmethod
    async def open(db: Database) -> Line:
        """Take a connection from the pool. Whoever opens a line closes it."""
        conn = await db.connect()
        try:
            raw = await raw_connection(conn)
            await raw.set_autocommit(True)
        except BaseException:
            await conn.close()
            raise
        return Line(db, conn, raw)

    @property
    def usable(self) -> bool:
        """Whether another transaction can begin on it."""
        return not self._raw.closed and not self._conn.invalidated and self._raw.info.transaction_status is _IDLE

    @asynccontextmanager
    async def transaction(self, first: str, values: Sequence[Any]) -> AsyncIterator[tuple[Tx, Rows]]:
        """As `Database.transaction`, beginning with a statement (``%s``) whose rows come with it."""
        try:
            async with self._db.over(self._conn, self._commit) as tx:
                cursor = AsyncClientCursor(self._raw)
                await cursor.execute(f"BEGIN; {first}".encode(), values)
                cursor.nextset()
                yield tx, (await cursor.fetchall() if cursor.description is not None else [])
        except BaseException as error:
            await self._undo(error)
            raise

    async def run(
        self, work: Callable[[Tx, Rows], Awaitable[T]], first: str, values: Sequence[Any], *, tries: int = 3
    ) -> T:
        """As `Database.run`."""

        async def once() -> T:
            async with self.transaction(first, values) as (tx, rows):
                return await work(tx, rows)

        return await tried(once, tries)

    async def _commit(self, tx: Tx) -> None:
        if tx.waits_for_disk:
            await self._raw.execute(b"SET LOCAL synchronous_commit = on")
        # SQLAlchemy knows of a transaction only when it was used in it; the COMMIT on the wire is the same.
        await (self._conn.commit() if self._conn.in_transaction() else self._raw.commit())

    async def _undo(self, error: BaseException) -> None:
        try:
            if not isinstance(error, Exception):  # cut off: nobody knows what is still on the wire
                await self._conn.invalidate(error)
            elif not self._raw.closed:
                await (self._conn.rollback() if self._conn.in_transaction() else self._raw.rollback())
        except (DBAPIError, psycopg.Error) as broken:
            log.warning("line_broken", reason=type(broken).__name__)
            await self._conn.invalidate(error)

    async def close(self) -> None:
        """Give the connection back to the pool as it was."""
        if self.usable:
            await self._raw.set_autocommit(False)
        elif not self._conn.invalidated:
            await self._conn.invalidate()
        await self._conn.close()


class Lines:
    """At most `size` lines at once. One that ends goes to whoever waits; the pool has it back when nobody does."""

    def __init__(self, db: Database, size: int) -> None:
        self._db = db
        self._room = asyncio.Semaphore(size)
        self._waiting = 0
        self._kept: list[Line] = []

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Line]:
        """A line for one piece of work. Raises when the database cannot be reached."""
        self._waiting += 1
        try:
            await self._room.acquire()
        finally:
            self._waiting -= 1
        try:
            line = self._kept.pop() if self._kept else await Line.open(self._db)
            try:
                yield line
            finally:
                self._kept.append(line)
                await self._give_back()
        finally:
            self._room.release()

    async def _give_back(self) -> None:
        """Keep as many as somebody waits for, and none that is broken."""
        usable = [line for line in self._kept if line.usable]
        broken = [line for line in self._kept if not line.usable]
        self._kept, surplus = usable[: self._waiting], usable[self._waiting :]
        for line in [*broken, *surplus]:
            await line.close()

"""Lines: connections kept for many small transactions, one after another.

Taking a connection from the pool and giving it back costs as much as two statements, and a BEGIN of its own a whole
round trip. Who has a row of small transactions to run (deliveries) keeps the connection in between, and says BEGIN and
its first statement in one breath. Where it is not known yet whether a transaction needs a connection at all, it comes
late: with the first use (`Late`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

import psycopg
import structlog
from psycopg import AsyncClientCursor
from sqlalchemy.exc import DBAPIError

from viralcore.core.db import Connection, Database, Tx, raw_connection

log = structlog.get_logger(__name__)
Rows = list[tuple[Any, ...]]
_USES = frozenset({"execute", "scalar", "scalars", "begin_nested", "get_raw_connection"})
"""What is used of a connection before it is there."""
_IDLE = psycopg.pq.TransactionStatus.IDLE


class Line:
    """One connection, in psycopg's autocommit mode: its transactions begin and end by what is said on it."""

    def __init__(self, conn: Connection, raw: psycopg.AsyncConnection[Any]) -> None:
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
        return Line(conn, raw)

    @property
    def connection(self) -> Connection:
        """What the work of a transaction uses."""
        return self._conn

    @property
    def usable(self) -> bool:
        """Whether another transaction can begin on it."""
        return not self._raw.closed and not self._conn.invalidated and self._raw.info.transaction_status is _IDLE

    async def begin(self, first: str, values: Sequence[Any]) -> Rows:
        """BEGIN and a statement (``%s``) in one breath; returns its rows. Whoever begins commits or undoes."""
        cursor = AsyncClientCursor(self._raw)
        await cursor.execute(f"BEGIN; {first}".encode(), values)
        cursor.nextset()
        return await cursor.fetchall() if cursor.description is not None else []

    async def commit(self, tx: Tx) -> None:
        """Make it last."""
        if tx.waits_for_disk:
            await self._raw.execute(b"SET LOCAL synchronous_commit = on")
        # SQLAlchemy knows of a transaction only when it was used in it; the COMMIT on the wire is the same.
        await (self._conn.commit() if self._conn.in_transaction() else self._raw.commit())

    async def undo(self, error: BaseException) -> None:
        """Nothing of it shall last. Never fails: what cannot be undone politely is undone by closing the connection."""
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


class Late:
    """Stands for the connection of a transaction that may do without one: its first use takes a line and begins.

    What begins with it is `first`. Where `check` raises because of its rows, every use after it does, and the commit.
    """

    def __init__(self, lines: Lines, first: str, values: Sequence[Any], check: Callable[[Rows], None]) -> None:
        self._lines = lines
        self._first = first
        self._values = values
        self._check = check
        self._tx: Tx | None = None
        self._line: Line | None = None
        self._trouble: BaseException | None = None
        self._stack = AsyncExitStack()

    @asynccontextmanager
    async def transaction(self, db: Database, alone: Callable[[], Awaitable[None]]) -> AsyncIterator[Tx]:
        """As `Database.transaction`. `alone` is all that is committed where no connection was wanted."""

        async def commit(tx: Tx) -> None:
            if self._line is None and self._trouble is None and not tx.waits_for_disk:
                await alone()
            else:
                await (await self._begun()).commit(tx)

        try:
            async with db.over(cast(Connection, self), commit) as tx:
                self._tx = tx
                yield tx
        except BaseException as error:
            if self._line is not None:
                await self._line.undo(error)
            raise
        finally:
            if self._line is not None:
                await self._stack.aclose()

    async def _begun(self) -> Line:
        if self._trouble is not None:
            raise self._trouble
        if self._line is None:
            self._trouble = RuntimeError("a connection serves one at a time")
            try:
                self._line = await self._stack.enter_async_context(self._lines.one())
                self._check(await self._line.begin(self._first, self._values))
            except BaseException as error:
                self._trouble = error
                raise
            self._trouble = None
            if self._tx is not None:  # from here on nobody comes this way any more
                self._tx.conn = self._line.connection
        return self._line

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in _USES:
            raise AttributeError(f"{name}: not on a connection that comes late")

        async def use(*values: Any, **named: Any) -> Any:
            return await getattr((await self._begun()).connection, name)(*values, **named)

        return use

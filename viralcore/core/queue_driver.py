"""PgQueuer's driver over psycopg: a pool for its statements, one connection of its own for LISTEN.

PgQueuer's stock psycopg driver shares one connection between the two and stalls for up to a second per fetch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from pgqueuer.core.tm import TaskManager
from pgqueuer.ports.driver import Driver, NotifyCallback
from psycopg import AsyncConnection, AsyncRawCursor, sql
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from viralcore.core.nursery import Nursery

log = structlog.get_logger(__name__)


async def listen(connection: AsyncConnection[Any], channel: str) -> None:
    """Begin to listen; harmless when repeated. What is told before somebody watches is kept by the connection.

    To be done before PgQueuer runs: it asks its listener for a sign of life at once, and when that is sent before the
    listening has begun, it is never heard, and PgQueuer ends ten seconds later.
    """
    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))


class QueueDriver(Driver):
    """`lost` is called once when the LISTEN connection ends: nothing would wake the queue, and our lock is gone."""

    def __init__(
        self,
        pool: AsyncConnectionPool[AsyncConnection[Any]],
        listener: AsyncConnection[Any],
        nursery: Nursery,
        lost: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._listener = listener
        self._nursery = nursery
        self._lost = lost
        self._shutdown = asyncio.Event()
        self._tasks = TaskManager()
        self._callbacks: dict[str, list[NotifyCallback]] = {}
        self._watcher: asyncio.Task[Any] | None = None

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        async with self._pool.connection() as connection:
            cursor = AsyncRawCursor(connection, row_factory=dict_row)
            await cursor.execute(query, args or None)
            return await cursor.fetchall()

    async def execute(self, query: str, *args: object) -> str:
        async with self._pool.connection() as connection:
            cursor = AsyncRawCursor(connection)
            await cursor.execute(query, args or None)
            return cursor.statusmessage or ""

    async def notify(self, channel: str, payload: str) -> None:
        await self.execute("SELECT pg_notify($1, $2)", channel, payload)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        """All listeners are added before the watcher starts to wait on the connection, which then is its alone."""
        if self._watcher is not None:
            raise RuntimeError("this driver listens to one channel")
        await listen(self._listener, channel)
        self._callbacks.setdefault(channel, []).append(callback)
        self._watcher = self._nursery.start("queue-listen", self._watch())

    async def _watch(self) -> None:
        try:
            async for note in self._listener.notifies():
                for callback in self._callbacks.get(note.channel, []):
                    callback(note.payload)
        except Exception as error:
            log.warning("queue_listener_lost", reason=str(error))
        self._lost()

    @property
    def shutdown(self) -> asyncio.Event:
        return self._shutdown

    @property
    def tm(self) -> TaskManager:
        return self._tasks

    async def __aenter__(self) -> QueueDriver:
        return self

    async def __aexit__(self, *_: object) -> None:
        """PgQueuer leaves; stop listening."""
        self._shutdown.set()
        if self._watcher is not None and not self._watcher.done():
            self._watcher.cancel()
            await asyncio.wait({self._watcher})

"""Wires: a few connections straight to psycopg, for statements that are a transaction of their own.

What the pool of transactions adds to a statement (a checkout, a BEGIN, a COMMIT, a greenlet, a compiled statement)
costs this process five times what psycopg needs for it. The paths that every update takes cannot afford that.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import psycopg

Raw = psycopg.AsyncConnection[Any]
Rows = list[tuple[Any, ...]]
Ask = Callable[[bytes, Sequence[Any]], Awaitable[Rows]]
"""What repositories take that run a statement of its own: `Database.rows` or `Database.write`."""


class Wires:
    """At most `size` connections, opened when first needed; who comes when all are busy waits its turn.

    `connect` opens one in autocommit mode, with its role and bounds set.
    """

    def __init__(self, connect: Callable[[], Awaitable[Raw]], size: int) -> None:
        self._connect = connect
        self._free: list[Raw] = []
        self._places = asyncio.Semaphore(size)

    async def rows(self, statement: bytes, values: Sequence[Any]) -> Rows:
        """Run one statement (``$1``, ``$2``) as a transaction of its own; returns the rows it returns."""
        async with self._places:
            raw = self._take() or await self._connect()
            try:
                cursor = psycopg.AsyncRawCursor(raw)
                await cursor.execute(statement, values, binary=True)
                return await cursor.fetchall() if cursor.description is not None else []
            except psycopg.Error:
                raise
            except BaseException:  # cut off in the middle: nobody knows what is still on the wire
                raw.pgconn.finish()
                raise
            finally:
                if not raw.closed:
                    self._free.append(raw)

    def _take(self) -> Raw | None:
        while self._free:
            raw = self._free.pop()
            if not raw.closed and not said_goodbye(raw):
                return raw
            raw.pgconn.finish()
        return None

    async def close(self) -> None:
        """Close what is not in use."""
        while self._free:
            await self._free.pop().close()


def said_goodbye(raw: Raw) -> bool:
    """Whether the server has closed an idle connection, without a round trip: it has nothing to say but goodbye."""
    poll = select.poll()
    poll.register(raw.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))


def driver_url(url: str) -> str:
    """A postgresql:// (or postgres://) URL as SQLAlchemy wants it for psycopg 3. Raises ValueError on another kind."""
    scheme, _, rest = url.partition("://")
    if scheme not in {"postgresql", "postgres", "postgresql+psycopg"} or not rest:
        raise ValueError("DATABASE_URL must start with postgresql://")
    return f"postgresql+psycopg://{rest}"


def conninfo(url: str) -> str:
    """The same URL as psycopg wants it."""
    return driver_url(url).replace("postgresql+psycopg://", "postgresql://", 1)

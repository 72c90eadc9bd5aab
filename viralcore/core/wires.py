"""Wires: a few connections straight to psycopg, for statements that are a transaction of their own.

What the pool of transactions adds to a statement (a checkout, a BEGIN, a COMMIT, a greenlet, a compiled statement)
costs this process five times what psycopg needs for it. The paths that every update takes cannot afford that.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.waiting import Ready, Wait

Raw = psycopg.AsyncConnection[Any]
Rows = list[tuple[Any, ...]]
Ask = Callable[[bytes, Sequence[Any]], Awaitable[Rows]]
"""What repositories take that run a statement of its own: `Database.rows` or `Database.write`."""

Outcome = int | psycopg.Error
"""What became of one of many: how many rows it touched, or why it failed."""


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
        async with self._one() as raw:
            cursor = psycopg.AsyncRawCursor(raw)
            await cursor.execute(statement, values, binary=True)
            return await cursor.fetchall() if cursor.description is not None else []

    async def each(self, statement: bytes, sets: Sequence[Sequence[bytes]]) -> list[Outcome]:
        """Run one statement once for each set of values (as text), each a transaction of its own, in one journey.

        Returns, in the same order, how many rows each touched, or why it failed: each is committed or undone by itself,
        whatever becomes of those before and after it, because each ends with a sync of its own. When the connection
        breaks, those whose answer was not read have the error of the connection: nobody knows what became of them.
        """
        async with self._one() as raw:
            pgconn, prepared = raw.pgconn, raw.prepare_threshold is not None
            outcomes: list[Outcome] = []
            try:
                pgconn.enter_pipeline_mode()
                if prepared:  # without a name: it lasts until the next one on this connection
                    pgconn.send_prepare(b"", statement)
                    pgconn.pipeline_sync()
                for values in sets:
                    if prepared:
                        pgconn.send_query_prepared(b"", values)
                    else:
                        pgconn.send_query_params(statement, values)
                    pgconn.pipeline_sync()
                await raw.wait(_answers(raw, int(prepared), len(sets), outcomes))
                pgconn.exit_pipeline_mode()
            except psycopg.Error as error:
                pgconn.finish()
                outcomes += [error] * (len(sets) - len(outcomes))
            return outcomes

    @asynccontextmanager
    async def _one(self) -> AsyncIterator[Raw]:
        async with self._places:
            raw = self._take() or await self._connect()
            try:
                yield raw
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


def _answers(raw: Raw, unheard: int, many: int, outcomes: list[Outcome]) -> Generator[Wait, Ready | int, None]:
    """Send what is queued and hear every answer; the first `unheard` of them only matter when they are failures."""
    pgconn = raw.pgconn
    while pgconn.flush():  # listening meanwhile: neither side may wait for the other with both buffers full
        if (yield Wait.RW) & Ready.R:
            pgconn.consume_input()
    for number in range(-unheard, many):
        result = None
        while True:
            while pgconn.is_busy():
                yield Wait.R
                pgconn.consume_input()
            part = pgconn.get_result()
            if part is None:
                if pgconn.status != ConnStatus.OK:
                    raise psycopg.OperationalError("the connection is lost")
            elif part.status == ExecStatus.PIPELINE_SYNC:
                break
            else:
                result = part
        if result is None or result.status not in {ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK}:
            error = psycopg.InternalError("no answer") if result is None else error_from_result(result)
            if number < 0:
                raise error
            outcomes.append(error)
        elif number >= 0:
            outcomes.append(result.command_tuples or 0)


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

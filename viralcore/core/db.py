"""The database: engine, transactions with the "no open transaction" guard, events and effects recorded with the work.

Repositories use `tx.conn` (SQLAlchemy Core). A transaction is opened by a service and by nobody else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.core.events import Event


class Tx:
    """One open transaction.

    `conn`: the SQLAlchemy Core connection. `now`: business time, fixed at the start of the transaction.
    """

    conn: AsyncConnection
    now: datetime

    def record(self, event: Event) -> str:
        """Make an event durable with this transaction; returns its id (uuid text). Written at commit, in order."""
        raise NotImplementedError

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
        `secret`: encrypt the payload at rest.
        """
        raise NotImplementedError

    def after_commit(self, call: Callable[[], None]) -> None:
        """Run a cheap, non-failing callback after the commit (wake a job, drop a cache). Lost in a crash: never for truth."""
        raise NotImplementedError

    async def once(
        self, *, scope: str, key: str, inputs: Mapping[str, Any], run: Callable[[], Awaitable[Mapping[str, Any]]]
    ) -> Mapping[str, Any]:
        """Idempotency for a mutating door: the first call runs and stores its JSON result in this transaction; the same
        (scope, key) returns it. Raises KeyReused when the inputs differ."""
        raise NotImplementedError


class Database:
    """Owns the pool."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """Open a transaction. Raises OpenTransaction when one is open in this task."""
        raise NotImplementedError
        yield Tx()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A read-only connection for queries that need no consistency with a write."""
        raise NotImplementedError
        yield


def assert_no_transaction(doing: str) -> None:
    """Raise OpenTransaction when a transaction is open in this task. Called by every network client."""
    raise NotImplementedError

"""Who works the queue and is alive: a row per process, and an advisory lock that its LISTEN connection holds.

The lock goes with the connection, so that a process that was killed is found dead at once instead of after a silence.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from psycopg import AsyncConnection
from sqlalchemy import text

from viralcore.core.db import Tx
from viralcore.core.leases import is_gone, process_identity

LOCK = 28515
GRACE = "20 seconds"
"""After a restart of Postgres nobody holds a lock; processes get this long to come back, unless they are seen gone."""

_RENEW = "UPDATE core.workers SET server_started = pg_postmaster_start_time() WHERE id = %s RETURNING id"
_ENTER = """
INSERT INTO core.workers (uuid, identity, server_started) VALUES (%s, %s, pg_postmaster_start_time()) RETURNING id
"""
_WORKERS = text(f"""
SELECT w.id, w.uuid::text AS uuid, w.identity,
    EXISTS (
        SELECT 1 FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.classid = {LOCK} AND l.objid = w.id::bigint::oid AND l.objsubid = 2
            AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ) AS locked,
    w.server_started <> pg_postmaster_start_time()
        AND clock_timestamp() < pg_postmaster_start_time() + interval '{GRACE}' AS in_grace
FROM core.workers w
""")  # noqa: S608  # nosec B608 # two constants of this file
_FORGET = text("DELETE FROM core.workers WHERE id = ANY(:ids)")


class NotRegistered(RuntimeError):
    """The lock of this worker is still held by a connection that has not yet been seen to be dead; try again."""


class Worker:
    """This process in the eyes of the others. `uuid` stays the same for as long as the process lives."""

    def __init__(self) -> None:
        self.uuid_value = uuid4()
        self.uuid = str(self.uuid_value)
        self._identity = process_identity()
        self._id: int | None = None

    async def register(self, connection: AsyncConnection[Any]) -> None:
        """Take (again) our lock on a connection that stays open. Raises NotRegistered."""
        if self._id is not None:
            await self._lock(connection, self._id)
            if (await (await connection.execute(_RENEW, (self._id,))).fetchone()) is not None:
                return
        # The row becomes visible only once the lock is held: nobody ever sees us without it.
        async with connection.transaction():
            found = await (await connection.execute(_ENTER, (self.uuid, self._identity))).fetchone()
            number = int(found[0]) if found is not None else 0
            await self._lock(connection, number)
        self._id = number

    @staticmethod
    async def _lock(connection: AsyncConnection[Any], number: int) -> None:
        row = await (await connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (LOCK, number))).fetchone()
        if row is None or not row[0]:
            raise NotRegistered(f"lock of worker {number}")

    async def living(self, tx: Tx) -> set[str]:
        """Ids of the workers that may still be at work, us included; rows of the dead are removed."""
        alive, dead = {self.uuid}, []
        for row in await tx.conn.execute(_WORKERS):
            if row.locked or row.uuid == self.uuid or (row.in_grace and not is_gone(row.identity)):
                alive.add(row.uuid)
            else:
                dead.append(row.id)
        if dead:
            await tx.conn.execute(_FORGET, {"ids": dead})
        return alive

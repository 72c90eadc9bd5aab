"""Leases: a named row says which process may do a thing that only one may do. Machine time, the database's own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from viralcore.core.db import Database
from viralcore.core.ids import new_uuid

_TAKE = text("""
INSERT INTO core.leases AS l (name, holder, until, epoch)
VALUES (:name, :holder, clock_timestamp() + make_interval(secs => :seconds), 1)
ON CONFLICT (name) DO UPDATE
    SET holder = excluded.holder, until = excluded.until, epoch = l.epoch + 1
    WHERE l.until < clock_timestamp() OR l.holder = ANY(:replaceable)
RETURNING epoch
""")
_RENEW = text("""
UPDATE core.leases SET until = clock_timestamp() + make_interval(secs => :seconds)
WHERE name = :name AND holder = :holder AND epoch = :epoch AND until >= clock_timestamp()
""")
_RELEASE = text("""
UPDATE core.leases SET until = clock_timestamp() - interval '1 second'
WHERE name = :name AND holder = :holder AND epoch = :epoch
""")
_HOLDER = text("SELECT holder FROM core.leases WHERE name = :name AND until >= clock_timestamp()")
_CURRENT = text("SELECT epoch FROM core.leases WHERE name = :name")


@dataclass(frozen=True, slots=True)
class Lease:
    """A held lease. Writers carry `epoch`: it rises with every change of holder, so a deposed one can be refused."""

    name: str
    holder: str
    epoch: int


class Leases:
    """Takes, renews and gives back leases for one process (or one test's idea of a process)."""

    def __init__(self, db: Database, holder: str | None = None) -> None:
        self._db = db
        self.holder = holder or process_identity()

    async def acquire(self, name: str, *, seconds: float) -> Lease | None:
        """The lease for `seconds`, or None while somebody else holds it.

        A holder on this machine whose process is gone (kill -9) is replaced at once; elsewhere its time must run out.
        """
        async with self._db.transaction() as tx:
            holder = (await tx.conn.execute(_HOLDER, {"name": name})).scalar_one_or_none()
            replaceable = [self.holder]
            if holder is not None and is_gone(holder):
                replaceable.append(holder)
            found = await tx.conn.execute(
                _TAKE, {"name": name, "holder": self.holder, "seconds": seconds, "replaceable": replaceable}
            )
            epoch = found.scalar_one_or_none()
        return None if epoch is None else Lease(name, self.holder, int(epoch))

    async def renew(self, lease: Lease, *, seconds: float) -> bool:
        """False: it ran out or was taken; the caller must stop at once."""
        async with self._db.transaction() as tx:
            done = await tx.conn.execute(
                _RENEW, {"name": lease.name, "holder": lease.holder, "epoch": lease.epoch, "seconds": seconds}
            )
        return done.rowcount == 1

    async def release(self, lease: Lease) -> None:
        """Give it back early, so that the next process need not wait. Harmless when it was lost."""
        async with self._db.transaction() as tx:
            await tx.conn.execute(_RELEASE, {"name": lease.name, "holder": lease.holder, "epoch": lease.epoch})

    async def epoch(self, name: str) -> int | None:
        """The epoch in force, held or not."""
        async with self._db.read() as conn:
            found = (await conn.execute(_CURRENT, {"name": name})).scalar_one_or_none()
        return None if found is None else int(found)


def process_identity() -> str:
    """Who we are: the kernel's boot, the process namespace, the process and its start; random where /proc is missing.

    Boot and namespace make sure that "that process is gone" is only ever said of a process we could see.
    """
    pid = os.getpid()
    started = _started(pid)
    place = _place()
    if place is None or started is None:
        return f"random/{new_uuid()}"
    return f"{place}/{pid}/{started}"


def _place() -> str | None:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return None


def _started(pid: int) -> str | None:
    """The process's start in clock ticks; None when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]


def is_gone(holder: str) -> bool:
    """Whether `process_identity` of a process of this machine names one that no longer runs; False when in doubt."""
    place = _place()
    parts = holder.rsplit("/", 2)
    if place is None or len(parts) != 3 or parts[0] != place or not parts[1].isdigit():
        return False
    return _started(int(parts[1])) != parts[2]

"""Statements on attempts, and on the desk whose lock lets them go. Every change of state is guarded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.withdrawals.api import Mode
from viralcore.withdrawals.domain.states import Attempt
from viralcore.withdrawals.tables import attempts, desk, requests

OPEN = ("sending", "accepted", "unknown")


@dataclass(frozen=True, slots=True)
class Switches:
    """The row of the desk. `mode` None: nobody switched; the settings say."""

    mode: Mode | None
    paused: bool
    stopped: bool
    stop_reason: str
    banks_at: datetime | None


async def lock_desk(conn: AsyncConnection) -> Switches:
    """The switches, under the lock of everybody who lets transfers go or turns one. The last lock to be taken."""
    query = select(desk).with_for_update()
    row = (await conn.execute(query)).first()
    if row is None:  # once in a database's life
        await conn.execute(upsert(desk).values(id=1).on_conflict_do_nothing())
        row = (await conn.execute(query)).one()
    return _switches(row)


async def get_desk(conn: AsyncConnection) -> Switches:
    row = (await conn.execute(select(desk))).first()
    return Switches(None, False, False, "", None) if row is None else _switches(row)


async def turn(conn: AsyncConnection, **values: Any) -> None:
    """The desk is locked."""
    await conn.execute(update(desk).values(**values))


# --- attempts ---------------------------------------------------------------------------------------------------------


async def add(conn: AsyncConnection, request_id: int, *, now: datetime) -> Attempt:
    """The next one of a request, whose row is locked. The index refuses it while another is alive."""
    number = select(func.coalesce(func.max(attempts.c.n), 0) + 1).where(attempts.c.request_id == request_id)
    statement = insert(attempts).values(
        request_id=request_id, n=number.scalar_subquery(), state="sending", created_at=now
    )
    return _attempt((await conn.execute(statement.returning(attempts))).one())


async def get(conn: AsyncConnection, attempt_id: int, *, hold: bool = False) -> Attempt | None:
    query = select(attempts).where(attempts.c.id == attempt_id)
    row = (await conn.execute(query.with_for_update() if hold else query)).first()
    return None if row is None else _attempt(row)


async def by_reference(conn: AsyncConnection, reference: str) -> Attempt | None:
    row = (await conn.execute(select(attempts).where(attempts.c.reference == reference))).first()
    return None if row is None else _attempt(row)


async def of(conn: AsyncConnection, request_id: int) -> list[Attempt]:
    """All of a request, in their order."""
    found = await conn.execute(select(attempts).where(attempts.c.request_id == request_id).order_by(attempts.c.n))
    return [_attempt(row) for row in found]


async def change(conn: AsyncConnection, attempt: Attempt, states: Sequence[str], **values: Any) -> bool:
    """Guarded by the states it may be in. False: somebody else was first."""
    done = await conn.execute(
        update(attempts).where(attempts.c.id == attempt.id, attempts.c.state.in_(list(states))).values(**values)
    )
    return done.rowcount == 1


async def note_alarm(conn: AsyncConnection, attempt: Attempt, alarm: str) -> bool:
    """Staff are told once of each kind of trouble. False: they were."""
    told = attempts.c.alarm.contains(f"{alarm} ", autoescape=True)
    done = await conn.execute(
        update(attempts).where(attempts.c.id == attempt.id, ~told).values(alarm=attempts.c.alarm + f"{alarm} ")
    )
    return done.rowcount == 1


async def in_flight(conn: AsyncConnection, *, since: datetime) -> int:
    """Transfers under way: not sent yet, or sent after `since` without an end."""
    query = select(func.count()).where(
        attempts.c.ended_at.is_(None), or_(attempts.c.sent_at.is_(None), attempts.c.sent_at > since)
    )
    return int((await conn.execute(query)).scalar_one())


async def due(conn: AsyncConnection, now: datetime, limit: int) -> list[Attempt]:
    """To be asked about, the longest due first."""
    query = select(attempts).where(attempts.c.ask_due <= now).order_by(attempts.c.ask_due, attempts.c.id).limit(limit)
    return [_attempt(row) for row in await conn.execute(query)]


async def next_due(conn: AsyncConnection) -> datetime | None:
    moment: datetime | None = await conn.scalar(select(func.min(attempts.c.ask_due)))
    return moment


async def unsent(conn: AsyncConnection, before: datetime) -> list[int]:
    """Stored before then, never sent, and staff were not told; a few at a time."""
    query = select(attempts.c.id).where(
        attempts.c.ended_at.is_(None),
        attempts.c.sends == 0,
        attempts.c.created_at <= before,
        attempts.c.provider_id == "",
        ~attempts.c.alarm.contains("unsent "),
    )
    return [row.id for row in await conn.execute(query.order_by(attempts.c.id).limit(20))]


async def to_send(conn: AsyncConnection, now: datetime, limit: int) -> list[int]:
    """Requests whose next transfer may go, the longest waiting first, locked; those somebody else holds are left."""
    first = and_(requests.c.state == "approved", requests.c.mode == "automatic")
    again = and_(requests.c.state == "processing", requests.c.next_attempt_at <= now)
    since = func.coalesce(requests.c.next_attempt_at, requests.c.approved_at)
    query = select(requests.c.id).where(or_(first, again)).order_by(since, requests.c.id).limit(limit)
    return [row.id for row in await conn.execute(query.with_for_update(skip_locked=True))]


async def next_again(conn: AsyncConnection) -> datetime | None:
    moment: datetime | None = await conn.scalar(select(func.min(requests.c.next_attempt_at)))
    return moment


async def page(conn: AsyncConnection, *, after_id: int, since: datetime | None, limit: int) -> list[Row[Any]]:
    """Attempts with what their request pays, oldest first."""
    query = select(attempts, (requests.c.gross - requests.c.fee).label("net")).join(
        requests, requests.c.id == attempts.c.request_id
    )
    wanted: list[ColumnElement[bool]] = [attempts.c.id > after_id]
    if since is not None:
        wanted.append(or_(attempts.c.ended_at.is_(None), attempts.c.sent_at >= since))
    return list(await conn.execute(query.where(*wanted).order_by(attempts.c.id).limit(limit)))


async def one_with_net(conn: AsyncConnection, reference: str) -> Row[Any] | None:
    query = select(attempts, (requests.c.gross - requests.c.fee).label("net")).join(
        requests, requests.c.id == attempts.c.request_id
    )
    return (await conn.execute(query.where(attempts.c.reference == reference))).first()


def _attempt(row: Row[Any]) -> Attempt:
    values = dict(row._mapping)
    values["withdrawal_id"] = values.pop("request_id")
    values.pop("alarm")
    return Attempt(**values)


def _switches(row: Row[Any]) -> Switches:
    return Switches(row.mode, row.paused, row.stopped, row.stop_reason, row.banks_at)

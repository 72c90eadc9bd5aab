"""Statements on requests, their approvals and findings. Every change of state is guarded and says whether it hit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.withdrawals.api import OPEN, FindingView, QueueFilter, State
from viralcore.withdrawals.domain.approving import Given
from viralcore.withdrawals.domain.states import Request, Terms, may
from viralcore.withdrawals.tables import STILL_OPEN, approvals, findings, requests

_MANUAL = and_(requests.c.state == "approved", requests.c.mode == "manual")
FILTERS: Mapping[QueueFilter, ColumnElement[bool]] = {
    "waiting": and_(requests.c.state == "pending", requests.c.offered_at.is_(None)),
    "to_pay": _MANUAL,
    "under_way": or_(
        requests.c.state == "processing", and_(requests.c.state == "approved", requests.c.mode == "automatic")
    ),
    "unconfirmed": requests.c.state == "unconfirmed",
    "completed": requests.c.state == "completed",
    "failed": requests.c.state == "failed",
    "ended": requests.c.state.in_(("rejected", "cancelled")),
    "all": requests.c.id > 0,
}


async def add(conn: AsyncConnection, *, terms: Terms, **values: Any) -> int | None:
    """A new one, pending. None: this person has one that is open."""
    statement = (
        upsert(requests)
        .values(state="pending", rate=terms.rate, gross=terms.gross, fee=terms.fee, **values)
        .on_conflict_do_nothing(index_elements=["user_id"], index_where=STILL_OPEN)
    )
    found: int | None = (await conn.execute(statement.returning(requests.c.id))).scalar_one_or_none()
    return found


async def get(conn: AsyncConnection, request_id: int, *, hold: bool = False) -> Request | None:
    query = select(requests).where(requests.c.id == request_id)
    row = (await conn.execute(query.with_for_update() if hold else query)).first()
    return None if row is None else request_of(row)


async def open_of(conn: AsyncConnection, user_id: int) -> int | None:
    query = select(requests.c.id).where(requests.c.user_id == user_id, requests.c.state.in_(OPEN))
    found: int | None = (await conn.execute(query)).scalar_one_or_none()
    return found


async def set_values(conn: AsyncConnection, request: Request, **values: Any) -> None:
    """The row is locked and stays in its state."""
    await conn.execute(update(requests).where(requests.c.id == request.id).values(**values))


async def move(conn: AsyncConnection, request: Request, state: State, **values: Any) -> None:
    """Guarded, must hit: the row is locked and was read under the lock."""
    if not may(request.state, state):
        raise ValueError(f"a withdrawal never goes from {request.state} to {state}")
    done = await conn.execute(
        update(requests)
        .where(requests.c.id == request.id, requests.c.state == request.state)
        .values(state=state, **values)
    )
    if done.rowcount != 1:
        raise RuntimeError(f"withdrawal {request.id} was not {request.state}")


async def since(conn: AsyncConnection, user_id: int, moment: datetime) -> tuple[int, datetime | None]:
    """How many were made after `moment`, and when the oldest of them was."""
    query = select(func.count(), func.min(requests.c.created_at))
    row = (await conn.execute(query.where(requests.c.user_id == user_id, requests.c.created_at > moment))).one()
    return int(row[0]), row[1]


async def record_of(conn: AsyncConnection, user_id: int, *, besides: int = 0) -> Row[Any]:
    """Counts and sums of a person: requests, completed, rejected, failed, paid, first_at."""
    done = requests.c.state == "completed"
    query = select(
        func.count().label("requests"),
        func.count().filter(done).label("completed"),
        func.count().filter(requests.c.state == "rejected").label("rejected"),
        func.count().filter(requests.c.state == "failed").label("failed"),
        func.coalesce(func.sum(requests.c.gross - requests.c.fee).filter(done), 0).label("paid"),
        func.min(requests.c.created_at).label("first_at"),
    ).where(requests.c.user_id == user_id, requests.c.id != besides)
    return (await conn.execute(query)).one()


async def completed_to(conn: AsyncConnection, user_id: int, account_id: int) -> tuple[int, int]:
    """How often this person was paid to this account, and to others."""
    done = and_(requests.c.user_id == user_id, requests.c.state == "completed")
    here = requests.c.account_id == account_id
    query = select(func.count().filter(here), func.count().filter(~here)).where(done)
    row = (await conn.execute(query)).one()
    return int(row[0]), int(row[1])


async def completed_count(conn: AsyncConnection) -> int:
    return int((await conn.execute(select(func.count()).where(requests.c.state == "completed"))).scalar_one())


# --- lists ------------------------------------------------------------------------------------------------------------


async def history(conn: AsyncConnection, user_id: int, *, before_id: int | None, limit: int) -> list[Request]:
    query = select(requests).where(requests.c.user_id == user_id)
    if before_id is not None:
        query = query.where(requests.c.id < before_id)
    return [request_of(row) for row in await conn.execute(query.order_by(requests.c.id.desc()).limit(limit))]


async def queue(
    conn: AsyncConnection, which: QueueFilter, *, user_id: int | None, after_id: int, limit: int
) -> list[Request]:
    query = select(requests).where(FILTERS[which], requests.c.id > after_id)
    if user_id is not None:
        query = query.where(requests.c.user_id == user_id)
    return [request_of(row) for row in await conn.execute(query.order_by(requests.c.id).limit(limit))]


async def counts(conn: AsyncConnection) -> dict[QueueFilter, int]:
    names = list(FILTERS)
    row = (await conn.execute(select(*(func.count().filter(FILTERS[name]) for name in names)))).one()
    return {name: int(number) for name, number in zip(names, row, strict=True)}


async def pending(conn: AsyncConnection, *, after_id: int, limit: int) -> list[Request]:
    query = select(requests).where(requests.c.state == "pending", requests.c.id > after_id)
    return [request_of(row) for row in await conn.execute(query.order_by(requests.c.id).limit(limit))]


async def by_state(conn: AsyncConnection, since: datetime | None, until: datetime | None) -> list[Row[Any]]:
    """(state, source, number, net, fee, amount, flagged) of requests made in a stretch; of all without one."""
    query = select(
        requests.c.state,
        requests.c.source,
        func.count().label("number"),
        func.sum(requests.c.gross - requests.c.fee).label("net"),
        func.sum(requests.c.fee).label("fee"),
        func.sum(requests.c.amount).label("amount"),
        func.count().filter(requests.c.score > 0).label("flagged"),
    ).group_by(requests.c.state, requests.c.source)
    if since is not None:
        query = query.where(requests.c.created_at >= since)
    if until is not None:
        query = query.where(requests.c.created_at < until)
    return list(await conn.execute(query))


async def median(conn: AsyncConnection, since: datetime, until: datetime) -> timedelta | None:
    """From request to completion."""
    took = requests.c.ended_at - requests.c.created_at
    query = select(func.percentile_disc(0.5).within_group(took)).where(
        requests.c.state == "completed", requests.c.created_at >= since, requests.c.created_at < until
    )
    found: timedelta | None = (await conn.execute(query)).scalar_one()
    return found


async def oldest_pending(conn: AsyncConnection) -> datetime | None:
    moment: datetime | None = await conn.scalar(
        select(func.min(requests.c.created_at)).where(requests.c.state == "pending")
    )
    return moment


# --- approvals and findings -------------------------------------------------------------------------------------------


async def given(conn: AsyncConnection, ids: Sequence[int]) -> dict[int, list[Given]]:
    """The approvals of the present round of each."""
    query = (
        select(approvals.c.request_id, approvals.c.actor, approvals.c.at)
        .join(requests, and_(requests.c.id == approvals.c.request_id, requests.c.round == approvals.c.round))
        .where(requests.c.id.in_(list(ids)))
        .order_by(approvals.c.request_id, approvals.c.place)
    )
    found: dict[int, list[Given]] = {}
    for row in await conn.execute(query):
        found.setdefault(row.request_id, []).append(Given(row.actor, row.at))
    return found


async def approve(conn: AsyncConnection, request: Request, place: int, *, actor: int, now: datetime) -> None:
    """The row of the request is locked; the key refuses two at one place."""
    await conn.execute(
        insert(approvals).values(request_id=request.id, round=request.round, place=place, actor=actor, at=now)
    )


async def add_findings(conn: AsyncConnection, request_id: int, found: Sequence[FindingView]) -> None:
    if found:
        await conn.execute(
            insert(findings),
            [
                {"request_id": request_id, "rule": one.rule, "score": one.score, "facts": dict(one.facts)}
                for one in found
            ],
        )


async def findings_of(conn: AsyncConnection, request_id: int) -> tuple[FindingView, ...]:
    query = select(findings).where(findings.c.request_id == request_id)
    found = await conn.execute(query.order_by(findings.c.score.desc(), findings.c.rule))
    return tuple(FindingView(row.rule, row.score, row.facts) for row in found)


def request_of(row: Row[Any]) -> Request:
    offered = None
    if row.offered_at is not None:
        offered = Terms(row.offered_rate, row.offered_gross, row.offered_fee)
    return Request(
        id=row.id,
        user_id=row.user_id,
        source=row.source,
        amount=row.amount,
        state=row.state,
        terms=Terms(row.rate, row.gross, row.fee),
        terms_at=row.terms_at,
        offered=offered,
        offered_at=row.offered_at,
        asked_at=row.asked_at,
        account_id=row.account_id,
        hold_id=row.hold_id or 0,
        mode=row.mode,
        needed=row.needed,
        score=row.score,
        reason=row.reason,
        reference=row.reference,
        decided_by=row.decided_by,
        round=row.round,
        next_attempt_at=row.next_attempt_at,
        created_at=row.created_at,
        approved_at=row.approved_at,
        ended_at=row.ended_at,
    )

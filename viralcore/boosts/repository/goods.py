"""Statements about goods that somebody is about to buy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.boosts.api import RequestState
from viralcore.boosts.tables.orders import goods_requests

_R = goods_requests.c


@dataclass(frozen=True, slots=True)
class Request:
    id: int
    user_id: int
    plan_id: str
    quantity: int
    answers: Mapping[str, str]
    state: RequestState
    invoice_id: int | None
    created_at: datetime
    expires_at: datetime


async def add(
    conn: AsyncConnection, *, user_id: int, plan_id: str, quantity: int, now: datetime, expires_at: datetime
) -> int:
    statement = insert(goods_requests).values(
        user_id=user_id, plan_id=plan_id, quantity=quantity, state="open", created_at=now, expires_at=expires_at
    )
    return int((await conn.execute(statement.returning(_R.id))).scalar_one())


async def get(conn: AsyncConnection, request_id: int, *, lock: bool = False) -> Request | None:
    statement = select(goods_requests).where(_R.id == request_id)
    row = (await conn.execute(statement.with_for_update() if lock else statement)).one_or_none()
    return None if row is None else Request(**row._mapping)


async def of_invoice(conn: AsyncConnection, invoice_id: int, *, lock: bool = False) -> Request | None:
    statement = select(goods_requests).where(_R.invoice_id == invoice_id)
    row = (await conn.execute(statement.with_for_update() if lock else statement)).one_or_none()
    return None if row is None else Request(**row._mapping)


async def unfinished(conn: AsyncConnection, user_id: int, *, now: datetime, limit: int) -> Sequence[Request]:
    """Open ones of a person that have not run out, newest first."""
    statement = select(goods_requests).where(_R.user_id == user_id, _R.state == "open", _R.expires_at > now)
    rows = await conn.execute(statement.order_by(_R.id.desc()).limit(limit))
    return [Request(**row._mapping) for row in rows]


async def answer(conn: AsyncConnection, request: Request, answers: Mapping[str, str]) -> None:
    await _hit(conn, request, "open", answers=dict(answers))


async def invoiced(conn: AsyncConnection, request: Request, invoice_id: int) -> None:
    await _hit(conn, request, "open", state="invoiced", invoice_id=invoice_id)


async def ended(conn: AsyncConnection, request: Request, state: RequestState) -> None:
    """Its invoice was paid, or it was given up."""
    await _hit(conn, request, request.state, state=state)


async def forget(conn: AsyncConnection, *, before: datetime) -> int:
    """Delete those that never had an invoice."""
    statement = delete(goods_requests).where(_R.expires_at < before, _R.invoice_id.is_(None))
    return (await conn.execute(statement)).rowcount


async def _hit(conn: AsyncConnection, request: Request, before: RequestState, **values: object) -> None:
    """A guarded update: the row is locked, so anything else is a mistake of ours."""
    statement = update(goods_requests).where(_R.id == request.id, _R.state == before)
    if (await conn.execute(statement.values(**values))).rowcount != 1:
        raise RuntimeError("a request moved while it was locked")

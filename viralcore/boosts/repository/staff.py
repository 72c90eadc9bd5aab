"""Statements about the cards that staff work at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.boosts.api import CardState, StaffCardView
from viralcore.boosts.repository import orders
from viralcore.boosts.tables.orders import staff_cards
from viralcore.core.money import USD, Money

_C = staff_cards.c
_WAITING = _C.state.in_(("open", "taken"))


@dataclass(frozen=True, slots=True)
class Card:
    id: int
    order_id: int
    line_id: int
    state: CardState
    version: int
    taken_by: int | None
    taken_at: datetime | None
    decided_by: int | None
    decided_at: datetime | None
    reason: str
    created_at: datetime
    remind_at: datetime | None


async def add(conn: AsyncConnection, *, order_id: int, line_id: int, now: datetime, remind_at: datetime) -> int:
    statement = insert(staff_cards).values(
        order_id=order_id, line_id=line_id, state="open", created_at=now, remind_at=remind_at
    )
    return int((await conn.execute(statement.returning(_C.id))).scalar_one())


async def get(conn: AsyncConnection, card_id: int) -> Card | None:
    row = (await conn.execute(select(staff_cards).where(_C.id == card_id))).one_or_none()
    return None if row is None else Card(**row._mapping)


async def of_line(conn: AsyncConnection, line_id: int) -> Card | None:
    row = (await conn.execute(select(staff_cards).where(_C.line_id == line_id))).one_or_none()
    return None if row is None else Card(**row._mapping)


async def move(conn: AsyncConnection, card: Card, state: CardState, **values: Any) -> None:
    """A guarded change: the order is locked, so a card that is not as it was read is a mistake of ours."""
    statement = update(staff_cards).where(_C.id == card.id, _C.state == card.state, _C.version == card.version)
    done = await conn.execute(statement.values(state=state, version=card.version + 1, **values))
    if done.rowcount != 1:
        raise RuntimeError("a card moved while its order was locked")


async def waiting(conn: AsyncConnection, *, after_id: int, limit: int) -> list[Card]:
    """Oldest first."""
    rows = await conn.execute(select(staff_cards).where(_WAITING, _C.id > after_id).order_by(_C.id).limit(limit))
    return [Card(**row._mapping) for row in rows]


async def count(conn: AsyncConnection) -> int:
    return int(await conn.scalar(select(func.count()).select_from(staff_cards).where(_WAITING)) or 0)


async def remind(conn: AsyncConnection, *, now: datetime, again_at: datetime, limit: int) -> list[tuple[int, int]]:
    """Cards that have waited too long, (card, order) of each; they are due again later. Those that are being moved at
    this moment are left alone."""
    due = select(_C.id).where(_WAITING, _C.remind_at <= now).order_by(_C.id).limit(limit)
    statement = (
        update(staff_cards)
        .where(_C.id.in_(due.with_for_update(skip_locked=True).scalar_subquery()))
        .values(remind_at=again_at)
        .returning(_C.id, _C.order_id)
    )
    return sorted((row.id, row.order_id) for row in await conn.execute(statement))


async def next_reminder(conn: AsyncConnection) -> datetime | None:
    due: datetime | None = await conn.scalar(select(func.min(_C.remind_at)).where(_WAITING))
    return due


async def reasons(conn: AsyncConnection, line_ids: Sequence[int]) -> Mapping[int, str]:
    """Why lines could not be delivered, of those that could not."""
    if not line_ids:
        return {}
    rows = await conn.execute(select(_C.line_id, _C.reason).where(_C.line_id.in_(line_ids), _C.reason != ""))
    return {row.line_id: row.reason for row in rows}


async def views(conn: AsyncConnection, cards: Sequence[Card]) -> tuple[StaffCardView, ...]:
    """Cards as the door shows them, in the order given."""
    ids = sorted({card.order_id for card in cards})
    of = {order.id: order for order in await orders.get_all(conn, ids)}
    lines = {line.id: line for found in (await orders.lines_of(conn, ids)).values() for line in found}
    return tuple(
        StaffCardView(
            id=card.id,
            order_id=card.order_id,
            user_id=of[card.order_id].user_id,
            plan_id=of[card.order_id].plan_id,
            plan_title=of[card.order_id].plan_title,
            metric=lines[card.line_id].metric,
            quantity=lines[card.line_id].quantity,
            delivered=lines[card.line_id].delivered,
            verified=lines[card.line_id].verified,
            link=of[card.order_id].link,
            answers=of[card.order_id].answers,
            goods=of[card.order_id].invoice_id is not None,
            state=card.state,
            version=card.version,
            taken_by=card.taken_by,
            taken_at=card.taken_at,
            decided_by=card.decided_by,
            decided_at=card.decided_at,
            reason=card.reason,
            created_at=card.created_at,
            refunded=Money(lines[card.line_id].back_cents, USD),
        )
        for card in cards
    )

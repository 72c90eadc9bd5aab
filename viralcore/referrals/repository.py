"""Every statement of referrals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Date, Executable, case, cast, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.core.money import USD, Money
from viralcore.referrals.api import CommissionView
from viralcore.referrals.domain import Change, commissionable
from viralcore.referrals.tables import affiliates, bindings, commissions, purchases, returns

_LOOPS = text("""
WITH RECURSIVE up (id, way) AS (
    SELECT CAST(:referrer AS bigint), ARRAY[CAST(:referrer AS bigint)]
    UNION ALL
    SELECT b.referrer_id, up.way || b.referrer_id FROM up JOIN referrals.bindings b ON b.user_id = up.id
    WHERE NOT b.referrer_id = ANY (up.way)
)
SELECT EXISTS (SELECT 1 FROM up WHERE id = :person)
""")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))")


@dataclass(frozen=True, slots=True)
class Purchase:
    """`paid`, `total`, `percent`: nothing until its payment is heard of."""

    invoice_id: int
    user_id: int
    item_ref: str
    total: int | None
    paid: int | None
    percent: Decimal | None
    booked: int


@dataclass(frozen=True, slots=True)
class Sums:
    """Of one affiliate, in cents."""

    earned: int
    reversed: int
    receivable: int


async def _made(conn: AsyncConnection, statement: Executable) -> bool:
    """Whether an INSERT made (or completed) a row: it returns one only then."""
    return (await conn.execute(statement)).one_or_none() is not None


# --- who brought whom -------------------------------------------------------------------------------------------------


async def lock_bindings(conn: AsyncConnection) -> None:
    """Bindings are made one after the other: two at once could each not see the loop they form together."""
    await conn.execute(_LOCK, {"what": "referrals.bindings"})


async def lock_buyer(conn: AsyncConnection, user_id: int) -> None:
    """What concerns one buyer (how they came, what they bought, what went back) happens one after the other."""
    await conn.execute(_LOCK, {"what": f"referrals.buyer:{user_id}"})


async def makes_loop(conn: AsyncConnection, *, user_id: int, referrer_id: int) -> bool:
    return bool(await conn.scalar(_LOOPS, {"person": user_id, "referrer": referrer_id}))


async def bind(conn: AsyncConnection, *, user_id: int, referrer_id: int, now: datetime) -> bool:
    """Whether it is new."""
    first = select(func.min(purchases.c.bought_at)).where(purchases.c.user_id == user_id).scalar_subquery()
    statement = insert(bindings).values(user_id=user_id, referrer_id=referrer_id, bound_at=now, bought_at=first)
    return await _made(conn, statement.on_conflict_do_nothing().returning(bindings.c.user_id))


async def referrer_of(conn: AsyncConnection, user_id: int) -> int | None:
    found: int | None = await conn.scalar(select(bindings.c.referrer_id).where(bindings.c.user_id == user_id))
    return found


async def bought(conn: AsyncConnection, user_id: int, *, now: datetime) -> None:
    """The first purchase makes a person an active one."""
    statement = update(bindings).where(bindings.c.user_id == user_id, bindings.c.bought_at.is_(None))
    await conn.execute(statement.values(bought_at=now))


async def ties(conn: AsyncConnection, user_ids: Sequence[int]) -> list[tuple[int, int]]:
    query = select(bindings.c.user_id, bindings.c.referrer_id).order_by(bindings.c.user_id)
    query = query.where(bindings.c.user_id.in_(user_ids), bindings.c.referrer_id.in_(user_ids))
    return [(person, referrer) for person, referrer in await conn.execute(query)]


# --- purchases, and what went back of them ----------------------------------------------------------------------------


async def add_purchase(
    conn: AsyncConnection,
    *,
    invoice_id: int,
    user_id: int,
    item_ref: str,
    total: int,
    paid: int,
    percent: Decimal,
    now: datetime,
) -> bool:
    """Whether its payment was not heard of before."""
    told: dict[str, Any] = {
        "item_ref": item_ref, "total_cents": total, "paid_cents": paid, "percent": percent, "bought_at": now,
    }  # fmt: skip
    statement = insert(purchases).values(invoice_id=invoice_id, user_id=user_id, **told)
    statement = statement.on_conflict_do_update(
        index_elements=[purchases.c.invoice_id], set_=told, where=purchases.c.paid_cents.is_(None)
    )
    return await _made(conn, statement.returning(purchases.c.invoice_id))


async def add_return(
    conn: AsyncConnection,
    *,
    source: str,
    invoice_id: int,
    user_id: int,
    cents: int,
    known: Literal["paid", "all"],
    now: datetime,
) -> bool:
    """Whether it is new."""
    statement = insert(returns).values(source=source, invoice_id=invoice_id, cents=cents, known=known, at=now)
    if not await _made(conn, statement.on_conflict_do_nothing().returning(returns.c.source)):
        return False
    of = insert(purchases).values(invoice_id=invoice_id, user_id=user_id)
    await conn.execute(of.on_conflict_do_nothing())
    return True


async def lock_purchase(conn: AsyncConnection, invoice_id: int) -> Purchase:
    row = (await conn.execute(select(purchases).where(purchases.c.invoice_id == invoice_id).with_for_update())).one()
    return Purchase(
        row.invoice_id, row.user_id, row.item_ref, row.total_cents, row.paid_cents, row.percent, row.booked_cents
    )


async def purchases_of(conn: AsyncConnection, user_id: int) -> list[int]:
    query = select(purchases.c.invoice_id).where(purchases.c.user_id == user_id).order_by(purchases.c.invoice_id)
    return list(await conn.scalars(query))


async def returned(conn: AsyncConnection, purchase: Purchase) -> int:
    """Cents that had paid commission and went back."""
    query = select(returns.c.cents, returns.c.known).where(returns.c.invoice_id == purchase.invoice_id)
    paid, total = purchase.paid or 0, purchase.total or 0
    return sum(
        cents if known == "paid" else commissionable(refunded=cents, paid=paid, total=total)
        for cents, known in await conn.execute(query)
    )


async def book(conn: AsyncConnection, purchase: Purchase, booked: int) -> None:
    statement = update(purchases).where(
        purchases.c.invoice_id == purchase.invoice_id, purchases.c.booked_cents == purchase.booked
    )
    if (await conn.execute(statement.values(booked_cents=booked))).rowcount != 1:
        raise RuntimeError(f"the commission of invoice {purchase.invoice_id} moved while it was locked")


# --- commissions ------------------------------------------------------------------------------------------------------


async def lock_affiliate(conn: AsyncConnection, user_id: int) -> Sums:
    await conn.execute(insert(affiliates).values(user_id=user_id).on_conflict_do_nothing())
    row = (await conn.execute(select(affiliates).where(affiliates.c.user_id == user_id).with_for_update())).one()
    return Sums(row.earned_cents, row.reversed_cents, row.receivable_cents)


async def add_commission(
    conn: AsyncConnection, *, key: str, referrer_id: int, purchase: Purchase, what: Change, now: datetime
) -> None:
    """The commission or reversal, and the sums of its affiliate, whose row is held."""
    row = insert(commissions).values(
        key=key,
        referrer_id=referrer_id,
        buyer_id=purchase.user_id,
        invoice_id=purchase.invoice_id,
        item_ref=purchase.item_ref,
        cents=what.cents,
        to_balance_cents=what.to_balance,
        at=now,
    )
    await conn.execute(row)
    sums = update(affiliates).where(affiliates.c.user_id == referrer_id)
    sums = sums.values(
        earned_cents=affiliates.c.earned_cents + max(what.cents, 0),
        reversed_cents=affiliates.c.reversed_cents + max(-what.cents, 0),
        receivable_cents=affiliates.c.receivable_cents + what.receivable,
    )
    if (await conn.execute(sums)).rowcount != 1:
        raise RuntimeError(f"affiliate {referrer_id} is gone")


async def page(
    conn: AsyncConnection, referrer_id: int, *, before_id: int | None, limit: int
) -> tuple[CommissionView, ...]:
    query = select(commissions).where(commissions.c.referrer_id == referrer_id)
    if before_id is not None:
        query = query.where(commissions.c.id < before_id)
    rows = await conn.execute(query.order_by(commissions.c.id.desc()).limit(limit))
    return tuple(
        CommissionView(
            id=row.id,
            referrer_id=row.referrer_id,
            buyer_id=row.buyer_id,
            invoice_id=row.invoice_id,
            item_ref=row.item_ref,
            amount=Money(row.cents, USD),
            to_balance=Money(row.to_balance_cents, USD),
            at=row.at,
        )
        for row in rows
    )


async def by_month(conn: AsyncConnection, referrer_id: int, *, since: datetime) -> dict[date, tuple[int, int]]:
    """First day to (earned, taken back)."""
    month = cast(func.date_trunc("month", func.timezone("UTC", commissions.c.at)), Date)
    up = func.sum(case((commissions.c.cents > 0, commissions.c.cents), else_=0))
    down = func.sum(case((commissions.c.cents < 0, -commissions.c.cents), else_=0))
    query = select(month, up, down).where(commissions.c.referrer_id == referrer_id, commissions.c.at >= since)
    return {day: (int(earned), int(back)) for day, earned, back in await conn.execute(query.group_by(month))}


# --- sums and facts ---------------------------------------------------------------------------------------------------


async def sums_of(conn: AsyncConnection, user_ids: Sequence[int]) -> dict[int, Sums]:
    rows = await conn.execute(select(affiliates).where(affiliates.c.user_id.in_(user_ids)))
    return {row.user_id: Sums(row.earned_cents, row.reversed_cents, row.receivable_cents) for row in rows}


async def referrers_of(conn: AsyncConnection, user_ids: Sequence[int]) -> Mapping[int, int]:
    query = select(bindings.c.user_id, bindings.c.referrer_id).where(bindings.c.user_id.in_(user_ids))
    return {row.user_id: row.referrer_id for row in await conn.execute(query)}


async def brought(conn: AsyncConnection, user_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """(people, active ones) by referrer."""
    query = select(bindings.c.referrer_id, func.count(), func.count(bindings.c.bought_at))
    rows = await conn.execute(query.where(bindings.c.referrer_id.in_(user_ids)).group_by(bindings.c.referrer_id))
    return {referrer: (people, active) for referrer, people, active in rows}


async def busiest_days(conn: AsyncConnection, user_ids: Sequence[int]) -> dict[int, int]:
    day = func.date_trunc("day", func.timezone("UTC", bindings.c.bound_at))
    daily = select(bindings.c.referrer_id, func.count().label("people"))
    per_day = daily.where(bindings.c.referrer_id.in_(user_ids)).group_by(bindings.c.referrer_id, day).subquery()
    query = select(per_day.c.referrer_id, func.max(per_day.c.people).label("most")).group_by(per_day.c.referrer_id)
    return {row.referrer_id: row.most for row in await conn.execute(query)}


async def top_buyers(conn: AsyncConnection, user_ids: Sequence[int]) -> dict[int, int]:
    """The most that one buyer brought in, gross, by referrer."""
    each = select(commissions.c.referrer_id, func.sum(commissions.c.cents).label("cents"))
    each = each.where(commissions.c.referrer_id.in_(user_ids), commissions.c.cents > 0)
    per_buyer = each.group_by(commissions.c.referrer_id, commissions.c.buyer_id).subquery()
    query = select(per_buyer.c.referrer_id, func.max(per_buyer.c.cents)).group_by(per_buyer.c.referrer_id)
    return {referrer: int(cents) for referrer, cents in await conn.execute(query)}


async def totals(conn: AsyncConnection) -> tuple[int, int, int, int, int]:
    """(people bound, active ones, earned, taken back, receivable), of everybody."""
    people, active = (await conn.execute(select(func.count(), func.count(bindings.c.bought_at)))).one()
    query = select(
        func.coalesce(func.sum(affiliates.c.earned_cents), 0),
        func.coalesce(func.sum(affiliates.c.reversed_cents), 0),
        func.coalesce(func.sum(affiliates.c.receivable_cents), 0),
    )
    earned, back, owed = (await conn.execute(query)).one()
    return int(people), int(active), int(earned), int(back), int(owed)

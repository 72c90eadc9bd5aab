"""Statements on comparisons, differences and solvency."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.withdrawals.domain.comparing import Difference
from viralcore.withdrawals.tables import attempts, comparisons, differences, requests, solvency


async def add(conn: AsyncConnection, *, now: datetime, asked_by: int, day: date | None) -> int | None:
    """A comparison to be made; None when the day has one."""
    values = {"state": "asked", "asked_by": asked_by, "asked_at": now, "day": day}
    asked = upsert(comparisons).values(**values).on_conflict_do_nothing().returning(comparisons.c.id)
    found: int | None = (await conn.execute(asked)).scalar_one_or_none()
    return found


async def get(conn: AsyncConnection, comparison_id: int | None) -> Row[Any] | None:
    """One, or the last."""
    query = select(comparisons).order_by(comparisons.c.id.desc()).limit(1)
    if comparison_id is not None:
        query = query.where(comparisons.c.id == comparison_id)
    return (await conn.execute(query)).first()


async def last_day(conn: AsyncConnection) -> date | None:
    found: date | None = (await conn.execute(select(func.max(comparisons.c.day)))).scalar_one_or_none()
    return found


async def last_balance(conn: AsyncConnection) -> tuple[int, int] | None:
    """Balance and what had been spent at the last comparison that knew both."""
    query = select(comparisons.c.balance, comparisons.c.spent).where(
        comparisons.c.balance.is_not(None), comparisons.c.spent.is_not(None)
    )
    row = (await conn.execute(query.order_by(comparisons.c.id.desc()).limit(1))).first()
    return None if row is None else (row.balance, row.spent)


async def end(conn: AsyncConnection, comparison_id: int, *, now: datetime, state: str, **values: Any) -> bool:
    done = await conn.execute(
        update(comparisons)
        .where(comparisons.c.id == comparison_id, comparisons.c.state == "asked")
        .values(state=state, ended_at=now, **values)
    )
    return done.rowcount == 1


async def spending(conn: AsyncConnection) -> tuple[int, int, int]:
    """All that has left the provider's balance by our transfers, in kobo, fees included; how many they are; and how
    many may be leaving it at this moment."""
    out = attempts.c.state.in_(("accepted", "succeeded"))
    total = requests.c.gross - requests.c.fee + func.coalesce(attempts.c.fee, requests.c.fee)
    query = select(
        func.coalesce(func.sum(total).filter(out), 0),
        func.count().filter(out),
        func.count().filter(attempts.c.state.in_(("sending", "unknown"))),
    ).select_from(attempts.join(requests, requests.c.id == attempts.c.request_id))
    spent, number, moving = (await conn.execute(query)).one()
    return int(spent), int(number), int(moving)


async def place(conn: AsyncConnection, found: Difference, *, now: datetime) -> int | None:
    """Store a difference; its id when it is news: new, or changed since it was accepted or had gone."""
    values = {name: getattr(found, name) for name in Difference.__dataclass_fields__}
    asked = upsert(differences).values(**values, state="open", found_at=now).on_conflict_do_nothing()
    fresh = (await conn.execute(asked.returning(differences.c.id))).scalar_one_or_none()
    if fresh is not None:
        return int(fresh)
    same = (
        differences.c.kind == found.kind,
        differences.c.reference == found.reference,
        differences.c.provider_id == found.provider_id,
    )
    known = (await conn.execute(select(differences).where(*same).with_for_update())).one()
    facts = (known.ours, known.ours_state, known.theirs, known.theirs_asset, known.theirs_status)
    if known.state == "open" or (known.state == "accepted" and facts == found.facts):
        if facts != found.facts:
            await conn.execute(update(differences).where(*same).values(**values))
        return None
    again = {"state": "open", "found_at": now, "decided_by": None, "decided_at": None, "reason": ""}
    await conn.execute(update(differences).where(*same).values(**values, **again))
    return int(known.id)


async def gone(
    conn: AsyncConnection,
    places: Collection[tuple[str, str, str]],
    *,
    since: date,
    left: Collection[tuple[str, str]],
    older: Sequence[int],
    now: datetime,
) -> list[int]:
    """Open ones that were looked at and not found again: of days that were listed, but for what was `left`, and the
    `older` ones that were looked up. What the balance lacked does not come back by itself."""
    listed = and_(differences.c.on_day >= since, differences.c.kind != "balance")
    rows = await conn.execute(
        select(differences.c.id, differences.c.kind, differences.c.reference, differences.c.provider_id)
        .where(differences.c.state == "open", or_(listed, differences.c.id.in_(older)))
        .order_by(differences.c.id)
        .with_for_update()
    )
    if older:
        await conn.execute(update(differences).where(differences.c.id.in_(older)).values(looked_at=now))
    ended = [
        row.id
        for row in rows
        if (row.kind, row.reference, row.provider_id) not in places
        and (row.reference, "" if row.reference else row.provider_id) not in left
    ]
    if ended:
        await conn.execute(
            update(differences).where(differences.c.id.in_(ended)).values(state="gone", decided_at=now, decided_by=0)
        )
    return ended


async def decide(conn: AsyncConnection, difference_id: int, *, actor: int, reason: str, now: datetime) -> bool:
    done = await conn.execute(
        update(differences)
        .where(differences.c.id == difference_id, differences.c.state == "open")
        .values(state="accepted", decided_by=actor, decided_at=now, reason=reason)
    )
    return done.rowcount == 1


async def difference(conn: AsyncConnection, difference_id: int) -> Row[Any] | None:
    return (await conn.execute(select(differences).where(differences.c.id == difference_id))).first()


async def page(conn: AsyncConnection, *, state: str, after_id: int, limit: int) -> list[Row[Any]]:
    query = select(differences).where(differences.c.state == state, differences.c.id > after_id)
    return list(await conn.execute(query.order_by(differences.c.id).limit(limit)))


async def count_open(conn: AsyncConnection) -> int:
    query = select(func.count()).select_from(differences).where(differences.c.state == "open")
    return int((await conn.execute(query)).scalar_one())


async def older(conn: AsyncConnection, before: date, limit: int) -> list[Row[Any]]:
    """Open ones of days that are not listed any more, those first that were not looked up for longest."""
    query = select(differences).where(
        differences.c.state == "open", differences.c.on_day < before, differences.c.kind != "balance"
    )
    order = (differences.c.looked_at.asc().nulls_first(), differences.c.id)
    return list(await conn.execute(query.order_by(*order).limit(limit)))


# --- solvency ---------------------------------------------------------------------------------------------------------


async def get_solvency(conn: AsyncConnection, *, hold: bool = False) -> Row[Any] | None:
    query = select(solvency)
    return (await conn.execute(query.with_for_update() if hold else query)).first()


async def put_solvency(conn: AsyncConnection, values: Mapping[str, Any]) -> None:
    stored = upsert(solvency).values(id=1, **values)
    await conn.execute(stored.on_conflict_do_update(index_elements=["id"], set_=dict(values)))

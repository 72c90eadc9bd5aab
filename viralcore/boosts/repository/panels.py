"""Statements about what was last known of panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.boosts.tables.orders import panels, troubles

_OVER = text("DELETE FROM boosts.troubles WHERE panel = :panel AND what = ANY(:what)")


@dataclass(frozen=True, slots=True)
class PanelRow:
    name: str
    up: bool
    active: bool
    low: bool
    balance: Decimal | None
    currency: str | None
    checked_at: datetime | None


async def read(conn: AsyncConnection) -> Mapping[str, PanelRow]:
    return {row.name: PanelRow(**row._mapping) for row in await conn.execute(select(panels))}


async def lock(conn: AsyncConnection, names: Sequence[str]) -> Mapping[str, PanelRow]:
    """All rows, locked in name order; rows that are missing are made."""
    if names:
        await conn.execute(insert(panels).values([{"name": name} for name in names]).on_conflict_do_nothing())
    rows = await conn.execute(select(panels).order_by(panels.c.name).with_for_update())
    return {row.name: PanelRow(**row._mapping) for row in rows}


async def set_health(conn: AsyncConnection, name: str, *, up: bool, active: bool) -> None:
    await conn.execute(update(panels).where(panels.c.name == name).values(up=up, active=active))


async def set_balance(
    conn: AsyncConnection, name: str, *, balance: Decimal, currency: str, low: bool, now: datetime
) -> None:
    await conn.execute(
        update(panels).where(panels.c.name == name).values(balance=balance, currency=currency, low=low, checked_at=now)
    )


async def trouble(conn: AsyncConnection, *, panel: str, what: str, now: datetime, again_before: datetime) -> bool:
    """Note a trouble; True when it is new, or so old that it is worth telling again."""
    statement = insert(troubles).values(panel=panel, what=what, since=now)
    statement = statement.on_conflict_do_update(
        index_elements=["panel", "what"],
        set_={"since": statement.excluded.since},
        where=troubles.c.since <= again_before,
    )
    return (await conn.execute(statement.returning(troubles.c.panel))).first() is not None


async def over(conn: AsyncConnection, *, panel: str, what: Sequence[str]) -> None:
    """The panel took an order: these troubles are over."""
    await conn.execute(_OVER, {"panel": panel, "what": list(what)})

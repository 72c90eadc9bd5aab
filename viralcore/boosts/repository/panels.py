"""Statements about what was last known of panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.boosts.domain.ranking import Record
from viralcore.boosts.tables.orders import panels, troubles
from viralcore.boosts.tables.panels import balances

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
    preferred: bool
    samples: int
    success: Decimal | None
    cancelled: Decimal | None
    first_seconds: int | None
    spent_a_day: Decimal | None
    rated_at: datetime | None
    synced_at: datetime | None
    sync_asked_at: datetime | None
    sync_asked_by: int | None
    short: bool

    @property
    def record(self) -> Record:
        """What it did for us lately."""
        return Record(self.samples, self.success, self.cancelled, self.first_seconds)


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


async def keep_balance(
    conn: AsyncConnection, name: str, *, balance: Decimal, currency: str, now: datetime, forget_before: datetime
) -> None:
    """One more reading of a balance; old ones are forgotten."""
    values = {"panel": name, "at": now, "balance": balance, "currency": currency}
    await conn.execute(insert(balances).values(**values).on_conflict_do_nothing())
    await conn.execute(delete(balances).where(balances.c.panel == name, balances.c.at < forget_before))


async def prefer(conn: AsyncConnection, name: str) -> None:
    """Ask this panel first from now on. All rows are locked by the caller."""
    await conn.execute(update(panels).where(panels.c.preferred).values(preferred=False))
    await conn.execute(update(panels).where(panels.c.name == name).values(preferred=True))


async def set_record(
    conn: AsyncConnection, name: str, record: Record, *, spent_a_day: Decimal | None, now: datetime
) -> None:
    await conn.execute(
        update(panels)
        .where(panels.c.name == name)
        .values(
            samples=record.samples,
            success=record.success,
            cancelled=record.cancelled,
            first_seconds=record.first_seconds,
            spent_a_day=spent_a_day,
            rated_at=now,
        )
    )


async def ask_sync(conn: AsyncConnection, name: str, *, by: int, now: datetime) -> None:
    """Somebody waits for its list of services to be read."""
    await conn.execute(update(panels).where(panels.c.name == name).values(sync_asked_at=now, sync_asked_by=by))


async def synced(conn: AsyncConnection, name: str, *, now: datetime) -> None:
    await conn.execute(
        update(panels).where(panels.c.name == name).values(synced_at=now, sync_asked_at=None, sync_asked_by=None)
    )


async def set_short(conn: AsyncConnection, name: str, *, short: bool) -> None:
    await conn.execute(update(panels).where(panels.c.name == name).values(short=short))


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

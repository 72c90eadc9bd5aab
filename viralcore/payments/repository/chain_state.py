"""Statements on cursors, prices and exchange rates: what is known of the world outside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.payments.domain.exchange import FxRate
from viralcore.payments.domain.prices import Price
from viralcore.payments.tables import cursors, fx, prices


@dataclass(frozen=True, slots=True)
class Cursor:
    """`first_block`: where this shop began to look; what is at or below it is not ours to judge."""

    first_block: int
    block: int


async def get_cursor(conn: AsyncConnection, network: str) -> Cursor | None:
    query = select(cursors.c.first_block, cursors.c.block).where(cursors.c.network == network)
    row = (await conn.execute(query)).first()
    return None if row is None else Cursor(row.first_block, row.block)


async def read_networks(conn: AsyncConnection) -> set[str]:
    """Networks whose chain has been read at least once."""
    return set((await conn.scalars(select(cursors.c.network))).all())


async def start_cursor(conn: AsyncConnection, network: str, block: int, now: datetime) -> None:
    await conn.execute(
        upsert(cursors).values(network=network, first_block=block, block=block, moved_at=now).on_conflict_do_nothing()
    )


async def move_cursor(conn: AsyncConnection, network: str, *, block: int, to: int, now: datetime) -> bool:
    """Guarded: from exactly where the reading began. False: somebody else moved it."""
    done = await conn.execute(
        update(cursors).where(cursors.c.network == network, cursors.c.block == block).values(block=to, moved_at=now)
    )
    return done.rowcount == 1


async def get_prices(conn: AsyncConnection) -> dict[str, Price]:
    return {
        row.coin: Price(row.coin, row.state, row.usd, row.good_at, row.looked_at)
        for row in await conn.execute(select(prices))
    }


async def save_price(conn: AsyncConnection, price: Price) -> None:
    values = {
        "state": price.state,
        "usd": price.usd,
        "good_at": price.good_at,
        "looked_at": price.looked_at,
    }
    await conn.execute(
        upsert(prices)
        .values(coin=price.coin, **values)
        .on_conflict_do_update(index_elements=[prices.c.coin], set_=values)
    )


async def get_fx(conn: AsyncConnection, currency: str) -> FxRate | None:
    row = (await conn.execute(select(fx).where(fx.c.currency == currency))).first()
    if row is None:
        return None
    return FxRate(row.currency, row.state, row.per_usd, row.source_at, row.good_at, row.looked_at)


async def save_fx(conn: AsyncConnection, rate: FxRate) -> None:
    values = {
        "state": rate.state,
        "per_usd": rate.per_usd,
        "source_at": rate.source_at,
        "good_at": rate.good_at,
        "looked_at": rate.looked_at,
    }
    await conn.execute(
        upsert(fx)
        .values(currency=rate.currency, **values)
        .on_conflict_do_update(index_elements=[fx.c.currency], set_=values)
    )

"""Counts over the tables of payments, for /metrics."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.payments.tables import claims, fx, invoices, prices, receipts


async def receipts_by_outcome(conn: AsyncConnection) -> list[tuple[str, str, str, int, int]]:
    """(network, asset, outcome, how many, their worth in cents)."""
    query = select(
        receipts.c.network, receipts.c.asset, receipts.c.outcome, func.count(), func.sum(receipts.c.usd_cents)
    ).group_by(receipts.c.network, receipts.c.asset, receipts.c.outcome)
    return [
        (network, asset, outcome, count, int(cents))
        for network, asset, outcome, count, cents in await conn.execute(query)
    ]


async def claims_by_state(conn: AsyncConnection) -> list[tuple[str, str, int]]:
    """(network, state, how many)."""
    query = select(claims.c.network, claims.c.state, func.count()).group_by(claims.c.network, claims.c.state)
    return [(network, state, count) for network, state, count in await conn.execute(query)]


async def invoices_by_state(conn: AsyncConnection) -> list[tuple[str, str, int]]:
    """(what paid it: a method or nothing, state, how many)."""
    paid_with = func.coalesce(invoices.c.paid_with, "")
    query = select(paid_with, invoices.c.state, func.count()).group_by(paid_with, invoices.c.state)
    return [(method, state, count) for method, state, count in await conn.execute(query)]


async def price_states(conn: AsyncConnection) -> list[tuple[str, str]]:
    """(coin, state), naira among them."""
    query = select(prices.c.coin, prices.c.state).union_all(select(fx.c.currency, fx.c.state))
    return [(coin, state) for coin, state in await conn.execute(query)]

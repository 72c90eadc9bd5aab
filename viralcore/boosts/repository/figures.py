"""Counts over the tables of boosts, for /metrics."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import case, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.boosts.tables.orders import lines, orders, panels, phases


async def orders_by_state(conn: AsyncConnection) -> list[tuple[str, str, int]]:
    """(plan, state, how many). Plans made for one person are one plan here, or every one of them were a series."""
    plan_id = case((orders.c.plan_id.startswith("custom-"), "custom"), else_=orders.c.plan_id).label("plan")
    query = select(plan_id, orders.c.state, func.count()).group_by(text("plan"), orders.c.state)
    return [(plan, state, count) for plan, state, count in await conn.execute(query)]


async def phases_by_panel(conn: AsyncConnection) -> list[tuple[str, str, int]]:
    """(panel or nothing while none has it, state, how many)."""
    panel = func.coalesce(phases.c.panel, "")
    query = select(panel, phases.c.state, func.count()).group_by(panel, phases.c.state)
    return [(name, state, count) for name, state, count in await conn.execute(query)]


async def panel_states(conn: AsyncConnection) -> list[tuple[str, bool, bool, Decimal | None, str]]:
    """(panel, whether it answers, whether its balance is low, the balance, its currency)."""
    query = select(panels.c.name, panels.c.up, panels.c.low, panels.c.balance, func.coalesce(panels.c.currency, ""))
    return [(name, up, low, balance, currency) for name, up, low, balance, currency in await conn.execute(query)]


async def waiting(conn: AsyncConnection) -> list[tuple[str, str, int]]:
    """(platform, metric, how many) of what no panel has taken yet."""
    query = (
        select(orders.c.platform, lines.c.metric, func.sum(phases.c.quantity))
        .select_from(phases.join(lines, lines.c.id == phases.c.line_id).join(orders, orders.c.id == phases.c.order_id))
        .where(phases.c.state.in_(("waiting", "sending", "unknown")))
        .group_by(orders.c.platform, lines.c.metric)
    )
    return [(platform, metric, int(quantity)) for platform, metric, quantity in await conn.execute(query)]

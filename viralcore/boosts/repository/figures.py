"""Counts over the tables of boosts, for /metrics."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.boosts.tables.orders import lines, orders, panels, phases

_ORDERS = text("""
SELECT CASE WHEN starts_with(plan_id, 'custom-') THEN 'custom' ELSE plan_id END AS plan, state, sum(n)
FROM (
    SELECT plan_id, state, count(*) AS n FROM boosts.orders WHERE finished_at IS NULL GROUP BY plan_id, state
    UNION ALL
    SELECT plan_id, state, count(*) FROM boosts.orders WHERE finished_at > :since GROUP BY plan_id, state
) found GROUP BY plan, state
""")
_PHASES = text("""
SELECT panel, state, sum(n)
FROM (
    SELECT coalesce(panel, '') AS panel, state, count(*) AS n
    FROM boosts.phases WHERE finished_at IS NULL GROUP BY panel, state
    UNION ALL
    SELECT coalesce(panel, ''), state, count(*) FROM boosts.phases WHERE finished_at > :since GROUP BY panel, state
) found GROUP BY panel, state
""")


async def orders_by_state(conn: AsyncConnection, *, since: datetime) -> list[tuple[str, str, int]]:
    """(plan, state, how many) of what runs and of what has ended since then. Plans made for one person are one plan
    here, or every one of them were a series."""
    return [(plan, state, int(n)) for plan, state, n in await conn.execute(_ORDERS, {"since": since})]


async def phases_by_panel(conn: AsyncConnection, *, since: datetime) -> list[tuple[str, str, int]]:
    """(panel or nothing while none has it, state, how many), the same."""
    return [(panel, state, int(n)) for panel, state, n in await conn.execute(_PHASES, {"since": since})]


async def panel_states(conn: AsyncConnection) -> list[tuple[str, bool, bool, Decimal | None, str]]:
    """(panel, whether it answers, whether its balance is low, the balance, its currency)."""
    query = select(panels.c.name, panels.c.up, panels.c.low, panels.c.balance, func.coalesce(panels.c.currency, ""))
    return [(name, up, low, balance, currency) for name, up, low, balance, currency in await conn.execute(query)]


async def waiting(conn: AsyncConnection) -> list[tuple[str, str, int]]:
    """(platform, metric, how many) of what no panel has taken yet."""
    query = (
        select(orders.c.platform, lines.c.metric, func.sum(phases.c.quantity))
        .select_from(phases.join(lines, lines.c.id == phases.c.line_id).join(orders, orders.c.id == phases.c.order_id))
        .where(phases.c.state.in_(("waiting", "sending", "unknown")), phases.c.finished_at.is_(None))
        .group_by(orders.c.platform, lines.c.metric)
    )
    return [(platform, metric, int(quantity)) for platform, metric, quantity in await conn.execute(query)]

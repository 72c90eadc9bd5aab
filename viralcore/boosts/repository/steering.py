"""Statements about orders that are paused or cut short, and about how long others took."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.boosts.domain.states import Order

_PAUSE = text("UPDATE boosts.orders SET paused_at = :now WHERE id = :id AND paused_at IS NULL AND finished_at IS NULL")
_RESUME = text("UPDATE boosts.orders SET paused_at = NULL WHERE id = :id AND paused_at = :paused_at")
_MOVE = text("""
UPDATE boosts.phases
SET due_at = due_at + :span, next_at = next_at + :span, troubled_since = troubled_since + :span
WHERE order_id = :id AND state = 'waiting'
""")
_WHYS = text("""
SELECT DISTINCT ON (a.phase_id) a.phase_id, a.why
FROM boosts.phases p JOIN boosts.attempts a ON a.phase_id = p.id
WHERE p.order_id = :id AND p.state = 'waiting' AND a.state = 'refused'
ORDER BY a.phase_id, a.number DESC
""")
_TOOK = text("""
SELECT l.metric, count(*) AS n,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM l.finished_at - o.created_at)) AS median
FROM (
    SELECT id, created_at FROM boosts.orders
    WHERE plan_id = :plan AND finished_at IS NOT NULL AND finished_at >= :since AND state IN ('completed', 'partial')
    ORDER BY finished_at DESC LIMIT :most
) o JOIN boosts.lines l ON l.order_id = o.id
WHERE l.state = 'completed' OR (l.state = 'partial' AND l.engine IS NOT NULL)
GROUP BY l.metric
""")


async def pause(conn: AsyncConnection, order: Order, *, now: datetime) -> None:
    """Under its lock."""
    await _one(conn, _PAUSE, id=order.id, now=now)


async def resume(conn: AsyncConnection, order: Order, *, span: timedelta) -> None:
    """Under its lock: what waits comes that much later."""
    await _one(conn, _RESUME, id=order.id, paused_at=order.paused_at)
    await conn.execute(_MOVE, {"id": order.id, "span": span})


async def whys(conn: AsyncConnection, order_id: int) -> Mapping[int, str]:
    """Why the last panel said no, by phase that waits."""
    return {row.phase_id: row.why for row in await conn.execute(_WHYS, {"id": order_id})}


async def took(
    conn: AsyncConnection, plan_id: str, *, since: datetime, most: int
) -> Mapping[str, tuple[timedelta, int]]:
    """How long the lines of a plan's newest finished orders took, by metric: the median, and of how many."""
    rows = await conn.execute(_TOOK, {"plan": plan_id, "since": since, "most": most})
    return {row.metric: (timedelta(seconds=int(row.median)), row.n) for row in rows}


async def _one(conn: AsyncConnection, statement: object, **values: object) -> None:
    done = await conn.execute(statement, values)  # type: ignore[call-overload]
    if done.rowcount != 1:
        raise RuntimeError("an order moved while it was locked")

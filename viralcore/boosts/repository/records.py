"""Statements about what panels did for us lately, what they were paid, and a hint for unknown sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.boosts.domain.ranking import Record
from viralcore.boosts.tables.panels import balances

# What is about the order (a busy link, a bad one), or ours to put right (funds, the key), says nothing about a panel.
_SENT = text("""
SELECT panel, count(*) FILTER (WHERE state = 'sent') AS sent,
    count(*) FILTER (
        WHERE state IN ('unknown', 'not_placed') OR (state = 'refused' AND why IN ('outage', 'other', 'service'))
    ) AS bad
FROM boosts.attempts WHERE created_at > :since GROUP BY panel
""")
# What staff cancelled is not the panel's doing.
_DONE = text("""
SELECT panel, count(*) FILTER (WHERE state IN ('completed', 'partial', 'failed')) AS ended,
    count(*) FILTER (WHERE state IN ('partial', 'failed')) AS cut,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM first_at - sent_at)::float8)
        FILTER (WHERE first_at IS NOT NULL) AS first
FROM boosts.phases p
WHERE panel IS NOT NULL AND panel_order IS NOT NULL AND sent_at > :since AND NOT EXISTS (
    SELECT 1 FROM boosts.requests r WHERE r.phase_id = p.id AND r.what = 'cancel' AND r.state <> 'refused'
)
GROUP BY panel
""")
_SPENT = text("""
SELECT panel, sum(charge) AS spent, min(sent_at) AS first
FROM boosts.phases WHERE panel IS NOT NULL AND panel_order IS NOT NULL AND sent_at > :since GROUP BY panel
""")
_OTHERS = text("""
SELECT coalesce(sum(coalesce(p.charge, o.rate * a.quantity / 1000)), 0) AS cost, count(*) AS orders
FROM boosts.attempts a
    JOIN boosts.phases p ON p.id = a.phase_id
    LEFT JOIN boosts.offers o ON o.panel = a.panel AND o.service = a.service
WHERE a.panel = :panel AND a.state = 'sent' AND a.created_at > :after AND a.created_at <= :until
""")


async def records(conn: AsyncConnection, *, since: datetime) -> Mapping[str, Record]:
    """By panel, from everything sent since then."""
    done = {row.panel: row for row in await conn.execute(_DONE, {"since": since})}
    found: dict[str, Record] = {}
    for row in await conn.execute(_SENT, {"since": since}):
        ended = done.get(row.panel)
        samples = row.sent + row.bad
        found[row.panel] = Record(
            samples=samples,
            success=_part(row.sent, samples),
            cancelled=None if ended is None else _part(ended.cut, ended.ended),
            first_seconds=None if ended is None or ended.first is None else int(ended.first),
        )
    return found


async def spent_a_day(conn: AsyncConnection, *, since: datetime, now: datetime) -> Mapping[str, Decimal]:
    """By panel, in its currency: what its orders were charged since then. A young shop's days are counted from its
    first order, and as one at least."""
    found: dict[str, Decimal] = {}
    for row in await conn.execute(_SPENT, {"since": since}):
        if row.spent is not None:
            hours = max(timedelta(days=1), min(now - since, now - row.first)) // timedelta(hours=1)
            found[row.panel] = row.spent * 24 / hours
    return found


@dataclass(frozen=True, slots=True)
class Around:
    """Two readings of a balance around a send, and what our other orders between them cost (`others` of them)."""

    before: Decimal
    before_at: datetime
    after: Decimal
    after_at: datetime
    cost: Decimal
    others: int
    currency: str


async def around(conn: AsyncConnection, panel: str, at: datetime) -> Around | None:
    """The last reading before a send and the first one after it; None while there are not both."""
    mine = select(balances).where(balances.c.panel == panel)
    before = (await conn.execute(mine.where(balances.c.at <= at).order_by(balances.c.at.desc()).limit(1))).one_or_none()
    after = (await conn.execute(mine.where(balances.c.at > at).order_by(balances.c.at).limit(1))).one_or_none()
    if before is None or after is None:
        return None
    between = {"panel": panel, "after": before.at, "until": after.at}
    others = (await conn.execute(_OTHERS, between)).one()
    return Around(before.balance, before.at, after.balance, after.at, others.cost, others.orders, after.currency)


def _part(some: int, of_all: int) -> Decimal | None:
    return (Decimal(some) / of_all).quantize(Decimal("0.0001")) if of_all else None

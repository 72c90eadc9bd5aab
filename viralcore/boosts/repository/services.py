"""Statements about what panels list, which of it we use, and what changed in that."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.boosts.domain.services import Change, InUse, Offer
from viralcore.boosts.tables.panels import offers, service_changes, services

_KEEP_CHANGES = 50
_ADD_OFFERS = text("""
INSERT INTO boosts.offers (panel, service, name, kind, category, rate, minimum, maximum, refill, cancel, seen_at)
SELECT :panel, o.service, o.name, o.kind, o.category, o.rate, o.minimum, o.maximum, o.refill, o.cancel, :now
FROM jsonb_to_recordset(CAST(:offers AS jsonb)) AS o (
    service text, name text, kind text, category text, rate numeric, minimum bigint, maximum bigint,
    refill boolean, cancel boolean
)
""")
_FORGET_CHANGES = text("""
DELETE FROM boosts.service_changes WHERE panel = :panel AND id <= (
    SELECT id FROM boosts.service_changes WHERE panel = :panel ORDER BY id DESC OFFSET :keep LIMIT 1
)
""")


@dataclass(frozen=True, slots=True)
class ChangeRow:
    platform: str
    metric: str
    change: Change
    at: datetime


async def in_use(conn: AsyncConnection, *, lock: bool = False, panel: str | None = None) -> list[InUse]:
    """Every row, or those of a panel, in a settled order."""
    statement = select(services).order_by(services.c.panel, services.c.platform, services.c.metric)
    if panel is not None:
        statement = statement.where(services.c.panel == panel)
    rows = await conn.execute(statement.with_for_update() if lock else statement)
    return [InUse(**{name: value for name, value in row._mapping.items() if name != "changed_at"}) for row in rows]


async def put(conn: AsyncConnection, rows: Sequence[InUse], *, now: datetime) -> None:
    """Rows as they are from now on."""
    for row in rows:
        values = {**asdict(row), "changed_at": now}
        statement = upsert(services).values(**values)
        keys = ("panel", "platform", "metric")
        changed = {name: value for name, value in values.items() if name not in keys}
        await conn.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))


async def replace_offers(conn: AsyncConnection, panel: str, found: Sequence[Offer], *, now: datetime) -> None:
    """The whole list of a panel, as it was just read."""
    await conn.execute(delete(offers).where(offers.c.panel == panel))
    listed = json.dumps([{**asdict(offer), "rate": f"{offer.rate:f}"} for offer in found])
    await conn.execute(_ADD_OFFERS, {"panel": panel, "offers": listed, "now": now})


async def offer(conn: AsyncConnection, panel: str, service: str) -> Offer | None:
    row = await conn.execute(select(offers).where(offers.c.panel == panel, offers.c.service == service))
    found = row.one_or_none()
    return None if found is None else _offer(dict(found._mapping))


async def add_changes(conn: AsyncConnection, row: InUse, changes: Sequence[Change], *, now: datetime) -> None:
    """Keep what changed, so that staff can look; old ones are forgotten."""
    for change in changes:
        values = {"panel": row.panel, "platform": row.platform, "metric": row.metric, "at": now, **asdict(change)}
        await conn.execute(insert(service_changes).values(**values))
    if changes:
        await conn.execute(_FORGET_CHANGES, {"panel": row.panel, "keep": _KEEP_CHANGES})


async def changes(conn: AsyncConnection, panel: str, *, limit: int) -> list[ChangeRow]:
    """The latest first."""
    statement = select(service_changes).where(service_changes.c.panel == panel)
    rows = await conn.execute(statement.order_by(service_changes.c.id.desc()).limit(limit))
    return [
        ChangeRow(
            row.platform, row.metric, Change(row.service, row.what, row.before, row.after, row.quarantined), row.at
        )
        for row in rows
    ]


def _offer(row: Mapping[str, Any]) -> Offer:
    return Offer(**{name: value for name, value in row.items() if name not in {"panel", "seen_at"}})

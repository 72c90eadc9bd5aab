"""Statements about panel orders that do not end by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.boosts.domain.states import Phase
from viralcore.boosts.domain.stuck import Limits
from viralcore.boosts.repository.phases import Moved, PanelOrderTaken
from viralcore.boosts.tables.orders import phases

_COLUMNS = ", ".join(f"p.{name}" for name in phases.c.keys())  # noqa: SIM118 # a collection of columns, no dict
_STUCK = """p.state = 'sent' AND (
    coalesce(p.placed_at, p.sent_at) <= :long_before OR p.strange_since <= :odd_before
    OR (p.panel <> ALL(CAST(:panels AS text[])) AND coalesce(p.placed_at, p.sent_at) <= :odd_before)
)"""
_PAGE = text(
    f"SELECT {_COLUMNS} FROM boosts.phases p "  # noqa: S608  # nosec B608 # our own words
    f"WHERE {_STUCK} AND p.id > :after ORDER BY p.id LIMIT :limit"
)
_COUNT = text(
    "SELECT count(*), count(*) FILTER (WHERE s.told_at > :again_before) "  # noqa: S608  # nosec B608
    f"FROM boosts.phases p LEFT JOIN boosts.stuck s ON s.phase_id = p.id WHERE {_STUCK}"
)
_TO_TELL = text(
    f"SELECT {_COLUMNS} FROM boosts.phases p "  # noqa: S608  # nosec B608
    f"LEFT JOIN boosts.stuck s ON s.phase_id = p.id WHERE {_STUCK} "
    "AND (s.told_at IS NULL OR s.told_at <= :again_before) ORDER BY p.id LIMIT :limit"
)
_OVER = text(
    f"SELECT {_COLUMNS} FROM boosts.stuck s "  # noqa: S608  # nosec B608
    f"JOIN boosts.phases p ON p.id = s.phase_id WHERE ({_STUCK}) IS NOT TRUE ORDER BY p.id LIMIT :limit"
)
_TOLD = text("""
INSERT INTO boosts.stuck (phase_id, told_at) SELECT id, :now FROM unnest(CAST(:ids AS bigint[])) AS new (id)
ON CONFLICT (phase_id) DO UPDATE SET told_at = excluded.told_at
""")
_FORGET = text("DELETE FROM boosts.stuck WHERE phase_id = ANY(:ids)")
_NUMBER = text("""
UPDATE boosts.attempts SET panel_order = :given, numbers = array_append(numbers, panel_order)
WHERE phase_id = :id AND number = :attempt AND state = 'sent' AND panel_order = :before
""")
_FOLLOW = text("""
UPDATE boosts.phases
SET panel_order = :given, placed_at = :now, polled_at = NULL, strange_since = NULL, said = NULL, delivered = 0,
    first_at = NULL, start_count = NULL, remains = NULL, charge = NULL, currency = NULL
WHERE id = :id AND state = 'sent' AND attempt = :attempt AND panel_order = :before
""")


async def page(conn: AsyncConnection, limits: Limits, *, after: int, limit: int) -> list[Phase]:
    """By phase id, after this one."""
    return await _phases(conn, _PAGE, limits, after=after, limit=limit)


async def count(conn: AsyncConnection, limits: Limits, *, again_before: datetime) -> tuple[int, int]:
    """How many there are, and of how many of them staff were told lately."""
    found = (await conn.execute(_COUNT, _values(limits, again_before=again_before))).one()
    return int(found[0]), int(found[1])


async def to_tell(conn: AsyncConnection, limits: Limits, *, again_before: datetime, limit: int) -> list[Phase]:
    """Those staff were not told of lately."""
    return await _phases(conn, _TO_TELL, limits, again_before=again_before, limit=limit)


async def over(conn: AsyncConnection, limits: Limits, *, limit: int) -> list[Phase]:
    """Those staff were told of that have ended or go on as they should."""
    return await _phases(conn, _OVER, limits, limit=limit)


async def told(conn: AsyncConnection, ids: Sequence[int], *, now: datetime) -> None:
    """Staff are told of them now."""
    await conn.execute(_TOLD, {"ids": list(ids), "now": now})


async def forget(conn: AsyncConnection, ids: Sequence[int]) -> None:
    """There is nothing to tell of them any more."""
    await conn.execute(_FORGET, {"ids": list(ids)})


async def numbered(conn: AsyncConnection, phase: Phase, given: str, *, now: datetime) -> None:
    """Its number at the panel is another; all that was read under the old one is forgotten. Raises PanelOrderTaken (and
    the transaction is lost) when another phase got it at this moment."""
    values = {"id": phase.id, "attempt": phase.attempt, "before": phase.panel_order, "given": given}
    try:
        given_now = (await conn.execute(_NUMBER, values)).rowcount
    except IntegrityError as error:
        raise PanelOrderTaken(given) from error
    if given_now != 1 or (await conn.execute(_FOLLOW, {**values, "now": now})).rowcount != 1:
        raise Moved(f"phase {phase.id} was {phase.state} as {phase.panel_order}")


async def _phases(conn: AsyncConnection, statement: object, limits: Limits, **values: object) -> list[Phase]:
    rows = await conn.execute(statement, _values(limits, **values))  # type: ignore[call-overload]
    return [Phase(**row._mapping) for row in rows]


def _values(limits: Limits, **values: object) -> dict[str, object]:
    return {**asdict(limits), "panels": list(limits.panels), **values}

"""Every statement of the inbox table."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.core.wires import Ask

AGAIN = "asked for again"
"""Marks a held item that staff let go on, until a process that handles its source has taken it in."""
_COLUMNS = "id, source, external_id, order_key, payload, received_at, attempts"
_INSERT = b"""
INSERT INTO core.inbox (source, external_id, order_key, payload, received_at)
SELECT $1, given.external_id, given.order_key, given.payload, $2
FROM ROWS FROM (unnest($3::text[]), unnest($4::text[]), jsonb_array_elements($5::jsonb))
    WITH ORDINALITY AS given (external_id, order_key, payload, n)
ORDER BY given.n
ON CONFLICT (source, external_id) DO NOTHING
RETURNING id, source, external_id, order_key, received_at, attempts
"""
_PENDING = text(f"""
SELECT {_COLUMNS} FROM core.inbox
WHERE state = 'pending' AND source = ANY(:sources) AND NOT (id = ANY(:known)) ORDER BY id LIMIT :page
""")  # noqa: S608
_COUNT = text("SELECT count(*) FROM core.inbox WHERE state = 'pending' AND source = ANY(:sources)")
_BEGUN = b"UPDATE core.inbox SET attempts = attempts + 1 WHERE id = ANY($1::bigint[])"
_HANDLED = (
    b"UPDATE core.inbox SET state = 'handled', payload = NULL, handled_at = $1, error = '' "
    b"WHERE id = ANY($2::bigint[]) AND state = 'pending'"
)
_HOLD = text("UPDATE core.inbox SET state = 'held', error = :error, handled_at = :at WHERE id = :id")
_RELEASE = text(f"""
UPDATE core.inbox SET state = 'pending', attempts = 0, error = '{AGAIN}', handled_at = NULL
WHERE id = ANY(:ids) AND state = 'held'
""")  # noqa: S608  # nosec B608 # a constant
_TAKE_AGAIN = f"""
UPDATE core.inbox SET error = '' WHERE state = 'pending' AND error = '{AGAIN}' AND source = ANY($1::text[])
RETURNING {_COLUMNS}
""".encode()  # noqa: S608  # nosec B608 # constants
_PRUNE = text("""
DELETE FROM core.inbox WHERE id = ANY (ARRAY(
    SELECT id FROM core.inbox WHERE state <> 'pending' AND state = 'handled' AND handled_at < :before LIMIT :batch))
""")
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


class Row(NamedTuple):
    """A row as the window reads it."""

    id: int
    source: str
    external_id: str
    order_key: str
    payload: Any
    received_at: datetime
    attempts: int


async def insert(ask: Ask, source: str, items: Sequence[tuple[str, str, Any]], at: datetime) -> list[Row]:
    """Store the new ones of a batch in one statement; returns them in order.

    Their payloads come back as they would from the table, without the way there: what jsonb would refuse is gone.
    """
    ids, keys = [external_id for external_id, _, _ in items], [order_key for _, order_key, _ in items]
    # all payloads as one JSON text: an array of texts would have every quotation mark in them escaped once more
    bodies = jsonb_text([payload for _, _, payload in items])
    stored = await ask(_INSERT, (source, at, ids, keys, bodies))
    given = dict(zip(reversed(ids), reversed(json.loads(bodies)), strict=True))  # of a repeat the first counts
    return sorted(
        Row(row_id, of, external_id, key, given[external_id], received_at, attempts)
        for row_id, of, external_id, key, received_at, attempts in stored
    )


async def pending(conn: AsyncConnection, sources: Sequence[str], known: Sequence[int], page: int) -> list[Row]:
    """The oldest pending rows that are not in memory."""
    found = await conn.execute(_PENDING, {"sources": list(sources), "known": list(known), "page": page})
    return [Row(*row) for row in found]


async def count_pending(conn: AsyncConnection, sources: Sequence[str]) -> int:
    return int((await conn.execute(_COUNT, {"sources": list(sources)})).scalar_one())


async def count_begun(ask: Ask, ids: Sequence[int]) -> None:
    await ask(_BEGUN, (list(ids),))


async def mark_handled(ask: Ask, ids: Sequence[int], at: datetime) -> None:
    await ask(_HANDLED, (at, list(ids)))


async def hold(conn: AsyncConnection, item_id: int, error: str, at: datetime) -> None:
    await conn.execute(_HOLD, {"id": item_id, "error": error.replace("\0", ""), "at": at})


async def release_held(conn: AsyncConnection, ids: Sequence[int]) -> int:
    return (await conn.execute(_RELEASE, {"ids": list(ids)})).rowcount


async def take_again(ask: Ask, sources: Sequence[str]) -> list[Row]:
    """What staff let go on, wherever they did: each item for the one process that asks first."""
    return [Row(*row) for row in sorted(await ask(_TAKE_AGAIN, (list(sources),)))]


async def prune(conn: AsyncConnection, before: datetime, batch: int) -> int:
    return (await conn.execute(_PRUNE, {"before": before, "batch": batch})).rowcount


def jsonb_text(payload: Any) -> str:
    """JSON that jsonb accepts: no NUL and no half of a surrogate pair; one would block a whole batch for ever."""
    dumped = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    dumped = dumped.encode("utf-8", errors="replace").decode("utf-8")
    if "\\u0000" not in dumped:
        return dumped
    return _NUL.sub(lambda found: f"{found.group(1)}\\ufffd", dumped)


def database_away(error: BaseException) -> bool:
    """Whether an exception, or what caused it, says that the database could not be reached just now."""
    seen = 0
    current: BaseException | None = error
    while current is not None and seen < 10:
        if isinstance(current, InterfaceError | PoolTimeout | psycopg.InterfaceError):
            return True
        if isinstance(current, DBAPIError) and current.connection_invalidated:
            return True
        if isinstance(current, OperationalError | psycopg.OperationalError):
            state = getattr(getattr(current, "orig", current), "sqlstate", None)
            # no state: no server spoke; 08 connection, 57P0x shut down or starting, 53300 too many connections
            return state is None or state[:2] == "08" or state[:4] == "57P0" or state == "53300"
        current = current.__cause__ or current.__context__
        seen += 1
    return False

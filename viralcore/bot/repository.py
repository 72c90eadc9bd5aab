"""Every SQL statement about home messages and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from viralcore.bot import tables
from viralcore.core.db import Connection
from viralcore.core.screen import Picture
from viralcore.core.wires import Ask

_GLANCE = b"""
SELECT h.chat_id, h.message_id, h.nonce, h.prev_nonce, h.route, h.update_id, h.digest, h.picture,
    d.question, d.data, d.expires_at, d.update_id, d.before_question, d.before_data
FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS asked (chat_id, user_id, n)
LEFT JOIN bot.homes h ON h.chat_id = asked.chat_id
LEFT JOIN bot.dialogues d ON d.chat_id = asked.chat_id AND d.user_id = asked.user_id
ORDER BY asked.n
"""
_HOMES = b"""
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[])
AS given (chat_id, message_id, nonce, prev_nonce, route, update_id, digest, picture)
"""
_REDRAW = (
    b"""
UPDATE bot.homes h SET nonce = given.nonce, prev_nonce = given.prev_nonce, route = given.route,
    update_id = given.update_id, digest = given.digest, picture = given.picture
"""
    + _HOMES
    + b"""
WHERE h.chat_id = given.chat_id AND (h.message_id = given.message_id OR h.update_id = given.update_id)
    AND (h.picture <> '') = (given.picture <> '')
RETURNING h.chat_id, h.message_id
"""
)
_PUT = (
    b"WITH given AS (SELECT *"
    + _HOMES
    + b"""
), old AS (SELECT chat_id, message_id FROM bot.homes WHERE chat_id = ANY($1::bigint[])), put AS (
    INSERT INTO bot.homes (chat_id, message_id, nonce, prev_nonce, route, update_id, digest, picture)
    SELECT * FROM given ORDER BY chat_id
    ON CONFLICT (chat_id) DO UPDATE SET message_id = excluded.message_id, nonce = excluded.nonce,
        prev_nonce = excluded.prev_nonce, route = excluded.route, update_id = excluded.update_id,
        digest = excluded.digest, picture = excluded.picture
)
SELECT chat_id, message_id FROM old
"""
)


@dataclass(frozen=True, slots=True)
class Home:
    """The home message of a private chat. `update_id`: the update whose handling drew it; `prev_nonce`: the nonce of
    the press that it was (empty: it was none), still good for that very update when it is handled again after a crash.
    `picture`: empty when it is text."""

    chat_id: int
    message_id: int
    nonce: str
    prev_nonce: str
    route: str
    update_id: int
    digest: str
    picture: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A row of dialogues: what is open, which update changed it last, and what was open before that one."""

    question: str
    data: Mapping[str, Any]
    expires_at: datetime
    update_id: int
    before_question: str
    before_data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Glance:
    """What a chat shows, and what one person is being asked there."""

    home: Home | None
    asked: Asked | None


async def glances(ask: Ask, places: Sequence[tuple[int, int]]) -> list[Glance]:
    """For each (chat, user), all in one statement."""
    rows = await ask(_GLANCE, ([chat_id for chat_id, _ in places], [user_id for _, user_id in places]))
    return [
        Glance(Home(*row[:8]) if row[0] is not None else None, Asked(*row[8:]) if row[8] is not None else None)
        for row in rows
    ]


async def redrawn(ask: Ask, homes: Sequence[Home]) -> list[int | None]:
    """What each chat will show in the message it has, if that is the one given or was drawn by the very same update,
    and both are texts or both pictures. Returns the number of that message, or None where it cannot be redrawn."""
    found: dict[int, int] = dict(await ask(_REDRAW, _columns(homes)))
    return [found.get(home.chat_id) for home in homes]


async def put_homes(ask: Ask, homes: Sequence[Home]) -> list[int | None]:
    """What each chat shows now; returns the number of the message it showed before."""
    found: dict[int, int] = dict(await ask(_PUT, _columns(homes)))
    return [found.get(home.chat_id) for home in homes]


def _columns(homes: Sequence[Home]) -> tuple[list[Any], ...]:
    # in one order for everybody: two statements about the same chats then wait for, not lock, each other
    rows = [
        (one.chat_id, one.message_id, one.nonce, one.prev_nonce, one.route, one.update_id, one.digest, one.picture)
        for one in sorted(homes, key=lambda one: one.chat_id)
    ]
    return tuple(list(column) for column in zip(*rows, strict=True))


async def get_home(conn: Connection, chat_id: int) -> Home | None:
    row = (await conn.execute(select(tables.homes).where(tables.homes.c.chat_id == chat_id))).one_or_none()
    return Home(**row._asdict()) if row is not None else None


async def redraw(conn: Connection, home: Home, *, route: str, digest: str, picture: str) -> bool:
    """Note that the same home now shows newer content; False when the person has moved on meanwhile."""
    result = await conn.execute(
        update(tables.homes)
        .where(tables.homes.c.chat_id == home.chat_id, tables.homes.c.nonce == home.nonce)
        .values(route=route, digest=digest, picture=picture)
    )
    return result.rowcount == 1


async def showing(conn: Connection, chat_id: int, routes: Sequence[str]) -> str | None:
    """The route a chat's home shows, when it is one of these."""
    statement = select(tables.homes.c.route).where(tables.homes.c.chat_id == chat_id, tables.homes.c.route.in_(routes))
    return (await conn.execute(statement)).scalar_one_or_none()


async def showing_any(conn: Connection, places: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """Those (chat, route) that are what the chat's home shows, in the order given."""
    statement = select(tables.homes.c.chat_id, tables.homes.c.route)
    statement = statement.where(
        tables.homes.c.chat_id.in_({chat_id for chat_id, _ in places}),
        tables.homes.c.route.in_({route for _, route in places}),
    )
    shown = {(row.chat_id, row.route) for row in await conn.execute(statement)}
    return [place for place in places if place in shown]


async def get_file_id(conn: Connection, picture: Picture) -> str | None:
    statement = select(tables.pictures.c.file_id).where(
        tables.pictures.c.kind == picture.kind, tables.pictures.c.data == picture.data
    )
    return (await conn.execute(statement)).scalar_one_or_none()


async def put_file_id(conn: Connection, picture: Picture, file_id: str) -> None:
    values = {"kind": picture.kind, "data": picture.data, "file_id": file_id}
    statement = insert(tables.pictures).values(values)
    await conn.execute(statement.on_conflict_do_update(index_elements=["kind", "data"], set_={"file_id": file_id}))


async def drop_file_id(conn: Connection, picture: Picture) -> None:
    await conn.execute(
        delete(tables.pictures).where(tables.pictures.c.kind == picture.kind, tables.pictures.c.data == picture.data)
    )

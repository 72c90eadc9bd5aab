"""Every SQL statement about home messages and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from viralcore.bot import tables
from viralcore.core.db import Connection
from viralcore.core.screen import Picture


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


async def get_home(conn: Connection, chat_id: int) -> Home | None:
    row = (await conn.execute(select(tables.homes).where(tables.homes.c.chat_id == chat_id))).one_or_none()
    return Home(**row._asdict()) if row is not None else None


async def put_home(conn: Connection, home: Home) -> None:
    values = asdict(home)
    rest = {name: value for name, value in values.items() if name != "chat_id"}
    statement = insert(tables.homes).values(values)
    await conn.execute(statement.on_conflict_do_update(index_elements=["chat_id"], set_=rest))


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

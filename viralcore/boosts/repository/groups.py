"""Statements about the groups the bot is in, and the rotation among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.boosts.api import GroupRole, GroupState, GroupView
from viralcore.boosts.tables.crowd import crowd_claims, crowd_groups, crowd_messages, crowd_moves, crowd_pointer

_G = crowd_groups


@dataclass(frozen=True, slots=True)
class Group:
    id: int
    chat_id: int
    title: str
    role: GroupRole
    role_by: int | None
    state: GroupState
    added_by: int | None
    added_at: datetime
    changed_at: datetime


async def get(conn: AsyncConnection, group_id: int, *, lock: bool = False) -> Group | None:
    return await _one(conn, select(_G).where(_G.c.id == group_id), lock=lock)


async def at(conn: AsyncConnection, chat_id: int, *, lock: bool = False) -> Group | None:
    """By its chat id of now, or by one it had before."""
    moved = select(crowd_moves.c.new_chat_id).where(crowd_moves.c.old_chat_id == chat_id).scalar_subquery()
    return await _one(conn, select(_G).where(or_(_G.c.chat_id == chat_id, _G.c.chat_id == moved)), lock=lock)


async def _one(conn: AsyncConnection, statement: Select[tuple[object, ...]], *, lock: bool) -> Group | None:
    row = (await conn.execute(statement.with_for_update() if lock else statement)).one_or_none()
    return None if row is None else Group(**row._mapping)


async def add(
    conn: AsyncConnection,
    *,
    chat_id: int,
    title: str,
    state: GroupState,
    by: int | None,
    at: datetime,
    now: datetime,
    role: GroupRole = "none",
) -> int | None:
    """None when it is there already."""
    statement = upsert(_G).values(
        chat_id=chat_id, title=title, role=role, state=state, added_by=by, added_at=now, changed_at=at
    )
    found = await conn.scalar(statement.on_conflict_do_nothing().returning(_G.c.id))
    return None if found is None else int(found)


async def change(conn: AsyncConnection, group: Group, *, title: str, state: GroupState, at: datetime) -> None:
    await conn.execute(update(_G).where(_G.c.id == group.id).values(title=title, state=state, changed_at=at))


async def rename(conn: AsyncConnection, group_id: int, title: str) -> None:
    await conn.execute(update(_G).where(_G.c.id == group_id).values(title=title))


async def lose(conn: AsyncConnection, group_id: int, state: GroupState) -> bool:
    """A send found out that the bot may not write there."""
    statement = update(_G).where(_G.c.id == group_id, _G.c.state == "in").values(state=state)
    return (await conn.execute(statement)).rowcount == 1


async def set_role(conn: AsyncConnection, group_id: int, role: GroupRole, by: int | None) -> None:
    await conn.execute(update(_G).where(_G.c.id == group_id).values(role=role, role_by=by))


async def with_role(conn: AsyncConnection, role: GroupRole) -> Sequence[Group]:
    """Groups with a role that the bot is in."""
    rows = await conn.execute(select(_G).where(_G.c.role == role, _G.c.state == "in").order_by(_G.c.id))
    return [Group(**row._mapping) for row in rows]


async def likes_group(conn: AsyncConnection, *, lock: bool = False) -> Group | None:
    return await _one(conn, select(_G).where(_G.c.role == "likes"), lock=lock)


async def any_comments(conn: AsyncConnection) -> bool:
    found = select(_G.c.id).where(_G.c.role == "comments", _G.c.state == "in").limit(1)
    return await conn.scalar(found) is not None


async def move(conn: AsyncConnection, group: Group, new_chat_id: int, now: datetime) -> None:
    """The group has another chat id; what it was called before leads to it."""
    await conn.execute(
        update(crowd_moves).where(crowd_moves.c.new_chat_id == group.chat_id).values(new_chat_id=new_chat_id)
    )
    statement = upsert(crowd_moves).values(old_chat_id=group.chat_id, new_chat_id=new_chat_id, at=now)
    await conn.execute(
        statement.on_conflict_do_update(
            index_elements=["old_chat_id"], set_={"new_chat_id": statement.excluded.new_chat_id}
        )
    )
    await conn.execute(update(_G).where(_G.c.id == group.id).values(chat_id=new_chat_id))


async def forget(conn: AsyncConnection, group_id: int) -> None:
    """A row made for the new id of a group that has one already; it has no history yet."""
    await conn.execute(delete(_G).where(_G.c.id == group_id))


async def has_history(conn: AsyncConnection, group_id: int) -> bool:
    for table in (crowd_messages, crowd_claims):
        if await conn.scalar(select(table.c.id).where(table.c.group_id == group_id).limit(1)) is not None:
            return True
    return False


async def take_pointer(conn: AsyncConnection) -> int:
    """Lock the rotation; where it stands."""
    return int(await conn.scalar(select(crowd_pointer.c.group_id).with_for_update()) or 0)


async def set_pointer(conn: AsyncConnection, group_id: int) -> None:
    await conn.execute(update(crowd_pointer).values(group_id=group_id))


async def empty_since(conn: AsyncConnection) -> datetime | None:
    """Since when there is no comment group, as far as `set_empty_since` was told."""
    found: datetime | None = await conn.scalar(select(crowd_pointer.c.empty_since))
    return found


async def set_empty_since(conn: AsyncConnection, at: datetime | None) -> None:
    await conn.execute(update(crowd_pointer).values(empty_since=at))


# Only what is shown is counted: each group's rows are found by its index.
_VIEWS = text("""
SELECT g.id, g.chat_id, g.title, g.role, g.state, g.added_at, m.posts, m.last_sent_at, c.claims, c.approved
FROM (
    SELECT * FROM boosts.crowd_groups WHERE CAST(:id AS bigint) IS NULL OR id = :id
    ORDER BY (state = 'in') DESC, id LIMIT :limit OFFSET :offset
) g
CROSS JOIN LATERAL (
    SELECT count(*) AS posts, max(sent_at) AS last_sent_at FROM boosts.crowd_messages
    WHERE group_id = g.id AND sent_at IS NOT NULL
) m
CROSS JOIN LATERAL (
    SELECT count(*) AS claims, count(*) FILTER (WHERE state = 'approved') AS approved
    FROM boosts.crowd_claims WHERE group_id = g.id
) c
ORDER BY (g.state = 'in') DESC, g.id
""")


async def views(
    conn: AsyncConnection, group_id: int | None = None, *, limit: int | None = None, offset: int = 0
) -> tuple[GroupView, ...]:
    """Groups with their counters, those the bot is in first."""
    values = {"id": group_id, "limit": limit, "offset": offset}
    return tuple(GroupView(**row._mapping) for row in await conn.execute(_VIEWS, values))

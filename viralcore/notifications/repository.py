"""Every SQL statement of notifications."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.notifications.api import NoticeState, NoticeView
from viralcore.notifications.domain import GONE, UNREACHABLE, Notice, Topic
from viralcore.notifications.tables import moved_chats, notices, topics

LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True)
class Wish:
    """A wish to show a notice, stored. `free`: nobody is showing it now, so an effect has to."""

    notice_id: int
    wanted: int
    free: bool


async def add(
    conn: AsyncConnection,
    *,
    dedupe_key: str,
    live_key: str | None,
    channel: str,
    chat_id: int,
    user_id: int | None,
    template: str,
    params: Mapping[str, Any],
    now: datetime,
    state: NoticeState = "queued",
) -> int | None:
    """A new notice, on its way when it is queued; None when its key, or its live key, is taken."""
    statement = insert(notices).values(
        dedupe_key=dedupe_key,
        live_key=live_key,
        channel=channel,
        chat_id=chat_id,
        user_id=user_id,
        template=template,
        params=dict(params),
        state=state,
        wanted=1,
        busy=state == "queued",
        created_at=now,
    )
    found = await conn.scalar(statement.on_conflict_do_nothing().returning(notices.c.id))
    return None if found is None else int(found)


async def wishes(conn: AsyncConnection, live_keys: Collection[str], params: Mapping[str, Any]) -> tuple[Wish, ...]:
    """Ask for live notices to be shown again, with these facts added: those that are there, and are not over."""
    found = select(notices.c.id, notices.c.busy).where(notices.c.live_key.in_(live_keys)).order_by(notices.c.id)
    old = found.with_for_update().cte("old_notice")
    statement = (
        update(notices)
        .where(notices.c.id == old.c.id, notices.c.error != GONE)
        .values(params=_merged(params), wanted=notices.c.wanted + 1, busy=True)
        .returning(notices.c.id, notices.c.wanted, old.c.busy)
    )
    return tuple(Wish(row[0], row[1], not row[2]) for row in await conn.execute(statement))


async def retire(conn: AsyncConnection, live_keys: Collection[str]) -> None:
    """Free live keys: their notices stay as they are, and the next ones under these keys are new messages."""
    await conn.execute(update(notices).where(notices.c.live_key.in_(live_keys)).values(live_key=None))


async def load(conn: AsyncConnection, notice_id: int) -> Notice | None:
    """With the chat id that is right now."""
    statement = (
        select(notices, func.coalesce(moved_chats.c.new_id, notices.c.chat_id).label("to_chat"))
        .outerjoin(moved_chats, moved_chats.c.old_id == notices.c.chat_id)
        .where(notices.c.id == notice_id)
    )
    row = (await conn.execute(statement)).one_or_none()
    if row is None:
        return None
    return Notice(
        id=row.id,
        channel=row.channel,
        chat_id=row.to_chat,
        user_id=row.user_id,
        template=row.template,
        params=row.params,
        state=row.state,
        wanted=row.wanted,
        message_id=row.message_id,
        digest=row.digest,
        created_at=row.created_at,
    )


async def shown(
    conn: AsyncConnection,
    notice_id: int,
    *,
    revision: int,
    attempts: int,
    message_id: int | None,
    digest: str | None,
    now: datetime,
) -> int | None:
    """It stands in the chat, or there was nothing to say. Returns the wish that came meanwhile, if any."""
    statement = (
        update(notices)
        .where(notices.c.id == notice_id)
        .values(
            state="sent" if message_id is not None else "dropped",
            message_id=message_id,
            digest=notices.c.digest if digest is None else digest,
            sent_at=func.coalesce(notices.c.sent_at, now) if message_id is not None else None,
            attempts=attempts,
            error="",
            busy=notices.c.wanted > revision,
        )
        .returning(notices.c.wanted)
    )
    return _newer(await conn.scalar(statement), revision)


async def not_shown(
    conn: AsyncConnection, notice_id: int, *, revision: int, attempts: int, state: NoticeState, error: str
) -> int | None:
    """It could not be shown. Returns the wish that came meanwhile and is worth another try, if any."""
    final = error in (GONE, UNREACHABLE)
    busy: ColumnElement[bool] = literal(False) if final else notices.c.wanted > revision
    statement = (
        update(notices)
        .where(notices.c.id == notice_id)
        .values(state=state, attempts=attempts, error=error[:LONGEST_ERROR], busy=busy)
        .returning(notices.c.wanted)
    )
    wanted = await conn.scalar(statement)
    return None if final else _newer(wanted, revision)


async def moved(conn: AsyncConnection, *, old_id: int, new_id: int, now: datetime) -> None:
    """A chat has another id. Message ids do not move with it: what stood there is sent anew when it changes."""
    await conn.execute(update(moved_chats).where(moved_chats.c.new_id == old_id).values(new_id=new_id))
    statement = insert(moved_chats).values(old_id=old_id, new_id=new_id, at=now)
    await conn.execute(
        statement.on_conflict_do_update(index_elements=["old_id"], set_={"new_id": statement.excluded.new_id})
    )


async def history(conn: AsyncConnection, *, user_id: int, limit: int) -> tuple[NoticeView, ...]:
    statement = select(notices).where(notices.c.user_id == user_id).order_by(notices.c.id.desc()).limit(limit)
    return tuple(
        NoticeView(
            id=row.id,
            channel=row.channel,
            chat_id=row.chat_id,
            template=row.template,
            state=row.state,
            attempts=row.attempts,
            error=row.error,
            created_at=row.created_at,
            sent_at=row.sent_at,
        )
        for row in await conn.execute(statement)
    )


async def forget(conn: AsyncConnection, *, before: datetime, limit: int) -> int:
    """Delete notices from before a moment that are not on their way; returns how many."""
    old = (
        select(notices.c.id)
        .where(notices.c.created_at < before, notices.c.busy.is_(False))
        .order_by(notices.c.created_at)
        .limit(limit)
    )
    return int((await conn.execute(delete(notices).where(notices.c.id.in_(old)))).rowcount)


# --- topics of a forum -----------------------------------------------------------------------------------------------


async def topic(conn: AsyncConnection, chat_id: int, kind: str, *, lock: bool = False) -> Topic | None:
    statement = select(topics.c.state, topics.c.thread_id, topics.c.generation, topics.c.at).where(
        topics.c.chat_id == chat_id, topics.c.kind == kind
    )
    row = (await conn.execute(statement.with_for_update() if lock else statement)).one_or_none()
    return None if row is None else Topic(*row)


async def want_topic(conn: AsyncConnection, chat_id: int, kind: str, *, seen: int, now: datetime) -> int | None:
    """It is to be made: the number to ask for it with; None when somebody has asked since generation `seen`."""
    statement = insert(topics).values(chat_id=chat_id, kind=kind, state="wanted", generation=1, at=now)
    found = await conn.scalar(
        statement.on_conflict_do_update(
            index_elements=["chat_id", "kind"],
            set_={"state": "wanted", "generation": topics.c.generation + 1, "at": now},
            where=(topics.c.generation == seen) & topics.c.state.in_(("refused", "unknown", "lost")),
        ).returning(topics.c.generation)
    )
    return None if found is None else int(found)


async def lose_topic(conn: AsyncConnection, chat_id: int, kind: str, *, thread_id: int, now: datetime) -> None:
    """Telegram does not know it; nothing happens when another has been made meanwhile."""
    await conn.execute(
        update(topics)
        .where(topics.c.chat_id == chat_id, topics.c.kind == kind, topics.c.thread_id == thread_id)
        .values(state="lost", thread_id=None, at=now)
    )


async def end_topic(
    conn: AsyncConnection,
    chat_id: int,
    kind: str,
    *,
    generation: int,
    state: str,
    now: datetime,
    thread_id: int | None = None,
    reason: str = "",
) -> bool:
    """What became of asking for it; False when that asking is not the last one."""
    made = topics.c.made + (1 if state == "open" else 0)
    statement = (
        update(topics)
        .where(
            topics.c.chat_id == chat_id,
            topics.c.kind == kind,
            topics.c.generation == generation,
            topics.c.state == "wanted",
        )
        .values(state=state, thread_id=thread_id, made=made, reason=reason[:LONGEST_ERROR], at=now)
    )
    return int((await conn.execute(statement)).rowcount) == 1


async def topics_made(conn: AsyncConnection, chat_id: int) -> int:
    """How many topics were ever made in a group."""
    statement = select(func.coalesce(func.sum(topics.c.made), 0)).where(topics.c.chat_id == chat_id)
    return int((await conn.execute(statement)).scalar_one())


async def wait_for_topic(conn: AsyncConnection, notice_id: int, kind: str) -> None:
    await conn.execute(update(notices).where(notices.c.id == notice_id).values(waits_for=kind))


async def go_on(conn: AsyncConnection, kind: str) -> list[tuple[int, int]]:
    """Nothing waits for this topic any longer: what did, oldest first, each with its last wish."""
    statement = (
        update(notices)
        .where(notices.c.waits_for == kind)
        .values(waits_for=None)
        .returning(notices.c.id, notices.c.wanted)
    )
    return sorted((int(row[0]), int(row[1])) for row in await conn.execute(statement))


async def wanted(conn: AsyncConnection, notice_id: int) -> int | None:
    """The last wish to show a notice."""
    found = await conn.scalar(select(notices.c.wanted).where(notices.c.id == notice_id).with_for_update())
    return None if found is None else int(found)


def _merged(params: Mapping[str, Any]) -> ColumnElement[Any]:
    return notices.c.params.op("||")(literal(dict(params), JSONB))


def _newer(wanted: int | None, revision: int) -> int | None:
    return wanted if wanted is not None and wanted > revision else None

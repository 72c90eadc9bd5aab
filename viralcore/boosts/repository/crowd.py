"""Statements about posts in groups: what is wanted of them, and the messages that ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.boosts.api import CrowdPostState, Metric, TaskPartView
from viralcore.boosts.tables.crowd import crowd_claims, crowd_messages, crowd_parts, crowd_posts

_P, _M = crowd_posts, crowd_messages
MessageState = Literal["waiting", "sending", "sent", "skipped", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Post:
    id: int
    order_id: int
    state: CrowdPostState
    opened_at: datetime
    posted_at: datetime | None
    closes_at: datetime
    next_at: datetime | None
    closed_at: datetime | None
    told_at: datetime | None
    stale: bool
    to_staff: bool


@dataclass(frozen=True, slots=True)
class Part:
    line_id: int
    post_id: int
    metric: Metric
    wanted: int
    verified: int


@dataclass(frozen=True, slots=True)
class Message:
    id: int
    kind: Literal["comments", "likes"]
    order_id: int
    post_id: int | None
    group_id: int
    share: int
    due_at: datetime
    state: MessageState
    reason: str
    correlation_id: str
    message_id: int | None
    sent_at: datetime | None


# --- posts ---------------------------------------------------------------------------------------------------------


async def add_post(conn: AsyncConnection, *, order_id: int, now: datetime, closes_at: datetime) -> None:
    """Once for an order."""
    statement = upsert(_P).values(
        order_id=order_id, state="open", opened_at=now, closes_at=closes_at, next_at=closes_at
    )
    await conn.execute(statement.on_conflict_do_nothing())


async def post(conn: AsyncConnection, post_id: int, *, lock: bool = False) -> Post | None:
    """`lock`: and with it everything that belongs to it. Its order, where it is needed, is locked before."""
    statement = select(_P).where(_P.c.id == post_id)
    row = (await conn.execute(statement.with_for_update() if lock else statement)).one_or_none()
    return None if row is None else Post(**row._mapping)


async def post_of(conn: AsyncConnection, order_id: int, *, lock: bool = False) -> Post | None:
    """The post of an order."""
    statement = select(_P).where(_P.c.order_id == order_id)
    row = (await conn.execute(statement.with_for_update() if lock else statement)).one_or_none()
    return None if row is None else Post(**row._mapping)


async def closing(conn: AsyncConnection, order_ids: Sequence[int]) -> Mapping[int, datetime]:
    """When the posts of these orders close."""
    statement = select(crowd_posts.c.order_id, crowd_posts.c.closes_at).where(crowd_posts.c.order_id.in_(order_ids))
    return {row.order_id: row.closes_at for row in await conn.execute(statement)}


async def add_part(
    conn: AsyncConnection, *, post_id: int, line_id: int, metric: Metric, wanted: int, verified: int
) -> None:
    values = {"post_id": post_id, "line_id": line_id, "metric": metric, "wanted": wanted, "verified": verified}
    await conn.execute(insert(crowd_parts).values(values))


async def parts(conn: AsyncConnection, post_id: int) -> list[Part]:
    rows = await conn.execute(
        select(crowd_parts).where(crowd_parts.c.post_id == post_id).order_by(crowd_parts.c.line_id)
    )
    return [Part(**row._mapping) for row in rows]


_COUNTS = text("""
SELECT p.post_id, p.metric, p.wanted, p.verified,
    count(c.id) FILTER (WHERE c.state IN ('claimed', 'submitted', 'approved')) AS taken,
    count(c.id) FILTER (WHERE c.state = 'approved') AS approved,
    count(c.id) FILTER (WHERE c.state IN ('claimed', 'submitted', 'approved') AND c.verified) AS taken_verified,
    count(c.id) FILTER (WHERE c.state = 'approved' AND c.verified) AS approved_verified
FROM boosts.crowd_parts p
LEFT JOIN boosts.crowd_claims c ON c.post_id = p.post_id AND c.metrics ? p.metric
WHERE p.post_id = ANY(:ids)
GROUP BY p.post_id, p.line_id ORDER BY p.line_id
""")


async def counts(conn: AsyncConnection, post_ids: Sequence[int]) -> Mapping[int, tuple[TaskPartView, ...]]:
    """What is wanted, taken and approved of posts, in the order of their lines. Exact under the post's lock."""
    found: dict[int, tuple[TaskPartView, ...]] = {}
    for row in await conn.execute(_COUNTS, {"ids": list(post_ids)}):
        part = TaskPartView(
            metric=row.metric,
            wanted=row.wanted,
            taken=row.taken,
            approved=row.approved,
            verified=row.verified,
            taken_verified=row.taken_verified if row.verified else 0,
            approved_verified=row.approved_verified if row.verified else 0,
        )
        found[row.post_id] = (*found.get(row.post_id, ()), part)
    return found


async def posted(conn: AsyncConnection, post_id: int, *, now: datetime, closes_at: datetime) -> None:
    """Its first message stands in a group: from now on its time runs."""
    statement = update(_P).where(_P.c.id == post_id, _P.c.posted_at.is_(None), _P.c.state == "open")
    await conn.execute(statement.values(posted_at=now, closes_at=closes_at, next_at=closes_at))


async def review(conn: AsyncConnection, post: Post, *, until: datetime, to_staff: bool = False) -> None:
    """Nobody claims any longer. `to_staff`: nor is any group told of it; what is missing in the end is the team's."""
    values = {"state": "review", "next_at": until, "to_staff": to_staff}
    await _hit(conn, _P.c.id == post.id, _P.c.state == "open", values=values)
    if to_staff:
        await _cancel_messages(conn, post, "no_group")


async def close(conn: AsyncConnection, post: Post, *, now: datetime) -> None:
    values = {"state": "closed", "next_at": None, "closed_at": now, "stale": False}
    await _hit(conn, _P.c.id == post.id, _P.c.state != "closed", values=values)
    await _cancel_messages(conn, post, "closed")


async def _cancel_messages(conn: AsyncConnection, post: Post, why: str) -> None:
    statement = update(_M).where(_M.c.post_id == post.id, _M.c.state == "waiting")
    await conn.execute(statement.values(state="cancelled", reason=why))


async def open_posts(conn: AsyncConnection, *, limit: int) -> list[int]:
    """Oldest first."""
    return await _ids(conn, select(_P.c.id).where(_P.c.state == "open").order_by(_P.c.id).limit(limit))


async def any_open(conn: AsyncConnection) -> bool:
    return bool(await open_posts(conn, limit=1))


async def told(conn: AsyncConnection, post_id: int, now: datetime) -> None:
    await conn.execute(update(_P).where(_P.c.id == post_id).values(told_at=now, stale=False))


async def stale(conn: AsyncConnection, post_id: int) -> None:
    await conn.execute(update(_P).where(_P.c.id == post_id).values(stale=True))


async def _hit(conn: AsyncConnection, *where: object, values: Mapping[str, object]) -> None:
    done = await conn.execute(update(_P).where(*where).values(**values))  # type: ignore[arg-type]
    if done.rowcount != 1:
        raise RuntimeError("a post moved while it was locked")


# --- what is due -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Due:
    """Ids to be looked at now."""

    messages: Sequence[int]
    expired: Sequence[int]  # posts with claims whose time is over
    posts: Sequence[int]
    stale: Sequence[int]


async def due(conn: AsyncConnection, *, now: datetime, told_before: datetime, limit: int) -> Due:
    claims = crowd_claims
    return Due(
        messages=await _ids(
            conn, select(_M.c.id).where(_M.c.state == "waiting", _M.c.due_at <= now).order_by(_M.c.due_at).limit(limit)
        ),
        expired=await _ids(
            conn,
            select(claims.c.post_id)
            .where(claims.c.state == "claimed", claims.c.expires_at <= now)
            .group_by(claims.c.post_id)
            .order_by(claims.c.post_id)
            .limit(limit),
        ),
        posts=await _ids(conn, select(_P.c.id).where(_P.c.next_at <= now).order_by(_P.c.next_at).limit(limit)),
        stale=await _ids(conn, select(_P.c.id).where(_P.c.stale, _P.c.told_at <= told_before).limit(limit)),
    )


async def next_due(conn: AsyncConnection, *, edit_after: timedelta) -> datetime | None:
    """The next moment something of `due` is due."""
    statement = select(
        select(func.min(_M.c.due_at)).where(_M.c.state == "waiting").scalar_subquery(),
        select(func.min(crowd_claims.c.expires_at)).where(crowd_claims.c.state == "claimed").scalar_subquery(),
        select(func.min(_P.c.next_at)).scalar_subquery(),
        select(func.min(_P.c.told_at)).where(_P.c.stale).scalar_subquery(),
    )
    message, claim, look, told_at = (await conn.execute(statement)).one()
    moments = [message, claim, look, None if told_at is None else told_at + edit_after]
    return min((moment for moment in moments if moment is not None), default=None)


async def _ids(conn: AsyncConnection, statement: object) -> list[int]:
    return list((await conn.scalars(statement)).all())  # type: ignore[call-overload]


# --- messages --------------------------------------------------------------------------------------------------------


async def add_message(
    conn: AsyncConnection,
    *,
    kind: Literal["comments", "likes"],
    order_id: int,
    post_id: int | None,
    group_id: int,
    share: int,
    due_at: datetime,
    correlation_id: str,
) -> int | None:
    """None when the post, or the order in the likes group, has one there already."""
    statement = upsert(_M).values(
        kind=kind,
        order_id=order_id,
        post_id=post_id,
        group_id=group_id,
        share=share,
        due_at=due_at,
        state="waiting",
        correlation_id=correlation_id,
    )
    found = await conn.scalar(statement.on_conflict_do_nothing().returning(_M.c.id))
    return None if found is None else int(found)


async def message(conn: AsyncConnection, message_id: int, *, lock: bool = False) -> Message | None:
    statement = select(_M).where(_M.c.id == message_id)
    row = (await conn.execute(statement.with_for_update() if lock else statement)).one_or_none()
    return None if row is None else Message(**row._mapping)


async def messages(conn: AsyncConnection, post_id: int) -> list[Message]:
    rows = await conn.execute(select(_M).where(_M.c.post_id == post_id).order_by(_M.c.id))
    return [Message(**row._mapping) for row in rows]


async def share(conn: AsyncConnection, message_id: int, wanted: int) -> None:
    await conn.execute(update(_M).where(_M.c.id == message_id).values(share=wanted))


async def move_message(
    conn: AsyncConnection,
    message: Message,
    state: MessageState,
    *,
    reason: str = "",
    message_id: int | None = None,
    sent_at: datetime | None = None,
) -> None:
    statement = update(_M).where(_M.c.id == message.id, _M.c.state == message.state)
    done = await conn.execute(
        statement.values(
            state=state,
            reason=reason[:200],
            message_id=func.coalesce(message_id, _M.c.message_id),
            sent_at=func.coalesce(_M.c.sent_at, sent_at),
        )
    )
    if done.rowcount != 1:
        raise RuntimeError("a message moved while it was locked")

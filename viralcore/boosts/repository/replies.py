"""Statements about what reply guys hand in, and what they are paid."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.boosts.api import PayKind, RecordView, ReplyPayView, SubmissionState, SubmissionView
from viralcore.boosts.domain.replies import Reply
from viralcore.boosts.tables.crowd import crowd_proofs
from viralcore.boosts.tables.replies import reply_links, reply_pays, reply_submissions
from viralcore.core.money import NGN, Money

_S, _P = reply_submissions, reply_pays
# In one order for everybody, so that two who bring the same links wait for, and do not lock, each other.
_TAKE_LINKS = text("""
INSERT INTO boosts.reply_links AS l (name, user_id, submission_id, claim_id)
SELECT name, CAST(:user_id AS bigint), CAST(:submission_id AS bigint), CAST(:claim_id AS bigint)
FROM unnest(CAST(:names AS text[])) AS given (name) ORDER BY name
ON CONFLICT (name) DO UPDATE
SET user_id = excluded.user_id, submission_id = excluded.submission_id, claim_id = excluded.claim_id
WHERE l.user_id = excluded.user_id AND (
    l.claim_id = excluded.claim_id
    OR EXISTS (
        SELECT FROM boosts.reply_submissions s WHERE s.id = l.submission_id AND s.state IN ('rejected', 'withdrawn')
    )
)
RETURNING l.name
""")


@dataclass(frozen=True, slots=True)
class NewSubmission:
    user_id: int
    kind: Literal["count", "links"]
    count: int
    day: date
    rate_kobo: int
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewPay:
    user_id: int
    kind: PayKind
    kobo: int
    day: date
    actor: int
    replies: int = 0
    reason: str = ""
    submission_id: int | None = None
    claim_id: int | None = None
    metric: str = ""


@dataclass(frozen=True, slots=True)
class Sums:
    """What one person, or everybody, was paid so far."""

    user_id: int
    replies: int
    paid: int
    bonus: int
    corrected: int
    last_at: datetime | None

    @property
    def earned(self) -> int:
        return self.paid + self.bonus + self.corrected


async def add(conn: AsyncConnection, new: NewSubmission, now: datetime) -> int | None:
    """None when the person has one that waits already."""
    values = upsert(_S).values(
        user_id=new.user_id,
        kind=new.kind,
        count=new.count,
        day=new.day,
        rate_kobo=new.rate_kobo,
        links=list(new.links),
        state="pending",
        created_at=now,
    )
    statement = values.on_conflict_do_nothing(index_elements=["user_id"], index_where=text("state = 'pending'"))
    found = (await conn.execute(statement.returning(_S.c.id))).scalar_one_or_none()
    return None if found is None else int(found)


async def claim_links(
    conn: AsyncConnection,
    replies: Sequence[Reply],
    *,
    user_id: int,
    submission_id: int | None = None,
    claim_id: int | None = None,
) -> frozenset[str]:
    """Take replies for a submission or a claim; the names that are theirs now. A link of the same person's submission
    that was rejected or taken back is free; every other one stays where it is."""
    values = {
        "names": [reply.name for reply in replies],
        "user_id": user_id,
        "submission_id": submission_id,
        "claim_id": claim_id,
    }
    return frozenset((await conn.execute(_TAKE_LINKS, values)).scalars())


async def release(conn: AsyncConnection, claim_id: int) -> None:
    """A claim that was not paid lets go of its replies: others were handed in for it, or it was turned down."""
    await conn.execute(delete(reply_links).where(reply_links.c.claim_id == claim_id))


async def proved(conn: AsyncConnection, replies: Sequence[Reply]) -> frozenset[str]:
    """Of these replies, those that were handed in for a task, and not turned down."""
    names = [reply.name for reply in replies]
    statement = select(crowd_proofs.c.name).where(crowd_proofs.c.name.in_(names), crowd_proofs.c.live)
    return frozenset((await conn.execute(statement)).scalars())


async def shrink(conn: AsyncConnection, submission_id: int, links: Sequence[str]) -> None:
    """Of a submission that was just made: only these links were free."""
    await conn.execute(update(_S).where(_S.c.id == submission_id).values(links=list(links), count=len(links)))


async def pending_of(conn: AsyncConnection, user_id: int) -> SubmissionView | None:
    row = (await conn.execute(select(_S).where(_S.c.user_id == user_id, _S.c.state == "pending"))).one_or_none()
    return None if row is None else _submission(row)


async def get(
    conn: AsyncConnection, submission_id: int, *, user_id: int | None = None, lock: bool = False
) -> SubmissionView | None:
    statement = select(_S).where(_S.c.id == submission_id)
    if user_id is not None:
        statement = statement.where(_S.c.user_id == user_id)
    row = (await conn.execute(statement.with_for_update() if lock else statement)).one_or_none()
    return None if row is None else _submission(row)


async def decide(
    conn: AsyncConnection,
    submission_id: int,
    state: SubmissionState,
    *,
    now: datetime,
    approved: int = 0,
    reason: str = "",
    actor: int | None = None,
) -> bool:
    """Out of `pending`, once."""
    statement = update(_S).where(_S.c.id == submission_id, _S.c.state == "pending")
    statement = statement.values(state=state, approved=approved, reason=reason, actor=actor, decided_at=now)
    return (await conn.execute(statement)).rowcount == 1


async def page(conn: AsyncConnection, *, user_id: int, before_id: int | None, limit: int) -> tuple[SubmissionView, ...]:
    statement = select(_S).where(_S.c.user_id == user_id).order_by(_S.c.id.desc()).limit(limit)
    if before_id is not None:
        statement = statement.where(_S.c.id < before_id)
    return tuple(_submission(row) for row in (await conn.execute(statement)).all())


async def queue(conn: AsyncConnection, *, after_id: int, limit: int) -> tuple[SubmissionView, ...]:
    statement = select(_S).where(_S.c.state == "pending", _S.c.id > after_id).order_by(_S.c.id).limit(limit)
    return tuple(_submission(row) for row in (await conn.execute(statement)).all())


async def queue_size(conn: AsyncConnection) -> int:
    return int((await conn.execute(select(func.count()).where(_S.c.state == "pending"))).scalar_one())


async def record(conn: AsyncConnection, *, user_id: int, day: date) -> RecordView:
    decided = select(
        func.count().filter(_S.c.state == "approved"), func.count().filter(_S.c.state == "rejected")
    ).where(_S.c.user_id == user_id)
    paid = select(
        func.coalesce(func.sum(_P.c.replies), 0), func.coalesce(func.sum(_P.c.replies).filter(_P.c.day == day), 0)
    ).where(_P.c.user_id == user_id)
    approved, rejected = (await conn.execute(decided)).one()
    replies, same_day = (await conn.execute(paid)).one()
    return RecordView(int(approved), int(rejected), int(replies), int(same_day))


# --- pay --------------------------------------------------------------------------------------------------------------


async def add_pay(conn: AsyncConnection, new: NewPay, now: datetime) -> int | None:
    """None when this claim's work was settled before."""
    values = {
        "user_id": new.user_id,
        "kind": new.kind,
        "submission_id": new.submission_id,
        "claim_id": new.claim_id,
        "metric": new.metric,
        "replies": new.replies,
        "kobo": new.kobo,
        "day": new.day,
        "reason": new.reason,
        "actor": new.actor,
        "created_at": now,
    }
    if new.claim_id is None:
        return int((await conn.execute(insert(_P).values(values).returning(_P.c.id))).scalar_one())
    statement = upsert(_P).values(values).on_conflict_do_nothing(constraint="reply_pays_claim").returning(_P.c.id)
    found = (await conn.execute(statement)).scalar_one_or_none()
    return None if found is None else int(found)


async def get_pay(conn: AsyncConnection, pay_id: int) -> ReplyPayView | None:
    row = (await conn.execute(select(_P).where(_P.c.id == pay_id))).one_or_none()
    return None if row is None else _pay(row)


async def days(conn: AsyncConnection, *, user_id: int, since: date) -> Mapping[date, tuple[int, int]]:
    """Replies and kobo of each day from `since` on that has any."""
    statement = (
        select(_P.c.day, func.sum(_P.c.replies), func.sum(_P.c.kobo))
        .where(_P.c.user_id == user_id, _P.c.day >= since, _P.c.kind.in_(("submission", "claim")))
        .group_by(_P.c.day)
    )
    return {row[0]: (int(row[1]), int(row[2])) for row in (await conn.execute(statement)).all()}


def _sum(*kinds: PayKind) -> Any:
    return func.coalesce(func.sum(_P.c.kobo).filter(_P.c.kind.in_(kinds)), 0)


_SUMS = (
    func.coalesce(func.sum(_P.c.replies), 0).label("replies"),
    _sum("submission", "claim").label("paid"),
    _sum("bonus").label("bonus"),
    _sum("correction").label("corrected"),
    func.max(_P.c.created_at).label("last_at"),
)


async def sums_of(conn: AsyncConnection, user_ids: Sequence[int]) -> Mapping[int, Sums]:
    """Of those among them who were ever paid."""
    statement = select(_P.c.user_id, *_SUMS).where(_P.c.user_id.in_(user_ids)).group_by(_P.c.user_id)
    rows = (await conn.execute(statement)).all()
    return {row.user_id: _sums(row.user_id, row) for row in rows}


async def sums(conn: AsyncConnection) -> Sums:
    """Of everybody together."""
    return _sums(0, (await conn.execute(select(*_SUMS))).one())


# Both tables grow with every reply; the index is asked for the next person instead of reading all of theirs.
_EVERYBODY = text("""
WITH RECURSIVE sent AS (
    SELECT min(user_id) AS id FROM boosts.reply_submissions
    UNION ALL
    SELECT (SELECT min(user_id) FROM boosts.reply_submissions WHERE user_id > sent.id) FROM sent WHERE id IS NOT NULL
), paid AS (
    SELECT min(user_id) AS id FROM boosts.reply_pays
    UNION ALL
    SELECT (SELECT min(user_id) FROM boosts.reply_pays WHERE user_id > paid.id) FROM paid WHERE id IS NOT NULL
), active AS (
    SELECT unnest(CAST(:active AS bigint[])) AS id
), everybody AS (
    SELECT id FROM sent WHERE id IS NOT NULL
    UNION SELECT id FROM paid WHERE id IS NOT NULL
    UNION SELECT id FROM active
)
SELECT (SELECT count(*) FROM everybody) AS people, ARRAY(
    SELECT e.id FROM everybody e LEFT JOIN active a ON a.id = e.id
    ORDER BY a.id IS NULL, e.id OFFSET :offset LIMIT :limit
) AS shown
""")


async def everybody(
    conn: AsyncConnection, active: Collection[int], *, offset: int, limit: int
) -> tuple[int, Sequence[int]]:
    """Who is `active`, ever handed something in or was paid: how many, and a page of them, the active ones first."""
    values = {"active": list(active), "offset": offset, "limit": limit}
    row = (await conn.execute(_EVERYBODY, values)).one()
    return int(row.people), row.shown


def _sums(user_id: int, row: Any) -> Sums:
    return Sums(user_id, int(row.replies), int(row.paid), int(row.bonus), int(row.corrected), row.last_at)


def _submission(row: Any) -> SubmissionView:
    return SubmissionView(
        id=row.id,
        user_id=row.user_id,
        kind=row.kind,
        count=row.count,
        day=row.day,
        links=tuple(row.links),
        rate=Money(row.rate_kobo, NGN),
        state=row.state,
        approved=row.approved,
        paid=Money(row.approved * row.rate_kobo, NGN),
        reason=row.reason,
        actor=row.actor,
        created_at=row.created_at,
        decided_at=row.decided_at,
    )


def _pay(row: Any) -> ReplyPayView:
    return ReplyPayView(
        id=row.id,
        user_id=row.user_id,
        kind=row.kind,
        replies=row.replies,
        amount=Money(row.kobo, NGN),
        day=row.day,
        reason=row.reason,
        actor=row.actor,
        created_at=row.created_at,
        claim_id=row.claim_id,
    )

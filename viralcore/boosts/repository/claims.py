"""Statements about claims, their proofs, and the tasks people can still take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.boosts.api import ClaimState, Metric
from viralcore.boosts.domain.crowd import Proof
from viralcore.boosts.tables.crowd import crowd_claims, crowd_proofs

_C, _X = crowd_claims, crowd_proofs
ACTIVE: frozenset[ClaimState] = frozenset({"claimed", "submitted", "approved"})
"""States in which a claim holds its slots."""


@dataclass(frozen=True, slots=True)
class Claim:
    id: int
    post_id: int
    order_id: int
    user_id: int
    group_id: int | None
    metrics: list[Metric]
    state: ClaimState
    tries: int
    claimed_at: datetime
    expires_at: datetime
    submitted_at: datetime | None
    decided_at: datetime | None
    decided_by: int | None
    reason: str
    verified: bool
    version: int


async def get(conn: AsyncConnection, claim_id: int, *, lock: bool = False) -> Claim | None:
    return await _one(conn, select(_C).where(_C.c.id == claim_id), lock=lock)


async def of(conn: AsyncConnection, post_id: int, user_id: int, *, lock: bool = False) -> Claim | None:
    return await _one(conn, select(_C).where(_C.c.post_id == post_id, _C.c.user_id == user_id), lock=lock)


async def _one(conn: AsyncConnection, statement: Select[Any], *, lock: bool) -> Claim | None:
    row = (await conn.execute(statement.with_for_update() if lock else statement)).one_or_none()
    return None if row is None else Claim(**row._mapping)


async def add(
    conn: AsyncConnection,
    *,
    post_id: int,
    order_id: int,
    user_id: int,
    group_id: int | None,
    metric: Metric,
    verified: bool,
    now: datetime,
    expires_at: datetime,
) -> Claim:
    statement = insert(_C).values(
        post_id=post_id,
        order_id=order_id,
        user_id=user_id,
        group_id=group_id,
        metrics=[metric],
        verified=verified,
        state="claimed",
        claimed_at=now,
        expires_at=expires_at,
    )
    return Claim(**(await conn.execute(statement.returning(*_C.c))).one()._mapping)


async def change(conn: AsyncConnection, claim: Claim, **values: Any) -> Claim:
    """Guarded by the state it was read in."""
    statement = update(_C).where(_C.c.id == claim.id, _C.c.state == claim.state).values(**values).returning(*_C.c)
    row = (await conn.execute(statement)).one_or_none()
    if row is None:
        raise RuntimeError("a claim moved while it was locked")
    return Claim(**row._mapping)


async def expire(conn: AsyncConnection, post_id: int, *, until: datetime | None) -> list[Claim]:
    """End a post's claims without proof whose time was over at `until`; None: all of them."""
    statement = update(_C).where(_C.c.post_id == post_id, _C.c.state == "claimed")
    if until is not None:
        statement = statement.where(_C.c.expires_at <= until)
    rows = await conn.execute(statement.values(state="expired").returning(*_C.c))
    return [Claim(**row._mapping) for row in rows]


async def undecided(conn: AsyncConnection, post_id: int) -> int:
    """How many of a post's claims wait for staff."""
    statement = select(func.count()).where(_C.c.post_id == post_id, _C.c.state == "submitted")
    return int(await conn.scalar(statement) or 0)


async def unfinished(conn: AsyncConnection, post_id: int) -> int:
    """How many of a post's claims may still be approved: those that wait for staff, and those that want proof."""
    wanted = _C.c.state.in_(("claimed", "submitted"))
    return int(await conn.scalar(select(func.count()).where(_C.c.post_id == post_id, wanted)) or 0)


async def prove(conn: AsyncConnection, claim_id: int, proofs: Sequence[Proof]) -> str | None:
    """Put these in place of earlier ones; the link that another claim has, if one has."""
    await conn.execute(update(_X).where(_X.c.claim_id == claim_id, _X.c.live).values(live=False))
    for proof in proofs:
        statement = upsert(_X).values(claim_id=claim_id, link=proof.link, name=proof.name)
        if await conn.scalar(statement.on_conflict_do_nothing().returning(_X.c.id)) is None:
            return proof.link
    return None


async def discard_proofs(conn: AsyncConnection, claim_id: int) -> None:
    """They may be handed in again."""
    await conn.execute(update(_X).where(_X.c.claim_id == claim_id, _X.c.live).values(live=False))


async def proofs(conn: AsyncConnection, claim_ids: Sequence[int]) -> Mapping[int, tuple[str, ...]]:
    """The links handed in last, whatever became of them."""
    rows = await conn.execute(
        select(_X.c.claim_id, _X.c.link, _X.c.live).where(_X.c.claim_id.in_(claim_ids)).order_by(_X.c.id)
    )
    found: dict[int, tuple[str, ...]] = {}
    for row in rows:
        if row.live:
            found[row.claim_id] = (*found.get(row.claim_id, ()), row.link)
    return found


async def mine(conn: AsyncConnection, user_id: int, *, before_id: int | None, limit: int) -> list[Claim]:
    statement = select(_C).where(_C.c.user_id == user_id)
    if before_id is not None:
        statement = statement.where(_C.c.id < before_id)
    rows = await conn.execute(statement.order_by(_C.c.id.desc()).limit(limit))
    return [Claim(**row._mapping) for row in rows]


async def under_way(conn: AsyncConnection, user_id: int, *, limit: int) -> list[Claim]:
    """A person's that are not decided: without proof first, the first to run out before the others."""
    unproved = _C.c.state == "claimed"
    statement = select(_C).where(_C.c.user_id == user_id, _C.c.state.in_(("claimed", "submitted")))
    ordered = statement.order_by(unproved.desc(), case((unproved, _C.c.expires_at)), _C.c.id.desc()).limit(limit)
    return [Claim(**row._mapping) for row in await conn.execute(ordered)]


async def waiting(conn: AsyncConnection, *, after_id: int, limit: int) -> list[Claim]:
    statement = select(_C).where(_C.c.state == "submitted", _C.c.id > after_id).order_by(_C.c.id).limit(limit)
    return [Claim(**row._mapping) for row in await conn.execute(statement)]


async def waiting_count(conn: AsyncConnection, order_id: int | None) -> int:
    statement = select(func.count()).where(_C.c.state == "submitted")
    if order_id is not None:
        statement = statement.where(_C.c.order_id == order_id)
    return int(await conn.scalar(statement) or 0)


_OPEN = text("""
SELECT p.id
FROM boosts.crowd_posts p
JOIN boosts.orders o ON o.id = p.order_id AND o.user_id <> :user
LEFT JOIN boosts.crowd_claims mine ON mine.post_id = p.id AND mine.user_id = :user
CROSS JOIN LATERAL (
    SELECT sum(greatest(0, part.wanted - taken.verified - least(taken.plain, part.wanted - part.verified))) AS free
    FROM boosts.crowd_parts part
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE c.verified AND part.verified > 0) AS verified,
            count(*) FILTER (WHERE NOT (c.verified AND part.verified > 0)) AS plain
        FROM boosts.crowd_claims c
        WHERE c.post_id = p.id AND c.metrics ? part.metric AND c.state IN ('claimed', 'submitted', 'approved')
    ) taken
    WHERE part.post_id = p.id
) wanted
WHERE p.state = 'open' AND p.closes_at > :now AND wanted.free > 0
    AND (mine.id IS NULL OR mine.state = 'expired' OR (mine.state = 'rejected' AND mine.tries < :tries))
ORDER BY wanted.free DESC, p.id DESC
LIMIT :limit OFFSET :offset
""")


async def open_tasks(
    conn: AsyncConnection, *, user_id: int, now: datetime, tries: int, limit: int, offset: int
) -> list[int]:
    """Posts this person may claim, those that need most first."""
    values = {"user": user_id, "now": now, "tries": tries, "limit": limit, "offset": offset}
    return list((await conn.scalars(_OPEN, values)).all())

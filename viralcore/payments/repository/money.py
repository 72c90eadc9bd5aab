"""Statements on sightings, receipts and claims."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, case, delete, func, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.payments.api import ClaimState
from viralcore.payments.domain.states import CLAIM_MOVES, Claim, Receipt, SightingState
from viralcore.payments.tables import claims, receipts, sightings

Mark = tuple[datetime, str]
"""A place in the list of transactions that wait: when it was seen, and its hash."""


async def lock_sighting(conn: AsyncConnection, network: str, canonical_hash: str, now: datetime) -> SightingState:
    """Hold the row of a transaction until the transaction of ours ends, making it when it is new; its state."""
    statement = upsert(sightings).values(network=network, hash=canonical_hash, state="found", seen_at=now)
    statement = statement.on_conflict_do_update(
        index_elements=[sightings.c.network, sightings.c.hash],
        set_={"state": case((sightings.c.state == "seen", "found"), else_=sightings.c.state)},
    )
    state: SightingState = (await conn.execute(statement.returning(sightings.c.state))).scalar_one()
    return state


async def judged(conn: AsyncConnection, network: str, canonical_hash: str, now: datetime) -> bool:
    """Close a held sighting. False: it was closed before."""
    done = await conn.execute(
        update(sightings)
        .where(sightings.c.network == network, sightings.c.hash == canonical_hash, sightings.c.state != "judged")
        .values(state="judged", judged_at=now)
    )
    return done.rowcount == 1


async def is_open(conn: AsyncConnection, network: str, canonical_hash: str) -> bool:
    """Whether a transaction was seen to bring money and waits for its judgement."""
    query = select(func.count()).where(
        sightings.c.network == network, sightings.c.hash == canonical_hash, sightings.c.state != "judged"
    )
    return bool(await conn.scalar(query))


async def add_sightings(
    conn: AsyncConnection, network: str, hashes: Sequence[str], state: SightingState, now: datetime
) -> tuple[str, ...]:
    """Remember transactions; what was only seen becomes found, never back. Returns those that were new."""
    if not hashes:
        return ()
    statement = upsert(sightings).values(
        [{"network": network, "hash": each, "state": state, "seen_at": now} for each in sorted(set(hashes))]
    )
    if state == "seen":
        statement = statement.on_conflict_do_nothing()
    else:
        statement = statement.on_conflict_do_update(
            index_elements=[sightings.c.network, sightings.c.hash],
            set_={"state": "found"},
            where=sightings.c.state == "seen",
        )
    return tuple((await conn.scalars(statement.returning(sightings.c.hash))).all())


async def unknown_hashes(conn: AsyncConnection, network: str, hashes: Sequence[str]) -> tuple[str, ...]:
    """Those we have no row of, in the order given."""
    query = select(sightings.c.hash).where(sightings.c.network == network, sightings.c.hash.in_(list(hashes)))
    known = set((await conn.scalars(query)).all())
    return tuple(each for each in hashes if each not in known)


async def found_hashes(
    conn: AsyncConnection, network: str, limit: int, *, after: Mark | None = None
) -> tuple[tuple[str, Mark], ...]:
    """Transactions that wait to be judged, oldest first, from behind a mark; each with its own mark."""
    query = select(sightings.c.hash, sightings.c.seen_at).where(
        sightings.c.network == network, sightings.c.state == "found"
    )
    if after is not None:
        query = query.where(tuple_(sightings.c.seen_at, sightings.c.hash) > tuple_(*after))
    rows = await conn.execute(query.order_by(sightings.c.seen_at, sightings.c.hash).limit(limit))
    return tuple((row.hash, (row.seen_at, row.hash)) for row in rows)


async def note_reading(
    conn: AsyncConnection, network: str, canonical_hash: str, digest: str, now: datetime
) -> datetime:
    """Remember what a node told of a transaction; since when it has told the same."""
    same = sightings.c.read_digest == digest
    statement = upsert(sightings).values(
        network=network, hash=canonical_hash, state="found", seen_at=now, read_at=now, read_digest=digest
    )
    statement = statement.on_conflict_do_update(
        index_elements=[sightings.c.network, sightings.c.hash],
        set_={"read_at": case((same, sightings.c.read_at), else_=now), "read_digest": digest},
    )
    since: datetime = (await conn.execute(statement.returning(sightings.c.read_at))).scalar_one()
    return since


async def forget_seen(conn: AsyncConnection, before: datetime) -> None:
    """Drop what was seen in a block that never became final."""
    await conn.execute(delete(sightings).where(sightings.c.state == "seen", sightings.c.seen_at < before))


async def add_receipt(conn: AsyncConnection, **values: Any) -> int:
    """Raises IntegrityError when (network, hash, position) is there already: then nothing of this may stand."""
    result = await conn.execute(insert(receipts).values(**values).returning(receipts.c.id))
    return int(result.scalar_one())


async def credit_receipt(conn: AsyncConnection, receipt_id: int, **values: Any) -> bool:
    """Guarded: from suspense to credited. False: it was not in suspense."""
    done = await conn.execute(
        update(receipts).where(receipts.c.id == receipt_id, receipts.c.state == "suspense").values(**values)
    )
    return done.rowcount == 1


async def receipts_of(conn: AsyncConnection, network: str, canonical_hash: str) -> list[Receipt]:
    query = select(receipts).where(receipts.c.network == network, receipts.c.hash == canonical_hash)
    return [receipt_of(row) for row in await conn.execute(query.order_by(receipts.c.position))]


async def list_receipts(conn: AsyncConnection, after_id: int, limit: int) -> list[Receipt]:
    query = select(receipts).where(receipts.c.id > after_id).order_by(receipts.c.id).limit(limit)
    return [receipt_of(row) for row in await conn.execute(query)]


async def receipts_for(conn: AsyncConnection, invoice_id: int) -> list[Receipt]:
    """What was credited for one invoice, in the order it came."""
    query = select(receipts).where(receipts.c.invoice_id == invoice_id, receipts.c.state == "credited")
    return [receipt_of(row) for row in await conn.execute(query.order_by(receipts.c.credited_at, receipts.c.id))]


async def credited_cents(conn: AsyncConnection, claims_: Collection[Claim]) -> dict[int, int]:
    """What each claim's hash brought its claimant, by claim id."""
    ids = [claim.id for claim in claims_ if claim.state == "credited"]
    if not ids:
        return {}
    query = (
        select(claims.c.id, func.sum(receipts.c.usd_cents))
        .join(
            receipts,
            (receipts.c.network == claims.c.network)
            & (receipts.c.hash == claims.c.hash)
            & (receipts.c.user_id == claims.c.user_id),
        )
        .where(claims.c.id.in_(ids), receipts.c.state == "credited")
        .group_by(claims.c.id)
    )
    return {claim_id: int(cents) for claim_id, cents in await conn.execute(query)}


async def get_claim(conn: AsyncConnection, claim_id: int) -> Claim | None:
    row = (await conn.execute(select(claims).where(claims.c.id == claim_id))).first()
    return None if row is None else claim_of(row)


async def lock_claim(conn: AsyncConnection, claim_id: int) -> Claim | None:
    row = (await conn.execute(select(claims).where(claims.c.id == claim_id).with_for_update())).first()
    return None if row is None else claim_of(row)


async def find_claim(conn: AsyncConnection, network: str, canonical_hash: str, user_id: int) -> Claim | None:
    query = select(claims).where(
        claims.c.network == network, claims.c.hash == canonical_hash, claims.c.user_id == user_id
    )
    row = (await conn.execute(query.with_for_update())).first()
    return None if row is None else claim_of(row)


async def move_claim(conn: AsyncConnection, claim: Claim, network: str, canonical_hash: str) -> bool:
    """The pasted text is a transaction of another network. False: this person has pasted that one too, or the claim was
    decided meanwhile; then only the question elsewhere ends."""
    other = claims.alias()
    twin = select(other.c.id).where(
        other.c.network == network, other.c.hash == canonical_hash, other.c.user_id == claim.user_id
    )
    open_ = (claims.c.id == claim.id) & (claims.c.state == "checking")
    moved = await conn.execute(
        update(claims)
        .where(open_, ~twin.exists())
        .values(network=network, hash=canonical_hash, others=[], reason="", checks=0)
    )
    if moved.rowcount == 1:
        return True
    await conn.execute(update(claims).where(open_).values(others=[]))
    return False


async def lock_claims_on(conn: AsyncConnection, network: str, canonical_hash: str) -> list[Claim]:
    """Claims on a transaction that a judgement can still change, held in id order."""
    query = (
        select(claims)
        .where(
            claims.c.network == network,
            claims.c.hash == canonical_hash,
            claims.c.state.in_(["checking", "not_found", "suspense"]),
        )
        .order_by(claims.c.id)
        .with_for_update()
    )
    return [claim_of(row) for row in await conn.execute(query)]


async def latest_claims(conn: AsyncConnection, invoice_ids: Sequence[int]) -> dict[int, Claim]:
    """The newest claim of each invoice."""
    query = (
        select(claims)
        .ext(distinct_on(claims.c.invoice_id))
        .where(claims.c.invoice_id.in_(list(invoice_ids)))
        .order_by(claims.c.invoice_id, claims.c.opened_at.desc(), claims.c.id.desc())
    )
    return {row.invoice_id: claim_of(row) for row in await conn.execute(query)}


async def checking_count(conn: AsyncConnection, user_id: int) -> int:
    query = select(func.count()).where(claims.c.user_id == user_id, claims.c.state == "checking")
    return int((await conn.scalar(query)) or 0)


async def add_claim(conn: AsyncConnection, **values: Any) -> int:
    result = await conn.execute(insert(claims).values(**values).returning(claims.c.id))
    return int(result.scalar_one())


async def reopen_claim(conn: AsyncConnection, claim: Claim, *, invoice_id: int | None, now: datetime) -> None:
    await conn.execute(
        update(claims)
        .where(claims.c.id == claim.id, claims.c.state == claim.state)
        .values(
            state="checking",
            reason="",
            invoice_id=invoice_id,
            round=claims.c.round + 1,
            checks=0,
            opened_at=now,
            decided_at=None,
        )
    )


async def note_check(conn: AsyncConnection, claim: Claim, reason: str) -> None:
    """One more look at a claim that stays undecided."""
    await conn.execute(
        update(claims)
        .where(claims.c.id == claim.id, claims.c.state == "checking")
        .values(reason=reason, checks=claims.c.checks + 1)
    )


async def decide_claim(
    conn: AsyncConnection, claim: Claim, state: ClaimState, reason: str, *, invoice_id: int | None, now: datetime
) -> bool:
    """Guarded. False: it was decided otherwise meanwhile, or may not move there."""
    if state not in CLAIM_MOVES[claim.state]:
        return False
    done = await conn.execute(
        update(claims)
        .where(claims.c.id == claim.id, claims.c.state == claim.state)
        .values(state=state, reason=reason, invoice_id=invoice_id, decided_at=now)
    )
    return done.rowcount == 1


def receipt_of(row: Row[Any]) -> Receipt:
    return Receipt(
        id=row.id,
        network=row.network,
        hash=row.hash,
        position=row.position,
        asset=row.asset,
        amount_raw=int(row.amount_raw),
        usd_cents=row.usd_cents,
        rate=row.rate,
        state=row.state,
        invoice_id=row.invoice_id,
        user_id=row.user_id,
        block_time=row.block_time,
        seen_at=row.seen_at,
        block=row.block,
        outcome=row.outcome,
        credited_at=row.credited_at,
        assigned_by=row.assigned_by,
        reference=row.reference,
    )


def claim_of(row: Row[Any]) -> Claim:
    return Claim(
        id=row.id,
        user_id=row.user_id,
        network=row.network,
        hash=row.hash,
        invoice_id=row.invoice_id,
        state=row.state,
        reason=row.reason,
        round=row.round,
        checks=row.checks,
        created_at=row.created_at,
        opened_at=row.opened_at,
        others=tuple((network, canonical_hash) for network, canonical_hash in row.others),
    )

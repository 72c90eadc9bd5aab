"""Statements of finance: stray receipts, what owners were told of them, and refunds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, func, insert, select, true, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.payments.api import ReceiptFilter
from viralcore.payments.domain.states import Invoice, Receipt, Refund
from viralcore.payments.repository.money import receipt_of
from viralcore.payments.tables import claims, invoices, receipts, refunds, sightings, stray_alerts

Why = Literal["large", "old"]

_FILTERS: dict[ReceiptFilter, ColumnElement[bool]] = {
    "all": true(),
    "suspense": receipts.c.state == "suspense",
    "late": receipts.c.outcome == "late",
    "excess": receipts.c.outcome == "excess",
}


async def hold_sighting(conn: AsyncConnection, network: str, canonical_hash: str) -> None:
    """Keep every judge of this transaction waiting until ours ends. Money of a bank has no such row, and no judge."""
    query = select(sightings.c.state).where(sightings.c.network == network, sightings.c.hash == canonical_hash)
    await conn.execute(query.with_for_update())


async def get_receipt(conn: AsyncConnection, receipt_id: int) -> Receipt | None:
    row = (await conn.execute(select(receipts).where(receipts.c.id == receipt_id))).first()
    return None if row is None else receipt_of(row)


async def lock_receipt(conn: AsyncConnection, receipt_id: int) -> Receipt | None:
    row = (await conn.execute(select(receipts).where(receipts.c.id == receipt_id).with_for_update())).first()
    return None if row is None else receipt_of(row)


async def strays(conn: AsyncConnection, *, after_id: int, limit: int) -> list[Receipt]:
    """In suspense, oldest first."""
    query = select(receipts).where(receipts.c.state == "suspense", receipts.c.id > after_id)
    return [receipt_of(row) for row in await conn.execute(query.order_by(receipts.c.id).limit(limit))]


async def stray_count(conn: AsyncConnection) -> int:
    query = select(func.count()).select_from(receipts).where(receipts.c.state == "suspense")
    return int((await conn.scalar(query)) or 0)


async def list_receipts(
    conn: AsyncConnection, which: ReceiptFilter, *, before_id: int | None, limit: int
) -> list[Receipt]:
    """Newest first."""
    query = select(receipts).where(_FILTERS[which])
    if before_id is not None:
        query = query.where(receipts.c.id < before_id)
    return [receipt_of(row) for row in await conn.execute(query.order_by(receipts.c.id.desc()).limit(limit))]


async def pasters(conn: AsyncConnection, found: Sequence[Receipt]) -> dict[tuple[str, str], list[int]]:
    """Who pasted the hashes of these receipts, first comers first, by (network, hash)."""
    hashes = {receipt.hash for receipt in found}
    query = select(claims.c.network, claims.c.hash, claims.c.user_id).where(claims.c.hash.in_(hashes))
    told: dict[tuple[str, str], list[int]] = {}
    for row in await conn.execute(query.order_by(claims.c.id)):
        told.setdefault((row.network, row.hash), []).append(row.user_id)
    return told


def _untold(why: Why) -> ColumnElement[bool]:
    told = select(stray_alerts.c.why).where(stray_alerts.c.receipt_id == receipts.c.id, stray_alerts.c.why == why)
    return (receipts.c.state == "suspense") & ~told.exists()


async def to_tell(conn: AsyncConnection, why: Why, *, from_cents: int, seen_by: datetime, limit: int) -> list[Receipt]:
    """Stray receipts of at least that value and age that owners were not told of for this reason; none that is being
    assigned at this moment."""
    query = select(receipts).where(_untold(why), receipts.c.usd_cents >= from_cents, receipts.c.seen_at <= seen_by)
    query = query.order_by(receipts.c.id).limit(limit).with_for_update(skip_locked=True)
    return [receipt_of(row) for row in await conn.execute(query)]


async def note_told(conn: AsyncConnection, receipt_id: int, why: Why, now: datetime) -> bool:
    """False: somebody else tells it."""
    statement = upsert(stray_alerts).values(receipt_id=receipt_id, why=why, told_at=now).on_conflict_do_nothing()
    return (await conn.execute(statement.returning(stray_alerts.c.receipt_id))).first() is not None


async def oldest_untold(conn: AsyncConnection) -> datetime | None:
    """When the oldest stray receipt came that owners were not told of because of its age."""
    query = select(func.min(receipts.c.seen_at)).where(_untold("old"), receipts.c.usd_cents > 0)
    found: datetime | None = await conn.scalar(query)
    return found


async def refunds_of(conn: AsyncConnection, invoice_id: int) -> list[Refund]:
    query = select(refunds).where(refunds.c.invoice_id == invoice_id).order_by(refunds.c.id)
    return [_refund(row) for row in await conn.execute(query)]


async def add_to_given(conn: AsyncConnection, invoice: Invoice, given: int, *, refunded: int = 0) -> bool:
    """Of the price, `given` cents in all have gone back now; `refunded`: of it, the money finance gives back now.
    Guarded by what the row said when it was read. False: it says something else by now."""
    done = await conn.execute(
        update(invoices)
        .where(
            invoices.c.id == invoice.id,
            invoices.c.state == "paid",
            invoices.c.refunded_cents == invoice.refunded_cents,
            invoices.c.given_cents == invoice.given_cents,
        )
        .values(refunded_cents=invoice.refunded_cents + refunded, given_cents=given)
    )
    return done.rowcount == 1


async def add_refund(conn: AsyncConnection, **values: Any) -> Refund:
    row = (await conn.execute(insert(refunds).values(**values).returning(*refunds.c))).one()
    return _refund(row)


async def get_refund(conn: AsyncConnection, refund_id: int) -> Refund | None:
    row = (await conn.execute(select(refunds).where(refunds.c.id == refund_id))).first()
    return None if row is None else _refund(row)


def _refund(row: Row[Any]) -> Refund:
    return Refund(
        id=row.id,
        invoice_id=row.invoice_id,
        user_id=row.user_id,
        kind=row.kind,
        amount_cents=row.amount_cents,
        bonus_cents=row.bonus_cents,
        credit_asset=row.credit_asset,
        credits=row.credits,
        reason=row.reason,
        by=row.by,
        created_at=row.created_at,
    )

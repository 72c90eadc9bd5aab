"""Statements on charges, webhooks and proofs. Every change of state is guarded and says whether it hit its row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.core.providers.flutterwave import Hook
from viralcore.payments.api import ProofState
from viralcore.payments.domain.bank import CHARGE_MOVES, PROOF_MOVES, Charge, ChargeState, Proof
from viralcore.payments.tables import charges, invoices, proofs, quotes, webhooks


async def add_charge(conn: AsyncConnection, *, quote_id: int, transfer_raw: int, now: datetime) -> Charge:
    """A new one; its reference comes with its number."""
    statement = insert(charges).values(
        quote_id=quote_id,
        state="requested",
        reason="",
        account_number="",
        bank_name="",
        provider_reference="",
        transfer_raw=transfer_raw,
        created_at=now,
    )
    return _charge((await conn.execute(statement.returning(charges))).one())


async def get_charge(conn: AsyncConnection, charge_id: int) -> Charge | None:
    row = (await conn.execute(select(charges).where(charges.c.id == charge_id))).first()
    return None if row is None else _charge(row)


async def charge_of(conn: AsyncConnection, reference: str) -> Charge | None:
    """Whose money a reference says it is, whatever became of the charge."""
    row = (await conn.execute(select(charges).where(charges.c.reference == reference))).first()
    return None if row is None else _charge(row)


async def latest_charges(conn: AsyncConnection, quote_ids: Sequence[int]) -> dict[int, Charge]:
    """The newest of each quote."""
    query = select(charges).ext(distinct_on(charges.c.quote_id)).where(charges.c.quote_id.in_(list(quote_ids)))
    query = query.order_by(charges.c.quote_id, charges.c.id.desc())
    return {row.quote_id: _charge(row) for row in await conn.execute(query)}


async def open_charges_of(conn: AsyncConnection, invoice_id: int) -> list[Charge]:
    """Accounts somebody saw, for any quote of an invoice."""
    query = select(charges).join(quotes, quotes.c.id == charges.c.quote_id)
    query = query.where(quotes.c.invoice_id == invoice_id, charges.c.state == "open").order_by(charges.c.id)
    return [_charge(row) for row in await conn.execute(query)]


async def decide_charge(conn: AsyncConnection, charge: Charge, state: ChargeState, **values: Any) -> bool:
    """Guarded. False: it was decided before."""
    if state not in CHARGE_MOVES[charge.state]:
        return False
    done = await conn.execute(
        update(charges).where(charges.c.id == charge.id, charges.c.state == charge.state).values(state=state, **values)
    )
    return done.rowcount == 1


async def ask_soon(conn: AsyncConnection, ids: Sequence[int], *, due: datetime, now: datetime) -> None:
    """The payer says they have paid: these are asked about often again."""
    await conn.execute(update(charges).where(charges.c.id.in_(list(ids))).values(polls=0, poll_due=due, asked_at=now))


async def due_charges(conn: AsyncConnection, now: datetime, limit: int) -> list[tuple[Charge, datetime | None]]:
    """Accounts that are to be asked about, the longest due first; each with when its invoice closed."""
    query = (
        select(charges, invoices.c.closed_at)
        .join(quotes, quotes.c.id == charges.c.quote_id)
        .join(invoices, invoices.c.id == quotes.c.invoice_id)
        .where(charges.c.poll_due <= now)
        .order_by(charges.c.poll_due, charges.c.id)
        .limit(limit)
    )
    return [(_charge(row), row.closed_at) for row in await conn.execute(query)]


async def note_poll(conn: AsyncConnection, charge: Charge, *, polls: int, due: datetime | None, now: datetime) -> None:
    """It was asked about, so many times by now; `due` None: for the last time. Guarded by the count it began with."""
    await conn.execute(
        update(charges)
        .where(charges.c.id == charge.id, charges.c.polls == charge.polls)
        .values(polls=polls, polled_at=now, poll_due=due)
    )


async def next_poll(conn: AsyncConnection) -> datetime | None:
    due: datetime | None = await conn.scalar(select(func.min(charges.c.poll_due)))
    return due


async def add_webhooks(conn: AsyncConnection, hooks: Sequence[tuple[Hook, str]], now: datetime) -> int:
    """Keep bodies as they came, sealed; how many were new."""
    rows = {
        hook.external_id: {
            "external_id": hook.external_id,
            "event": hook.event,
            "kind": hook.kind,
            "reference": hook.reference,
            "sealed": sealed,
            "received_at": now,
        }
        for hook, sealed in hooks
    }
    statement = upsert(webhooks).values([rows[name] for name in sorted(rows)]).on_conflict_do_nothing()
    return (await conn.execute(statement)).rowcount


async def forget_webhooks(conn: AsyncConnection, before: datetime, limit: int) -> int:
    old = select(webhooks.c.id).where(webhooks.c.received_at < before).order_by(webhooks.c.received_at).limit(limit)
    return (await conn.execute(delete(webhooks).where(webhooks.c.id.in_(old.scalar_subquery())))).rowcount


async def add_proof(
    conn: AsyncConnection, *, quote_id: int, invoice_id: int, user_id: int, file_id: str, now: datetime
) -> int | None:
    """None: another one waits, or was approved."""
    statement = (
        upsert(proofs)
        .values(
            quote_id=quote_id,
            invoice_id=invoice_id,
            user_id=user_id,
            file_id=file_id,
            state="waiting",
            reason="",
            created_at=now,
        )
        .on_conflict_do_nothing()
    )
    proof_id: int | None = await conn.scalar(statement.returning(proofs.c.id))
    return proof_id


async def get_proof(conn: AsyncConnection, proof_id: int, *, hold: bool = False) -> Proof | None:
    """`hold`: until the transaction ends."""
    query = select(proofs).where(proofs.c.id == proof_id)
    row = (await conn.execute(query.with_for_update() if hold else query)).first()
    return None if row is None else _proof(row)


async def latest_proofs(conn: AsyncConnection, quote_ids: Sequence[int]) -> dict[int, Proof]:
    """The newest of each quote."""
    query = select(proofs).ext(distinct_on(proofs.c.quote_id)).where(proofs.c.quote_id.in_(list(quote_ids)))
    query = query.order_by(proofs.c.quote_id, proofs.c.id.desc())
    return {row.quote_id: _proof(row) for row in await conn.execute(query)}


async def decide_proof(
    conn: AsyncConnection, proof: Proof, state: ProofState, *, reason: str, actor: int, now: datetime
) -> bool:
    """Guarded. False: it was decided before."""
    if state not in PROOF_MOVES[proof.state]:
        return False
    done = await conn.execute(
        update(proofs)
        .where(proofs.c.id == proof.id, proofs.c.state == proof.state)
        .values(state=state, reason=reason, actor=actor, decided_at=now)
    )
    return done.rowcount == 1


async def charges_by_state(conn: AsyncConnection) -> list[tuple[str, str, int]]:
    """(state, reason, how many)."""
    query = select(charges.c.state, charges.c.reason, func.count()).group_by(charges.c.state, charges.c.reason)
    return [(state, reason, count) for state, reason, count in await conn.execute(query)]


def _charge(row: Row[Any]) -> Charge:
    return Charge(
        id=row.id,
        quote_id=row.quote_id,
        reference=row.reference,
        state=row.state,
        reason=row.reason,
        account_number=row.account_number,
        bank_name=row.bank_name,
        transfer_raw=int(row.transfer_raw),
        created_at=row.created_at,
        expires_at=row.expires_at,
        polls=row.polls,
        asked_at=row.asked_at,
    )


def _proof(row: Row[Any]) -> Proof:
    return Proof(
        id=row.id,
        quote_id=row.quote_id,
        invoice_id=row.invoice_id,
        user_id=row.user_id,
        file_id=row.file_id,
        state=row.state,
        reason=row.reason,
        actor=row.actor,
        created_at=row.created_at,
    )

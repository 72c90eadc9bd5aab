"""Statements on invoices and quotes. Every change of state is guarded and says how many rows it hit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Select, and_, func, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.core.wires import Ask as AskRows
from viralcore.payments.api import InvoiceState
from viralcore.payments.domain.bank import BANK
from viralcore.payments.domain.judging import Ask
from viralcore.payments.domain.states import INVOICE_MOVES, Invoice, Quote
from viralcore.payments.tables import invoices, quotes

_PERSON = text("SELECT pg_advisory_xact_lock(hashtextextended('payments.person:' || :user_id, 0))")

_COUNT_OPEN = b"""
SELECT user_id, count(*) FROM payments.invoices
WHERE user_id = ANY($1::bigint[]) AND state = 'open' AND expires_at > $2 GROUP BY user_id
"""


async def lock_person(conn: AsyncConnection, user_id: int) -> None:
    """One opening of invoices or pasting of hashes at a time per person, until the transaction ends."""
    await conn.execute(_PERSON, {"user_id": str(user_id)})


async def add_invoice(conn: AsyncConnection, **values: Any) -> int:
    result = await conn.execute(insert(invoices).values(**values).returning(invoices.c.id))
    return int(result.scalar_one())


async def get_invoice(conn: AsyncConnection, invoice_id: int) -> Invoice | None:
    row = (await conn.execute(select(invoices).where(invoices.c.id == invoice_id))).first()
    return None if row is None else _invoice(row)


async def lock_invoices(conn: AsyncConnection, ids: Sequence[int]) -> dict[int, Invoice]:
    """Hold these rows until the transaction ends, taken in id order."""
    query = select(invoices).where(invoices.c.id.in_(sorted(set(ids)))).order_by(invoices.c.id).with_for_update()
    return {row.id: _invoice(row) for row in await conn.execute(query)}


async def open_ids(conn: AsyncConnection, user_id: int, now: datetime) -> tuple[int, ...]:
    """Invoices of a person that count as open, oldest first."""
    query = select(invoices.c.id).where(
        invoices.c.user_id == user_id, invoices.c.state == "open", invoices.c.expires_at > now
    )
    return tuple((await conn.scalars(query.order_by(invoices.c.id))).all())


async def count_open(ask: AskRows, *, user_ids: Sequence[int], now: datetime) -> dict[int, int]:
    """How many `open_ids` would find, of several people in one statement of its own; who has none is left out."""
    return {int(user_id): int(total) for user_id, total in await ask(_COUNT_OPEN, (list(user_ids), now))}


async def list_invoices(
    conn: AsyncConnection,
    user_id: int,
    *,
    now: datetime,
    states: Collection[InvoiceState],
    before_id: int | None,
    limit: int,
) -> list[Invoice]:
    """Newest first; with `states` only those, as they count now: an open one is expired from its last second."""
    query = select(invoices).where(invoices.c.user_id == user_id)
    if states:
        over = and_(invoices.c.state == "open", invoices.c.expires_at <= now)
        wanted = [and_(invoices.c.state.in_(list(states)), ~over)]
        query = query.where(or_(*wanted, over) if "expired" in states else wanted[0])
    if before_id is not None:
        query = query.where(invoices.c.id < before_id)
    return [_invoice(row) for row in await conn.execute(query.order_by(invoices.c.id.desc()).limit(limit))]


async def move_invoice(
    conn: AsyncConnection,
    invoice: Invoice,
    state: InvoiceState,
    *,
    now: datetime,
    paid_with: str | None = None,
    bonus_cents: int = 0,
    forgiven_cents: int = 0,
) -> bool:
    """Guarded change of state of a row that is held. False: it was not in a state that may move there."""
    if state not in INVOICE_MOVES[invoice.state]:
        return False
    values: dict[str, Any] = {"state": state, "closed_at": now}
    if state == "paid":
        values |= {"paid_at": now, "paid_with": paid_with, "bonus_cents": bonus_cents, "forgiven_cents": forgiven_cents}
    result = await conn.execute(
        update(invoices).where(invoices.c.id == invoice.id, invoices.c.state == invoice.state).values(**values)
    )
    return result.rowcount == 1


async def note_receipt(conn: AsyncConnection, invoice_id: int, *, cents: int, note: str | None) -> None:
    """Add to what was received for an invoice, with a word about it."""
    values: dict[str, Any] = {"received_cents": invoices.c.received_cents + cents}
    if note is not None:
        values["notes"] = func.array_append(invoices.c.notes, note)
    await conn.execute(update(invoices).where(invoices.c.id == invoice_id).values(**values))


async def expire(conn: AsyncConnection, now: datetime, limit: int) -> list[tuple[int, int]]:
    """Close what is due; (invoice, user) of each. Rows somebody holds are left for the next look."""
    due = (
        select(invoices.c.id)
        .where(invoices.c.state == "open", invoices.c.expires_at <= now)
        .order_by(invoices.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    closed = (
        update(invoices)
        .where(invoices.c.id.in_(due.scalar_subquery()), invoices.c.state == "open")
        .values(state="expired", closed_at=now)
        .returning(invoices.c.id, invoices.c.user_id)
    )
    return sorted((row.id, row.user_id) for row in await conn.execute(closed))


async def next_expiry(conn: AsyncConnection) -> datetime | None:
    due: datetime | None = await conn.scalar(select(func.min(invoices.c.expires_at)).where(invoices.c.state == "open"))
    return due


async def ending(
    conn: AsyncConnection, moments: Sequence[tuple[datetime, datetime]], limit: int
) -> list[tuple[int, int, datetime]]:
    """(invoice, user, end) of open invoices that end between any of these moments, the first left out."""
    between = [and_(invoices.c.expires_at > after, invoices.c.expires_at <= until) for after, until in moments]
    query = select(invoices.c.id, invoices.c.user_id, invoices.c.expires_at)
    query = query.where(invoices.c.state == "open", or_(*between)).order_by(invoices.c.expires_at, invoices.c.id)
    return [(row.id, row.user_id, row.expires_at) for row in await conn.execute(query.limit(limit))]


async def taken_amounts(conn: AsyncConnection, network: str, asset: str, low: int, high: int) -> set[int]:
    """Reserved amounts between two, both included."""
    query = select(quotes.c.amount_raw).where(
        quotes.c.network == network,
        quotes.c.asset == asset,
        quotes.c.amount_raw.between(low, high),
        quotes.c.released_at.is_(None),
    )
    return {int(amount) for amount in await conn.scalars(query)}


async def reserve(
    conn: AsyncConnection,
    *,
    invoice: Invoice,
    network: str,
    asset: str,
    amount_raw: int,
    rate: Decimal,
    due_cents: int,
    address: str,
    now: datetime,
) -> int | None:
    """Reserve an amount and make it the invoice's quote; None when somebody was quicker to take that amount."""
    statement = (
        upsert(quotes)
        .values(
            invoice_id=invoice.id,
            network=network,
            asset=asset,
            amount_raw=amount_raw,
            rate=rate,
            due_cents=due_cents,
            address=address,
            created_at=now,
            expires_at=invoice.expires_at,
        )
        .on_conflict_do_nothing()
        .returning(quotes.c.id)
    )
    quote_id: int | None = await conn.scalar(statement)
    return quote_id


async def choose_quote(conn: AsyncConnection, invoice_id: int, quote_id: int | None) -> None:
    """Which quote its screen shows. None: a method is to be chosen (again)."""
    await conn.execute(update(invoices).where(invoices.c.id == invoice_id).values(quote_id=quote_id))


async def get_quotes(conn: AsyncConnection, ids: Sequence[int]) -> dict[int, Quote]:
    query = select(quotes).where(quotes.c.id.in_(list(ids)))
    return {row.id: _quote(row) for row in await conn.execute(query)}


async def quotes_of(conn: AsyncConnection, invoice_id: int) -> list[Quote]:
    """Reserved quotes of an invoice, newest first."""
    query = select(quotes).where(quotes.c.invoice_id == invoice_id, quotes.c.released_at.is_(None))
    return [_quote(row) for row in await conn.execute(query.order_by(quotes.c.id.desc()))]


async def quotes_by_hand(conn: AsyncConnection, invoice_id: int) -> list[Quote]:
    """Those that ask for a transfer to the shop's own bank account, newest first, released ones included."""
    query = select(quotes).where(quotes.c.invoice_id == invoice_id, quotes.c.network == BANK, quotes.c.address != "")
    return [_quote(row) for row in await conn.execute(query.order_by(quotes.c.id.desc()))]


async def asked_networks(conn: AsyncConnection, user_id: int, invoice_id: int | None) -> list[str]:
    """Networks a person was asked to pay on lately: this invoice's first, then the newest quotes of any."""
    query = (
        select(quotes.c.network)
        .join(invoices, invoices.c.id == quotes.c.invoice_id)
        .where(invoices.c.user_id == user_id, quotes.c.released_at.is_(None))
        .order_by((invoices.c.id == invoice_id).desc(), (quotes.c.id == invoices.c.quote_id).desc(), quotes.c.id.desc())
        .limit(50)
    )
    return list(dict.fromkeys((await conn.scalars(query)).all()))


async def asks(
    conn: AsyncConnection, network: str, asset: str, *, amounts: Sequence[int], low: int, high: int
) -> list[Ask]:
    """Reserved amounts that could explain a transfer: one of `amounts`, or anything between `low` and `high`.

    Whoever asks for the near ones needs to know of at most two invoices to see that they are more than one; a person
    who changes the method back and forth has few quotes. The bound is far above both.
    """
    query = _asks().where(quotes.c.network == network, quotes.c.asset == asset, quotes.c.released_at.is_(None))
    exact = await conn.execute(query.where(quotes.c.amount_raw.in_(list(amounts))))
    near = await conn.execute(
        query.where(quotes.c.amount_raw.between(low, high))
        .ext(distinct_on(invoices.c.id))
        .order_by(invoices.c.id, quotes.c.id.desc())
        .limit(20)
    )
    found = {ask.quote_id: ask for ask in (_ask(row) for row in [*exact, *near])}
    return list(found.values())


def _asks() -> Select[Any]:
    return select(
        quotes.c.id,
        quotes.c.invoice_id,
        quotes.c.asset,
        quotes.c.amount_raw,
        invoices.c.user_id,
        invoices.c.created_at,
        quotes.c.created_at.label("quoted_at"),
    ).join(invoices, invoices.c.id == quotes.c.invoice_id)


async def release(conn: AsyncConnection, *, closed_before: datetime, now: datetime, limit: int) -> int:
    """Free the amounts of invoices that closed before a moment."""
    due = (
        select(quotes.c.id)
        .join(invoices, invoices.c.id == quotes.c.invoice_id)
        .where(and_(quotes.c.released_at.is_(None), invoices.c.closed_at <= closed_before))
        .limit(limit)
    )
    done = await conn.execute(update(quotes).where(quotes.c.id.in_(due.scalar_subquery())).values(released_at=now))
    return done.rowcount


def _invoice(row: Row[Any]) -> Invoice:
    return Invoice(
        id=row.id,
        user_id=row.user_id,
        item_kind=row.item_kind,
        item_ref=row.item_ref,
        item_title=row.item_title,
        item_data=row.item_data,
        quantity=row.quantity,
        unit_price=row.unit_price,
        total_cents=row.total_cents,
        grants=tuple((each["asset"], int(each["quantity"]), Decimal(each["unit_cost"])) for each in row.grants),
        state=row.state,
        created_at=row.created_at,
        expires_at=row.expires_at,
        closed_at=row.closed_at,
        paid_at=row.paid_at,
        paid_with=row.paid_with,
        received_cents=row.received_cents,
        notes=tuple(row.notes),
        quote_id=row.quote_id,
        bonus_cents=row.bonus_cents,
        forgiven_cents=row.forgiven_cents,
        refunded_cents=row.refunded_cents,
        given_cents=row.given_cents,
    )


def _quote(row: Row[Any]) -> Quote:
    return Quote(
        id=row.id,
        invoice_id=row.invoice_id,
        network=row.network,
        asset=row.asset,
        amount_raw=int(row.amount_raw),
        rate=row.rate,
        due_cents=row.due_cents,
        address=row.address,
        expires_at=row.expires_at,
    )


def _ask(row: Row[Any]) -> Ask:
    return Ask(
        quote_id=row.id,
        invoice_id=row.invoice_id,
        user_id=row.user_id,
        asset=row.asset,
        amount=int(row.amount_raw),
        invoice_created_at=row.created_at,
        quoted_at=row.quoted_at,
    )

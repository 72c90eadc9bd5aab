"""Rows into what the door shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from viralcore.core.db import Connection
from viralcore.core.money import USD, Money
from viralcore.payments.api import AccountView, ClaimView, InvoiceView, Item, ProofView, QuoteView, ReceiptView
from viralcore.payments.config import PaymentsConfig
from viralcore.payments.domain.bank import BANK, BY_HAND, SCALE, Charge, OwnAccount, Proof
from viralcore.payments.domain.quotes import Scale, shown_amount
from viralcore.payments.domain.states import Claim, Invoice, Quote, Receipt
from viralcore.payments.repository import bank, invoices, money


def scale(config: PaymentsConfig, network: str, asset: str) -> Scale:
    """How an asset's amounts are counted and shown. By bank everything is in hundredths, foreign currencies too."""
    if network == BANK:
        return SCALE
    coin = config.asset(network, asset)
    return Scale(coin.decimals, coin.shown, config.rules.tail_digits)


async def invoice_views(
    conn: Connection, config: PaymentsConfig, rows: Sequence[Invoice], now: datetime
) -> tuple[InvoiceView, ...]:
    """Each with its quote and its latest claim, in three statements however many there are; five when one of them is
    to be paid by bank."""
    quotes = await invoices.get_quotes(conn, [row.quote_id for row in rows if row.quote_id is not None])
    claims = await money.latest_claims(conn, [row.id for row in rows])
    credited = await money.credited_cents(conn, claims.values())
    by_bank = [quote.id for quote in quotes.values() if quote.network == BANK]
    charges = await bank.latest_charges(conn, by_bank) if by_bank else {}
    proofs = await bank.latest_proofs(conn, by_bank) if by_bank else {}
    shown = {
        quote.id: quote_view(quote, config)
        if quote.network != BANK
        else bank_quote_view(quote, charges.get(quote.id), proofs.get(quote.id), config, now)
        for quote in quotes.values()
    }
    return tuple(_invoice(row, shown.get(row.quote_id or 0), claims.get(row.id), credited, now) for row in rows)


def _invoice(
    row: Invoice,
    quote: QuoteView | None,
    claim: Claim | None,
    credited: dict[int, int],
    now: datetime,
) -> InvoiceView:
    state = row.state_at(now)
    partly = state == "open" and row.received_cents > 0
    return InvoiceView(
        id=row.id,
        user_id=row.user_id,
        item=Item(kind=row.item_kind, ref=row.item_ref, title=row.item_title, data=row.item_data),
        quantity=row.quantity,
        unit_price=row.unit_price,
        total=Money(row.total_cents, USD),
        state=state,
        created_at=row.created_at,
        expires_at=row.expires_at,
        quote=quote,
        paid_at=row.paid_at,
        paid_with=row.paid_with,
        received=Money(row.received_cents, USD),
        claim=None if claim is None else claim_view(claim, credited),
        notes=row.notes,
        rest=Money(max(row.total_cents - row.received_cents, 0), USD) if partly else None,
        refunded=Money(row.refunded_cents, USD) if row.refunded_cents else None,
    )


def quote_view(quote: Quote, config: PaymentsConfig) -> QuoteView:
    return QuoteView(
        method=quote.method,
        network=quote.network,
        asset=quote.asset,
        amount=shown_amount(quote.amount_raw, scale(config, quote.network, quote.asset)),
        address=quote.address,
        rate=quote.rate,
        expires_at=quote.expires_at,
        due=Money(quote.due_cents, USD),
    )


def bank_quote_view(
    quote: Quote, charge: Charge | None, proof: Proof | None, config: PaymentsConfig, now: datetime
) -> QuoteView:
    account, raw = AccountView("asking"), quote.amount_raw
    if quote.method == BY_HAND:
        own = OwnAccount.unpacked(quote.address)
        account = AccountView(
            "manual",
            number=own.number,
            bank=own.bank,
            name=own.name,
            reference=f"VC-{quote.invoice_id}",
            proof=None if proof is None else proof_view(proof, quote),
        )
    elif charge is not None and charge.state == "open":
        raw = charge.transfer_raw
        over = not charge.works(now)
        span = timedelta(minutes=config.bank.looking_minutes)
        account = AccountView(
            "failed" if over else "open",
            reason="expired" if over else "",
            number=charge.account_number,
            bank=charge.bank_name,
            reference=charge.reference,
            looking=charge.asked_at is not None and now - charge.asked_at < span,
        )
    elif charge is not None and charge.state == "failed":
        account = AccountView("failed", reason=charge.reason)
    return QuoteView(
        method=quote.method,
        network=quote.network,
        asset=quote.asset,
        amount=shown_amount(raw, SCALE),
        address="",
        rate=quote.rate,
        expires_at=quote.expires_at,
        account=account,
    )


def proof_view(proof: Proof, quote: Quote) -> ProofView:
    return ProofView(
        id=proof.id,
        invoice_id=proof.invoice_id,
        user_id=proof.user_id,
        amount=shown_amount(quote.amount_raw, SCALE),
        usd=Money(quote.due_cents, USD),
        file_id=proof.file_id,
        state=proof.state,
        reason=proof.reason,
        actor=proof.actor,
        created_at=proof.created_at,
    )


def claim_view(claim: Claim, credited: dict[int, int]) -> ClaimView:
    cents = credited.get(claim.id)
    return ClaimView(
        id=claim.id,
        invoice_id=claim.invoice_id,
        network=claim.network,
        hash=claim.hash,
        state=claim.state,
        reason=claim.reason,
        credited=None if cents is None else Money(cents, USD),
        created_at=claim.created_at,
    )


def receipt_view(receipt: Receipt, config: PaymentsConfig) -> ReceiptView:
    return ReceiptView(
        id=receipt.id,
        network=receipt.network,
        hash=receipt.hash,
        position=receipt.position,
        asset=receipt.asset,
        amount=shown_amount(receipt.amount_raw, scale(config, receipt.network, receipt.asset)),
        usd=Money(receipt.usd_cents, USD),
        state=receipt.state,
        invoice_id=receipt.invoice_id,
        user_id=receipt.user_id,
        seen_at=receipt.seen_at,
        rate=receipt.rate,
        block_time=receipt.block_time,
        reference=receipt.reference,
    )

"""The crediting transaction of bank transfers: the same locks, receipts and bookings as a chain's, found by reference.

What protects money, in the order it is met: the held sighting row (bank, payment), the unique receipt, the held invoice
row, the ledger's keys. See domain/states.py for who may move what.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import structlog

from viralcore.core.db import Database, Tx
from viralcore.payments.config import PaymentsConfig
from viralcore.payments.domain.bank import BANK, BankPayment, Charge
from viralcore.payments.domain.chain import NATIVE_POSITION, ChainTransaction
from viralcore.payments.domain.judging import Ask, Part
from viralcore.payments.domain.states import Invoice, Quote
from viralcore.payments.repository import bank, invoices, money
from viralcore.payments.service.booking import Booking, Case, Unpriced

log = structlog.get_logger(__name__)

Settled = Literal["settled", "unpriced"]


class BankCrediting:
    def __init__(self, *, db: Database, config: PaymentsConfig, booking: Booking) -> None:
        self._db = db
        self._config = config
        self._booking = booking

    async def settle(self, payment: BankPayment) -> Settled:
        """Book a payment the API says was successful, once, however often and by whom it is brought."""
        async with self._db.read() as conn:
            if await money.receipts_of(conn, BANK, payment.id):
                return "settled"
        try:
            await self._db.run(lambda tx: self._settle(tx, payment))
        except Unpriced:
            log.warning("money_waits_for_a_price", network=BANK, hash=payment.id)
            return "unpriced"
        return "settled"

    async def _settle(self, tx: Tx, payment: BankPayment) -> None:
        if await money.lock_sighting(tx.conn, BANK, payment.id, tx.now) == "judged":
            return
        charge = await bank.charge_of(tx.conn, payment.reference)
        reason = self._why_not(payment, charge)
        if charge is None or reason:
            await self._suspend(tx, payment, reason)
        else:
            await self._credit(tx, payment, charge.quote_id)
        await self._close(tx, payment)

    def _why_not(self, payment: BankPayment, charge: Charge | None) -> str:
        """Why this is not the money that was asked for. A reference may be older than these books: one database after
        another may have asked at the same bank under the same names."""
        if charge is None:
            return "unknown_reference"
        if not payment.naira:
            return "currency"
        early = timedelta(minutes=self._config.bank.early_minutes)
        return "too_old" if payment.paid_at < charge.created_at - early else ""

    async def credit_by_hand(self, tx: Tx, payment: BankPayment, quote: Quote) -> None:
        """Staff saw the money of a quote. In the caller's transaction. Raises Unpriced."""
        if await money.lock_sighting(tx.conn, BANK, payment.id, tx.now) != "judged":
            await self._credit(tx, payment, quote.id)
            await self._close(tx, payment)

    async def _close(self, tx: Tx, payment: BankPayment) -> None:
        if not await money.judged(tx.conn, BANK, payment.id, tx.now):
            raise RuntimeError("a held sighting was judged by somebody else")

    async def _credit(self, tx: Tx, payment: BankPayment, quote_id: int) -> None:
        quote = (await invoices.get_quotes(tx.conn, [quote_id]))[quote_id]
        held = await invoices.lock_invoices(tx.conn, [quote.invoice_id])
        invoice = held[quote.invoice_id]
        part = Part(
            asset=quote.asset,
            position=NATIVE_POSITION,
            amount=payment.amount_raw,
            ask=_ask(quote, invoice),
            exact=payment.amount_raw == quote.amount_raw,
            reason="",
        )
        await self._booking.credit(_case(tx, payment), part, _ask(quote, invoice), invoice, None)

    async def _suspend(self, tx: Tx, payment: BankPayment, reason: str) -> None:
        case = _case(tx, payment)
        part = Part(payment.currency, NATIVE_POSITION, payment.amount_raw, None, False, reason)
        await self._booking.suspend(case, part)
        for receipt in await money.receipts_of(tx.conn, BANK, payment.id):
            self._booking.stray(case, receipt, None, reason)


def _ask(quote: Quote, invoice: Invoice) -> Ask:
    return Ask(
        quote_id=quote.id,
        invoice_id=invoice.id,
        user_id=invoice.user_id,
        asset=quote.asset,
        amount=quote.amount_raw,
        invoice_created_at=invoice.created_at,
        quoted_at=invoice.created_at,
    )


def _case(tx: Tx, payment: BankPayment) -> Case:
    found = ChainTransaction(
        network=BANK,
        hash=payment.id,
        success=True,
        final=True,
        block=0,
        block_time=payment.paid_at,
        movements=(),
    )
    return Case(tx, found, reference=payment.reference)

"""The moment an invoice is paid: purchase and grants in one posting, the state, the event. In the payer's
transaction."""

from __future__ import annotations

from collections.abc import Sequence

from viralcore.core.db import Tx
from viralcore.ledger.api import BONUS, CREDITS, Entry, Ledger, house_account, user_account
from viralcore.payments.api import purchase_key
from viralcore.payments.domain.states import Invoice
from viralcore.payments.events import InvoicePaid
from viralcore.payments.repository import invoices


class Fulfilment:
    def __init__(self, *, ledger: Ledger) -> None:
        self._ledger = ledger

    async def pay(self, tx: Tx, invoice: Invoice, *, payer: Sequence[Entry], paid_cents: int, method: str) -> None:
        """Fulfil an invoice whose row is held.

        `payer`: negative entries on the user's accounts that make up the total; empty for a top-up, whose money already
        is where it should be. `paid_cents`: what of the total is neither bonus money nor forgiven; refunds go by it.
        Raises ledger InsufficientFunds.
        """
        bonus = -sum(entry.amount for entry in payer if entry.account.name == BONUS)
        forgiven = invoice.total_cents - bonus - paid_cents if payer else 0
        if not await invoices.move_invoice(
            tx.conn, invoice, "paid", now=tx.now, paid_with=method, bonus_cents=bonus, forgiven_cents=forgiven
        ):
            raise RuntimeError(f"invoice {invoice.id} was {invoice.state} and was to be paid")
        if payer:
            await self._ledger.post(
                tx,
                key=purchase_key(invoice.id),
                kind="purchase",
                entries=[*payer, Entry(house_account("revenue"), invoice.total_cents), *_grants(invoice)],
                description=f"Invoice {invoice.id}: {invoice.quantity} x {invoice.item_ref}",
            )
        tx.record(
            InvoicePaid(
                invoice_id=invoice.id,
                user_id=invoice.user_id,
                item_kind=invoice.item_kind,
                item_ref=invoice.item_ref,
                quantity=invoice.quantity,
                total=invoice.total_cents,
                paid_cents=paid_cents if payer else 0,
                method=method,
            )
        )


def _grants(invoice: Invoice) -> list[Entry]:
    entries = []
    for asset, quantity, unit_cost in invoice.grants:
        entries.append(Entry(house_account("grants", asset), -quantity))
        entries.append(Entry(user_account(invoice.user_id, CREDITS, asset), quantity, unit_cost))
    return entries

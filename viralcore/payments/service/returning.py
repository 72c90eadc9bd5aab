"""Giving back: what was sold and not delivered goes back as the money it was paid with. The rule: domain/finance.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, replace
from typing import Any

import structlog

from viralcore.core.db import Tx
from viralcore.ledger.api import BONUS, WALLET, Entry, Ledger, NewPosting, house_account, user_account
from viralcore.payments.api import Back, MoneyBack
from viralcore.payments.domain.finance import Parts
from viralcore.payments.domain.states import Invoice
from viralcore.payments.repository import finance, invoices
from viralcore.payments.service.refunding import price_of

log = structlog.get_logger(__name__)


class Returning:
    """Joins the transaction of whoever sold it. An invoice's row is held before the ledger, as everywhere here."""

    def __init__(self, *, ledger: Ledger) -> None:
        self._ledger = ledger

    async def give_back(self, tx: Tx, *, key: str, user_id: int, backs: Sequence[Back]) -> tuple[MoneyBack, ...]:
        """In the order given."""

        async def run() -> dict[str, Any]:
            return {"parts": [astuple(parts) for parts in await self._give_back(tx, user_id, backs)]}

        inputs = {"user_id": user_id, "backs": [astuple(replace(back, description="")) for back in backs]}
        done = await tx.once(scope="payments.give_back", key=key, inputs=inputs, run=run)
        return tuple(MoneyBack(*parts) for parts in done["parts"])

    async def _give_back(self, tx: Tx, user_id: int, backs: Sequence[Back]) -> list[Parts]:
        if any(back.cents <= 0 for back in backs):
            raise ValueError("what goes back is more than nothing")
        held = await invoices.lock_invoices(tx.conn, [back.invoice_id for back in backs if back.invoice_id is not None])
        given = {invoice.id: invoice.given_cents for invoice in held.values()}
        parts = [self._split(user_id, back, held, given) for back in backs]
        for invoice in held.values():
            if given[invoice.id] == invoice.given_cents:
                continue
            if not await finance.add_to_given(tx.conn, invoice, given[invoice.id]):
                raise RuntimeError("a held invoice was given back by somebody else")
        postings = [_posting(user_id, back, each) for back, each in zip(backs, parts, strict=True)]
        postings = [posting for posting in postings if posting.entries]
        verdicts = await self._ledger.post_many(tx, postings) if postings else ()
        refused = [verdict for verdict in verdicts if verdict.outcome != "posted"]
        if refused:
            # Also one that was posted before: its invoice would count it twice.
            raise RuntimeError(f"the ledger did not post what goes back: {refused}")
        return parts

    @staticmethod
    def _split(user_id: int, back: Back, held: dict[int, Invoice], given: dict[int, int]) -> Parts:
        """What it is made of; moves on what has gone back of its invoice."""
        if back.invoice_id is None:
            return Parts(0, back.cents, 0)
        invoice = held.get(back.invoice_id)
        if invoice is None or invoice.user_id != user_id or invoice.state != "paid":
            raise RuntimeError(f"invoice {back.invoice_id} sold nothing to {user_id}")
        before = given[invoice.id]
        after = min(before + back.cents, invoice.total_cents)
        if after < before + back.cents:
            log.error("more_than_the_price", invoice_id=invoice.id, key=back.key, beyond=before + back.cents - after)
        given[invoice.id] = after
        return price_of(invoice).piece(before, back.cents)


def _posting(user_id: int, back: Back, parts: Parts) -> NewPosting:
    legs = (
        Entry(house_account("revenue"), -parts.wallet - parts.bonus),
        Entry(user_account(user_id, WALLET), parts.wallet),
        Entry(user_account(user_id, BONUS), parts.bonus),
    )
    return NewPosting(back.key, "refund", tuple(leg for leg in legs if leg.amount), back.description)

"""Which purchase an order's credit came from: asked when money of it goes back."""

from __future__ import annotations

import re

from viralcore.boosts.domain.states import Order
from viralcore.boosts.repository import orders
from viralcore.core.db import Tx
from viralcore.ledger.api import Ledger
from viralcore.payments.api import invoice_of

_RETURNED = re.compile(r"return:order:([0-9]{1,18})")
MOST_RETURNS = 100
"""A credit that came back this often is nobody's first use of it; the search ends somewhere."""


def debit_key(draft_id: int) -> str:
    """The posting that took the credits of a draft's orders."""
    return f"boost:draft:{draft_id}"


def return_key(order_id: int, invoice_id: int | None) -> str:
    """The posting that gave an order's credit back, a credit of that purchase."""
    return f"return:order:{order_id}" if invoice_id is None else f"return:order:{order_id}:invoice:{invoice_id}"


async def invoice_behind(tx: Tx, ledger: Ledger, order: Order) -> int | None:
    """The invoice that sold an order, or the credit it used; None when that was granted. A credit that had come back
    from another order is followed to where that one had it from."""
    now: Order | None = order
    for _ in range(MOST_RETURNS):
        if now is None or now.draft_id is None:
            return None if now is None else now.invoice_id
        taken = await ledger.lots_taken(tx, key=debit_key(now.draft_id))
        each = [lot.posting_key for lot in taken for _ in range(lot.quantity)]
        if now.position >= len(each):
            return None
        found = _RETURNED.fullmatch(each[now.position])  # one that does not say whose it is
        if found is None:
            return invoice_of(each[now.position])
        now = await orders.get(tx.conn, int(found[1]))
    return None


async def invoice_of_lot(tx: Tx, ledger: Ledger, posting_key: str) -> int | None:
    """The same of a lot of credits that were not used, by the posting it came with."""
    found = _RETURNED.fullmatch(posting_key)
    if found is None:
        return invoice_of(posting_key)
    order = await orders.get(tx.conn, int(found[1]))
    return None if order is None else await invoice_behind(tx, ledger, order)

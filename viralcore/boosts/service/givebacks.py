"""What an order did not deliver goes back: as the credit it used, or as the money that was paid.

What that money is made of (wallet, bonus, forgiven) is for payments to say, which remembers it by the invoice. Lock
order: the order, then the invoice, then the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping

from viralcore.boosts.domain.states import Order
from viralcore.boosts.events import OrderRefunded
from viralcore.boosts.service.sources import invoice_behind, return_key
from viralcore.core.db import Tx
from viralcore.ledger.api import CREDITS, Entry, Ledger, house_account, user_account
from viralcore.payments.api import Back, MoneyBack, Payments

CREDITS_USED = "credits_used"


class GiveBacks:
    """Expects the order's row to be locked."""

    def __init__(self, ledger: Ledger, payments: Payments) -> None:
        self._ledger = ledger
        self._payments = payments

    async def credit(self, tx: Tx, order: Order, description: str) -> None:
        """The credit comes back at the price it was bought for; once for an order, whatever asks. Its posting says
        which purchase it is of."""
        entries = (
            Entry(user_account(order.user_id, CREDITS, order.asset), 1, unit_cost=order.unit_cost),
            Entry(house_account(CREDITS_USED, order.asset), -1),
        )
        key = return_key(order.id, await invoice_behind(tx, self._ledger, order))
        await self._ledger.post(tx, key=key, kind="refund", entries=entries, description=description)

    async def money(
        self, tx: Tx, order: Order, source: str, cents: Mapping[str, int], description: str
    ) -> dict[str, MoneyBack]:
        """Cents of the order's price, by the key of their posting, and what became of each. `source` says why, and is
        asked once for an order."""
        if not cents:
            return {}
        invoice_id = await invoice_behind(tx, self._ledger, order)
        backs = [Back(key, invoice_id, some, f"{description}, order {order.id}") for key, some in sorted(cents.items())]
        given = await self._payments.give_back(tx, key=f"order:{order.id}:{source}", user_id=order.user_id, backs=backs)
        whole = sum(given, MoneyBack())
        if invoice_id is not None and whole.cents:
            tx.record(
                OrderRefunded(
                    order_id=order.id,
                    user_id=order.user_id,
                    invoice_id=invoice_id,
                    cents=whole.cents,
                    source=source,
                    to_wallet=whole.wallet,
                )
            )
        return {back.key: parts for back, parts in zip(backs, given, strict=True)}

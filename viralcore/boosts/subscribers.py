"""What boosts hears: a paid invoice of goods becomes its order."""

from __future__ import annotations

from viralcore.boosts.service.goods import GoodsDesk
from viralcore.core.db import Tx
from viralcore.core.events import Event, Subscription
from viralcore.payments.events import InvoicePaid


class Subscribers:
    def __init__(self, goods: GoodsDesk) -> None:
        self._goods = goods

    async def invoice_paid(self, tx: Tx, event_id: str, event: Event) -> None:
        if not isinstance(event, InvoicePaid):
            raise TypeError(f"boosts.goods_paid hears InvoicePaid, not {type(event).__name__}")
        if event.item_kind == "goods":
            await self._goods.paid(tx, invoice_id=event.invoice_id, user_id=event.user_id, cents=event.total)


def subscriptions(subscribers: Subscribers) -> tuple[Subscription, ...]:
    """Names are stored with deliveries: they never change."""
    return (Subscription(InvoicePaid, "boosts.goods_paid", subscribers.invoice_paid),)

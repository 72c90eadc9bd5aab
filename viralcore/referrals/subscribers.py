"""What referrals hears: newcomers, payments, refunds."""

from __future__ import annotations

from viralcore.boosts.events import CreditsRefunded, GoodsReturned, OrderRefunded
from viralcore.core.db import Tx
from viralcore.core.events import Event, Subscription
from viralcore.payments.events import InvoicePaid, RefundIssued
from viralcore.referrals.service.binding import Binding
from viralcore.referrals.service.commissions import Commissions
from viralcore.users.events import UserRegistered

TOPUP = "topup"


class Subscribers:
    """Whoever delivers an event twice finds that it was heard: each is known by what it is about, not by its id."""

    def __init__(self, *, binding: Binding, commissions: Commissions) -> None:
        self._binding = binding
        self._commissions = commissions

    async def registered(self, tx: Tx, _: str, event: Event) -> None:
        if not isinstance(event, UserRegistered):
            raise TypeError(type(event).__name__)
        await self._binding.registered(tx, user_id=event.user_id, payload=event.payload)

    async def invoice_paid(self, tx: Tx, _: str, event: Event) -> None:
        """A top-up is no purchase; what is bought with it is."""
        if not isinstance(event, InvoicePaid):
            raise TypeError(type(event).__name__)
        if event.item_kind == TOPUP:
            return
        await self._commissions.paid(
            tx,
            invoice_id=event.invoice_id,
            user_id=event.user_id,
            item_ref=event.item_ref,
            total=event.total,
            paid=event.paid_cents,
        )

    async def refund_issued(self, tx: Tx, _: str, event: Event) -> None:
        """Only what went back to the wallet had paid commission."""
        if not isinstance(event, RefundIssued):
            raise TypeError(type(event).__name__)
        if event.to_wallet:
            await self._commissions.returned(
                tx,
                source=f"refund:{event.refund_id}",
                invoice_id=event.invoice_id,
                user_id=event.user_id,
                cents=event.to_wallet,
                known="paid",
            )

    async def order_refunded(self, tx: Tx, _: str, event: Event) -> None:
        """What was not delivered went back: when the order ended, and for every correction after it."""
        if not isinstance(event, OrderRefunded):
            raise TypeError(type(event).__name__)
        source = f"order:{event.order_id}:{event.source}" if event.source else f"order:{event.order_id}"
        await self._given_back(tx, source, event)

    async def credits_refunded(self, tx: Tx, _: str, event: Event) -> None:
        """Posts of a plan that ended, bought and never used."""
        if not isinstance(event, CreditsRefunded):
            raise TypeError(type(event).__name__)
        await self._given_back(tx, f"credits:{event.source}:{event.invoice_id}", event)

    async def goods_returned(self, tx: Tx, _: str, event: Event) -> None:
        """A purchase that could not become an order."""
        if not isinstance(event, GoodsReturned):
            raise TypeError(type(event).__name__)
        await self._given_back(tx, f"goods:{event.invoice_id}", event)

    async def _given_back(self, tx: Tx, source: str, event: OrderRefunded | CreditsRefunded | GoodsReturned) -> None:
        """What went to the wallet can be spent, and pay commission, again. Events of before that was told apart from
        bonus money say only how much went back."""
        cents = event.cents if event.to_wallet is None else event.to_wallet
        if cents:
            await self._commissions.returned(
                tx,
                source=source,
                invoice_id=event.invoice_id,
                user_id=event.user_id,
                cents=cents,
                known="all" if event.to_wallet is None else "paid",
            )


def subscriptions(subscribers: Subscribers) -> tuple[Subscription, ...]:
    """Names are stored with deliveries: they never change."""
    return (
        Subscription(UserRegistered, "referrals.user_registered", subscribers.registered),
        Subscription(InvoicePaid, "referrals.invoice_paid", subscribers.invoice_paid),
        Subscription(RefundIssued, "referrals.refund_issued", subscribers.refund_issued),
        Subscription(OrderRefunded, "referrals.order_refunded", subscribers.order_refunded),
        Subscription(CreditsRefunded, "referrals.credits_refunded", subscribers.credits_refunded),
        Subscription(GoodsReturned, "referrals.goods_returned", subscribers.goods_returned),
    )

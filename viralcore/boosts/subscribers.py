"""What boosts hears: a paid invoice of goods becomes its order, and the likes group is told of every post."""

from __future__ import annotations

from viralcore.boosts.api import Crowd
from viralcore.boosts.domain.replies import read_replies
from viralcore.boosts.events import ClaimApproved, OrderCreated
from viralcore.boosts.service.crowd_engine import CrowdEngine
from viralcore.boosts.service.goods import GoodsDesk
from viralcore.boosts.service.reply_pay import ReplyPay
from viralcore.core.db import Tx
from viralcore.core.events import Event, Subscription
from viralcore.payments.events import InvoicePaid

LONGEST_LINK = 2000
"""Of a proof that was accepted before."""


class Subscribers:
    def __init__(self, goods: GoodsDesk, crowd: CrowdEngine) -> None:
        self._goods = goods
        self._crowd = crowd

    async def invoice_paid(self, tx: Tx, event_id: str, event: Event) -> None:
        if not isinstance(event, InvoicePaid):
            raise TypeError(f"boosts.goods_paid hears InvoicePaid, not {type(event).__name__}")
        if event.item_kind == "goods":
            await self._goods.paid(tx, invoice_id=event.invoice_id, user_id=event.user_id, cents=event.total)

    async def order_created(self, tx: Tx, event_id: str, event: Event) -> None:
        """A delivery of its own, so that the likes group's trouble spoils no order."""
        if not isinstance(event, OrderCreated):
            raise TypeError(f"boosts.likes_group hears OrderCreated, not {type(event).__name__}")
        await self._crowd.tell_likes_group(tx, event)


def subscriptions(subscribers: Subscribers) -> tuple[Subscription, ...]:
    """Names are stored with deliveries: they never change."""
    return (
        Subscription(InvoicePaid, "boosts.goods_paid", subscribers.invoice_paid),
        Subscription(OrderCreated, "boosts.likes_group", subscribers.order_created),
    )


def reply_subscriptions(pay: ReplyPay, crowd: Crowd) -> tuple[Subscription, ...]:
    """A claim that staff approved pays its reply guy, in a delivery of its own: what breaks here holds up no order."""

    async def heard(tx: Tx, event_id: str, event: Event) -> None:
        if not isinstance(event, ClaimApproved):
            raise TypeError(f"boosts.reply_pay hears ClaimApproved, not {type(event).__name__}")
        claim = await crowd.claim(claim_id=event.claim_id)
        proofs, _ = read_replies(" ".join(claim.proofs), max_length=LONGEST_LINK)
        await pay.pay_claim(
            tx,
            claim_id=event.claim_id,
            user_id=event.user_id,
            metric=event.metric,
            count=event.count,
            actor=event.actor,
            proofs=proofs,
        )

    return (Subscription(ClaimApproved, "boosts.reply_pay", heard),)

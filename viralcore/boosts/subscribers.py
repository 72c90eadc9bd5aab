"""What boosts does about what has happened; database only."""

from __future__ import annotations

from viralcore.boosts.api import Crowd
from viralcore.boosts.domain.replies import read_replies
from viralcore.boosts.events import ClaimApproved, OrderCreated
from viralcore.boosts.service.crowd_engine import CrowdEngine
from viralcore.boosts.service.reply_pay import ReplyPay
from viralcore.core.db import Tx
from viralcore.core.events import Event, Subscription

LONGEST_LINK = 2000
"""Of a proof that was accepted before."""


def crowd_subscriptions(engine: CrowdEngine) -> tuple[Subscription, ...]:
    """The likes group hears of every post by a delivery of its own, so that its trouble spoils no order."""

    async def heard(tx: Tx, event_id: str, event: Event) -> None:
        if not isinstance(event, OrderCreated):
            raise TypeError(f"boosts.likes_group hears OrderCreated, not {type(event).__name__}")
        await engine.tell_likes_group(tx, event)

    return (Subscription(OrderCreated, "boosts.likes_group", heard),)


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

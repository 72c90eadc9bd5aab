"""What boosts does about what has happened; database only."""

from __future__ import annotations

from viralcore.boosts.events import OrderCreated
from viralcore.boosts.service.crowd_engine import CrowdEngine
from viralcore.core.db import Tx
from viralcore.core.events import Event, Subscription


def crowd_subscriptions(engine: CrowdEngine) -> tuple[Subscription, ...]:
    """The likes group hears of every post by a delivery of its own, so that its trouble spoils no order."""

    async def heard(tx: Tx, event_id: str, event: Event) -> None:
        if not isinstance(event, OrderCreated):
            raise TypeError(f"boosts.likes_group hears OrderCreated, not {type(event).__name__}")
        await engine.tell_likes_group(tx, event)

    return (Subscription(OrderCreated, "boosts.likes_group", heard),)

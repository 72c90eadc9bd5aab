"""What is told of panels that took something back, answered a refill, or hint at what became of a send."""

from __future__ import annotations

from viralcore.boosts.events import OrderCorrected, PanelAsked, PhaseHinted
from viralcore.core.db import Tx
from viralcore.core.events import Subscription
from viralcore.notifications.domain import phase_key
from viralcore.notifications.service.desk import Desk
from viralcore.notifications.subscribers import hear


class PanelSubscribers:
    """Stores notices; words are found when they are sent."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def order_corrected(self, tx: Tx, event_id: str, event: OrderCorrected) -> None:
        await self._desk.tell_person(
            tx,
            user_id=event.user_id,
            key=event_id,
            template="corrected",
            order_id=event.order_id,
            metric=event.metric,
            refunded=event.refunded,
            to_bonus=event.to_bonus,
            credit=event.credit_returned,
        )

    async def panel_asked(self, tx: Tx, event_id: str, event: PanelAsked) -> None:
        """Buyers are told what came of what they asked for; staff see it where they asked."""
        mine = event.what == "refill" and event.asked_by == event.user_id
        if mine and event.state != "accepted":
            facts = {"order_id": event.order_id, "state": event.state}
            await self._desk.tell_person(tx, user_id=event.user_id, key=event_id, template="refill", **facts)

    async def phase_hinted(self, tx: Tx, event_id: str, event: PhaseHinted) -> None:
        await self._desk.refresh(tx, live_key=phase_key(event.phase_id))


def panel_subscriptions(desk: Desk) -> tuple[Subscription, ...]:
    """Names are stored with deliveries: they never change."""
    hears = PanelSubscribers(desk)
    return (
        hear(OrderCorrected, "notifications.order_corrected", hears.order_corrected),
        hear(PanelAsked, "notifications.panel_asked", hears.panel_asked),
        hear(PhaseHinted, "notifications.phase_hinted", hears.phase_hinted),
    )

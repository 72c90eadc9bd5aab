"""What is told of panels that took something back, answered a refill, hint at what became of a send, or do not end an
order."""

from __future__ import annotations

from viralcore.boosts.events import OrderCorrected, PanelAsked, PhaseHinted, PhaseStuck, StuckDecided
from viralcore.core.db import Tx
from viralcore.core.events import Subscription
from viralcore.notifications.domain import phase_key, stuck_key
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
        await self._desk.refresh_admins(tx, live_key=phase_key(event.phase_id))

    async def phase_stuck(self, tx: Tx, event_id: str, event: PhaseStuck) -> None:
        """A new card where staff look; the one before says so and loses its buttons."""
        live_key = stuck_key(event.phase_id)
        await self._desk.renew(tx, live_key=live_key, superseded=True)
        await self._desk.show_admins(tx, key=event_id, live_key=live_key, template="stuck", phase_id=event.phase_id)

    async def stuck_decided(self, tx: Tx, event_id: str, event: StuckDecided) -> None:
        """The card is over: should it get stuck again, that is another."""
        by = {} if event.actor == 0 else {"actor": event.actor}
        await self._desk.renew(tx, live_key=stuck_key(event.phase_id), how=event.how, **by)


def panel_subscriptions(desk: Desk) -> tuple[Subscription, ...]:
    """Names are stored with deliveries: they never change."""
    hears = PanelSubscribers(desk)
    return (
        hear(OrderCorrected, "notifications.order_corrected", hears.order_corrected),
        hear(PanelAsked, "notifications.panel_asked", hears.panel_asked),
        hear(PhaseHinted, "notifications.phase_hinted", hears.phase_hinted),
        hear(PhaseStuck, "notifications.phase_stuck", hears.phase_stuck),
        hear(StuckDecided, "notifications.stuck_decided", hears.stuck_decided),
    )

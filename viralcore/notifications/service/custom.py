"""What a person is told of a plan that was made for them, changed or ended."""

from __future__ import annotations

from viralcore.boosts.events import CustomPlanChanged
from viralcore.core.db import Tx
from viralcore.core.events import Event, Subscription
from viralcore.notifications.service.desk import Desk


def subscription(desk: Desk) -> Subscription:
    """Its name is stored with deliveries: it never changes."""

    async def heard(tx: Tx, event_id: str, event: Event) -> None:
        if isinstance(event, CustomPlanChanged):
            await desk.tell_person(
                tx,
                user_id=event.user_id,
                key=event_id,
                template="custom_plan",
                plan_id=event.plan_id,
                what=event.what,
                given=event.given,
                refunded=event.refunded,
                to_bonus=event.to_bonus,
                reason=event.reason,
            )

    return Subscription(CustomPlanChanged, "notifications.custom_plan_changed", heard)

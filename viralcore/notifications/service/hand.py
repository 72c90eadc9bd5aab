"""What is done by hand, from what the door returns to what its texts take."""

from __future__ import annotations

from viralcore.boosts.api import StaffCardView
from viralcore.texts.cards import PersonText
from viralcore.texts.staff_cards import StaffCardText


def card_text(one: StaffCardView, *, buyer: PersonText, by: PersonText | None) -> StaffCardText:
    """`by`: who took or decided it."""
    return StaffCardText(
        id=one.id,
        version=one.version,
        order_id=one.order_id,
        plan=one.plan_title,
        metric=one.metric,
        quantity=one.quantity,
        delivered=one.delivered,
        link=one.link,
        answers=one.answers,
        buyer=buyer,
        state=one.state,
        by=by,
        at=one.decided_at or one.taken_at,
        reason=one.reason,
        created_at=one.created_at,
        refunded=one.refunded,
        verified=one.verified,
    )

"""From what boosts knows around an unknown send to what its card says."""

from __future__ import annotations

from decimal import Decimal

from viralcore.boosts.api import BalanceHint, UnknownPhaseView
from viralcore.texts import cards, wording
from viralcore.texts.hints import HintText, likely


def hint_text(hint: BalanceHint) -> HintText:

    def told(amount: Decimal) -> str:
        return f"{amount.quantize(Decimal('0.0001')).normalize():f} {hint.currency}"

    return HintText(
        spent=told(hint.spent),
        others=told(hint.others),
        orders=hint.orders,
        cost=told(hint.cost),
        before_at=hint.before_at,
        after_at=hint.after_at,
        likely=likely(hint.spent, hint.others, hint.cost),
    )


def phase_card(phase: UnknownPhaseView) -> cards.PhaseCardText:
    return cards.PhaseCardText(
        phase_id=phase.phase_id,
        order_id=phase.order_id,
        panel=phase.panel,
        service=phase.service,
        link=phase.link,
        what=wording.metric(phase.metric, phase.quantity),
        sent_at=phase.sent_at,
        state=phase.state,
        attempt=phase.attempt,
        hint=None if phase.hint is None else hint_text(phase.hint),
    )

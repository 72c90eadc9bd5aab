"""From what boosts knows around an unknown send to what its card says."""

from __future__ import annotations

from decimal import Decimal

from viralcore.boosts.api import BalanceHint
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

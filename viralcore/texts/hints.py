"""What a panel's balance hints about a send nobody knows the outcome of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from viralcore.core.screen import Html, markup
from viralcore.texts import wording


@dataclass(frozen=True, slots=True)
class HintText:
    """What a panel's balance did around a send. Amounts carry the currency; `likely`: placed | not_placed | open."""

    spent: str
    others: str
    orders: int
    cost: str
    before_at: datetime
    after_at: datetime
    likely: str


Likely = Literal["placed", "not_placed", "open"]


def likely(spent: Decimal, others: Decimal, cost: Decimal) -> Likely:
    """Placed when what our balance fell by, without what other orders cost, is about the price of this one, not placed
    when it is about nothing; else open."""
    rest, near = spent - others, cost / 4
    return "not_placed" if abs(rest) < near else "placed" if abs(rest - cost) < near else "open"


def words(hint: HintText) -> Html:
    """For the card: never more than a hint."""
    likely = {
        "placed": "That looks as if it was placed",
        "not_placed": "That looks as if it was not placed",
    }.get(hint.likely, "That says nothing either way")
    return markup(
        "\n💡 Between {before} and {after} our balance there fell by {spent}. {others} of that is for {n} we know of; "
        "this one would cost {cost}. {likely}: a hint, no proof.",
        before=wording.moment(hint.before_at),
        after=wording.moment(hint.after_at),
        spent=hint.spent,
        others=hint.others,
        n=wording.count(hint.orders, "other order"),
        cost=hint.cost,
        likely=likely,
    )

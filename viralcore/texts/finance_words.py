"""What screens of finance have in common: people in short, and invoices in a line."""

from __future__ import annotations

from dataclasses import dataclass

from viralcore.core.money import Money
from viralcore.core.screen import Html, markup
from viralcore.texts import wording
from viralcore.texts.cards import PersonText, person

LONGEST_NAME = 24
LONGEST_REASON = 300
STATES = {"open": "open", "paid": "paid", "expired": "expired", "cancelled": "cancelled"}


@dataclass(frozen=True, slots=True)
class SoldText:
    """An invoice as staff see it. `paid_with`: a method's code."""

    id: int
    owner: PersonText
    title: str
    quantity: int
    unit: str
    total: Money
    state: str


def sold_line(sold: SoldText) -> Html:
    return markup(
        "invoice #{id} of {who}: {what}, {total}, {state}",
        id=sold.id,
        who=person(sold.owner),
        what=what(sold),
        total=wording.money(sold.total),
        state=STATES[sold.state],
    )


def what(sold: SoldText) -> str:
    return f"{sold.title}, {wording.count(sold.quantity, sold.unit)}"


def short(who: PersonText) -> str:
    return f"@{who.handle}" if who.handle else who.name[:LONGEST_NAME] or str(who.id)

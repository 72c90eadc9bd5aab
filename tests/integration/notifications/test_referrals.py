"""An affiliate is told what they earned and what was taken back, and never who it was."""

from __future__ import annotations

from tests.integration.notifications.conftest import House
from tests.integration.notifications.doors import ADA
from viralcore.referrals.events import CommissionEarned, CommissionReversed


def earned(**changes: object) -> CommissionEarned:
    facts = {
        "referrer_id": ADA, "buyer_id": 2002, "invoice_id": 12, "item_ref": "t3", "cents": 150, "to_balance": 150,
        "to_receivable": 0,
    }  # fmt: skip
    return CommissionEarned(**{**facts, **changes})  # type: ignore[arg-type]


def back(**changes: object) -> CommissionReversed:
    facts = {
        "referrer_id": ADA, "buyer_id": 2002, "invoice_id": 12, "item_ref": "t3", "cents": 150, "from_balance": 150,
        "receivable": 0,
    }  # fmt: skip
    return CommissionReversed(**{**facts, **changes})  # type: ignore[arg-type]


async def test_a_commission_is_told_with_what_was_bought(house: House) -> None:
    await house.happens(earned())
    (told,) = house.ada()
    assert "You earned $1.50" in told
    assert "Somebody you referred bought X Tier 3." in told
    assert "2002" not in told
    assert house.group() == []
    assert house.chat.labels(ADA) == [["🤝 Affiliate Program", "🏠 Home"]]


async def test_a_reversal_is_told_with_what_is_owed(house: House) -> None:
    await house.happens(back(from_balance=50, receivable=100))
    await house.happens(earned(item_ref="no longer sold", to_balance=50, to_receivable=100))
    taken, again = house.ada()
    assert "$0.50 was taken from your affiliate balance; the rest, $1.00, will be taken from your next" in taken
    assert "bought something" in again
    assert "$1.00 of it makes up for" in again


async def test_the_name_of_a_plan_made_for_the_buyer_is_not_told(house: House) -> None:
    """It is not even looked up: the plan may be of anybody, and may be gone."""
    await house.happens(earned(item_ref="custom-7"))
    await house.happens(back(item_ref="custom-7"))
    got, taken = house.ada()
    assert "Somebody you referred bought a custom plan." in got
    assert "got money back for a custom plan." in taken

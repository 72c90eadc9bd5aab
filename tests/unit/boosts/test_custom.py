"""The rules of plans made for one person, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.boosts import config
from viralcore.boosts.api import BadCustomPlan, CustomSpec
from viralcore.boosts.domain import custom
from viralcore.boosts.domain.plans import Catalogue
from viralcore.ledger.domain import is_credit

RULES = config().custom
CATALOGUE = Catalogue(config())
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SPEC = CustomSpec(title="VIP", likes=100, comments=10, views=5000, price=Decimal("1.20"))


@given(st.lists(st.integers(3, 10**10).map(lambda n: Decimal(n).scaleb(-5)), min_size=1, max_size=4))
def test_shares_are_a_whole_and_none_is_nothing(weights: list[Decimal]) -> None:
    found = custom.shares(weights)
    assert sum(found) == 1
    assert all(0 < share <= 1 for share in found)


def test_a_plan_is_an_entry_of_the_catalogue() -> None:
    plan = custom.view("custom-7", SPEC, CATALOGUE, RULES)
    assert [(line.metric, line.quantity, line.share, line.available) for line in plan.lines] == [
        ("likes", 100, Decimal("0.4286"), True),
        ("views", 5000, Decimal("0.2143"), True),
        ("comments", 10, Decimal("0.3571"), False),
    ]
    assert (plan.asset, plan.minimum, plan.on_sale) == ("custom-7", 1, True)
    assert not custom.view("custom-7", replace(SPEC, price=Decimal(0)), CATALOGUE, RULES).on_sale
    assert len(CATALOGUE.phases(plan, plan.lines[0])) == 2


@pytest.mark.parametrize("number", [1, 7, 10**11])
def test_every_number_is_an_asset_of_the_ledger_and_comes_back(number: int) -> None:
    assert is_credit(custom.asset_of(number))
    assert custom.number_of(custom.asset_of(number)) == number


@pytest.mark.parametrize(
    "name", ["t3", "custom", "custom-", "custom-0", "custom-x", "tgt-15", "custom-1\n", "xcustom-1"]
)
def test_other_names_are_no_custom_plans(name: str) -> None:
    assert custom.number_of(name) is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"title": "x" * 41}, "title"),
        ({"likes": 10**7}, "quantity"),
        ({"price": Decimal("1000.01")}, "price"),
        ({"price": Decimal("0.00001")}, "price"),
        ({"price": Decimal("NaN")}, "price"),
        ({"preset": -1}, "posts"),
        ({"expires_at": NOW}, "expiry"),
    ],
)
def test_what_is_out_of_bounds_is_refused(changed: dict[str, object], reason: str) -> None:
    with pytest.raises(BadCustomPlan) as refusal:
        custom.check(replace(SPEC, **changed), RULES, 0, NOW)  # type: ignore[arg-type]
    assert refusal.value.fields["reason"] == reason


def test_bounds_themselves_are_fine() -> None:
    custom.check(replace(SPEC, title="x" * 40, expires_at=NOW + timedelta(seconds=1)), RULES, -10_000, NOW)
    with pytest.raises(BadCustomPlan):
        custom.check(SPEC, RULES, 10_001, NOW)

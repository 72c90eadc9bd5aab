"""The rule of refunds: whatever is asked in whatever order, no more goes back than was paid, and no credit is kept."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viralcore.core.money import USD, ceil_money
from viralcore.payments.domain.finance import Purchase

PRICES = [Decimal(text) for text in ("1.50", "0.015", "0.01", "0.001", "3", "0.07", "2.333")]


@st.composite
def purchases(draw: st.DrawFn) -> Purchase:
    quantity, price = draw(st.integers(1, 2000)), draw(st.sampled_from(PRICES))
    total = ceil_money(quantity * price, USD).minor
    paid = total - draw(st.integers(0, total // 20))
    return Purchase(paid=paid, bonus=draw(st.integers(0, paid)), refunded=0, credits=quantity, unit_cost=price)


@given(purchases(), st.data())
def test_any_row_of_refunds_keeps_the_rule(purchase: Purchase, data: st.DataObject) -> None:
    used = data.draw(st.integers(0, purchase.credits))
    bonus = 0
    for _ in range(8):
        unused = purchase.credits - used - purchase.taken
        most = purchase.most(unused)
        assert 0 <= most <= purchase.left
        if not most:
            break
        cents = data.draw(st.sampled_from([most, 1, max(1, most // 2)]) | st.integers(1, most))
        taken, to_bonus = purchase.takes(cents), purchase.to_bonus(cents)
        assert 0 <= taken <= unused
        assert 0 <= to_bonus <= cents
        bonus += to_bonus
        purchase = replace(purchase, refunded=purchase.refunded + cents, taken=purchase.taken + taken)
        assert purchase.taken * purchase.unit_cost * 100 >= min(purchase.refunded, purchase.paid - 1) or (
            purchase.taken == purchase.credits
        )
    assert purchase.refunded <= purchase.paid
    assert purchase.refunded + used * min(purchase.unit_cost * 100, Decimal(purchase.paid) / purchase.credits) <= (
        purchase.paid + Decimal("0.000001")
    )
    if purchase.refunded == purchase.paid:
        assert (bonus, purchase.taken) == (purchase.bonus, purchase.credits)


@pytest.mark.parametrize(("unused", "most"), [(10, 1500), (9, 1350), (1, 150), (0, 0)])
def test_what_is_used_stays_paid(unused: int, most: int) -> None:
    assert Purchase(paid=1500, bonus=0, refunded=0, credits=10, unit_cost=Decimal("1.50")).most(unused) == most


def test_goods_have_no_credits_to_take() -> None:
    purchase = Purchase(paid=1500, bonus=0, refunded=500)
    assert (purchase.most(0), purchase.takes(1000), purchase.to_bonus(1000)) == (1000, 0, 0)


def test_bonus_money_is_rounded_towards_bonus() -> None:
    purchase = Purchase(paid=3, bonus=1, refunded=0)
    assert [purchase.to_bonus(1), replace(purchase, refunded=1).to_bonus(1)] == [1, 0]

"""The rule of refunds: whatever is asked in whatever order, no more goes back than was paid, and no credit is kept."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viralcore.core.money import USD, ceil_money
from viralcore.payments.domain.finance import Parts, Price, Purchase

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


@st.composite
def prices(draw: st.DrawFn) -> Price:
    """Paid with any mixture, also with nothing at all."""
    total = draw(st.integers(1, 3000))
    forgiven = draw(st.sampled_from([0, total // 100, total // 20, total]) | st.integers(0, total))
    return Price(total=total, bonus=draw(st.integers(0, total - forgiven)), forgiven=forgiven)


@given(prices(), st.data())
def test_pieces_of_a_price_are_never_more_of_a_part_than_was_paid_of_it(price: Price, data: st.DataObject) -> None:
    """Orders ask for cents of the price, finance for money; in whatever order they come."""
    given_, wallet, bonus, unpaid = 0, 0, 0, 0
    for _ in range(data.draw(st.integers(1, 12))):
        if given_ == price.total:
            break
        money_left = price.paid - price.money(given_)
        if money_left and data.draw(st.booleans()):
            cents = data.draw(st.sampled_from([1, money_left]) | st.integers(1, money_left))
            as_purchase = Purchase(paid=price.paid, bonus=price.bonus, refunded=0, elsewhere=price.money(given_))
            after = price.given(price.money(given_) + cents)
            piece = price.piece(given_, after - given_)
            assert (piece.wallet + piece.bonus, piece.bonus) == (cents, as_purchase.to_bonus(cents))
            asked = after - given_
        else:
            asked = data.draw(st.sampled_from([1, price.total - given_]) | st.integers(1, price.total - given_))
            piece = price.piece(given_, asked)
        assert min(piece.wallet, piece.bonus, piece.unpaid) >= 0
        assert piece.wallet + piece.bonus + piece.unpaid == asked
        given_ += asked
        wallet, bonus, unpaid = wallet + piece.wallet, bonus + piece.bonus, unpaid + piece.unpaid
        assert wallet <= price.paid - price.bonus
        assert bonus <= price.bonus
        assert unpaid <= price.forgiven
        assert bonus * price.paid >= price.bonus * price.money(given_), "rounded towards bonus"
        assert given_ <= price.total
    rest = price.piece(given_, price.total - given_)
    assert (wallet + rest.wallet, bonus + rest.bonus, unpaid + rest.unpaid) == (
        price.paid - price.bonus, price.bonus, price.forgiven,
    )  # fmt: skip


@given(prices(), st.integers(0, 3000), st.integers(1, 3000))
def test_beyond_the_price_there_is_no_money(price: Price, before: int, cents: int) -> None:
    before = min(before, price.total)
    within, piece = price.piece(before, price.total - before), price.piece(before, cents)
    assert piece.wallet <= within.wallet
    assert piece.bonus <= within.bonus
    assert price.piece(price.total, cents) == Parts(0, 0, cents)


@pytest.mark.parametrize(
    ("price", "pieces", "made_of"),
    [
        (Price(1000, 0, 0), [300, 700], [(300, 0, 0), (700, 0, 0)]),
        (Price(1000, 1000, 0), [1, 999], [(0, 1, 0), (0, 999, 0)]),
        (Price(1500, 500, 0), [100, 100, 1300], [(66, 34, 0), (67, 33, 0), (867, 433, 0)]),
        (Price(1000, 0, 4), [1, 249, 750], [(0, 0, 1), (249, 0, 0), (747, 0, 3)]),
    ],
)
def test_what_pieces_are_made_of(price: Price, pieces: list[int], made_of: list[tuple[int, int, int]]) -> None:
    before, found = 0, []
    for cents in pieces:
        piece = price.piece(before, cents)
        found.append((piece.wallet, piece.bonus, piece.unpaid))
        before += cents
    assert found == made_of

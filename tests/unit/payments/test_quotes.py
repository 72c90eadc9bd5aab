"""Amounts asked for."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viralcore.payments.domain.judging import value_cents
from viralcore.payments.domain.quotes import Scale, base_amount, bases, free_tails, plain, shown_amount, whole_coins

USDT = Scale(decimals=18, shown=6, tail_digits=4)
BNB = Scale(decimals=18, shown=8, tail_digits=4)


def test_a_usdt_amount_is_the_price_and_four_digits() -> None:
    base = base_amount(1500, Decimal(1), USDT)
    assert base == 15 * 10**18
    tails = free_tails(base, [], USDT)
    assert len(tails) == 9999
    assert str(shown_amount(tails[0], USDT)) == "15.000001"
    assert str(shown_amount(tails[-1], USDT)) == "15.009999"


def test_a_bnb_amount_is_rounded_up_before_its_tail() -> None:
    base = base_amount(1500, Decimal("612.34"), BNB)
    assert shown_amount(base, BNB) == Decimal("0.0245")
    assert str(shown_amount(free_tails(base, [], BNB)[41], BNB)) == "0.02450042"


def test_taken_tails_are_not_offered() -> None:
    base = base_amount(1500, Decimal(1), USDT)
    every = free_tails(base, [], USDT)
    assert free_tails(base, every[1:], USDT) == every[:1]
    assert free_tails(base, every, USDT) == []


def test_when_every_tail_is_taken_the_base_rises_by_a_cent() -> None:
    found = list(bases(1500, Decimal(1), USDT, rise_cents=1, rises=3))
    assert found == [15 * 10**18 + rise * 10**16 for rise in range(4)]


def test_rising_skips_bases_that_rounding_makes_equal() -> None:
    found = list(bases(1500, Decimal("612.34"), BNB, rise_cents=1, rises=50))
    assert len(set(found)) == len(found) < 51
    assert all(later - earlier == BNB.step for earlier, later in pairwise(found))


@given(
    cents=st.integers(1, 10**7),
    rate=st.decimals(Decimal("0.01"), Decimal("100000"), places=8),
    scale=st.sampled_from([USDT, BNB, Scale(6, 6, 4), Scale(9, 8, 4)]),
)
def test_what_is_asked_for_is_always_worth_what_is_due(cents: int, rate: Decimal, scale: Scale) -> None:
    base = base_amount(cents, rate, scale)
    amount = free_tails(base, [], scale)[0]
    assert value_cents(amount, decimals=scale.decimals, rate=rate) >= cents
    assert value_cents(base - scale.step, decimals=scale.decimals, rate=rate) < cents
    assert shown_amount(amount, scale).as_tuple().exponent == -scale.shown


@pytest.mark.parametrize(
    ("raw", "decimals", "text"),
    [
        (15_001234 * 10**12, 18, "15.001234"),
        (10**18, 18, "1"),
        (1, 18, "0.000000000000000001"),
        (10**30, 18, "1000000000000"),
        (5, 0, "5"),
    ],
)
def test_whole_coins_are_plain_text(raw: int, decimals: int, text: str) -> None:
    assert plain(whole_coins(raw, decimals)) == text

"""Money: whole minor units, one asset, and a rounding that is always named."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viralcore.core.money import (
    NGN,
    USD,
    Money,
    ceil_money,
    decimals,
    exact,
    floor_money,
    ngn,
    parse_decimal,
    usd,
)

MINOR = st.integers(-(10**15), 10**15)
ASSETS = st.sampled_from([USD, NGN, "t3", "tgt-15"])
AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=6)


@given(MINOR, MINOR, ASSETS)
def test_sums_and_differences_undo_each_other(a: int, b: int, asset: str) -> None:
    one, other = Money(a, asset), Money(b, asset)
    assert one + other - other == one
    assert one - other == -(other - one)
    assert (one + other).minor == a + b


@given(MINOR, MINOR, ASSETS)
def test_order_is_the_order_of_the_amounts(a: int, b: int, asset: str) -> None:
    one, other = Money(a, asset), Money(b, asset)
    assert (one < other, one <= other, one > other, one >= other) == (a < b, a <= b, a > b, a >= b)


@pytest.mark.parametrize("operation", ["__add__", "__sub__", "__lt__", "__le__", "__gt__", "__ge__"])
def test_assets_do_not_mix(operation: str) -> None:
    with pytest.raises(ValueError, match="do not mix"):
        getattr(usd(1), operation)(ngn(1))


def test_equal_numbers_of_other_assets_are_not_equal() -> None:
    assert usd(1) != ngn(1)
    assert len({usd(1), ngn(1), usd("1.00")}) == 2


@pytest.mark.parametrize("minor", [1.0, True, "1", Decimal(1), None])
def test_minor_units_are_integers(minor: object) -> None:
    with pytest.raises(TypeError):
        Money(minor, USD)  # type: ignore[arg-type]


@given(MINOR, ASSETS)
def test_major_units_and_back(minor: int, asset: str) -> None:
    money = Money(minor, asset)
    assert exact(money.decimal, asset) == money
    assert ceil_money(money.decimal, asset) == floor_money(money.decimal, asset) == money


@given(AMOUNTS, ASSETS)
def test_up_and_down_stand_around_the_amount_less_than_a_unit_apart(amount: Decimal, asset: str) -> None:
    up, down = ceil_money(amount, asset), floor_money(amount, asset)
    assert down.decimal <= amount <= up.decimal
    assert up.minor - down.minor in (0, 1)
    assert (up == down) == (amount.scaleb(decimals(asset)) % 1 == 0)


@pytest.mark.parametrize(("text", "minor"), [("15.50", 1550), ("0.01", 1), ("-3", -300), ("1000000", 100_000_000)])
def test_exact_dollars(text: str, minor: int) -> None:
    assert usd(text) == Money(minor, USD)
    assert ngn(text) == Money(minor, NGN)


@pytest.mark.parametrize("text", ["0.001", "1.005", "1E-3"])
def test_fractions_of_a_cent_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="finer"):
        usd(text)


def test_posts_have_no_fractions() -> None:
    assert decimals("t3") == 0
    with pytest.raises(ValueError, match="finer"):
        exact(Decimal("0.5"), "t3")


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=8))
def test_plain_decimals_are_read_exactly(amount: Decimal) -> None:
    assert parse_decimal(f"{amount:f}") == amount


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "1e5",
        "1E5",
        "1,5",
        "1_000",
        ".5",
        "5.",
        "0x1",
        "NaN",
        "inf",
        "--1",
        "1.2.3",
        "١٢",
        "1\n",
        "9" * 61,
    ],
)
def test_anything_else_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="not a plain decimal"):
        parse_decimal(text)

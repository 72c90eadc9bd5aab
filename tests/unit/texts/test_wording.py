"""How amounts, times and lists read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viralcore.boosts.api import Metric
from viralcore.core.money import Money, ngn, usd
from viralcore.texts import hashes, orders, wording
from viralcore.texts.actions import Go


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (usd(0), "$0.00"),
        (usd("0.01"), "$0.01"),
        (usd("15.5"), "$15.50"),
        (usd("1234567.89"), "$1,234,567.89"),
        (usd("-5.25"), "-$5.25"),
        (usd("-0.01"), "-$0.01"),
        (ngn(1200), "₦1,200"),
        (ngn("-1200.5"), "-₦1,200.50"),
        (Money(0, "t3"), "0 t3 posts"),
        (Money(1, "t3"), "1 t3 post"),
        (Money(-1, "t3"), "-1 t3 post"),
        (Money(12345, "tgt-15"), "12,345 tgt-15 posts"),
    ],
)
def test_money(amount: Money, text: str) -> None:
    assert wording.money(amount) == text


@given(st.integers(-(10**12), 10**12))
def test_money_is_written_to_the_cent(cents: int) -> None:
    text = wording.money(Money(cents, "USD"))
    assert int(text.replace("$", "").replace(",", "").replace(".", "")) == cents
    assert text[-3] == "."


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0.5", "$0.50"),
        ("0.50", "$0.50"),
        ("1", "$1.00"),
        ("10.00", "$10.00"),
        ("1E+3", "$1,000.00"),
        ("0.015", "$0.015"),
        ("0.0150", "$0.015"),
        ("1234.5", "$1,234.50"),
    ],
)
def test_a_unit_price_has_two_places_or_as_many_as_it_needs(amount: str, text: str) -> None:
    assert wording.price(Decimal(amount)) == text


@given(st.decimals(min_value=0, max_value=10**6, places=4))
def test_a_unit_price_says_all_of_it(amount: Decimal) -> None:
    assert Decimal(wording.price(amount).removeprefix("$").replace(",", "")) == amount


@pytest.mark.parametrize(
    ("amount", "text"),
    [("15.003400", "15.003400"), ("0.00000001", "0.00000001"), ("1E-8", "0.00000001"), ("1E+3", "1000")],
)
def test_a_coin_amount_is_plain_digits(amount: str, text: str) -> None:
    assert wording.plain(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 posts"), (1, "1 post"), (2, "2 posts"), (3500, "3,500 posts"), (-1, "-1 posts")]
)
def test_count(number: int, text: str) -> None:
    assert wording.count(number, "post") == text


def test_every_metric_has_a_word_and_a_picture() -> None:
    for name in Metric.__args__:  # type: ignore[attr-defined]
        assert wording.metric(name, 2) == f"2 {name}"
        assert wording.icon(name)


@pytest.mark.parametrize(
    ("words", "text"),
    [([], ""), (["likes"], "likes"), (["likes", "views"], "likes and views"), (["a", "b", "c"], "a, b and c")],
)
def test_join(words: list[str], text: str) -> None:
    assert wording.join(words) == text


@pytest.mark.parametrize(
    ("delta", "text"),
    [
        (timedelta(0), "0 min"),
        (timedelta(seconds=-30), "0 min"),
        (timedelta(days=-3), "0 min"),
        (timedelta(seconds=1), "1 min"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(seconds=61), "2 min"),
        (timedelta(minutes=59, seconds=1), "1 h"),
        (timedelta(minutes=90), "1 h 30 min"),
        (timedelta(hours=23, minutes=59), "23 h 59 min"),
        (timedelta(hours=24), "1 d"),
        (timedelta(days=2, hours=3, minutes=59), "2 d 3 h"),
    ],
)
def test_a_span_never_promises_less_than_there_is(delta: timedelta, text: str) -> None:
    assert wording.span(delta) == text


def test_a_moment_says_its_zone() -> None:
    assert wording.moment(datetime(2026, 11, 22, 14, 5, tzinfo=UTC)) == "22 Nov 2026, 14:05 UTC"


@pytest.mark.parametrize(
    ("done", "total", "filled"),
    [(0, 75, 0), (7, 75, 0), (8, 75, 1), (74, 75, 9), (75, 75, 10), (80, 75, 10), (0, 0, 0), (5, 0, 9)],
)
def test_a_bar(done: int, total: int, filled: int) -> None:
    assert wording.bar(done, total) == "▰" * filled + "▱" * (10 - filled)


@given(st.integers(0, 10**7), st.integers(1, 10**7), st.integers(1, 30))
def test_a_bar_is_full_only_when_all_is_delivered(done: int, total: int, width: int) -> None:
    drawn = wording.bar(done, total, width)
    assert len(drawn) == width
    assert ("▱" not in drawn) == (done >= total)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=5))
def test_a_hundred_percent_means_all_of_it(counted: list[tuple[int, int]]) -> None:
    shown = orders.percent(counted)
    asked = [(done, total) for done, total in counted if total > 0]
    assert 0 <= shown <= 100
    assert (shown == 100) == (bool(asked) and all(done >= total for done, total in asked))


def test_a_short_hash_is_shown_whole() -> None:
    assert hashes.short("abc") == "abc"
    assert hashes.short("0x" + "1" * 64) == "0x11111111…11111111"


def test_the_way_out() -> None:
    assert [button.action for button in wording.back_home()] == [Go("home"), Go("home")]
    assert [button.action for button in wording.back_home("menu")] == [Go("menu"), Go("home")]

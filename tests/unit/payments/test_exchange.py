"""The naira rate: its age by its own time, and that what is charged is worth what was asked for."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viralcore.payments.domain.bank import SCALE, OwnAccount, poll_delay
from viralcore.payments.domain.exchange import FxRate, FxReading, due_again, judge, usd_per_unit
from viralcore.payments.domain.judging import value_cents
from viralcore.payments.domain.quotes import base_amount

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LONGEST, AHEAD = timedelta(hours=48), timedelta(seconds=120)
NONE = FxRate("NGN", "stale", None, None, None, NOW)


def reading(hours_old: float, per_usd: int = 1500) -> FxReading:
    return FxReading(Decimal(per_usd), NOW - timedelta(hours=hours_old))


def looked(before: FxRate, what: FxReading | None, now: datetime = NOW) -> FxRate:
    return judge(before, what, now=now, longest=LONGEST, ahead=AHEAD)


def test_a_rate_is_good_until_it_is_too_old_by_its_own_time() -> None:
    rate = looked(NONE, reading(9))
    assert (rate.state, rate.per_usd, rate.good_at) == ("ok", Decimal(1500), NOW)
    later = NOW + timedelta(hours=39)
    assert looked(rate, None, later).state == "ok"
    assert looked(rate, None, later + timedelta(seconds=1)).state == "stale"
    assert not rate.usable(later + timedelta(seconds=1), LONGEST)


@pytest.mark.parametrize("hours", [48.01, 100, -0.1])
def test_what_is_too_old_or_from_the_future_is_no_answer(hours: float) -> None:
    assert looked(NONE, reading(hours)).per_usd is None
    rate = looked(NONE, reading(1))
    assert looked(rate, reading(hours, 9)).per_usd == Decimal(1500)


def test_a_source_that_lags_does_not_take_us_back() -> None:
    rate = looked(NONE, reading(1, 1500))
    assert looked(rate, reading(20, 1400)).per_usd == Decimal(1500)
    assert looked(rate, reading(1, 1501)).per_usd == Decimal(1501)


def test_a_clock_that_was_ahead_does_not_keep_a_rate_for_ever() -> None:
    ahead = FxRate("NGN", "ok", Decimal(9), NOW + timedelta(days=300), NOW + timedelta(days=300), NOW)
    assert looked(ahead, reading(1)).per_usd == Decimal(1500)


def test_asked_seldom_while_it_answers_and_often_while_it_does_not() -> None:
    fetch, retry = timedelta(hours=1), timedelta(minutes=10)

    def due(rate: FxRate | None, minutes: float) -> bool:
        return due_again(rate, now=NOW + timedelta(minutes=minutes), fetch=fetch, retry=retry)

    good = looked(NONE, reading(1))
    assert due(None, 0)
    assert not due(good, 59)
    assert due(good, 60)
    silent = looked(good, None, NOW + timedelta(hours=1))
    assert not due(silent, 69)
    assert due(silent, 70)
    assert due(good, -1)  # the clock was turned back


def test_a_month_of_looks_fits_into_a_free_key() -> None:
    """1,500 requests; as many again are left for restarts and failures."""
    told = tomllib.loads((Path(__file__).parents[3] / "settings/payments.toml").read_text())["fx"]
    assert 31 * 86400 // told["fetch_seconds"] <= 750


@given(
    cents=st.integers(1, 10**9),
    per_usd=st.decimals("0.0001", "99999", places=6),
    spread=st.decimals("0", "500", places=2),
)
def test_the_kobo_asked_for_are_worth_the_cents_and_one_less_is_not_asked(
    cents: int, per_usd: Decimal, spread: Decimal
) -> None:
    rate = usd_per_unit(per_usd, spread)
    kobo = base_amount(cents, rate, SCALE)
    assert value_cents(kobo, decimals=2, rate=rate) >= cents
    exact = cents * (per_usd + spread)  # kobo, as one cent is a hundredth of a dollar and one kobo of a naira
    assert exact <= kobo < exact + 1


def test_a_round_rate_asks_for_a_round_amount() -> None:
    for price in ("1500", "1543.27", "1499.999999", "3"):
        rate = usd_per_unit(Decimal(price), Decimal(100))
        exact = 1500 * (Decimal(price) + 100)
        assert base_amount(1500, rate, SCALE) == int(exact.to_integral_value(ROUND_CEILING))


def test_polls_double_up_to_the_longest() -> None:
    waits = [poll_delay(n, first_seconds=30, longest_seconds=3600) for n in range(10)]
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert poll_delay(10**6, first_seconds=30, longest_seconds=3600) == 3600


def test_the_shops_account_is_kept_as_it_was_shown() -> None:
    own = OwnAccount("0123456789", "GTBank", "Viral Ltd")
    assert OwnAccount.unpacked(own.packed()) == own
    assert OwnAccount.unpacked("0123456789") == OwnAccount("0123456789", "", "")

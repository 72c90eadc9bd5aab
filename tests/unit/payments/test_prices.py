"""When a price may be used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from viralcore.payments.domain.prices import Limits, Price, PriceState, Reading, judge

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LIMITS = Limits(Decimal("0.03"), Decimal("0.98"), Decimal("1.02"), timedelta(seconds=1800))
NEW = Price("BNB", "stale", None, None)


def coin(first: str | None, second: str | None, before: Price = NEW, at: datetime = NOW) -> Price:
    reading = Reading(Decimal(first) if first else None, Decimal(second) if second else None)
    return judge(before, reading, stable=False, now=at, limits=LIMITS)


def peg(first: str | None, before: Price = NEW, at: datetime = NOW) -> Price:
    return judge(before, Reading(Decimal(first) if first else None, None), stable=True, now=at, limits=LIMITS)


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [
        ("600", "600", "ok"),
        ("600", "617.9", "ok"),
        ("600", "618.1", "diverged"),
        ("618.1", "600", "diverged"),
        ("600", "6", "diverged"),
        ("600", None, "stale"),
        (None, "600", "stale"),
        (None, None, "stale"),
    ],
)
def test_two_sources_must_agree(first: str | None, second: str | None, state: PriceState) -> None:
    price = coin(first, second)
    assert price.state == state
    assert price.usable(NOW, LIMITS.last_good) is (state == "ok")


def test_disagreement_stops_at_once_and_agreement_brings_back() -> None:
    good = coin("600", "600")
    stopped = coin("600", "700", good, NOW + timedelta(seconds=300))
    assert (stopped.state, stopped.usd) == ("diverged", Decimal(600))
    assert not stopped.usable(NOW + timedelta(seconds=300), LIMITS.last_good)
    still = coin(None, None, stopped, NOW + timedelta(seconds=330))
    assert still.state == "diverged"
    assert coin("610", "610", still, NOW + timedelta(seconds=360)).usd == Decimal(610)


def test_the_last_good_price_is_used_for_half_an_hour_and_not_a_second_longer() -> None:
    good = coin("600", "600")
    edge = NOW + timedelta(seconds=1800)
    assert coin(None, "600", good, edge).state == "ok"
    assert good.usable(edge, LIMITS.last_good)
    later = edge + timedelta(seconds=1)
    assert not good.usable(later, LIMITS.last_good)
    assert coin(None, "600", good, later).state == "stale"


@pytest.mark.parametrize(
    ("first", "state"),
    [("0.98", "ok"), ("1.02", "ok"), ("0.9799", "depegged"), ("1.0201", "depegged"), (None, "stale")],
)
def test_a_dollar_token_counts_as_a_dollar_or_not_at_all(first: str | None, state: PriceState) -> None:
    price = peg(first)
    assert price.state == state
    assert price.usd == (Decimal(1) if state == "ok" else None)

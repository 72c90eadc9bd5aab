"""What an amount is worth, and how long a promise holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.withdrawals import settings
from viralcore.core.money import ngn, usd
from viralcore.withdrawals.api import TooLittle, TooMuch
from viralcore.withdrawals.domain import terms
from viralcore.withdrawals.domain.accounts import identity, number
from viralcore.withdrawals.domain.states import Terms, mask, may, reference

CONFIG = settings()
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RATE = Decimal("1500.5")


def test_the_rate_paid_out() -> None:
    assert terms.payout_rate(RATE, CONFIG.terms) == RATE
    spread = settings(terms={"spread_ngn": "0.50"}).terms
    assert terms.payout_rate(RATE, spread) == Decimal(1500)
    assert terms.payout_rate(Decimal("0.5"), spread) is None
    assert terms.payout_rate(None, spread) is None


def test_worth() -> None:
    assert terms.worth("affiliate", 2001, RATE) == terms.Worth(RATE, 3_002_500, 2001)  # 30025.005 naira, rounded down
    assert terms.worth("reply", 150_051, RATE) == terms.Worth(Decimal(1), 150_051, 101)  # a cent and a bit is two


@given(dollar=st.decimals("0.5", "5000", places=4), cents=st.integers(1, 60_000))
def test_limits_are_exact_at_their_edges(dollar: Decimal, cents: int) -> None:
    low = terms.least("affiliate", dollar, CONFIG.limits)
    assert terms.worth("affiliate", low.minor, dollar).gross >= 100_000
    assert terms.worth("affiliate", low.minor - 1, dollar).gross < 100_000
    high = terms.most("reply", dollar, CONFIG.limits)
    assert terms.worth("reply", max(high.minor, 1), dollar).cents <= 50_000
    assert terms.worth("reply", high.minor + 1, dollar).cents > 50_000
    assert terms.least("reply", dollar, CONFIG.limits) == ngn(1000)
    assert terms.most("affiliate", dollar, CONFIG.limits) == usd(500)


def test_within() -> None:
    terms.require_within("affiliate", 67, Decimal(1500), CONFIG.limits)
    terms.require_within("affiliate", 50_000, Decimal(1500), CONFIG.limits)
    with pytest.raises(TooLittle):
        terms.require_within("affiliate", 66, Decimal(1500), CONFIG.limits)
    with pytest.raises(TooMuch):
        terms.require_within("affiliate", 50_001, Decimal(1500), CONFIG.limits)


@pytest.mark.parametrize(
    ("live", "hours", "source", "why"),
    [
        (Decimal(1545), 0, "affiliate", ""),
        (Decimal(1455), 0, "affiliate", ""),
        (Decimal("1545.01"), 0, "affiliate", "rate"),
        (Decimal("1454.99"), 0, "affiliate", "rate"),
        (Decimal(1), 23, "reply", ""),
        (None, 23, "affiliate", ""),
        (None, 24, "affiliate", "age"),
        (Decimal(1500), 24, "reply", "age"),
    ],
)
def test_outdated(live: Decimal | None, hours: int, source: str, why: str) -> None:
    locked = Terms(Decimal(1500), 3_000_000, 1_075)
    found = terms.outdated(
        source,  # type: ignore[arg-type]
        locked,
        since=NOW - timedelta(hours=hours),
        now=NOW,
        live=live,
        rules=CONFIG.terms,
    )
    assert found == why
    assert locked.net == 2_998_925


def test_abandoned_and_fresh() -> None:
    assert not terms.abandoned(None, NOW, CONFIG.terms)
    assert not terms.abandoned(NOW - timedelta(days=7) + timedelta(seconds=1), NOW, CONFIG.terms)
    assert terms.abandoned(NOW - timedelta(days=7), NOW, CONFIG.terms)
    assert terms.fresh("affiliate", 100, 99, Decimal("0.99")) is None
    assert terms.fresh("affiliate", 100, 98, Decimal("0.99")) == Terms(Decimal("0.99"), 99, 98)


def test_account_numbers() -> None:
    assert number(" 069-000.00 32 ") == "0690000032"
    assert identity("044", "0690000032") != identity("0440", "690000032")
    assert (mask("0032"), reference(12, 3)) == ("******0032", "vc-w12-a3")
    assert may("pending", "approved")
    assert not may("completed", "failed")
    assert not may("pending", "processing")

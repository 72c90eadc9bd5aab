"""What an amount is worth, and how long a promise holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.withdrawals import settings
from viralcore.core.money import Money, ngn, usd
from viralcore.withdrawals.api import BadAccount, TooLittle, TooMuch
from viralcore.withdrawals.domain import terms
from viralcore.withdrawals.domain.accounts import PURPOSE, identity, number
from viralcore.withdrawals.domain.states import ASSETS, Terms, mask, may, reference

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


# --- every edge, from both sides --------------------------------------------------------------------------------------

STATES = ("pending", "approved", "processing", "unconfirmed", "completed", "failed", "rejected", "cancelled")
WAYS = {
    ("pending", "approved"),
    ("pending", "rejected"),
    ("pending", "cancelled"),
    ("approved", "processing"),
    ("approved", "pending"),
    ("processing", "completed"),
    ("processing", "failed"),
    ("processing", "unconfirmed"),
    ("processing", "approved"),
    ("processing", "pending"),
    ("unconfirmed", "completed"),
    ("unconfirmed", "failed"),
    ("unconfirmed", "processing"),
}


def test_every_way_there_is_and_no_other() -> None:
    assert {(one, other) for one in STATES for other in STATES if may(one, other)} == WAYS  # type: ignore[arg-type]


def test_which_money_a_source_is() -> None:
    assert dict(ASSETS) == {"affiliate": "USD", "wallet": "USD", "reply": "NGN"}


def test_what_an_account_number_may_look_like() -> None:
    assert PURPOSE == "withdrawals.account"  # stored fingerprints were made with it
    assert number("0" + " " * 30 + "690000032") == "0690000032"  # 40 characters
    assert identity("044", "0690000032") == "044:0690000032"
    for wrong in ("0" + " " * 31 + "690000032", "069000003", "06900000321", "069000003a", "٠690000032", ""):
        with pytest.raises(BadAccount) as refused:
            number(wrong)
        assert refused.value.fields == {"problem": "digits"}


def test_the_spread_may_leave_a_kobo_but_not_nothing() -> None:
    spread = settings(terms={"spread_ngn": "0.50"}).terms
    assert terms.payout_rate(Decimal("0.51"), spread) == Decimal("0.01")
    assert terms.payout_rate(Decimal("1.50"), spread) == Decimal(1)
    assert terms.payout_rate(Decimal("0.50"), spread) is None


@pytest.mark.parametrize("source", ["affiliate", "wallet"])
def test_dollars_are_worth_what_they_are_paid_out_at(source: str) -> None:
    asked: Any = source
    assert terms.worth(asked, 100, RATE) == terms.Worth(RATE, 150_050, 100)
    assert terms.least(asked, Decimal(1500), CONFIG.limits) == usd("0.67")
    assert terms.most(asked, Decimal(1500), CONFIG.limits) == usd(500)


def test_naira_are_rounded_down_where_they_are_the_most() -> None:
    assert terms.most("reply", Decimal("1500.00001"), CONFIG.limits) == Money(75_000_000, "NGN")
    assert terms.most("reply", Decimal("1499.99999"), CONFIG.limits) == Money(74_999_999, "NGN")
    assert terms.worth("reply", 150_000, Decimal(1500)).cents == 100


def test_refusals_say_the_limit_in_both_moneys() -> None:
    with pytest.raises(TooLittle) as little:
        terms.require_within("affiliate", 66, Decimal(1500), CONFIG.limits)
    assert little.value.fields == {"minimum": ngn(1000), "least": usd("0.67")}
    with pytest.raises(TooMuch) as much:
        terms.require_within("reply", 75_000_001, Decimal(1500), CONFIG.limits)
    assert much.value.fields == {"maximum": usd(500), "most": ngn(750_000)}
    terms.require_within("reply", 75_000_000, Decimal(1500), CONFIG.limits)
    terms.require_within("reply", 100_000, Decimal(1500), CONFIG.limits)


def test_how_far_the_rate_moved() -> None:
    assert terms.drift("affiliate", Decimal(1500), Decimal(1515)) == 1
    assert terms.drift("affiliate", Decimal(1500), Decimal(1470)) == 2
    assert terms.drift("affiliate", Decimal(1500), None) is None
    assert terms.drift("reply", Decimal(1), Decimal(1470)) == 0
    assert terms.drift("reply", Decimal(1), None) == 0


def test_fresh_terms() -> None:
    assert terms.fresh("reply", 5000, 4999, Decimal(1500)) == Terms(Decimal(1), 5000, 4999)
    assert terms.fresh("reply", 5000, 5000, Decimal(1500)) is None
    assert not terms.abandoned(None, NOW + timedelta(days=999), CONFIG.terms)
    assert terms.abandoned(NOW - timedelta(days=8), NOW, CONFIG.terms) is True

"""What a purchase pays, how a change meets a balance, and whose link it was."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viralcore.referrals import domain

cents = st.integers(0, 10**9)
TEN = Decimal(10)


@pytest.mark.parametrize(
    ("payload", "referrer"),
    [
        ("ref_1", 1),
        ("ref_9007199254740991", 9007199254740991),
        ("ref_0", None),
        ("ref_01", None),
        ("ref_", None),
        ("ref_-1", None),
        ("ref_1 ", None),
        ("ref_1\n", None),
        ("REF_1", None),
        ("ref_١", None),
        ("ref_" + "9" * 17, None),
        ("stray_4", None),
        ("", None),
        (None, None),
    ],
)
def test_only_a_whole_number_of_somebody_is_a_referral(payload: str | None, referrer: int | None) -> None:
    assert domain.referrer_in(payload) == referrer


@pytest.mark.parametrize(
    ("paid", "returned", "percent", "due"),
    [
        (1500, 0, TEN, 150),
        (1509, 0, TEN, 150),
        (9, 0, TEN, 0),
        (1500, 1500, TEN, 0),
        (1500, 1, TEN, 149),
        (1500, 1501, TEN, 0),
        (999, 0, Decimal("12.5"), 124),
        (999, 0, Decimal(0), 0),
        (0, 0, TEN, 0),
    ],
)
def test_commission_is_rounded_down_to_the_cent(paid: int, returned: int, percent: Decimal, due: int) -> None:
    assert domain.due(paid=paid, returned=returned, percent=percent) == due


@given(paid=cents, returned=cents, percent=st.decimals(0, 50, places=2))
def test_what_is_due_never_exceeds_the_percentage_of_what_was_kept(paid: int, returned: int, percent: Decimal) -> None:
    due = domain.due(paid=paid, returned=returned, percent=percent)
    assert 0 <= due * 100 <= max(paid - returned, 0) * percent


@pytest.mark.parametrize(
    ("refunded", "paid", "total", "counts"),
    [(300, 1500, 1500, 300), (300, 750, 1500, 150), (1, 1, 1500, 1), (300, 0, 1500, 0), (301, 750, 1500, 151)],
)
def test_a_refund_counts_by_the_share_that_had_paid_commission(
    refunded: int, paid: int, total: int, counts: int
) -> None:
    assert domain.commissionable(refunded=refunded, paid=paid, total=total) == counts


@given(amount=st.integers(-(10**9), 10**9), available=st.integers(-100, 10**9), owed=cents)
def test_a_change_goes_to_the_balance_or_to_what_is_owed_and_nowhere_else(
    amount: int, available: int, owed: int
) -> None:
    made = domain.change(amount, available=available, owed=owed)
    assert made.cents == amount == made.to_balance - made.receivable
    assert owed + made.receivable >= 0
    assert amount >= 0 or 0 >= made.to_balance >= -max(available, 0)
    assert (made.to_balance >= 0) == (amount >= 0) or made.to_balance == 0


def test_the_months_end_with_this_one() -> None:
    assert domain.months(date(2026, 2, 28), 3) == [date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1)]
    assert len(domain.months(date(2026, 12, 31), 12)) == 12

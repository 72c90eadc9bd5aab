"""Whose money it is and what it settles."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viralcore.payments.api import InvoiceState
from viralcore.payments.domain.chain import Incoming
from viralcore.payments.domain.judging import (
    Ask,
    Part,
    explain,
    is_near,
    near_range,
    settle,
    value_cents,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TEN = Decimal("0.10")


def ask(invoice: int, amount: int, *, user: int = 0, created: datetime = NOW, asset: str = "USDT") -> Ask:
    return Ask(invoice * 10, invoice, user or invoice, asset, amount, created, created)


def explained(
    amount: int,
    asks: list[Ask],
    *,
    pasted_by: Collection[int] = (),
    parts: tuple[tuple[int, int], ...] = (),
    at: datetime = NOW,
) -> list[tuple[int, int | None, bool, str]]:
    coming = Incoming("USDT", min((position for position, _ in parts), default=3), amount, parts or ((3, amount),))
    found = explain(
        coming,
        asks=asks,
        claimants=set(pasted_by),
        block_time=at,
        early=timedelta(seconds=60),
        early_inexact=timedelta(seconds=5),
        window=TEN,
    )
    return [(part.amount, part.ask.invoice_id if part.ask else None, part.exact, part.reason) for part in found]


def test_an_exact_amount_belongs_to_its_invoice_whoever_pastes_it() -> None:
    assert explained(1000, [ask(1, 1000), ask(2, 1001)], pasted_by=[2]) == [(1000, 1, True, "")]


def test_an_inexact_amount_needs_a_paster() -> None:
    assert explained(990, [ask(1, 1000)]) == [(990, None, False, "unclaimed")]
    assert explained(990, [ask(1, 1000)], pasted_by=[1]) == [(990, 1, False, "")]


def test_a_stranger_cannot_claim_an_inexact_amount() -> None:
    assert explained(990, [ask(1, 1000)], pasted_by=[9]) == [(990, None, False, "ambiguous")]


def test_two_invoices_near_an_inexact_amount_are_ambiguous_even_for_a_paster() -> None:
    assert explained(990, [ask(1, 1000), ask(2, 1050)], pasted_by=[1]) == [(990, None, False, "ambiguous")]


def test_two_quotes_of_one_invoice_are_one_invoice() -> None:
    assert explained(990, [ask(1, 1000), ask(1, 1001)], pasted_by=[1]) == [(990, 1, False, "")]


def test_far_from_every_invoice_is_nobodys() -> None:
    assert explained(500, [ask(1, 1000)], pasted_by=[1]) == [(500, None, False, "no_invoice")]


def test_another_assets_amount_explains_nothing() -> None:
    assert explained(1000, [ask(1, 1000, asset="BNB")], pasted_by=[1]) == [(1000, None, False, "no_invoice")]


def test_an_old_transaction_does_not_pay_a_newer_invoice() -> None:
    young = ask(1, 1000, created=NOW + timedelta(seconds=61))
    assert explained(1000, [young], pasted_by=[1]) == [(1000, None, False, "too_old")]
    just = ask(1, 1000, created=NOW + timedelta(seconds=60))
    assert explained(1000, [just]) == [(1000, 1, True, "")]


def test_an_invoice_opened_on_seeing_strange_money_does_not_get_it() -> None:
    quick = ask(1, 1000, created=NOW + timedelta(seconds=6))
    assert explained(990, [quick], pasted_by=[1]) == [(990, None, False, "too_old")]
    same = ask(1, 1000, created=NOW + timedelta(seconds=5))
    assert explained(990, [same], pasted_by=[1]) == [(990, 1, False, "")]


def test_two_people_paid_by_one_transaction_are_both_found() -> None:
    asks = [ask(1, 1000), ask(2, 2000)]
    assert explained(3000, asks, parts=((4, 1000), (5, 2000))) == [(1000, 1, True, ""), (2000, 2, True, "")]


def test_the_rest_of_a_split_transaction_is_one_part() -> None:
    parts = ((4, 7), (5, 1000), (6, 8))
    assert explained(1015, [ask(1, 1000)], parts=parts) == [(15, None, False, "no_invoice"), (1000, 1, True, "")]


def test_the_whole_is_tried_before_its_parts() -> None:
    assert explained(1000, [ask(1, 1000), ask(2, 400)], parts=((4, 400), (5, 600))) == [(1000, 1, True, "")]


def test_one_amount_twice_in_a_transaction_pays_its_invoice_once_and_nothing_is_lost() -> None:
    found = explained(2000, [ask(1, 1000)], parts=((4, 1000), (5, 1000)), pasted_by=[1])
    assert sum(amount for amount, *_ in found) == 2000
    assert [(invoice, exact) for _, invoice, exact, _ in found] == [(1, True), (1, False)]


@given(
    parts=st.lists(st.integers(1, 3000), min_size=1, max_size=6),
    asked=st.lists(st.integers(1, 3000), max_size=6, unique=True),
    pasted=st.sets(st.integers(1, 6)),
)
def test_whatever_arrives_every_unit_of_it_is_in_exactly_one_part(
    parts: list[int], asked: list[int], pasted: set[int]
) -> None:
    placed = tuple(enumerate(parts))
    found: tuple[Part, ...] = explain(
        Incoming("USDT", 0, sum(parts), placed),
        asks=[ask(number, amount) for number, amount in enumerate(asked, start=1)],
        claimants=pasted,
        block_time=NOW,
        early=timedelta(0),
        early_inexact=timedelta(0),
        window=TEN,
    )
    assert sum(part.amount for part in found) == sum(parts)
    assert len({part.position for part in found}) == len(found)
    assert all(part.ask is None or part.exact or part.ask.user_id in pasted for part in found)


@given(st.integers(1, 10**24), st.integers(1, 10**24))
def test_the_range_asked_of_the_database_holds_everything_near(asked: int, amount: int) -> None:
    low, high = near_range(amount, TEN)
    if is_near(asked, amount, TEN):
        assert low <= asked <= high


def test_value_is_exact_integer_arithmetic() -> None:
    assert value_cents(15_001234 * 10**12, decimals=18, rate=Decimal(1)) == 1500
    assert value_cents(245_0000 * 10**10, decimals=18, rate=Decimal("612.34")) == 1500
    assert value_cents(10**60, decimals=18, rate=Decimal("0.12345678")) == 12345678 * 10**36
    assert value_cents(9 * 10**15, decimals=18, rate=Decimal(1)) == 0


def settled(
    value: int,
    *,
    due: int = 1500,
    tolerance: str = "0.005",
    state: InvoiceState = "open",
    on_time: bool = True,
    exact: bool = False,
    topup: bool = False,
    part: bool = True,
) -> tuple[str, bool, int, int]:
    verdict = settle(
        value=value,
        due=due,
        tolerance=Decimal(tolerance),
        state=state,
        on_time=on_time,
        exact=exact,
        topup=topup,
        wallet_part_there=part,
    )
    return verdict.outcome, verdict.fulfils, verdict.forgiven, verdict.to_wallet


def test_exact_money_fulfils() -> None:
    assert settled(1500, exact=True) == ("exact", True, 0, 0)


def test_rounding_of_an_exact_amount_stays_in_the_wallet() -> None:
    assert settled(1506, exact=True) == ("exact", True, 0, 6)


def test_a_shortfall_within_tolerance_is_forgiven() -> None:
    assert settled(1493) == ("tolerated", True, 7, 0)


def test_a_larger_shortfall_goes_to_the_wallet() -> None:
    assert settled(1492) == ("shortfall", False, 0, 1492)


def test_anything_over_goes_to_the_wallet() -> None:
    assert settled(1600) == ("excess", True, 0, 100)


def test_late_money_fulfils_only_what_it_still_covers() -> None:
    assert settled(1500, on_time=False, exact=True, state="expired") == ("late", True, 0, 0)
    assert settled(1400, on_time=False, exact=True, state="expired") == ("late", False, 0, 1400)


@pytest.mark.parametrize(("state", "outcome"), [("paid", "excess"), ("cancelled", "late")])
def test_a_closed_invoice_takes_nothing(state: InvoiceState, outcome: str) -> None:
    assert settled(1500, state=state, exact=True) == (outcome, False, 0, 1500)


def test_a_rest_whose_wallet_part_was_spent_is_only_a_deposit() -> None:
    assert settled(500, due=500, exact=True, part=False) == ("shortfall", False, 0, 500)


def test_any_amount_fulfils_a_topup_and_nothing_is_forgiven() -> None:
    assert settled(100, topup=True) == ("shortfall", True, 0, 100)
    assert settled(1500, topup=True, exact=True) == ("exact", True, 0, 1500)


@given(value=st.integers(0, 10**6), due=st.integers(1, 10**6), on_time=st.booleans(), topup=st.booleans())
def test_what_is_forgiven_never_exceeds_the_tolerance(value: int, due: int, on_time: bool, topup: bool) -> None:
    _, fulfils, forgiven, to_wallet = settled(value, due=due, on_time=on_time, topup=topup)
    assert 0 <= forgiven <= due * 5 // 1000
    assert forgiven == 0 or fulfils
    assert 0 <= to_wallet <= value
    if fulfils and not topup:
        assert value + forgiven - to_wallet == due

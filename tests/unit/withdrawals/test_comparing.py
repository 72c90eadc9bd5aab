"""The rules of comparing, at their edges."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from viralcore.core.money import Money, ngn, usd
from viralcore.withdrawals.api import TransferView
from viralcore.withdrawals.domain.comparing import (
    Difference,
    Theirs,
    acts,
    balance_difference,
    cents,
    compare,
    standing,
)

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SETTLE = timedelta(hours=1)
OLD = NOW - timedelta(hours=2)


def ours(state: str = "succeeded", **more: Any) -> TransferView:
    fields: dict[str, Any] = {
        "id": 1,
        "withdrawal_id": 7,
        "n": 1,
        "reference": "vc-w7-a1",
        "state": state,
        "provider_id": "9",
        "net": ngn(100),
        "fee": None,
        "sent_at": OLD,
        "ended_at": None,
    }
    return TransferView(**fields | more)


def theirs(status: str = "successful", **more: Any) -> Theirs:
    fields: dict[str, Any] = {
        "id": "9",
        "reference": "vc-w7-a1",
        "status": status,
        "amount": ngn(100),
        "last4": "6789",
        "at": OLD,
    }
    return Theirs(**fields | more)


def kinds(mine: list[TransferView], listed: list[Theirs]) -> list[str]:
    return [one.kind for one in compare(mine, listed, now=NOW, settle=SETTLE)]


@pytest.mark.parametrize(
    ("state", "status", "agrees"),
    [
        ("succeeded", "successful", True),
        ("succeeded", "failed", False),
        ("succeeded", "pending", False),
        ("failed", "failed", True),
        ("failed", "successful", False),
        ("failed", "pending", False),
        ("accepted", "new", True),
        ("accepted", "pending", True),
        ("accepted", "failed", False),
        ("unknown", "pending", True),
        ("unknown", "successful", False),
        ("sending", "new", True),
    ],
)
def test_states(state: str, status: str, agrees: bool) -> None:
    assert kinds([ours(state)], [theirs(status)]) == ([] if agrees else ["status"])


@pytest.mark.parametrize(
    ("state", "found"),
    [("accepted", ["missing"]), ("succeeded", ["missing"]), ("unknown", []), ("sending", []), ("failed", [])],
)
def test_not_in_their_list(state: str, found: list[str]) -> None:
    assert kinds([ours(state)], []) == found


def test_what_is_younger_is_on_its_way() -> None:
    just = NOW - SETTLE + timedelta(seconds=1)
    assert kinds([ours(sent_at=just)], []) == []
    assert kinds([ours(sent_at=NOW - SETTLE)], []) == ["missing"]
    assert kinds([], [theirs(at=just)]) == []
    assert kinds([], [theirs(at=NOW - SETTLE)]) == ["extra"]
    assert kinds([], [theirs(at=None)]) == ["extra"]
    assert kinds([ours(sent_at=None)], [theirs()]) == []  # stored, and not sent: its record may be a moment old


def test_amounts_and_doubles() -> None:
    assert kinds([ours()], [theirs(amount=ngn("100.01"))]) == ["amount"]
    assert kinds([ours()], [theirs(amount=Money(10_000, "USD"))]) == ["amount"]
    assert kinds([ours()], [theirs(), theirs(id="10"), theirs(id="11")]) == ["twice", "twice"]
    assert kinds([ours()], [theirs("failed", amount=ngn(1))]) == ["amount", "status"]


@pytest.mark.parametrize(
    ("balance", "found"), [(90_000, False), (89_900, False), (89_897, False), (89_896, True), (500_000, False)]
)
def test_the_balance(balance: int, found: bool) -> None:
    told = balance_difference(
        before=100_000,
        spent_before=5_000,
        balance=balance,
        spent=15_000,
        transfers=3,
        tolerance=Decimal("1.00"),
        today=date(2026, 3, 2),
    )
    assert (told is not None) is found
    if told is not None:
        assert (told.kind, told.ours, told.theirs) == ("balance", 90_000, balance)


def test_what_is_owed_is_rounded_up_and_what_is_held_down() -> None:
    assert (cents(ngn("0.01"), Decimal(1500), up=True), cents(ngn("14.99"), Decimal(1500), up=False)) == (1, 0)
    found = standing({"a": ngn("15.01"), "b": usd(1)}, {"c": ngn("15.01")}, rate=Decimal(1500), cover=Decimal(1))
    assert (found.owed, found.held, found.gap) == ({"a": 2, "b": 100}, {"c": 1}, 101)
    half = standing({"b": usd("1.01")}, {}, rate=Decimal(1500), cover=Decimal("0.5"))
    assert half.gap == 51
    assert standing({"b": usd(1)}, {"c": usd(1)}, rate=Decimal(1500), cover=Decimal(1)).gap == 0


@pytest.mark.parametrize(
    ("gap", "told", "news"),
    [(0, 0, False), (1, 0, True), (100, 100, False), (110, 100, False), (111, 100, True), (0, 100, False)],
)
def test_when_a_gap_is_news(gap: int, told: int, news: bool) -> None:
    assert acts(gap, told, again=Decimal("0.10")) is news


def only(mine: list[TransferView], listed: list[Theirs]) -> Difference:
    (found,) = compare(mine, listed, now=NOW, settle=SETTLE)
    return found


def test_what_a_difference_says() -> None:
    yesterday = NOW - timedelta(days=1)
    extra = only([], [theirs("pending", reference="x", id="3", at=yesterday, amount=Money(7, "USD"))])
    assert extra == Difference("extra", "x", "3", None, "", 7, "USD", "pending", "6789", yesterday.date())
    missing = only([ours(sent_at=yesterday)], [])
    assert missing == Difference("missing", "vc-w7-a1", "", 10_000, "succeeded", None, "NGN", "", "", yesterday.date())
    wrong = only([ours(sent_at=OLD)], [theirs("failed", at=yesterday)])
    assert wrong == Difference(
        "status", "vc-w7-a1", "9", 10_000, "succeeded", 10_000, "NGN", "failed", "6789", OLD.date()
    )
    assert only([], [theirs(at=None)]).on_day == NOW.date()
    assert wrong.place == ("status", "vc-w7-a1", "9")
    assert wrong.facts == (10_000, "succeeded", 10_000, "NGN", "failed")


def test_one_that_is_too_young_hides_no_other() -> None:
    young = ours(reference="young", sent_at=NOW)
    unsent = ours("sending", reference="unsent", sent_at=None)
    unknown = ours("unknown", reference="unknown")
    assert kinds([young, unsent, unknown, ours()], []) == ["missing"]
    assert kinds([young, ours(reference="b")], [theirs(), theirs(id="2"), theirs(reference="b")]) == ["extra", "extra"]


def test_a_balance_difference_says_what_should_be_there() -> None:
    def look(balance: int, spent: int = 5_000, transfers: int = 0) -> Difference | None:
        return balance_difference(
            before=100_000,
            spent_before=5_000,
            balance=balance,
            spent=spent,
            transfers=transfers,
            tolerance=Decimal("0.50"),
            today=NOW.date(),
        )

    assert look(99_949) == Difference(
        "balance", NOW.date().isoformat(), "", 100_000, "", 99_949, "NGN", "", "", NOW.date()
    )
    assert look(99_950) is None
    assert look(99_949, transfers=1) is None
    assert look(99_949, spent=5_001) is None


def test_dollars_are_dollars_at_any_rate() -> None:
    assert cents(usd("1.01"), Decimal(1500), up=True) == 101
    assert cents(usd("1.01"), Decimal(1500), up=False) == 101
    assert cents(ngn(1500), Decimal(1500), up=True) == 100
    found = standing({"b": usd(1)}, {"c": usd(3)}, rate=Decimal(1500), cover=Decimal(2))
    assert found.gap == 0
    assert standing({"b": usd(2)}, {"c": usd(3)}, rate=Decimal(1500), cover=Decimal(2)).gap == 100
    assert standing({"b": usd("1.01")}, {}, rate=Decimal(1500), cover=Decimal("0.99")).gap == 100

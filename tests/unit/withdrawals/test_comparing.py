"""The rules of comparing, at their edges."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from viralcore.core.money import Money, ngn, usd
from viralcore.withdrawals.api import TransferView
from viralcore.withdrawals.domain.comparing import Theirs, acts, balance_difference, cents, compare, standing

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

"""What a posting must be, checked in code before the database is asked."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from viralcore.ledger import domain
from viralcore.ledger.api import Account, Entry, NewPosting, Unbalanced, house_account, user_account
from viralcore.ledger.repository import plain, wire

WALLET = user_account(7, "wallet")
CREDITS = user_account(7, "credits", "t3")
GOOD = NewPosting("k", "deposit", (Entry(WALLET, 100), Entry(house_account("bsc:USDT"), -100)), "money in")


def test_a_balanced_posting_passes() -> None:
    domain.check_posting(GOOD)


def test_several_assets_balance_each_for_itself() -> None:
    entries = (
        Entry(WALLET, -1500),
        Entry(house_account("revenue"), 1500),
        Entry(CREDITS, 10, Decimal("1.50")),
        Entry(house_account("grants", "t3"), -10),
    )
    domain.check_posting(replace(GOOD, kind="purchase", entries=entries))


@pytest.mark.parametrize(
    "entries",
    [
        (),
        (Entry(WALLET, 0), Entry(house_account("fees"), 0)),
        (Entry(WALLET, 100),),
        (Entry(WALLET, 100), Entry(house_account("fees"), -99)),
        (Entry(WALLET, 100), Entry(house_account("fees", "NGN"), -100)),
        (Entry(WALLET, 2**62 + 1), Entry(house_account("fees"), -(2**62) - 1)),
        (Entry(WALLET, True), Entry(house_account("fees"), -1)),
        (Entry(CREDITS, 5), Entry(house_account("grants", "t3"), -5)),
        (Entry(CREDITS, 5, Decimal(-1)), Entry(house_account("grants", "t3"), -5)),
        (Entry(CREDITS, 5, Decimal("NaN")), Entry(house_account("grants", "t3"), -5)),
        (Entry(CREDITS, -5, Decimal(1)), Entry(house_account("grants", "t3"), 5)),
        (Entry(CREDITS, 5, Decimal(1)), Entry(house_account("grants", "t3"), -5, Decimal(1))),
        (Entry(WALLET, 5, Decimal(1)), Entry(house_account("fees"), -5)),
        tuple(Entry(WALLET, (-1) ** n) for n in range(102)),
    ],
)
def test_what_is_not_a_posting_is_refused(entries: tuple[Entry, ...]) -> None:
    with pytest.raises(Unbalanced):
        domain.check_posting(replace(GOOD, entries=entries))


@pytest.mark.parametrize(
    "account",
    [
        Account("user:0", "wallet", "USD"),
        Account("user:-5", "wallet", "USD"),
        Account("user:07", "wallet", "USD"),
        Account("nobody", "wallet", "USD"),
        Account("user:7\n", "wallet", "USD"),
        Account("user:7", "wallet", "NGN"),
        Account("user:7", "reply", "USD"),
        Account("user:7", "credits", "USD"),
        Account("user:7", "wallet", "t3"),
        Account("user:7", "savings", "USD"),
        Account("house", "", "USD"),
        Account("house", "fees", "usdt!"),
        Account("house", "fees; --", "USD"),
    ],
)
def test_accounts_that_cannot_exist(account: Account) -> None:
    assert domain.account_problem(account) is not None


@pytest.mark.parametrize("asset", ["t3", "tgt-15", "custom-7", "slow_push"])
def test_plans_are_assets(asset: str) -> None:
    assert domain.account_problem(user_account(7, "credits", asset)) is None


@pytest.mark.parametrize("change", [{"key": ""}, {"key": "k" * 201}, {"description": ""}, {"kind": "gift"}])
def test_a_posting_has_a_key_a_kind_and_words(change: dict[str, str]) -> None:
    assert domain.posting_problem(replace(GOOD, **change)) is not None  # type: ignore[arg-type]


def test_a_capture_takes_exactly_what_is_held() -> None:
    entries = (Entry(WALLET, -60), Entry(WALLET, -40), Entry(house_account("fx"), 100))
    domain.check_capture("k", WALLET, 100, entries)
    with pytest.raises(Unbalanced):
        domain.check_capture("k", WALLET, 99, entries)


@pytest.mark.parametrize("amount", [0, -1, 2**63])
def test_a_hold_is_of_an_amount(amount: int) -> None:
    with pytest.raises(Unbalanced):
        domain.check_hold("k", WALLET, amount)


def test_the_house_holds_nothing() -> None:
    with pytest.raises(Unbalanced):
        domain.check_hold("k", house_account("fees"), 5)


@pytest.mark.parametrize(
    ("cost", "spelt"),
    [("1.50", "1.5"), ("15E-1", "1.5"), ("0", "0"), ("0.00", "0"), ("100", "100"), ("1E2", "100"), ("0.015", "0.015")],
)
def test_one_price_has_one_spelling(cost: str, spelt: str) -> None:
    assert plain(Decimal(cost)) == spelt
    assert wire([Entry(CREDITS, 1, Decimal(cost))]) == [["user:7", "credits", "t3", 1, spelt]]


def test_out_of_balance_names_the_asset() -> None:
    rows = (("house:revenue", "USD", 5), ("user:wallet", "USD", -5), ("house:fx", "NGN", 1))
    assert domain.out_of_balance(rows) == {"NGN": 1}

"""What a posting must be, checked in code before the database is asked."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from viralcore.ledger import domain
from viralcore.ledger.api import BONUS, Account, Entry, NewPosting, Unbalanced, house_account, user_account
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


# --- every edge, from both sides --------------------------------------------------------------------------------------


GRANT = house_account("grants", "t3")
TAKEN = (Entry(CREDITS, -5), Entry(GRANT, 5))
LOT = "p" * 8


def problem(*entries: Entry, **change: str) -> str | None:
    return domain.posting_problem(replace(GOOD, entries=entries or GOOD.entries, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "good"),
    [
        ({"key": "k"}, True),
        ({"key": "k" * 200}, True),
        ({"key": "k" * 201}, False),
        ({"description": "d"}, True),
        ({"description": "d" * 500}, True),
        ({"description": "d" * 501}, False),
    ],
)
def test_lengths_of_a_posting(change: dict[str, str], good: bool) -> None:
    assert (problem(**change) is None) is good


@pytest.mark.parametrize(("number", "good"), [(2, True), (100, True), (102, False)])
def test_how_many_entries(number: int, good: bool) -> None:
    assert (problem(*(Entry(WALLET, (-1) ** n) for n in range(number))) is None) is good


def test_a_hundred_entries_and_one() -> None:
    half = [Entry(WALLET, 1)] * 50
    assert problem(*half, *[Entry(house_account("fees"), -1)] * 50) is None
    more = problem(*half, Entry(WALLET, 50), *[Entry(house_account("fees"), -2)] * 50)
    assert more == "a posting has 2 to 100 entries"
    assert domain.MOST_POSTINGS == 1000


@pytest.mark.parametrize(("amount", "good"), [(1, True), (2**62, True), (2**62 + 1, False)])
def test_the_largest_amount(amount: int, good: bool) -> None:
    assert (problem(Entry(WALLET, amount), Entry(house_account("bank"), -amount)) is None) is good


@pytest.mark.parametrize(
    ("account", "good"),
    [
        (user_account(7, "wallet", "USD"), True),
        (user_account(7, BONUS, "USD"), True),
        (user_account(7, "affiliate", "USD"), True),
        (user_account(7, "reply", "NGN"), True),
        (user_account(7, BONUS, "NGN"), False),
        (user_account(7, "affiliate", "NGN"), False),
        (user_account(7, "credits", "NGN"), False),
        (user_account(7, "credits", "Not A Plan"), False),
        (house_account("fx", "NGN"), True),
        (house_account("fx", "USD"), True),
        (house_account("grants", "t3"), True),
        (house_account("grants", "Not A Plan"), False),
    ],
)
def test_which_account_is_kept_in_what(account: Account, good: bool) -> None:
    assert (domain.account_problem(account) is None) is good


@pytest.mark.parametrize(("asset", "credit"), [("USD", False), ("NGN", False), ("t3", True), ("T3", False)])
def test_money_is_no_credit(asset: str, credit: bool) -> None:
    assert domain.is_credit(asset) is credit


@pytest.mark.parametrize("cost", ["0", "1", "0.01"])
def test_a_single_credit_may_cost_nothing_or_something(cost: str) -> None:
    assert problem(Entry(CREDITS, 1, Decimal(cost)), Entry(GRANT, -1)) is None
    assert problem(Entry(CREDITS, 1), Entry(GRANT, -1)) == "credits given to a user need the price paid for one"


def test_the_house_s_own_credits_have_no_price() -> None:
    assert problem(Entry(CREDITS, -5), Entry(GRANT, 5)) is None
    assert problem(Entry(CREDITS, -5), Entry(GRANT, 5, Decimal(1))) is not None


@pytest.mark.parametrize(
    ("entries", "good"),
    [
        ((replace(TAKEN[0], lot="l"), TAKEN[1]), True),
        ((replace(TAKEN[0], lot="l" * 200), TAKEN[1]), True),
        ((replace(TAKEN[0], lot="l" * 201), TAKEN[1]), False),
        ((replace(TAKEN[0], lot=""), TAKEN[1]), False),
        ((TAKEN[0], replace(TAKEN[1], lot=LOT)), False),  # the house takes from no lot
        ((Entry(CREDITS, 5, Decimal(1), lot=LOT), Entry(GRANT, -5)), False),  # given, not taken
        ((Entry(CREDITS, 5, Decimal(1)), Entry(GRANT, -5, lot=LOT)), False),
        ((Entry(WALLET, -5, lot=LOT), Entry(house_account("fees"), 5)), False),  # no credits
        ((Entry(CREDITS, -1, lot=LOT), Entry(GRANT, 1)), True),
        ((Entry(CREDITS, -2, lot=LOT), Entry(CREDITS, -3, lot="other"), TAKEN[1]), True),
        ((Entry(CREDITS, -2, lot=LOT), Entry(CREDITS, -3), TAKEN[1]), True),
        ((Entry(CREDITS, -2), Entry(CREDITS, -3), TAKEN[1]), True),
        ((Entry(CREDITS, -2, lot=LOT), Entry(CREDITS, -3, lot=LOT), TAKEN[1]), False),
    ],
)
def test_a_lot_is_named_for_credits_taken_from_a_user_and_once(entries: tuple[Entry, ...], good: bool) -> None:
    assert (problem(*entries) is None) is good


def test_an_account_that_cannot_exist_is_not_posted_to() -> None:
    said = problem(Entry(Account("user:7", "savings", "USD"), 100), Entry(house_account("bank"), -100))
    assert said == "no user account is called 'savings' in USD"


def test_by_how_much_it_is_off() -> None:
    assert problem(Entry(WALLET, 100), Entry(house_account("bank"), -99)) == "it is off by {'USD': 1}"
    three = (Entry(WALLET, 100), Entry(WALLET, 20), Entry(house_account("bank"), -120))
    assert problem(*three) is None


@pytest.mark.parametrize(
    ("key", "amount", "good"),
    [
        ("k", 1, True),
        ("k" * 200, 2**62, True),
        ("k" * 201, 1, False),
        ("", 1, False),
        ("k", 0, False),
        ("k", 2**62 + 1, False),
        ("k", "5", False),
    ],
)
def test_holds_at_their_edges(key: str, amount: int, good: bool) -> None:
    if good:
        domain.check_hold(key, WALLET, amount)
    else:
        with pytest.raises(Unbalanced):
            domain.check_hold(key, WALLET, amount)


def test_nothing_is_held_on_an_account_that_cannot_exist() -> None:
    with pytest.raises(Unbalanced, match="savings") as refused:
        domain.check_hold("k", Account("user:7", "savings", "USD"), 5)
    assert refused.value.fields["key"] == "k"


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ((Entry(WALLET, True), Entry(house_account("fees"), -1)), "an amount is not an integer"),
        ((Entry(WALLET, 0), Entry(house_account("fees"), 0)), "an amount is zero or beyond reason"),
        (
            (Entry(WALLET, 5, Decimal(1)), Entry(house_account("fees"), -5)),
            "a unit cost belongs to credits given to a user, and only there",
        ),
        (
            (Entry(CREDITS, 1, Decimal(1), lot="a"), Entry(GRANT, -1)),
            "a lot is named for credits taken from a user, and only there",
        ),
        ((Entry(CREDITS, -1, lot="a"), Entry(CREDITS, -1, lot="a"), Entry(GRANT, 2)), "a lot is named twice"),
        ((Entry(WALLET, 100),), "a posting has 2 to 100 entries"),
    ],
)
def test_the_programmer_reads_which_posting_and_why(entries: tuple[Entry, ...], said: str) -> None:
    with pytest.raises(Unbalanced) as refused:
        domain.check_posting(replace(GOOD, entries=entries))
    assert refused.value.fields == {"key": "k", "problem": said}


def test_a_posting_without_words_is_told_so() -> None:
    assert problem(description="") == "the key or the description is empty or too long"


@pytest.mark.parametrize(
    ("key", "account", "amount", "said"),
    [
        ("k", house_account("fees"), 5, "the house does not hold money against itself"),
        ("k", WALLET, 0, "a hold is of an amount above zero"),
        ("", WALLET, 5, "the key is empty or too long"),
    ],
)
def test_the_programmer_reads_why_nothing_is_held(key: str, account: Account, amount: int, said: str) -> None:
    with pytest.raises(Unbalanced) as refused:
        domain.check_hold(key, account, amount)
    assert refused.value.fields == {"key": key, "problem": said}


def test_a_capture_says_what_is_held_and_what_is_taken() -> None:
    with pytest.raises(Unbalanced) as refused:
        domain.check_capture("k", WALLET, 99, (Entry(WALLET, -100), Entry(house_account("fx"), 100)))
    assert refused.value.fields == {"key": "k", "problem": "the hold is of 99, the entries take 100"}

"""Finding a bank by what people type, in the list as it was recorded and in one with everything that is odd."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.withdrawals.payout_settings import BANKS
from viralcore.withdrawals.domain.banks import Bank, BankIndex, core, plain

FIXTURES = Path(__file__).parents[2] / "fixtures" / "flutterwave"


def read(name: str) -> list[Bank]:
    rows = json.loads((FIXTURES / f"{name}.json").read_text())["data"]
    return [Bank(row["id"], row["code"], row["name"]) for row in rows]


LIVE = read("banks_ng_200_live_excerpt")
MORE = [
    Bank(9, "058", "GTBank Plc"),
    Bank(16, "057", "Zenith Bank"),
    Bank(7, "070", "Fidelity Bank"),
    Bank(1901, "090401", "Accessible MFB"),
    Bank(1902, "090402", "Zenith Rural Microfinance Bank"),
    Bank(1903, "090403", "Kudazu MFB"),
]
INDEX = BankIndex([*LIVE, *MORE], BANKS)


def first(text: str) -> str:
    found = INDEX.search(text, 8)
    return found[0].name if found else ""


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("gtb", "GTBank Plc"),
        ("GTBank", "GTBank Plc"),
        ("guaranty", "GTBank Plc"),
        ("Guaranty Trust Bank", "GTBank Plc"),
        ("opay", "Opay"),
        ("paycom", "Opay"),
        ("O-Pay", "Opay"),
        ("kuda", "Kuda"),
        ("Kuda Microfinance Bank", "Kuda"),
        ("kuda mfb", "Kuda"),
        ("access", "Access Bank"),
        ("uba", "United Bank for Africa"),
        ("fcmb", "First City Monument Bank"),
        ("first bank of nigeria", "First Bank PLC"),
        ("palm pay", "PALMPAY"),
        ("moniepoint", "Moniepoint Microfinance Bank"),
        ("zenith", "Zenith Bank"),
        ("044", "Access Bank"),
        ("stanbic", "Stanbic IBTC Bank"),
        # misspelt
        ("acces bnk", "Access Bank"),
        ("zenth", "Zenith Bank"),
        ("moneypoint", "Moniepoint Microfinance Bank"),
        ("guarantee trust", "GTBank Plc"),
        ("fidelty", "Fidelity Bank"),
        ("pampay", "PALMPAY"),
        ("sterlin", "Sterling Bank PLC"),
        ("Küda", "Kuda"),
    ],
)
def test_what_people_type(typed: str, name: str) -> None:
    assert first(typed) == name


@pytest.mark.parametrize("typed", ["", "  ", "???", "qqqqqqq", "日本", "x" * 5000, "0690000031"])
def test_nothing_is_called_that(typed: str) -> None:
    assert INDEX.search(typed, 8) == ()


def test_only_so_many_and_better_first() -> None:
    found = INDEX.search("bank", 5)
    assert len(found) == 5
    assert [bank.name for bank in INDEX.search("zenith", 8)] == ["Zenith Bank", "Zenith Rural Microfinance Bank"]


def test_codes_are_sent_without_blanks() -> None:
    macrod = INDEX.get(2055)
    assert macrod is not None
    assert macrod.code == "090603"
    assert INDEX.search("macrod", 8)[0].code == "090603"


def test_a_house_that_stands_twice_is_offered_once_but_known_by_both_ids() -> None:
    assert [bank.id for bank in INDEX.search("island", 8)] == [2041]
    assert [bank.code for bank in INDEX.search("waya", 8)] == ["090590"]
    assert INDEX.get(2037) is not None
    assert INDEX.get(2041) is not None


def test_two_names_under_one_code_both_lead_to_it() -> None:
    assert [(bank.id, bank.code) for bank in INDEX.search("carbon", 8)] == [(1158, "100026")]
    assert [(bank.id, bank.code) for bank in INDEX.search("one finance", 8)] == [(818, "100026")]


def test_the_old_code_of_opay_is_not_offered_but_still_known() -> None:
    assert [bank.code for bank in INDEX.search("paycom", 8)] == ["100004"]
    assert INDEX.search("305", 8) == ()
    assert INDEX.get(784) == Bank(784, "305", "Paycom")


def test_a_row_without_a_code_that_can_be_sent_is_left_out() -> None:
    index = BankIndex([Bank(1, "044", "Access Bank"), Bank(2, "Access Bank", "Second"), Bank(3, "", "Third")], BANKS)
    assert (len(index), index.get(2), index.get(3)) == (1, None, None)


def test_only_old_codes_are_better_than_none() -> None:
    assert BankIndex([Bank(784, "305", "Paycom")], BANKS).search("paycom", 8)[0].id == 784


def test_names_are_compared_plainly() -> None:
    assert plain("  ÌLÚ  Micro-Finance Bank (Nig.) Ltd") == "ilu mfb"
    assert plain("Bank of the") == "bank"
    assert plain("The Ltd") == "the ltd"


# --- every step of it -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["plc", "ltd", "limited", "of", "nigeria", "nig", "the", "and", "nigerian"])
def test_words_that_say_nothing(word: str) -> None:
    assert plain(f"Foo {word.upper()} Bar") == "foo bar"


@pytest.mark.parametrize(
    ("name", "compared", "house"),
    [
        ("Foo Microfinance Bank", "foo mfb", "foo"),
        ("Foo Micro Finance Bnk", "foo mfb", "foo"),
        ("Foo MF Bank", "foo mfb", "foo"),
        ("Foo Microfinance", "foo mfb", "foo"),
        ("Foo Payment Services Bank", "foo psb", "foo"),
        ("Foo Payment Service Bank", "foo psb", "foo"),
        ("Foo Mortgage Bank", "foo mortgage", "foo"),
        ("Foo Bank", "foo bank", "foo"),
        ("Bank", "bank", "bank"),
        ("Foo & Söhne", "foo sohne", "foo sohne"),
    ],
)
def test_what_kind_of_house_it_is_does_not_count(name: str, compared: str, house: str) -> None:
    assert (plain(name), core(plain(name))) == (compared, house)


def ids(text: str, *rows: Bank, limit: int = 8) -> list[int]:
    return [bank.id for bank in BankIndex(rows, BANKS).search(text, limit)]


def test_the_better_it_fits_the_earlier_it_comes() -> None:
    rows = (
        Bank(1, "001", "Xalphay"),  # inside
        Bank(2, "002", "Beta Alphas"),  # a word begins so
        Bank(3, "003", "Alphabet House"),  # it begins so
        Bank(4, "004", "Alpha Bank"),  # it is that
        Bank(5, "005", "Something Else"),
    )
    assert ids("alpha", *rows) == [4, 3, 2, 1]
    assert ids("alpha", *rows, limit=1) == [4]
    assert ids("alpha mfb", *rows) == [4]
    assert ids("else some", *rows) == [5]
    assert ids("else none", *rows) == []


def test_what_people_call_it_comes_after_what_it_is_called() -> None:
    rows = (Bank(1, "001", "Guaranty Trust Bank"), Bank(2, "002", "GTB House"), Bank(3, "003", "GTB"))
    assert ids("gtb", *rows)[0] == 3


def test_equal_ones_come_old_banks_first_then_short_then_by_name() -> None:
    rows = (
        Bank(1, "00001", "Alpha A"),
        Bank(2, "0002", "Alpha B"),
        Bank(3, "003", "Alpha Long Name"),
        Bank(4, "004", "Alpha D"),
        Bank(5, "005", "Alpha C"),
        Bank(6, "006", "Alpha C"),
    )
    assert ids("alph", *rows) == [5, 6, 4, 3, 1, 2]


def test_two_letters_are_not_looked_for_inside() -> None:
    assert ids("xy", Bank(1, "001", "Foxyzzzz House Of Many Words")) == []
    assert ids("oxy", Bank(1, "001", "Foxyzzzz House Of Many Words")) == [1]
    assert ids("zho", Bank(1, "001", "Foxyzzzz House Of Many Words")) == [1]  # across a blank


@pytest.mark.parametrize(
    ("code", "taken"), [("044", True), ("AB1", True), ("04-4", False), ("٠٤٤", False), (" ", False)]
)
def test_what_can_be_sent_as_a_code(code: str, taken: bool) -> None:
    assert (len(BankIndex([Bank(1, code, "Access Bank")], BANKS)) == 1) is taken


@pytest.mark.parametrize(
    ("first_name", "second_name", "kept"),
    [
        ("ALPHA", "Alpha", 2),
        ("Alpha", "ALPHA", 1),
        ("Alpha", "Alpha Bank", 1),
        ("ALPHA", "ALPHA BANK", 1),
    ],
)
def test_of_two_rows_of_one_house_the_better_spelt_is_offered(first_name: str, second_name: str, kept: int) -> None:
    assert ids("alpha", Bank(1, "001", first_name), Bank(2, "001", second_name)) == [kept]


def test_the_same_name_under_another_code_is_another_house() -> None:
    assert ids("alpha", Bank(1, "001", "Alpha"), Bank(2, "002", "Alpha")) == [1, 2]


def test_a_code_that_was_given_up_is_offered_only_where_there_is_no_other() -> None:
    old = BANKS.old_codes[0]
    rows = (Bank(1, old, "Alpha"), Bank(2, "001", "Alpha Two"))
    assert ids("alpha", *rows) == [2]
    assert ids(old, *rows) == []
    assert ids("alpha", rows[0]) == [1]


def test_misspelt_the_most_alike_come_first() -> None:
    rows = (Bank(3, "003", "Alphonso House"), Bank(2, "002", "Alphabeta"), Bank(1, "001", "Alphabeta"))
    assert ids("alphabetta", *rows)[:2] == [1, 2]
    assert ids("alphabetta", *rows, limit=1) == [1]
    assert ids("zzzz", *rows) == []

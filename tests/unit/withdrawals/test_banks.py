"""Finding a bank by what people type, in the list as it was recorded and in one with everything that is odd."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.withdrawals.payout_settings import BANKS
from viralcore.withdrawals.domain.banks import Bank, BankIndex, plain

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

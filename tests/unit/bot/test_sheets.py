"""Lists as files: no cell that somebody named themselves is a formula."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viralcore.core.spreadsheets import as_csv, safe

ATTACKS = [
    '=HYPERLINK("http://evil","click")',
    "+1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1",
    " =1+1",
    "\u00a0=1+1",
    "\u200b=1+1",
    "\uff1d1+1",
    "|calc",
    "%0A=1",
    "-",
    "--1",
    "-1-1",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_formula_is_text(attack: str) -> None:
    assert safe(attack) == f"'{attack}"


@pytest.mark.parametrize("fine", ["Ada", "", "-150.50", "0", "7350.00", "2001", "O'Neil", "a=b", "2026-11-25 14:05"])
def test_everything_else_is_as_it_was(fine: str) -> None:
    assert safe(fine) == fine


@given(st.lists(st.lists(st.text(max_size=30), min_size=1, max_size=4), max_size=4))
def test_a_sheet_reads_back_and_holds_no_formula(rows: list[list[str]]) -> None:
    written = as_csv(rows)
    assert written.startswith(b"\xef\xbb\xbf")
    read = list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline="")))
    assert read == [[safe(cell) for cell in row] for row in rows]
    for cell in (cell for row in read for cell in row):
        assert cell[:1] not in "=+@\t\r\n" or cell == ""

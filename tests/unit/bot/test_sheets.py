"""Lists as files: no cell that somebody named themselves is a formula."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viralcore.core.spreadsheets import Cell, as_csv, as_xlsx, safe

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


# --- workbooks --------------------------------------------------------------------------------------------------------

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
HEAD = ["id", "name", "paid_ngn", "last_paid_utc"]
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def parts_of(book: bytes) -> dict[str, ElementTree.Element]:
    with zipfile.ZipFile(io.BytesIO(book)) as opened:
        assert opened.testzip() is None
        return {name: ElementTree.fromstring(opened.read(name)) for name in opened.namelist() if name.endswith(".xml")}


def cells(book: bytes) -> dict[str, tuple[str, str]]:
    """(type, value) by place; s: a text, n: a number."""
    parts = parts_of(book)
    shared = parts.get("xl/sharedStrings.xml")
    texts = [] if shared is None else ["".join(one.itertext()) for one in shared.iter(f"{MAIN}si")]
    sheet, found = parts["xl/worksheets/sheet1.xml"], {}
    assert not list(sheet.iter(f"{MAIN}f")), "a formula"
    for cell in sheet.iter(f"{MAIN}c"):
        value = "".join(one.text or "" for one in cell.iter(f"{MAIN}v"))
        kind = cell.get("t", "n")
        found[cell.attrib["r"]] = (kind, texts[int(value)] if kind == "s" else value)
    return found


def test_a_workbook_has_numbers_moments_and_a_head_that_stays() -> None:
    rows: list[list[Cell]] = [
        list(HEAD),
        [2001, "Ada", Decimal("1234567.89"), AT],
        [10**17, "Ben", Decimal("-150.50"), AT.astimezone(timezone(timedelta(hours=1)))],
        [7, "Somebody with quite a long name, longer than a column", Decimal(0), None],
    ]
    book = as_xlsx(rows, title="Reply guys")
    found, parts = cells(book), parts_of(book)
    assert [found[place] for place in ("A1", "B1", "C1", "D1")] == [("s", name) for name in HEAD]
    assert (found["A2"], found["B2"], found["C2"]) == (("n", "2001"), ("s", "Ada"), ("n", "1234567.89"))
    assert found["C3"] == ("n", "-150.50")
    assert found["A3"] == ("s", str(10**17)), "a spreadsheet would round it"
    days = (AT - datetime(1899, 12, 30, tzinfo=UTC)) / timedelta(days=1)
    assert {Decimal(found[place][1]).quantize(Decimal("0.0001")) for place in ("D2", "D3")} == {
        Decimal(days).quantize(Decimal("0.0001"))
    }
    sheet = parts["xl/worksheets/sheet1.xml"]
    (pane,) = sheet.iter(f"{MAIN}pane")
    assert (pane.get("ySplit"), pane.get("state")) == ("1", "frozen")
    widths = [Decimal(column.attrib["width"]) for column in sheet.iter(f"{MAIN}col")]
    assert len(widths) == len(HEAD)
    assert widths[0] < widths[1] < 42
    codes = {one.get("formatCode") for one in parts["xl/styles.xml"].iter(f"{MAIN}numFmt")}
    assert "yyyy-mm-dd hh:mm" in codes
    assert parts["xl/workbook.xml"].find(f"{MAIN}sheets/{MAIN}sheet").get("name") == "Reply guys"  # type: ignore[union-attr]


@pytest.mark.parametrize("attack", [*ATTACKS, "https://evil.example/x", "{=1+1}"])
def test_nothing_runs_in_a_workbook(attack: str) -> None:
    book = as_xlsx([list(HEAD), [1, attack, Decimal(1), None]], title="Reply guys")
    kind, value = cells(book)["B2"]
    assert kind == "s"
    assert re.sub(r"_x000D_", "\r", value) == safe(attack)
    assert not [name for name in parts_of(book) if "hyperlink" in name]


def test_an_empty_list_is_a_head() -> None:
    assert set(cells(as_xlsx([list(HEAD)], title="Reply guys"))) == {"A1", "B1", "C1", "D1"}


def test_a_list_as_csv_has_plain_numbers_and_moments() -> None:
    rows: list[list[Cell]] = [list(HEAD), [2001, "=Ada", Decimal("7350.00"), AT], [7, "Ben", Decimal("-1.50"), None]]
    assert list(csv.reader(io.StringIO(as_csv(rows).decode("utf-8-sig"))))[1:] == [
        ["2001", "'=Ada", "7350.00", "2026-03-02 09:30"],
        ["7", "Ben", "-1.50", ""],
    ]

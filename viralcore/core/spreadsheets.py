"""Rows as files for spreadsheets, CSV and XLSX.

What people call themselves stands in these files, and a spreadsheet takes a cell that begins with ``=`` for a formula:
`safe` puts an apostrophe before whatever could be one. A workbook has types, so there a text is written as text, with
the same guard in case somebody saves it as CSV.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

Cell = str | int | Decimal | datetime | None
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
_MOMENT = "yyyy-mm-dd hh:mm"
_NARROW, _WIDE = 8, 40
_DIGITS = 15
"""A spreadsheet's number holds no more; a longer one (an id) is text."""


def safe(cell: str) -> str:
    """A cell that no spreadsheet runs. Our own negative amounts stay numbers."""
    bare = cell.lstrip(" \u00a0\u200b\ufeff\u3000")
    if not bare.startswith((*_FORMULA, "\uff1d", "\uff0b", "\uff0d", "\uff20")) or _number(cell):
        return cell
    return f"'{cell}"


def _number(cell: str) -> bool:
    digits = cell.removeprefix("-").replace(".", "", 1)
    return digits.isascii() and digits.isdigit()


def as_csv(rows: Iterable[Sequence[Cell]]) -> bytes:
    """With a byte order mark, so that spreadsheets read names right."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows([safe(_plain(cell)) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + written.getvalue().encode()


def as_xlsx(rows: Sequence[Sequence[Cell]], *, title: str) -> bytes:
    """One sheet: the first row is its head and stays in sight, amounts and moments are what they are."""
    from xlsxwriter import Workbook  # type: ignore[import-untyped]  # seldom wanted: a start does without it

    written = io.BytesIO()
    with Workbook(written, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet(title[:31])
        head = book.add_format({"bold": True, "bottom": 1})
        money, moment = book.add_format({"num_format": "#,##0.00"}), book.add_format({"num_format": _MOMENT})
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                if number == 0:
                    sheet.write_string(number, column, safe(_plain(cell)), head)
                elif isinstance(cell, datetime):
                    sheet.write_datetime(number, column, cell.astimezone(UTC).replace(tzinfo=None), moment)
                elif isinstance(cell, Decimal) and len(cell.as_tuple().digits) <= _DIGITS:
                    sheet.write_number(number, column, cell, money)
                elif isinstance(cell, int) and len(str(abs(cell))) <= _DIGITS:
                    sheet.write_number(number, column, cell)
                else:
                    sheet.write_string(number, column, safe(_plain(cell)))
        for column, width in enumerate(_widths(rows)):
            sheet.set_column(column, column, width)
        sheet.freeze_panes(1, 0)
        if rows and rows[0]:
            sheet.autofilter(0, 0, max(1, len(rows) - 1), len(rows[0]) - 1)
    return written.getvalue()


def _widths(rows: Sequence[Sequence[Cell]]) -> list[int]:
    """Of each column, as wide as what stands in it."""
    longest: list[int] = []
    for row in rows:
        longest += [_NARROW] * (len(row) - len(longest))
        for column, cell in enumerate(row):
            longest[column] = max(longest[column], len(_plain(cell)))
    return [min(_WIDE, width + 2) for width in longest]


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    return f"{cell.astimezone(UTC):%Y-%m-%d %H:%M}" if isinstance(cell, datetime) else str(cell)

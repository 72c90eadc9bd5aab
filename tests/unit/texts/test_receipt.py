"""The receipt as a picture: it says what it should, stays the same, and nothing runs out of the paper."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from PIL import Image

from tests.unit.texts.screens.receipts import AT, EXACT, PAID, TOPPED_UP
from viralcore.core.money import usd
from viralcore.core.screen import Picture
from viralcore.texts.pictures.painting import paint
from viralcore.texts.pictures.receipt import INSIDE, MARGIN, SMALL, WIDTH, Sheet, ascii_only, font, recipe, wrapped

SHEET = Sheet(
    shop="viralcore",
    number=12,
    at=AT,
    title="X Tier 3",
    quantity=10,
    unit="post",
    unit_price=Decimal("1.50"),
    paid=PAID["by one transfer"],
)
LONG = replace(
    SHEET,
    shop="S" * 40,
    number=10**18,
    title="Ünïcödé <b>& Привет</b> " + "W" * 300,
    quantity=10**9,
    unit="u" * 90,
    unit_price=Decimal("0.000000625"),
    paid=replace(
        PAID["by six"],
        parts=tuple(
            replace(EXACT, hash="W" * 500, amount="9" * 60, asset="W" * 40, network="n" * 90) for _ in range(9)
        ),
        total=usd("99999999.99"),
    ),
)
SHEETS = {
    **{how: replace(SHEET, paid=paid) for how, paid in PAID.items()},
    "a top-up": replace(SHEET, title="Wallet top-up", quantity=1, paid=TOPPED_UP),
    "in many coins": replace(
        SHEET,
        paid=replace(
            PAID["by two"],
            parts=tuple(replace(EXACT, asset=f"COIN{n}", network=on) for n, on in enumerate(("bsc", "tron", "solana"))),
        ),
    ),
    "as long as can be": LONG,
}


def _told(sheet: Sheet) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(recipe(sheet))
    return told


def _painted(sheet: Sheet) -> Image.Image:
    return Image.open(io.BytesIO(paint(Picture("receipt", recipe(sheet)))))


def test_it_says_what_was_bought_and_how_it_was_paid() -> None:
    told = _told(SHEET)
    assert (told["shop"], told["number"], told["at"]) == ("viralcore", "12", "02 Mar 2026, 09:05 UTC")
    assert (told["title"], told["quantity"], told["price"], told["total"]) == (
        "X Tier 3",
        "10 posts",
        "$1.50",
        "$15.00",
    )
    assert told["with"] == "USDT on BSC (BEP-20)"
    ((coins, worth, when, transaction),) = told["parts"]
    assert (coins, worth, transaction) == ("15.003412 USDT on BSC (BEP-20)", "$15.00", EXACT.hash)
    assert when == "02 Mar 2026, 09:05 UTC, 1 USDT = $1.00"
    assert told["sums"] == [["Received", "$15.00"]]


@pytest.mark.parametrize(
    ("how", "sums"),
    [
        ("by two", [["Received", "$15.00"]]),
        ("a little short", [["Received", "$13.50"], ["Missing, waived", "$0.05"]]),
        ("too much", [["Received", "$28.50"], ["Went to the wallet", "$13.50"]]),
        ("from the wallet", [["Paid from the wallet", "$15.00"]]),
        (
            "a part by coins, all from the wallet",
            [["Received", "$13.50"], ["Paid from the wallet", "$15.00"], ["Went to the wallet", "$13.50"]],
        ),
        ("a top-up", [["Received", "$15.00"], ["Went to the wallet", "$15.00"]]),
    ],
)
def test_every_cent_is_accounted_for(how: str, sums: list[list[str]]) -> None:
    assert _told(SHEETS[how])["sums"] == sums


def test_a_top_up_shows_what_came_and_no_unit_price() -> None:
    short = replace(TOPPED_UP, parts=(replace(EXACT, usd=usd("13.50")),))
    told = _told(replace(SHEET, paid=short))
    assert (told["total"], told["price"], told["quantity"]) == ("$13.50", "", "")


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=SHEETS)
def test_nothing_runs_out_of_the_paper(sheet: Sheet) -> None:
    picture = _painted(sheet).convert("RGB")
    assert picture.width == WIDTH
    assert 600 < picture.height < 4000
    rows = range(260, picture.height - 14)
    beside = {picture.getpixel((x, y)) for x in (2, MARGIN - 4, WIDTH - MARGIN + 4, WIDTH - 2) for y in rows}
    assert beside == {(255, 255, 255)}, "the margins are clean"
    assert len(recipe(sheet)) < 2600, "it is a key in the database"


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=SHEETS)
def test_a_phone_takes_it(sheet: Sheet) -> None:
    painted = paint(Picture("receipt", recipe(sheet)))
    assert painted.startswith(b"\x89PNG")
    assert len(painted) < 500_000
    assert painted == paint(Picture("receipt", recipe(sheet)))


def test_long_lines_are_wrapped_and_then_cut() -> None:
    lines = wrapped("word " * 100 + "W" * 300, SMALL, INSIDE, 3)
    assert len(lines) == 3
    assert lines[-1].endswith("...")
    assert all(font(SMALL).getlength(line) <= INSIDE for line in lines)
    whole = "0x" + "ab12" * 16
    assert "".join(wrapped(whole, SMALL, INSIDE, 5)) == whole
    assert wrapped("", SMALL, INSIDE, 3) == []


def test_letters_the_font_does_not_have_become_their_nearest() -> None:
    assert ascii_only("Ünïcödé × ₦5 – “ok”\n\x00", 60) == 'Unicode x NGN 5 - "ok"'
    assert ascii_only("a" * 50, 10) == "aaaaaaa..."

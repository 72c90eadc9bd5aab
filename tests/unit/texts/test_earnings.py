"""The chart of earnings: everything that is said is in its recipe, and every cent of it fits."""

from __future__ import annotations

import io
from datetime import date

import pytest
from PIL import Image

from viralcore.core.money import usd
from viralcore.core.screen import Picture
from viralcore.texts.pictures import earnings
from viralcore.texts.pictures.earnings import GREEN, LIGHT, MonthBar, recipe
from viralcore.texts.pictures.painting import paint

YEAR = [date(2026, month, 1) for month in range(1, 13)]


def _bars(*earned: str, back: str = "0") -> list[MonthBar]:
    return [MonthBar(month, usd(up), usd(back)) for month, up in zip(YEAR, earned, strict=False)]


def _colours(bars: list[MonthBar], shop: str = "viralcore") -> dict[str, int]:
    image = Image.open(io.BytesIO(paint(Picture("earnings", recipe(shop, bars))))).convert("RGB")
    inside = image.crop((0, earnings.TOP, image.width, earnings.FLOOR - 4))
    found = {f"#{r:02X}{g:02X}{b:02X}": n for n, (r, g, b) in inside.getcolors(1 << 20) or []}  # type: ignore[misc]
    return {name: found.get(name, 0) for name in (GREEN, LIGHT)}


def test_a_higher_month_is_a_higher_bar() -> None:
    low, high = _colours(_bars("10", "100")), _colours(_bars("90", "100"))
    assert 0 < low[GREEN] < high[GREEN]
    assert low[LIGHT] == high[LIGHT] == 0


def test_what_was_taken_back_is_grey_and_nothing_is_left_when_all_was() -> None:
    some = _colours(_bars("100", back="40"))
    assert some[GREEN] > some[LIGHT] > 0
    assert _colours(_bars("100", back="100"))[GREEN] == 0
    assert _colours(_bars("0", back="100"))[GREEN] == 0


@pytest.mark.parametrize(
    "bars",
    [_bars(*["0"] * 12), _bars(*["99999999.99"] * 12, back="0.01"), _bars("0.01"), _bars(*["1234.56"] * 12)],
    ids=["nothing", "millions", "a cent", "a year"],
)
def test_it_is_a_light_picture_whatever_there_is(bars: list[MonthBar]) -> None:
    painted = paint(Picture("earnings", recipe("Šhop <b>&" * 9, bars)))
    image = Image.open(io.BytesIO(painted))
    assert (image.format, image.width, image.height) == ("PNG", 1080, earnings.HEIGHT)
    assert len(painted) < 60_000


@pytest.mark.parametrize("data", ["", "{}", '{"shop": "x", "bars": []}', '{"shop": "x", "bars": [[2026, 1, 2]]}'])
def test_what_is_no_recipe_is_refused(data: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        paint(Picture("earnings", data))

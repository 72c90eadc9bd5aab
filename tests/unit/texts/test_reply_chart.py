"""Replies by day as a picture: bars as tall as their days, today in its own colour, one recipe one picture."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest
from PIL import Image

from viralcore.core.screen import Picture
from viralcore.texts.pictures.painting import paint
from viralcore.texts.pictures.receipt import GREEN, MARGIN, WIDTH
from viralcore.texts.pictures.replies import FLOOR, TODAY, TOP, recipe, round_top

FIRST = date(2026, 11, 14)


def painted(*counts: int) -> Image.Image:
    days = [(FIRST + timedelta(days=n), count) for n, count in enumerate(counts)]
    return Image.open(io.BytesIO(paint(Picture("replies", recipe(shop="viralcore", days=days))))).convert("RGB")


def heights(image: Image.Image, days: int) -> list[int]:
    """How tall the bar of each day is, in pixels of a bar's colours."""
    colours = {_rgb(GREEN), _rgb(TODAY)}
    step = (WIDTH - 2 * MARGIN) // days
    middles = [MARGIN + number * step + step // 2 for number in range(days)]
    return [sum(image.getpixel((x, y)) in colours for y in range(TOP, FLOOR)) for x in middles]


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[n : n + 2], 16) for n in (1, 3, 5))


def test_a_bar_is_as_tall_as_its_day() -> None:
    tall = heights(painted(0, 5, 10, 20), 4)
    assert tall[0] == 0
    assert 0 < tall[1] < tall[2] < tall[3] <= FLOOR - TOP
    assert abs(tall[3] - 2 * tall[2]) <= 4
    assert abs(tall[2] - 2 * tall[1]) <= 4


def test_today_stands_out() -> None:
    image = painted(*[7] * 14)
    step = (WIDTH - 2 * MARGIN) // 14
    seen = [image.getpixel((MARGIN + n * step + step // 2, FLOOR - 20)) for n in range(14)]
    assert set(seen[:-1]) == {_rgb(GREEN)}
    assert seen[-1] == _rgb(TODAY)


def test_no_days_and_huge_days_are_painted() -> None:
    assert heights(painted(*[0] * 14), 14) == [0] * 14
    assert max(heights(painted(*[0] * 30, 123_456), 31)) > 100
    with pytest.raises(ValueError, match="no days"):
        painted()


@pytest.mark.parametrize(("tallest", "top"), [(0, 5), (5, 5), (6, 10), (11, 20), (21, 50), (501, 1000), (1000, 1000)])
def test_the_scale_ends_at_a_round_number(tallest: int, top: int) -> None:
    assert round_top(tallest) == top


def test_the_same_days_are_the_same_picture() -> None:
    days = [(FIRST, 3)]
    one, other = recipe(shop="Ünïcode", days=days), recipe(shop="Ünïcode", days=days)
    assert one == other
    assert paint(Picture("replies", one)) == paint(Picture("replies", other))

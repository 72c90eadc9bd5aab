"""The course of an order as a picture: it says what it should, stays the same, and nothing runs out of the paper."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from PIL import Image

from tests.unit.texts.screens import hostile
from tests.unit.texts.screens.orders import AT, LATER, SCHEDULED, STATES
from viralcore.core.screen import Picture
from viralcore.texts.order_text import OrderText
from viralcore.texts.pictures.painting import paint
from viralcore.texts.pictures.timeline import COLOURS, WIDTH, WORDS, _labels, _Scale, recipe

START = AT - timedelta(minutes=30)


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_drawn(state: str) -> None:
    order = STATES[state]
    ended = LATER if order.state in ("completed", "partial", "failed", "cancelled") else None
    painted = paint(Picture("timeline", recipe(order, START, ended, LATER)))
    picture = Image.open(io.BytesIO(painted))
    assert (picture.format, picture.width) == ("PNG", WIDTH)
    assert len(painted) < 150_000
    edge = picture.crop((WIDTH - 20, 200, WIDTH, picture.height)).getcolors()
    assert edge is not None
    assert len(edge) == 1, "something runs out of the paper"


def test_the_recipe_is_small_and_says_it_all() -> None:
    told = json.loads(recipe(replace(SCHEDULED, plan=hostile.TITLE * 9), START, None, AT))
    assert told["lines"][0] == ["likes", 0, 75, [[30, 38, "waiting"], [60, 37, "waiting"]]]
    assert (told["clock"], told["now"]) == ([540, 60], 30)
    assert told["plan"].isascii()
    assert len(recipe(SCHEDULED, START, None, AT)) < 1000


def test_a_paused_order_shows_what_is_held_back() -> None:
    told = json.loads(recipe(STATES["paused"], START, None, LATER))
    assert [part[2] for part in told["lines"][0][3]] == ["completed", "paused"]
    assert set(COLOURS) == set(WORDS)


def test_looking_again_in_the_same_minute_is_the_same_picture() -> None:
    first, second = (recipe(SCHEDULED, START, None, AT + timedelta(seconds=at)) for at in (1, 59))
    assert first == second


def test_parts_that_stand_close_are_told_together() -> None:
    wide, narrow = _Scale(540, 90), _Scale(540, 3000)
    parts = [[30, 38, "sent"], [60, 37, "waiting"]]
    assert [words for _, words in _labels(wide, parts)] == ["38", "37"]
    assert [words for _, words in _labels(narrow, parts)] == ["38 + 37"]


def test_days_are_counted_on_the_clock() -> None:
    scale = _Scale(23 * 60, 180)
    assert [scale.label(tick) for tick in scale.ticks()] == [
        "23:00",
        "23:30",
        "00:00 +1d",
        "00:30 +1d",
        "01:00 +1d",
        "01:30 +1d",
        "02:00 +1d",
    ]


def test_an_order_without_parts_is_drawn() -> None:
    goods: OrderText = replace(SCHEDULED, parts=())
    assert paint(Picture("timeline", recipe(goods, START, None, AT))).startswith(b"\x89PNG")

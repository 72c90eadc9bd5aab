"""Replies by day as a picture. All it says is in its recipe, so that the same days are the same picture."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from viralcore.texts.pictures.receipt import GREEN, INK, LINE, MARGIN, PAPER, SMALL, SOFT, WIDTH, ascii_only

HEIGHT, HEADER, TOP, FLOOR = 760, 180, 270, 630
LIGHT, TODAY = "#D0D5DD", "#32D583"
TINY, TITLE = 24, 52
_STEPS = (1, 2, 5)


def recipe(*, shop: str, days: Sequence[tuple[date, int]]) -> str:
    """As text that the painter reads back. `days`: oldest first, the last is today."""
    told = {"shop": ascii_only(shop, 40), "days": [[day.isoformat(), replies] for day, replies in days]}
    return json.dumps(told, separators=(",", ":"), ensure_ascii=True)


def paint_replies(data: str) -> bytes:
    """The picture, as PNG. Raises ValueError or KeyError on what is no recipe."""
    told: Mapping[str, Any] = json.loads(data)
    days = [(date.fromisoformat(day), int(replies)) for day, replies in told["days"]]
    if not days:
        raise ValueError("a chart of no days")
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(image)
    total = sum(replies for _, replies in days)
    draw.rectangle((0, 0, WIDTH, HEADER), fill=INK)
    draw.text((MARGIN, 38), "Replies paid", fill=PAPER, font=_font(TITLE), stroke_width=1, stroke_fill=PAPER)
    draw.text((MARGIN, 114), str(told["shop"]), fill=LIGHT, font=_font(SMALL))
    right = WIDTH - MARGIN
    draw.text((right, 38), f"{total:,}", fill=PAPER, font=_font(TITLE), anchor="ra", stroke_width=1, stroke_fill=PAPER)
    draw.text((right, 114), f"{_day(days[0][0])} - {_day(days[-1][0])}", fill=LIGHT, font=_font(SMALL), anchor="ra")
    top = round_top(max(replies for _, replies in days))
    _scale(draw, top)
    step = (WIDTH - 2 * MARGIN) // len(days)
    for number, (day, replies) in enumerate(days):
        _bar(draw, MARGIN + number * step, step, day, replies, top, last=number == len(days) - 1)
    if not total:
        middle = (WIDTH // 2, (TOP + FLOOR) // 2)
        draw.text(middle, "No paid replies in these days yet", fill=SOFT, font=_font(36), anchor="mm")
    draw.rectangle((0, HEIGHT - 12, WIDTH, HEIGHT), fill=GREEN)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def round_top(tallest: int) -> int:
    """A round number at or above the tallest bar: 1, 2 or 5 and zeros, at least 5."""
    unit = 1
    while True:
        for times in _STEPS:
            if unit * times >= max(tallest, 5):
                return unit * times
        unit *= 10


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    found = ImageFont.load_default(size)
    if not isinstance(found, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType")
    return found


def _scale(draw: ImageDraw.ImageDraw, top: int) -> None:
    for part in range(3):
        y = FLOOR - (FLOOR - TOP) * part // 2
        draw.line((MARGIN, y, WIDTH - MARGIN, y), fill=LINE, width=2 if part else 4)
    draw.text((MARGIN - 12, TOP), f"{top:,}", fill=SOFT, font=_font(TINY), anchor="rm")


def _bar(draw: ImageDraw.ImageDraw, left: int, step: int, day: date, replies: int, top: int, *, last: bool) -> None:
    x, y, middle = left + step // 6, left + step - step // 6, left + step // 2
    colour = TODAY if last else GREEN
    if replies:
        high = FLOOR - max((FLOOR - TOP) * replies // top, 6)
        draw.rounded_rectangle((x, high, y, FLOOR), 8, fill=colour)
        draw.rectangle((x, FLOOR - min(8, FLOOR - high), y, FLOOR), fill=colour)
        draw.text((middle, high - 8), f"{replies:,}", fill=INK, font=_font(TINY), anchor="ms")
    shade = INK if last else SOFT
    draw.text((middle, FLOOR + 34), f"{day:%a}", fill=shade, font=_font(TINY), anchor="ms")
    draw.text((middle, FLOOR + 64), f"{day.day}", fill=shade, font=_font(TINY), anchor="ms")


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"

"""Earnings by month as a picture. All it says is in its recipe; amounts are cents, so that no place is lost."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from PIL import Image, ImageDraw

from viralcore.core.money import USD, Money
from viralcore.texts import wording
from viralcore.texts.pictures.receipt import GREEN, INK, LINE, MARGIN, PAPER, SMALL, SOFT, WIDTH, ascii_only, font

HEIGHT, TOP, FLOOR = 760, 280, 640
HEADER = 180
LIGHT = "#D0D5DD"
TINY = 24
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class MonthBar:
    """`earned`: gross; `reversed`: taken back in that month, of whatever it was earned in."""

    month: date
    earned: Money
    reversed: Money


def recipe(shop: str, bars: Sequence[MonthBar]) -> str:
    """As text that the painter reads back."""
    told = {
        "shop": ascii_only(shop, 40),
        "bars": [[bar.month.year, bar.month.month, bar.earned.minor, bar.reversed.minor] for bar in bars],
    }
    return json.dumps(told, separators=(",", ":"), ensure_ascii=True)


def paint_earnings(data: str) -> bytes:
    """The picture, as PNG. Raises ValueError or KeyError on what is no recipe."""
    told: dict[str, Any] = json.loads(data)
    bars = [(int(year), int(month), int(up), int(down)) for year, month, up, down in told["bars"]]
    if not bars:
        raise ValueError("a chart of nothing")
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(image)
    total = sum(up - down for _, _, up, down in bars)
    draw.rectangle((0, 0, WIDTH, HEADER), fill=INK)
    draw.text((MARGIN, 38), "Affiliate earnings", fill=PAPER, font=font(52), stroke_width=1, stroke_fill=PAPER)
    draw.text((MARGIN, 112), str(told["shop"]), fill=LIGHT, font=font(SMALL))
    draw.text((WIDTH - MARGIN, 112), _span(bars), fill=LIGHT, font=font(SMALL), anchor="ra")
    draw.text(
        (WIDTH - MARGIN, 38), _money(total), fill=PAPER, font=font(52), anchor="ra", stroke_width=1, stroke_fill=PAPER
    )
    _scale(draw, _top(bars))
    step = (WIDTH - 2 * MARGIN) // len(bars)
    for number, bar in enumerate(bars):
        _bar(draw, MARGIN + number * step, step, bar, _top(bars))
    if not any(up or down for _, _, up, down in bars):
        middle = (WIDTH // 2, (TOP + FLOOR) // 2)
        draw.text(middle, "No earnings yet", fill=SOFT, font=font(36), anchor="mm")
    if any(down for _, _, _, down in bars):
        _legend(draw)
    draw.rectangle((0, HEIGHT - 12, WIDTH, HEIGHT), fill=GREEN)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _top(bars: Sequence[tuple[int, int, int, int]]) -> int:
    """A round number of cents at or above the tallest bar: 1, 2 or 5 and zeros."""
    tallest = max(max(up, down) for _, _, up, down in bars)
    unit = 100
    while True:
        for times in (1, 2, 5):
            if unit * times >= tallest:
                return unit * times
        unit *= 10


def _scale(draw: ImageDraw.ImageDraw, top: int) -> None:
    for part in range(5):
        y = FLOOR - (FLOOR - TOP) * part // 4
        draw.line((MARGIN, y, WIDTH - MARGIN, y), fill=LINE, width=2 if part else 4)
    draw.text((MARGIN, TOP - 8), f"{_money(top).removesuffix('.00')}", fill=SOFT, font=font(TINY), anchor="ls")


def _bar(draw: ImageDraw.ImageDraw, left: int, step: int, bar: tuple[int, int, int, int], top: int) -> None:
    """Green: what stayed; grey on top of it: what was taken back in that month."""
    year, month, up, down = bar
    x, y = left + step // 6, left + step - step // 6
    whole = max(up, down)
    kept = max(up - down, 0)
    if whole:
        high = FLOOR - max((FLOOR - TOP) * whole // top, 6)
        draw.rounded_rectangle((x, high, y, FLOOR), 8, fill=LIGHT if kept < whole else GREEN)
        draw.rectangle((x, FLOOR - min(8, FLOOR - high), y, FLOOR), fill=LIGHT if kept < whole else GREEN)
        if 0 < kept < whole:
            draw.rectangle((x, FLOOR - (FLOOR - TOP) * kept // top, y, FLOOR), fill=GREEN)
        draw.text((left + step // 2, high - 8), _short(up - down), fill=INK, font=font(TINY), anchor="ms")
    draw.text((left + step // 2, FLOOR + 34), _MONTHS[month - 1], fill=SOFT, font=font(TINY), anchor="ms")
    if month == 1:
        draw.text((left + step // 2, FLOOR + 62), str(year), fill=SOFT, font=font(TINY), anchor="ms")


def _legend(draw: ImageDraw.ImageDraw) -> None:
    for x, colour, words in ((MARGIN, GREEN, "Kept"), (MARGIN + 150, LIGHT, "Taken back after refunds")):
        draw.rounded_rectangle((x, HEADER + 28, x + 26, HEADER + 54), 6, fill=colour)
        draw.text((x + 38, HEADER + 41), words, fill=SOFT, font=font(TINY), anchor="lm")


def _span(bars: Sequence[tuple[int, int, int, int]]) -> str:
    (first, start, *_), (last, end, *_) = bars[0], bars[-1]
    return f"{_MONTHS[start - 1]} {first} - {_MONTHS[end - 1]} {last}"


def _money(cents: int) -> str:
    return wording.money(Money(cents, USD))


def _short(cents: int) -> str:
    """What fits above a bar: cents only below ten dollars, thousands as ``1.2k``."""
    sign, size = ("-" if cents < 0 else ""), abs(cents)
    if size < 1000:
        return f"{sign}${size // 100}.{size % 100:02}"
    if size < 1_000_000:
        return f"{sign}${size // 100:,}"
    return f"{sign}${size // 100_000}.{size // 10_000 % 10}k"

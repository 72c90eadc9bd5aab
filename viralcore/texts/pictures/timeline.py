"""The course of an order as a picture: each part on the clock, how much of each line has come.

Like a receipt it is drawn from a recipe that says all there is to say."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from viralcore.texts import wording
from viralcore.texts.order_text import STATES, OrderText

WIDTH, MARGIN, LEFT = 1080, 64, 250
INK, SOFT, LINE, PAPER, TRACK = "#101828", "#667085", "#E4E7EC", "#FFFFFF", "#F2F4F7"
COLOURS = {
    "waiting": "#98A2B3",
    "paused": "#F79009",
    "sending": "#7A5AF8",
    "unknown": "#F04438",
    "sent": "#2E90FA",
    "completed": "#12B76A",
    "partial": "#EAAA08",
    "failed": "#F04438",
    "cancelled": "#D0D5DD",
}
WORDS = {
    "waiting": "to be sent",
    "paused": "held back",
    "sending": "being sent",
    "unknown": "being checked",
    "sent": "on its way",
    "completed": "delivered",
    "partial": "ended early",
    "failed": "not delivered",
    "cancelled": "cancelled",
}
SMALL, NORMAL, LARGE = 26, 32, 44
MOST_LINES, MOST_PARTS = 8, 12
ROW = 150


def recipe(order: OrderText, created_at: datetime, finished_at: datetime | None, now: datetime) -> str:
    """What the picture says. Times in minutes after the order; `now` only to the minute, as pictures are kept."""
    end = finished_at or max(now, *(part.due_at for part in order.parts), created_at + timedelta(minutes=1))
    paused = order.paused_at is not None
    told: dict[str, Any] = {
        "id": order.id,
        "plan": "".join(c if 32 <= ord(c) < 127 else "?" for c in order.plan)[:40],
        "state": STATES["paused" if paused else order.state][1],
        "from": f"{created_at:%d %b %Y, %H:%M} UTC",
        "clock": [created_at.hour * 60 + created_at.minute, _minutes(created_at, end)],
        "now": None if finished_at is not None else _minutes(created_at, now),
        "expected": None if order.expected_at is None else _minutes(created_at, order.expected_at),
        "lines": [
            [
                f"{wording.METRICS[line.metric][1]}s",
                line.delivered,
                line.quantity,
                _parts(order, line.metric, created_at),
            ]
            for line in order.lines[:MOST_LINES]
        ],
    }
    return json.dumps(told, separators=(",", ":"), ensure_ascii=True)


def _parts(order: OrderText, metric: str, created_at: datetime) -> list[list[Any]]:
    mine = [part for part in order.parts if part.metric == metric][:MOST_PARTS]
    held = order.paused_at is not None
    return [
        [
            _minutes(created_at, part.due_at),
            part.quantity,
            "paused" if held and part.state == "waiting" else part.state,
        ]
        for part in mine
    ]


def _minutes(start: datetime, at: datetime) -> int:
    return max(0, int((at - start).total_seconds()) // 60)


def paint_timeline(data: str) -> bytes:
    """The picture, as PNG. Raises ValueError or KeyError on what is no recipe."""
    told: Mapping[str, Any] = json.loads(data)
    rows: Sequence[Any] = told["lines"]
    height = 300 + ROW * len(rows) + 130
    image = Image.new("RGB", (WIDTH, height), PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, WIDTH, 170), fill=INK)
    _write(draw, MARGIN, 36, f"Order #{told['id']} - {told['plan']}", LARGE, PAPER, bold=True)
    _write(draw, MARGIN, 104, f"{str(told['state']).capitalize()}, ordered {told['from']}", SMALL, "#D0D5DD")
    scale = _Scale(int(told["clock"][0]), _length(told))
    _axis(draw, scale, bottom=250 + ROW * len(rows))
    for number, (name, delivered, quantity, parts) in enumerate(rows):
        _row(draw, scale, 250 + ROW * number, str(name), int(delivered), int(quantity), parts)
    _marks(draw, scale, told, bottom=250 + ROW * len(rows))
    _legend(draw, rows, top=height - 105)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _length(told: Mapping[str, Any]) -> int:
    last = [int(part[0]) for row in told["lines"] for part in row[3]]
    return max(60, int(told["clock"][1]), int(told["expected"] or 0), *last)


class _Scale:
    """From minutes after the order to a place on the picture, and what to write there."""

    def __init__(self, start: int, length: int) -> None:
        self._start = start
        self.length = length

    def x(self, minutes: int) -> int:
        room = WIDTH - LEFT - 2 * MARGIN
        return LEFT + MARGIN // 2 + room * min(minutes, self.length) // self.length

    def ticks(self) -> list[int]:
        """At most six, at round distances."""
        for step in (10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080):
            if self.length // step <= 6:
                return list(range(0, self.length + 1, step))
        return [0, self.length]

    def label(self, minutes: int) -> str:
        days, at = divmod(self._start + minutes, 1440)
        return f"{at // 60:02}:{at % 60:02}" + (f" +{days}d" if days else "")


def _axis(draw: ImageDraw.ImageDraw, scale: _Scale, *, bottom: int) -> None:
    for minutes in scale.ticks():
        x = scale.x(minutes)
        draw.line((x, 225, x, bottom), fill=LINE, width=2)
        draw.text((x, 205), scale.label(minutes), fill=SOFT, font=_font(SMALL - 4), anchor="mm")


def _row(
    draw: ImageDraw.ImageDraw,
    scale: _Scale,
    top: int,
    name: str,
    delivered: int,
    quantity: int,
    parts: Sequence[Any],
) -> None:
    """A line: its name and count on the left, its parts as dots on the clock, and a bar of what has come below."""
    _write(draw, MARGIN, top + 4, name.capitalize(), NORMAL, INK, bold=True)
    _write(draw, MARGIN, top + 46, f"{delivered:,} of", SMALL, SOFT)
    _write(draw, MARGIN, top + 78, f"{quantity:,}", SMALL, SOFT)
    left, right = LEFT + MARGIN // 2, WIDTH - MARGIN - MARGIN // 2
    draw.line((left, top + 34, right, top + 34), fill=LINE, width=4)
    for minutes, _, state in parts:
        x = scale.x(int(minutes))
        draw.ellipse((x - 15, top + 19, x + 15, top + 49), fill=COLOURS[state], outline=PAPER, width=4)
    for x, words in _labels(scale, parts):
        draw.text((x, top + 66), words, fill=INK, font=_font(SMALL - 2), anchor="mm")
    if not parts:
        draw.text((left + 6, top + 66), "not sent by a supplier", fill=SOFT, font=_font(SMALL - 4), anchor="lm")
    draw.rounded_rectangle((left, top + 92, right, top + 110), 9, fill=TRACK)
    done = (right - left) * min(delivered, quantity) // max(quantity, 1)
    if done > 0:
        draw.rounded_rectangle((left, top + 92, left + max(done, 18), top + 110), 9, fill=COLOURS["completed"])


def _labels(scale: _Scale, parts: Sequence[Any]) -> list[tuple[int, str]]:
    """How much each part is of; parts that stand too close are told together: ``38 + 37``."""
    found: list[tuple[int, str]] = []
    for minutes, size, _ in sorted(parts, key=lambda part: int(part[0])):
        x, words = scale.x(int(minutes)), f"{int(size):,}"
        if found:
            before, told = found[-1]
            apart = (_font(SMALL - 2).getlength(told) + _font(SMALL - 2).getlength(words)) / 2 + 16
            if x - before < apart:
                found[-1] = ((before + x) // 2, f"{told} + {words}")
                continue
        found.append((x, words))
    return [(max(x, LEFT + int(_font(SMALL - 2).getlength(words)) // 2), words) for x, words in found]


def _marks(draw: ImageDraw.ImageDraw, scale: _Scale, told: Mapping[str, Any], *, bottom: int) -> None:
    """Where we are now, and where such orders usually end."""
    for key, words, colour in (("now", "now", "#F04438"), ("expected", "usually done", "#12B76A")):
        if told[key] is None:
            continue
        x = scale.x(int(told[key]))
        for y in range(225, bottom, 16):
            draw.line((x, y, x, y + 8), fill=colour, width=3)
        anchor = "rm" if x > WIDTH - 200 else "lm"
        place = (x - 8 if anchor == "rm" else x + 8, bottom + (14 if key == "now" else 40))
        draw.text(place, words, fill=colour, font=_font(SMALL - 2), anchor=anchor)


def _legend(draw: ImageDraw.ImageDraw, rows: Sequence[Any], *, top: int) -> None:
    """The colours that occur, named."""
    x, y = MARGIN, top + 40
    for state in dict.fromkeys(str(part[2]) for row in rows for part in row[3]):
        width = 44 + int(_font(SMALL - 2).getlength(WORDS[state])) + 36
        if x + width > WIDTH - MARGIN // 2:
            x, y = MARGIN, y + 36
        draw.ellipse((x, y - 11, x + 22, y + 11), fill=COLOURS[state])
        draw.text((x + 34, y), WORDS[state], fill=SOFT, font=_font(SMALL - 2), anchor="lm")
        x += width


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    found = ImageFont.load_default(size)
    if not isinstance(found, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType")
    return found


def _write(
    draw: ImageDraw.ImageDraw, x: int, y: int, words: str, size: int, colour: str, *, bold: bool = False
) -> None:
    draw.text((x, y), words, fill=colour, font=_font(size), stroke_width=1 if bold else 0, stroke_fill=colour)

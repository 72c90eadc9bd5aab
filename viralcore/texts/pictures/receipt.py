"""A receipt as a picture: to keep, to forward, to print. All it says is in its recipe, so that it never changes.

The font is Pillow's own, which knows plain ASCII: other letters are written as their nearest one.
"""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from viralcore.texts import wording
from viralcore.texts.receipts import BANK, SHOWN_PARTS, WALLET, PaidText, rate

WIDTH, MARGIN, TALLEST = 1080, 84, 4000
INSIDE = WIDTH - 2 * MARGIN
INK, SOFT, LINE, PAPER, BACK, GREEN = "#101828", "#667085", "#E4E7EC", "#FFFFFF", "#F2F4F7", "#067647"
SMALL, NORMAL, LARGE, HUGE = 30, 36, 46, 64
_NEAREST = str.maketrans(
    {"×": "x", "–": "-", "—": "-", "…": "...", "₦": "NGN ", "€": "EUR ", "£": "GBP ", "’": "'", "“": '"', "”": '"'}
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a receipt says. `at`: when it was paid, UTC."""

    shop: str
    number: int
    at: datetime
    title: str
    quantity: int
    unit: str
    unit_price: Decimal
    paid: PaidText


def recipe(sheet: Sheet) -> str:
    """The words of the receipt, as text that the painter reads back. At most some two thousand letters."""
    paid = sheet.paid
    parts = paid.parts[-SHOWN_PARTS:]
    told: dict[str, Any] = {
        "shop": ascii_only(sheet.shop, 40),
        "number": str(sheet.number),
        "at": wording.moment(sheet.at),
        "title": ascii_only(sheet.title, 120),
        "quantity": "" if paid.topup else wording.count(sheet.quantity, ascii_only(sheet.unit, 20)),
        "price": "" if paid.topup else wording.price(sheet.unit_price),
        "total": wording.money(paid.received if paid.topup else paid.total),
        "with": _with(paid),
        "parts": [
            [
                ascii_only(wording.coins(part.amount, part.asset, part.network), 80),
                wording.money(part.usd),
                ascii_only(f"{wording.moment(part.at)}, {rate(part.asset, part.rate)}", 80),
                ascii_only(part.hash, 200),
            ]
            for part in parts
        ],
        "earlier": len(paid.parts) - len(parts),
        "sums": [list(row) for row in _sums(paid)],
    }
    return json.dumps(told, separators=(",", ":"), ensure_ascii=True)


def _with(paid: PaidText) -> str:
    """Every way that money came, once each."""
    ways = [
        "Bank transfer" if part.network == BANK else f"{part.asset} on {wording.network(part.network)}"
        for part in paid.parts
    ]
    if paid.method == WALLET:
        ways = ["Wallet balance"]
    return ascii_only(wording.join(list(dict.fromkeys(ways))) or "-", 120)


def _sums(paid: PaidText) -> list[tuple[str, str]]:
    """What was received, and where it went."""
    rows: list[tuple[str, str]] = []
    if paid.parts:
        rows.append(("Received", wording.money(paid.received)))
    if paid.method == WALLET:
        rows.append(("Paid from the wallet", wording.money(paid.total)))
    if paid.forgiven.minor:
        rows.append(("Missing, waived", wording.money(paid.forgiven)))
    if paid.to_wallet.minor:
        rows.append(("Went to the wallet", wording.money(paid.to_wallet)))
    return rows


def ascii_only(text: str, longest: int) -> str:
    """The text in letters the font has, on one line, cut where it is too long."""
    plain = unicodedata.normalize("NFKD", text.translate(_NEAREST))
    kept = "".join(c if 32 <= ord(c) < 127 else "?" for c in plain if not unicodedata.combining(c) and c.isprintable())
    return kept if len(kept) <= longest else kept[: longest - 3] + "..."


def paint_receipt(data: str) -> bytes:
    """The picture, as PNG. Raises ValueError or KeyError on what is no recipe."""
    told: Mapping[str, Any] = json.loads(data)
    page = _Page()
    page.header(str(told["shop"]), str(told["number"]), str(told["at"]))
    page.text(str(told["title"]), LARGE, bold=True, lines=3)
    page.gap(14)
    if told["quantity"]:
        page.pair("Quantity", str(told["quantity"]))
        page.pair("Unit price", str(told["price"]))
    page.pair("Paid with", str(told["with"]))
    page.rule()
    page.pair("Total", str(told["total"]), size=HUGE, bold=True)
    page.rule()
    for coins, usd, when, tx in told["parts"]:
        page.pair(coins, usd, dark=True)
        page.text(when, SMALL, colour=SOFT, lines=2)
        page.text("Transaction id", SMALL, colour=SOFT)
        page.text(tx, SMALL, lines=5)
        page.gap(30)
    if told["earlier"]:
        page.text(f"and {wording.count(int(told['earlier']), 'earlier transfer')}", SMALL, colour=SOFT)
    if told["sums"]:
        if told["parts"]:
            page.rule()
        for name, value in told["sums"]:
            page.pair(name, value)
    return page.png()


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own, in a size."""
    found = ImageFont.load_default(size)
    if not isinstance(found, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType")
    return found


def wrapped(text: str, size: int, width: int, lines: int) -> list[str]:
    """Lines no wider than `width`, broken between words and, where a word is too long, inside it."""
    face, found, line = font(size), [], ""
    for word in text.split():
        rest = word
        while rest:
            joined = f"{line} {rest}" if line else rest
            if face.getlength(joined) <= width:
                line, rest = joined, ""
            elif line:
                found.append(line)
                line = ""
            else:
                fits = next(n for n in range(len(rest), 0, -1) if n == 1 or face.getlength(rest[:n]) <= width)
                found.append(rest[:fits])
                rest = rest[fits:]
    if line:
        found.append(line)
    if len(found) > lines:
        last = found[lines - 1]
        while last and face.getlength(f"{last}...") > width:
            last = last[:-1]
        found = [*found[: lines - 1], f"{last.rstrip()}..."]
    return found


class _Page:
    """A sheet that is written from the top; `y` is where the next line goes."""

    def __init__(self) -> None:
        self._image = Image.new("RGB", (WIDTH, TALLEST), PAPER)
        self._draw = ImageDraw.Draw(self._image)
        self.y = 0

    def header(self, shop: str, number: str, at: str) -> None:
        self._draw.rectangle((0, 0, WIDTH, 250), fill=INK)
        (name,) = wrapped(shop, HUGE, INSIDE - 260, 1) or [""]
        self._write(MARGIN, 58, name, HUGE, PAPER, bold=True)
        self._draw.rounded_rectangle((WIDTH - MARGIN - 190, 62, WIDTH - MARGIN, 134), 36, fill=GREEN)
        self._centred(WIDTH - MARGIN - 95, 98, "PAID", NORMAL, PAPER)
        self._write(MARGIN, 160, f"Receipt for invoice #{number}", NORMAL, "#D0D5DD")
        self.y = 300
        self.text(at, NORMAL, colour=SOFT)
        self.gap(26)

    def text(self, words: str, size: int, *, colour: str = INK, bold: bool = False, lines: int = 1) -> None:
        for line in wrapped(words, size, INSIDE, lines):
            self._write(MARGIN, self.y, line, size, colour, bold=bold)
            self.y += size * 4 // 3

    def pair(self, name: str, value: str, *, size: int = NORMAL, bold: bool = False, dark: bool = False) -> None:
        """A name on the left and its value on the right; a long one goes on below, still on the right."""
        colour = INK if bold or dark else SOFT
        left = wrapped(name, size, INSIDE * 2 // 3, 2) if dark else wrapped(name, size, INSIDE, 1)
        room = INSIDE - int(max((font(size).getlength(line) for line in left), default=0)) - 40
        right = wrapped(value, size, room, 3)
        for number in range(max(len(left), len(right))):
            if number < len(left):
                self._write(MARGIN, self.y, left[number], size, colour, bold=bold or dark)
            if number < len(right):
                start = WIDTH - MARGIN - int(font(size).getlength(right[number]))
                self._write(start, self.y, right[number], size, INK, bold=bold or dark)
            self.y += size * 3 // 2

    def rule(self) -> None:
        self.y += 22
        self._draw.line((MARGIN, self.y, WIDTH - MARGIN, self.y), fill=LINE, width=3)
        self.y += 28

    def gap(self, height: int) -> None:
        self.y += height

    def png(self) -> bytes:
        """Cut to what is written, with a margin below."""
        buffer = io.BytesIO()
        bottom = min(self.y + MARGIN * 2 // 3, TALLEST)
        self._draw.rectangle((0, bottom - 12, WIDTH, bottom), fill=GREEN)
        self._image.crop((0, 0, WIDTH, bottom)).save(buffer, "PNG", optimize=True)
        return buffer.getvalue()

    def _write(self, x: int, y: int, words: str, size: int, colour: str, *, bold: bool = False) -> None:
        self._draw.text((x, y), words, fill=colour, font=font(size), stroke_width=1 if bold else 0, stroke_fill=colour)

    def _centred(self, x: int, y: int, words: str, size: int, colour: str) -> None:
        self._draw.text((x, y), words, fill=colour, font=font(size), anchor="mm", stroke_width=1, stroke_fill=colour)

"""What a panel's answer means: one of three to an order, a reading to a status question. Pure, data from settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from viralcore.boosts.config import Dialect, StatusWords

Why = Literal["funds", "busy", "quantity", "link", "service", "config", "other", "outage"]
"""Why a panel did not take an order. `outage`: it is proven that nothing was sent."""

Word = Literal["pending", "running", "completed", "partial", "canceled", "strange"]
MOST_TEXT = 200


@dataclass(frozen=True, slots=True)
class Placed:
    """Accepted, under this order id."""

    order: str


@dataclass(frozen=True, slots=True)
class Declined:
    """A clear no. `text`: the panel's own words, for staff."""

    why: Why
    text: str = ""


@dataclass(frozen=True, slots=True)
class Silent:
    """It may have been accepted; nobody knows."""

    reason: str


AddAnswer = Placed | Declined | Silent


@dataclass(frozen=True, slots=True)
class Accepted:
    """A refill or a cancel was begun; `ticket`: the panel's number for it, where it gives one."""

    ticket: str = ""


AskAnswer = Accepted | Declined | Silent
RefillWord = Literal["running", "done", "rejected", "strange"]


@dataclass(frozen=True, slots=True)
class StatusReading:
    """One order as the panel tells it. `remains` None: not told, or not a number. `text`: its own word, for staff.
    `order`: the number that was asked about, where somebody may have put another in its place meanwhile."""

    word: Word
    text: str
    start_count: int | None = None
    remains: int | None = None
    charge: Decimal | None = None
    currency: str = ""
    order: str = ""

    def about(self, panel_order: str | None) -> bool:
        """Whether it is about the order with this number."""
        return not self.order or self.order == panel_order


@dataclass(frozen=True, slots=True)
class BalanceReading:
    amount: Decimal
    currency: str


def read_add(body: Any, dialect: Dialect, status: int = 200) -> AddAnswer:
    """The answer to `add`. JSON with an error is a no, with an order id a yes."""
    error = body.get("error") if isinstance(body, Mapping) else None
    order = order_id(body.get("order")) if isinstance(body, Mapping) else ""
    if error and order:
        return Silent("both_order_and_error")
    if error:
        return _declined(error, dialect, status)
    if order:
        return Placed(order)
    return _wordless(status)


def _declined(error: Any, dialect: Dialect, status: int) -> Declined:
    """A no with the panel's own words. With a 429 nothing was taken up, whatever they say."""
    text = str(error)[:MOST_TEXT]
    return Declined("outage" if status == 429 else why(text, dialect), text)


def _wordless(status: int) -> Declined | Silent:
    """Neither a yes nor words. A 4xx is a no of the door (key, rate limit, wrong address), not of the shop behind
    it; all else may mean anything."""
    if status == 429:
        return Declined("outage", "429")
    if 300 <= status < 500:
        return Declined("config", f"HTTP {status}")
    return Silent("unreadable")


def read_ask(body: Any, field: str, dialect: Dialect, status: int = 200) -> AskAnswer:
    """The answer to `refill` (an object) or `cancel` (a list with one row). `field`: refill | cancel, holding a number,
    or an object with an error."""
    row = body[0] if isinstance(body, list) and len(body) == 1 else body
    told = row.get(field) if isinstance(row, Mapping) else None
    error = (told.get("error") if isinstance(told, Mapping) else None) or (
        row.get("error") if isinstance(row, Mapping) else None
    )
    if error:
        return _declined(error, dialect, status)
    if told is True:
        return Accepted()
    ticket = order_id(told)
    if ticket:
        return Accepted(ticket)
    return _wordless(status)


def read_refill(row: Any, words: StatusWords) -> RefillWord:
    """How far a refill is. What is not understood is asked about again."""
    told = row.get("status") if isinstance(row, Mapping) else None
    if not isinstance(told, str):
        return "strange"
    lowered = " ".join(told.lower().split())
    if lowered in words.completed:
        return "done"
    if lowered in words.rejected or lowered in words.canceled:
        return "rejected"
    return "running" if lowered in words.pending or lowered in words.running else "strange"


def why(text: str, dialect: Dialect) -> Why:
    """A refusal's class: the first row of the dialect whose words occur in it."""
    lowered = " ".join(text.lower().split())
    for row in dialect.errors:
        if any(word in lowered for word in row.words):
            return row.means
    return "other"


def order_id(value: object) -> str:
    """An order id as text; empty when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    text = str(value).strip()
    usable = 0 < len(text) <= 40 and text.isascii() and all(letter.isalnum() or letter == "-" for letter in text)
    return text if usable and text[0] != "-" and text.strip("0") else ""


def read_status(row: Any, words: StatusWords) -> StatusReading:
    """One order's row. What it does not say, or says in unknown words, is `strange`: keep asking and tell staff."""
    if not isinstance(row, Mapping):
        return StatusReading("strange", str(row)[:MOST_TEXT])
    if row.get("error"):
        return StatusReading("strange", str(row["error"])[:MOST_TEXT])
    text = str(row.get("status") or "")[:MOST_TEXT]
    lowered = " ".join(text.lower().split())
    word: Word = "strange"
    meanings: tuple[Word, ...] = ("pending", "running", "completed", "partial", "canceled")
    for candidate in meanings:
        if lowered in getattr(words, candidate):
            word = candidate
    return StatusReading(
        word,
        text,
        start_count=whole_of(row.get("start_count")),
        remains=whole_of(row.get("remains")),
        charge=decimal_of(row.get("charge")),
        currency=str(row.get("currency") or "")[:8],
    )


def delivered_so_far(reading: StatusReading, quantity: int, before: int) -> int:
    """Progress of a running order. Panels write remains 0 before they start: only a number that makes sense counts."""
    if reading.word != "running" or reading.remains is None or not 0 < reading.remains <= quantity:
        return before
    return max(before, quantity - reading.remains)


def delivered_at_end(reading: StatusReading, quantity: int) -> int | None:
    """What was delivered of an order that ended; None while it has not, or does not say enough to pay by.

    A cancelled order that cost nothing delivered nothing, whatever its remains say. One with nothing left of it either
    delivered everything, or never began at a panel that writes 0 then: nobody is paid back, or not, by that.
    """
    if reading.word == "completed":
        return quantity
    left = None if reading.remains is None else min(max(reading.remains, 0), quantity)
    if reading.word == "partial":
        return None if left is None else quantity - left
    if reading.word == "canceled":
        if left is None or reading.charge == 0:
            return 0
        return quantity - left if left else None
    return None


def read_balance(body: Any) -> BalanceReading | None:
    """None when it says nothing usable."""
    if not isinstance(body, Mapping):
        return None
    amount = decimal_of(body.get("balance"))
    return None if amount is None else BalanceReading(amount, str(body.get("currency") or "")[:8])


def whole_of(value: object) -> int | None:
    """A whole number as panels write them; None when it is none."""
    number = decimal_of(value)
    if number is None or number != number.to_integral_value() or abs(number) >= 10**15:
        return None
    return int(number)


def decimal_of(value: object) -> Decimal | None:
    """A number as panels write them; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    text = str(value).strip().replace(",", "")
    try:
        number = Decimal(text) if 0 < len(text) <= 40 else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() and abs(number.adjusted()) < 30 else None

"""What the driver did, told by nobody else: the third book the checker compares."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(slots=True)
class Sent:
    """Coins the driver moved. `invoice` and `asked`: the quote they were sent for, if any. `kind`: exact, short, ...
    `counts`: a coin we take, to our address, in a transaction that succeeds. `held`: not final until released."""

    hash: str
    payer: int
    asset: str
    amount: Decimal
    kind: str
    invoice: int | None = None
    asked: Decimal | None = None
    counts: bool = True
    held: bool = False


@dataclass
class Record:
    """Everything in the order in which it happened. Times are machine seconds since the start."""

    began: float = field(default_factory=time.monotonic)
    lines: list[str] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    pasted: set[tuple[int, str]] = field(default_factory=set)
    typed: dict[int, list[int]] = field(default_factory=dict)
    """Message ids of what each chat's people wrote."""
    may_open: Counter[int] = field(default_factory=Counter)
    """Requests by which a person may have opened an invoice: each opens one at most."""
    may_reorder: Counter[int] = field(default_factory=Counter)
    """Presses of "Reorder", by the number of the order: each may become one more order for the same link."""
    prices: list[Decimal] = field(default_factory=list)
    """Every price of BNB that was ever shown by anybody."""
    counts: Counter[str] = field(default_factory=Counter)
    """For the summary: kills, postgres, faults, actions, ..."""

    def note(self, who: object, words: str) -> None:
        self.lines.append(f"{time.monotonic() - self.began:8.3f}  {who}: {words}")

    def count(self, what: str) -> None:
        self.counts[what] += 1

    def of(self, user: int) -> list[Sent]:
        return [one for one in self.sent if one.payer == user]

"""Whether a price may be used. Two sources must agree on a coin; a dollar token must be a dollar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

PriceState = Literal["ok", "diverged", "depegged", "stale"]


@dataclass(frozen=True, slots=True)
class Price:
    """A row of payments.prices: the last good price, when it was good, and whether quotes are stopped."""

    coin: str
    state: PriceState
    usd: Decimal | None
    good_at: datetime | None
    looked_at: datetime | None = None

    def usable(self, now: datetime, last_good: timedelta) -> bool:
        """True while quotes may be made from it: in order, and not older than the last good may be."""
        if self.state in ("diverged", "depegged") or self.usd is None or self.good_at is None:
            return False
        return now - self.good_at <= last_good


@dataclass(frozen=True, slots=True)
class Reading:
    """What the sources said of a coin just now; None: that source said nothing usable."""

    first: Decimal | None
    second: Decimal | None


def judge(before: Price, reading: Reading, *, stable: bool, now: datetime, limits: Limits) -> Price:
    """The price after a reading. Silence changes nothing but age; disagreement stops quotes at once."""
    state, usd, good_at = before.state, before.usd, before.good_at
    if stable and reading.first is not None:
        if limits.peg_low <= reading.first <= limits.peg_high:
            state, usd, good_at = "ok", Decimal(1), now
        else:
            state = "depegged"
    elif not stable and reading.first is not None and reading.second is not None:
        if apart(reading.first, reading.second) <= limits.divergence:
            state, usd, good_at = "ok", reading.first, now
        else:
            state = "diverged"
    if state in ("ok", "stale"):
        fresh = good_at is not None and now - good_at <= limits.last_good
        state = "ok" if fresh else "stale"
    return Price(before.coin, state, usd, good_at, now)


@dataclass(frozen=True, slots=True)
class Limits:
    """From settings."""

    divergence: Decimal
    peg_low: Decimal
    peg_high: Decimal
    last_good: timedelta


def apart(one: Decimal, other: Decimal) -> Decimal:
    """How far two prices are apart, as a share of the smaller."""
    return abs(one - other) / min(one, other)

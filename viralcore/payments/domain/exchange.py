"""The exchange rate of naira: whether it may be used, and what a payer is charged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Context, Decimal
from typing import Literal

FxState = Literal["ok", "stale"]
_EXACT = Context(prec=40, rounding=ROUND_CEILING)


@dataclass(frozen=True, slots=True)
class FxReading:
    """What the source said just now. `source_at`: when it says the rate was made."""

    per_usd: Decimal
    source_at: datetime


@dataclass(frozen=True, slots=True)
class FxRate:
    """A row of payments.fx: the last good rate. `good_at`: when a look last brought one; `looked_at`: the last look."""

    currency: str
    state: FxState
    per_usd: Decimal | None
    source_at: datetime | None
    good_at: datetime | None
    looked_at: datetime

    def usable(self, now: datetime, longest: timedelta) -> bool:
        """By the source's own time: how lately we asked says nothing of how old the answer was."""
        return self.per_usd is not None and self.source_at is not None and now - self.source_at <= longest


def judge(before: FxRate, reading: FxReading | None, *, now: datetime, longest: timedelta, ahead: timedelta) -> FxRate:
    """The rate after a look. Silence changes nothing but age; an answer that is too old, older than what we have, or
    from the future (it would never grow old) is no answer."""
    per_usd, source_at, good_at = before.per_usd, before.source_at, before.good_at
    believable = reading is not None and now - longest <= reading.source_at <= now + ahead
    if reading is not None and believable and (source_at is None or not reading.source_at < source_at <= now + ahead):
        per_usd, source_at, good_at = reading.per_usd, reading.source_at, now
    after = FxRate(before.currency, "ok", per_usd, source_at, good_at, now)
    return after if after.usable(now, longest) else FxRate(before.currency, "stale", per_usd, source_at, good_at, now)


def usd_per_unit(per_usd: Decimal, spread: Decimal) -> Decimal:
    """USD for one naira as it is charged, rounded up in its fortieth digit: the smallest number of kobo that is worth
    the dollars asked for is then exactly what multiplying gives, and is worth them when it is turned back."""
    return _EXACT.divide(Decimal(1), per_usd + spread)


def due_again(rate: FxRate | None, *, now: datetime, fetch: timedelta, retry: timedelta) -> bool:
    """Whether it is time to look: often while there is none to use, seldom while there is."""
    if rate is None or rate.looked_at > now:
        return True
    answered = rate.state == "ok" and rate.good_at == rate.looked_at
    return now - rate.looked_at >= (fetch if answered else retry)

"""Which panel is asked first: the one an owner prefers, then those that do their work, then the order of the settings.

A record counts in steps, so that noise changes nothing, and only with enough orders behind it: who is new keeps the
place the settings gave. Two panels of the same step stay in that order, whatever their last percent says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from viralcore.boosts.config import Care


@dataclass(frozen=True, slots=True)
class Record:
    """A panel's work for us lately. `samples`: orders it was sent that say something about it; `success`: the part of
    them it took; `cancelled`: the part of what it took that it ended early; `first_seconds`: the median time to a first
    delivery."""

    samples: int = 0
    success: Decimal | None = None
    cancelled: Decimal | None = None
    first_seconds: int | None = None


def ranked(
    names: Sequence[str], records: Mapping[str, Record], *, preferred: str | None, care: Care
) -> tuple[str, ...]:
    """Panels in the order in which they are asked."""
    return tuple(sorted(names, key=lambda name: (name != preferred, *_worth(records.get(name, Record()), care))))


def _worth(record: Record, care: Care) -> tuple[Decimal, bool]:
    """Smaller is better."""
    if record.samples < care.rates_samples:
        return Decimal(0), False
    did = (record.success or Decimal(0)) * (1 - (record.cancelled or Decimal(0)))
    steps = ((1 - did) / care.rates_step).to_integral_value(rounding=ROUND_HALF_UP)
    slow = record.first_seconds is not None and record.first_seconds > care.slow_minutes * 60
    return steps, slow


def days_left(balance: Decimal | None, spent_a_day: Decimal | None) -> Decimal | None:
    """How long a balance lasts at what we spend, to a tenth of a day; None when nobody can say."""
    if balance is None or spent_a_day is None or spent_a_day <= 0:
        return None
    return (max(balance, Decimal(0)) / spent_a_day).quantize(Decimal("0.1"))

"""What a purchase pays to whoever brought its buyer, and how a change of that meets a balance. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal

_PAYLOAD = re.compile(r"ref_([1-9][0-9]{0,15})")
PREFIX = "ref_"


def referrer_in(payload: str | None) -> int | None:
    """Whose link it was; None when what followed /start is no referral."""
    found = _PAYLOAD.fullmatch(payload or "")
    return int(found[1]) if found else None


def due(*, paid: int, returned: int, percent: Decimal) -> int:
    """Cents of commission on what of a purchase was paid and not given back, rounded down."""
    kept = max(paid - returned, 0)
    return int((Decimal(kept) * percent / 100).to_integral_value(ROUND_FLOOR))


def commissionable(*, refunded: int, paid: int, total: int) -> int:
    """What of a refund had paid commission, when the refund says nothing of it: its share of the price. Rounded up, so
    that nobody earns on money that went back."""
    if paid >= total:
        return refunded
    return -(-refunded * paid // total)


@dataclass(frozen=True, slots=True)
class Change:
    """What a commission (above zero) or reversal (below) does. `cents` = `to_balance` - `receivable`; `receivable` is
    what is owed more (or, below zero, less) than before."""

    cents: int
    to_balance: int
    receivable: int


def change(cents: int, *, available: int, owed: int) -> Change:
    """A commission pays first what is owed; a reversal takes what is there, the rest is owed."""
    if cents >= 0:
        back = min(cents, owed)
        return Change(cents, cents - back, -back)
    taken = min(-cents, max(available, 0))
    return Change(cents, -taken, -cents - taken)


def months(last: date, how_many: int) -> list[date]:
    """The first days of so many months that end with the one of `last`, oldest first."""
    number = last.year * 12 + last.month - 1
    return [date(n // 12, n % 12 + 1, 1) for n in range(number - how_many + 1, number + 1)]

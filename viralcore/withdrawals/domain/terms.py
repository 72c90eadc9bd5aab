"""What an amount is worth, what may be asked for, and how long a promise holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal

from viralcore.core.money import NGN, USD, Money, exact, floor_money
from viralcore.withdrawals.api import Source, TooLittle, TooMuch
from viralcore.withdrawals.config import Limits, TermsRules
from viralcore.withdrawals.domain.states import ASSETS, Terms

Outdated = Literal["", "age", "rate"]
_HUNDRED = Decimal(100)
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Worth:
    """`rate`: naira per unit of the source's asset, as it is stored. `gross`: kobo. `cents`: its value in USD, rounded
    up where it decides whether a limit is passed."""

    rate: Decimal
    gross: int
    cents: int


def payout_rate(live: Decimal | None, rules: TermsRules) -> Decimal | None:
    """What a dollar is paid out at; None while there is no rate, or nothing left of it."""
    if live is None or live - rules.spread_ngn <= 0:
        return None
    return live - rules.spread_ngn


def worth(source: Source, amount: int, dollar: Decimal) -> Worth:
    """`dollar`: naira a dollar is paid out at. What we pay is rounded down to the kobo."""
    if ASSETS[source] == NGN:
        cents = (Decimal(amount) / dollar).to_integral_value(rounding=ROUND_CEILING)
        return Worth(ONE, amount, int(cents))
    return Worth(dollar, floor_money(Decimal(amount) / _HUNDRED * dollar, NGN).minor, amount)


def least(source: Source, dollar: Decimal, limits: Limits) -> Money:
    """The smallest amount of a source that is worth the minimum."""
    minimum = exact(limits.minimum_ngn, NGN)
    if ASSETS[source] == NGN:
        return minimum
    return Money(int((Decimal(minimum.minor) / dollar).to_integral_value(rounding=ROUND_CEILING)), USD)


def most(source: Source, dollar: Decimal, limits: Limits) -> Money:
    """The largest amount of a source within the maximum."""
    maximum = exact(limits.maximum_usd, USD)
    if ASSETS[source] == USD:
        return maximum
    return Money(int((Decimal(maximum.minor) * dollar).to_integral_value(rounding=ROUND_FLOOR)), NGN)


def require_within(source: Source, amount: int, dollar: Decimal, limits: Limits) -> None:
    """Raises TooLittle, TooMuch."""
    low, high = least(source, dollar, limits), most(source, dollar, limits)
    if amount < low.minor:
        raise TooLittle(minimum=exact(limits.minimum_ngn, NGN), least=low)
    if amount > high.minor:
        raise TooMuch(maximum=exact(limits.maximum_usd, USD), most=high)


def drift(source: Source, locked: Decimal, live: Decimal | None) -> Decimal | None:
    """Percent by which the live rate differs from the locked one, in either direction; 0 where naira are paid as
    naira; None while there is no rate."""
    if ASSETS[source] == NGN:
        return Decimal(0)
    if live is None:
        return None
    return abs(live - locked) * _HUNDRED / locked


def outdated(
    source: Source, terms: Terms, *, since: datetime, now: datetime, live: Decimal | None, rules: TermsRules
) -> Outdated:
    """Why terms no longer hold: too old, or the rate moved too far. While there is no live rate only age counts."""
    if now - since >= timedelta(hours=rules.valid_hours):
        return "age"
    moved = drift(source, terms.rate, live)
    return "rate" if moved is not None and moved > rules.drift_percent else ""


def abandoned(asked_at: datetime | None, now: datetime, rules: TermsRules) -> bool:
    """New terms nobody confirmed for too long."""
    return asked_at is not None and now - asked_at >= timedelta(days=rules.abandon_days)


def fresh(source: Source, amount: int, fee: int, dollar: Decimal) -> Terms | None:
    """Terms as they are at this rate; None when the fee leaves nothing."""
    now = worth(source, amount, dollar)
    return Terms(now.rate, now.gross, fee) if fee < now.gross else None

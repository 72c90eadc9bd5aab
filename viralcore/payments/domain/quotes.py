"""The amount asked for: dollars at a locked rate, rounded up, plus a tail nobody else is asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal


@dataclass(frozen=True, slots=True)
class Scale:
    """How an asset is counted and shown. `shown` decimals, of which the last `tail_digits` are the tail."""

    decimals: int
    shown: int
    tail_digits: int

    @property
    def unit(self) -> int:
        """Raw amount of the last shown digit."""
        return int(10 ** (self.decimals - self.shown))

    @property
    def step(self) -> int:
        """Raw amount between two bases: one more than the longest tail."""
        return int(self.unit * 10**self.tail_digits)


def base_amount(cents: int, rate: Decimal, scale: Scale) -> int:
    """The smallest base (raw, a multiple of `scale.step`) worth at least `cents`."""
    top, bottom = rate.as_integer_ratio()
    raw = -(-cents * bottom * 10**scale.decimals // (100 * top))
    return int(-(-raw // scale.step) * scale.step)


def bases(cents: int, rate: Decimal, scale: Scale, *, rise_cents: int, rises: int) -> Iterator[int]:
    """The base, and the ones it rises to when no tail is free, each only once."""
    last = -1
    for rise in range(rises + 1):
        base = base_amount(cents + rise * rise_cents, rate, scale)
        if base != last:
            last = base
            yield base


def free_tails(base: int, taken: Collection[int], scale: Scale) -> list[int]:
    """Amounts (raw) over `base` that nobody is asked for. A tail is never zero: it must be seen."""
    busy, unit = set(taken), scale.unit  # ten thousand times: nothing is worked out twice
    return [amount for amount in range(base + unit, base + scale.step, unit) if amount not in busy]


def shown_amount(raw: int, scale: Scale) -> Decimal:
    """A raw amount in whole coins, with all of its shown decimals: 15.001200 stays 15.001200."""
    exact = whole_coins(raw, scale.decimals)
    return exact.quantize(Decimal(1).scaleb(-scale.shown)) if raw % scale.unit == 0 else exact


def whole_coins(raw: int, decimals: int) -> Decimal:
    """A raw amount in whole coins, exact, without trailing zeros."""
    sign, digits, _ = Decimal(raw).as_tuple()
    exact = Decimal((sign, digits, -decimals))
    text = format(exact, "f")
    return Decimal(text.rstrip("0").rstrip(".")) if "." in text else exact


def plain(coins: Decimal) -> str:
    """Whole coins as a person writes them, never in exponent form."""
    return format(coins, "f")


def rate_of(price: Decimal) -> Decimal:
    """A price as it is locked: USD per coin, 8 decimals."""
    return price.quantize(Decimal("0.00000001"), rounding=ROUND_HALF_EVEN)

"""Money: integers of minor units with an asset. Rounding is named at every call; nothing here is a binary float."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation

USD = "USD"
NGN = "NGN"
_DECIMALS = {USD: 2, NGN: 2}
_PLAIN = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")


def decimals(asset: str) -> int:
    """Decimal places of an asset's minor unit: 2 for USD and NGN, 0 for post credits."""
    return _DECIMALS.get(asset, 0)


def parse_decimal(text: str) -> Decimal:
    """A plain decimal number (digits, one dot). Raises ValueError on anything else, exponents included."""
    if len(text) > 60 or not _PLAIN.fullmatch(text):
        raise ValueError(f"not a plain decimal: {text[:20]!r}")
    try:
        return Decimal(text)
    except InvalidOperation as error:  # pragma: no cover - the pattern admits only what Decimal reads
        raise ValueError("not a plain decimal") from error


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in minor units (cents, kobo, whole credits) of one asset."""

    minor: int
    asset: str

    def __post_init__(self) -> None:
        if not isinstance(self.minor, int) or isinstance(self.minor, bool):
            raise TypeError("minor units are integers")

    @property
    def decimal(self) -> Decimal:
        """The amount in major units."""
        return Decimal(self.minor).scaleb(-decimals(self.asset))

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.asset)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.asset)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.asset)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._same(other)

    def _same(self, other: Money) -> int:
        if other.asset != self.asset:
            raise ValueError(f"{self.asset} and {other.asset} do not mix")
        return other.minor


def usd(text: str | int | Decimal) -> Money:
    """Exact dollars: `usd("15.50")`. Raises ValueError when the amount has fractions of a cent."""
    return exact(Decimal(text), USD)


def ngn(text: str | int | Decimal) -> Money:
    """Exact naira. Raises ValueError when the amount has fractions of a kobo."""
    return exact(Decimal(text), NGN)


def exact(amount: Decimal, asset: str) -> Money:
    """Major units to Money without rounding; ValueError when it does not fit."""
    scaled = amount.scaleb(decimals(asset))
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount} is finer than a minor unit of {asset}")
    return Money(int(scaled), asset)


def ceil_money(amount: Decimal, asset: str) -> Money:
    """Round up to the minor unit: what a customer is charged."""
    return Money(int(amount.scaleb(decimals(asset)).to_integral_value(rounding=ROUND_CEILING)), asset)


def floor_money(amount: Decimal, asset: str) -> Money:
    """Round down to the minor unit: commissions, refunds, what we credit."""
    return Money(int(amount.scaleb(decimals(asset)).to_integral_value(rounding=ROUND_FLOOR)), asset)

"""Reading amounts of money that people type."""

from __future__ import annotations

import re

from viralcore.core.money import NGN, USD, Money, exact, parse_decimal

_DOLLARS = re.compile(r"([0-9]{1,9}|[0-9]{1,3}(?:,[0-9]{3}){1,2})(\.[0-9]{1,2})?")
_SIGN = re.compile(r"^\s*\$?\s*|\s*(?:\$|usd|usdt|dollars?)?\s*$", re.IGNORECASE)
_NAIRA = re.compile(r"^\s*(?:₦|ngn|n(?=\s?[0-9]))?\s*|\s*(?:ngn|naira)?\s*$", re.IGNORECASE)
_ASCII_SPACE = re.compile(r"[\u00a0\u202f]")


def dollars(text: str) -> Money | None:
    """``12``, ``12.50``, ``$12.5`` and ``1,000``; None when it is no amount to the cent or can be read in two ways, as
    ``9.999`` and ``1,5``."""
    return _money(text, _SIGN, USD)


def naira(text: str) -> Money | None:
    """As `dollars`: ``5000``, ``₦5,000``, ``N5,000.50``, ``5000 naira``."""
    return _money(text, _NAIRA, NGN)


def _money(text: str, sign: re.Pattern[str], asset: str) -> Money | None:
    found = _DOLLARS.fullmatch(sign.sub("", _ASCII_SPACE.sub(" ", text)))
    if found is None:
        return None
    return exact(parse_decimal(found[1].replace(",", "") + (found[2] or "")), asset)

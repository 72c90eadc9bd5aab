"""Account numbers: ten digits (NUBAN), recognised again by a fingerprint, shown as their last four."""

from __future__ import annotations

import re

from viralcore.withdrawals.api import BadAccount

PURPOSE = "withdrawals.account"
_TEN = re.compile(r"[0-9]{10}")
_SPACING = re.compile(r"[\s.\-]+")


def number(text: str) -> str:
    """What somebody typed as an account number; blanks, dots and dashes between the digits are forgiven. Raises
    BadAccount."""
    found = _SPACING.sub("", text) if len(text) <= 40 else ""
    if not found.isascii() or not _TEN.fullmatch(found):
        raise BadAccount(problem="digits")
    return found


def identity(bank_code: str, account_number: str) -> str:
    """What is fingerprinted: the same number at another bank is another account."""
    return f"{bank_code}:{account_number}"

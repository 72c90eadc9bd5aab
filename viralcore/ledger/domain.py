"""What a posting must be, before the database is asked. The same rules stand in the database; both are meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import get_args

from viralcore.core.money import NGN, USD
from viralcore.ledger.api import AFFILIATE, BONUS, CREDITS, REPLY, WALLET, Account, Entry, Kind, NewPosting, Unbalanced

LARGEST = 2**62
"""Amounts stay well inside BIGINT, so that sums cannot overflow."""
MOST_ENTRIES = 100
MOST_POSTINGS = 1000
KINDS = frozenset(get_args(Kind))

_OWNER = re.compile(r"user:[1-9][0-9]{0,18}")
_HOUSE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_:.-]{0,60}")
_CREDIT = re.compile(r"[a-z][a-z0-9_]{0,30}(-[0-9]{1,12})?")
_ASSET_OF = {WALLET: USD, BONUS: USD, AFFILIATE: USD, REPLY: NGN}


def is_credit(asset: str) -> bool:
    """Whether an asset code is a plan's credit (``t3``, ``tgt-15``, ``custom-7``)."""
    return asset not in (USD, NGN) and _CREDIT.fullmatch(asset) is not None


def account_problem(account: Account) -> str | None:
    """Why this account cannot exist, or None."""
    if account.asset not in (USD, NGN) and not is_credit(account.asset):
        return f"no asset is called {account.asset!r}"
    if account.owner == "house":
        return None if _HOUSE_NAME.fullmatch(account.name) else f"no house account is called {account.name!r}"
    if not _OWNER.fullmatch(account.owner):
        return f"no owner is called {account.owner!r}"
    if account.name == CREDITS:
        return None if is_credit(account.asset) else f"credits are not kept in {account.asset}"
    if _ASSET_OF.get(account.name) != account.asset:
        return f"no user account is called {account.name!r} in {account.asset}"
    return None


def _entry_problem(entry: Entry) -> str | None:
    if not isinstance(entry.amount, int) or isinstance(entry.amount, bool):
        return "an amount is not an integer"
    if entry.amount == 0 or abs(entry.amount) > LARGEST:
        return "an amount is zero or beyond reason"
    opens_lot = entry.account.owner != "house" and is_credit(entry.account.asset) and entry.amount > 0
    if opens_lot and (entry.unit_cost is None or not entry.unit_cost.is_finite() or entry.unit_cost < 0):
        return "credits given to a user need the price paid for one"
    if not opens_lot and entry.unit_cost is not None:
        return "a unit cost belongs to credits given to a user, and only there"
    takes = entry.account.owner != "house" and is_credit(entry.account.asset) and entry.amount < 0
    if entry.lot is not None and not (takes and 1 <= len(entry.lot) <= 200):
        return "a lot is named for credits taken from a user, and only there"
    return account_problem(entry.account)


def posting_problem(posting: NewPosting) -> str | None:
    """Why this is not a posting, or None."""
    if not 1 <= len(posting.key) <= 200 or not 1 <= len(posting.description) <= 500:
        return "the key or the description is empty or too long"
    if posting.kind not in KINDS:
        return f"no kind is called {posting.kind!r}"
    if not 2 <= len(posting.entries) <= MOST_ENTRIES:
        return "a posting has 2 to 100 entries"
    sums: dict[str, int] = {}
    for entry in posting.entries:
        problem = _entry_problem(entry)
        if problem is not None:
            return problem
        sums[entry.account.asset] = sums.get(entry.account.asset, 0) + entry.amount
    named = [(entry.account, entry.lot) for entry in posting.entries if entry.lot is not None]
    if len(set(named)) < len(named):
        return "a lot is named twice"
    off = {asset: total for asset, total in sums.items() if total != 0}
    return f"it is off by {off}" if off else None


def check_posting(posting: NewPosting) -> None:
    """Raises Unbalanced."""
    problem = posting_problem(posting)
    if problem is not None:
        raise Unbalanced(key=posting.key, problem=problem)


def check_hold(key: str, account: Account, amount: int) -> None:
    """Raises Unbalanced."""
    problem = account_problem(account)
    if account.owner == "house":
        problem = "the house does not hold money against itself"
    elif not isinstance(amount, int) or not 0 < amount <= LARGEST:
        problem = "a hold is of an amount above zero"
    elif not 1 <= len(key) <= 200:
        problem = "the key is empty or too long"
    if problem is not None:
        raise Unbalanced(key=key, problem=problem)


def check_capture(key: str, account: Account, amount: int, entries: Sequence[Entry]) -> None:
    """A capture takes exactly what is held. Raises Unbalanced."""
    taken = -sum(entry.amount for entry in entries if entry.account == account)
    if taken != amount:
        raise Unbalanced(key=key, problem=f"the hold is of {amount}, the entries take {taken}")


def out_of_balance(rows: Sequence[tuple[str, str, int]]) -> dict[str, int]:
    """The assets of a trial balance that do not sum to zero, and by how much."""
    totals: dict[str, int] = {}
    for _, asset, total in rows:
        totals[asset] = totals.get(asset, 0) + total
    return {asset: total for asset, total in totals.items() if total != 0}

"""Whose money it is, and what it settles. Pure: the crediting transaction does exactly what is answered."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from viralcore.payments.api import InvoiceState
from viralcore.payments.domain.chain import Incoming

Outcome = Literal["exact", "tolerated", "shortfall", "excess", "late"]


@dataclass(frozen=True, slots=True)
class Ask:
    """An amount that was asked for and is still reserved, with what must be known of its invoice.

    `quoted_at`: when this amount was first asked for.
    """

    quote_id: int
    invoice_id: int
    user_id: int
    asset: str
    amount: int
    invoice_created_at: datetime
    quoted_at: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """One amount of a transaction that is booked by itself. `ask` None: nobody's; `reason` says why."""

    asset: str
    position: int
    amount: int
    ask: Ask | None
    exact: bool
    reason: str


def explain(
    incoming: Incoming,
    *,
    asks: Sequence[Ask],
    claimants: Collection[int],
    block_time: datetime,
    early: timedelta,
    early_inexact: timedelta,
    window: Decimal,
) -> tuple[Part, ...]:
    """Split what arrived into parts and find each part's invoice.

    The whole amount is tried first. If it is nobody's exact amount and came in several transfers (an exchange paying
    two people in one transaction), those that are exact amounts of different invoices stand alone; the rest is one
    part.
    `asks`: every reserved amount on this asset that could matter. `claimants`: people who pasted this hash.
    """
    asks = [ask for ask in asks if ask.asset == incoming.asset]
    timely = [ask for ask in asks if block_time >= ask.invoice_created_at - early]
    by_amount = {ask.amount: ask for ask in timely}
    if (whole := by_amount.get(incoming.amount)) is not None:
        return (Part(incoming.asset, incoming.position, incoming.amount, whole, True, ""),)
    alone: list[Part] = []
    rest: list[tuple[int, int]] = []
    used: set[int] = set()
    for position, amount in incoming.parts if len(incoming.parts) > 1 else ():
        ask = by_amount.get(amount)
        if ask is not None and ask.invoice_id not in used:
            used.add(ask.invoice_id)
            alone.append(Part(incoming.asset, position, amount, ask, True, ""))
        else:
            rest.append((position, amount))
    if alone and not rest:
        return tuple(alone)
    if alone:
        first, amount = min(rest)[0], sum(amount for _, amount in rest)
    else:
        first, amount = incoming.position, incoming.amount
    ask, reason = _pasted(amount, asks, claimants, block_time=block_time, early=early_inexact, window=window)
    remainder = Part(incoming.asset, first, amount, ask, False, reason)
    return tuple(sorted([*alone, remainder], key=lambda part: part.position))


def _pasted(
    amount: int,
    asks: Iterable[Ask],
    claimants: Collection[int],
    *,
    block_time: datetime,
    early: timedelta,
    window: Decimal,
) -> tuple[Ask | None, str]:
    """An inexact amount belongs to a paster whose invoice is the only one near it, anybody's invoices counted.

    It must be younger than the quote: who sees strange money arrive must not have time to open an invoice for it.
    """
    near: dict[int, Ask] = {}
    for ask in asks:
        if ask.amount != amount and not is_near(ask.amount, amount, window):
            continue
        known = near.get(ask.invoice_id)
        if known is None or abs(ask.amount - amount) < abs(known.amount - amount):
            near[ask.invoice_id] = ask
    if not near:
        return None, "no_invoice"
    if len(near) > 1:
        return None, "ambiguous"
    (only,) = near.values()
    if block_time < only.quoted_at - early:
        return None, "too_old"
    if only.user_id not in claimants:
        return None, "ambiguous" if claimants else "unclaimed"
    return only, ""


def is_near(asked: int, amount: int, window: Decimal) -> bool:
    """Within `window` of each other, measured against the larger."""
    top, bottom = window.as_integer_ratio()
    return abs(asked - amount) * bottom <= max(asked, amount) * top


def near_range(amount: int, window: Decimal) -> tuple[int, int]:
    """The smallest and largest asked amounts that `is_near` could accept."""
    top, bottom = window.as_integer_ratio()
    return amount * (bottom - top) // bottom, amount * bottom // (bottom - top) + 1


def value_cents(amount: int, *, decimals: int, rate: Decimal) -> int:
    """What a raw amount is worth, rounded down to the cent. Exact integer arithmetic."""
    top, bottom = rate.as_integer_ratio()
    return int(amount * top * 100 // (bottom * 10**decimals))


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a credited amount does. Everything goes to the wallet first; then `fulfils` takes the total out of it.

    `forgiven`: cents of the tolerance account; `to_wallet`: cents of the money that stay in the wallet.
    """

    outcome: Outcome
    fulfils: bool
    forgiven: int
    to_wallet: int


def settle(
    *,
    value: int,
    due: int,
    tolerance: Decimal,
    state: InvoiceState,
    on_time: bool,
    exact: bool,
    topup: bool,
    wallet_part_there: bool,
) -> Settlement:
    """Judge a credited value against its invoice.

    `due`: cents its quote asked for. `wallet_part_there`: the rest of the total, which an earlier shortfall put into
    the wallet, can still be taken from it. A top-up is fulfilled by any amount: its money is where it should be.
    """
    if state in ("paid", "cancelled"):
        return Settlement("excess" if state == "paid" else "late", False, 0, value)
    short = due - value
    top, bottom = tolerance.as_integer_ratio()
    tolerated = short <= due * top // bottom
    if topup:
        return Settlement(_word(short, tolerated, on_time, exact), True, 0, value)
    if not tolerated or not wallet_part_there:
        return Settlement("shortfall" if on_time else "late", False, 0, value)
    forgiven = max(short, 0)
    return Settlement(_word(short, tolerated, on_time, exact), True, forgiven, max(-short, 0))


def _word(short: int, tolerated: bool, on_time: bool, exact: bool) -> Outcome:
    if not on_time:
        return "late"
    if exact and short <= 0:
        return "exact"
    if short > 0:
        return "tolerated" if tolerated else "shortfall"
    return "excess" if short < 0 else "exact"

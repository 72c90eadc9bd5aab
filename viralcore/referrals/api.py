"""The door of referrals: who brought whom, what it earned, what was taken back (PRODUCT 7).

Units: Money in USD, to the cent. Months and days are UTC. Commissions and reversals are made by events (a purchase was
paid, money of it went back), never by a call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from viralcore.core.money import Money


@dataclass(frozen=True, slots=True)
class ReferralStats:
    """`people`: bound to this person; `active`: of them, those who bought at least once. `earned` and `this_month`:
    commissions less reversals (a month can be below zero). `available`: what the affiliate balance has free.
    `receivable`: taken from later commissions, because the balance could not cover a reversal."""

    people: int
    active: int
    earned: Money
    this_month: Money
    available: Money
    receivable: Money


@dataclass(frozen=True, slots=True)
class MonthEarnings:
    """`month`: its first day. `reversed`: taken back in this month, whenever it was earned."""

    month: date
    earned: Money
    reversed: Money


@dataclass(frozen=True, slots=True)
class CommissionView:
    """One commission, or one reversal (`amount` below zero). `to_balance`: what of it the affiliate balance gained or
    lost; the rest lowered or raised the receivable."""

    id: int
    referrer_id: int
    buyer_id: int
    invoice_id: int
    item_ref: str
    amount: Money
    to_balance: Money
    at: datetime


@dataclass(frozen=True, slots=True)
class ReferralFacts:
    """What fraud rules ask of one person. `referrer_id`: who brought them. `busiest_day`: most people they brought
    within one day. `top_buyer_share`: of their gross commissions, what came from one buyer. `reversed_share`: of their
    gross commissions, what was taken back. Shares are from 0 to 1; 0 when nothing was earned."""

    user_id: int
    referrer_id: int | None
    people: int
    active: int
    busiest_day: int
    earned: Money  # gross
    reversed: Money
    receivable: Money
    top_buyer_share: Decimal
    reversed_share: Decimal


class Referrals(Protocol):
    def percent(self) -> Decimal:
        """What new purchases pay, in percent."""
        ...

    def link(self, *, user_id: int, bot_username: str) -> str:
        """The link that binds whoever comes through it."""
        ...

    async def stats(self, *, user_id: int) -> ReferralStats:
        """Of anybody, zero for those who brought nobody."""
        ...

    async def by_month(self, *, user_id: int) -> tuple[MonthEarnings, ...]:
        """The last twelve months (a setting), oldest first, this one included; months without earnings too."""
        ...

    async def commissions(
        self, *, user_id: int, before_id: int | None = None, limit: int = 20
    ) -> tuple[CommissionView, ...]:
        """Newest first, keyset-paged by id; at most 100."""
        ...

    async def get_many(self, *, user_ids: Sequence[int]) -> Mapping[int, ReferralFacts]:
        """Facts of each, at most 500 at once; also of people who brought nobody."""
        ...

    async def ties(self, *, user_ids: Sequence[int]) -> tuple[tuple[int, int], ...]:
        """(person, who brought them) where both are among `user_ids`: who of those that share something, as a bank
        account, are a ring of referrals. At most 500 at once."""
        ...

"""What happened to referrals. Amounts are cents of USD, never below zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from viralcore.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralBound(Event):
    """Somebody came through a referral link for the first time."""

    NAME: ClassVar[str] = "referrals.bound.v1"
    user_id: int
    referrer_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionEarned(Event):
    """`cents` = `to_balance` + `to_receivable`; the latter paid back what an earlier reversal had left open."""

    NAME: ClassVar[str] = "referrals.commission_earned.v1"
    referrer_id: int
    buyer_id: int
    invoice_id: int
    item_ref: str
    cents: int
    to_balance: int
    to_receivable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionReversed(Event):
    """Money of a purchase went back, and its commission with it. `cents` = `from_balance` + `receivable`; the latter
    will be taken from later commissions."""

    NAME: ClassVar[str] = "referrals.commission_reversed.v1"
    referrer_id: int
    buyer_id: int
    invoice_id: int
    item_ref: str
    cents: int
    from_balance: int
    receivable: int

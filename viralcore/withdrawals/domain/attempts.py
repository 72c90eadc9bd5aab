"""What a transfer's record at the provider means for an attempt and its request. Unknown is a state of its own.

The number of an attempt rises only after the attempt before was read as FAILED for a passing reason; a lost answer
never raises it. SUCCESSFUL never reverts by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from viralcore.withdrawals.config import Sending
from viralcore.withdrawals.domain.states import Attempt, Request

TransferStatus = Literal["new", "pending", "successful", "failed"]
Why = Literal["passing", "account", "final", "config"]
"""As `ports` explains them."""
Verdict = Literal["paid", "queued", "again", "fail", "late_success", "late_failure", "nothing"]
"""paid: complete it. queued: under way. again: another attempt. fail: give it back. late_*: too late to act by
itself: staff must look. nothing: known already."""
Resend = Literal["wait", "send", "leave"]
PASSING: frozenset[Why] = frozenset({"passing", "config"})
"""config: nothing is wrong with the receiver; it goes through once staff have seen to our account."""


def read(request: Request, attempt: Attempt, status: TransferStatus, why: Why | None, *, retries: int) -> Verdict:
    """`attempt`: the one the record is of; `request` as it stands under its lock."""
    if status == "successful":
        return _successful(request, attempt)
    if status == "failed":
        return _failed(request, attempt, why, retries)
    return "queued" if attempt.state in ("sending", "unknown", "accepted") else "nothing"


def _successful(request: Request, attempt: Attempt) -> Verdict:
    if attempt.state == "succeeded":
        return "nothing"
    if attempt.open:
        return "paid"
    # Read as FAILED before. Where no other attempt was made of it, it is simply paid after all.
    waits = request.state == "processing" and request.next_attempt_at is not None
    return "paid" if waits else "late_success"


def _failed(request: Request, attempt: Attempt, why: Why | None, retries: int) -> Verdict:
    if attempt.state == "succeeded":
        return "late_failure"
    if not attempt.open:
        return "nothing"
    return "again" if why in PASSING and attempt.n <= retries else "fail"


def reason_of(why: Why | None) -> str:
    """Why a request failed, as its owner is told: see api.WithdrawalView."""
    if why == "account":
        return "account"
    return "bank" if why in PASSING else "declined"


def resend(attempt: Attempt, *, now: datetime, rules: Sending) -> Resend:
    """The provider does not know it, and did not before: may it be sent again, under the same reference?"""
    if attempt.missing_since is None or now - attempt.missing_since < timedelta(seconds=rules.quiet_seconds):
        return "wait"
    return "send" if attempt.sends <= rules.resends else "leave"


def ask_delay(asks: int, rules: Sending) -> timedelta:
    """Seldom and seldomer: each wait half as long again as the one before."""
    seconds = rules.first_ask_seconds
    for _ in range(min(asks, 60)):
        if seconds >= rules.longest_ask_seconds:
            break
        seconds = seconds * 3 // 2 + 1
    return timedelta(seconds=min(seconds, rules.longest_ask_seconds))


def may_give_back(attempt: Attempt | None, *, now: datetime, rules: Sending) -> bool:
    """Whether an unconfirmed transfer was not found for so long that staff may say it never happened."""
    if attempt is None or attempt.missing_since is None:
        return False
    return now - attempt.missing_since >= timedelta(hours=rules.give_back_hours)


@dataclass(frozen=True, slots=True)
class Booked:
    """How naira leave the books, in kobo. `payout`: what left our account at the provider; `fees`: what was kept of
    the fee, negative where it cost more than was charged."""

    payout: int
    fees: int


def booked(*, gross: int, net: int, fee: int | None) -> Booked:
    """`fee`: what sending really cost; None where nobody said: then what was charged for it."""
    payout = gross if fee is None else net + fee
    return Booked(payout, gross - payout)

"""What a transfer's record at the provider means for an attempt and its request. Unknown is a state of its own.

The number of an attempt rises only after the attempt before was read as FAILED for a passing reason, or is proven never
to have been sent at all; a lost answer never raises it. SUCCESSFUL never reverts by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from viralcore.withdrawals.config import Sending
from viralcore.withdrawals.domain.states import Attempt, Request

TransferStatus = Literal["new", "pending", "successful", "failed"]
Why = Literal["passing", "account", "final", "config"]
"""As `ports` explains them."""
Verdict = Literal["paid", "instead", "queued", "again", "fail", "late_success", "twice", "late_failure", "nothing"]
"""paid: complete it. instead: complete it, and end the next attempt, which never left. queued: under way. again:
another attempt. fail: give it back. late_*: too late to act by itself: staff must look. twice: so is this, and another
attempt may be paid as well. nothing: known already."""
Resend = Literal["wait", "send", "leave"]
PASSING: frozenset[Why] = frozenset({"passing", "config"})
"""config: nothing is wrong with the receiver; it goes through once staff have seen to our account."""


def read(
    request: Request,
    attempt: Attempt,
    status: TransferStatus,
    why: Why | None,
    *,
    retries: int,
    other: Attempt | None = None,
) -> Verdict:
    """`attempt`: the one the record is of; `request` as it stands under its lock. `other`: another attempt of it that
    may still be paid, under its lock."""
    if status == "successful":
        return _successful(request, attempt, other)
    if status == "failed":
        return _failed(request, attempt, why, retries)
    return "queued" if attempt.state in ("sending", "unknown", "accepted") else "nothing"


def _successful(request: Request, attempt: Attempt, other: Attempt | None) -> Verdict:
    if attempt.state == "succeeded":
        return "nothing"
    if attempt.open:
        return "paid"
    # Read as FAILED before. Where no other attempt was sent of it, it is simply paid after all.
    if other is not None:
        return "instead" if never_sent(other) else "twice"
    waits = request.state == "processing" and request.next_attempt_at is not None
    return "paid" if waits or request.state == "approved" else "late_success"


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
    """The provider does not know it, and did not before: may it be sent again, under the same reference? Never what the
    provider had taken already: that it does not show it any more is for staff to look into."""
    if attempt.provider_id:
        return "leave"
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


def never_sent(attempt: Attempt) -> bool:
    """Whether it is proven that nothing of it ever left: every sending is counted, and on disk, before its call."""
    return attempt.open and attempt.sends == 0 and not attempt.provider_id and not attempt.seen


def dead(attempt: Attempt | None, *, rules: Sending) -> bool:
    """Whether an open transfer may be taken for one that is never paid: every record under its reference says FAILED
    (and is not ours, or it would have ended by itself), or there was none in looks so far apart. While any other record
    carries the reference, or did when it was refused as used, it is not."""
    if attempt is None or not attempt.open:
        return False
    if attempt.seen:
        return attempt.seen == "failed"
    if attempt.missing_since is None or attempt.missing_at is None:
        return False
    return attempt.missing_at - attempt.missing_since >= timedelta(hours=rules.give_back_hours)


def may_give_back(attempt: Attempt | None, *, now: datetime, rules: Sending) -> bool:
    """Whether staff may say that an unconfirmed transfer never happened. The last look must not be old: a provider that
    could not be asked since may have shown it meanwhile."""
    if attempt is None or not dead(attempt, rules=rules):
        return False
    looked = attempt.asked_at if attempt.seen else attempt.missing_at
    return looked is not None and now - looked <= timedelta(seconds=2 * rules.longest_ask_seconds)


def seen_in(statuses: Sequence[TransferStatus]) -> TransferStatus:
    """What several records under one reference come to: FAILED only when each of them is."""
    order: tuple[TransferStatus, ...] = ("successful", "pending", "new", "failed")
    return min(statuses, key=order.index)


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

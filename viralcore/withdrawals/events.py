"""What happened to withdrawals. Ids and machine words only: never an account number, never a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from viralcore.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChecked(Event):
    """The bank answered who an account belongs to and what the fee is, or did not. `state`: ready | failed."""

    NAME: ClassVar[str] = "withdrawals.account_checked.v1"
    check_id: int
    user_id: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalRequested(Event):
    """The amount is held; an admin must look. `flagged`: a risk rule hit; `needed`: approvals."""

    NAME: ClassVar[str] = "withdrawals.requested.v1"
    withdrawal_id: int
    user_id: int
    flagged: bool
    needed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalApprovalGiven(Event):
    """One approval of several. `actor`: whose."""

    NAME: ClassVar[str] = "withdrawals.approval_given.v1"
    withdrawal_id: int
    user_id: int
    actor: int
    given: int
    needed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalApproved(Event):
    """All approvals are there. `actor` 0: the shop by itself. `mode`: automatic | manual."""

    NAME: ClassVar[str] = "withdrawals.approved.v1"
    withdrawal_id: int
    user_id: int
    actor: int
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalSent(Event):
    """An attempt is stored and will be sent; nothing is paid yet. `n`: which attempt."""

    NAME: ClassVar[str] = "withdrawals.sent.v1"
    withdrawal_id: int
    user_id: int
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalUnconfirmed(Event):
    """The answer to a transfer was lost; it is asked about by its reference."""

    NAME: ClassVar[str] = "withdrawals.unconfirmed.v1"
    withdrawal_id: int
    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalAttemptFailed(Event):
    """The provider's record says FAILED for a passing reason; another attempt follows. `reason`: funds | bank."""

    NAME: ClassVar[str] = "withdrawals.attempt_failed.v1"
    withdrawal_id: int
    user_id: int
    n: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalCompleted(Event):
    """It was paid and the hold is captured. `net`: kobo. `actor`: who paid by hand, 0 for the provider."""

    NAME: ClassVar[str] = "withdrawals.completed.v1"
    withdrawal_id: int
    user_id: int
    net: int
    actor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalFailed(Event):
    """It was not paid and the hold is released. `reason`: see api.WithdrawalView. `actor`: 0 for the provider."""

    NAME: ClassVar[str] = "withdrawals.failed.v1"
    withdrawal_id: int
    user_id: int
    reason: str
    actor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalRejected(Event):
    NAME: ClassVar[str] = "withdrawals.rejected.v1"
    withdrawal_id: int
    user_id: int
    actor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalCancelled(Event):
    """By the person, or (`expired`) because new terms were not confirmed for too long."""

    NAME: ClassVar[str] = "withdrawals.cancelled.v1"
    withdrawal_id: int
    user_id: int
    expired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalTermsOutdated(Event):
    """The person is asked to confirm again. `why`: age | rate."""

    NAME: ClassVar[str] = "withdrawals.terms_outdated.v1"
    withdrawal_id: int
    user_id: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalConfirmedAgain(Event):
    NAME: ClassVar[str] = "withdrawals.confirmed_again.v1"
    withdrawal_id: int
    user_id: int
    needed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalApprovalVoid(Event):
    """Approved, and its terms were out of date before anything was sent: it waits for its owner again, who is asked for
    themselves (`WithdrawalTermsOutdated`). `why`: age | rate."""

    NAME: ClassVar[str] = "withdrawals.approval_void.v1"
    withdrawal_id: int
    user_id: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalTakenOver(Event):
    """Nothing of it ever left, and finance pays it by hand from now on."""

    NAME: ClassVar[str] = "withdrawals.taken_over.v1"
    withdrawal_id: int
    user_id: int
    actor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferLookedFor(Event):
    """A look moved nothing, but its card reads otherwise now: staff pressed Look again, or it has become possible to
    give it back, or impossible again."""

    NAME: ClassVar[str] = "withdrawals.transfer_looked_for.v1"
    withdrawal_id: int
    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutTrouble(Event):
    """Staff must look. `what`: ``config`` (the provider does not accept us: nothing was sent, payouts are stopped) |
    ``unconfirmed`` (asked in vain for long) | ``approval`` (waits for a person in the provider's dashboard) | ``slow``
    (accepted long ago and still under way) | ``unsent`` (could not be sent for long) | ``mismatch`` (a transfer under
    our reference is not ours: amount or account differ) | ``late_success`` (paid after it was given back) | ``twice``
    (paid after all while another attempt is under way) | ``late_failure`` (FAILED after it was completed). `detail`:
    the provider's own words. `withdrawal_id` 0: about none."""

    NAME: ClassVar[str] = "withdrawals.payout_trouble.v1"
    withdrawal_id: int
    reference: str
    what: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutSwitched(Event):
    """A switch was turned. `what`: mode | paused | stopped; `value`: its new value; `actor` 0: the shop itself,
    which is told by what made it stop (`SolvencyShort`, `PayoutTrouble` config)."""

    NAME: ClassVar[str] = "withdrawals.switched.v1"
    what: str
    value: str
    reason: str
    actor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonEnded(Event):
    """Our transfers were compared with the provider's, or could not be (`state` failed). `found`: new differences;
    `open`: all that are open."""

    NAME: ClassVar[str] = "withdrawals.comparison_ended.v1"
    comparison_id: int
    state: str
    asked_by: int
    found: int
    open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceFound(Event):
    """New, or changed since it was accepted."""

    NAME: ClassVar[str] = "withdrawals.difference_found.v1"
    difference_id: int
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceEnded(Event):
    """`state`: accepted (by `actor`) | gone (`actor` 0: the books agree now)."""

    NAME: ClassVar[str] = "withdrawals.difference_ended.v1"
    difference_id: int
    state: str
    actor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SolvencyShort(Event):
    """We hold less than we owe. Told once, and again when it grew. `gap`: cents. `stopped`: automatic payouts were
    stopped by it just now."""

    NAME: ClassVar[str] = "withdrawals.solvency_short.v1"
    gap: int
    stopped: bool

"""The door's part about reply guys: what they hand in, who approves it, and what they are paid.

Units: amounts are Money in NGN; `BadPay` and `BelowZero` name theirs in whole kobo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol

from viralcore.boosts.door.orders import LinkProblem
from viralcore.boosts.door.plans import Metric
from viralcore.core.errors import DomainError
from viralcore.core.money import Money

SubmissionState = Literal["pending", "approved", "rejected", "withdrawn"]
PayKind = Literal["submission", "claim", "bonus", "correction"]


@dataclass(frozen=True, slots=True)
class ReplyTerms:
    """What is paid for a reply, and what may be handed in."""

    rate: Money
    days_back: int
    max_count: int
    max_links: int
    largest_bonus: Money
    longest_reason: int


@dataclass(frozen=True, slots=True)
class ReportView:
    """What a line like ``12, wensday`` was read as, before it is sent. `pays`: if all of it is approved."""

    count: int
    day: date
    pays: Money


@dataclass(frozen=True, slots=True)
class SubmissionView:
    """What a reply guy handed in. `kind`: links | count (so many on `day`); `approved`: of `count`; `paid`: for that;
    `actor`: who decided; `problems`: links of the message that were not taken, only in the answer to `submit_links`."""

    id: int
    user_id: int
    kind: Literal["count", "links"]
    count: int
    day: date
    links: tuple[str, ...]
    rate: Money
    state: SubmissionState
    approved: int
    paid: Money
    reason: str
    actor: int | None
    created_at: datetime
    decided_at: datetime | None
    problems: tuple[LinkProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordView:
    """What staff should know of a person before they decide. `same_day`: replies of the submission's day that were
    paid before."""

    approved: int
    rejected: int
    replies: int
    same_day: int


@dataclass(frozen=True, slots=True)
class ReplyDayView:
    """A day in the shop's time zone: replies that were paid for it."""

    day: date
    replies: int
    paid: Money


@dataclass(frozen=True, slots=True)
class ReplyPanelView:
    """A reply guy's own figures. Counts are paid replies by the day they were made; a week begins on Monday. `earned`:
    pay, bonuses and corrections so far; `balance`: what can be withdrawn; `days`: oldest first, the last is today."""

    active: bool
    rate: Money
    today: int
    week: int
    total: int
    earned: Money
    balance: Money
    held: Money
    days: tuple[ReplyDayView, ...]
    pending: SubmissionView | None


@dataclass(frozen=True, slots=True)
class ReplyPayView:
    """One movement of pay. `amount` of a correction may be negative; of a claim that paid nothing it is zero."""

    id: int
    user_id: int
    kind: PayKind
    replies: int
    amount: Money
    day: date
    reason: str
    actor: int
    created_at: datetime
    claim_id: int | None


@dataclass(frozen=True, slots=True)
class EarnerView:
    """A reply guy, or who was one. `paid`: for replies; `balance`: available now."""

    user_id: int
    active: bool
    replies: int
    paid: Money
    bonus: Money
    corrected: Money
    balance: Money
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class EarnersView:
    """A page of them, and the sums over all. `people`: how many there are; `active`: of them, with the role."""

    rows: tuple[EarnerView, ...]
    people: int
    active: int
    replies: int
    paid: Money
    bonus: Money
    corrected: Money


class BadReport(DomainError):
    """`reason`: no_number, numbers, count, no_day, day, future, too_old. Fields: reason, most, back."""

    code = "boosts.bad_report"


class BadReplies(DomainError):
    """No link in the message is a reply that can be counted. Fields: problems (tuple of LinkProblem; reason `used`: it
    was handed in before, by whomever), limit (too many of them)."""

    code = "boosts.bad_replies"


class SubmissionPending(DomainError):
    """The one before is not decided yet. Fields: submission_id."""

    code = "boosts.submission_pending"


class SubmissionClosed(DomainError):
    """It was decided, or taken back, before. Fields: submission_id, state."""

    code = "boosts.submission_closed"


class BadApproval(DomainError):
    """Not a number of replies between 1 and what was handed in. Fields: count."""

    code = "boosts.bad_approval"


class NoReason(DomainError):
    """Staff must say why, in at most so many letters. Fields: limit."""

    code = "boosts.no_reason"


class BadPay(DomainError):
    """A bonus or correction of nothing, or of too much. Fields: most (kobo)."""

    code = "boosts.bad_pay"


class BelowZero(DomainError):
    """A correction of more than there is. Fields: available (kobo)."""

    code = "boosts.below_zero"


class Replies(Protocol):
    """Reply guys: what they hand in, who approves it, and what they are paid. At `Boosts.replies`.

    Amounts are NGN. All staff doors also raise users NotAllowed, Blocked, SessionExpired.
    """

    def terms(self) -> ReplyTerms: ...

    def pays(self, metrics: Sequence[Metric]) -> Money:
        """What a reply guy gets for one of each, when it is approved."""
        ...

    def read_report(self, line: str) -> ReportView:
        """Raises BadReport."""
        ...

    async def report(self, *, key: str, user_id: int, count: int, day: date) -> SubmissionView:
        """Hand in a number for a day. Right ``tasks``. Raises BadReport, SubmissionPending, users NotAllowed,
        TermsNotAccepted, Blocked."""
        ...

    async def submit_links(self, *, key: str, user_id: int, text: str) -> SubmissionView:
        """Hand in the links that can be counted; `problems` says why others cannot. Raises BadReplies, and as
        `report`. A link of a rejected submission may be sent again by the same person."""
        ...

    async def take_back(self, *, key: str, user_id: int, submission_id: int) -> SubmissionView:
        """As long as nobody has decided. Raises core NotFound, SubmissionClosed."""
        ...

    async def submission(self, *, submission_id: int, user_id: int | None = None) -> SubmissionView:
        """With `user_id`, only that person's. Raises core NotFound."""
        ...

    async def submissions(
        self, *, user_id: int, before_id: int | None = None, limit: int = 10
    ) -> tuple[SubmissionView, ...]:
        """A person's, newest first."""
        ...

    async def panel(self, *, user_id: int) -> ReplyPanelView: ...

    async def queue(self, *, after_id: int = 0, limit: int = 20) -> tuple[SubmissionView, ...]:
        """What waits for a decision, oldest first."""
        ...

    async def queue_size(self) -> int: ...

    async def record(self, *, user_id: int, day: date) -> RecordView: ...

    async def approve(self, *, key: str, actor: int, submission_id: int, count: int | None = None) -> SubmissionView:
        """Right ``replies.approve``. Pays `count` of it (None: all) at once. Raises core NotFound, SubmissionClosed,
        BadApproval, users NotYourself."""
        ...

    async def reject(self, *, key: str, actor: int, submission_id: int, reason: str) -> SubmissionView:
        """The same right. Raises as `approve`, and NoReason."""
        ...

    async def promote(self, *, key: str, actor: int, user_id: int, reason: str = "") -> None:
        """Right ``reply_guys.manage``. Raises core NotFound, users NotYourself."""
        ...

    async def demote(self, *, key: str, actor: int, user_id: int, reason: str = "") -> None:
        """As `promote`. What was earned stays, and what waits can still be approved."""
        ...

    async def bonus(self, *, key: str, actor: int, user_id: int, amount: Money, reason: str) -> ReplyPayView:
        """Right ``balances.adjust``. Raises BadPay, NoReason, core NotFound, users NotYourself."""
        ...

    async def correct(self, *, key: str, actor: int, user_id: int, amount: Money, reason: str) -> ReplyPayView:
        """The same, up or down (a negative amount). Raises as `bonus`, and BelowZero."""
        ...

    async def pay(self, *, pay_id: int) -> ReplyPayView:
        """Raises core NotFound."""
        ...

    async def earner(self, *, user_id: int) -> EarnerView:
        """Also of people who never were one."""
        ...

    async def earners(self, *, offset: int = 0, limit: int = 20) -> EarnersView:
        """All who are or were paid, those with the role first, then by id."""
        ...

    async def ask_export(self, *, key: str, actor: int, form: Literal["csv", "xlsx"] = "csv") -> None:
        """Right ``exports``; audited. Announced by ReplyExportAsked, to whoever sends the file."""
        ...

"""The door of withdrawals: requests, approvals, payouts and their settling (PRODUCT 9).

Units: `amount` is Money of the source's asset (affiliate and wallet USD, reply NGN); `gross`, `fee`, `net` are NGN;
`rate` is naira per US dollar, 1 where the source is naira already. Fees are taken from what is paid: net = gross - fee.

The way of a request: `sources` -> `quote` -> `search_banks` or `accounts` -> `check` (stores the question; the bank is
asked for the holder's name and the fee; the event `AccountChecked` says when to draw the screen again) -> `get_check`
-> `request` (holds the amount at once). A handler waits for no provider.

Account numbers come in as text and are never handed out again but by `Desk.card` to somebody who may decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol

from viralcore.core.db import Tx
from viralcore.core.errors import DomainError
from viralcore.core.money import Money

Source = Literal["affiliate", "reply", "wallet"]
Mode = Literal["automatic", "manual"]
State = Literal["pending", "approved", "processing", "unconfirmed", "completed", "failed", "rejected", "cancelled"]
OPEN: tuple[State, ...] = ("pending", "approved", "processing", "unconfirmed")
CheckState = Literal["asking", "ready", "failed"]
Decision = Literal["paid", "not_paid"]
AttemptState = Literal["sending", "accepted", "unknown", "succeeded", "failed"]
"""sending: stored, perhaps not with the provider yet. accepted: queued there, which is not paid. unknown: its answer
was lost. succeeded, failed: as the provider's own record says."""
QueueFilter = Literal["waiting", "to_pay", "under_way", "unconfirmed", "completed", "failed", "ended", "all"]
"""waiting: for an approver. to_pay: approved, an admin pays by hand. under_way: approved or processing, automatic.
ended: rejected or cancelled."""


@dataclass(frozen=True, slots=True)
class SourceView:
    """A balance that can be withdrawn. `minimum`, `maximum`: of one request, in the source's asset at the live rate;
    None while there is no rate. `problem`: why not now, "" when it can be: ``paused``, ``open_request``, ``no_rate``,
    ``too_little``."""

    name: Source
    available: Money
    minimum: Money | None
    maximum: Money | None
    problem: str
    open_id: int | None  # the request that is open, whatever its source


@dataclass(frozen=True, slots=True)
class QuoteView:
    """What an amount is worth. `fee`, `net`: None until the bank was asked (`check`)."""

    source: Source
    amount: Money
    rate: Decimal
    gross: Money
    fee: Money | None
    net: Money | None


@dataclass(frozen=True, slots=True)
class BankView:
    """`code`: what is sent; `name`: what is shown; `id`: fits into a button."""

    id: int
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class AccountView:
    """A saved account. `masked`: ``******1234``."""

    id: int
    bank_name: str
    masked: str
    holder: str
    last_used: datetime | None


@dataclass(frozen=True, slots=True)
class CheckView:
    """A question to the bank. ready: `account_name` (``""`` where there is nobody to ask, and staff pay by hand), and
    the quote with fee and net, good until `until` (`request` before then). failed: `reason` ``not_found`` (no such
    account there) | ``unavailable`` (nobody answered: try later) | ``too_small`` (the fee leaves nothing).
    `withdrawal_id`: once it was requested."""

    id: int
    user_id: int
    state: CheckState
    reason: str
    quote: QuoteView
    bank_name: str
    masked: str
    account_name: str
    until: datetime
    withdrawal_id: int | None


@dataclass(frozen=True, slots=True)
class WithdrawalView:
    """A request. `again`: terms the person is asked to confirm before anybody may approve (None: those above hold).
    `reason`: of a rejection or cancellation in words, of a failure a machine word (``account`` | ``declined`` |
    ``bank`` | ``returned`` | ``by_hand``). `reference`: what paid it. `approvals` of `needed` were given."""

    id: int
    user_id: int
    state: State
    quote: QuoteView
    terms_until: datetime
    again: QuoteView | None
    bank_name: str
    masked: str
    account_name: str
    mode: Mode | None
    needed: int
    approvals: int
    reason: str
    reference: str
    created_at: datetime
    approved_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class FindingView:
    """A risk rule that hit. `rule`: ``velocity`` | ``new_user`` | ``new_account`` | ``shared_account`` | ``ring`` |
    ``just_below`` | ``reversed_earnings``; `facts`: numbers and words for its sentence; `score`: its weight."""

    rule: str
    score: int
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """`actor` 0: the shop by itself (DISABLE_ADMIN_APPROVAL)."""

    actor: int
    at: datetime


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One transfer at the provider. `words`: its own of it, for staff. `fee`: what it really took, when it said.
    `seen`: what carries its reference there and is not ours to adopt (``new`` | ``pending`` | ``successful`` |
    ``failed`` | ``exists``: not shown), or ``approval``: a person has to approve it in the provider's dashboard."""

    n: int
    reference: str
    state: AttemptState
    provider_id: str
    words: str
    fee: Money | None
    sent_at: datetime | None
    asked_at: datetime | None
    seen: str = ""


@dataclass(frozen=True, slots=True)
class UserRecord:
    """How a person withdrew before, this request not counted. `paid`: naira that arrived."""

    requests: int
    completed: int
    rejected: int
    failed: int
    paid: Money
    first_at: datetime | None
    user_since: datetime | None


@dataclass(frozen=True, slots=True)
class CardView:
    """A request as approvers see it. `account_number`: in full for an `actor` who may decide, None for everybody else.
    `live_rate`: None while there is none; `drift`: percent between it and the locked one. `decided_by`: who approved
    last, rejected or paid. `waits_until`: before this the only approver cannot give the second approval."""

    request: WithdrawalView
    account_number: str | None
    score: int
    findings: tuple[FindingView, ...]
    record: UserRecord
    approved_by: tuple[ApprovalView, ...]
    decided_by: int | None
    attempts: tuple[AttemptView, ...]
    live_rate: Decimal | None
    drift: Decimal | None
    waits_until: datetime | None
    can_give_back: bool  # an unconfirmed one that was not found for long enough, or whose every record says FAILED
    can_take_over: bool = False  # an automatic one that waits, and of which nothing ever left: `pay_by_hand`
    outdated: str = ""  # age | rate: the terms of one that is to be paid by hand no longer hold


@dataclass(frozen=True, slots=True)
class DeskView:
    """The switches. `paused`: no request is taken and nothing is sent. `stopped`: the solvency watch stopped automatic
    payouts, `stop_reason` says why. `by_itself`: DISABLE_ADMIN_APPROVAL is set, in force once `completed` (which only
    `Desk.switches` counts) reaches `by_itself_after`."""

    mode: Mode
    paused: bool
    stopped: bool
    stop_reason: str
    by_itself: bool = False
    completed: int = 0
    by_itself_after: int = 0


@dataclass(frozen=True, slots=True)
class StatsView:
    """Of requests made in a stretch of days: how many in each state; naira paid and fees; `flagged`; the median of
    seconds from request to completion. `open_usd`, `open_ngn`: all that is held now, whenever it was asked for."""

    counts: Mapping[State, int]
    paid: Money
    fees: Money
    flagged: int
    median_seconds: int | None
    open_usd: Money
    open_ngn: Money


@dataclass(frozen=True, slots=True)
class TransferView:
    """An attempt as the books know it, for reconciliation. `net`: what the receiver should get."""

    id: int
    withdrawal_id: int
    n: int
    reference: str
    state: AttemptState
    provider_id: str
    net: Money
    fee: Money | None
    sent_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class DifferenceView:
    """A task: what the provider's book and ours do not agree on. `kind`: ``missing`` (there) | ``extra`` | ``twice``
    (under one reference) | ``amount`` | ``status`` | ``balance`` (more left it than we know of). `state`: open |
    accepted | gone (it agrees now). `last4`: of the account it was paid into."""

    id: int
    kind: str
    reference: str
    provider_id: str
    ours: Money | None
    ours_state: str
    theirs: Money | None
    theirs_status: str
    last4: str
    state: str
    found_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """`state`: asked | done | failed. `asked_by` 0: the clock. `found`: new differences; `open`: all. `note`: why it
    failed, or why the balance was not compared."""

    id: int
    state: str
    asked_by: int
    asked_at: datetime
    ended_at: datetime | None
    ours: int
    theirs: int
    found: int
    open: int
    balance: Money | None
    note: str


@dataclass(frozen=True, slots=True)
class SolvencyView:
    """Owed and held in dollars, by name. `gap`: what is missing. `problem`: why it could not be judged (``no_rate``) or
    "". `unread`: what was not read for too long and counts as nothing."""

    checked_at: datetime
    rate: Decimal | None
    owed: Mapping[str, Money]
    held: Mapping[str, Money]
    gap: Money
    problem: str
    unread: tuple[str, ...]


class SourceOff(DomainError):
    """This balance cannot be withdrawn here. Fields: source."""

    code = "withdrawals.source_off"


class BadAmount(DomainError):
    """Fields: problem (``not_positive`` | ``asset``)."""

    code = "withdrawals.bad_amount"


class TooLittle(DomainError):
    """Below the minimum. Fields: minimum (Money, NGN), least (Money of the source's asset)."""

    code = "withdrawals.too_little"


class TooMuch(DomainError):
    """Above the maximum of one request. Fields: maximum (Money, USD), most (Money of the source's asset)."""

    code = "withdrawals.too_much"


class NotEnough(DomainError):
    """More than is available. Fields: available (Money)."""

    code = "withdrawals.not_enough"


class RequestOpen(DomainError):
    """One at a time. Fields: withdrawal_id."""

    code = "withdrawals.request_open"


class TooMany(DomainError):
    """Requests (or, `what` ``checks``, questions to the bank) in an hour. Fields: what, limit, again_at (datetime)."""

    code = "withdrawals.too_many"


class NoRate(DomainError):
    """There is no exchange rate to trust now."""

    code = "withdrawals.no_rate"


class PayoutsPaused(DomainError):
    code = "withdrawals.paused"


class BadAccount(DomainError):
    """Not ten digits, or no such bank. Fields: problem (``digits`` | ``bank``)."""

    code = "withdrawals.bad_account"


class CheckClosed(DomainError):
    """The check is not ready, has expired or was used. Fields: withdrawal_id, state (``asking`` | ``failed`` |
    ``expired`` | ``used``)."""

    code = "withdrawals.check_closed"


class WrongState(DomainError):
    """Somebody else was first, or it is too late. Fields: withdrawal_id, state."""

    code = "withdrawals.wrong_state"


class TermsOutdated(DomainError):
    """The terms are older than 24 h or the rate moved: the person is asked to confirm again first. Fields:
    withdrawal_id."""

    code = "withdrawals.terms_outdated"


class TermsChanged(DomainError):
    """The new terms are not the ones that were seen any more: show them again. Fields: withdrawal_id."""

    code = "withdrawals.terms_changed"


class OwnWithdrawal(DomainError):
    """Nobody decides about their own money. Fields: withdrawal_id."""

    code = "withdrawals.own"


class SecondApprover(DomainError):
    """This one needs somebody else. Fields: withdrawal_id, again_at (datetime when the only approver may give the
    second approval as well; None where there are others)."""

    code = "withdrawals.second_approver"


class ReasonMissing(DomainError):
    """A rejection, a failure, a switch or a payment by hand without its reason or reference. Fields: what."""

    code = "withdrawals.reason_missing"


class AlreadySent(DomainError):
    """Something of it may have left already, so it cannot be paid by hand. Fields: withdrawal_id."""

    code = "withdrawals.already_sent"


class CannotGiveBack(DomainError):
    """The transfer may still arrive: it was not looked for in vain for long enough, or not lately, or something carries
    its reference. Fields: withdrawal_id, since (datetime or None), hours, seen (see AttemptView)."""

    code = "withdrawals.cannot_give_back"


class DifferenceClosed(DomainError):
    code = "withdrawals.difference_closed"


class NoProvider(DomainError):
    """Automatic payouts were asked for and there is no key of a provider."""

    code = "withdrawals.no_provider"


class Withdrawals(Protocol):
    """For the person who withdraws. Everything raises core NotFound for what is not theirs; what changes something also
    users Blocked and TermsNotAccepted."""

    @property
    def desk(self) -> Desk: ...

    @property
    def books(self) -> Books: ...

    @property
    def watch(self) -> Watch: ...

    async def sources(self, *, user_id: int) -> tuple[SourceView, ...]:
        """What can be withdrawn here, in a stable order; switched-off sources are absent, empty balances are not."""
        ...

    async def quote(self, *, user_id: int, source: Source, amount: Money) -> QuoteView:
        """What an amount is worth now, without its fee. Raises SourceOff, BadAmount, TooLittle, TooMuch, NotEnough,
        NoRate, RequestOpen, PayoutsPaused."""
        ...

    async def search_banks(self, *, text: str, limit: int = 8) -> tuple[BankView, ...]:
        """Banks by name, best first; suggestions where nothing is called that. Empty while no list was ever read."""
        ...

    async def bank(self, *, bank_id: int) -> BankView:
        """Raises core NotFound."""
        ...

    async def accounts(self, *, user_id: int) -> tuple[AccountView, ...]:
        """Accounts this person asked money to, the last used first."""
        ...

    async def forget_account(self, *, key: str, user_id: int, account_id: int) -> None:
        """No longer offered; requests made to it keep it."""
        ...

    async def check(
        self, *, key: str, user_id: int, source: Source, amount: Money, bank_id: int, account_number: str
    ) -> CheckView:
        """Store the question whose account this is and what the fee would be. Raises as `quote`, and BadAccount,
        TooMany (``checks``)."""
        ...

    async def check_saved(self, *, key: str, user_id: int, source: Source, amount: Money, account_id: int) -> CheckView:
        """As `check`, for a saved account."""
        ...

    async def get_check(self, *, user_id: int, check_id: int) -> CheckView: ...

    async def request(self, *, key: str, user_id: int, check_id: int) -> WithdrawalView:
        """Ask for the money on the terms of a ready check; it is held at once. Raises as `quote`, and CheckClosed,
        TooMany (``requests``), TermsChanged (rate or fee moved too far since: check again)."""
        ...

    async def cancel(self, *, key: str, user_id: int, withdrawal_id: int) -> WithdrawalView:
        """While pending, also with one approval. Raises WrongState."""
        ...

    async def confirm_again(self, *, key: str, user_id: int, withdrawal_id: int, rate: Decimal) -> WithdrawalView:
        """Accept the terms in `again`, of which `rate` was shown; approvals given to the old ones are void. Raises
        WrongState, TermsChanged, NoRate."""
        ...

    async def history(
        self, *, user_id: int, before_id: int | None = None, limit: int = 20
    ) -> tuple[WithdrawalView, ...]:
        """Newest first, keyset-paged by id; at most 100."""
        ...

    async def get(self, *, user_id: int, withdrawal_id: int) -> WithdrawalView: ...


class Desk(Protocol):
    """For staff. What changes something takes the right ``withdrawals.decide`` (the switches ``switches``), is audited,
    and raises users NotAllowed, SessionExpired, Blocked. Reading asks no right: show it to staff only."""

    async def queue(
        self, *, which: QueueFilter = "waiting", user_id: int | None = None, after_id: int = 0, limit: int = 20
    ) -> tuple[WithdrawalView, ...]:
        """Oldest first, keyset-paged by id."""
        ...

    async def counts(self) -> Mapping[QueueFilter, int]:
        """How many stand in each filter, for the buttons."""
        ...

    async def card(self, *, withdrawal_id: int, actor: int | None = None) -> CardView:
        """With an `actor` who may decide and has an open session: with the full account number, which is audited once
        for each of them. Without one, or for anybody else: masked. Raises core NotFound."""
        ...

    async def history_of(
        self, *, user_id: int, before_id: int | None = None, limit: int = 20
    ) -> tuple[WithdrawalView, ...]:
        """All of a person's requests, newest first."""
        ...

    async def live_rate(self) -> Decimal | None:
        """What a dollar is paid out at now, the spread taken off; None while there is no rate to trust."""
        ...

    async def approve(self, *, key: str, actor: int, withdrawal_id: int) -> CardView:
        """The first or the second approval; with the last one needed it is `approved` in the mode in force. Raises
        WrongState, OwnWithdrawal, SecondApprover, TermsOutdated, NoRate."""
        ...

    async def reject(self, *, key: str, actor: int, withdrawal_id: int, reason: str) -> CardView:
        """While pending; the hold is released and the person reads the reason. Raises WrongState, OwnWithdrawal,
        ReasonMissing."""
        ...

    async def mark_paid(self, *, key: str, actor: int, withdrawal_id: int, reference: str) -> CardView:
        """An approved one in mode manual was paid by hand. Raises WrongState, OwnWithdrawal, ReasonMissing."""
        ...

    async def mark_failed(self, *, key: str, actor: int, withdrawal_id: int, reason: str) -> CardView:
        """An approved one in mode manual cannot be paid: the hold is released. Raises as `mark_paid`."""
        ...

    async def pay_by_hand(self, *, key: str, actor: int, withdrawal_id: int, reason: str) -> CardView:
        """An automatic one of which nothing ever left becomes `approved` in mode manual: `mark_paid` or `mark_failed`
        ends it. Raises WrongState, OwnWithdrawal, ReasonMissing, AlreadySent."""
        ...

    async def ask_again(self, *, key: str, actor: int, withdrawal_id: int, reason: str) -> CardView:
        """One that is to be paid by hand, whose terms no longer hold, goes back to its owner; nobody must have paid it.
        Raises WrongState (also while they hold), OwnWithdrawal, ReasonMissing."""
        ...

    async def ask_now(self, *, key: str, actor: int, withdrawal_id: int) -> CardView:
        """Ask the provider about a processing or unconfirmed one at once, by its reference. Raises WrongState."""
        ...

    async def resolve(
        self, *, key: str, actor: int, withdrawal_id: int, decision: Decision, reference: str, reason: str
    ) -> CardView:
        """End an unconfirmed one by hand. paid: finance saw it leave, `reference` says where. not_paid: it was looked
        for in vain for long enough, or all that carries its reference is FAILED; the hold is released and it is never
        sent again. Raises WrongState, OwnWithdrawal, ReasonMissing, CannotGiveBack."""
        ...

    async def switches(self) -> DeskView: ...

    async def set_mode(self, *, key: str, actor: int, mode: Mode, reason: str) -> DeskView:
        """For requests approved from now on. Raises NoProvider, ReasonMissing."""
        ...

    async def pause(self, *, key: str, actor: int, paused: bool, reason: str) -> DeskView:
        """Payouts as a whole: no request is taken and nothing is sent while paused. Raises ReasonMissing."""
        ...

    async def lift_stop(self, *, key: str, actor: int, reason: str) -> DeskView:
        """Let automatic payouts go on after the solvency watch stopped them. Raises ReasonMissing."""
        ...

    async def stats(self, *, since: datetime, until: datetime) -> StatsView: ...


class Books(Protocol):
    """For whoever compares what we owe and sent with what others say (reconciliation, solvency watch)."""

    async def pause_automatic(self, tx: Tx, *, key: str, reason: str) -> bool:
        """Stop automatic payouts: nothing more is sent, what is under way ends. False: they were stopped already."""
        ...

    async def transfers(
        self, *, after_id: int = 0, since: datetime | None = None, limit: int = 500
    ) -> tuple[TransferView, ...]:
        """Attempts, oldest first, keyset-paged. `since`: only those sent, or still open, since then."""
        ...

    async def transfer(self, *, reference: str) -> TransferView | None: ...

    async def owed(self) -> Mapping[str, Money]:
        """What open requests still have to pay, by state, in naira (net and fee)."""
        ...


class Watch(Protocol):
    """For staff: our book against the provider's, and what we owe against what we hold. Changes are audited."""

    async def differences(
        self, *, state: str = "open", after_id: int = 0, limit: int = 10
    ) -> tuple[DifferenceView, ...]: ...

    async def difference(self, *, difference_id: int) -> DifferenceView: ...

    async def accept(self, *, key: str, actor: int, difference_id: int, reason: str) -> DifferenceView:
        """Seen, and it is all right because of `reason`: it is not told again unless it changes. Right
        ``withdrawals.decide``. Raises users NotAllowed, SessionExpired; NotFound, DifferenceClosed, ReasonMissing."""
        ...

    async def compare_now(self, *, key: str, actor: int) -> ComparisonView:
        """`ComparisonEnded` says when it is done. Right ``withdrawals.decide``. Raises NoProvider."""
        ...

    async def comparison(self, *, comparison_id: int | None = None) -> ComparisonView | None: ...

    async def solvency(self) -> SolvencyView | None: ...

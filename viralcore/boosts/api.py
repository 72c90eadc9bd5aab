"""The door of boosts: the catalogue, credits, orders and their delivery.

Units: prices are Decimals in USD per unit; quantities are whole units; refunds are Money in USD.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol

from viralcore.core.errors import DomainError
from viralcore.core.money import Money
from viralcore.ledger.api import Balance
from viralcore.payments.api import InvoiceView

Metric = Literal["likes", "views", "comments", "reposts", "reactions", "votes", "followers", "members", "months"]
Channel = Literal["panel", "crowd", "staff"]
Engine = Literal["crowd", "staff"]
"""Who works at a line that no panel delivers: the groups, or somebody with a card."""
OrderState = Literal["scheduled", "sending", "in_progress", "completed", "partial", "failed", "cancelled"]
LineState = Literal["scheduled", "sending", "in_progress", "completed", "partial", "failed", "cancelled", "refunded"]
RequestState = Literal["open", "invoiced", "ordered", "returned", "discarded"]
CardState = Literal["open", "taken", "done", "cannot", "closed"]
PhaseState = Literal["waiting", "sending", "sent", "unknown", "completed", "partial", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class LineView:
    """One thing a unit delivers. `available`: False while its channel does not exist yet (crowd): refunded by share.

    `verified`: how many of them come from verified accounts.
    """

    metric: Metric
    quantity: int
    channel: Channel
    share: Decimal
    available: bool
    verified: int = 0


@dataclass(frozen=True, slots=True)
class PlanView:
    """A catalogue entry. `kind`: credits | goods | contact. `asset`: the ledger asset its credits are kept in."""

    id: str
    title: str
    platform: Literal["x", "telegram"]
    group: str  # where it is shown: engagement, followers, poll, premium, automation, ...
    kind: Literal["credits", "goods", "contact"]
    unit: str
    price: Decimal
    minimum: int
    step: int
    maximum: int
    presets: tuple[int, ...]
    lines: tuple[LineView, ...]
    asset: str
    on_sale: bool  # goods and crowd-only plans are not on sale until their channel exists
    questions: tuple[str, ...] = ()  # goods: asked before payment (poll_link, poll_option, profile_link, days, channel)
    family: str = ""  # one plan in several sizes: the name they share (tgt) ...
    variant: int | None = None  # ... and which this is (15)


@dataclass(frozen=True, slots=True)
class CreditView:
    """Credits of one plan a user can spend now."""

    plan: PlanView
    available: int


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link understood. `canonical`: the stored form; `platform`: x | telegram. `post_id`: empty when it names a
    profile or a channel (goods)."""

    platform: Literal["x", "telegram"]
    canonical: str
    handle: str
    post_id: str

    @property
    def post(self) -> str:
        """One name for one post, however it was written: X shows a post under any user name. Blocks go by it too."""
        of_x = self.platform == "x" and self.post_id
        return f"https://x.com/i/status/{self.post_id}" if of_x else self.canonical.lower()


@dataclass(frozen=True, slots=True)
class LinkProblem:
    """Why one pasted link was not accepted.

    `reason`: not_a_post, not_supported, private, malformed, too_long, blocked, duplicate, other_platform (one message
    orders for one platform: that of its first link).
    """

    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class DraftView:
    """A confirm screen's worth: links x plan, before anything is debited. Kept in the database until it expires."""

    id: int
    user_id: int
    links: tuple[LinkView, ...]
    problems: tuple[LinkProblem, ...]
    choices: tuple[CreditView, ...]  # plans with enough credits
    plan: PlanView | None  # chosen, or the only one that fits
    phases_minutes: tuple[int, ...]  # (30, 60)
    refunded_share: Decimal  # share of lines whose channel does not exist yet
    refund_per_unit: Money | None  # what comes back per link when the panel lines finish, at the price paid
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PhaseView:
    id: int
    metric: Metric
    number: int
    quantity: int
    due_at: datetime
    state: PhaseState
    delivered: int
    panel: str | None  # staff only
    panel_order: str | None  # staff only


@dataclass(frozen=True, slots=True)
class OrderLineView:
    metric: Metric
    channel: Channel
    quantity: int
    delivered: int
    state: LineState
    refunded: Money
    engine: Engine | None = None  # who works at it when no panel does
    reason: str = ""  # why staff could not deliver (all of) it, in their words


@dataclass(frozen=True, slots=True)
class OrderView:
    id: int
    user_id: int
    plan_id: str
    plan_title: str
    link: LinkView
    state: OrderState
    created_at: datetime
    finished_at: datetime | None
    lines: tuple[OrderLineView, ...]
    phases: tuple[PhaseView, ...]
    refunded: Money
    credit_returned: bool
    can_cancel: bool
    invoice_id: int | None = None  # goods: the paid invoice it is
    units: int = 1  # goods: how many were bought
    answers: Mapping[str, str] = field(default_factory=dict)  # goods: question -> what the buyer answered


@dataclass(frozen=True, slots=True)
class UnknownPhaseView:
    """A panel send whose outcome nobody knows: the staff card's worth."""

    phase_id: int
    order_id: int
    panel: str
    service: str
    link: str
    metric: Metric
    quantity: int
    sent_at: datetime
    state: PhaseState
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class PanelOrderView:
    """Our record of one accepted panel order, for reconciliation."""

    panel: str
    panel_order: str
    phase_id: int
    attempt: int
    service: str
    link: str
    quantity: int


@dataclass(frozen=True, slots=True)
class PanelView:
    name: str
    active: bool
    breaker: Literal["closed", "open", "half-open"]
    balance: Decimal | None
    currency: str
    checked_at: datetime | None


@dataclass(frozen=True, slots=True)
class RequestView:
    """Goods somebody is about to buy, from the quantity to the order. `total`: at the price of now, until it is
    ``invoiced``: then the invoice says it. ``ordered``: paid, and an order; ``returned``: paid, could not become an
    order, and the money is in the wallet.

    `missing`: questions without an answer, the next one first.
    """

    id: int
    user_id: int
    plan: PlanView
    quantity: int
    total: Money
    answers: Mapping[str, str]  # as they will be frozen, by question
    missing: tuple[str, ...]
    state: RequestState
    invoice_id: int | None
    expires_at: datetime
    limits: Mapping[str, int] = field(default_factory=dict)  # by question: the last option, the most days


@dataclass(frozen=True, slots=True)
class StaffCardView:
    """One line that staff work at. `delivered`: of `quantity`, so far; `refunded`: what came back for the rest.

    ``open`` -> ``taken`` -> ``done`` | ``cannot``, and back to open when it is released; ``closed``: its order was
    cancelled. `version` rises with every change.
    """

    id: int
    order_id: int
    user_id: int  # the buyer
    plan_id: str
    plan_title: str
    metric: Metric
    quantity: int
    delivered: int
    link: str
    answers: Mapping[str, str]
    goods: bool
    state: CardState
    version: int
    taken_by: int | None
    taken_at: datetime | None
    decided_by: int | None
    decided_at: datetime | None
    reason: str
    created_at: datetime
    refunded: Money


class UnknownPlan(DomainError):
    code = "boosts.unknown_plan"


class NotOnSale(DomainError):
    code = "boosts.not_on_sale"


class BadQuantity(DomainError):
    """Fields: minimum, maximum, step, asked."""

    code = "boosts.bad_quantity"


class BadLink(DomainError):
    """No usable link in the text. Fields: problems (tuple of LinkProblem)."""

    code = "boosts.bad_link"


class TooManyLinks(DomainError):
    """Fields: limit, given."""

    code = "boosts.too_many_links"


class NoCredits(DomainError):
    """No plan with enough credits for these links. Fields: needed, platform."""

    code = "boosts.no_credits"


class DraftExpired(DomainError):
    """The confirm screen ran out, was cancelled, or made its orders already."""

    code = "boosts.draft_expired"


class CannotCancel(DomainError):
    """Something was sent already, or the order has ended. Fields: order_id, state."""

    code = "boosts.cannot_cancel"


class AlreadyDecided(DomainError):
    """Another member of staff was faster. Fields: phase_id, state."""

    code = "boosts.already_decided"


class BadPanelOrder(DomainError):
    """Not an order id a panel could have given, or it belongs to another phase. Fields: given."""

    code = "boosts.bad_panel_order"


class Unanswered(DomainError):
    """The plan asks questions before it is paid for: use `goods.begin`. Fields: missing (tuple of questions)."""

    code = "boosts.unanswered"


class BadAnswer(DomainError):
    """Fields: question, reason (empty, link, one_link, not_x, not_a_post, not_a_profile, post, not_telegram,
    not_a_channel, private, malformed, too_long, blocked, number), and limit where the question has one."""

    code = "boosts.bad_answer"


class RequestClosed(DomainError):
    """It was paid for, given up, or waited too long. Fields: request_id, state."""

    code = "boosts.request_closed"


class CardTaken(DomainError):
    """Another member of staff has it. Fields: card_id."""

    code = "boosts.card_taken"


class CardNotYours(DomainError):
    """Only who took a card, or an owner, moves it on. Fields: card_id, taken (whether anybody has it)."""

    code = "boosts.card_not_yours"


class BadProgress(DomainError):
    """Not a count between nothing and all of it. Fields: most."""

    code = "boosts.bad_progress"


class Goods(Protocol):
    """Goods: how many, the plan's questions, and the invoice that becomes the order when it is paid."""

    async def begin(self, *, key: str, user_id: int, plan_id: str, quantity: int) -> RequestView:
        """Raises UnknownPlan, NotOnSale, BadQuantity, users Blocked, TermsNotAccepted."""
        ...

    async def get(self, *, user_id: int, request_id: int) -> RequestView:
        """In any state. Raises NotFound, UnknownPlan (it is not in the catalogue any more)."""
        ...

    async def unfinished(self, *, user_id: int) -> tuple[RequestView, ...]:
        """What still waits for answers or for its invoice, newest first."""
        ...

    async def answer(self, *, key: str, user_id: int, request_id: int, question: str, text: str) -> RequestView:
        """The first answer to a question, or another one instead. Raises BadAnswer, RequestClosed, NotFound."""
        ...

    async def invoice(self, *, key: str, user_id: int, request_id: int) -> int:
        """Open its invoice, once, and freeze the answers; the invoice's id. Raises Unanswered, RequestClosed, BadAnswer
        (blocked since), NotOnSale, BadQuantity, payments TooManyInvoices, users Blocked, TermsNotAccepted."""
        ...

    async def discard(self, *, key: str, user_id: int, request_id: int) -> None:
        """Raises RequestClosed when it has an invoice already."""
        ...

    async def of_invoice(self, *, user_id: int, invoice_id: int) -> RequestView | None:
        """What a person's invoice is for; None when it is not for goods."""
        ...


class StaffLines(Protocol):
    """Lines worked at by hand. All that acts takes the right ``orders.retry``; all but `take` is for who took the card
    and for owners. Raises NotFound, AlreadyDecided (ended), users NotAllowed and Blocked."""

    async def get(self, *, card_id: int) -> StaffCardView: ...

    async def waiting(self, *, limit: int = 20) -> tuple[StaffCardView, ...]:
        """Open and taken ones, oldest first."""
        ...

    async def count(self) -> int:
        """How many wait."""
        ...

    async def take(self, *, key: str, actor: int, card_id: int) -> StaffCardView:
        """Raises CardTaken. Taking one's own again changes nothing."""
        ...

    async def release(self, *, key: str, actor: int, card_id: int) -> StaffCardView:
        """Somebody else may take it. Raises CardNotYours."""
        ...

    async def progress(self, *, key: str, actor: int, card_id: int, delivered: int) -> StaffCardView:
        """So much is delivered in all; all of it is `done`. Raises CardNotYours, BadProgress."""
        ...

    async def done(self, *, key: str, actor: int, card_id: int) -> StaffCardView:
        """All of it is delivered. Raises CardNotYours."""
        ...

    async def cannot(self, *, key: str, actor: int, card_id: int, reason: str) -> StaffCardView:
        """No more will come; what is missing goes back to the buyer, who reads the reason. Raises CardNotYours, users
        NotYourself (their own order)."""
        ...


class Boosts(Protocol):
    @property
    def goods(self) -> Goods: ...

    @property
    def staff(self) -> StaffLines: ...

    def plans(self) -> tuple[PlanView, ...]:
        """The catalogue, in the order shown."""
        ...

    def plan(self, plan_id: str) -> PlanView:
        """Raises UnknownPlan."""
        ...

    async def buy(self, *, key: str, user_id: int, plan_id: str, quantity: int) -> InvoiceView:
        """Open the invoice of credits. Raises UnknownPlan, NotOnSale, BadQuantity, Unanswered (goods), payments
        TooManyInvoices, users Blocked, TermsNotAccepted."""
        ...

    async def credits(self, *, user_id: int) -> tuple[CreditView, ...]: ...

    def credits_in(self, balances: Sequence[Balance]) -> tuple[CreditView, ...]:
        """The same, of the balances of a person that were read already."""
        ...

    async def draft(self, *, key: str, user_id: int, text: str) -> DraftView:
        """Read the links out of a message. Raises BadLink, TooManyLinks, NoCredits (the draft is not kept then)."""
        ...

    async def choose_plan(self, *, key: str, user_id: int, draft_id: int, plan_id: str) -> DraftView:
        """Raises DraftExpired, NoCredits."""
        ...

    async def get_draft(self, *, user_id: int, draft_id: int) -> DraftView:
        """Raises NotFound, DraftExpired."""
        ...

    async def confirm(self, *, key: str, user_id: int, draft_id: int) -> tuple[OrderView, ...]:
        """Debit one credit a link and create the orders in one transaction. A draft makes its orders once, whatever
        key. Raises DraftExpired, NoCredits, BadLink (blocked since), users Blocked, TermsNotAccepted."""
        ...

    async def discard(self, *, key: str, user_id: int, draft_id: int) -> None:
        """Raises DraftExpired when it made its orders already."""
        ...

    async def get_order(self, *, order_id: int, user_id: int | None = None) -> OrderView:
        """With `user_id`, only that person's. Raises NotFound."""
        ...

    async def orders(self, *, user_id: int, before_id: int | None = None, limit: int = 10) -> tuple[OrderView, ...]: ...

    async def cancel(self, *, key: str, user_id: int, order_id: int) -> OrderView:
        """Until the first phase is sent; the credit comes back. Raises CannotCancel."""
        ...

    async def unknown_phase(self, *, phase_id: int) -> UnknownPhaseView: ...

    async def unknown_phases(self) -> tuple[UnknownPhaseView, ...]: ...

    async def resolve_placed(
        self, *, key: str, actor: int, phase_id: int, panel_order: str, attempt: int = 0
    ) -> UnknownPhaseView:
        """Staff: it was placed, under this panel order id. Right ``orders.retry``. Raises AlreadyDecided,
        BadPanelOrder. `attempt`: the send they looked at (0: the one that is unknown now)."""
        ...

    async def resolve_not_placed(self, *, key: str, actor: int, phase_id: int, attempt: int = 0) -> UnknownPhaseView:
        """Staff: it was not placed; send again. Right ``orders.retry``. Raises AlreadyDecided, also when the send they
        looked at was decided and a later one is unknown now."""
        ...

    async def panels(self) -> tuple[PanelView, ...]: ...

    async def panel_orders(self, *, after: int = 0, limit: int = 500) -> tuple[PanelOrderView, ...]:
        """Every accepted panel order by phase id, for reconciliation and the sandbox's check."""
        ...

    async def unspent(self) -> Money:
        """What open orders will still cost at panels, at most, in dollars."""
        ...

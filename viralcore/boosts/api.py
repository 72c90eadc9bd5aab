"""The door of boosts: the catalogue, credits, orders and their delivery.

Units: prices are Decimals in USD per unit; quantities are whole units; refunds are Money in USD.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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
OrderFilter = Literal["all", "running", "finished", "problems"]
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
    until: datetime | None = None  # custom plans: when it ends or ended; its posts cannot be used from then on
    version: int = 0  # custom plans: rises with every change of what it delivers


@dataclass(frozen=True, slots=True)
class CreditView:
    """Credits of one plan a user can spend now."""

    plan: PlanView
    available: int


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link understood. `canonical`: the stored form; `platform`: x | telegram."""

    platform: Literal["x", "telegram"]
    canonical: str
    handle: str
    post_id: str

    @property
    def post(self) -> str:
        """One name for one post, however it was written: X shows a post under any user name. Blocks go by it too."""
        return f"https://x.com/i/status/{self.post_id}" if self.platform == "x" else self.canonical.lower()


@dataclass(frozen=True, slots=True)
class LinkProblem:
    """Why one pasted link was not accepted.

    `reason`: not_a_post, not_supported, private, malformed, too_long, blocked, duplicate, other_platform (one message
    orders for one platform: that of its first link), no_post_left (the credits are enough for those before it only).
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
    paused_at: datetime | None = None  # its waiting phases are not sent since then
    can_pause: bool = False
    can_cancel_rest: bool = False
    can_reorder: bool = False
    expected_at: datetime | None = None  # from our own history; None: too little of it, or all is done


@dataclass(frozen=True, slots=True)
class PlacedView:
    """What became of a confirmed draft: its orders, and the links that were not taken."""

    orders: tuple[OrderView, ...]
    problems: tuple[LinkProblem, ...]


SlowCode = Literal[
    "paused",  # at: since when
    "due",  # waits for its time. at: when it is sent
    "busy",  # the link is busy at the panels. at: when it is tried again
    "outage",  # no panel could take it. at: since when
    "refused",  # panels said no to it. at: when it is tried again
    "sending",  # on its way to a panel right now
    "staff_decides",  # a panel did not answer: staff look into it. at: since when
    "accepted",  # a panel works at it. at: since when; `done` is what it says
    "crowd",  # replies are collected. at: until when, where that is known
    "staff",  # our team works at it
    "paid_back",  # nobody delivers it yet: its part is paid back at the end
    "done",
]


@dataclass(frozen=True, slots=True)
class SlowReason:
    """Why a line, or a part of it, is where it is. `at` as the code says; `asked_at`: when the panel was last asked."""

    code: SlowCode
    metric: Metric
    quantity: int
    done: int = 0
    at: datetime | None = None
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SlowView:
    """`usual`: how long such orders take, by our own history; `longer`: this one takes longer than that."""

    order: OrderView
    reasons: tuple[SlowReason, ...]
    usual: timedelta | None
    longer: bool


@dataclass(frozen=True, slots=True)
class CustomSpec:
    """What an owner says of a custom plan. Quantities per post; `price` USD per post, 0: its posts are given, not sold;
    `preset`: how many posts the shop offers at that price."""

    title: str
    likes: int = 0
    reposts: int = 0
    comments: int = 0
    views: int = 0
    price: Decimal = Decimal(0)
    preset: int = 0
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CustomPlanView:
    """A plan made for one person. `left`: posts; `paid_back`: what of their price would go back to the wallet if it
    ended now; `worst_cost`: of a post, at the dearest panels."""

    id: int
    user_id: int
    spec: CustomSpec
    plan: PlanView
    state: Literal["live", "expired", "ended"]
    left: int
    paid_back: Money
    worst_cost: Decimal


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
    """No plan with enough credits for these links. Fields: needed, platform; where the only posts left are those of a
    custom plan that has ended, also ended_title and ended_at; where a certain plan was asked for, title."""

    code = "boosts.no_credits"


class PlanEnded(DomainError):
    """A custom plan that has ended, by its time or by an owner. Fields: title, at."""

    code = "boosts.plan_ended"


class PlanChanged(DomainError):
    """A custom plan is not what the screen showed. Fields: plan_id."""

    code = "boosts.plan_changed"


class BadCustomPlan(DomainError):
    """Fields: reason (title, nothing, quantity, undeliverable, price, posts, too_few_left, expiry, reason, ended), and
    by it: metric, most, least, left."""

    code = "boosts.bad_custom_plan"


class CannotSteer(DomainError):
    """The order cannot be paused, resumed or cut short (any more). Fields: order_id, what, paused."""

    code = "boosts.cannot_steer"


class CannotReorder(DomainError):
    """Paid with money, not with posts of a plan. Fields: order_id."""

    code = "boosts.cannot_reorder"


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


class CustomPlans(Protocol):
    """Plans made for one person. Changing them needs the right ``plans``; everything is audited."""

    async def of_user(self, *, user_id: int) -> tuple[CustomPlanView, ...]:
        """All of a person's, those that can be used first, then the newest."""
        ...

    async def get(self, *, plan_id: int) -> CustomPlanView:
        """Raises NotFound."""
        ...

    def preview(self, spec: CustomSpec) -> tuple[PlanView, Decimal]:
        """What such a plan would deliver, and a post's worst cost. Raises BadCustomPlan."""
        ...

    async def create(
        self, *, key: str, actor: int, user_id: int, spec: CustomSpec, give: int, reason: str
    ) -> CustomPlanView:
        """`give`: posts given at once, free. Raises BadCustomPlan, users NotAllowed, SessionExpired."""
        ...

    async def edit(
        self, *, key: str, actor: int, plan_id: int, version: int, spec: CustomSpec, give: int, reason: str
    ) -> CustomPlanView:
        """For orders to come. `give`: posts given free, or (below 0) taken back: those paid for are paid back.
        `version`: of the plan that was looked at. Raises BadCustomPlan, PlanChanged, users NotAllowed,
        SessionExpired."""
        ...

    async def end(self, *, key: str, actor: int, plan_id: int, reason: str) -> CustomPlanView:
        """Posts left are taken back; those paid for are paid back at their price. On an ended plan: takes back what
        has come back to it since. Raises BadCustomPlan, users NotAllowed, SessionExpired."""
        ...


class Boosts(Protocol):
    def plans(self) -> tuple[PlanView, ...]:
        """The catalogue, in the order shown."""
        ...

    def plan(self, plan_id: str) -> PlanView:
        """Raises UnknownPlan."""
        ...

    async def buy(self, *, key: str, user_id: int, plan_id: str, quantity: int) -> InvoiceView:
        """Open the invoice. Raises UnknownPlan, NotOnSale, BadQuantity, payments TooManyInvoices, users Blocked,
        TermsNotAccepted."""
        ...

    async def credits(self, *, user_id: int) -> tuple[CreditView, ...]: ...

    async def credits_in(self, balances: Sequence[Balance]) -> tuple[CreditView, ...]:
        """The same, of the balances of a person that were read already. Asks nothing more of who has no custom plan."""
        ...

    async def find_plan(self, plan_id: str) -> PlanView:
        """Like `plan`, custom plans included. Raises UnknownPlan."""
        ...

    @property
    def custom(self) -> CustomPlans: ...

    async def draft(self, *, key: str, user_id: int, text: str) -> DraftView:
        """Read the links out of a message. With credits for the first of them only, the draft is of these and the
        others are problems. Raises BadLink, TooManyLinks, NoCredits (the draft is not kept then)."""
        ...

    async def choose_plan(self, *, key: str, user_id: int, draft_id: int, plan_id: str) -> DraftView:
        """Raises DraftExpired, NoCredits, PlanEnded."""
        ...

    async def get_draft(self, *, user_id: int, draft_id: int) -> DraftView:
        """Raises NotFound, DraftExpired."""
        ...

    async def confirm(self, *, key: str, user_id: int, draft_id: int) -> tuple[OrderView, ...]:
        """Debit one credit a link and create the orders in one transaction. A draft makes its orders once, whatever
        key. Raises DraftExpired, NoCredits, BadLink (blocked since), PlanEnded, PlanChanged, users Blocked,
        TermsNotAccepted."""
        ...

    async def placed(self, *, user_id: int, draft_id: int) -> PlacedView:
        """What a confirmed draft became, as it is now. Raises NotFound, also before it is confirmed."""
        ...

    async def reorder(self, *, key: str, user_id: int, order_id: int) -> DraftView:
        """A draft of the same link and, while it has posts, the same plan. Raises NotFound, CannotReorder, NoCredits,
        PlanEnded, BadLink (blocked since)."""
        ...

    async def discard(self, *, key: str, user_id: int, draft_id: int) -> None:
        """Raises DraftExpired when it made its orders already."""
        ...

    async def get_order(self, *, order_id: int, user_id: int | None = None) -> OrderView:
        """With `user_id`, only that person's. Raises NotFound."""
        ...

    async def orders(
        self, *, user_id: int, before_id: int | None = None, limit: int = 10, which: OrderFilter = "all"
    ) -> tuple[OrderView, ...]:
        """Newest first. problems: not all of it came, or something keeps it waiting."""
        ...

    async def slow(self, *, user_id: int, order_id: int) -> SlowView:
        """Why it is where it is, from our own rows. Raises NotFound."""
        ...

    async def pause(self, *, key: str, user_id: int, order_id: int) -> OrderView:
        """Waiting phases are not sent until `resume`. What panels, groups and staff have begun goes on. Raises
        CannotSteer: nothing waits, or it is paused."""
        ...

    async def resume(self, *, key: str, user_id: int, order_id: int) -> OrderView:
        """The times of waiting phases move by as long as the pause was. Raises CannotSteer: it is not paused."""
        ...

    async def cancel_rest(self, *, key: str, user_id: int, order_id: int) -> OrderView:
        """Cancel what waits; its part comes back when the order ends. Before anything was sent it is `cancel`. Raises
        CannotSteer: nothing waits."""
        ...

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

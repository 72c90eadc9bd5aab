"""The door of boosts: the catalogue, credits, orders and their delivery.

Units: prices are Decimals in USD per unit; quantities are whole units; refunds are Money in USD.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal, Protocol

from viralcore.core.db import Tx
from viralcore.core.errors import DomainError
from viralcore.core.money import USD, Money
from viralcore.ledger.api import Balance
from viralcore.payments.api import InvoiceView

Metric = Literal["likes", "views", "comments", "reposts", "reactions", "votes", "followers", "members", "months"]
Channel = Literal["panel", "crowd", "staff"]
Engine = Literal["crowd", "staff"]
"""Who works at a line that no panel delivers: the groups, or somebody with a card."""
OrderState = Literal["scheduled", "sending", "in_progress", "completed", "partial", "failed", "cancelled"]
NOTHING = Money(0, USD)
LineState = Literal["scheduled", "sending", "in_progress", "completed", "partial", "failed", "cancelled", "refunded"]
AskWhat = Literal["refill", "cancel"]
AskState = Literal["asking", "accepted", "refused", "unknown", "done", "rejected", "lapsed"]
"""What became of a refill or a cancel that a panel was asked for. `accepted`: it works at it; `unknown`: it did not
answer; `lapsed`: it never said that it was done."""
OrderFilter = Literal["all", "running", "finished", "problems"]
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
    until: datetime | None = None  # custom plans: when it ends or ended; its posts cannot be used from then on
    version: int = 0  # custom plans: rises with every change of what it delivers
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
    orders for one platform: that of its first link), no_post_left (the credits are enough for those before it only).
    """

    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class WayView:
    """How a line would be delivered if it were ordered now. `minutes`: when a panel is sent its parts (30, 60);
    `hours`: how long a post stands in our groups."""

    metric: Metric
    by: Channel
    minutes: tuple[int, ...] = ()
    hours: int = 0


@dataclass(frozen=True, slots=True)
class DraftView:
    """A confirm screen's worth: links x plan, before anything is debited. Kept in the database until it expires."""

    id: int
    user_id: int
    links: tuple[LinkView, ...]
    problems: tuple[LinkProblem, ...]
    choices: tuple[CreditView, ...]  # plans with enough credits
    plan: PlanView | None  # chosen, or the only one that fits
    ways: tuple[WayView, ...]  # of the plan's lines that somebody delivers
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
    verified: int = 0  # how many were to come from verified accounts
    verified_done: int = 0
    until: datetime | None = None  # when our groups end with it


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
    to_bonus: Money = NOTHING  # of `refunded`, what had been paid with bonus money and is that again
    unpaid: Money = NOTHING  # besides it: of what was not delivered, what had been forgiven when it was paid


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
    "crowd",  # replies are collected. at: until when; next_at: when the next group is asked
    "crowd_review",  # no replies are taken any more, some still have to be checked. at: until when at most
    "staff_waits",  # for somebody of our team. at: since when
    "staff",  # somebody of our team has it. at: since when
    "paid_back",  # nobody delivers it yet: its part is paid back at the end
    "done",
]


@dataclass(frozen=True, slots=True)
class SlowReason:
    """Why a line, or a part of it, is where it is. `at` and `next_at` as the code says; `asked_at`: when the panel was
    last asked."""

    code: SlowCode
    metric: Metric
    quantity: int
    done: int = 0
    at: datetime | None = None
    asked_at: datetime | None = None
    next_at: datetime | None = None


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
class BalanceHint:
    """What a panel's balance did around a send nobody knows the outcome of: a hint, never a proof. `spent`: what it
    fell by; `others`: what our other orders between the two readings account for; `cost`: what this one would have
    cost."""

    spent: Decimal
    others: Decimal
    orders: int
    cost: Decimal
    before_at: datetime
    after_at: datetime
    currency: str


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
    hint: BalanceHint | None = None


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
    preferred: bool = False
    days_left: Decimal | None = None  # at what we spent there lately
    quarantined: int = 0  # services that wait for an owner


@dataclass(frozen=True, slots=True)
class PanelServiceView:
    """What a panel delivers a metric with. `state`: ok | quarantined, `reason`: price | vanished | kind | owner.

    `agreed_rate`: the price a jump is measured from. `read`: False while only the settings know it.
    """

    platform: str
    metric: str
    service: str
    name: str
    rate: Decimal
    agreed_rate: Decimal
    minimum: int
    maximum: int
    refill: bool
    cancel: bool
    state: str
    reason: str
    read: bool


@dataclass(frozen=True, slots=True)
class ServiceChangeView:
    """What a reading of a list changed. `what`: price | minimum | maximum | name | refill | cancel | kind | vanished |
    back."""

    platform: str
    metric: str
    service: str
    what: str
    before: str
    after: str
    quarantined: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class PanelPage:
    """One panel. Rates are parts of 1 and None while nobody can say; `samples`: orders they are from."""

    panel: PanelView
    days: int  # the rates are of
    samples: int
    success: Decimal | None
    cancelled: Decimal | None
    first_seconds: int | None
    spent_a_day: Decimal | None
    synced_at: datetime | None
    sync_asked: bool
    services: tuple[PanelServiceView, ...]
    changes: tuple[ServiceChangeView, ...]
    free: tuple[tuple[str, str], ...]  # (platform, metric) it has no service for


@dataclass(frozen=True, slots=True)
class OfferView:
    """A line of a panel's list, as it would be used. `rate`: per 1,000 in the panel's currency.

    `plans`: titles of those whose lines it delivers from then on; `others`: those that sell the same and leave it to
    groups or staff.
    """

    panel: str
    platform: str
    metric: str
    service: str
    name: str
    category: str
    rate: Decimal
    minimum: int
    maximum: int
    refill: bool
    cancel: bool
    plans: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AskView:
    """A refill or a cancel. `words`: the panel's own, for staff."""

    id: int
    order_id: int
    phase_id: int
    what: AskWhat
    state: AskState
    words: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PlacementView:
    """A phase at its panel, for staff."""

    phase_id: int
    metric: Metric
    number: int
    quantity: int
    delivered: int
    state: PhaseState
    panel: str
    service: str
    panel_order: str
    sent_at: datetime | None
    start_count: int | None
    remains: int | None
    charge: Decimal | None
    currency: str
    remainder_of: int | None
    can_refill: bool
    can_cancel: bool
    requests: tuple[AskView, ...]


StuckWhy = Literal["", "strange", "gone", "long"]
"""Why staff should look at an order at a panel. `strange`: nobody understands its answers; `gone`: that panel is not in
use any more; `long`: it runs for too long; empty: they need not."""


@dataclass(frozen=True, slots=True)
class StuckView:
    """A phase at its panel, for those who may end it. `since`: it is followed under this number since then; `said`: the
    panel's own words, where they are `strange`."""

    phase_id: int
    order_id: int
    link: str
    metric: Metric
    quantity: int
    delivered: int
    state: PhaseState
    panel: str
    service: str
    panel_order: str
    since: datetime
    why: StuckWhy
    strange_since: datetime | None
    said: str


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
    verified: int = 0  # how many of `quantity` must come from verified accounts


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
    """A plan is not what the screen showed, or nothing of it can be delivered any more. Fields: plan_id."""

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


class NotSent(DomainError):
    """It does not run at its panel any more, or not under the number that was looked at. Fields: phase_id, state."""

    code = "boosts.not_sent"


class BadService(DomainError):
    """Fields: given, reason: unknown (not in the panel's list) | kind (it needs more than a link and a number) | unread
    (its list was never read) | metric | moved (its price is not what was shown)."""

    code = "boosts.bad_service"


class CannotAsk(DomainError):
    """A refill or a cancel is not possible now. Fields: what, reason: not_offered | open (asked already) | done |
    not_running | not_completed | soon | over | nothing | panel; order_id, when one panel order was asked about."""

    code = "boosts.cannot_ask"


class StuckOrders(Protocol):
    """Orders at panels that do not end by themselves. At `PanelCare.stuck`. Deciding takes the right ``orders.retry``,
    and somebody else's order, as long as there is somebody else who may."""

    async def count(self) -> int: ...

    async def page(self, *, after: int = 0, limit: int = 20) -> tuple[StuckView, ...]:
        """By phase id, after this one."""
        ...

    async def get(self, *, phase_id: int) -> StuckView:
        """Any phase that a panel took. Raises NotFound."""
        ...

    async def end(self, *, key: str, actor: int, phase_id: int, panel_order: str, delivered: int) -> StuckView:
        """It ended there, with so many delivered: as if the panel had said so. `panel_order`: the number that was
        looked at. Raises NotFound, NotSent, BadProgress, users NotAllowed, NotYourself."""
        ...

    async def renumber(self, *, key: str, actor: int, phase_id: int, panel_order: str, given: str) -> StuckView:
        """Its number there is `given`, not `panel_order`. Raises NotFound, NotSent, BadPanelOrder, users NotAllowed,
        NotYourself."""
        ...


class PanelCare(Protocol):
    """What staff see of panels and do with them. Choosing takes the right ``panels``, asking ``orders.retry``."""

    @property
    def stuck(self) -> StuckOrders: ...

    async def page(self, *, panel: str) -> PanelPage:
        """Raises NotFound."""
        ...

    async def prefer(self, *, key: str, actor: int, panel: str) -> None:
        """Ask this panel first from now on. Raises NotFound."""
        ...

    async def ask_services(self, *, key: str, actor: int, panel: str) -> None:
        """Have its list read at the clock's next look. Raises NotFound."""
        ...

    async def offer(self, *, panel: str, platform: str, metric: str, service: str) -> OfferView:
        """What a service id would mean, by the list as it was read last. Raises NotFound, BadService."""
        ...

    async def choose_service(
        self, *, key: str, actor: int, panel: str, platform: str, metric: str, service: str, rate: Decimal
    ) -> None:
        """Use it from now on, at the price that was shown; also accepts what was quarantined. Raises NotFound,
        BadService."""
        ...

    async def leave_out(self, *, key: str, actor: int, panel: str, platform: str, metric: str) -> None:
        """Use its service for this no more, until one is chosen. Raises NotFound, BadService."""
        ...

    async def placements(self, *, order_id: int) -> tuple[PlacementView, ...]:
        """What panels have of an order. Raises NotFound."""
        ...

    async def ask(self, *, key: str, actor: int, phase_id: int, what: AskWhat) -> AskView:
        """Ask the panel for a refill, or to cancel the rest. Raises NotFound, CannotAsk."""
        ...

    async def can_refill(self, *, order_id: int) -> bool:
        """Whether a buyer may ask now."""
        ...

    async def refill(self, *, key: str, user_id: int, order_id: int) -> int:
        """The buyer asks for everything that can be refilled; how many panel orders were asked about. Raises NotFound,
        CannotAsk, users Blocked, TermsNotAccepted."""
        ...


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

    async def waiting(self, *, after_id: int = 0, limit: int = 20) -> tuple[StaffCardView, ...]:
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


GroupRole = Literal["none", "comments", "likes"]
"""comments: posts are sent there to be replied to; likes: every post is sent there to be liked (one group at most)."""
GroupState = Literal["in", "left", "kicked"]
CrowdPostState = Literal["open", "review", "closed"]
ClaimState = Literal["claimed", "submitted", "approved", "rejected", "expired"]


@dataclass(frozen=True, slots=True)
class GroupView:
    """A Telegram group the bot is or was in. Titles repeat: `id` is what tells groups apart. `posts`: messages sent
    there; `claims`: made there; `approved`: of those."""

    id: int
    chat_id: int
    title: str
    role: GroupRole
    state: GroupState
    added_at: datetime
    posts: int
    claims: int
    approved: int
    last_sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class TaskPartView:
    """`taken`: slots somebody holds or was paid for; `approved`: of those, checked by staff.

    `verified`: so many of `wanted` must come from verified accounts. Others have the slots beside those; what they did
    beyond them does not count. `taken_verified`, `approved_verified`: of `taken`, of `approved`.
    """

    metric: Metric
    wanted: int
    taken: int
    approved: int
    verified: int = 0
    taken_verified: int = 0
    approved_verified: int = 0

    @property
    def free(self) -> int:
        """Slots for anybody with a verified account."""
        return max(0, self.wanted - self._of(self.taken, self.taken_verified))

    @property
    def free_plain(self) -> int:
        """Slots for everybody."""
        return max(0, min(self.free, self.wanted - self.verified - (self.taken - self.taken_verified)))

    @property
    def free_verified(self) -> int:
        """Of `free`, those that only verified accounts can have as far as is known now."""
        return min(self.free, max(0, self.verified - self.taken_verified))

    @property
    def counted(self) -> int:
        """What is delivered by now."""
        return min(self.wanted, self._of(self.approved, self.approved_verified))

    def _of(self, of_all: int, verified: int) -> int:
        return verified + min(of_all - verified, self.wanted - self.verified)


@dataclass(frozen=True, slots=True)
class TaskView:
    """A post that the groups were asked to reply to. ``review``: nobody can claim any longer, the last proofs are
    being checked."""

    post_id: int
    order_id: int
    link: LinkView
    state: CrowdPostState
    parts: tuple[TaskPartView, ...]
    opened_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class ClaimView:
    """Somebody's slot: what they do for a post. `metrics`: one of each; `proofs`: the links they handed in;
    `group_id` None: taken from the list of tasks. `again`: whether they may claim once more after it was turned down or
    ran out."""

    id: int
    post_id: int
    order_id: int
    user_id: int
    link: LinkView
    group_id: int | None
    metrics: tuple[Metric, ...]
    state: ClaimState
    proofs: tuple[str, ...]
    reason: str
    claimed_at: datetime
    expires_at: datetime  # until when the proof must be here
    submitted_at: datetime | None
    decided_at: datetime | None
    decided_by: int | None
    again: bool
    verified: bool = False  # from a verified account: as they say, and once it is approved as staff say
    version: int = 0  # rises when proof is handed in: a decision names what was seen


@dataclass(frozen=True, slots=True)
class TakenView:
    """`new`: this press took a slot; False: they had it already. `part`: of what, with its counts after that."""

    claim: ClaimView
    new: bool
    part: TaskPartView


@dataclass(frozen=True, slots=True)
class GroupMessageView:
    """What one message in a group says now. `share`: comments wanted of this group, or likes. `state`: of the post;
    a message to the likes group is open as long as its order runs."""

    id: int
    kind: Literal["comments", "likes"]
    order_id: int
    post_id: int | None
    chat_id: int
    link: LinkView
    share: int
    parts: tuple[TaskPartView, ...]
    state: CrowdPostState
    correlation_id: str
    created_at: datetime


class TaskClosed(DomainError):
    """The post takes no claims any longer. Fields: post_id."""

    code = "boosts.task_closed"


class NoSlot(DomainError):
    """Everything wanted of this kind is taken; `verified`: but what only verified accounts can do. Fields: post_id,
    metric, verified."""

    code = "boosts.no_slot"


class OwnPost(DomainError):
    """Nobody works at their own order. Fields: order_id."""

    code = "boosts.own_post"


class ClaimClosed(DomainError):
    """The claim cannot move that way any longer. Fields: claim_id, state."""

    code = "boosts.claim_closed"


class ClaimChanged(DomainError):
    """Other proof was handed in than the one this decision is about. Fields: claim_id."""

    code = "boosts.claim_changed"


class BadProof(DomainError):
    """`reason`: no_link, too_many, not_supported, other_platform, the_post (the link of the post itself), used (by
    somebody, for any post), no_reply (a reply is claimed and none of the links is one). Fields: reason, link, limit."""

    code = "boosts.bad_proof"


class BadReason(DomainError):
    """Staff turned a claim down without saying why. Fields: limit."""

    code = "boosts.bad_reason"


class Crowd(Protocol):
    """The groups, what they are asked to do, and who did it. At `Boosts.crowd`."""

    # --- groups ---

    async def groups(self, *, limit: int | None = None, offset: int = 0) -> tuple[GroupView, ...]:
        """Groups: those the bot is in first, then by id."""
        ...

    async def group(self, *, group_id: int) -> GroupView:
        """Raises core NotFound."""
        ...

    async def set_role(self, *, key: str, actor: int, group_id: int, role: GroupRole) -> GroupView:
        """Right ``groups``. The likes group is one: another that was it becomes none. Raises core NotFound, users
        NotAllowed."""
        ...

    async def bot_moved(self, *, chat_id: int, title: str, state: GroupState, by: int | None, at: datetime) -> None:
        """Telegram says where the bot stands in a group. `at`: when, so that what is older changes nothing."""
        ...

    async def group_renamed(self, *, chat_id: int, title: str) -> None: ...

    async def group_migrated(self, tx: Tx, *, old_chat_id: int, new_chat_id: int) -> None:
        """The group is a supergroup now, under another id. Told by its update or by a send that failed; once is
        enough."""
        ...

    # --- tasks ---

    async def tasks(self, *, user_id: int, limit: int = 10, offset: int = 0) -> tuple[TaskView, ...]:
        """Posts that still need something and that this person may claim, those that need most first, then the newest.
        Not their own."""
        ...

    async def task(self, *, post_id: int) -> TaskView:
        """Raises core NotFound."""
        ...

    async def take(
        self,
        *,
        key: str,
        user_id: int,
        post_id: int,
        metric: Metric | None = None,
        chat_id: int | None = None,
        verified: bool = False,
    ) -> TakenView:
        """Claim a slot of what is named (None: the first that is free, comments before others), as a new claim or as
        one more part of the one they hold before its proof is handed in. `chat_id`: the group it was pressed in; None:
        the list of tasks, right ``tasks``. `verified`: they say that their account is. Raises core NotFound,
        TaskClosed, NoSlot, OwnPost, ClaimClosed, users Blocked, NotAllowed."""
        ...

    async def submit(self, *, key: str, user_id: int, claim_id: int, text: str) -> ClaimView:
        """Hand in the links in `text` as proof; as long as nobody has decided, they replace earlier ones. Raises core
        NotFound, BadProof, ClaimClosed."""
        ...

    async def give_up(self, *, key: str, user_id: int, claim_id: int) -> ClaimView:
        """Free the slot before anything was handed in. Raises core NotFound, ClaimClosed."""
        ...

    async def claim(self, *, claim_id: int, user_id: int | None = None) -> ClaimView:
        """With `user_id`, only that person's. Raises core NotFound."""
        ...

    async def claim_of(self, *, user_id: int, post_id: int) -> ClaimView | None: ...

    async def claims(self, *, user_id: int, before_id: int | None = None, limit: int = 20) -> tuple[ClaimView, ...]:
        """A person's, newest first."""
        ...

    async def under_way(self, *, user_id: int, limit: int = 100) -> tuple[ClaimView, ...]:
        """A person's that are not decided: those that want proof first, the most urgent before the others."""
        ...

    # --- staff ---

    async def waiting(self, *, after_id: int = 0, limit: int = 20) -> tuple[ClaimView, ...]:
        """Submitted claims that nobody has decided, by id."""
        ...

    async def waiting_count(self, *, order_id: int | None = None) -> int:
        """How many there are, of one order or of all."""
        ...

    async def approve(
        self, *, key: str, actor: int, claim_id: int, seen: int, verified: bool = False, tx: Tx | None = None
    ) -> ClaimView:
        """Right ``replies.approve``. Counts for the order if it still runs, and is announced by ClaimApproved once for
        each metric in any case: the work was done. `seen`: the version that was looked at; `verified`: it came from a
        verified account, as its person said. Raises core NotFound, ClaimClosed, ClaimChanged, users NotAllowed."""
        ...

    async def reject(
        self, *, key: str, actor: int, claim_id: int, seen: int, reason: str, tx: Tx | None = None
    ) -> ClaimView:
        """The same right; frees the slot. Raises as `approve`, and BadReason."""
        ...

    # --- what was sent to groups ---

    async def group_message(self, *, message_id: int) -> GroupMessageView:
        """What a message to a group says now. Raises core NotFound."""
        ...

    async def post_messages(self, *, post_id: int) -> tuple[int, ...]:
        """The ids of a post's messages that stand in groups or are on their way."""
        ...

    async def message_sent(self, tx: Tx, *, message_id: int, shown_as: int) -> None:
        """It stands in the group, as Telegram's message `shown_as`."""
        ...

    async def message_failed(self, tx: Tx, *, message_id: int, reason: str, gone: bool) -> None:
        """It could not be sent; `gone`: the bot may not write there. The next group gets its share."""
        ...


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


class Boosts(Protocol):
    @property
    def panel_care(self) -> PanelCare: ...

    @property
    def replies(self) -> Replies:
        """Reply guys and their pay."""
        ...

    @property
    def crowd(self) -> Crowd:
        """The groups and their members' work."""
        ...

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

    async def slow(self, *, order_id: int, user_id: int | None = None) -> SlowView:
        """Why it is where it is, from our own rows. With `user_id`, only that person's. Raises NotFound."""
        ...

    async def pause(self, *, key: str, user_id: int, order_id: int) -> OrderView:
        """Waiting phases are not sent until `resume`. What panels, groups and staff have begun goes on. Raises
        CannotSteer: nothing waits, or it is paused."""
        ...

    async def resume(self, *, key: str, user_id: int, order_id: int) -> OrderView:
        """The times of waiting phases move by as long as the pause was. Raises CannotSteer: it is not paused."""
        ...

    async def cancel_rest(self, *, key: str, user_id: int, order_id: int) -> OrderView:
        """Cancel what waits: parts that are not sent, and lines of groups or staff that nobody has begun. Their share
        comes back when the order ends. Before anything was begun it is `cancel`. Raises CannotSteer: nothing waits."""
        ...

    async def cancel(self, *, key: str, user_id: int, order_id: int) -> OrderView:
        """Until the first phase is sent; the credit comes back. Raises CannotCancel."""
        ...

    async def unknown_phase(self, *, phase_id: int) -> UnknownPhaseView: ...

    async def unknown_phases(self, *, after: int = 0, limit: int = 100) -> tuple[UnknownPhaseView, ...]:
        """By phase id, after this one."""
        ...

    async def unknown_count(self) -> int: ...

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

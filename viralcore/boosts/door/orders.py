"""The door's part about orders: links, drafts made of them, orders with lines and phases, and why one is slow.

Units: quantities are whole units of the line's metric; shares are parts of 1; refunds are Money in USD.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from viralcore.boosts.door.plans import Channel, CreditView, Metric, PlanView
from viralcore.core.errors import DomainError
from viralcore.core.money import USD, Money

Engine = Literal["crowd", "staff"]
"""Who works at a line that no panel delivers: the groups, or somebody with a card."""
OrderState = Literal["scheduled", "sending", "in_progress", "completed", "partial", "failed", "cancelled"]
LineState = Literal["scheduled", "sending", "in_progress", "completed", "partial", "failed", "cancelled", "refunded"]
OrderFilter = Literal["all", "running", "finished", "problems"]
PhaseState = Literal["waiting", "sending", "sent", "unknown", "completed", "partial", "failed", "cancelled"]
NOTHING = Money(0, USD)


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


class BadLink(DomainError):
    """No usable link in the text. Fields: problems (tuple of LinkProblem)."""

    code = "boosts.bad_link"


class TooManyLinks(DomainError):
    """Fields: limit, given."""

    code = "boosts.too_many_links"


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

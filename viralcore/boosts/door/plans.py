"""The door's part about the shop: the catalogue, a person's credits, and plans made for one person.

Units: prices and costs are Decimals in USD per unit; a custom plan's unit is a post; what is paid back is Money in USD.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol

from viralcore.core.errors import DomainError
from viralcore.core.money import Money

Metric = Literal["likes", "views", "comments", "reposts", "reactions", "votes", "followers", "members", "months"]
Channel = Literal["panel", "crowd", "staff"]


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


class UnknownPlan(DomainError):
    code = "boosts.unknown_plan"


class NotOnSale(DomainError):
    code = "boosts.not_on_sale"


class BadQuantity(DomainError):
    """Fields: minimum, maximum, step, asked."""

    code = "boosts.bad_quantity"


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

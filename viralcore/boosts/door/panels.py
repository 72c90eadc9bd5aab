"""The door's part about panels: how they are and what they sell, orders there that are stuck, sends of unknown outcome.

Units: services' rates are Decimals per 1,000; they, balances, charges and costs are in the panel's own currency.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol

from viralcore.boosts.door.orders import PhaseState
from viralcore.boosts.door.plans import Metric
from viralcore.core.errors import DomainError

AskWhat = Literal["refill", "cancel"]
AskState = Literal["asking", "accepted", "refused", "unknown", "done", "rejected", "lapsed"]
"""What became of a refill or a cancel that a panel was asked for. `accepted`: it works at it; `unknown`: it did not
answer; `lapsed`: it never said that it was done."""


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

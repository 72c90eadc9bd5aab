"""What happened to orders and panels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from viralcore.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCreated(Event):
    NAME: ClassVar[str] = "boosts.order_created.v1"
    order_id: int
    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderProgressed(Event):
    """A phase was sent, a count moved or a state changed: live screens should be drawn again."""

    NAME: ClassVar[str] = "boosts.order_progressed.v1"
    order_id: int
    user_id: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseSent(Event):
    NAME: ClassVar[str] = "boosts.phase_sent.v1"
    phase_id: int
    order_id: int
    user_id: int
    metric: str
    number: int
    quantity: int
    panel: str
    panel_order: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseUnknown(Event):
    """A panel did not answer an `add`: staff must decide."""

    NAME: ClassVar[str] = "boosts.phase_unknown.v1"
    phase_id: int
    order_id: int
    panel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseResolved(Event):
    """Staff answered the card of an unknown phase. `how`: placed | not_placed."""

    NAME: ClassVar[str] = "boosts.phase_resolved.v1"
    phase_id: int
    order_id: int
    actor: int
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesFinished(Event):
    """Lines of an order ended together. `metrics`: comma list; `state`: completed | partial | refunded | failed."""

    NAME: ClassVar[str] = "boosts.lines_finished.v1"
    order_id: int
    user_id: int
    metrics: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFinished(Event):
    """`state`: completed | partial | failed | cancelled. `refunded`: cents to the wallet."""

    NAME: ClassVar[str] = "boosts.order_finished.v1"
    order_id: int
    user_id: int
    state: str
    refunded: int
    credit_returned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomPlanChanged(Event):
    """`what`: made | edited | ended. `given`: posts given, below 0 taken back; `refunded`: cents paid back for them."""

    NAME: ClassVar[str] = "boosts.custom_plan_changed.v1"
    plan_id: int
    user_id: int
    what: str
    given: int
    refunded: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelTrouble(Event):
    """Staff should know; said once until it is over. `detail` is for staff eyes, and may hold a panel's own words.

    `what`: breaker_open (detail: the panel that is active now, or empty when none is) | active_changed (`panel` is
    active again; detail: the one before) | low_balance (detail: what is left, with currency) | not_enough_funds |
    config (bad key, or a service it does not know) | refused (any other no) | strange_status (an answer to a status
    question that says nothing we know).
    """

    NAME: ClassVar[str] = "boosts.panel_trouble.v1"
    panel: str
    what: str
    detail: str

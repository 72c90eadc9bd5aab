"""Orders, lines and phases as they are stored, and the rules by which they move and are paid back. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from viralcore.boosts.api import Channel, Engine, LineState, Metric, OrderState, PhaseState
from viralcore.boosts.config import Schedule
from viralcore.boosts.domain.panels import StatusReading, Why, delivered_at_end, delivered_so_far
from viralcore.boosts.domain.plans import refund_cents

FINAL_PHASE: frozenset[PhaseState] = frozenset({"completed", "partial", "failed", "cancelled"})
FINAL_ORDER: frozenset[OrderState] = frozenset({"completed", "partial", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Order:
    id: int
    user_id: int
    draft_id: int | None
    invoice_id: int | None
    position: int
    plan_id: str
    plan_title: str
    asset: str
    platform: str
    link: str
    handle: str
    post_id: str
    unit_cost: Decimal
    units: int
    answers: Mapping[str, str]
    state: OrderState
    created_at: datetime
    finished_at: datetime | None
    refunded_cents: int
    credit_returned: bool
    paused_at: datetime | None = None
    bonus_cents: int = 0  # of `refunded_cents`, what went back as bonus money
    unpaid_cents: int = 0  # and what nobody had paid

    @property
    def back_cents(self) -> int:
        """Money that came back."""
        return self.refunded_cents - self.unpaid_cents


@dataclass(frozen=True, slots=True)
class Line:
    id: int
    order_id: int
    metric: Metric
    channel: Channel
    engine: Engine | None
    quantity: int
    share: Decimal
    state: LineState
    delivered: int
    refunded_cents: int
    finished_at: datetime | None
    unpaid_cents: int = 0  # of `refunded_cents`, what nobody had paid
    verified: int = 0
    verified_done: int = 0

    @property
    def back_cents(self) -> int:
        """Money that came back."""
        return self.refunded_cents - self.unpaid_cents


@dataclass(frozen=True, slots=True)
class Phase:
    id: int
    order_id: int
    line_id: int
    number: int
    quantity: int
    due_at: datetime
    next_at: datetime | None
    state: PhaseState
    attempt: int
    round: int
    tried: list[list[str]]
    troubled_since: datetime | None
    panel: str | None
    service: str | None
    panel_order: str | None
    sent_at: datetime | None
    polled_at: datetime | None
    start_count: int | None
    remains: int | None
    charge: Decimal | None
    currency: str | None
    delivered: int
    finished_at: datetime | None
    remainder_of: int | None = None
    avoid: str | None = None
    first_at: datetime | None = None
    placed_at: datetime | None = None
    strange_since: datetime | None = None
    said: str | None = None

    @property
    def final(self) -> bool:
        return self.state in FINAL_PHASE


def running_state(phases: Sequence[Phase], lines: Sequence[Line] = ()) -> OrderState:
    """The state of an order that has not ended. `lines`: those no panel delivers say themselves how far they are."""
    if any(phase.panel_order is not None or phase.final for phase in phases):
        return "in_progress"
    if any(line.engine is not None and line.state != "scheduled" for line in lines):
        return "in_progress"
    if any(phase.state in {"sending", "unknown"} for phase in phases):
        return "sending"
    return "scheduled"


def running_line(phases: Sequence[Phase]) -> LineState:
    """The state of a line that has not ended. One without phases waits for the end of the order."""
    state = running_state(phases)
    return "in_progress" if state == "in_progress" else "sending" if state == "sending" else "scheduled"


def can_cancel(order: Order, phases: Sequence[Phase], lines: Sequence[Line]) -> bool:
    """Until the first phase is sent and nobody has begun: every phase still waits, and so does every other line."""
    if order.state in FINAL_ORDER or any(phase.state != "waiting" for phase in phases):
        return False
    return all(line.engine is None or line.state == "scheduled" for line in lines)


def shown_delivered(line: Line, phases: Sequence[Phase]) -> int:
    """Delivered of a line, never more than was sold (a line raised to a panel's minimum delivers more)."""
    return min(line.quantity, sum(phase.delivered for phase in phases))


def remainder(line: Line, phases: Sequence[Phase], ended: Phase) -> int:
    """What is to be ordered once more of a phase that ended early; nothing where it was such a second order itself.

    `phases`: all of the line, with `ended` as it ended. What others still bring is counted as if it came: a line that
    was raised to a panel's minimum may have enough already.
    """
    if ended.remainder_of is not None or ended.state not in {"partial", "failed"} or ended.panel_order is None:
        return 0
    others = sum(one.delivered if one.final else one.quantity for one in phases if one.id != ended.id)
    return max(0, min(ended.quantity - ended.delivered, line.quantity - others - ended.delivered))


def ended_line(line: Line, phases: Sequence[Phase]) -> LineState:
    """How a line ended whose phases all ended."""
    delivered = shown_delivered(line, phases)
    if delivered >= line.quantity:
        return "completed"
    return "partial" if delivered else "failed"


def ended_worked(line: Line) -> LineState:
    """How a line ended that an engine worked at."""
    return "completed" if line.delivered >= line.quantity else "partial" if line.delivered else "failed"


@dataclass(frozen=True, slots=True)
class Settlement:
    """How an order ends. `refunds`: line id -> cents, only what is more than nothing."""

    state: OrderState
    credit_returned: bool
    refunds: Mapping[int, int]

    @property
    def refunded_cents(self) -> int:
        return sum(self.refunds.values())


def settle(order: Order, lines: Sequence[Line], *, credit: bool = True) -> Settlement:
    """What comes back when every line that had phases has ended. `lines` carry their final counts.

    Nothing delivered at all: the credit, where it was paid with one. Else each line's undelivered part of its share,
    rounded down to the cent. `credit`: False when a credit could not be used any more, as its plan has ended.
    """
    nothing = not any(line.delivered for line in lines)
    if nothing and order.asset and (credit or not order.unit_cost):
        return Settlement("failed", credit_returned=True, refunds={})
    refunds = {line.id: line_refund(order.unit_cost, line) for line in lines}
    missing = any(line.state in {"partial", "failed", "cancelled"} for line in lines)
    return Settlement(
        "failed" if nothing else "partial" if missing else "completed",
        credit_returned=False,
        refunds={line_id: cents for line_id, cents in refunds.items() if cents > 0},
    )


def line_refund(unit_cost: Decimal, line: Line) -> int:
    """Cents that come back for what a line did not deliver."""
    undelivered = max(0, line.quantity - line.delivered)
    return refund_cents(unit_cost, line.share, undelivered, line.quantity)


@dataclass(frozen=True, slots=True)
class PhaseUpdate:
    """What a reading of its panel order makes of a sent phase."""

    state: PhaseState
    delivered: int
    changed: bool
    strange: bool


def apply_reading(phase: Phase, reading: StatusReading) -> PhaseUpdate:
    """An end only when the reading says enough to pay by; else it is asked about again (strange: staff are told)."""
    at_end = delivered_at_end(reading, phase.quantity)
    if at_end is not None:
        state: PhaseState = "completed" if at_end >= phase.quantity else "partial" if at_end else "failed"
        return PhaseUpdate(state, at_end, changed=True, strange=False)
    delivered = delivered_so_far(reading, phase.quantity, phase.delivered)
    strange = reading.word in {"strange", "partial", "canceled"}
    return PhaseUpdate("sent", delivered, changed=delivered != phase.delivered, strange=strange)


def next_look(phase: Phase, tried: Sequence[tuple[str, Why]], now: datetime, limits: Schedule) -> datetime | None:
    """When to try a phase again that no panel took in this round; None: it has failed.

    A busy link is waited for; what staff can cure (outage, funds, keys) is waited for longer than a plain no.
    """
    reasons = {why for _, why in tried}
    since = phase.troubled_since or now
    if "busy" in reasons:
        patience, wait = timedelta(hours=limits.busy_hours), limits.busy_retry_minutes
    else:
        curable = not reasons or reasons & {"outage", "funds", "config", "service"}
        patience = timedelta(hours=limits.outage_hours if curable else limits.refused_hours)
        wait = limits.retry_minutes[min(phase.round, len(limits.retry_minutes) - 1)]
    return None if now - since >= patience else now + timedelta(minutes=wait)

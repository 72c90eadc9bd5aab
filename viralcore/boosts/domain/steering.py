"""Orders on their way: what their buyer may still do with them, and why they are where they are. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from viralcore.boosts.api import SlowCode, SlowReason
from viralcore.boosts.domain.states import FINAL_ORDER, Line, Order, Phase


def waits(order: Order, phases: Sequence[Phase]) -> bool:
    """Whether something of it can still be held back. Groups and staff are not: who wants to begin may."""
    return order.state not in FINAL_ORDER and any(phase.state == "waiting" for phase in phases)


def can_pause(order: Order, phases: Sequence[Phase]) -> bool:
    return order.paused_at is None and waits(order, phases)


def moved_by(order: Order, now: datetime) -> timedelta:
    """By how much the times of a paused order's waiting phases move."""
    return timedelta(0) if order.paused_at is None else max(timedelta(0), now - order.paused_at)


def unbegun(lines: Sequence[Line]) -> list[Line]:
    """Lines of groups or staff that nobody has begun: they belong to the rest that can be cancelled."""
    return [
        line for line in lines if line.engine is not None and line.finished_at is None and line.state == "scheduled"
    ]


def has_rest(order: Order, phases: Sequence[Phase], lines: Sequence[Line]) -> bool:
    """Whether something of it can still be taken away."""
    return waits(order, phases) or (order.state not in FINAL_ORDER and bool(unbegun(lines)))


@dataclass(frozen=True, slots=True)
class Situation:
    """How a line stands that an engine works at, as `api.SlowReason` tells it."""

    code: SlowCode
    at: datetime | None = None
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the rows of an order alone do not say. `whys`: phase id to why its last panel said no; `engines`: line id to
    how it stands with who works at it, where that is known."""

    whys: Mapping[int, str] = field(default_factory=dict)
    engines: Mapping[int, Situation] = field(default_factory=dict)


def reasons(
    order: Order, lines: Sequence[Line], phases: Sequence[Phase], known: Circumstances
) -> tuple[SlowReason, ...]:
    """Why each part that has not ended is where it is, line by line."""
    if order.state in FINAL_ORDER:
        return ()
    found: list[SlowReason] = []
    for line in lines:
        mine = [phase for phase in phases if phase.line_id == line.id]
        found += _of_line(order, line, mine, known)
    return tuple(found)


def _of_line(order: Order, line: Line, mine: Sequence[Phase], known: Circumstances) -> Iterator[SlowReason]:
    if line.finished_at is not None:
        yield SlowReason("done", line.metric, line.quantity, line.delivered)
    elif line.engine is not None:
        now = known.engines.get(line.id, Situation(line.engine))
        yield SlowReason(now.code, line.metric, line.quantity, line.delivered, now.at, next_at=now.next_at)
    elif not mine:
        yield SlowReason("paid_back", line.metric, line.quantity)
    for phase in mine:
        if line.finished_at is None and not phase.final:
            code, at = _of_phase(order, phase, known.whys.get(phase.id, ""))
            yield SlowReason(code, line.metric, phase.quantity, phase.delivered, at, phase.polled_at)


def _of_phase(order: Order, phase: Phase, why: str) -> tuple[SlowCode, datetime | None]:
    if phase.state == "unknown":
        return "staff_decides", phase.sent_at
    if phase.state == "sending":
        return "sending", phase.sent_at
    if phase.state == "sent":
        return "accepted", phase.sent_at
    if order.paused_at is not None:
        return "paused", order.paused_at
    if phase.troubled_since is None:
        return "due", phase.due_at
    if why == "busy":
        return "busy", phase.next_at
    return ("refused", phase.next_at) if why in {"link", "quantity", "other"} else ("outage", phase.troubled_since)

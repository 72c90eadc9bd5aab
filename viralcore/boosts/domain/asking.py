"""When a panel may be asked for a refill or a cancel. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from viralcore.boosts.api import AskState, AskWhat
from viralcore.boosts.config import Care
from viralcore.boosts.domain.states import Phase


def refusal(what: AskWhat, phase: Phase, asked: Sequence[tuple[AskState, datetime]], now: datetime, care: Care) -> str:
    """Why not now (a machine word), or empty. `asked`: state and moment of earlier requests of the same kind.

    A cancel is for what a panel still works at; a refill for what it completed, a day later at the earliest, within the
    days it is offered, and not again within a day of the last.
    """
    if any(state in {"asking", "accepted"} for state, _ in asked):
        return "open"
    if what == "cancel":
        if phase.state != "sent":
            return "not_running"
        return "done" if any(state == "done" for state, _ in asked) else ""
    if phase.state != "completed" or phase.finished_at is None:
        return "not_completed"
    wait = timedelta(hours=care.refill_after_hours)
    if now - phase.finished_at < wait or any(state == "done" and now - at < wait for state, at in asked):
        return "soon"
    return "over" if now - phase.finished_at > timedelta(days=care.refill_days) else ""

"""Panel orders that do not end by themselves: which they are, and why. Pure; `repository/stuck.py` asks the same of the
database."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from viralcore.boosts.api import StuckWhy
from viralcore.boosts.config import Care
from viralcore.boosts.domain.states import Phase


@dataclass(frozen=True, slots=True)
class Limits:
    """`panels`: those in use; what another one has, nobody can ask about. `odd_before`: answers that are not understood
    since then, `long_before`: orders that run since then, are for staff to look at."""

    panels: tuple[str, ...]
    odd_before: datetime
    long_before: datetime


def limits(care: Care, panels: Collection[str], now: datetime) -> Limits:
    return Limits(
        tuple(sorted(panels)),
        odd_before=now - timedelta(minutes=care.stuck_minutes),
        long_before=now - timedelta(days=care.stuck_days),
    )


def since(phase: Phase) -> datetime | None:
    """Since when it is followed under the number it has."""
    return phase.placed_at or phase.sent_at


def why(phase: Phase, told: Limits) -> StuckWhy:
    """Why staff should look at it; empty when they need not."""
    placed = since(phase)
    if phase.state != "sent" or placed is None:
        return ""
    if phase.panel not in told.panels and placed <= told.odd_before:
        return "gone"
    if phase.strange_since is not None and phase.strange_since <= told.odd_before:
        return "strange"
    return "long" if placed <= told.long_before else ""

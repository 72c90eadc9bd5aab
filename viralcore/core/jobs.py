"""Jobs of the clock: named pieces of "look at the table now" work. The rows decide what is due; a job only wakes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Job:
    """One recurring job (DESIGN 7).

    Runs every `every_seconds` of business time and once after each turn of the clock, never overlapping itself.
    `next_due` tells the next moment something becomes due, so that a date job fires on the second. Lower `order` runs
    first in a turn.
    """

    name: str
    every_seconds: float
    run: Callable[[], Awaitable[None]]
    next_due: Callable[[], Awaitable[datetime | None]] | None = None
    order: int = 100

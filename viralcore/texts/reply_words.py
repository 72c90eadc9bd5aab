"""How replies and their days read, the same everywhere."""

from __future__ import annotations

from datetime import date


def on_day(day: date) -> str:
    """``Wednesday 25 Nov``."""
    return f"{day:%A} {day.day} {day:%b}"


def reported(count: int, day: date) -> str:
    """``12 replies on Wednesday 25 Nov``."""
    return f"{replies(count)} on {on_day(day)}"


def replies(count: int) -> str:
    """``1 reply``, ``12 replies``."""
    return f"{count:,} {'reply' if count == 1 else 'replies'}"

"""Which lines a panel's service delivers, once there is one, and which stay with people. Pure."""

from __future__ import annotations

from viralcore.boosts.config import BoostsConfig
from viralcore.boosts.domain.custom import PLATFORM


def users_of(config: BoostsConfig, platform: str, metric: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Titles of the plans whose lines of a metric a panel's service delivers, and of those where people do."""
    by_panel: list[str] = []
    by_people: list[str] = []
    for plan in config.plans:
        lines = [line for line in plan.lines if line.metric == metric] if plan.platform == platform else []
        if lines:
            moves = any(line.panel or line.channel == "panel" for line in lines)
            (by_panel if moves else by_people).append(plan.title.partition("{n}")[0].rstrip(" ,"))
    for line in config.custom.lines if platform == PLATFORM else ():
        if line.metric == metric:
            (by_panel if line.channel == "panel" else by_people).append("custom plans")
    return tuple(by_panel), tuple(by_people)

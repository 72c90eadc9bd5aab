"""How long orders of a plan usually take, from our own history.

Asked for every order that is drawn, so it is kept for a while."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from cachetools import TTLCache

from viralcore.boosts.api import OrderView
from viralcore.boosts.config import Estimates
from viralcore.boosts.repository import steering
from viralcore.core.clock import monotonic
from viralcore.core.db import Database

KEPT_SECONDS = 300
KEPT_PLANS = 1000


class History:
    """Medians by plan and metric."""

    def __init__(self, db: Database, config: Estimates) -> None:
        self._db = db
        self._config = config
        self._kept: TTLCache[str, Mapping[str, timedelta]] = TTLCache(KEPT_PLANS, KEPT_SECONDS, timer=monotonic)

    async def usual(self, plan_id: str) -> Mapping[str, timedelta]:
        """By metric, only where enough orders tell it."""
        kept = self._kept.get(plan_id)
        if kept is not None:
            return kept
        since = self._db.clock.now() - timedelta(days=self._config.days)
        async with self._db.read() as conn:
            told = await steering.took(conn, plan_id, since=since, most=self._config.orders)
        found = {metric: took for metric, (took, count) in told.items() if count >= self._config.at_least}
        self._kept[plan_id] = found
        return found

    async def span(self, order: OrderView) -> timedelta | None:
        """How long such an order takes as a whole: None when a line of it has too little history."""
        usual = await self.usual(order.plan_id)
        phased = {phase.metric for phase in order.phases}
        lines = [line.metric for line in order.lines if line.engine is not None or line.metric in phased]
        if not lines or any(metric not in usual for metric in lines):
            return None
        return max(usual[metric] for metric in lines)

    async def expected(self, order: OrderView) -> datetime | None:
        """When it will be done; None when it is, when it is paused, late already, or nobody can say."""
        if order.finished_at is not None or order.paused_at is not None:
            return None
        span = await self.span(order)
        at = None if span is None else order.created_at + span
        return at if at is not None and at > self._db.clock.now() else None

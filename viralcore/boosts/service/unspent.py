"""What open orders will still cost us at panels: for whoever watches that we can pay what we owe."""

from __future__ import annotations

from decimal import Decimal

from viralcore.boosts.config import BoostsConfig
from viralcore.boosts.repository import figures
from viralcore.core.db import Database
from viralcore.core.money import USD, Money, ceil_money


class Unspent:
    def __init__(self, db: Database, config: BoostsConfig) -> None:
        self._db = db
        self._config = config

    async def total(self) -> Money:
        """Of what no panel has taken yet, at the dearest panel that sells it. What none sells costs no panel money."""
        async with self._db.read() as conn:
            waiting = await figures.waiting(conn)
        cost = sum(
            (self._rate(platform, metric) * quantity / 1000 for platform, metric, quantity in waiting), Decimal(0)
        )
        return ceil_money(cost, USD)

    def _rate(self, platform: str, metric: str) -> Decimal:
        sold = (panel.service(platform, metric) for panel in self._config.panels)
        return max((service.rate for service in sold if service is not None), default=Decimal(0))

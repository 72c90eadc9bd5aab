"""What open orders will still cost us at panels: for whoever watches that we can pay what we owe."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from viralcore.boosts.config import BoostsConfig, PanelConfig
from viralcore.boosts.repository import figures
from viralcore.boosts.service.shelves import Shelves
from viralcore.core.db import Database
from viralcore.core.money import USD, Money, ceil_money


class Unspent:
    def __init__(self, db: Database, config: BoostsConfig, shelves: Shelves) -> None:
        self._db = db
        self._shelves = shelves
        self._config = config

    async def total(self) -> Money:
        """Of what no panel has taken yet, at the dearest panel that sells it by what owners have chosen. What none of
        them may sell now counts at the dearest we know of: it waits, and may be sold again. What none ever sold costs
        no panel money."""
        async with self._db.transaction() as tx:
            await self._shelves.fresh(tx)
            waiting = await figures.waiting(tx.conn)
        cost = sum(
            (self._rate(platform, metric) * quantity / 1000 for platform, metric, quantity in waiting), Decimal(0)
        )
        return ceil_money(cost, USD)

    def _rate(self, platform: str, metric: str) -> Decimal:
        shelves = self._shelves
        open_ = [panel for panel in shelves.ranked if not shelves.quarantined(panel.name, platform, metric)]
        known = (*shelves.ranked, *self._config.panels)
        return _dearest(open_, platform, metric) or _dearest(known, platform, metric)


def _dearest(panels: Sequence[PanelConfig], platform: str, metric: str) -> Decimal:
    sold = (panel.service(platform, metric) for panel in panels)
    return max((service.rate for service in sold if service is not None), default=Decimal(0))

"""The figures of boosts: orders by state, what each panel has of them, and the panels themselves."""

from __future__ import annotations

from datetime import timedelta

from viralcore.boosts.repository import figures
from viralcore.core.db import Database
from viralcore.core.figures import Figure

_ORDERS = "Orders by plan and state: those on their way, and those that ended lately (figures_hours)"
_PHASES = "Panel orders (phases) by panel and state, the same; no panel: none has taken it yet"
_UP = "1 while a panel answers"
_LOW = "1 while a panel's balance is below the mark for a warning"
_BALANCE = "What a panel says we have there, in its currency"


class BoostFigures:
    """Reads the tables of boosts."""

    def __init__(self, db: Database, *, hours: int) -> None:
        """`hours`: how far back what has ended is counted. Counting everything there ever was would take longer every
        day, and somebody asks every few seconds."""
        self._db = db
        self._span = timedelta(hours=hours)

    async def read(self) -> tuple[Figure, ...]:
        """All of them."""
        found: list[Figure] = []
        since = self._db.clock.now() - self._span
        async with self._db.read() as conn:
            for plan, state, count in await figures.orders_by_state(conn, since=since):
                found.append(Figure("viralcore_orders", _ORDERS, count, {"plan": plan, "state": state}))
            for panel, state, count in await figures.phases_by_panel(conn, since=since):
                found.append(Figure("viralcore_panel_orders", _PHASES, count, {"panel": panel, "state": state}))
            for panel, up, low, balance, currency in await figures.panel_states(conn):
                found.append(Figure("viralcore_panel_up", _UP, int(up), {"panel": panel}))
                found.append(Figure("viralcore_panel_low", _LOW, int(low), {"panel": panel}))
                if balance is not None:
                    labels = {"panel": panel, "currency": currency}
                    found.append(Figure("viralcore_panel_balance", _BALANCE, balance, labels))
        return tuple(found)

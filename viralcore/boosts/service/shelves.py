"""What each panel sells us now, and in which order panels are asked: the settings, with the rows of owners over them.

Kept in memory for those who choose in the middle of a transaction, and read again when it may be old. What a phase is
sent with is frozen into its attempt, so nothing sent depends on how old this is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from viralcore.boosts.config import BoostsConfig, PanelConfig, Service
from viralcore.boosts.domain import ranking
from viralcore.boosts.domain.services import InUse
from viralcore.boosts.repository import panels as panel_rows
from viralcore.boosts.repository import services as service_rows
from viralcore.core.clock import monotonic
from viralcore.core.db import Tx

OLD_AFTER = 15
"""Seconds of machine time after which another process may have changed something worth knowing."""


class Shelves:
    """The panels in use, with their services as they are now."""

    def __init__(self, config: BoostsConfig, names: Sequence[str]) -> None:
        self._config = config
        self._told = tuple(panel for panel in config.panels if panel.name in names)
        self._rows: Mapping[tuple[str, str, str], InUse] = {}
        self._ranked = self._told
        self._read_at: float | None = None
        self._listeners: list[Callable[[Callable[[PanelConfig], PanelConfig]], None]] = []

    @property
    def told(self) -> tuple[PanelConfig, ...]:
        """The panels in use, as the settings have them and in their order."""
        return self._told

    @property
    def ranked(self) -> tuple[PanelConfig, ...]:
        """The same with today's services, in the order in which they are asked."""
        return self._ranked

    def quarantined(self, panel: str, platform: str, metric: str) -> bool:
        """Whether its service for a metric waits for an owner's word."""
        row = self._rows.get((panel, platform, metric))
        return row is not None and self._counts(row) and row.state != "ok"

    def refills(self, panel: str, service: str) -> bool:
        """Whether what was ordered under this id is refilled, as far as we know."""
        return any(row.refill for row in self._rows.values() if (row.panel, row.service) == (panel, service))

    def cancels(self, panel: str, service: str) -> bool:
        """Whether an order under this id can be cancelled; where the list does not say, it can be tried."""
        known = [row for row in self._rows.values() if (row.panel, row.service) == (panel, service)]
        return any(row.cancel for row in known) if known else True

    def on_change(self, listener: Callable[[Callable[[PanelConfig], PanelConfig]], None]) -> None:
        """`listener` is given a function that turns a panel of the settings into what it sells now."""
        self._listeners.append(listener)

    async def fresh(self, tx: Tx) -> None:
        """Read again where this may be old."""
        if self._read_at is None or monotonic() - self._read_at > OLD_AFTER:
            self.lay_out(await service_rows.in_use(tx.conn), await panel_rows.read(tx.conn))

    def lay_out(self, in_use: Sequence[InUse], known: Mapping[str, panel_rows.PanelRow]) -> None:
        """Rows, records and preference, as they were just read."""
        rows = {row.key: row for row in in_use}
        changed, self._rows = rows != self._rows, rows
        order = ranking.ranked(
            [panel.name for panel in self._told],
            {name: row.record for name, row in known.items()},
            preferred=next((row.name for row in known.values() if row.preferred), None),
            care=self._config.care,
        )
        now = {panel.name: self.laid(panel) for panel in self._told}
        self._ranked = tuple(now[name] for name in order)
        self._read_at = monotonic()
        for listener in self._listeners if changed else ():
            listener(self.laid)

    def laid(self, panel: PanelConfig) -> PanelConfig:
        """A panel of the settings with what it sells now."""
        mine = [row for row in self._rows.values() if row.panel == panel.name and self._counts(row)]
        if not mine:
            return panel
        replaced = {(row.platform, row.metric) for row in mine}
        kept = [one for one in panel.services if (one.platform, one.metric) not in replaced]
        return panel.model_copy(update={"services": (*kept, *(_service(row) for row in mine))})

    def _counts(self, row: InUse) -> bool:
        """A row that only repeats the settings is over when these name another service."""
        if row.chosen_by is not None:
            return True
        panel = next((one for one in self._config.panels if one.name == row.panel), None)
        told = None if panel is None else panel.service(row.platform, row.metric)
        return told is not None and told.id == row.service


def _service(row: InUse) -> Service:
    return Service.model_validate(
        {
            "platform": row.platform,
            "metric": row.metric,
            "id": row.service,
            "minimum": row.minimum,
            "maximum": row.maximum,
            "rate": row.rate,
        }
    )

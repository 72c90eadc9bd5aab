"""The desk of panels: which one takes an order now, how they are, what we have there, and what staff must hear."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import structlog

from viralcore.boosts.api import PanelView
from viralcore.boosts.config import BoostsConfig, PanelConfig
from viralcore.boosts.domain import ranking
from viralcore.boosts.domain.panels import BalanceReading, Why
from viralcore.boosts.events import PanelTrouble, PhaseHinted
from viralcore.boosts.ports import Panel, PanelDown
from viralcore.boosts.repository import panels as rows
from viralcore.boosts.repository import phases
from viralcore.boosts.repository import services as service_rows
from viralcore.boosts.service.shelves import Shelves
from viralcore.core.db import Database, Tx

log = structlog.get_logger(__name__)

TROUBLES: Mapping[Why, str] = {
    "funds": "not_enough_funds",
    "config": "config",
    "service": "config",
    "quantity": "config",
    "other": "refused",
}
"""What staff hear of a refusal. A bad link or a busy one is not the panel's trouble, an outage is the breaker's."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Where a phase goes, or (`panel` empty) why nobody takes it now."""

    panel: str
    service: str
    passed: tuple[tuple[str, Why], ...]


class PanelDesk:
    """Knows every panel in use, in order of preference."""

    def __init__(self, db: Database, config: BoostsConfig, panels: Sequence[Panel], shelves: Shelves) -> None:
        self._db = db
        self._config = config
        self._panels = {panel.name: panel for panel in panels}
        self._shelves = shelves

    @property
    def shelves(self) -> Shelves:
        """What each of them sells now."""
        return self._shelves

    def panel(self, name: str) -> Panel | None:
        """A panel in use."""
        return self._panels.get(name)

    def choose(self, platform: str, metric: str, quantity: int, tried: Sequence[str]) -> Choice:
        """The first healthy panel that sells this and was not tried. Orders are no trial for a breaker: only closed."""
        passed: list[tuple[str, Why]] = []
        for panel in self._shelves.ranked:
            service = panel.service(platform, metric)
            if service is None or panel.name in tried:
                continue
            if self._shelves.quarantined(panel.name, platform, metric):
                passed.append((panel.name, "service"))
            elif not service.minimum <= quantity <= service.maximum:
                passed.append((panel.name, "quantity"))
            elif self._panels[panel.name].breaker != "closed":
                passed.append((panel.name, "outage"))
            else:
                return Choice(panel.name, service.id, tuple(passed))
        return Choice("", "", tuple(passed))

    def could(self, platform: str, metric: str, quantity: int, *, avoid: str) -> bool:
        """Whether another panel than this one sells so much of it, now or when it is back."""
        sold = ((panel.name, panel.service(platform, metric)) for panel in self._shelves.ranked if panel.name != avoid)
        return any(
            service is not None
            and service.minimum <= quantity <= service.maximum
            and not self._shelves.quarantined(name, platform, metric)
            for name, service in sold
        )

    async def refused(self, tx: Tx, *, panel: str, service: str, why: Why, words: str) -> None:
        """Tell staff of a refusal that is the panel's own trouble, once until it is over."""
        what = TROUBLES.get(why)
        if what is None:
            return
        about = f"{what}:{service}" if why in {"service", "quantity"} else what
        await self._trouble(tx, panel, what, f"service {service}: {words}" if about != what else words, about)

    async def strange(self, tx: Tx, *, panel: str, panel_order: str, words: str) -> None:
        """Tell staff of a status nobody understands."""
        await self._trouble(tx, panel, "strange_status", f"order {panel_order}: {words}", "strange_status")

    async def corrected(self, tx: Tx, *, panel: str, panel_order: str, words: str) -> None:
        """Tell staff that it took back what it had called completed."""
        await self._trouble(tx, panel, "corrected", f"order {panel_order}: {words}", "corrected")

    async def changed(self, tx: Tx, *, panel: str, detail: str) -> None:
        """Tell staff that services wait for an owner; every time, for each time it is others."""
        log.warning("panel_services_quarantined", panel=panel, detail=detail)
        tx.record(PanelTrouble(panel=panel, what="services", detail=detail[:300]))

    async def runway(self, tx: Tx, row: rows.PanelRow, *, spent_a_day: Decimal | None) -> None:
        """Tell staff that what is left at a panel does not last; once, until it does again. Its row is locked. While
        nobody can say how long it lasts, what was told stands."""
        left, care = ranking.days_left(row.balance, spent_a_day), self._config.care
        if left is None:
            return
        if left < care.runway_alert_days and not row.short:
            detail = f"{_plain(left)} days ({_plain(row.balance or Decimal(0))} {row.currency or ''})"
            tx.record(PanelTrouble(panel=row.name, what="runway", detail=detail))
            await rows.set_short(tx.conn, row.name, short=True)
        elif left >= care.runway_over_days and row.short:
            await rows.set_short(tx.conn, row.name, short=False)

    async def took_orders(self, tx: Tx, *, panel: str, services: Collection[str]) -> None:
        """It works again."""
        over = ["not_enough_funds", "config", "refused", *(f"config:{service}" for service in sorted(services))]
        await rows.over(tx.conn, panel=panel, what=over)

    async def look(self, tx: Tx) -> None:
        """Notice what changed in the panels' health, and tell staff of each change once."""
        known = await rows.lock(tx.conn, sorted(self._panels))
        up = {panel.name: self._panels[panel.name].breaker == "closed" for panel in self._shelves.ranked}
        active = next((name for name, is_up in up.items() if is_up), "")
        before = next((row.name for row in known.values() if row.active), "")
        for name, is_up in up.items():
            if known[name].up and not is_up:
                tx.record(PanelTrouble(panel=name, what="breaker_open", detail=active))
        returned = active != before and active and (up.get(before, False) if before else _any_down(known))
        if returned:
            tx.record(PanelTrouble(panel=active, what="active_changed", detail=before))
        for name, row in known.items():
            now = (up.get(name, True), name == active)
            if now != (row.up, row.active):
                await rows.set_health(tx.conn, name, up=now[0], active=now[1])

    async def check(self) -> None:
        """Read balances that are due, which also closes a breaker that waits for its trial; then look."""
        async with self._db.read() as conn:
            known = await rows.read(conn)
            silent = await phases.unread(conn)
            self._shelves.lay_out(await service_rows.in_use(conn), known)
        limit = timedelta(minutes=self._config.schedule.balance_minutes)
        now = self._db.clock.now()

        def due(name: str) -> bool:
            checked = known[name].checked_at if name in known else None
            fresh = checked is not None and checked <= now < checked + limit
            # a send nobody answered: what is left there may hint at what became of it
            fresh = fresh and not any(phase.panel == name for phase in silent)
            breaker = self._panels[name].breaker
            return breaker == "half-opened" or (breaker == "closed" and not fresh)

        asked = [panel for panel in self._shelves.told if due(panel.name)]
        readings = await asyncio.gather(*(self._balance(self._panels[panel.name]) for panel in asked))
        async with self._db.transaction() as tx:
            for panel, reading in zip(asked, readings, strict=True):
                if reading is not None:
                    for phase in (one for one in silent if one.panel == panel.name):
                        tx.record(PhaseHinted(phase_id=phase.id, order_id=phase.order_id, panel=panel.name))
                    await self._keep_balance(tx, panel, reading)
            await self.look(tx)

    async def views(self) -> tuple[PanelView, ...]:
        async with self._db.read() as conn:
            known = await rows.read(conn)
        active = next((one.name for one in self._shelves.ranked if self._panels[one.name].breaker == "closed"), "")
        return tuple(self._view(panel, known.get(panel.name), active) for panel in self._shelves.ranked)

    def _view(self, panel: PanelConfig, row: rows.PanelRow | None, active: str) -> PanelView:
        state = self._panels[panel.name].breaker
        return PanelView(
            name=panel.name,
            active=panel.name == active,
            breaker="open" if state == "opened" else "half-open" if state == "half-opened" else "closed",
            balance=row.balance if row else None,
            currency=(row.currency if row else None) or panel.currency,
            checked_at=row.checked_at if row else None,
        )

    async def _balance(self, panel: Panel) -> BalanceReading | None:
        try:
            return await panel.balance()
        except PanelDown as down:
            log.warning("panel_balance_unread", panel=panel.name, reason=down.reason)
            return None

    async def _keep_balance(self, tx: Tx, panel: PanelConfig, reading: BalanceReading) -> None:
        known = await rows.lock(tx.conn, sorted(self._panels))
        low = reading.amount < panel.low_balance
        currency = reading.currency or panel.currency
        if low and not known[panel.name].low:
            tx.record(PanelTrouble(panel=panel.name, what="low_balance", detail=f"{_plain(reading.amount)} {currency}"))
        await rows.set_balance(tx.conn, panel.name, balance=reading.amount, currency=currency, low=low, now=tx.now)
        forget = tx.now - timedelta(days=self._config.care.balances_days)
        await rows.keep_balance(
            tx.conn, panel.name, balance=reading.amount, currency=currency, now=tx.now, forget_before=forget
        )

    async def _trouble(self, tx: Tx, panel: str, what: str, detail: str, about: str) -> None:
        again_before = tx.now - timedelta(hours=self._config.schedule.repeat_trouble_hours)
        if await rows.trouble(tx.conn, panel=panel, what=about, now=tx.now, again_before=again_before):
            log.warning("panel_trouble", panel=panel, what=what)
            tx.record(PanelTrouble(panel=panel, what=what, detail=detail[:300]))


def _any_down(known: Mapping[str, rows.PanelRow]) -> bool:
    return any(not row.up for row in known.values())


def _plain(amount: Decimal) -> str:
    return f"{amount:f}"

"""The door to the panels: how they are, what they sell, and what is asked of them. Keeps their record, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import structlog

from viralcore.boosts.api import (
    AskView,
    AskWhat,
    CannotAsk,
    OfferView,
    PanelPage,
    PanelServiceView,
    PanelView,
    PlacementView,
    ServiceChangeView,
)
from viralcore.boosts.config import BoostsConfig
from viralcore.boosts.domain import ranking
from viralcore.boosts.domain import services as rules
from viralcore.boosts.domain.services import InUse
from viralcore.boosts.repository import panels as panel_rows
from viralcore.boosts.repository import records
from viralcore.boosts.repository import services as service_rows
from viralcore.boosts.service.panels import PanelDesk
from viralcore.boosts.service.requests import Requests
from viralcore.boosts.service.stuck import Stuck
from viralcore.boosts.service.syncing import METRICS, Syncing
from viralcore.core.db import Database
from viralcore.core.errors import NotFound

log = structlog.get_logger(__name__)

CHANGES_SHOWN = 8


class Care:
    """Implements `boosts.api.PanelCare`."""

    def __init__(
        self, db: Database, config: BoostsConfig, desk: PanelDesk, syncing: Syncing, requests: Requests, stuck: Stuck
    ) -> None:
        self._stuck = stuck
        self._db = db
        self._care = config.care
        self._desk = desk
        self._syncing = syncing
        self._requests = requests

    @property
    def stuck(self) -> Stuck:
        return self._stuck

    # --- looking ---------------------------------------------------------------------------------------------------

    async def panels(self) -> tuple[PanelView, ...]:
        """All panels in use, in the order in which they are asked."""
        async with self._db.read() as conn:
            known = await panel_rows.read(conn)
            in_use = await service_rows.in_use(conn)
        self._desk.shelves.lay_out(in_use, known)
        return tuple(self._view(one, known.get(one.name), in_use) for one in await self._desk.views())

    def _view(self, one: PanelView, row: panel_rows.PanelRow | None, in_use: Sequence[InUse]) -> PanelView:
        waiting = [each for each in in_use if each.panel == one.name and each.reason not in {"", "owner"}]
        return replace(
            one,
            preferred=row is not None and row.preferred,
            days_left=None if row is None else ranking.days_left(row.balance, row.spent_a_day),
            quarantined=len(waiting),
        )

    async def page(self, *, panel: str) -> PanelPage:
        view = next((one for one in await self.panels() if one.name == panel), None)
        if view is None:
            raise NotFound(what="panel")
        async with self._db.read() as conn:
            row = (await panel_rows.read(conn)).get(panel)
            in_use = {(one.platform, one.metric): one for one in await service_rows.in_use(conn, panel=panel)}
            changes = await service_rows.changes(conn, panel, limit=CHANGES_SHOWN)
        shown = self._services(panel, in_use)
        taken = {(one.platform, one.metric) for one in shown}
        return PanelPage(
            panel=view,
            days=self._care.rates_days,
            samples=row.samples if row else 0,
            success=row.success if row else None,
            cancelled=row.cancelled if row else None,
            first_seconds=row.first_seconds if row else None,
            spent_a_day=row.spent_a_day if row else None,
            synced_at=row.synced_at if row else None,
            sync_asked=row is not None and row.sync_asked_at is not None,
            services=shown,
            changes=tuple(
                ServiceChangeView(
                    platform=one.platform,
                    metric=one.metric,
                    service=one.change.service,
                    what=one.change.what,
                    before=one.change.before,
                    after=one.change.after,
                    quarantined=one.change.quarantined,
                    at=one.at,
                )
                for one in changes
            ),
            free=tuple((p, metric) for p, metrics in METRICS.items() for metric in metrics if (p, metric) not in taken),
        )

    def _services(self, panel: str, in_use: dict[tuple[str, str], InUse]) -> tuple[PanelServiceView, ...]:
        told = next(one for one in self._desk.shelves.ranked if one.name == panel)
        found = []
        for service in told.services:
            row = in_use.get((service.platform, service.metric))
            read = row is not None and row.service == service.id
            one = row if row is not None and read else rules.begun(panel, service)
            found.append(
                PanelServiceView(
                    platform=one.platform,
                    metric=one.metric,
                    service=one.service,
                    name=one.name,
                    rate=one.rate,
                    agreed_rate=one.agreed_rate,
                    minimum=one.minimum,
                    maximum=one.maximum,
                    refill=one.refill,
                    cancel=one.cancel,
                    state=one.state,
                    reason=one.reason,
                    read=read,
                )
            )
        return tuple(found)

    async def placements(self, *, order_id: int) -> tuple[PlacementView, ...]:
        return await self._requests.placements(order_id=order_id)

    async def can_refill(self, *, order_id: int) -> bool:
        return any(one.can_refill for one in await self._requests.placements(order_id=order_id))

    async def offer(self, *, panel: str, platform: str, metric: str, service: str) -> OfferView:
        return await self._syncing.offer(panel=panel, platform=platform, metric=metric, service=service)

    # --- doing -----------------------------------------------------------------------------------------------------

    async def prefer(self, *, key: str, actor: int, panel: str) -> None:
        await self._syncing.prefer(key=key, actor=actor, panel=panel)

    async def ask_services(self, *, key: str, actor: int, panel: str) -> None:
        await self._syncing.ask(key=key, actor=actor, panel=panel)

    async def choose_service(
        self, *, key: str, actor: int, panel: str, platform: str, metric: str, service: str, rate: Decimal
    ) -> None:
        await self._syncing.choose(
            key=key, actor=actor, panel=panel, platform=platform, metric=metric, service=service, rate=rate
        )

    async def leave_out(self, *, key: str, actor: int, panel: str, platform: str, metric: str) -> None:
        await self._syncing.leave_out(key=key, actor=actor, panel=panel, platform=platform, metric=metric)

    async def ask(self, *, key: str, actor: int, phase_id: int, what: AskWhat) -> AskView:
        if what not in {"refill", "cancel"}:
            raise CannotAsk(what="refill", reason="nothing")
        return await self._requests.ask(key=key, actor=actor, phase_id=phase_id, what=what)

    async def refill(self, *, key: str, user_id: int, order_id: int) -> int:
        return await self._requests.refill(key=key, user_id=user_id, order_id=order_id)

    # --- the record ------------------------------------------------------------------------------------------------

    async def rate(self) -> None:
        """Work out each panel's record and what we spend there, from our own history."""
        now = self._db.clock.now()
        async with self._db.read() as conn:
            found = await records.records(conn, since=now - timedelta(days=self._care.rates_days))
            spent = await records.spent_a_day(conn, since=now - timedelta(days=self._care.runway_days), now=now)
        names = [panel.name for panel in self._desk.shelves.told]
        async with self._db.transaction() as tx:
            before = [panel.name for panel in self._desk.shelves.ranked]
            known = await panel_rows.lock(tx.conn, names)
            for name in names:
                record = found.get(name, ranking.Record())
                a_day = _spent(spent.get(name))
                await panel_rows.set_record(tx.conn, name, record, spent_a_day=a_day, now=tx.now)
                await self._desk.runway(tx, known[name], spent_a_day=a_day)
            self._desk.shelves.lay_out(await service_rows.in_use(tx.conn), await panel_rows.read(tx.conn))
        after = [panel.name for panel in self._desk.shelves.ranked]
        if after != before:
            log.warning("panels_ranked_again", before=before, after=after)


def _spent(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else amount.quantize(Decimal("0.0001"))

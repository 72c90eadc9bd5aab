"""What panels list, read every day and when somebody asks: prices, limits and what is offered follow; what jumps or
vanishes is not used until an owner says so. Owners choose services here, from the lists as they were read.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import structlog

from viralcore.boosts.api import BadService, OfferView
from viralcore.boosts.config import BoostsConfig, PanelConfig, Service
from viralcore.boosts.domain import services as rules
from viralcore.boosts.domain.moving import users_of
from viralcore.boosts.domain.services import InUse, Offer
from viralcore.boosts.events import PanelListRead
from viralcore.boosts.ports import PanelDown
from viralcore.boosts.repository import panels as panel_rows
from viralcore.boosts.repository import services as rows
from viralcore.boosts.service.panels import PanelDesk
from viralcore.core.db import Database, Tx
from viralcore.core.errors import NotFound
from viralcore.users.api import Users

log = structlog.get_logger(__name__)

RIGHT = "panels"
METRICS: Mapping[str, tuple[str, ...]] = {
    "x": ("likes", "views", "comments", "reposts", "followers"),
    "telegram": ("reactions", "views", "members"),
}
"""What can be had for a link and a number."""

Change = Callable[[Tx], Awaitable[tuple[Mapping[str, Any], Mapping[str, Any]]]]


class Syncing:
    """Reads lists, and keeps which service is used for what."""

    def __init__(self, db: Database, config: BoostsConfig, desk: PanelDesk, users: Users) -> None:
        self._db = db
        self._config = config
        self._care = config.care
        self._desk = desk
        self._users = users
        self._failed: dict[str, datetime] = {}

    # --- reading ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Read the lists that are due, or asked for."""
        async with self._db.read() as conn:
            known = await panel_rows.read(conn)
        now, limit = self._db.clock.now(), timedelta(hours=self._care.sync_hours)
        for panel in self._desk.shelves.told:
            row = known.get(panel.name)
            if self._rests(panel.name, row, now):
                continue
            due = row is None or row.synced_at is None or now - row.synced_at >= limit
            if due or (row is not None and row.sync_asked_at is not None):
                await self._read(panel)

    def _rests(self, name: str, row: panel_rows.PanelRow | None, now: datetime) -> bool:
        """Whether its list could not be read a moment ago, and nobody has asked for it since."""
        failed = self._failed.get(name)
        if failed is None or not timedelta(0) <= now - failed < timedelta(minutes=self._care.sync_retry_minutes):
            return False
        return row is None or row.sync_asked_at is None or row.sync_asked_at <= failed

    async def _read(self, panel: PanelConfig) -> None:
        client = self._desk.panel(panel.name)
        if client is None or client.breaker != "closed":
            return
        try:
            offers = await client.services()
        except PanelDown as down:
            log.warning("panel_services_unread", panel=panel.name, reason=down.reason)
            self._failed[panel.name] = self._db.clock.now()
            return
        self._failed.pop(panel.name, None)
        await self._db.run(lambda tx: self._keep(tx, panel, offers))

    async def _keep(self, tx: Tx, panel: PanelConfig, offers: Sequence[Offer]) -> None:
        """The whole list, and what it means for the services in use; all of it or nothing."""
        known = await panel_rows.lock(tx.conn, [one.name for one in self._desk.shelves.told])
        await rows.replace_offers(tx.conn, panel.name, offers, now=tx.now)
        listed = {offer.service: offer for offer in offers}
        waiting: list[str] = []
        for row in self._begun(panel, await rows.in_use(tx.conn, lock=True, panel=panel.name)):
            after, changes = rules.compared(row, listed.get(row.service), self._care)
            await rows.put(tx.conn, [after], now=tx.now)
            await rows.add_changes(tx.conn, after, changes, now=tx.now)
            if after.state != row.state:
                waiting.append(f"{row.platform} {row.metric} ({row.service}): {after.reason}")
        if waiting:
            await self._desk.changed(tx, panel=panel.name, detail="; ".join(waiting))
        asked_by = known[panel.name].sync_asked_by
        if asked_by is not None:
            tx.record(PanelListRead(panel=panel.name, asked_by=asked_by))
        await panel_rows.synced(tx.conn, panel.name, now=tx.now)
        await self._lay_out(tx)
        log.info("panel_services_read", panel=panel.name, offers=len(offers), quarantined=waiting)

    @staticmethod
    def _begun(panel: PanelConfig, known: Sequence[InUse]) -> list[InUse]:
        """The rows of a panel; those of the settings that are new, or name another service now, begin again."""
        kept = {(row.platform, row.metric): row for row in known}
        for told in panel.services:
            row = kept.get((told.platform, told.metric))
            if row is None or (row.chosen_by is None and row.service != told.id):
                kept[told.platform, told.metric] = rules.begun(panel.name, told)
        return list(kept.values())

    async def _lay_out(self, tx: Tx) -> None:
        """What is used from now on in this process, once this is committed; others read it in a moment."""
        in_use, known = await rows.in_use(tx.conn), await panel_rows.read(tx.conn)
        tx.after_commit(lambda: self._desk.shelves.lay_out(in_use, known))

    # --- owners ----------------------------------------------------------------------------------------------------

    async def ask(self, *, key: str, actor: int, panel: str) -> None:
        """Somebody wants the list read now: the next look of the clock does."""

        async def change(tx: Tx) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
            await panel_rows.ask_sync(tx.conn, panel, by=actor, now=tx.now)
            return {}, {}

        await self._do(key, actor, "services_asked", panel, {"panel": panel}, change)

    async def prefer(self, *, key: str, actor: int, panel: str) -> None:
        """This panel is asked first from now on."""

        async def change(tx: Tx) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
            known = await panel_rows.lock(tx.conn, [one.name for one in self._desk.shelves.told])
            before = next((row.name for row in known.values() if row.preferred), None)
            await panel_rows.prefer(tx.conn, panel)
            return {"preferred": before}, {"preferred": panel}

        await self._do(key, actor, "panel_preferred", panel, {"panel": panel}, change)

    async def offer(self, *, panel: str, platform: str, metric: str, service: str) -> OfferView:
        """What a service id would mean for a metric. Raises BadService."""
        self._known(panel)
        if metric not in METRICS.get(platform, ()):
            raise BadService(reason="metric", given=service[:40])
        async with self._db.read() as conn:
            row = (await panel_rows.read(conn)).get(panel)
            found = await rows.offer(conn, panel, service)
        if row is None or row.synced_at is None:
            raise BadService(reason="unread", given=service[:40])
        return self._offer(panel, platform, metric, service, found)

    def _offer(self, panel: str, platform: str, metric: str, service: str, found: Offer | None) -> OfferView:
        if found is None:
            raise BadService(reason="unknown", given=service[:40])
        if not rules.usable_kind(found, self._care):
            raise BadService(reason="kind", given=service[:40])
        plans, others = users_of(self._config, platform, metric)
        return OfferView(
            plans=plans,
            others=others,
            panel=panel,
            platform=platform,
            metric=metric,
            service=found.service,
            name=found.name,
            category=found.category,
            rate=found.rate,
            minimum=found.minimum,
            maximum=found.maximum,
            refill=found.refill,
            cancel=found.cancel,
        )

    async def choose(
        self, *, key: str, actor: int, panel: str, platform: str, metric: str, service: str, rate: Decimal
    ) -> None:
        """Use this service for this from now on, at the price that was shown. It also ends a quarantine."""
        inputs = {"panel": panel, "platform": platform, "metric": metric, "service": service, "rate": f"{rate:f}"}

        async def change(tx: Tx) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
            await panel_rows.lock(tx.conn, [one.name for one in self._desk.shelves.told])
            row = await self._row(tx, panel, platform, metric)
            found = await rows.offer(tx.conn, panel, service)
            shown = self._offer(panel, platform, metric, service, found)
            if shown.rate != rate or found is None:
                raise BadService(reason="moved", given=service[:40])
            base = row or rules.begun(panel, _told(shown))
            after = rules.chosen(base, found, actor)
            await rows.put(tx.conn, [after], now=tx.now)
            return _audited(row), _audited(after)

        await self._do(key, actor, "service_chosen", f"{panel}:{platform}:{metric}", inputs, change)

    async def leave_out(self, *, key: str, actor: int, panel: str, platform: str, metric: str) -> None:
        """Do not use this service until an owner chooses again."""

        async def change(tx: Tx) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
            await panel_rows.lock(tx.conn, [one.name for one in self._desk.shelves.told])
            row = await self._row(tx, panel, platform, metric)
            if row is None:
                raise BadService(reason="unread", given="")
            after = rules.left_out(row)
            await rows.put(tx.conn, [after], now=tx.now)
            return _audited(row), _audited(after)

        inputs = {"panel": panel, "platform": platform, "metric": metric}
        await self._do(key, actor, "service_left_out", f"{panel}:{platform}:{metric}", inputs, change)

    async def _row(self, tx: Tx, panel: str, platform: str, metric: str) -> InUse | None:
        known = await rows.in_use(tx.conn, lock=True, panel=panel)
        told = next(one for one in self._desk.shelves.told if one.name == panel)
        begun = self._begun(told, known)
        return next((row for row in begun if (row.platform, row.metric) == (platform, metric)), None)

    async def _do(
        self, key: str, actor: int, action: str, subject: str, inputs: Mapping[str, Any], change: Change
    ) -> None:
        """Authorised, done once, audited, known to this process."""
        self._known(str(inputs["panel"]))
        async with self._db.transaction() as tx:
            await self._users.authorize(tx, actor=actor, right=RIGHT)

            async def run() -> Mapping[str, Any]:
                before, after = await change(tx)
                await self._users.audit(
                    tx,
                    actor=actor,
                    action=f"boosts.{action}",
                    subject=f"panel:{subject}",
                    before=before,
                    after=after,
                )
                await self._lay_out(tx)
                return {}

            await tx.once(scope=f"boosts.{action}", key=key, inputs={"actor": actor, **inputs}, run=run)

    def _known(self, panel: str) -> None:
        if self._desk.panel(panel) is None:
            raise NotFound(what="panel")


def _told(shown: OfferView) -> Service:
    return Service.model_validate(
        {
            "platform": shown.platform,
            "metric": shown.metric,
            "id": shown.service,
            "minimum": shown.minimum,
            "maximum": shown.maximum,
            "rate": shown.rate,
        }
    )


def _audited(row: InUse | None) -> Mapping[str, Any]:
    if row is None:
        return {}
    return {"service": row.service, "rate": f"{row.rate:f}", "state": row.state, "reason": row.reason}

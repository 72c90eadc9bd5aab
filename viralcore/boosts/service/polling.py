"""Polling: panels are asked about accepted orders until these have ended."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

import structlog

from viralcore.boosts.config import BoostsConfig
from viralcore.boosts.domain.panels import StatusReading
from viralcore.boosts.domain.states import Phase, apply_reading
from viralcore.boosts.ports import Panel, PanelDown
from viralcore.boosts.repository import phases
from viralcore.boosts.service.corrections import Corrections, taken_back
from viralcore.boosts.service.delivery import ORDERS_AT_ONCE, Delivery
from viralcore.boosts.service.panels import PanelDesk
from viralcore.core.clock import monotonic
from viralcore.core.db import Database

log = structlog.get_logger(__name__)

MOST_IDS = 100


class Polling:
    """Asks each panel about its orders, all panels at once. A panel that does not answer keeps nobody's place."""

    def __init__(
        self, db: Database, config: BoostsConfig, desk: PanelDesk, delivery: Delivery, corrections: Corrections
    ) -> None:
        self._db = db
        self._limit = config.schedule.poll_phases
        self._care = config.care
        self._desk = desk
        self._delivery = delivery
        self._corrections = corrections

    async def run(self) -> None:
        """One round. What a panel could not be asked is asked in the next."""
        async with self._db.read() as conn:
            running = await phases.running(conn, limit=self._limit)
        readings = await self._readings(running)
        by_order: dict[int, dict[int, StatusReading]] = defaultdict(dict)
        nothing_new: list[int] = []
        for phase in running:
            reading = readings.get(phase.id)
            if reading is None or not phases.Told(phase, reading, apply_reading(phase, reading)).news:
                nothing_new.append(phase.id)
            else:
                by_order[phase.order_id][phase.id] = reading
        if nothing_new:
            async with self._db.transaction() as tx:
                await phases.asked(tx.conn, nothing_new, now=tx.now)
        await self._keep(by_order)

    async def _keep(self, by_order: Mapping[int, Mapping[int, StatusReading]]) -> None:
        """A set of orders at a time. One order's failure leaves the others untouched."""
        ids = sorted(by_order)
        for first in range(0, len(ids), ORDERS_AT_ONCE):
            some, began = ids[first : first + ORDERS_AT_ONCE], monotonic()
            try:
                await self._db.run(partial(self._delivery.read, {order_id: by_order[order_id] for order_id in some}))
            except Exception:
                log.exception("orders_not_read_together", order_ids=some)
                for order_id in some:
                    await self._keep_one(order_id, by_order[order_id])
            if first + ORDERS_AT_ONCE < len(ids):
                # As long as it took: people are waiting beside it, and the next round is a minute away.
                await asyncio.sleep(monotonic() - began)

    async def _keep_one(self, order_id: int, readings: Mapping[int, StatusReading]) -> None:
        try:
            await self._db.run(partial(self._delivery.read, {order_id: readings}))
        except Exception:
            log.exception("order_not_read", order_id=order_id)

    async def recheck(self) -> None:
        """Ask once more about what was completed lately: a panel may take it back."""
        now, care = self._db.clock.now(), self._care
        async with self._db.read() as conn:
            completed = await phases.to_recheck(
                conn,
                since=now - timedelta(hours=care.correction_hours),
                asked_before=now - timedelta(minutes=care.correction_minutes),
                limit=care.correction_phases,
            )
        if not completed:
            return
        readings = await self._readings(completed)
        async with self._db.transaction() as tx:
            await phases.rechecked(tx.conn, [phase.id for phase in completed], now=tx.now)
        by_order: dict[int, dict[int, StatusReading]] = defaultdict(dict)
        for phase in completed:
            if phase.id in readings and taken_back(phase, readings[phase.id]):
                by_order[phase.order_id][phase.id] = readings[phase.id]
        for order_id in sorted(by_order):
            try:
                await self._db.run(partial(self._corrections.read, order_id, by_order[order_id]))
            except Exception:
                log.exception("order_not_corrected", order_id=order_id)

    async def _readings(self, asked: Sequence[Phase]) -> Mapping[int, StatusReading]:
        """What panels say, all panels at once; by phase id."""
        by_panel: dict[str, list[Phase]] = defaultdict(list)
        for phase in asked:
            by_panel[phase.panel or ""].append(phase)
        told = await asyncio.gather(*(self._ask(name, mine) for name, mine in by_panel.items()))
        return {phase_id: reading for one in told for phase_id, reading in one.items()}

    async def _ask(self, name: str, mine: Sequence[Phase]) -> Mapping[int, StatusReading]:
        panel = self._desk.panel(name)
        if panel is None:
            log.error("panel_not_in_use", panel=name, orders=len(mine))
            return {}
        found: dict[int, StatusReading] = {}
        for start in range(0, len(mine), MOST_IDS):
            chunk = mine[start : start + MOST_IDS]
            try:
                found |= await self._ask_chunk(panel, chunk)
            except PanelDown as down:
                log.warning("panel_status_unread", panel=name, reason=down.reason)
                break
        return found

    @staticmethod
    async def _ask_chunk(panel: Panel, chunk: Sequence[Phase]) -> Mapping[int, StatusReading]:
        ids = {phase.panel_order: phase.id for phase in chunk if phase.panel_order is not None}
        told = await panel.statuses(list(ids))
        return {ids[order]: replace(reading, order=order) for order, reading in told.items()}

"""Panel orders that do not end by their panel's word: found, shown to staff, and ended or renumbered by them.

``sent`` leads out in three ways: what the panel says (the poller), "it ended there with so many" and nothing else. What
staff say of an end is applied exactly as if the panel had said it: the rest is ordered once more elsewhere, and what
nobody delivers is paid back when the order ends. A number that was wrong is replaced where it stands, and all that was
read under it is forgotten: it was of somebody else's order. Both are decided under the order's lock, for the number
that was looked at; a reading of the old number that is still on its way is dropped (`StatusReading.order`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog

from viralcore.boosts.api import BadPanelOrder, BadProgress, NotSent, StuckView
from viralcore.boosts.config import BoostsConfig
from viralcore.boosts.domain import stuck as rules
from viralcore.boosts.domain.panels import StatusReading
from viralcore.boosts.domain.panels import order_id as read_order_id
from viralcore.boosts.domain.states import Order, Phase
from viralcore.boosts.events import PhaseStuck, StuckDecided
from viralcore.boosts.repository import locks, orders, phases
from viralcore.boosts.repository import stuck as rows
from viralcore.boosts.service.delivery import Delivery
from viralcore.boosts.service.panels import PanelDesk
from viralcore.core.db import Database, Tx
from viralcore.core.errors import NotFound
from viralcore.users.api import NotYourself, Users

log = structlog.get_logger(__name__)

RIGHT = "orders.retry"
MOST = 100
BY_STAFF = "ended, as staff say"
Decide = Callable[[Tx, Order, Phase], Awaitable[None]]


class Stuck:
    """Implements `boosts.api.StuckOrders`."""

    def __init__(self, db: Database, config: BoostsConfig, desk: PanelDesk, delivery: Delivery, users: Users) -> None:
        self._db = db
        self._care = config.care
        self._desk = desk
        self._delivery = delivery
        self._users = users

    # --- finding -----------------------------------------------------------------------------------------------------

    async def look(self) -> None:
        """Tell staff of those that are new, and bring the cards of those that are over up to date. Few cards stand at
        once: a panel that answers nonsense must not bury the group under all its orders."""
        async with self._db.transaction() as tx:
            await self._look(tx)

    async def _look(self, tx: Tx) -> None:
        limits, again_before = self._limits(), tx.now - timedelta(days=self._care.stuck_days)
        over = await rows.over(tx.conn, limits, limit=MOST)
        await rows.forget(tx.conn, [phase.id for phase in over])
        for phase in over:
            self._tell(tx, phase, actor=0, how="over")
        _, standing = await rows.count(tx.conn, limits, again_before=again_before)
        room = max(0, self._care.stuck_cards - standing)
        found = await rows.to_tell(tx.conn, limits, again_before=again_before, limit=room) if room else []
        await rows.told(tx.conn, [phase.id for phase in found], now=tx.now)
        for phase in found:
            log.warning("phase_stuck", phase_id=phase.id, panel=phase.panel, why=rules.why(phase, limits))
            tx.record(PhaseStuck(phase_id=phase.id, order_id=phase.order_id, panel=phase.panel or ""))

    async def page(self, *, after: int = 0, limit: int = 20) -> tuple[StuckView, ...]:
        async with self._db.read() as conn:
            found = await rows.page(conn, self._limits(), after=after, limit=max(1, min(limit, MOST)))
            by_id = {order.id: order for order in await orders.get_all(conn, [phase.order_id for phase in found])}
            lines = await orders.lines_of(conn, list(by_id))
        metrics = {line.id: line.metric for some in lines.values() for line in some}
        return tuple(self._view(phase, by_id[phase.order_id], metrics[phase.line_id]) for phase in found)

    async def count(self) -> int:
        now = self._db.clock.now()
        async with self._db.read() as conn:
            return (await rows.count(conn, self._limits(), again_before=now))[0]

    async def get(self, *, phase_id: int) -> StuckView:
        async with self._db.read() as conn:
            phase = await phases.get(conn, phase_id)
            order = None if phase is None else await orders.get(conn, phase.order_id)
            if phase is None or order is None or phase.panel_order is None:
                raise NotFound(what="phase")
            lines = (await orders.lines_of(conn, [order.id]))[order.id]
        return self._view(phase, order, next(line.metric for line in lines if line.id == phase.line_id))

    def _view(self, phase: Phase, order: Order, metric: str) -> StuckView:
        return StuckView(
            phase_id=phase.id,
            order_id=order.id,
            link=order.link,
            metric=metric,  # type: ignore[arg-type]
            quantity=phase.quantity,
            delivered=phase.delivered,
            state=phase.state,
            panel=phase.panel or "",
            service=phase.service or "",
            panel_order=phase.panel_order or "",
            since=rules.since(phase) or order.created_at,
            why=rules.why(phase, self._limits()),
            strange_since=phase.strange_since,
            said=phase.said or "",
        )

    def _limits(self) -> rules.Limits:
        in_use = [panel.name for panel in self._desk.shelves.told]
        return rules.limits(self._care, in_use, self._db.clock.now())

    # --- deciding ----------------------------------------------------------------------------------------------------

    async def end(self, *, key: str, actor: int, phase_id: int, panel_order: str, delivered: int) -> StuckView:
        async def decide(tx: Tx, order: Order, phase: Phase) -> None:
            if not 0 <= delivered <= phase.quantity:
                raise BadProgress(most=phase.quantity)
            said = StatusReading("partial", BY_STAFF, remains=phase.quantity - delivered)
            await self._delivery.read({order.id: {phase.id: said}}, tx)

        inputs = {"phase_id": phase_id, "panel_order": panel_order, "delivered": delivered}
        return await self._decide(key, actor, "ended", inputs, decide)

    async def renumber(self, *, key: str, actor: int, phase_id: int, panel_order: str, given: str) -> StuckView:
        number = read_order_id(given)

        async def decide(tx: Tx, order: Order, phase: Phase) -> None:
            # Our panels number their orders: a word would be somebody's remark, taken for an id.
            if not number.isdigit() or await phases.panel_order_known(
                tx.conn, panel=phase.panel or "", panel_order=number
            ):
                raise BadPanelOrder(given=given[:40])
            await rows.numbered(tx.conn, phase, number, now=tx.now)
            await self._delivery.advance(tx, order, progressed=True)

        inputs = {"phase_id": phase_id, "panel_order": panel_order, "given": given}
        try:
            return await self._decide(key, actor, "renumbered", inputs, decide)
        except phases.PanelOrderTaken:
            raise BadPanelOrder(given=given[:40]) from None

    async def _decide(self, key: str, actor: int, how: str, inputs: Mapping[str, Any], decide: Decide) -> StuckView:
        """Authorised, decided once, audited."""
        phase_id = int(inputs["phase_id"])
        others = {*await self._users.staff_ids(right=RIGHT)} - {actor}

        async def work(tx: Tx) -> None:
            await self._users.authorize(tx, actor=actor, right=RIGHT)

            async def run() -> Mapping[str, Any]:
                order, phase = await locks.phase(tx.conn, phase_id)
                if order.user_id == actor and others:
                    raise NotYourself  # what they say decides what they are paid back
                if phase.state != "sent" or phase.panel_order != inputs["panel_order"]:
                    raise NotSent(phase_id=phase_id, state=phase.state)
                await decide(tx, order, phase)
                await rows.forget(tx.conn, [phase_id])
                _, after = await locks.phase(tx.conn, phase_id)
                self._tell(tx, after, actor=actor, how=how)
                await self._users.audit(
                    tx,
                    actor=actor,
                    action=f"boosts.phase_{how}",
                    subject=f"phase:{phase_id}",
                    before=_audited(phase),
                    after=_audited(after),
                )
                return {"phase_id": phase_id}

            await tx.once(scope=f"boosts.stuck.{how}", key=key, inputs={"actor": actor, **inputs}, run=run)

        await self._db.run(work)
        return await self.get(phase_id=phase_id)

    @staticmethod
    def _tell(tx: Tx, phase: Phase, *, actor: int, how: str) -> None:
        tx.record(StuckDecided(phase_id=phase.id, order_id=phase.order_id, actor=actor, how=how))


def _audited(phase: Phase) -> Mapping[str, Any]:
    return {
        "state": phase.state,
        "panel": phase.panel,
        "panel_order": phase.panel_order,
        "delivered": phase.delivered,
        "quantity": phase.quantity,
    }

"""Making orders: the row, its lines, their phases or whoever works at them, all in the caller's transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from viralcore.boosts.api import Engine, LineView
from viralcore.boosts.domain.plans import Catalogue
from viralcore.boosts.domain.states import Order
from viralcore.boosts.events import OrderCreated
from viralcore.boosts.repository import orders, phases
from viralcore.boosts.repository.orders import NewOrder
from viralcore.boosts.service.delivery import Delivery
from viralcore.boosts.service.engines import Engines
from viralcore.core.db import Tx


class Placing:
    """What a confirmed draft and a paid invoice have in common."""

    def __init__(self, catalogue: Catalogue, engines: Engines, delivery: Delivery) -> None:
        self._catalogue = catalogue
        self._engines = engines
        self._delivery = delivery

    async def worker(self, tx: Tx, platform: str, line: LineView) -> Engine | None:
        """Who would work at a line that were ordered now; None: a panel, or nobody."""
        engine = await self._engines.for_line(tx, platform, line)
        return None if engine is None else engine.name

    async def place(self, tx: Tx, new: NewOrder) -> Order:
        """The order as it begins. What it costs was taken before, in the same transaction. One that nobody can begin
        (what panels sell has changed at this moment) ends at once, with its price back."""
        begun = False
        order = await orders.add(tx.conn, new, tx.now)
        for sold in new.plan.lines:
            planned_phases = self._catalogue.phases(new.plan, sold, new.units)
            engine = await self._engines.for_line(tx, order.platform, sold)
            if engine is None and not planned_phases and new.invoice_id is not None:
                # Goods that no panel takes any more: they were paid for, so people do it.
                engine = await self._engines.for_line(tx, order.platform, replace(sold, channel="staff"))
            line = await orders.add_line(
                tx.conn,
                order.id,
                sold,
                quantity=sold.quantity * new.units,
                engine=None if engine is None else engine.name,
            )
            for planned in planned_phases:
                due_at = tx.now + timedelta(minutes=planned.minutes)
                await phases.add(tx.conn, order_id=order.id, line_id=line.id, planned=planned, due_at=due_at)
            if engine is not None:
                await engine.open(tx, order, line)
            begun = begun or engine is not None or bool(planned_phases)
        tx.record(OrderCreated(order_id=order.id, user_id=order.user_id))
        if not begun:
            await self._delivery.advance(tx, order)
        return order

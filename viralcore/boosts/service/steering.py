"""Orders on their way: paused, resumed, cut short; and why they are where they are.

Every step locks the order first, as the dispatcher does: whoever comes second sees what the first did.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from viralcore.boosts.api import CannotSteer, OrderView, SlowView
from viralcore.boosts.domain import states, steering
from viralcore.boosts.domain.states import Line, Order, Phase
from viralcore.boosts.events import OrderProgressed
from viralcore.boosts.repository import orders, phases, views
from viralcore.boosts.repository import steering as rows
from viralcore.boosts.service.delivery import Delivery
from viralcore.boosts.service.engines import Engines, TellsWhy
from viralcore.boosts.service.estimates import History
from viralcore.boosts.service.orders import Orders
from viralcore.core.db import Database, Tx
from viralcore.core.errors import NotFound

Steer = Callable[[Tx, Order, Sequence[Phase], Sequence[Line]], Awaitable[None]]


class Steering:
    """What buyers do with orders that are on their way."""

    def __init__(self, db: Database, orders_: Orders, delivery: Delivery, engines: Engines, history: History) -> None:
        self._db = db
        self._orders = orders_
        self._delivery = delivery
        self._engines = engines
        self._history = history

    async def pause(self, *, key: str, user_id: int, order_id: int) -> OrderView:
        async def run(tx: Tx, order: Order, found: Sequence[Phase], _: Sequence[Line]) -> None:
            if not steering.can_pause(order, found):
                raise CannotSteer(order_id=order.id, what="pause", paused=order.paused_at is not None)
            await rows.pause(tx.conn, order, now=tx.now)
            tx.record(OrderProgressed(order_id=order.id, user_id=order.user_id, state=order.state))

        return await self._steer("pause", key, user_id, order_id, run)

    async def resume(self, *, key: str, user_id: int, order_id: int) -> OrderView:
        async def run(tx: Tx, order: Order, _: Sequence[Phase], __: Sequence[Line]) -> None:
            if order.paused_at is None:
                raise CannotSteer(order_id=order.id, what="resume", paused=False)
            await rows.resume(tx.conn, order, span=steering.moved_by(order, tx.now))
            tx.record(OrderProgressed(order_id=order.id, user_id=order.user_id, state=order.state))

        return await self._steer("resume", key, user_id, order_id, run)

    async def cancel_rest(self, *, key: str, user_id: int, order_id: int) -> OrderView:
        return await self._steer("cancel_rest", key, user_id, order_id, self._cancel_rest)

    async def _cancel_rest(self, tx: Tx, order: Order, found: Sequence[Phase], lines: Sequence[Line]) -> None:
        """Waiting phases end cancelled, lines nobody has begun too. What goes on ends by itself; then it is settled."""
        if not steering.has_rest(order, found, lines):
            raise CannotSteer(order_id=order.id, what="cancel_rest", paused=False)
        if states.can_cancel(order, found, lines):
            await self._orders.undo(tx, order, len(found), lines)
            return
        if order.paused_at is not None:
            await rows.resume(tx.conn, order, span=steering.moved_by(order, tx.now))
        await phases.cancel_all(tx.conn, order.id, now=tx.now)
        for line in steering.unbegun(lines):
            engine = self._engines.of(line)
            if engine is not None:
                await engine.close(tx, order, line)
            await orders.finish_line(tx.conn, line.id, state="cancelled", delivered=0, now=tx.now)
        await self._delivery.advance(tx, order, progressed=True)

    async def slow(self, *, user_id: int | None, order_id: int) -> SlowView:
        async with self._db.transaction() as tx:
            order = await orders.get(tx.conn, order_id)
            if order is None or user_id not in (None, order.user_id):
                raise NotFound(what="order")
            lines = (await orders.lines_of(tx.conn, [order_id])).get(order_id, [])
            parts = (await phases.of_orders(tx.conn, [order_id])).get(order_id, [])
            view = (await views.order_views(tx.conn, [order]))[0]
            known = steering.Circumstances(await rows.whys(tx.conn, order_id), await self._situations(tx, lines))
        span = await self._history.span(view)
        longer = span is not None and view.finished_at is None and view.created_at + span < self._db.clock.now()
        return SlowView(view, steering.reasons(order, lines, parts, known), span, longer)

    async def _situations(self, tx: Tx, lines: Sequence[Line]) -> Mapping[int, steering.Situation]:
        found: dict[int, steering.Situation] = {}
        for line in lines:
            engine = self._engines.of(line) if line.finished_at is None else None
            if isinstance(engine, TellsWhy):
                found[line.id] = await engine.situation(tx, line)
        return found

    async def _steer(self, what: str, key: str, user_id: int, order_id: int, steer: Steer) -> OrderView:
        """Once for a key: a press that is handled again after a crash finds it done, and is no refusal."""

        async def run(tx: Tx, order: Order) -> Mapping[str, Any]:
            found = (await phases.of_orders(tx.conn, [order_id])).get(order_id, [])
            await steer(tx, order, found, (await orders.lines_of(tx.conn, [order_id])).get(order_id, []))
            return {}

        inputs = {"user_id": user_id, "order_id": order_id}

        async def work(tx: Tx) -> OrderView:
            order = await orders.lock(tx.conn, order_id)
            if order is None or order.user_id != user_id:
                raise NotFound(what="order")
            await tx.once(scope=f"boosts.{what}", key=key, inputs=inputs, run=partial(run, tx, order))
            after = await orders.get(tx.conn, order_id)
            return (await views.order_views(tx.conn, [after or order]))[0]

        view = await self._db.run(work)
        return replace(view, expected_at=await self._history.expected(view))

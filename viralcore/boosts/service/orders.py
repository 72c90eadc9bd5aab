"""Orders: seen and cancelled by their buyer, and their unknown phases decided by staff."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from viralcore.boosts.api import (
    AlreadyDecided,
    BadPanelOrder,
    CannotCancel,
    OrderFilter,
    OrderView,
    PanelOrderView,
    UnknownPhaseView,
)
from viralcore.boosts.domain import states
from viralcore.boosts.domain.panels import order_id as read_order_id
from viralcore.boosts.domain.states import Line, Order, Phase
from viralcore.boosts.events import PhaseResolved
from viralcore.boosts.repository import custom, locks, orders, phases, views
from viralcore.boosts.service.delivery import Delivery
from viralcore.boosts.service.engines import Engines
from viralcore.boosts.service.estimates import History
from viralcore.core.db import Database, Tx
from viralcore.core.errors import NotFound
from viralcore.users.api import Users

RIGHT = "orders.retry"
MOST_ORDERS = 100
MOST_PANEL_ORDERS = 1000
MOST_UNKNOWN = 100

Decide = Callable[[Tx, Order, Phase], Awaitable[None]]


class Orders:
    """What people and staff do with orders that exist."""

    def __init__(self, db: Database, delivery: Delivery, engines: Engines, users: Users, history: History) -> None:
        self._db = db
        self._delivery = delivery
        self._engines = engines
        self._users = users
        self._history = history

    async def get(self, *, order_id: int, user_id: int | None) -> OrderView:
        async with self._db.read() as conn:
            order = await orders.get(conn, order_id)
            if order is None or (user_id is not None and order.user_id != user_id):
                raise NotFound(what="order")
            view = (await views.order_views(conn, [order]))[0]
        return replace(view, expected_at=await self._history.expected(view))

    async def page(
        self, *, user_id: int, before_id: int | None, limit: int, which: OrderFilter = "all"
    ) -> tuple[OrderView, ...]:
        async with self._db.read() as conn:
            most = max(1, min(limit, MOST_ORDERS))
            found = await orders.of_user(conn, user_id, before_id=before_id, limit=most, which=which)
            return await views.order_views(conn, found)

    async def cancel(self, *, user_id: int, order_id: int) -> OrderView:
        return await self._db.run(lambda tx: self._cancel(tx, user_id, order_id))

    async def _cancel(self, tx: Tx, user_id: int, order_id: int) -> OrderView:
        """The dispatcher locks the same order: whoever comes second sees what the first did."""
        order = await orders.lock(tx.conn, order_id)
        if order is None or order.user_id != user_id:
            raise NotFound(what="order")
        found = (await phases.of_orders(tx.conn, [order_id])).get(order_id, [])
        if order.state != "cancelled":
            lines = (await orders.lines_of(tx.conn, [order_id])).get(order_id, [])
            if not states.can_cancel(order, found, lines):
                raise CannotCancel(order_id=order_id, state=order.state)
            await self.undo(tx, order, len(found), lines)
        after = await orders.get(tx.conn, order_id)
        return (await views.order_views(tx.conn, [after or order]))[0]

    async def undo(self, tx: Tx, order: Order, waiting: int, lines: Sequence[Line]) -> None:
        """Cancel a locked order of which nothing was begun (`waiting`: how many phases it has)."""
        if await phases.cancel_all(tx.conn, order.id, now=tx.now) != waiting:
            raise RuntimeError("a phase moved while its order was locked")
        for line in lines:
            engine = self._engines.of(line)
            if engine is not None:
                await engine.close(tx, order, line)
            await orders.finish_line(tx.conn, line.id, state="cancelled", delivered=0, now=tx.now)
        usable = await custom.credit_usable(tx.conn, order.asset, tx.now)
        settled = replace(states.settle(order, lines, credit=usable), state="cancelled")
        await self._delivery.give_back(tx, order, settled, f"Cancelled: credit back, order {order.id}")

    # --- staff -----------------------------------------------------------------------------------------------------

    async def unknown_phase(self, *, phase_id: int) -> UnknownPhaseView:
        async with self._db.read() as conn:
            phase = await phases.get(conn, phase_id)
            if phase is None:
                raise NotFound(what="phase")
            return await views.unknown_view(conn, phase)

    async def unknown_phases(self, *, after: int, limit: int) -> tuple[UnknownPhaseView, ...]:
        async with self._db.read() as conn:
            found = await phases.unknown(conn, after=after, limit=max(1, min(limit, MOST_UNKNOWN)))
            return tuple([await views.unknown_view(conn, phase) for phase in found])

    async def unknown_count(self) -> int:
        async with self._db.read() as conn:
            return await phases.unknown_count(conn)

    async def resolve_placed(
        self, *, key: str, actor: int, phase_id: int, panel_order: str, attempt: int
    ) -> UnknownPhaseView:
        given = read_order_id(panel_order)

        async def decide(tx: Tx, order: Order, phase: Phase) -> None:
            panel = phase.panel or ""
            # Our panels number their orders: a word would be somebody's remark, taken for an id.
            if not given.isdigit() or await phases.panel_order_known(tx.conn, panel=panel, panel_order=given):
                raise BadPanelOrder(given=panel_order[:40])
            await phases.accepted(tx.conn, [(phase, given)], now=tx.now)
            await self._delivery.tell_sent(tx, order, phase, panel, given)

        inputs = {"phase_id": phase_id, "panel_order": panel_order, "attempt": attempt}
        try:
            return await self._resolve(key, actor, "placed", inputs, decide)
        except phases.PanelOrderTaken:
            raise BadPanelOrder(given=panel_order[:40]) from None

    async def resolve_not_placed(self, *, key: str, actor: int, phase_id: int, attempt: int) -> UnknownPhaseView:
        async def decide(tx: Tx, order: Order, phase: Phase) -> None:
            await phases.not_placed(tx.conn, phase, now=tx.now)
            lines = (await orders.lines_of(tx.conn, [order.id]))[order.id]
            metric = next(line.metric for line in lines if line.id == phase.line_id)
            await self._delivery.place(tx, order, metric, phase)

        return await self._resolve(key, actor, "not_placed", {"phase_id": phase_id, "attempt": attempt}, decide)

    async def _resolve(
        self, key: str, actor: int, how: str, inputs: Mapping[str, Any], decide: Decide
    ) -> UnknownPhaseView:
        """Authorised, decided once, audited. Under the order's lock the phase must still be unknown, and by the send
        that was looked at: a button about an earlier one must not decide a later one."""
        phase_id, attempt = int(inputs["phase_id"]), int(inputs["attempt"])
        async with self._db.transaction() as tx:
            await self._users.authorize(tx, actor=actor, right=RIGHT)

            async def run() -> Mapping[str, Any]:
                order, phase = await locks.phase(tx.conn, phase_id)
                if phase.state != "unknown" or attempt not in {0, phase.attempt}:
                    raise AlreadyDecided(phase_id=phase_id, state=phase.state)
                await decide(tx, order, phase)
                await self._delivery.advance(tx, order, progressed=True)
                tx.record(PhaseResolved(phase_id=phase_id, order_id=order.id, actor=actor, how=how))
                await self._audit(tx, actor, phase, how, inputs)
                return {"phase_id": phase_id}

            await tx.once(scope=f"boosts.resolve.{how}", key=key, inputs={"actor": actor, **inputs}, run=run)
            _, after = await locks.phase(tx.conn, phase_id)
            return await views.unknown_view(tx.conn, after)

    async def _audit(self, tx: Tx, actor: int, phase: Phase, how: str, inputs: Mapping[str, Any]) -> None:
        before = {"state": "unknown", "panel": phase.panel, "attempt": phase.attempt}
        await self._users.audit(
            tx,
            actor=actor,
            action=f"boosts.phase_{how}",
            subject=f"phase:{phase.id}",
            before=before,
            after={"how": how, **inputs},
        )

    async def panel_orders(self, *, after: int, limit: int) -> tuple[PanelOrderView, ...]:
        async with self._db.read() as conn:
            most = max(1, min(limit, MOST_PANEL_ORDERS))
            return tuple(await phases.panel_orders(conn, after=after, limit=most))

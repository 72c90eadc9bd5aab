"""Refills and cancels: asked of a panel once per press, as an effect, with its honest outcome.

A request is ``asking -> accepted | refused | unknown``; an accepted refill ``-> done | rejected | lapsed`` by asking
the panel. One of a kind is open for a phase at a time (a unique index). Asking again after silence is harmless: unlike
a second order, a second refill or cancel is refused by the panel itself. A cancel that was accepted, or of which nobody
knows, also means that the rest of the order is not ordered elsewhere; what comes back is the poller's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from viralcore.boosts.api import AskState, AskView, AskWhat, CannotAsk, PlacementView
from viralcore.boosts.config import BoostsConfig
from viralcore.boosts.domain import asking
from viralcore.boosts.domain.panels import Accepted, AskAnswer, Declined
from viralcore.boosts.domain.states import Order, Phase
from viralcore.boosts.events import PanelAsked
from viralcore.boosts.ports import PanelDown
from viralcore.boosts.repository import locks, orders, phases, requests
from viralcore.boosts.repository.requests import Request
from viralcore.boosts.service.panels import PanelDesk
from viralcore.core.db import Database, Tx
from viralcore.core.errors import NotFound
from viralcore.users.api import Users

log = structlog.get_logger(__name__)

RIGHT = "orders.retry"
MOST_IDS = 100


def ask_kind(panel: str) -> str:
    """The effect that asks a panel for a refill or a cancel."""
    return f"boosts.panel_ask.{panel}"


class Requests:
    """What panels are asked for after they took an order."""

    def __init__(self, db: Database, config: BoostsConfig, desk: PanelDesk, users: Users) -> None:
        self._db = db
        self._care = config.care
        self._desk = desk
        self._users = users

    # --- asking ----------------------------------------------------------------------------------------------------

    async def placements(self, *, order_id: int) -> tuple[PlacementView, ...]:
        """Every phase of an order that a panel took, and what can be asked for it now."""
        async with self._db.read() as conn:
            found = (await phases.of_orders(conn, [order_id])).get(order_id, [])
            lines = (await orders.lines_of(conn, [order_id])).get(order_id, [])
            asked = await requests.of_orders(conn, [order_id])
        if not lines:
            raise NotFound(what="order")
        metrics = {line.id: line.metric for line in lines}
        now = self._db.clock.now()
        return tuple(
            PlacementView(
                phase_id=phase.id,
                metric=metrics[phase.line_id],
                number=phase.number,
                quantity=phase.quantity,
                delivered=phase.delivered,
                state=phase.state,
                panel=phase.panel or "",
                service=phase.service or "",
                panel_order=phase.panel_order or "",
                sent_at=phase.sent_at,
                start_count=phase.start_count,
                remains=phase.remains,
                charge=phase.charge,
                currency=phase.currency or "",
                remainder_of=phase.remainder_of,
                can_refill=not self._refusal("refill", phase, asked, now),
                can_cancel=not self._refusal("cancel", phase, asked, now),
                requests=tuple(_view(one) for one in asked if one.phase_id == phase.id),
            )
            for phase in found
            if phase.panel_order is not None
        )

    async def ask(self, *, key: str, actor: int, phase_id: int, what: AskWhat) -> AskView:
        """Staff ask."""
        async with self._db.transaction() as tx:
            await self._users.authorize(tx, actor=actor, right=RIGHT)

            async def run() -> Mapping[str, Any]:
                order, phase = await locks.phase(tx.conn, phase_id)
                made = await self._begin(tx, order, phase, what, actor)
                await self._users.audit(
                    tx,
                    actor=actor,
                    action=f"boosts.{what}_asked",
                    subject=f"phase:{phase.id}",
                    before={"state": phase.state, "panel": phase.panel, "panel_order": phase.panel_order},
                    after={"request": made.id},
                )
                return {"request_id": made.id}

            inputs = {"actor": actor, "phase_id": phase_id}
            made = await tx.once(scope=f"boosts.ask.{what}", key=key, inputs=inputs, run=run)
            found = await requests.get(tx.conn, int(made["request_id"]))
            if found is None:
                raise NotFound(what="request")
            return _view(found)

    async def refill(self, *, key: str, user_id: int, order_id: int) -> int:
        """The buyer asks for everything of an order that can be refilled; how many panel orders were asked about."""
        async with self._db.transaction() as tx:
            await self._users.require_active(tx, user_id=user_id)

            async def run() -> Mapping[str, Any]:
                order = await orders.lock(tx.conn, order_id)
                if order is None or order.user_id != user_id:
                    raise NotFound(what="order")
                asked = await requests.of_orders(tx.conn, [order_id])
                found = (await phases.of_orders(tx.conn, [order_id])).get(order_id, [])
                open_ = [one for one in found if not self._refusal("refill", one, asked, tx.now)]
                if not open_:
                    raise CannotAsk(what="refill", reason="nothing")
                for phase in open_:
                    await self._begin(tx, order, phase, "refill", user_id)
                return {"asked": len(open_)}

            inputs = {"user_id": user_id, "order_id": order_id}
            made = await tx.once(scope="boosts.refill", key=key, inputs=inputs, run=run)
            return int(made["asked"])

    async def _begin(self, tx: Tx, order: Order, phase: Phase, what: AskWhat, asked_by: int) -> Request:
        asked = await requests.of_orders(tx.conn, [order.id])
        reason = self._refusal(what, phase, asked, tx.now)
        if reason:
            raise CannotAsk(what=what, reason=reason, order_id=order.id)
        made = await requests.add(tx.conn, phase, what=what, asked_by=asked_by, now=tx.now)
        tx.effect(
            kind=ask_kind(made.panel),
            key=f"{what}:{made.id}",
            payload={"request_id": made.id, "what": what, "panel_order": made.panel_order, "user_id": order.user_id},
            ref=f"order:{order.id}",
        )
        return made

    def _refusal(self, what: AskWhat, phase: Phase, asked: Sequence[Request], now: datetime) -> str:
        """Why it cannot be asked for now; empty when it can."""
        panel = phase.panel or ""
        if self._desk.panel(panel) is None:
            return "panel"
        shelves = self._desk.shelves
        offered = shelves.refills if what == "refill" else shelves.cancels
        if not offered(panel, phase.service or ""):
            return "not_offered"
        mine = [one for one in asked if (one.phase_id, one.what) == (phase.id, what)]
        return asking.refusal(what, phase, [(one.state, one.created_at) for one in mine], now, self._care)

    # --- what came of it -------------------------------------------------------------------------------------------

    async def answered(self, tx: Tx, payload: Mapping[str, Any], answer: AskAnswer) -> None:
        """A panel's answer, or that there was none."""
        found = await requests.get(tx.conn, int(payload["request_id"]))
        if found is None or found.state != "asking":
            raise phases.Moved(f"request {payload['request_id']} is not being asked")
        if isinstance(answer, Accepted):
            # a cancel is carried out by what the panel says of the order from now on
            state: AskState = "accepted" if found.what == "refill" and answer.ticket else "done"
            await requests.move(tx.conn, found, state=state, now=tx.now, ticket=answer.ticket or None)
        elif isinstance(answer, Declined):
            state = "refused"
            await requests.move(tx.conn, found, state=state, now=tx.now, words=answer.text)
        else:
            state = "unknown"
            await requests.move(tx.conn, found, state=state, now=tx.now, words=answer.reason)
        log.info("panel_asked", what=found.what, request_id=found.id, state=state)
        self._tell(tx, found, int(payload["user_id"]), state)

    async def follow(self) -> None:
        """Ask panels how far their refills are."""
        now = self._db.clock.now()
        before = now - timedelta(minutes=self._care.refill_poll_minutes)
        async with self._db.read() as conn:
            open_ = await requests.accepted(conn, asked_before=before)
        for name in sorted({one.panel for one in open_}):
            mine = [one for one in open_ if one.panel == name]
            for start in range(0, len(mine), MOST_IDS):
                await self._follow(name, mine[start : start + MOST_IDS])

    async def _follow(self, name: str, mine: Sequence[Request]) -> None:
        panel = self._desk.panel(name)
        try:
            told = {} if panel is None else await panel.refills([one.ticket or "" for one in mine])
        except PanelDown as down:
            log.warning("panel_refills_unread", panel=name, reason=down.reason)
            told = {}
        async with self._db.transaction() as tx:
            goes_on: list[int] = []
            for one in mine:
                word = told.get(one.ticket or "", "running")
                lapsed = tx.now - one.created_at >= timedelta(days=self._care.refill_patience_days)
                state: AskState | None = "done" if word == "done" else "rejected" if word == "rejected" else None
                state = state or ("lapsed" if lapsed else None)
                if state is None:
                    goes_on.append(one.id)
                    continue
                order = await orders.get(tx.conn, one.order_id)
                await requests.move(tx.conn, one, state=state, now=tx.now, polled_at=tx.now)
                self._tell(tx, one, 0 if order is None else order.user_id, state)
            await requests.polled(tx.conn, goes_on, now=tx.now)

    @staticmethod
    def _tell(tx: Tx, one: Request, user_id: int, state: AskState) -> None:
        tx.record(
            PanelAsked(
                request_id=one.id,
                order_id=one.order_id,
                user_id=user_id,
                asked_by=one.asked_by,
                what=one.what,
                state=state,
            )
        )


def _view(one: Request) -> AskView:
    return AskView(one.id, one.order_id, one.phase_id, one.what, one.state, one.words, one.created_at)

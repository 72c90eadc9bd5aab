"""Delivery: due phases go to panels, their answers move them on, and an order that ends is settled.

Every function with `tx` expects the order's row to be locked by it or locks it first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import structlog

from viralcore.boosts.api import LineState
from viralcore.boosts.config import BoostsConfig
from viralcore.boosts.domain import states
from viralcore.boosts.domain.panels import AddAnswer, Declined, Placed, StatusReading
from viralcore.boosts.domain.states import FINAL_ORDER, Line, Order, Phase
from viralcore.boosts.events import LinesFinished, OrderFinished, OrderProgressed, PhaseSent, PhaseUnknown
from viralcore.boosts.repository import orders, phases
from viralcore.boosts.service.panels import PanelDesk
from viralcore.core.db import Database, Tx
from viralcore.ledger.api import CREDITS, WALLET, Entry, Ledger, NewPosting, house_account, user_account

log = structlog.get_logger(__name__)

CREDITS_USED = "credits_used"
REVENUE = "revenue"
ORDERS_AT_ONCE = 4
"""Orders dispatched at a time: each holds a connection, and spends its time on the way to the database and back."""


def effect_kind(panel: str) -> str:
    """The effect that places an order at a panel."""
    return f"boosts.panel_add.{panel}"


class Delivery:
    """Moves phases, lines and orders."""

    def __init__(self, db: Database, config: BoostsConfig, desk: PanelDesk, ledger: Ledger) -> None:
        self._db = db
        self._schedule = config.schedule
        self._desk = desk
        self._ledger = ledger

    # --- sending ---------------------------------------------------------------------------------------------------

    async def dispatch(self) -> None:
        """Claim every due phase, a few orders at a time. One order's failure leaves the others untouched."""
        async with self._db.read() as conn:
            due = await phases.due_orders(conn, now=self._db.clock.now(), limit=self._schedule.dispatch_orders)
        places = asyncio.Semaphore(ORDERS_AT_ONCE)

        async def one(order_id: int) -> None:
            async with places:
                try:
                    await self._db.run(partial(self._dispatch_order, order_id))
                except Exception:
                    log.exception("order_not_dispatched", order_id=order_id)

        await asyncio.gather(*(one(order_id) for order_id in due))

    async def next_due(self) -> datetime | None:
        """When the next phase is to be sent."""
        async with self._db.read() as conn:
            return await phases.next_due(conn)

    async def _dispatch_order(self, order_id: int, tx: Tx) -> None:
        order = await orders.lock(tx.conn, order_id)
        if order is None or order.state in FINAL_ORDER:
            return
        kept = await self._lines(tx, order)
        metrics = {line.id: line.metric for line in kept}
        for phase in (await phases.of_orders(tx.conn, [order_id])).get(order_id, []):
            if phase.state == "waiting" and phase.next_at is not None and phase.next_at <= tx.now:
                await self.place(tx, order, metrics[phase.line_id], phase)
        await self.advance(tx, order, kept=kept)

    async def place(self, tx: Tx, order: Order, metric: str, phase: Phase) -> None:
        """Send a phase to the first panel that may take it; when there is none, wait for another round or give up."""
        tried = [panel for panel, _ in phase.tried]
        choice = self._desk.choose(order.platform, metric, phase.quantity, tried)
        if not choice.panel:
            await self._nobody(tx, phase, [*choice.passed])
            return
        number = await phases.claim(
            tx.conn, phase, panel=choice.panel, service=choice.service, link=order.link, now=tx.now
        )
        payload = {
            "phase_id": phase.id,
            "order_id": order.id,
            "attempt": number,
            "panel": choice.panel,
            "service": choice.service,
            "link": order.link,
            "quantity": phase.quantity,
        }
        key = f"phase:{phase.id}:a{number}"
        tx.effect(kind=effect_kind(choice.panel), key=key, payload=payload, ref=f"order:{order.id}")

    async def _nobody(self, tx: Tx, phase: Phase, passed: Sequence[tuple[str, Any]]) -> None:
        reasons = [*((panel, why) for panel, why in phase.tried), *passed]
        next_at = states.next_look(phase, reasons, tx.now, self._schedule)
        log.warning("phase_not_taken", phase_id=phase.id, reasons=reasons, gives_up=next_at is None)
        if next_at is None:
            await phases.give_up(tx.conn, phase, now=tx.now)
            return
        since = phase.troubled_since or tx.now
        await phases.wait(tx.conn, phase, next_at=next_at, troubled_since=since, round_=phase.round + 1)

    async def answered(self, tx: Tx, payload: Mapping[str, Any], answer: AddAnswer) -> None:
        """A panel's answer to one attempt, or that there was none."""
        order = await orders.lock(tx.conn, int(payload["order_id"]))
        phase = await phases.get(tx.conn, int(payload["phase_id"]))
        if order is None or phase is None:
            raise LookupError(f"phase {payload['phase_id']} is gone")
        if (phase.state, phase.attempt) != ("sending", int(payload["attempt"])):
            raise phases.Moved(f"phase {phase.id} is {phase.state} at attempt {phase.attempt}")
        panel, service = str(payload["panel"]), str(payload["service"])
        kept = await self._lines(tx, order)
        metric = next(line.metric for line in kept if line.id == phase.line_id)
        if isinstance(answer, Placed):
            await self._placed(tx, order, metric, phase, panel, service, answer.order)
        elif isinstance(answer, Declined):
            await phases.refused(tx.conn, phase, why=answer.why, words=answer.text, now=tx.now)
            await self._desk.refused(tx, panel=panel, service=service, why=answer.why, words=answer.text)
            again = replace(phase, tried=[*phase.tried, [panel, answer.why]])
            await self.place(tx, order, metric, again)
        else:
            await self._silent(tx, order, phase, panel, answer.reason)
        if not isinstance(answer, Placed):
            await self._desk.look(tx)
        await self.advance(tx, order, progressed=not isinstance(answer, Declined), kept=kept)

    async def _placed(
        self, tx: Tx, order: Order, metric: str, phase: Phase, panel: str, service: str, panel_order: str
    ) -> None:
        if await phases.panel_order_known(tx.conn, panel=panel, panel_order=panel_order):
            # An id it gave before: whatever that means, it is not a second order we could follow.
            await self._silent(tx, order, phase, panel, "order_id_repeated")
            return
        await phases.accepted(tx.conn, phase, panel_order=panel_order, now=tx.now)
        await self._desk.took_order(tx, panel=panel, service=service)
        self._tell_sent(tx, order, metric, phase, panel, panel_order)

    async def _silent(self, tx: Tx, order: Order, phase: Phase, panel: str, reason: str) -> None:
        log.warning("phase_unknown", phase_id=phase.id, panel=panel, reason=reason)
        await phases.silent(tx.conn, phase, why=reason)
        tx.record(PhaseUnknown(phase_id=phase.id, order_id=order.id, panel=panel))

    async def tell_sent(self, tx: Tx, order: Order, phase: Phase, panel: str, panel_order: str) -> None:
        """Announce an accepted phase."""
        metric = next(line.metric for line in await self._lines(tx, order) if line.id == phase.line_id)
        self._tell_sent(tx, order, metric, phase, panel, panel_order)

    @staticmethod
    def _tell_sent(tx: Tx, order: Order, metric: str, phase: Phase, panel: str, panel_order: str) -> None:
        tx.record(
            PhaseSent(
                phase_id=phase.id,
                order_id=order.id,
                user_id=order.user_id,
                metric=metric,
                number=phase.number,
                quantity=phase.quantity,
                panel=panel,
                panel_order=panel_order,
            )
        )

    # --- following -------------------------------------------------------------------------------------------------

    async def read(self, order_id: int, readings: Mapping[int, StatusReading], tx: Tx) -> None:
        """What panels say of an order's phases (`readings` by phase id)."""
        order = await orders.lock(tx.conn, order_id)
        if order is None or order.state in FINAL_ORDER:
            return
        progressed = False
        for phase in (await phases.of_orders(tx.conn, [order_id])).get(order_id, []):
            reading = readings.get(phase.id)
            if reading is None or phase.state != "sent":
                continue
            became = states.apply_reading(phase, reading)
            await phases.read(tx.conn, phase, reading, became, now=tx.now)
            progressed = progressed or became.changed
            if became.strange:
                told = reading.text or "no status"
                await self._desk.strange(tx, panel=phase.panel or "", panel_order=phase.panel_order or "", words=told)
        await self.advance(tx, order, progressed=progressed)

    async def advance(
        self, tx: Tx, order: Order, *, progressed: bool = False, kept: Sequence[Line] | None = None
    ) -> None:
        """Bring lines and order up to their phases; end what has ended, and settle the order with its last line.

        `kept`: the order's lines, where they have just been read.
        """
        kept = await self._lines(tx, order) if kept is None else kept
        found = (await phases.of_orders(tx.conn, [order.id])).get(order.id, [])
        ended: dict[LineState, list[str]] = {}
        lines: list[Line] = []
        for line in kept:
            mine = [phase for phase in found if phase.line_id == line.id]
            now = await self._advance_line(tx, line, mine)
            if now.finished_at is not None and line.finished_at is None:
                ended.setdefault(now.state, []).append(now.metric)
            lines.append(now)
        for state, metrics in ended.items():
            self._tell_lines(tx, order, metrics, state)
        if all(line.finished_at is not None for line in lines if any(p.line_id == line.id for p in found)):
            await self._settle(tx, order, lines)
            return
        state_now = states.running_state(found)
        if state_now != order.state:
            await orders.set_state(tx.conn, order, state_now)
        if progressed or ended or state_now != order.state:
            tx.record(OrderProgressed(order_id=order.id, user_id=order.user_id, state=state_now))

    async def _advance_line(self, tx: Tx, line: Line, mine: Sequence[Phase]) -> Line:
        if line.finished_at is not None or not mine:
            return line
        delivered = states.shown_delivered(line, mine)
        if all(phase.final for phase in mine):
            state = states.ended_line(line, mine)
            await orders.finish_line(tx.conn, line.id, state=state, delivered=delivered, now=tx.now)
            return replace(line, state=state, delivered=delivered, finished_at=tx.now)
        state = states.running_line(mine)
        if (state, delivered) != (line.state, line.delivered):
            await orders.set_line(tx.conn, line.id, state=state, delivered=delivered)
        return replace(line, state=state, delivered=delivered)

    async def _settle(self, tx: Tx, order: Order, lines: Sequence[Line]) -> None:
        undelivered = [line for line in lines if line.finished_at is None]
        for line in undelivered:
            await orders.finish_line(tx.conn, line.id, state="refunded", delivered=0, now=tx.now)
        settlement = states.settle(order, lines)
        if settlement.credit_returned:
            await self.return_credit(tx, order, f"Nothing delivered: credit back, order {order.id}")
        await self._refund(tx, order, settlement.refunds)
        await orders.finish(
            tx.conn,
            order,
            state=settlement.state,
            now=tx.now,
            refunded_cents=settlement.refunded_cents,
            credit_returned=settlement.credit_returned,
        )
        if undelivered:
            self._tell_lines(tx, order, [line.metric for line in undelivered], "refunded")
        self.tell_finished(tx, order, settlement)

    async def return_credit(self, tx: Tx, order: Order, description: str) -> None:
        """The credit comes back at the price it was bought for; once for an order, whatever asks."""
        entries = (
            Entry(user_account(order.user_id, CREDITS, order.asset), 1, unit_cost=order.unit_cost),
            Entry(house_account(CREDITS_USED, order.asset), -1),
        )
        key = f"return:order:{order.id}"
        await self._ledger.post(tx, key=key, kind="refund", entries=entries, description=description)

    async def _refund(self, tx: Tx, order: Order, refunds: Mapping[int, int]) -> None:
        postings = [
            NewPosting(
                key=f"refund:line:{line_id}",
                kind="refund",
                entries=(
                    Entry(user_account(order.user_id, WALLET), cents),
                    Entry(house_account(REVENUE), -cents),
                ),
                description=f"Not delivered, order {order.id}",
            )
            for line_id, cents in sorted(refunds.items())
        ]
        if not postings:
            return
        verdicts = await self._ledger.post_many(tx, postings)
        refused = [verdict for verdict in verdicts if not verdict.done]
        if refused:
            raise RuntimeError(f"the ledger refused refunds: {refused}")
        for line_id, cents in refunds.items():
            await orders.refund_line(tx.conn, line_id, cents)

    def tell_finished(self, tx: Tx, order: Order, settlement: states.Settlement) -> None:
        """Announce the end of an order."""
        tx.record(OrderProgressed(order_id=order.id, user_id=order.user_id, state=settlement.state))
        tx.record(
            OrderFinished(
                order_id=order.id,
                user_id=order.user_id,
                state=settlement.state,
                refunded=settlement.refunded_cents,
                credit_returned=settlement.credit_returned,
            )
        )

    @staticmethod
    def _tell_lines(tx: Tx, order: Order, metrics: Sequence[str], state: str) -> None:
        tx.record(LinesFinished(order_id=order.id, user_id=order.user_id, metrics=",".join(metrics), state=state))

    @staticmethod
    async def _lines(tx: Tx, order: Order) -> Sequence[Line]:
        return (await orders.lines_of(tx.conn, [order.id])).get(order.id, [])

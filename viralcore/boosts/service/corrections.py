"""Corrections: for a day a panel may take back that it completed an order. What it did not deliver comes back then.

A phase is corrected once: it leaves ``completed``, and nothing leads back there. While its line goes on, the rest is
ordered once more like that of any phase; when the line or the order has ended, it is money: nobody waits for the rest
of what they were told is done. Of an order that had ended the difference is paid in the transaction that moves the
phase.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import structlog

from viralcore.boosts.api import PhaseState
from viralcore.boosts.domain import states
from viralcore.boosts.domain.panels import StatusReading, delivered_at_end
from viralcore.boosts.domain.states import FINAL_ORDER, Line, Order, Phase
from viralcore.boosts.events import OrderCorrected, OrderProgressed
from viralcore.boosts.repository import custom, orders, phases
from viralcore.boosts.service.delivery import Delivery
from viralcore.boosts.service.givebacks import GiveBacks
from viralcore.boosts.service.loaded import Loaded, load
from viralcore.boosts.service.panels import PanelDesk
from viralcore.core.db import Tx
from viralcore.payments.api import MoneyBack

log = structlog.get_logger(__name__)


def taken_back(phase: Phase, reading: StatusReading) -> bool:
    """Whether a panel says now that it delivered less than all of a completed order."""
    if reading.word not in {"partial", "canceled"}:
        return False
    delivered = delivered_at_end(reading, phase.quantity)
    return delivered is not None and delivered < phase.quantity


class Corrections:
    """Moves what had ended, when its panel did."""

    def __init__(self, delivery: Delivery, desk: PanelDesk, back: GiveBacks) -> None:
        self._delivery = delivery
        self._desk = desk
        self._back = back

    async def read(self, order_id: int, readings: Mapping[int, StatusReading], tx: Tx) -> None:
        """What panels say of completed phases of an order (`readings` by phase id)."""
        for one in await load(tx, [order_id]):
            for phase in tuple(one.phases):
                reading = readings.get(phase.id)
                if reading is None or phase.state != "completed" or not reading.about(phase.panel_order):
                    continue
                if taken_back(phase, reading):
                    await self._correct(tx, one, phase, reading)
            if one.order.state not in FINAL_ORDER:
                await self._delivery.corrected(tx, one)

    async def _correct(self, tx: Tx, one: Loaded, phase: Phase, reading: StatusReading) -> None:
        delivered = delivered_at_end(reading, phase.quantity) or 0
        state: PhaseState = "partial" if delivered else "failed"
        log.warning("phase_corrected", phase_id=phase.id, panel=phase.panel, before=phase.delivered, now=delivered)
        await phases.correct(tx.conn, phase, reading, state=state, delivered=delivered, now=tx.now)
        one.put(replace(phase, state=state, delivered=delivered))
        words = f"{reading.text}, {delivered} of {phase.quantity}"
        await self._desk.corrected(tx, panel=phase.panel or "", panel_order=phase.panel_order or "", words=words)
        line = next(line for line in one.lines if line.id == phase.line_id)
        if line.finished_at is None:
            return
        mine = [each for each in one.phases if each.line_id == line.id]
        after = replace(line, delivered=states.shown_delivered(line, mine), state=states.ended_line(line, mine))
        if after == line:
            return
        if one.order.state in FINAL_ORDER:
            after = await self._pay(tx, one, phase, after)
        await orders.correct_line(tx.conn, line, after)
        one.lines = [after if each.id == line.id else each for each in one.lines]

    async def _pay(self, tx: Tx, one: Loaded, phase: Phase, line: Line) -> Line:
        """The difference, once for a phase: its key says so. Returns the line with what it has cost us."""
        order = one.order
        lines = [line if each.id == line.id else each for each in one.lines]
        usable = await custom.credit_usable(tx.conn, order.asset, tx.now)
        settled = states.settle(order, lines, credit=usable)
        back = MoneyBack()
        if settled.credit_returned and not order.refunded_cents:
            if not order.credit_returned:
                words = f"Nothing delivered after all: credit back, order {order.id}"
                await self._back.credit(tx, order, words)
            one.order, cents = replace(order, state=settled.state, credit_returned=True), 0
        else:
            cents = max(0, states.line_refund(order.unit_cost, line) - line.refunded_cents)
            if cents:
                key, words = f"refund:corrected:{phase.id}", "Not delivered after all"
                (back,) = (await self._back.money(tx, order, f"corrected:{phase.id}", {key: cents}, words)).values()
            one.order = replace(
                order,
                state="failed" if not any(each.delivered for each in lines) else "partial",
                refunded_cents=order.refunded_cents + cents,
                bonus_cents=order.bonus_cents + back.bonus,
                unpaid_cents=order.unpaid_cents + back.unpaid,
            )
        await orders.correct(tx.conn, order, one.order)
        self._tell(tx, one.order, line, back)
        paid, unpaid = line.refunded_cents + cents, line.unpaid_cents + back.unpaid
        return replace(line, refunded_cents=paid, unpaid_cents=unpaid)

    @staticmethod
    def _tell(tx: Tx, order: Order, line: Line, back: MoneyBack) -> None:
        tx.record(OrderProgressed(order_id=order.id, user_id=order.user_id, state=order.state))
        tx.record(
            OrderCorrected(
                order_id=order.id,
                user_id=order.user_id,
                metric=line.metric,
                refunded=back.cents,
                to_bonus=back.bonus,
                credit_returned=order.credit_returned,
            )
        )

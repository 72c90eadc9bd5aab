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

from viralcore.boosts.api import LineState, OrderState
from viralcore.boosts.config import BoostsConfig
from viralcore.boosts.domain import states
from viralcore.boosts.domain.panels import AddAnswer, Declined, Placed, StatusReading
from viralcore.boosts.domain.states import FINAL_ORDER, Line, Order, Phase
from viralcore.boosts.events import LinesFinished, OrderFinished, OrderProgressed, PhaseSent, PhaseUnknown
from viralcore.boosts.repository import custom, orders, phases
from viralcore.boosts.service.givebacks import GiveBacks
from viralcore.boosts.service.loaded import Answered, Loaded, load
from viralcore.boosts.service.panels import Choice, PanelDesk
from viralcore.boosts.service.remainders import Remainders
from viralcore.core.clock import monotonic
from viralcore.core.db import Database, Tx
from viralcore.core.log import correlated, correlation_id
from viralcore.payments.api import MoneyBack

log = structlog.get_logger(__name__)

ORDERS_AT_ONCE = 8
"""Orders dispatched in one transaction: a statement costs much the same for one as for all of them. They are locked
until it is committed, and their rows are put together in one go: whoever presses a button must not notice either."""


def effect_kind(panel: str) -> str:
    """The effect that places an order at a panel."""
    return f"boosts.panel_add.{panel}"


class Delivery:
    """Moves phases, lines and orders."""

    def __init__(self, db: Database, config: BoostsConfig, desk: PanelDesk, back: GiveBacks) -> None:
        self._db = db
        self._schedule = config.schedule
        self._desk = desk
        self._back = back
        self._remainders = Remainders(desk)

    # --- sending ---------------------------------------------------------------------------------------------------

    async def dispatch(self) -> None:
        """Claim every due phase, a set of orders at a time. One order's failure leaves the others untouched."""
        async with self._db.read() as conn:
            due = await phases.due_orders(conn, now=self._db.clock.now(), limit=self._schedule.dispatch_orders)
        for first in range(0, len(due), ORDERS_AT_ONCE):
            some, began = due[first : first + ORDERS_AT_ONCE], monotonic()
            try:
                await self._db.run(partial(self._dispatch, some))
            except Exception:
                log.exception("orders_not_dispatched_together", order_ids=some)
                await self._dispatch_alone(some)
            if first + ORDERS_AT_ONCE < len(due):
                # As long as it took: panels are slower than we are, and people are waiting beside them.
                await asyncio.sleep(monotonic() - began)

    async def _dispatch_alone(self, order_ids: Sequence[int]) -> None:
        for order_id in order_ids:
            try:
                await self._db.run(partial(self._dispatch, [order_id]))
            except Exception:
                log.exception("order_not_dispatched", order_id=order_id)

    async def next_due(self) -> datetime | None:
        """When the next phase is to be sent."""
        async with self._db.read() as conn:
            return await phases.next_due(conn)

    async def _dispatch(self, order_ids: Sequence[int], tx: Tx) -> None:
        await self._desk.shelves.fresh(tx)
        loaded = await load(tx, order_ids)
        found = [one for one in loaded if one.order.state not in FINAL_ORDER and one.order.paused_at is None]
        claims: list[tuple[Order, phases.Claim]] = []
        for one in found:
            for phase in one.phases:
                if phase.state == "waiting" and phase.next_at is not None and phase.next_at <= tx.now:
                    choice = self._choose(one.order, one.metric(phase), phase)
                    if choice.panel:
                        claim = phases.Claim(phase, choice.panel, choice.service, one.order.link)
                        claims.append((one.order, claim))
                        one.put(replace(phase, state="sending", attempt=claim.number, panel=choice.panel))
                    else:
                        one.put(await self._nobody(tx, phase, [*choice.passed]))
        await self._send(tx, claims)
        await self.advance_all(tx, found, {})

    async def place(self, tx: Tx, order: Order, metric: str, phase: Phase) -> None:
        """Send a phase to the first panel that may take it; when there is none, wait for another round or give up. Of a
        paused order, it waits for the end of the pause."""
        await self._desk.shelves.fresh(tx)
        if order.paused_at is not None:
            since, rounds = phase.troubled_since, phase.round
            # As if it had been due when the pause began: the pause's end moves it to that very moment.
            await phases.wait(tx.conn, phase, next_at=order.paused_at, troubled_since=since, round_=rounds)
            return
        choice = self._choose(order, metric, phase)
        if choice.panel:
            await self._send(tx, [(order, phases.Claim(phase, choice.panel, choice.service, order.link))])
        else:
            await self._nobody(tx, phase, [*choice.passed])

    def _choose(self, order: Order, metric: str, phase: Phase) -> Choice:
        tried = [*(panel for panel, _ in phase.tried), *([phase.avoid] if phase.avoid else [])]
        return self._desk.choose(order.platform, metric, phase.quantity, tried)

    @staticmethod
    async def _send(tx: Tx, claims: Sequence[tuple[Order, phases.Claim]]) -> None:
        """Claim phases, and store the effects that send them."""
        await phases.claim(tx.conn, [claim for _, claim in claims], now=tx.now)
        for order, claim in claims:
            payload = {
                "phase_id": claim.phase.id,
                "order_id": order.id,
                "attempt": claim.number,
                "panel": claim.panel,
                "service": claim.service,
                "link": claim.link,
                "quantity": claim.phase.quantity,
            }
            key = f"phase:{claim.phase.id}:a{claim.number}"
            tx.effect(kind=effect_kind(claim.panel), key=key, payload=payload, ref=f"order:{order.id}")

    async def _nobody(self, tx: Tx, phase: Phase, passed: Sequence[tuple[str, Any]]) -> Phase:
        reasons = [*((panel, why) for panel, why in phase.tried), *passed]
        next_at = states.next_look(phase, reasons, tx.now, self._schedule)
        log.warning("phase_not_taken", phase_id=phase.id, reasons=reasons, gives_up=next_at is None)
        if next_at is None:
            await phases.give_up(tx.conn, phase, now=tx.now)
            return replace(phase, state="failed", next_at=None, finished_at=tx.now)
        since = phase.troubled_since or tx.now
        await phases.wait(tx.conn, phase, next_at=next_at, troubled_since=since, round_=phase.round + 1)
        return replace(phase, state="waiting", next_at=next_at, troubled_since=since, round=phase.round + 1, tried=[])

    async def answered_all(self, tx: Tx, answers: Sequence[Answered]) -> None:
        """What panels answered to many attempts: the orders they took at once, everything else one by one."""
        loaded = {one.order.id: one for one in await load(tx, [one.order_id for one in answers])}
        taken = await phases.panel_orders_known(tx.conn, [one.given for one in answers if one.given is not None])
        placed: list[tuple[Answered, Phase]] = []
        others: list[Answered] = []
        for answer in answers:
            if answer.given is None or answer.given in taken:
                others.append(answer)
                continue
            taken.add(answer.given)
            of = loaded.get(answer.order_id)
            phase = None if of is None else next((each for each in of.phases if each.id == answer.phase_id), None)
            placed.append((answer, _still_sending(phase, answer.payload)))
        if placed:
            await self._placed_all(tx, loaded, placed)
        for answer in others:
            with correlated(answer.correlation_id):
                await self.answered(tx, answer.payload, answer.answer)

    async def _placed_all(self, tx: Tx, loaded: Mapping[int, Loaded], placed: Sequence[tuple[Answered, Phase]]) -> None:
        await phases.accepted(tx.conn, [(phase, answer.panel_order) for answer, phase in placed], now=tx.now)
        services: dict[str, set[str]] = {}
        for answer, phase in placed:
            of = loaded[answer.order_id]
            of.put(replace(phase, state="sent", panel_order=answer.panel_order, troubled_since=None))
            services.setdefault(answer.panel, set()).add(str(answer.payload["service"]))
            with correlated(answer.correlation_id):
                self._tell_sent(tx, of.order, of.metric(phase), phase, answer.panel, answer.panel_order)
        for panel, names in sorted(services.items()):
            await self._desk.took_orders(tx, panel=panel, services=names)
        progressed = {answer.order_id: answer.correlation_id for answer, _ in placed}
        await self.advance_all(tx, [loaded[order_id] for order_id in sorted(progressed)], progressed)

    async def answered(self, tx: Tx, payload: Mapping[str, Any], answer: AddAnswer) -> None:
        """A panel's answer to one attempt, or that there was none."""
        order = await orders.lock(tx.conn, int(payload["order_id"]))
        phase = _still_sending(await phases.get(tx.conn, int(payload["phase_id"])), payload)
        if order is None:
            raise LookupError(f"order {payload['order_id']} is gone")
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
        await phases.accepted(tx.conn, [(phase, panel_order)], now=tx.now)
        await self._desk.took_orders(tx, panel=panel, services=[service])
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

    async def read(self, readings: Mapping[int, Mapping[int, StatusReading]], tx: Tx) -> None:
        """What panels say of the phases of some orders (`readings` by order id, then by phase id)."""
        told: list[phases.Told] = []
        progressed: dict[int, str] = {}
        found = [one for one in await load(tx, list(readings)) if one.order.state not in FINAL_ORDER]
        for one in found:
            for phase in tuple(one.phases):
                reading = readings[one.order.id].get(phase.id)
                if reading is None or phase.state != "sent" or not reading.about(phase.panel_order):
                    continue
                said = phases.Told(phase, reading, states.apply_reading(phase, reading))
                told.append(said)
                one.put(said.now)
                if said.became.changed:
                    progressed[one.order.id] = correlation_id.get()
        await phases.read(tx.conn, told, now=tx.now)
        for said in told:
            if said.became.strange:
                panel, number = said.phase.panel or "", said.phase.panel_order or ""
                await self._desk.strange(tx, panel=panel, panel_order=number, words=said.reading.text or "no status")
        for one in found:
            await self._remainders.order_again(tx, one)
        await self.advance_all(tx, found, progressed)

    async def worked(self, tx: Tx, order: Order, line_id: int, *, delivered: int, ended: bool = False) -> None:
        """What an engine has delivered of a line so far; `ended`: there will be no more. The line counts as begun."""
        kept: list[Line] = []
        for line in await self._lines(tx, order):
            if line.id != line_id or line.finished_at is not None:
                kept.append(line)
                continue
            count = min(line.quantity, delivered)
            now = replace(line, state="in_progress", delivered=count)
            await orders.set_lines(tx.conn, [now])
            if ended:
                now = replace(now, state=states.ended_worked(now), finished_at=tx.now)
                await orders.finish_line(tx.conn, line.id, state=now.state, delivered=count, now=tx.now)
                self._tell_lines(tx, order, [line.metric], now.state)
            kept.append(now)
        await self.advance(tx, order, progressed=True, kept=kept)

    async def corrected(self, tx: Tx, one: Loaded) -> None:
        """A phase that was completed is not: its rest is ordered once more where its line still goes on."""
        await self._remainders.order_again(tx, one)
        await self.advance(tx, one.order, progressed=True)

    async def advance(
        self, tx: Tx, order: Order, *, progressed: bool = False, kept: Sequence[Line] | None = None
    ) -> None:
        """Bring lines and order up to their phases; end what has ended, and settle the order with its last line. A line
        that an engine works at ends only by `worked`.

        `kept`: the order's lines, where they have just been read.
        """
        kept = await self._lines(tx, order) if kept is None else kept
        found = await self._phases(tx, order.id)
        told = {order.id: correlation_id.get()} if progressed else {}
        await self.advance_all(tx, [Loaded(order, kept, found)], told)

    async def advance_all(self, tx: Tx, loaded: Sequence[Loaded], progressed: Mapping[int, str]) -> None:
        """The same for many, whose rows have just been read. `progressed`: order id to the correlation id of what
        brought it further; of one thing at least that did."""
        moved: list[Line] = []
        restated: list[tuple[Order, OrderState]] = []
        for one in loaded:
            with correlated(progressed.get(one.order.id) or correlation_id.get()):
                state = await self._advance_order(tx, one, moved, progressed=one.order.id in progressed)
            if state is not None and state != one.order.state:
                restated.append((one.order, state))
        await orders.set_lines(tx.conn, moved)
        await orders.set_states(tx.conn, restated)

    async def _advance_order(self, tx: Tx, one: Loaded, moved: list[Line], *, progressed: bool) -> OrderState | None:
        """End what has ended. What only moved is added to `moved`, the state of an order that goes on is returned."""
        order, found = one.order, one.phases
        ended: dict[LineState, list[str]] = {}
        lines: list[Line] = []
        for line in one.lines:
            now = _line_now(tx, line, [phase for phase in found if phase.line_id == line.id])
            if now.finished_at is not None and line.finished_at is None:
                await orders.finish_line(tx.conn, now.id, state=now.state, delivered=now.delivered, now=tx.now)
                ended.setdefault(now.state, []).append(now.metric)
            elif (now.state, now.delivered) != (line.state, line.delivered):
                moved.append(now)
            lines.append(now)
        for state, metrics in ended.items():
            self._tell_lines(tx, order, metrics, state)
        if all(
            line.finished_at is not None for line in lines if line.engine or any(p.line_id == line.id for p in found)
        ):
            await self._settle(tx, order, lines)
            return None
        state_now = states.running_state(found, lines)
        if progressed or ended or state_now != order.state:
            tx.record(OrderProgressed(order_id=order.id, user_id=order.user_id, state=state_now))
        return state_now

    async def _settle(self, tx: Tx, order: Order, lines: Sequence[Line]) -> None:
        undelivered = [line for line in lines if line.finished_at is None]
        if undelivered:
            ended = [replace(line, state="refunded", delivered=0) for line in undelivered]
            await orders.finish_lines(tx.conn, ended, now=tx.now)
            self._tell_lines(tx, order, [line.metric for line in undelivered], "refunded")
        nothing = f"Nothing delivered: credit back, order {order.id}"
        usable = await custom.credit_usable(tx.conn, order.asset, tx.now)
        await self.give_back(tx, order, states.settle(order, lines, credit=usable), nothing)

    async def give_back(self, tx: Tx, order: Order, settlement: states.Settlement, description: str) -> None:
        """End an order whose lines have ended: what was not delivered comes back, as the credit or as money."""
        if settlement.credit_returned:
            await self._back.credit(tx, order, description)
        back = await self._refund(tx, order, settlement.refunds)
        await orders.finish(
            tx.conn,
            order,
            state=settlement.state,
            now=tx.now,
            refunded_cents=settlement.refunded_cents,
            credit_returned=settlement.credit_returned,
            bonus_cents=back.bonus,
            unpaid_cents=back.unpaid,
        )
        tx.record(OrderProgressed(order_id=order.id, user_id=order.user_id, state=settlement.state))
        tx.record(
            OrderFinished(
                order_id=order.id,
                user_id=order.user_id,
                state=settlement.state,
                refunded=back.cents,
                credit_returned=settlement.credit_returned,
            )
        )

    async def _refund(self, tx: Tx, order: Order, refunds: Mapping[int, int]) -> MoneyBack:
        keys = {line_id: f"refund:line:{line_id}" for line_id in refunds}
        cents = {keys[line_id]: some for line_id, some in refunds.items()}
        back = await self._back.money(tx, order, "settled", cents, "Not delivered")
        if refunds:
            parts = {line_id: (some, back[keys[line_id]].unpaid) for line_id, some in refunds.items()}
            await orders.refund_lines(tx.conn, parts)
        return sum(back.values(), MoneyBack())

    @staticmethod
    def _tell_lines(tx: Tx, order: Order, metrics: Sequence[str], state: str) -> None:
        tx.record(LinesFinished(order_id=order.id, user_id=order.user_id, metrics=",".join(metrics), state=state))

    @staticmethod
    async def _lines(tx: Tx, order: Order) -> Sequence[Line]:
        return (await orders.lines_of(tx.conn, [order.id])).get(order.id, [])

    @staticmethod
    async def _phases(tx: Tx, order_id: int) -> list[Phase]:
        return (await phases.of_orders(tx.conn, [order_id])).get(order_id, [])


def _line_now(tx: Tx, line: Line, mine: Sequence[Phase]) -> Line:
    if line.finished_at is not None or not mine:
        return line
    delivered = states.shown_delivered(line, mine)
    if all(phase.final for phase in mine):
        return replace(line, state=states.ended_line(line, mine), delivered=delivered, finished_at=tx.now)
    return replace(line, state=states.running_line(mine), delivered=delivered)


def _still_sending(phase: Phase | None, payload: Mapping[str, Any]) -> Phase:
    """The phase, in the attempt that is answered."""
    if phase is None:
        raise LookupError(f"phase {payload['phase_id']} is gone")
    if (phase.state, phase.attempt) != ("sending", int(payload["attempt"])):
        raise phases.Moved(f"phase {phase.id} is {phase.state} at attempt {phase.attempt}")
    return phase

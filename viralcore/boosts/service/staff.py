"""Lines worked at by hand: the engine that opens a card for each, and what the team does with cards.

A card goes ``open -> taken -> done | cannot``, ``taken -> open`` (released) and ``open -> closed`` (its order, or the
rest of it, was cancelled before anybody began). Each of them is one transaction under the order's lock: the card's
guarded update, the line's count, the settlement when the order ends with it, the audit line, and the event that
redraws the card. If the process dies before its commit nothing of it exists, and the press is handled again under its
key; after it, all of it.
Two who press at once meet at the order's lock: the second finds the card as the first left it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from viralcore.boosts.api import (
    AlreadyDecided,
    BadProgress,
    CardNotYours,
    CardTaken,
    Engine,
    LineView,
    StaffCardView,
)
from viralcore.boosts.config import StaffRules
from viralcore.boosts.domain.states import Line, Order
from viralcore.boosts.domain.steering import Situation
from viralcore.boosts.events import StaffCardMoved, StaffCardOpened, StaffCardWaits
from viralcore.boosts.repository import orders, staff
from viralcore.boosts.repository.staff import Card
from viralcore.boosts.service.delivery import Delivery
from viralcore.core.db import Database, Tx
from viralcore.core.errors import NotFound
from viralcore.core.one_line import one_line
from viralcore.users.api import NotAllowed, NotYourself, SessionExpired, Users

RIGHT = "orders.retry"
OWNERS_HAVE = "switches"
"""A right only owners have: who has it may move a card that somebody else took."""
MOST_CARDS = 100
MOST_REMINDERS = 50
MOST_REASON = 300

Change = Callable[[Tx, Order, Line, Card], Awaitable[str]]
"""Does it; returns the card's state after it."""


class StaffEngine:
    """Implements `service.engines.LineEngine`: one card for each line."""

    name: Engine = "staff"

    def __init__(self, rules: StaffRules) -> None:
        self._wait = timedelta(hours=rules.remind_hours)

    async def takes(self, tx: Tx, platform: str, line: LineView) -> bool:
        """People can do whatever a plan promises."""
        return True

    async def open(self, tx: Tx, order: Order, line: Line) -> None:
        card_id = await staff.add(
            tx.conn, order_id=order.id, line_id=line.id, now=tx.now, remind_at=tx.now + self._wait
        )
        tx.record(StaffCardOpened(card_id=card_id, order_id=order.id))

    async def close(self, tx: Tx, order: Order, line: Line) -> None:
        card = await staff.of_line(tx.conn, line.id)
        if card is None:
            raise LookupError(f"line {line.id} has no card")
        await staff.move(tx.conn, card, "closed", remind_at=None)
        tx.record(StaffCardMoved(card_id=card.id, order_id=order.id, state="closed", actor=0))

    async def situation(self, tx: Tx, line: Line) -> Situation:
        card = await staff.of_line(tx.conn, line.id)
        if card is None:
            raise LookupError(f"line {line.id} has no card")
        return Situation("staff", card.taken_at) if card.state == "taken" else Situation("staff_waits", card.created_at)


class StaffDesk:
    """Implements `boosts.api.StaffLines`."""

    def __init__(self, db: Database, rules: StaffRules, delivery: Delivery, users: Users) -> None:
        self._db = db
        self._wait = timedelta(hours=rules.remind_hours)
        self._delivery = delivery
        self._users = users

    async def get(self, *, card_id: int) -> StaffCardView:
        async with self._db.read() as conn:
            card = await staff.get(conn, card_id)
            if card is None:
                raise NotFound(what="card")
            return (await staff.views(conn, [card]))[0]

    async def waiting(self, *, after_id: int = 0, limit: int = 20) -> tuple[StaffCardView, ...]:
        async with self._db.read() as conn:
            found = await staff.waiting(conn, after_id=after_id, limit=max(1, min(limit, MOST_CARDS)))
            return await staff.views(conn, found)

    async def count(self) -> int:
        async with self._db.read() as conn:
            return await staff.count(conn)

    async def take(self, *, key: str, actor: int, card_id: int) -> StaffCardView:
        async def change(tx: Tx, order: Order, line: Line, card: Card) -> str:
            if card.state == "taken":
                if card.taken_by != actor:
                    raise CardTaken(card_id=card_id)
                return "taken"
            remind_at = tx.now + self._wait
            await staff.move(tx.conn, card, "taken", taken_by=actor, taken_at=tx.now, remind_at=remind_at)
            await self._delivery.worked(tx, order, line.id, delivered=line.delivered)
            return "taken"

        return await self._act(key, actor, card_id, "taken", {}, change)

    async def release(self, *, key: str, actor: int, card_id: int) -> StaffCardView:
        async def change(tx: Tx, order: Order, line: Line, card: Card) -> str:
            await self._mine(tx, actor, card)
            await staff.move(tx.conn, card, "open", taken_by=None, taken_at=None, remind_at=tx.now + self._wait)
            return "open"

        return await self._act(key, actor, card_id, "released", {}, change)

    async def progress(self, *, key: str, actor: int, card_id: int, delivered: int) -> StaffCardView:
        async def change(tx: Tx, order: Order, line: Line, card: Card) -> str:
            await self._mine(tx, actor, card)
            if not 0 <= delivered <= line.quantity:
                raise BadProgress(most=line.quantity)
            if delivered == line.quantity:
                return await self._end(tx, actor, order, line, card)
            await staff.move(tx.conn, card, "taken", remind_at=tx.now + self._wait)
            await self._delivery.worked(tx, order, line.id, delivered=delivered)
            return "taken"

        return await self._act(key, actor, card_id, "progress", {"delivered": delivered}, change)

    async def done(self, *, key: str, actor: int, card_id: int) -> StaffCardView:
        async def change(tx: Tx, order: Order, line: Line, card: Card) -> str:
            await self._mine(tx, actor, card)
            return await self._end(tx, actor, order, line, card)

        return await self._act(key, actor, card_id, "done", {}, change)

    async def cannot(self, *, key: str, actor: int, card_id: int, reason: str) -> StaffCardView:
        why = one_line(reason, MOST_REASON)
        if not why:
            raise ValueError("the buyer is told why")

        async def change(tx: Tx, order: Order, line: Line, card: Card) -> str:
            await self._mine(tx, actor, card)
            if order.user_id == actor:
                raise NotYourself()
            decided = {"decided_by": actor, "decided_at": tx.now, "remind_at": None}
            await staff.move(tx.conn, card, "cannot", reason=why, **decided)
            await self._delivery.worked(tx, order, line.id, delivered=line.delivered, ended=True)
            return "cannot"

        return await self._act(key, actor, card_id, "cannot", {"reason": why}, change)

    async def remind(self) -> None:
        """The job: show cards again that nobody has moved for long."""
        while True:
            async with self._db.transaction() as tx:
                waited = await staff.remind(tx.conn, now=tx.now, again_at=tx.now + self._wait, limit=MOST_REMINDERS)
                for card_id, order_id in waited:
                    tx.record(StaffCardWaits(card_id=card_id, order_id=order_id))
            if len(waited) < MOST_REMINDERS:
                return

    async def next_reminder(self) -> datetime | None:
        """When the next card will have waited too long."""
        async with self._db.read() as conn:
            return await staff.next_reminder(conn)

    async def _end(self, tx: Tx, actor: int, order: Order, line: Line, card: Card) -> str:
        await staff.move(tx.conn, card, "done", decided_by=actor, decided_at=tx.now, remind_at=None)
        if line.verified:
            await orders.set_verified(tx.conn, line.id, line.verified)
        await self._delivery.worked(tx, order, line.id, delivered=line.quantity, ended=True)
        return "done"

    async def _mine(self, tx: Tx, actor: int, card: Card) -> None:
        if card.state != "taken":
            raise CardNotYours(card_id=card.id, taken=False)
        if card.taken_by == actor:
            return
        try:
            await self._users.authorize(tx, actor=actor, right=OWNERS_HAVE)
        except NotAllowed:
            raise CardNotYours(card_id=card.id, taken=True) from None
        except SessionExpired:
            pass  # they are an owner, which is all that is asked: no switch is turned, no money moved

    async def _act(
        self, key: str, actor: int, card_id: int, how: str, inputs: Mapping[str, Any], change: Change
    ) -> StaffCardView:
        return await self._db.run(lambda tx: self._act_once(tx, key, actor, card_id, how, inputs, change))

    async def _act_once(
        self, tx: Tx, key: str, actor: int, card_id: int, how: str, inputs: Mapping[str, Any], change: Change
    ) -> StaffCardView:
        """Authorised, done once, audited, under the order's lock."""
        await self._users.authorize(tx, actor=actor, right=RIGHT)

        async def run() -> Mapping[str, Any]:
            order, line, card = await self._locked(tx, card_id)
            if card.state not in ("open", "taken"):
                raise AlreadyDecided(card_id=card_id, state=card.state)
            state = await change(tx, order, line, card)
            tx.record(StaffCardMoved(card_id=card_id, order_id=order.id, state=state, actor=actor))
            before = {"state": card.state, "taken_by": card.taken_by, "delivered": line.delivered}
            await self._users.audit(
                tx,
                actor=actor,
                action=f"boosts.card_{how}",
                subject=f"card:{card_id}",
                before=before,
                after={"state": state, "order_id": order.id, **inputs},
                **({"reason": str(inputs["reason"])} if "reason" in inputs else {}),
            )
            return {"state": state}

        given = {"actor": actor, "card_id": card_id, **inputs}
        await tx.once(scope=f"boosts.card.{how}", key=key, inputs=given, run=run)
        _, _, after = await self._locked(tx, card_id)
        return (await staff.views(tx.conn, [after]))[0]

    @staticmethod
    async def _locked(tx: Tx, card_id: int) -> tuple[Order, Line, Card]:
        """The order's lock comes first, as everywhere; the card is read again under it."""
        found = await staff.get(tx.conn, card_id)
        order = None if found is None else await orders.lock(tx.conn, found.order_id)
        card = await staff.get(tx.conn, card_id)
        if order is None or card is None:
            raise NotFound(what="card")
        lines = (await orders.lines_of(tx.conn, [order.id]))[order.id]
        return order, next(line for line in lines if line.id == card.line_id), card

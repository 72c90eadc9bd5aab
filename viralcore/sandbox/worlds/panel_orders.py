"""A simulated panel's books: orders that walk to Completed, charges, the balance, refills. Knows nothing of HTTP."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from viralcore.sandbox.worlds.catalogue import Panel, Service

PENDING_FOR = timedelta(minutes=1)
DONE_AFTER = timedelta(minutes=15)
REFILL_AFTER = timedelta(hours=24)
REFILL_TAKES = timedelta(minutes=10)
FINAL = frozenset({"Completed", "Partial", "Canceled", "Refunded", "Fail"})
UNDELIVERED = frozenset({"Canceled", "Refunded", "Fail"})
STATUSES = (
    "Pending",
    "In progress",
    "Processing",
    "Awaiting",
    "Completed",
    "Partial",
    "Canceled",
    "Refunded",
    "Fail",
    "Error",
)
_TICK = timedelta(milliseconds=1)
_CENTS = Decimal("0.00001")


@dataclass(slots=True)
class Order:
    """`status` and `remains` of an order that walks by itself are worked out from the clock (`Book.look`)."""

    id: int
    service: Service
    link: str
    quantity: int
    at: datetime
    start_count: int
    full_charge: Decimal
    answered: bool = True  # False when the panel swallowed the answer
    by_hand: bool = False
    status: str = "Pending"
    remains: int = 0
    ended_at: datetime | None = None
    refilled_at: datetime | None = None
    ends: str = "Completed"  # how its walk ends

    @property
    def charge(self) -> Decimal:
        """What it cost so far: undelivered units of an order that ended early are given back."""
        if self.status in UNDELIVERED or self.status == "Partial":
            return cost(self.full_charge, self.quantity - self.remains, self.quantity)
        return self.full_charge


@dataclass(slots=True)
class Refill:
    id: int
    order: Order
    at: datetime


def cost(price: Decimal, units: int, per: int) -> Decimal:
    """`price` for `per` units, taken for `units`, as panels round it: to five decimals."""
    return (price * max(0, units) / per).quantize(_CENTS, ROUND_HALF_UP)


class Book:
    """One panel's orders, refills and balance."""

    def __init__(self, panel: Panel, rng: Random) -> None:
        self.panel = panel
        self.balance = panel.balance
        self.shelf = panel.services  # what it lists today
        self.ends = "Completed"  # how orders end that are placed from now on
        self.refills_end = "Completed"
        self.orders: dict[int, Order] = {}
        self.refills: dict[int, Refill] = {}
        self._rng = rng

    def service(self, text: str) -> Service | None:
        return next((item for item in self.shelf if str(item.id) == text), None)

    @property
    def sold(self) -> frozenset[str]:
        """Every number it ever listed."""
        return frozenset(str(item.id) for item in self.panel.services)

    def order(self, text: str) -> Order | None:
        return self.orders.get(int(text)) if text.isascii() and text.isdigit() and len(text) < 15 else None

    def place(self, service: Service, link: str, quantity: int, now: datetime, *, answered: bool) -> Order | None:
        """Book an order and take its price; None when the balance does not cover it."""
        price = cost(service.rate, quantity, 1000)
        if price > self.balance:
            return None
        self.balance -= price
        number = self.panel.first_order + len(self.orders)
        start = self._rng.randrange(0, 4000)
        order = Order(number, service, link, quantity, now, start, price, answered, remains=quantity, ends=self.ends)
        self.orders[number] = order
        return order

    def look(self, order: Order, now: datetime) -> Order:
        """Bring an order's walk up to `now`."""
        if order.by_hand:
            return order
        age = now - order.at
        if age >= DONE_AFTER and order.ends != "Completed":
            half = order.quantity // 2 if order.ends == "Partial" else order.quantity
            self._end(order, order.ends, half, order.at + DONE_AFTER)
        elif age >= DONE_AFTER:
            order.status, order.remains, order.ended_at = "Completed", 0, order.at + DONE_AFTER
        elif age >= PENDING_FOR:
            left, whole = (DONE_AFTER - age) // _TICK, (DONE_AFTER - PENDING_FOR) // _TICK
            order.status, order.remains = "In progress", max(1, order.quantity * left // whole)
        else:
            order.status, order.remains = "Pending", order.quantity
        return order

    def offer(self, text: str, **changes: object) -> bool:
        """List a service otherwise from now on; False when there is none of that number."""
        known = self.service(text)
        if known is None:
            return False
        changed = replace(known, **changes)  # type: ignore[arg-type]
        self.shelf = tuple(changed if item == known else item for item in self.shelf)
        return True

    def hide(self, texts: Collection[str]) -> None:
        """List these services no more, and those again that were hidden before."""
        kept = {item.id: item for item in self.shelf}
        every = tuple(kept.get(item.id, item) for item in self.panel.services)
        self.shelf = tuple(item for item in every if str(item.id) not in texts)

    def set(self, order: Order, status: str, remains: int, now: datetime) -> None:
        """Decide an order by hand; it walks no further. Money follows what was not delivered."""
        self._end(self.look(order, now), status, remains, now)

    def _end(self, order: Order, status: str, remains: int, now: datetime) -> None:
        before = order.charge
        order.by_hand, order.status, order.remains = True, status, remains
        order.ended_at = now if status in FINAL else None
        self.balance += before - order.charge

    def cancel(self, order: Order, now: datetime) -> bool:
        """What the panel's own cancel does: the rest is not delivered."""
        self.look(order, now)
        if order.status in FINAL or not order.service.cancel:
            return False
        untouched = order.remains >= order.quantity
        self.set(order, "Canceled" if untouched else "Partial", order.remains, now)
        return True

    def refill(self, order: Order, now: datetime) -> Refill | str:
        """A refill, or the name of the error."""
        self.look(order, now)
        if not order.service.refill:
            return "refill_disabled"
        last = order.refilled_at or order.ended_at
        if order.status != "Completed" or last is None or now - last < REFILL_AFTER:
            return "refill_soon"
        if order.ended_at is not None and now - order.ended_at > timedelta(days=30):
            return "refill_over"
        order.refilled_at = now
        number = len(self.refills) + 1
        self.refills[number] = Refill(number, order, now)
        return self.refills[number]

    def refill_status(self, text: str, now: datetime) -> str | None:
        refill = self.refills.get(int(text)) if text.isascii() and text.isdigit() and len(text) < 15 else None
        if refill is None:
            return None
        return self.refills_end if now - refill.at >= REFILL_TAKES else "Pending"

    def is_active(self, link: str, service: Service, now: datetime) -> bool:
        """Whether the same thing is being delivered to the same link already."""
        return any(
            order.link == link and order.service == service and self.look(order, now).status not in FINAL
            for order in self.orders.values()
        )

    def next_due(self, now: datetime) -> datetime | None:
        """When the next order that walks by itself starts or completes."""
        steps = [
            order.at + step
            for order in self.orders.values()
            if not order.by_hand
            for step in (PENDING_FOR, DONE_AFTER)
            if order.at + step > now
        ]
        return min(steps, default=None)

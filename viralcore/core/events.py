"""Events: what happened, recorded in the transaction in which it happened, delivered to each subscriber once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from viralcore.core.db import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened: past tense, frozen, ids and primitives only (int, str, bool, None, tuples of them).

    `NAME` is stable and versioned, e.g. ``payments.invoice_paid.v1``; it is what the database stores.
    """

    NAME: ClassVar[str] = ""


@dataclass(frozen=True, slots=True)
class Delivered:
    """An event as a subscriber sees it. `event_id` (uuid text) is the idempotency key of whatever it causes."""

    event_id: str
    event: Event


Handler = Callable[["Tx", str, Event], Awaitable[None]]
"""``async def handler(tx, event_id, event)``: database work only; the delivery row commits with it.

The transaction begins when `tx.conn` is first used, and that is when a delivery somebody else has made is noticed: what
is done outside the database belongs into `tx.after_commit`.
"""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who hears what. `name` is stable and unique (``boosts.deliver_goods``): it is stored with each delivery."""

    event: type[Event]
    name: str
    handler: Handler

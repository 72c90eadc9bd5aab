"""A thousand orders through panels that refuse, fall silent, go down, end early and cancel, by one seed.

Each order ends in exactly one of: completed, partial with its refund, failed with what it cost back, or it waits for
staff because nobody knows the outcome of a send. Judged by the panels' own books, not by ours.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from tests.integration.boosts.conftest import ADA, PANELS, Shop
from tests.support.boosts import FakePanel, config
from tests.support.sizes import size
from viralcore.boosts.domain.panels import AddAnswer, Declined, Placed, Silent, StatusReading
from viralcore.boosts.service import delivery, polling
from viralcore.ledger.api import Entry, house_account, user_account

SEED = int(os.environ.get("PANEL_SEED", "20261128"))
ORDERS, SOLD, COST = size(1000, 250), 40, Decimal("1.00")
LIKES, CROWD = Decimal("0.70"), Decimal("0.30")
AT_ONCE = 64


@dataclass
class Booked:
    link: str
    quantity: int
    final: StatusReading
    left: int
    asked: int = 0


@dataclass
class RandomPanel(FakePanel):
    """A panel with a book of its own and a will of its own."""

    rng: Random = field(default_factory=Random)
    book: dict[str, Booked] = field(default_factory=dict)
    down: bool = False

    async def add(self, *, service: str, link: str, quantity: int) -> AddAnswer:
        if self.down:
            return Declined("outage", "connect")
        luck = self.rng.random()
        if luck < 0.12:
            return Declined(self.rng.choice(("other", "busy", "funds", "link")), "No")
        if luck < 0.14:
            return Silent("read_timeout")  # nothing was booked
        number = self._place(link, quantity)
        return Silent("read_timeout") if luck < 0.16 else Placed(number)

    def _place(self, link: str, quantity: int) -> str:
        number = str(self.first + len(self.book))
        luck = self.rng.random()
        left = 0 if luck < 0.70 else self.rng.randrange(1, quantity + 1) if luck < 0.88 else quantity
        word = "completed" if left == 0 else "partial" if luck < 0.88 and left < quantity else "canceled"
        reading = StatusReading(word, word.title(), remains=left, charge=Decimal(quantity - left) / 1000)
        self.book[number] = Booked(link, quantity, reading, left)
        return number

    async def statuses(self, orders: Sequence[str]) -> Mapping[str, StatusReading]:
        found = {}
        for order in orders:
            one = self.book[order]
            one.asked += 1
            running = one.asked == 1 and self.rng.random() < 0.3
            half = StatusReading("running", "In progress", remains=one.quantity)
            found[order] = half if running else one.final
        return found


async def thousand_orders(shop: Shop) -> None:
    """Paid with a thousand credits; likes in one or two parts, and comments that nobody delivers."""
    entries = (
        Entry(user_account(ADA, "credits", "t3"), ORDERS, unit_cost=COST),
        Entry(house_account("grants", "t3"), -ORDERS),
    )
    used = (
        Entry(user_account(ADA, "credits", "t3"), -ORDERS),
        Entry(house_account("credits_used", "t3"), ORDERS),
    )
    async with shop.database.transaction() as tx:
        await shop.ledger.post(tx, key="given", kind="purchase", entries=entries, description="test")
        await shop.ledger.post(tx, key="used", kind="boost", entries=used, description="test")
        values = {"n": ORDERS, "user": ADA, "cost": COST, "now": tx.now, "sold": SOLD, "likes": LIKES, "crowd": CROWD}
        for statement in _MADE.split(";"):
            await tx.conn.execute(text(statement), {k: v for k, v in values.items() if f":{k}" in statement})


_MADE = """
INSERT INTO boosts.drafts (user_id, links, problems, plan_id, unit_cost, state, created_at, expires_at)
VALUES (:user, '[]', '[]', 't3', :cost, 'confirmed', :now, :now);
INSERT INTO boosts.orders (user_id, draft_id, position, plan_id, plan_title, asset, platform, link, handle, post_id,
    unit_cost, state, created_at)
SELECT :user, (SELECT max(id) FROM boosts.drafts), n, 't3', 'X Tier 3', 't3', 'x', 'https://x.com/shop/status/' || n,
    'shop', n, :cost, 'scheduled', :now FROM generate_series(1, :n) n;
INSERT INTO boosts.lines (order_id, metric, channel, quantity, share, state)
SELECT id, 'likes', 'panel', CAST(:sold AS bigint), CAST(:likes AS numeric), 'scheduled' FROM boosts.orders;
INSERT INTO boosts.lines (order_id, metric, channel, quantity, share, state)
SELECT id, 'comments', 'crowd', 30, CAST(:crowd AS numeric), 'scheduled' FROM boosts.orders;
INSERT INTO boosts.phases (order_id, line_id, number, quantity, due_at, next_at, state)
SELECT l.order_id, l.id, part, CASE WHEN l.order_id % 3 = 0 THEN l.quantity / 2 ELSE l.quantity END, :now, :now,
    'waiting'
FROM boosts.lines l JOIN generate_series(1, 2) part ON part = 1 OR l.order_id % 3 = 0 WHERE l.metric = 'likes'
"""


async def run_out(shop: Shop, rng: Random) -> None:
    """Turn the clock until nothing is left to be done without staff; now and then a panel is down."""
    panels = [panel for panel in shop.panels.values() if isinstance(panel, RandomPanel)]
    for turn in range(200):
        for panel in panels:
            panel.down = turn < 12 and rng.random() < 0.2
        for _ in range(2):  # a run takes so many orders at most
            await shop.job("boosts.dispatch")
        await send(shop)
        await shop.job("boosts.poll")
        left = await shop.rows("SELECT min(next_at) AS next, count(*) AS n FROM boosts.phases WHERE finished_at IS NULL"
                               " AND state <> 'unknown'")  # fmt: skip
        if not left[0].n:
            return
        ahead = left[0].next - shop.clock.now() if left[0].next else None
        shop.clock.advance(max(60, ahead.total_seconds()) if ahead is not None else 60)
    raise AssertionError("orders without end")


async def send(shop: Shop) -> None:
    """As the queue does: many at once, recorded in sets."""
    while True:
        queued = await shop.rows("SELECT id, gen FROM core.effects WHERE state = 'queued' AND due IS NULL ORDER BY id")
        if not queued:
            return
        for first in range(0, len(queued), AT_ONCE):
            await asyncio.gather(*(shop.runner.run(row.id, row.gen) for row in queued[first : first + AT_ONCE]))


async def test_a_thousand_orders_end_well_whatever_panels_do(shop_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (polling, delivery):  # they make room for people who wait beside them; nobody does here
        monkeypatch.setattr(module, "monotonic", lambda: 0.0)
    print(f"seed {SEED}")  # noqa: T201 - to run it again
    rng = Random(SEED)
    panels = {n: RandomPanel(n, first=10**6 * i, rng=Random(rng.random())) for i, n in enumerate(PANELS, start=1)}
    shop: Shop = await shop_of(panels, config())
    await thousand_orders(shop)
    await run_out(shop, rng)

    book = {(panel.name, number): one for panel in panels.values() for number, one in panel.book.items()}
    attempts = await shop.rows(
        "SELECT a.*, p.order_id FROM boosts.attempts a JOIN boosts.phases p ON p.id = a.phase_id"
    )
    sent = {(row.panel, row.panel_order): row for row in attempts if row.state == "sent"}
    unknown: dict[int, list[Any]] = defaultdict(list)
    for row in attempts:
        if row.state == "unknown":
            unknown[row.order_id].append(row)
    _no_double_order(book, sent, unknown, attempts)
    await _each_ends_in_one_way(shop, book, sent, unknown)
    await shop.sound()


def _no_double_order(book: Any, sent: Any, unknown: Any, attempts: Any) -> None:
    """Every order in a panel's book is one try of ours, or the one that nobody heard of; a phase is placed once."""
    assert set(sent) <= set(book)
    silent = Counter(row.link for rows in unknown.values() for row in rows)
    unheard = Counter(one.link for key, one in book.items() if key not in sent)
    assert all(silent[link] >= times for link, times in unheard.items()), "an order that is nobody's"
    phases = Counter(row.phase_id for row in attempts if row.state in {"sent", "unknown"})
    assert max(phases.values()) == 1
    # what was delivered and what still may be is never more than was sold
    got: Counter[str] = Counter()
    for one in book.values():
        got[one.link] += one.quantity - one.left
    assert max(got.values()) <= SOLD
    assert len(book) > ORDERS


async def _each_ends_in_one_way(shop: Shop, book: Any, sent: Any, unknown: Any) -> None:
    orders = await shop.rows("SELECT * FROM boosts.orders ORDER BY id")
    delivered: Counter[int] = Counter()
    for key, row in sent.items():
        delivered[row.order_id] += book[key].quantity - book[key].left
    ends: Counter[str] = Counter()
    owed = credits_back = 0
    for order in orders:
        got = delivered[order.id]
        if order.id in unknown:
            assert order.finished_at is None, order.id
            assert (order.refunded_cents, order.credit_returned) == (0, False)
            ends["unknown"] += 1
            continue
        wanted = "completed" if got == SOLD else "partial" if got else "failed"
        assert order.state == wanted, (order.id, got)
        missing = (COST * 100 * LIKES * (SOLD - got) / SOLD).to_integral_value(ROUND_FLOOR)
        refund = int(missing + COST * 100 * CROWD) if got else 0
        assert (order.refunded_cents, order.credit_returned) == (refund, not got), (order.id, got)
        owed, credits_back = owed + refund, credits_back + (not got)
        ends[wanted] += 1
    assert sum(ends.values()) == ORDERS
    assert min(ends[way] for way in ("completed", "partial", "failed", "unknown")) > 0, ends
    assert (await shop.wallet(), await shop.credits()) == (owed, credits_back)
    print(dict(ends), f"{len(book)} panel orders, {len(sent)} of them ours")  # noqa: T201

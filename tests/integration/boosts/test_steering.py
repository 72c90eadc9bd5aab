"""Orders paused, resumed and cut short; why they are slow; what history says; the same again."""

from __future__ import annotations

import asyncio
import contextlib
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.boosts.conftest import ADA, PANELS, Shop
from viralcore.boosts.api import CannotCancel, CannotSteer, LineView, NoCredits, OrderView
from viralcore.boosts.domain.panels import Declined, Silent, StatusReading
from viralcore.boosts.domain.steering import Situation
from viralcore.boosts.repository import orders
from viralcore.core.errors import NotFound

LIKES, VIEWS = "101", "102"


async def codes(shop: Shop, order: OrderView) -> list[tuple[str, str]]:
    seen = await shop.door.slow(user_id=ADA, order_id=order.id)
    return [(reason.metric, reason.code) for reason in seen.reasons]


async def test_a_paused_order_sends_nothing_and_its_times_move_by_the_pause(shop: Shop) -> None:
    await shop.grant(10)
    (order,) = await shop.order()
    await shop.turn(10)
    paused = await shop.door.pause(key="p", user_id=ADA, order_id=order.id)
    assert (paused.paused_at, paused.can_pause, paused.can_cancel) == (shop.clock.now(), False, True)
    dispatch = next(job for job in shop.module.jobs if job.name == "boosts.dispatch")
    assert dispatch.next_due is not None
    assert await dispatch.next_due() is None
    await shop.turn(300)
    assert shop.panels["smmflare"].quantities == []
    with pytest.raises(CannotSteer):
        await shop.door.pause(key="p2", user_id=ADA, order_id=order.id)
    resumed = await shop.door.resume(key="r", user_id=ADA, order_id=order.id)
    moved = [after.due_at - before.due_at for before, after in zip(order.phases, resumed.phases, strict=True)]
    assert set(moved) == {timedelta(minutes=300)}
    await shop.turn(19)
    assert shop.panels["smmflare"].quantities == []
    await shop.turn(1)
    assert sorted(shop.panels["smmflare"].quantities) == [(LIKES, 38), (VIEWS, 3500)]
    with pytest.raises(CannotSteer):
        await shop.door.resume(key="r2", user_id=ADA, order_id=order.id)
    with pytest.raises(NotFound):
        await shop.door.pause(key="p3", user_id=99, order_id=order.id)


async def test_a_refusal_during_the_pause_waits_for_its_end(shop: Shop) -> None:
    await shop.grant(1)
    (order,) = await shop.order()
    shop.panels["smmflare"].script = [Declined("link", "Bad link"), Silent("read_timeout")]
    shop.clock.advance(1800)
    await shop.job("boosts.dispatch")  # both first parts are on their way
    await shop.door.pause(key="p", user_id=ADA, order_id=order.id)
    await shop.send()
    await shop.turn(100)
    assert [len(shop.panels[name].orders) for name in PANELS] == [0, 0, 0]
    (unknown,) = await shop.door.unknown_phases()
    await shop.door.resolve_not_placed(key="n", actor=1000, phase_id=unknown.phase_id)
    await shop.turn(100)
    assert [len(shop.panels[name].orders) for name in PANELS] == [0, 0, 0]
    await shop.door.resume(key="r", user_id=ADA, order_id=order.id)
    await shop.turn(0)
    assert sum(len(shop.panels[name].orders) for name in PANELS) == 2
    await shop.turn(30)
    assert sum(len(shop.panels[name].orders) for name in PANELS) == 4


async def test_cancelling_the_rest_pays_back_what_was_not_sent(shop: Shop) -> None:
    await shop.grant(1)
    (order,) = await shop.order()
    await shop.turn(30)
    cut = await shop.door.cancel_rest(key="r", user_id=ADA, order_id=order.id)
    assert [phase.state for phase in cut.phases] == ["sent", "cancelled", "sent", "cancelled"]
    assert (cut.state, cut.can_cancel_rest) == ("in_progress", False)
    await shop.turn(60)
    assert sorted(shop.panels["smmflare"].quantities) == [(LIKES, 38), (VIEWS, 3500)]
    shop.panels["smmflare"].complete()
    await shop.turn(1)
    done = await shop.see(order.id)
    assert done.state == "partial"
    # half of 0.225 for views, 37 of 75 of 0.225 for likes, and comments and reposts whole
    assert {line.metric: line.refunded.minor for line in done.lines} == {
        "likes": 11,
        "views": 11,
        "comments": 75,
        "reposts": 30,
    }
    assert await shop.wallet() == 127
    with pytest.raises(CannotSteer):
        await shop.door.cancel_rest(key="r2", user_id=ADA, order_id=order.id)
    await shop.sound()


async def test_cancelling_the_rest_before_anything_was_sent_is_cancelling(shop: Shop) -> None:
    await shop.grant(1)
    (order,) = await shop.order()
    await shop.door.pause(key="p", user_id=ADA, order_id=order.id)
    cut = await shop.door.cancel_rest(key="r", user_id=ADA, order_id=order.id)
    assert (cut.state, cut.credit_returned, cut.paused_at, await shop.credits()) == ("cancelled", True, None, 1)
    await shop.sound()


def _half(shop: Shop) -> None:
    """Panels end what they have with ten left of each."""
    for panel in shop.panels.values():
        for panel_order in panel.orders:
            panel.readings.setdefault(panel_order, StatusReading("partial", "Partial", remains=10))


async def test_what_a_panel_did_not_do_is_not_ordered_again_once_the_rest_is_cancelled(shop: Shop) -> None:
    await shop.grant(1)
    (order,) = await shop.order()
    await shop.turn(30)
    await shop.door.cancel_rest(key="r", user_id=ADA, order_id=order.id)
    _half(shop)
    await shop.turn(1)
    done = await shop.see(order.id)
    assert (done.state, len(done.phases)) == ("partial", 4)
    assert {line.metric: line.delivered for line in done.lines if line.delivered} == {"likes": 28, "views": 3490}
    await shop.sound()


async def test_what_is_ordered_again_of_a_paused_order_waits_for_the_end_of_the_pause(shop: Shop) -> None:
    await shop.grant(1)
    (order,) = await shop.order()
    await shop.turn(30)
    await shop.door.pause(key="p", user_id=ADA, order_id=order.id)
    _half(shop)
    await shop.turn(20)
    await shop.turn(60)
    seen = await shop.see(order.id)
    assert len(seen.phases) > 4
    assert sum(len(panel.orders) for panel in shop.panels.values()) == 2
    await shop.door.resume(key="r", user_id=ADA, order_id=order.id)
    await shop.turn(0)
    assert sum(len(panel.orders) for panel in shop.panels.values()) == 2 + len(seen.phases) - 4


async def test_the_dispatcher_and_a_pause_at_once(shop: Shop) -> None:
    await shop.grant(8)
    made = await shop.order(*(f"https://x.com/shop/status/{n}" for n in range(1, 9)))
    shop.clock.advance(1800)
    await asyncio.gather(
        shop.job("boosts.dispatch"),
        *(shop.door.pause(key=f"p{order.id}", user_id=ADA, order_id=order.id) for order in made),
        shop.job("boosts.dispatch"),
    )
    await shop.send()
    for order in made:
        seen = await shop.see(order.id)
        first = {phase.state for phase in seen.phases if phase.number == 1}
        assert seen.paused_at is not None
        assert first in ({"waiting"}, {"sent"})
    sent = len(shop.panels["smmflare"].orders)
    await shop.turn(60)
    assert len(shop.panels["smmflare"].orders) == sent


async def test_the_reason_is_the_real_one(shop: Shop) -> None:
    await shop.grant(10)
    (order,) = await shop.order()
    assert await codes(shop, order) == [
        ("likes", "due"),
        ("likes", "due"),
        ("views", "due"),
        ("views", "due"),
        ("comments", "paid_back"),
        ("reposts", "paid_back"),
    ]
    shop.panels["smmflare"].script = [Silent("read_timeout")]
    await shop.turn(30)
    told = (await shop.door.slow(user_id=ADA, order_id=order.id)).reasons
    assert {reason.code for reason in told} == {"staff_decides", "accepted", "due", "paid_back"}
    await shop.door.pause(key="p", user_id=ADA, order_id=order.id)
    assert ("likes", "paused") in await codes(shop, order)
    (busy,) = await shop.order("https://x.com/shop/status/2")
    for panel in shop.panels.values():
        panel.always = Declined("busy", "You have active order with this link")
    await shop.turn(30)
    assert (await codes(shop, busy))[:2] == [("likes", "busy"), ("likes", "due")]
    (refused,) = await shop.order("https://x.com/shop/status/3")
    for panel in shop.panels.values():
        panel.always = Declined("link", "Bad link")
    await shop.turn(30)
    assert (await codes(shop, refused))[0] == ("likes", "refused")
    (down,) = await shop.order("https://x.com/shop/status/4")
    for panel in shop.panels.values():
        panel.breaker = "opened"
    await shop.turn(30)
    assert (await codes(shop, down))[0] == ("likes", "outage")
    page = await shop.door.orders(user_id=ADA, which="problems")
    assert [one.id for one in page] == [down.id, refused.id, busy.id, order.id]
    with pytest.raises(NotFound):
        await shop.door.slow(user_id=99, order_id=order.id)


async def test_history_tells_when_it_is_usually_done_but_not_from_too_little(shop: Shop) -> None:
    await shop.grant(10)
    for number in range(1, 6):
        (order,) = await shop.order(f"https://x.com/shop/status/{number}")
        assert order.expected_at is None
        await shop.turn(30)
        await shop.turn(30)
        shop.panels["smmflare"].complete()
        await shop.turn(10 * number)
    (fresh,) = await shop.order("https://x.com/shop/status/6")
    shop.module.service._orders._history._kept.clear()  # what is kept for five minutes
    seen = await shop.see(fresh.id)
    assert seen.expected_at == fresh.created_at + timedelta(minutes=90)
    told = await shop.door.slow(user_id=ADA, order_id=fresh.id)
    assert (told.usual, told.longer) == (timedelta(minutes=90), False)
    await shop.turn(100)
    assert (await shop.see(fresh.id)).expected_at is None
    assert (await shop.door.slow(user_id=ADA, order_id=fresh.id)).longer
    assert len(await shop.door.orders(user_id=ADA, which="running")) == 1
    assert len(await shop.door.orders(user_id=ADA, which="finished", limit=3)) == 3


async def test_the_same_again_is_a_draft_of_the_same_link_and_plan(shop: Shop) -> None:
    await shop.grant(2)
    await shop.grant(2, asset="t1", cost="0.50")
    draft = await shop.door.draft(key="u", user_id=ADA, text="https://x.com/shop/status/1")
    await shop.door.choose_plan(key="k", user_id=ADA, draft_id=draft.id, plan_id="t3")
    (order,) = await shop.door.confirm(key="k", user_id=ADA, draft_id=draft.id)
    again = await shop.door.reorder(key="a", user_id=ADA, order_id=order.id)
    assert again.plan is not None
    assert (again.plan.id, again.links[0].canonical) == ("t3", order.link.canonical)
    assert (await shop.door.reorder(key="a", user_id=ADA, order_id=order.id)).id == again.id
    await shop.door.confirm(key="k2", user_id=ADA, draft_id=again.id)
    other = await shop.door.reorder(key="b", user_id=ADA, order_id=order.id)
    assert other.plan is not None
    assert other.plan.id == "t1"  # its own plan is used up, one other fits
    await shop.door.confirm(key="k3", user_id=ADA, draft_id=other.id)
    await shop.order("https://x.com/shop/status/9")
    with pytest.raises(NoCredits):
        await shop.door.reorder(key="c", user_id=ADA, order_id=order.id)


@pytest.mark.parametrize("seed", range(2))
async def test_any_sequence_of_steps_keeps_quantities_and_money_right(shop: Shop, seed: int) -> None:
    """Panels that refuse, are silent and deliver in part, while the buyer pauses, resumes, cancels and cuts short."""
    chance = random.Random(seed)
    await shop.grant(6)
    made = await shop.order(*(f"https://x.com/shop/status/{n}" for n in range(1, 7)))
    steps = ("pause", "resume", "cancel_rest", "cancel", "turn", "turn", "turn", "end", "staff")
    for number in range(28):
        step, order = chance.choice(steps), chance.choice(made)
        for panel in shop.panels.values():
            trouble = chance.choice((Declined("link", "no"), Silent("read_timeout")))
            panel.script = [trouble] if chance.random() < 0.15 else []
        if step == "turn":
            await shop.turn(chance.choice((5, 15, 30)))
        elif step == "end":
            for panel in shop.panels.values():
                for panel_order, (_, _, quantity) in panel.orders.items():
                    if panel_order not in panel.readings and chance.random() < 0.5:
                        left = chance.choice((0, 0, quantity, quantity // 3))
                        panel.readings[panel_order] = StatusReading(
                            "partial" if left else "completed", "ended", remains=left, charge=Decimal("0.1")
                        )
        elif step == "staff":
            await _not_placed(shop, f"n{number}")
        else:
            with contextlib.suppress(CannotSteer, CannotCancel):  # the refusals there are; anything else is a fault
                await getattr(shop.door, step)(key=f"{step}{number}", user_id=ADA, order_id=order.id)
        await _invariants(shop, made)
    await _to_the_end(shop, made)


async def _not_placed(shop: Shop, key: str) -> None:
    for phase in await shop.door.unknown_phases():
        await shop.door.resolve_not_placed(key=f"{key}.{phase.phase_id}", actor=1000, phase_id=phase.phase_id)


async def _invariants(shop: Shop, made: tuple[OrderView, ...]) -> None:
    again = {row.id for row in await shop.rows("SELECT id FROM boosts.phases WHERE remainder_of IS NOT NULL")}
    for order in made:
        seen = await shop.see(order.id)
        for line in seen.lines:
            parts = [phase.quantity for phase in seen.phases if phase.metric == line.metric and phase.id not in again]
            assert not parts or sum(parts) == line.quantity
        if seen.paused_at is not None:
            assert any(phase.state == "waiting" for phase in seen.phases)
    rows = await shop.rows("SELECT count(*) AS n FROM boosts.attempts WHERE state = 'sent'")
    assert rows[0].n == sum(len(panel.orders) for panel in shop.panels.values())


async def _to_the_end(shop: Shop, made: tuple[OrderView, ...]) -> None:
    for panel in shop.panels.values():
        panel.script = []
    for order in made:
        if (await shop.see(order.id)).paused_at is not None:
            await shop.door.resume(key=f"last{order.id}", user_id=ADA, order_id=order.id)
    for number in range(6):
        await _not_placed(shop, f"last{number}")
        await shop.turn(120)
        for panel in shop.panels.values():
            for panel_order in panel.orders:
                panel.readings.setdefault(panel_order, StatusReading("completed", "Completed", remains=0))
    wallet = credits_back = 0
    for order in made:
        seen = await shop.see(order.id)
        assert seen.finished_at is not None, seen
        assert seen.paused_at is None
        credits_back += seen.credit_returned
        assert not (seen.credit_returned and seen.refunded.minor)
        for line in seen.lines:
            share = {"likes": "0.15", "views": "0.15", "comments": "0.50", "reposts": "0.20"}[line.metric]
            due = int(Decimal(150) * Decimal(share) * (line.quantity - line.delivered) / line.quantity)
            assert seen.credit_returned or line.refunded.minor == due
        wallet += seen.refunded.minor
    assert (await shop.wallet(), await shop.credits()) == (wallet, credits_back)
    await shop.sound()


class Groups:
    """An engine that takes comments. `closed`: lines it was told to stop."""

    name = "crowd"

    def __init__(self) -> None:
        self.closed: list[str] = []

    async def takes(self, tx: Any, platform: str, line: LineView) -> bool:
        return line.metric == "comments"

    async def open(self, tx: Any, order: Any, line: Any) -> None: ...

    async def close(self, tx: Any, order: Any, line: Any) -> None:
        self.closed.append(line.metric)

    async def situation(self, tx: Any, line: Any) -> Situation:
        return Situation("crowd", datetime(2026, 3, 4, tzinfo=UTC))


@pytest.mark.parametrize("begun", [False, True])
async def test_the_rest_of_people_s_work_is_what_nobody_has_begun(shop: Shop, begun: bool) -> None:
    groups, steering = Groups(), shop.module.service._steering
    steering._engines._engines = {"crowd": groups}  # type: ignore[dict-item]
    await shop.grant(1)
    (order,) = await shop.order()
    comments = next(line for line in order.lines if line.metric == "comments")
    line_id = (await shop.rows("SELECT id FROM boosts.lines WHERE metric = 'comments'"))[0].id
    await shop.turn(30)
    delivery = steering._delivery

    async def work(done: int, *, ended: bool) -> None:
        async with shop.database.transaction() as tx:
            locked = await orders.lock(tx.conn, order.id)
            assert locked is not None
            await delivery.worked(tx, locked, line_id, delivered=done, ended=ended)

    if begun:
        await work(6, ended=False)
    told = (await shop.door.slow(user_id=ADA, order_id=order.id)).reasons
    until = datetime(2026, 3, 4, tzinfo=UTC)
    assert [(one.done, one.at) for one in told if one.code == "crowd"] == [(6 if begun else 0, until)]
    await shop.door.pause(key="p", user_id=ADA, order_id=order.id)
    await shop.door.cancel_rest(key="r", user_id=ADA, order_id=order.id)
    await shop.door.cancel_rest(key="r", user_id=ADA, order_id=order.id)
    shop.panels["smmflare"].complete()
    await shop.turn(1)
    seen = await shop.see(order.id)
    assert groups.closed == ([] if begun else ["comments"])
    assert (seen.finished_at is None) is begun
    if begun:
        await work(15, ended=True)
    done = await shop.see(order.id)
    line = next(one for one in done.lines if one.metric == "comments")
    left = comments.quantity - (15 if begun else 0)
    assert (done.state, line.refunded.minor) == ("partial", 75 * left // comments.quantity)
    await shop.sound()


async def test_who_was_found_due_before_the_pause_is_not_sent_in_it(shop: Shop) -> None:
    await shop.grant(1)
    (order,) = await shop.order()
    shop.clock.advance(1800)
    await shop.door.pause(key="p", user_id=ADA, order_id=order.id)
    async with shop.database.transaction() as tx:
        await shop.module.service._steering._delivery._dispatch([order.id], tx)
    await shop.send()
    assert shop.panels["smmflare"].quantities == []

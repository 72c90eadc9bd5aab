"""Orders of which people do a part: what a pause leaves alone, what the rest is, and why such an order is slow."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.boosts.conftest import ADA, Shop
from tests.integration.boosts.crowd import OWNER, Town
from tests.integration.boosts.test_custom import LINK, SOLD, make
from tests.integration.boosts.test_sources import sold
from viralcore.boosts.api import CannotSteer, OrderView

POLL = {"poll_link": "https://x.com/shop/status/1990000000000000001", "poll_option": "3"}


@pytest.fixture
def engines() -> None:
    """The engines of the settings."""


@pytest.fixture
def town(shop: Shop) -> Town:
    return Town(shop)


async def reason(shop: Shop, order: OrderView, metric: str) -> Any:
    seen = await shop.door.slow(user_id=ADA, order_id=order.id)
    return next(one for one in seen.reasons if one.metric == metric)


async def delivered(shop: Shop, order: OrderView) -> OrderView:
    """Panels do all that was sent to them."""
    shop.panels["smmflare"].complete()
    await shop.turn(5)
    return await shop.see(order.id)


def ends(order: OrderView) -> dict[str, tuple[str, int]]:
    return {line.metric: (line.state, line.refunded.minor) for line in order.lines}


async def test_a_pause_holds_back_parts_and_nobody_in_the_groups(town: Town) -> None:
    await town.groups(2)
    shop, order = town.shop, await town.order()
    await shop.door.pause(key="p", user_id=ADA, order_id=order.id)
    await town.run(40)
    assert sorted(await town.deliver()) == [-2, -1]
    (claim,) = await town.replied(await town.post(order), 501)
    await town.approve(claim)
    await shop.turn(60)
    seen = await shop.see(order.id)
    assert (seen.state, seen.paused_at is None) == ("in_progress", False)
    assert shop.panels["smmflare"].quantities == []
    assert next(line.delivered for line in seen.lines if line.metric == "comments") == 1


async def test_the_rest_of_which_nobody_has_begun_anything_is_closed_and_given_back(town: Town) -> None:
    await town.groups(2)
    shop, order = town.shop, await town.order()
    await town.run()
    await shop.turn(30)
    cut = await shop.door.cancel_rest(key="r", user_id=ADA, order_id=order.id)
    assert (cut.finished_at, cut.can_cancel_rest) == (None, False)
    rows = await shop.rows("SELECT state FROM boosts.crowd_posts")
    assert [row.state for row in rows] == ["closed"]
    assert {m.state for m in await town.messages(order)} == {"sending", "cancelled"}
    done = await delivered(shop, order)
    assert done.state == "partial"
    told = ends(done)
    assert (told["comments"], told["reposts"]) == (("cancelled", 25), ("cancelled", 10))
    assert await shop.wallet() == done.refunded.minor == sum(cents for _, cents in told.values())
    await shop.sound()


async def test_who_has_begun_in_the_groups_ends_it_and_the_order_waits_for_them(town: Town) -> None:
    await town.groups(2)
    shop, order = town.shop, await town.order()
    await shop.turn(30)
    await town.run()
    await town.deliver()
    post = await town.post(order)
    claims = await town.replied(post, 501, 502, 503)
    await shop.door.cancel_rest(key="r", user_id=ADA, order_id=order.id)
    with pytest.raises(CannotSteer):
        await shop.door.cancel_rest(key="r2", user_id=ADA, order_id=order.id)
    assert (await delivered(shop, order)).finished_at is None
    for claim in claims:
        await town.approve(claim)
    await town.run(60 * 48)
    done = await shop.see(order.id)
    assert done.state == "partial"
    assert ends(done)["comments"] == ("partial", 17)  # 7 of 10 comments of 25 cents
    assert ends(done)["reposts"] == ("failed", 10)
    await shop.sound()


async def test_the_rest_may_be_a_line_of_the_groups_alone(town: Town) -> None:
    await town.groups(2)
    shop, order = town.shop, await town.order()
    await shop.turn(60)
    await shop.turn()
    seen = await delivered(shop, order)
    assert (seen.can_pause, seen.can_cancel, seen.can_cancel_rest) == (False, False, True)
    cut = await shop.door.cancel_rest(key="r", user_id=ADA, order_id=order.id)
    assert (cut.state, ends(cut)["comments"], ends(cut)["likes"]) == ("partial", ("cancelled", 25), ("completed", 0))
    await shop.sound()


async def test_a_card_that_nobody_took_is_closed_with_the_rest(shop: Shop) -> None:
    """Without groups the comments are a card, the reposts another."""
    await shop.grant(1, asset="t1", cost="0.50")
    (order,) = await shop.order()
    first, second = await shop.door.staff.waiting()
    await shop.door.staff.take(key="t", actor=OWNER, card_id=first.id)
    await shop.turn(30)
    await shop.door.cancel_rest(key="r", user_id=ADA, order_id=order.id)
    assert (await shop.door.staff.get(card_id=second.id)).state == "closed"
    assert (await delivered(shop, order)).finished_at is None
    await shop.door.staff.done(key="d", actor=OWNER, card_id=first.id)
    done = await shop.see(order.id)
    assert done.state == "partial"
    assert ends(done)[first.metric] == ("completed", 0)
    assert ends(done)[second.metric][0] == "cancelled"
    assert await shop.wallet() == done.refunded.minor > 0
    await shop.sound()


async def test_the_groups_reason_is_how_much_they_replied_and_until_when(town: Town) -> None:
    await town.groups(2)
    shop, order = town.shop, await town.order()
    await town.run()
    await town.deliver()
    post = await town.post(order)
    for claim in await town.replied(post, 501, 502):
        await town.approve(claim)
    why = await reason(shop, order, "comments")
    opened = shop.clock.now()
    assert (why.code, why.done, why.quantity) == ("crowd", 2, 10)
    assert (why.at - opened, why.next_at - opened) == (timedelta(hours=48), timedelta(minutes=20))
    await town.replied(post, 503)
    await town.run(60 * 48)
    why = await reason(shop, order, "comments")
    assert (why.code, why.done) == ("crowd_review", 2)
    assert why.at > shop.clock.now()


async def test_the_reason_of_a_card_is_who_has_it_or_that_nobody_has(shop: Shop) -> None:
    order = await shop.goods("x_poll", 50, 150, POLL, invoice_id=7)
    placed = shop.clock.now()
    why = await reason(shop, order, "votes")
    assert (why.code, why.at, why.done) == ("staff_waits", placed, 0)
    shop.clock.advance(600)
    (card,) = await shop.door.staff.waiting()
    await shop.door.staff.take(key="a", actor=OWNER, card_id=card.id)
    await shop.door.staff.progress(key="b", actor=OWNER, card_id=card.id, delivered=20)
    why = await reason(shop, order, "votes")
    assert (why.code, why.at, why.done) == ("staff", placed + timedelta(minutes=10), 20)
    with pytest.raises(CannotSteer):
        await shop.door.pause(key="p", user_id=ADA, order_id=order.id)
    with pytest.raises(CannotSteer):
        await shop.door.cancel_rest(key="r", user_id=ADA, order_id=order.id)
    await shop.door.staff.cannot(key="c", actor=OWNER, card_id=card.id, reason="closed")
    assert [one.code for one in (await shop.door.slow(user_id=ADA, order_id=order.id)).reasons] == []


async def test_history_tells_how_long_people_take_also_when_they_end_in_part(shop: Shop) -> None:
    for number in range(5):
        order = await shop.goods("x_poll", 50, 150, POLL, invoice_id=7 + number)
        (card,) = await shop.door.staff.waiting()
        await shop.door.staff.take(key=f"a{number}", actor=OWNER, card_id=card.id)
        await shop.door.staff.progress(key=f"b{number}", actor=OWNER, card_id=card.id, delivered=49)
        shop.clock.advance(3600)
        await shop.door.staff.cannot(key=f"c{number}", actor=OWNER, card_id=card.id, reason="closed")
    shop.module.service._orders._history._kept.clear()  # what is kept for five minutes
    order = await shop.goods("x_poll", 50, 150, POLL, invoice_id=90)
    seen = await shop.see(order.id)
    assert seen.expected_at == seen.created_at + timedelta(hours=1)


async def test_what_is_paid_back_of_an_ended_plan_is_told_with_the_purchases_it_came_from(shop: Shop) -> None:
    """So that their commission goes back as well: once, and not for posts that were given."""
    plan = await make(shop, SOLD, 2)
    asset = f"custom-{plan.id}"
    await sold(shop, 5, 1, asset)
    await sold(shop, 6, 2, asset)
    for number in range(3):  # the two that were given, and the one of invoice 5
        (order,) = await shop.order(f"{LINK}{number}")
    await shop.door.cancel(key="c", user_id=ADA, order_id=order.id)  # it comes back
    for key in ("x", "x", "y"):
        await shop.door.custom.end(key=key, actor=OWNER, plan_id=plan.id, reason="over")
    told = {one["invoice_id"]: one["cents"] for one in await shop.events("credits_refunded")}
    assert told == {5: 150, 6: 300}
    assert len(await shop.events("credits_refunded")) == 2
    assert await shop.wallet() == 450
    await shop.sound()

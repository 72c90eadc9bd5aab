"""What a panel ends early is ordered once more elsewhere; what it takes back later is paid back. Each thing once."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from tests.integration.boosts.conftest import Shop
from viralcore.boosts.api import OrderView
from viralcore.boosts.domain.panels import Declined, Silent
from viralcore.core.money import usd

LIKES, VIEWS = "101", "102"


async def delivered(shop: Shop) -> OrderView:
    """An order of 75 likes and 7,000 views, sent in two parts each to the first panel and completed there, but for the
    first part of the likes (38)."""
    await shop.grant(10)
    (order,) = await shop.order()
    await shop.turn(30)
    await shop.turn(30)
    shop.panels["smmflare"].complete()
    return order


def likes(shop: Shop, panel: str = "smmflare", quantity: int = 38) -> str:
    found = shop.panels[panel].orders.items()
    return next(one for one, (_, _, number) in found if number == quantity)


async def test_the_rest_of_a_partial_order_is_ordered_once_more_at_the_next_panel(shop: Shop) -> None:
    order = await delivered(shop)
    shop.panels["smmflare"].end(likes(shop), "partial", 20)
    await shop.job("boosts.poll")
    seen = await shop.see(order.id)
    line = next(line for line in seen.lines if line.metric == "likes")
    assert (seen.state, line.state, line.delivered) == ("in_progress", "in_progress", 55)
    assert [(p.number, p.quantity, p.state) for p in seen.phases if p.metric == "likes"] == [
        (1, 38, "partial"),
        (2, 37, "completed"),
        (3, 20, "waiting"),
    ]
    await shop.turn(0.5)
    assert shop.panels["plugsmm"].quantities == [("2101", 20)]
    shop.panels["plugsmm"].complete()
    await shop.job("boosts.poll")
    seen = await shop.see(order.id)
    assert (seen.state, seen.refunded) == ("completed", usd("1.05"))
    await shop.sound()


@pytest.mark.parametrize("word", ["partial", "canceled"])
async def test_a_rest_that_ends_early_again_is_refunded(shop: Shop, word: str) -> None:
    order = await delivered(shop)
    shop.panels["smmflare"].end(likes(shop), word, 20)  # type: ignore[arg-type]
    await shop.job("boosts.poll")
    await shop.turn(0.5)
    shop.panels["plugsmm"].end(likes(shop, "plugsmm", 20), word, 11)  # type: ignore[arg-type]
    await shop.job("boosts.poll")
    await shop.turn(120)
    seen = await shop.see(order.id)
    # 11 of 75 likes did not come: 1.50 x 0.15 x 11/75 = 0.033
    assert (seen.state, seen.refunded) == ("partial", usd("1.08"))
    assert [len(panel.orders) for panel in shop.panels.values()] == [4, 1, 0]
    await shop.sound()


async def test_a_rest_never_goes_back_to_the_panel_that_left_it(shop: Shop) -> None:
    order = await delivered(shop)
    shop.panels["smmflare"].end(likes(shop), "partial", 20)
    shop.panels["plugsmm"].always = Declined("other", "Sorry")
    shop.panels["smmstone"].always = Declined("other", "Sorry")
    await shop.job("boosts.poll")
    for _ in range(8):
        await shop.turn(30)
    seen = await shop.see(order.id)
    assert (seen.state, seen.refunded) == ("partial", usd("1.11"))
    assert len(shop.panels["smmflare"].orders) == 4


async def test_a_line_that_was_raised_to_a_minimum_needs_no_rest(shop: Shop) -> None:
    """What was sold is what is owed: 38 + 37 likes were bought; a rest beyond what is missing is not ordered."""
    order = await delivered(shop)
    async with shop.database.transaction() as tx:
        await tx.conn.execute(text("UPDATE boosts.lines SET quantity = 60 WHERE metric = 'likes'"))
    shop.panels["smmflare"].end(likes(shop), "partial", 26)
    await shop.job("boosts.poll")
    (rest,) = [p for p in (await shop.see(order.id)).phases if p.number == 3]
    assert rest.quantity == 60 - 37 - 12


async def test_two_pollers_order_a_rest_once(shop: Shop) -> None:
    await delivered(shop)
    shop.panels["smmflare"].end(likes(shop), "partial", 20)
    await asyncio.gather(*(shop.job("boosts.poll") for _ in range(3)))
    await asyncio.gather(*(shop.job("boosts.dispatch") for _ in range(3)))
    await shop.send()
    assert [len(panel.orders) for panel in shop.panels.values()] == [4, 1, 0]


async def test_silence_about_a_rest_is_unknown_like_any_other(shop: Shop) -> None:
    order = await delivered(shop)
    shop.panels["smmflare"].end(likes(shop), "partial", 20)
    shop.panels["plugsmm"].always = Silent("read_timeout")
    await shop.job("boosts.poll")
    await shop.turn(0.5)
    await shop.turn(600)
    (phase,) = await shop.door.unknown_phases()
    assert (phase.panel, phase.quantity) == ("plugsmm", 20)
    shop.panels["plugsmm"].always = None
    await shop.door.resolve_not_placed(key="k", actor=1000, phase_id=phase.phase_id)
    await shop.send()
    assert shop.panels["plugsmm"].quantities == [("2101", 20)]
    shop.panels["plugsmm"].complete()
    await shop.job("boosts.poll")
    assert (await shop.see(order.id)).state == "completed"


# --- corrections -----------------------------------------------------------------------------------------------------


async def test_what_a_panel_takes_back_of_an_ended_order_is_paid_back_once(shop: Shop) -> None:
    order = await delivered(shop)
    await shop.job("boosts.poll")
    assert await shop.wallet() == 105
    shop.panels["smmflare"].end(likes(shop), "partial", 20)
    shop.clock.advance(1800)
    await shop.job("boosts.corrections")
    assert await shop.wallet() == 105  # asked about not long ago
    shop.clock.advance(3 * 3600)
    await asyncio.gather(*(shop.job("boosts.corrections") for _ in range(3)))
    await shop.turn(600)
    await shop.job("boosts.corrections")
    seen = await shop.see(order.id)
    line = next(line for line in seen.lines if line.metric == "likes")
    assert (seen.state, seen.refunded, await shop.wallet()) == ("partial", usd("1.11"), 111)
    assert (line.state, line.delivered, line.refunded) == ("partial", 55, usd("0.06"))
    (told,) = await shop.events("order_corrected")
    assert (told["metric"], told["refunded"], told["credit_returned"]) == ("likes", 6, False)
    assert len(shop.panels["plugsmm"].orders) == 0
    assert [one["what"] for one in await shop.events("panel_trouble")] == ["corrected"]
    await shop.sound()


async def test_a_whole_order_taken_back_gives_the_rest_of_its_price(shop: Shop) -> None:
    """The crowd's part came back as money before, so the rest does too: never both the credit and money."""
    order = await delivered(shop)
    await shop.job("boosts.poll")
    panel = shop.panels["smmflare"]
    for one, (_, _, quantity) in panel.orders.items():
        panel.end(one, "canceled", quantity)
    shop.clock.advance(3 * 3600)
    await shop.job("boosts.corrections")
    seen = await shop.see(order.id)
    assert (seen.state, seen.credit_returned, await shop.credits()) == ("failed", False, 9)
    # likes 0.225 and views 0.225, each rounded down line by line as they came
    assert seen.refunded == usd("1.49")
    await shop.sound()


async def test_a_correction_while_the_order_goes_on_is_ordered_once_more(shop: Shop) -> None:
    await shop.grant(10)
    (order,) = await shop.order()
    await shop.turn(30)
    shop.panels["smmflare"].complete()
    await shop.job("boosts.poll")
    shop.panels["smmflare"].end(likes(shop), "partial", 20)
    shop.clock.advance(3 * 3600)
    await shop.job("boosts.corrections")
    rests = [p for p in (await shop.see(order.id)).phases if p.metric == "likes"]
    assert [(p.quantity, p.state) for p in rests] == [(38, "partial"), (37, "waiting"), (20, "waiting")]
    await shop.turn(0)
    assert shop.panels["plugsmm"].quantities == [("2101", 20)]


async def test_after_a_day_nobody_asks_any_more(shop: Shop) -> None:
    await delivered(shop)
    await shop.job("boosts.poll")
    shop.panels["smmflare"].end(likes(shop), "partial", 20)
    shop.clock.advance(25 * 3600)
    await shop.job("boosts.corrections")
    assert await shop.wallet() == 105

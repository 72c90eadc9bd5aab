"""Every group is gone while posts are open: what is missing becomes the team's work, and nothing is done twice."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.boosts.conftest import Shop, ShopOf, config
from tests.integration.boosts.crowd import OWNER, Town
from viralcore.boosts.api import OrderLineView, StaffCardView, TaskClosed

WITHOUT = 15
"""Minutes without a group, as the settings say."""


@pytest.fixture
def engines() -> None:
    """The engines of the settings."""


@pytest.fixture
def town(shop: Shop) -> Town:
    return Town(shop)


async def kicked(town: Town, *chats: int) -> None:
    for chat in chats or (-1,):
        await town.crowd.bot_moved(chat_id=chat, title="x", state="kicked", by=7, at=town.shop.clock.now())


async def cards(town: Town) -> dict[str, StaffCardView]:
    return {one.metric: one for one in await town.shop.door.staff.waiting()}


async def lines(town: Town, order: int) -> dict[str, OrderLineView]:
    return {one.metric: one for one in (await town.shop.see(order)).lines if one.channel == "crowd"}


async def test_an_untouched_post_becomes_cards_and_may_still_be_cancelled(town: Town) -> None:
    await town.groups(2)
    order = await town.order()
    await town.run()
    await kicked(town, -1, -2)
    await town.run()
    await town.run(WITHOUT - 1)
    assert await cards(town) == {}
    await town.run(1)
    assert {name: (one.quantity, one.delivered) for name, one in (await cards(town)).items()} == {
        "comments": (10, 0),
        "reposts": (5, 0),
    }
    assert {name: (one.engine, one.state) for name, one in (await lines(town, order.id)).items()} == {
        "comments": ("staff", "scheduled"),
        "reposts": ("staff", "scheduled"),
    }
    assert {row.state for row in await town.messages(order)} <= {"cancelled", "skipped", "sending", "sent"}
    assert await town.crowd.tasks(user_id=5) == ()
    await town.group(-3)
    await town.run(60)  # a group that comes later has nothing to do with it
    assert len(await cards(town)) == 2
    await town.shop.door.cancel(key="c", user_id=order.user_id, order_id=order.id)
    assert (await town.shop.see(order.id)).state == "cancelled"
    assert await cards(town) == {}
    await town.shop.sound()


async def test_a_group_that_comes_in_time_goes_on(town: Town) -> None:
    await town.groups(1)
    order = await town.order()
    await kicked(town)
    await town.run()
    await town.run(WITHOUT - 1)
    await town.group(-5)
    await town.run(1)
    assert await cards(town) == {}
    await kicked(town, -5)  # and the time is counted anew
    await town.run()
    await town.run(WITHOUT - 1)
    assert await cards(town) == {}
    await town.run(1)
    assert set(await cards(town)) == {"comments", "reposts"}
    assert (await lines(town, order.id))["comments"].engine == "staff"


async def test_the_clock_is_woken_for_it(town: Town) -> None:
    await town.groups(1)
    await town.order()
    await town.run()
    await kicked(town)
    job = next(one for one in town.shop.module.jobs if one.name == "boosts.crowd")
    now = town.shop.clock.now()
    assert job.next_due is not None
    assert await job.next_due() == now
    await town.run()
    due = await job.next_due()
    assert due is not None
    assert (due - now).total_seconds() == WITHOUT * 60


async def test_what_people_are_at_is_waited_for_and_counts(town: Town) -> None:
    """One approved, one waiting for staff, one claimed: the card comes when they are through, with what they did."""
    await town.groups(1)
    order = await town.order()
    post = await town.post(order)
    approved, submitted = await town.replied(post, 5, 6)
    await town.approve(approved)
    await town.run(30)
    claimed = (await town.take(post, 7, "comments")).claim.id
    await kicked(town)
    await town.run()
    await town.run(WITHOUT)
    assert await cards(town) == {}
    with pytest.raises(TaskClosed):
        await town.take(post, 8, "comments")
    await town.prove(claimed, 7, 700)
    await town.approve(submitted)
    assert await cards(town) == {}
    await town.approve(claimed)
    assert {name: (one.quantity, one.delivered) for name, one in (await cards(town)).items()} == {
        "comments": (10, 3),
        "reposts": (5, 0),
    }
    # the team does the rest and no more; the people are paid for theirs
    assert len(await town.shop.events("claim_approved")) == 3
    for number, card in enumerate((await cards(town)).values()):
        await town.shop.door.staff.take(key=f"t{number}", actor=OWNER, card_id=card.id)
        await town.shop.door.staff.done(key=f"d{number}", actor=OWNER, card_id=card.id)
    assert {(one.delivered, one.state) for one in (await lines(town, order.id)).values()} == {
        (10, "completed"),
        (5, "completed"),
    }
    await town.shop.sound()


@pytest.mark.parametrize("how", ["expires", "is given back", "is rejected"])
async def test_the_last_claim_may_come_to_nothing(town: Town, how: str) -> None:
    await town.groups(1)
    order = await town.order()
    post = await town.post(order)
    await town.run(50)
    claim = (await town.take(post, 5, "comments")).claim.id
    await kicked(town)
    await town.run()
    await town.run(WITHOUT)
    assert await cards(town) == {}
    if how == "expires":
        await town.run(60)
    elif how == "is given back":
        await town.crowd.give_up(key="k", user_id=5, claim_id=claim)
    else:
        await town.prove(claim, 5)
        await town.reject(claim)
    assert {name: one.delivered for name, one in (await cards(town)).items()} == {"comments": 0, "reposts": 0}


async def test_what_staff_never_look_at_is_not_waited_for_for_ever(town: Town) -> None:
    await town.groups(1)
    order = await town.order()
    post = await town.post(order)
    (claim,) = await town.replied(post, 5)
    await kicked(town)
    await town.run()
    await town.run(WITHOUT)
    await town.run(24 * 60 - 1)
    assert await cards(town) == {}
    await town.run(1)
    assert (await cards(town))["comments"].delivered == 0
    await town.approve(claim)  # paid, and no longer counted: the team has the whole line
    assert (await lines(town, order.id))["comments"].delivered == 0


async def test_a_line_that_is_full_is_no_card(town: Town) -> None:
    await town.groups(1)
    order = await town.order()
    post = await town.post(order)
    for claim in await town.replied(post, *range(20, 25), metric="reposts"):
        await town.approve(claim)
    assert (await lines(town, order.id))["reposts"].state == "completed"
    await kicked(town)
    await town.run()
    await town.run(WITHOUT)
    assert set(await cards(town)) == {"comments"}


async def test_a_claim_and_the_end_of_the_groups_at_once(town: Town) -> None:
    """Either it is waited for, or it is refused: never a slot beside a card."""
    await town.groups(1)
    posts = [await town.post(await town.order(number)) for number in (1, 2, 3)]
    await kicked(town)
    await town.run()
    town.shop.clock.advance(WITHOUT * 60)
    told = await asyncio.gather(
        town.shop.job("boosts.crowd"),
        *(town.take(post, 40 + post, "comments") for post in posts),
        return_exceptions=True,
    )
    for post, one in zip(posts, told[1:], strict=True):
        rows = await town.shop.rows(f"SELECT state FROM boosts.crowd_posts WHERE id = {post}")
        assert rows[0].state == ("closed" if isinstance(one, TaskClosed) else "review"), one


async def test_without_a_team_it_waits_and_is_refunded(shop_of: ShopOf) -> None:
    told = config()
    rules = told.staff.model_copy(update={"crowd_lines": False})
    town = Town(await shop_of({}, told.model_copy(update={"staff": rules})))
    await town.groups(1)
    order = await town.order()
    await kicked(town)
    await town.run()
    await town.run(WITHOUT)
    assert await cards(town) == {}
    assert (await lines(town, order.id))["comments"].engine == "crowd"
    await town.run(48 * 60)
    assert (await lines(town, order.id))["comments"].state == "failed"

"""Custom plans, mass orders and orders on their way through the real Application, with a phone instead of Telegram.

Every screen has a way on, every refusal says why, and a press that comes twice or late does nothing twice."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integration.bot.town import OWNER, Message, Person, Town
from tests.support.clock import FakeClock
from viralcore.core.db import Database
from viralcore.core.registry import Registry
from viralcore.sandbox.telegram.markup import parse_html

LINK = "https://x.com/ada/status/{}"
FORM = "name: <b>VIP\nlikes: 100\nviews: 5000\nposts: 2\nuntil: {until}\nreason: https://x.com/ada/status/1 & thanks"


@pytest.fixture
async def town(database: Database, clock: FakeClock, registry: Registry) -> AsyncIterator[Town]:
    here = await Town(database, clock, registry).start()
    yield here
    await here.stop()


async def shown(person: Person, *words: str) -> Message:
    """The home, whose text Telegram would take and whose reader has a way on."""
    _, now = await person.home()
    parse_html(now.text)
    assert now.buttons, now.text
    assert not [word for word in (*words,) if word not in now.text], now.text
    assert "Something went wrong" not in now.text
    return now


async def owner(town: Town) -> Person:
    boss = Person(town, OWNER)
    await boss.says("/start")
    await boss.presses("I agree")
    await boss.says("/admin")
    return boss


async def plan_for(town: Town, person: Person, until: str = "never") -> Person:
    boss = await owner(town)
    await boss.says(f"/custom {person.id}")
    await boss.presses("New plan")
    await boss.says(FORM.format(until=until))
    await boss.presses("Confirm")
    return boss


async def test_a_plan_is_made_changed_and_ended_with_every_mistake_told(town: Town) -> None:
    ada, boss = await town.person(), await owner(town)
    await boss.presses("Custom plans", "Find a person")
    await boss.says("nobody")
    await shown(boss, "I know nobody called nobody")
    await boss.says(str(ada.id))
    await boss.presses("New plan")
    await boss.says("/cancel")
    await boss.says(f"/custom {ada.id}")
    await boss.presses("New plan")
    await boss.says("name: VIP\nlikes: -5\nwhat is this?")
    await shown(boss, "whole number", "word: value")
    await boss.says(FORM.format(until="2020-01-01"))
    await shown(boss, "lies in the past")
    await boss.says(FORM.format(until="never"))
    await shown(boss, "Make this plan", "2 posts given at once")
    confirm = await boss.button("Confirm")
    await town.handle(confirm)
    await town.handle(confirm)  # the same update once more, as after a crash
    assert await town.one("SELECT count(*) FROM boosts.custom_plans") == 1
    await boss.presses("Change")
    await boss.says("posts: -3\nreason: too many")
    await boss.presses("Confirm")
    await shown(boss, "Only 2 posts are left")
    await boss.presses("Change")
    await boss.says("likes: 200\nposts: +1\nreason: as agreed")
    await boss.presses("Confirm")
    await shown(boss, "200 likes", "3 posts left")
    await boss.presses("End")
    await boss.says("the month is over")
    await shown(boss, "3 posts left in it")
    late = await boss.button("Confirm")
    await ada.says(LINK.format(5))
    await ada.presses("Confirm")
    await town.handle(late)  # a post was used meanwhile: the owner looks again
    await shown(boss, "2 posts left in it")
    await boss.presses("Confirm")
    await shown(boss, "ended on")
    await ada.says("/buy ct")
    await shown(ada, "0 posts left, ended on")
    actions = "SELECT string_agg(action, ' ' ORDER BY id) FROM users.audit_log WHERE action LIKE 'boosts.custom%'"
    told = "boosts.custom_plan_made boosts.custom_plan_edited boosts.custom_plan_ended"
    assert await town.one(actions) == told


async def test_the_picker_is_skipped_when_one_plan_fits_and_an_old_one_is_no_trap(town: Town) -> None:
    ada = await town.person()
    await plan_for(town, ada)
    await ada.says(LINK.format(5))
    await shown(ada, "You get", "100 likes")
    await ada.gets_credits(3)
    await ada.says(LINK.format(6))
    await shown(ada, "Which plan should be used?")
    old = await ada.button("X Tier 3")
    await ada.presses("VIP")
    await shown(ada, "100 likes")
    await ada.presses("Confirm")
    await town.handle(old)
    assert "out of date" in town.phone.toasts[-1]
    await ada.says(LINK.format(7))
    other = await ada.button("X Tier 3")
    town.clock.advance(20 * 60)
    await town.handle(other)
    await shown(ada, "no longer open")
    assert await town.one("SELECT count(*) FROM boosts.orders") == 1


async def test_an_ended_plan_is_told_with_its_day(town: Town) -> None:
    ada = await town.person()
    until = f"{town.clock.now():%Y-%m-%d} 23:59"
    await plan_for(town, ada, until)
    await ada.says("/start")
    await shown(ada, "Posts you can boost: <b>2</b>")
    await ada.says(LINK.format(5))
    late = await ada.button("Confirm")
    town.clock.advance(26 * 3600)
    await ada.says(LINK.format(6))
    await shown(ada, "ended on", "support")
    await ada.says("/menu")
    assert "Posts you can boost" not in (await shown(ada)).text
    await town.handle(late)
    await ada.says("/balance")
    await ada.presses("Credits")
    await shown(ada, "2 posts</b>, ended on")
    await ada.presses("VIP")
    await shown(ada, "can no longer be used")
    assert await town.one("SELECT count(*) FROM boosts.orders") == 0


async def test_more_links_than_posts_is_an_offer(town: Town) -> None:
    ada = await town.person()
    await ada.gets_credits(2)
    await ada.says(" ".join(LINK.format(n) for n in range(1, 4)) + " https://t.me/+abcdef https://x.com/ada")
    await shown(ada, "You sent 3 links", "first <b>2</b>", "not enough for it", "private chat", "not a post")
    confirm = await ada.button("Confirm")
    await town.handle(confirm)
    await shown(ada, "2 links are on their way", "not enough for it", "No posts left in X Tier 3")
    number, _ = await ada.home()
    await town.handle(confirm)
    assert await town.one("SELECT count(*) FROM boosts.orders") == 2
    assert (await ada.home())[0] == number


async def test_an_order_on_its_way_is_steered_by_its_buyer_alone(town: Town) -> None:
    ada, bola = await town.person(), await town.person()
    await ada.gets_credits(3)
    await ada.says(LINK.format(5))
    await ada.presses("Confirm", "Order #1", "Slow?")
    await shown(ada, "not late")
    await ada.presses("Back", "Pause")
    await shown(ada, "You paused it at", "held back by you")
    double = await ada.button("Resume")
    await town.handle(double)
    await shown(ada, "to be sent")
    await ada.presses("Timeline")
    number, picture = await ada.home()
    assert picture.photo
    await town.handle(ada.press(next(iter(picture.buttons.values()))[:9] + "oresume|1", number))
    await shown(ada, "Order #1 is not paused", "to be sent")
    await bola.says("/start o_1")
    await shown(bola, "not found", "Hello")
    for code in ("opause|1", "oresume|1", "orest|1", "ocancel|1", "oagain|1"):
        await bola.says("/menu")
        number, home = await bola.home()
        await town.handle(bola.press(next(iter(home.buttons.values()))[:9] + code, number))
        await shown(bola, "not found")
    await ada.says("/start o_1")
    await ada.presses("Reorder")
    await shown(ada, "You get", LINK.format(5))
    await ada.presses("Confirm")
    await ada.says("/orders")
    await ada.presses("Running")
    await shown(ada, ": running", "#1", "#2")
    await ada.presses("Problems")
    await shown(ada, "No order has a problem")

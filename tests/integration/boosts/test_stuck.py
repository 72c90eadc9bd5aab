"""Panel orders that their panel never ends: staff see them and end them, money to the cent, each once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.integration.boosts.conftest import ADA, Shop
from tests.support.boosts import config
from viralcore.boosts.api import BadPanelOrder, BadProgress, NotSent, OrderView, StuckView
from viralcore.boosts.domain.panels import StatusReading
from viralcore.core.errors import NotFound
from viralcore.users.api import NotAllowed, NotYourself

STAFF, OTHER = 1000, 1001
NONSENSE = StatusReading("strange", "Incorrect order ID")


def door(shop: Shop) -> Any:
    return shop.door.panel_care.stuck


async def sent(shop: Shop) -> OrderView:
    """An order of which all four parts are at the first panel: 38 and 37 likes, 3,500 views twice."""
    await shop.grant(10)
    (order,) = await shop.order()
    await shop.turn(30)
    await shop.turn(30)
    return await shop.see(order.id)


async def one(shop: Shop, metric: str = "likes", number: int = 1, **readings: StatusReading) -> StuckView:
    """A part of such an order; everything else is delivered."""
    order = await sent(shop)
    phase = next(p for p in order.phases if (p.metric, p.number) == (metric, number))
    panel = shop.panels["smmflare"]
    panel.complete(*(p.panel_order for p in order.phases if p.panel_order and p.id != phase.id))
    panel.readings[phase.panel_order or ""] = readings.get("reading", NONSENSE)
    await shop.turn(1)
    found = await door(shop).get(phase_id=phase.id)
    assert isinstance(found, StuckView)
    return found


async def end(shop: Shop, of: StuckView, delivered: int, *, actor: int = STAFF, key: str = "k") -> StuckView:
    found = await door(shop).end(
        key=key, actor=actor, phase_id=of.phase_id, panel_order=of.panel_order, delivered=delivered
    )
    assert isinstance(found, StuckView)
    return found


async def test_answers_nobody_understands_are_shown_to_staff_after_a_while_each_order_by_itself(shop: Shop) -> None:
    """One trouble a day for a panel hid all others; each has a card of its own now."""
    order = await sent(shop)
    for phase in order.phases:
        shop.panels["smmflare"].readings[phase.panel_order or ""] = NONSENSE
    await shop.turn(1)
    await shop.job("boosts.stuck")
    assert await door(shop).count() == 0 == len(await shop.events("phase_stuck"))
    await shop.turn(61)
    await shop.job("boosts.stuck")
    await shop.job("boosts.stuck")
    told = await shop.events("phase_stuck")
    assert sorted(each["phase_id"] for each in told) == sorted(phase.id for phase in order.phases)
    assert await door(shop).count() == 4
    page = await door(shop).page(limit=3)
    assert [view.why for view in page] == ["strange"] * 3
    assert (page[0].said, page[0].panel, page[0].state) == ("Incorrect order ID", "smmflare", "sent")
    assert [view.phase_id for view in await door(shop).page(after=page[-1].phase_id)] == [order.phases[-1].id]
    assert len(await shop.events("panel_trouble")) == 1


async def test_a_panel_that_answers_again_takes_its_cards_back(shop: Shop) -> None:
    view = await one(shop)
    await shop.turn(61)
    await shop.job("boosts.stuck")
    shop.panels["smmflare"].readings[view.panel_order] = StatusReading("running", "In progress", remains=30)
    await shop.turn(1)
    await shop.job("boosts.stuck")
    (over,) = await shop.events("stuck_decided")
    assert (over["phase_id"], over["actor"], over["how"]) == (view.phase_id, 0, "over")
    now = await door(shop).get(phase_id=view.phase_id)
    assert (now.why, now.said, now.strange_since, now.delivered) == ("", "", None, 8)
    await shop.job("boosts.stuck")
    assert len(await shop.events("stuck_decided")) == 1


async def test_what_runs_for_days_is_shown_and_shown_again_when_nobody_moves_it(shop: Shop) -> None:
    view = await one(shop, reading=StatusReading("running", "In progress", remains=30))
    days = config().care.stuck_days
    await shop.turn(days * 1440 - 60)
    await shop.job("boosts.stuck")
    assert await shop.events("phase_stuck") == []
    for told in (1, 2):
        await shop.turn(days * 1440)
        await shop.job("boosts.stuck")
        await shop.job("boosts.stuck")
        assert len(await shop.events("phase_stuck")) == told
    assert (await door(shop).get(phase_id=view.phase_id)).why == "long"


async def test_few_cards_stand_at_once_and_the_next_comes_when_one_is_decided(shop: Shop) -> None:
    await shop.grant(10)
    await shop.order(*(f"https://x.com/shop/status/{number}" for number in range(1, 5)))
    await shop.turn(30)
    for panel in shop.panels.values():
        panel.readings = dict.fromkeys(panel.orders, NONSENSE)
    await shop.turn(1)
    await shop.turn(61)
    most = config().care.stuck_cards
    assert await door(shop).count() > most
    for _ in range(2):
        await shop.job("boosts.stuck")
    assert len(await shop.events("phase_stuck")) == most
    first = (await shop.events("phase_stuck"))[0]
    await end(shop, await door(shop).get(phase_id=first["phase_id"]), 0)
    await shop.job("boosts.stuck")
    assert len(await shop.events("phase_stuck")) == most + 1


def only(shop: Shop, *names: str) -> None:
    """Of the panels, these are in use alone: the others have no key any more."""
    desk = shop.door.panel_care._desk
    shelves = desk.shelves
    shelves._told = tuple(panel for panel in shelves.told if panel.name in names)
    shelves._ranked = tuple(panel for panel in shelves.ranked if panel.name in names)
    desk._panels = {name: panel for name, panel in desk._panels.items() if name in names}


async def test_orders_at_a_panel_that_is_not_in_use_any_more_can_be_ended(shop: Shop) -> None:
    view = await one(shop, reading=StatusReading("running", "In progress", remains=38))
    only(shop, "plugsmm", "smmstone")
    shop.clock.advance(61 * 60)
    await shop.job("boosts.poll")
    await shop.job("boosts.stuck")
    assert (await door(shop).get(phase_id=view.phase_id)).why == "gone"
    assert len(await shop.events("phase_stuck")) == 1
    await end(shop, view, 38)
    assert (await shop.see(view.order_id)).state == "completed"


async def test_it_ended_there_is_settled_as_if_the_panel_had_said_so(shop: Shop) -> None:
    view = await one(shop)
    before = await shop.wallet()
    for panel in ("plugsmm", "smmstone"):
        shop.panels[panel].breaker = "opened"
    after = await end(shop, view, 20)
    assert (after.state, after.delivered) == ("partial", 20)
    order = await shop.see(view.order_id)
    rest = next(phase for phase in order.phases if phase.number == 3)
    assert (rest.quantity, rest.state, order.state) == (18, "waiting", "in_progress")
    shop.panels["plugsmm"].breaker = "closed"
    await shop.turn(1)
    shop.panels["plugsmm"].complete()
    await shop.turn(1)
    done = await shop.see(view.order_id)
    # comments and reposts are delivered by nobody here: their share alone comes back
    assert (done.state, done.lines[0].delivered) == ("completed", 75)
    assert await shop.wallet() - before == done.refunded.minor == 105
    (audit,) = shop.users.audited
    assert (audit["actor"], audit["action"], audit["subject"]) == (
        STAFF,
        "boosts.phase_ended",
        f"phase:{view.phase_id}",
    )
    assert (audit["before"]["state"], audit["after"]["state"], audit["after"]["delivered"]) == ("sent", "partial", 20)
    (told,) = await shop.events("stuck_decided")
    assert (told["how"], told["actor"]) == ("ended", STAFF)
    await shop.sound()


@pytest.mark.parametrize(
    ("delivered", "state", "likes"), [(38, "completed", 75), (0, "failed", 37), (20, "partial", 57)]
)
async def test_what_was_not_delivered_is_paid_back_to_the_cent(
    shop: Shop, delivered: int, state: str, likes: int
) -> None:
    """The rest cannot be ordered anywhere else: it is money."""
    view = await one(shop)
    only(shop, "smmflare")
    before = await shop.wallet()
    assert (await end(shop, view, delivered)).state == state
    order = await shop.see(view.order_id)
    line = order.lines[0]
    share = next(one.share for one in shop.door.plan("t3").lines if one.metric == "likes")
    wanted = int(150 * share * (75 - likes) / 75)
    assert (line.delivered, line.refunded.minor) == (likes, wanted)
    assert order.state == ("completed" if likes == 75 else "partial")
    assert await shop.wallet() - before == order.refunded.minor == 105 + wanted
    await shop.sound()


async def test_a_panel_may_still_take_back_what_staff_called_completed(shop: Shop) -> None:
    """The rules of corrections hold: the panel's own word comes later, and the difference is paid once."""
    view = await one(shop)
    await end(shop, view, 38)
    before = await shop.wallet()
    shop.panels["smmflare"].end(view.panel_order, "partial", 19)
    for _ in range(2):
        shop.clock.advance(config().care.correction_minutes * 60)
        await shop.job("boosts.corrections")
    order = await shop.see(view.order_id)
    assert (order.state, order.lines[0].delivered) == ("partial", 56)
    assert await shop.wallet() - before == order.lines[0].refunded.minor > 0
    await shop.sound()


async def test_another_number_is_followed_and_what_was_read_under_the_old_one_forgotten(shop: Shop) -> None:
    view = await one(shop, reading=StatusReading("running", "In progress", remains=8, start_count=99))
    assert view.delivered == 30
    after = await door(shop).renumber(
        key="k", actor=STAFF, phase_id=view.phase_id, panel_order=view.panel_order, given=" 424242 "
    )
    assert (after.panel_order, after.delivered, after.state) == ("424242", 0, "sent")
    (row,) = await shop.rows(f"SELECT start_count, remains FROM boosts.phases WHERE id = {view.phase_id}")
    assert (row.start_count, row.remains) == (None, None)
    assert {each.panel_order for each in await shop.door.panel_orders()} >= {"424242"}
    assert view.panel_order not in {each.panel_order for each in await shop.door.panel_orders()}
    shop.panels["smmflare"].complete("424242")
    await shop.turn(1)
    assert (await shop.see(view.order_id)).state == "completed"
    (told,) = await shop.events("stuck_decided")
    assert (told["how"], told["actor"]) == ("renumbered", STAFF)
    (audit,) = shop.users.audited
    assert (audit["before"]["panel_order"], audit["after"]["panel_order"]) == (view.panel_order, "424242")


async def test_an_answer_about_the_old_number_that_comes_late_ends_nothing(shop: Shop) -> None:
    view = await one(shop, reading=StatusReading("running", "In progress", remains=8))
    panel = shop.panels["smmflare"]
    asked = panel.statuses

    async def while_it_is_asked(orders: Any) -> Any:
        found = await asked(orders)
        await door(shop).renumber(
            key="k", actor=STAFF, phase_id=view.phase_id, panel_order=view.panel_order, given="424242"
        )
        return found

    panel.complete(view.panel_order)
    panel.statuses = while_it_is_asked  # type: ignore[method-assign]
    await shop.job("boosts.poll")
    now = await door(shop).get(phase_id=view.phase_id)
    assert (now.state, now.delivered, now.panel_order) == ("sent", 0, "424242")


@pytest.mark.parametrize("given", ["", "abc", "0", "12x", "taken"])
async def test_numbers_no_panel_gives_and_those_of_others_are_refused(shop: Shop, given: str) -> None:
    view = await one(shop)
    if given == "taken":
        given = next(o.panel_order for o in await shop.door.panel_orders() if o.panel_order != view.panel_order)
    with pytest.raises(BadPanelOrder):
        await door(shop).renumber(
            key="k", actor=STAFF, phase_id=view.phase_id, panel_order=view.panel_order, given=given
        )


@pytest.mark.parametrize("delivered", [-1, 39, 10**12])
async def test_more_than_was_ordered_cannot_have_come(shop: Shop, delivered: int) -> None:
    view = await one(shop)
    with pytest.raises(BadProgress) as refused:
        await end(shop, view, delivered)
    assert refused.value.fields["most"] == 38
    assert (await door(shop).get(phase_id=view.phase_id)).state == "sent"


async def test_two_of_staff_at_once_and_double_taps_decide_once(shop: Shop) -> None:
    view = await one(shop)
    done = await asyncio.gather(
        end(shop, view, 38, key="a"),
        end(shop, view, 38, key="a"),
        end(shop, view, 0, actor=OTHER, key="b"),
        door(shop).renumber(key="c", actor=OTHER, phase_id=view.phase_id, panel_order=view.panel_order, given="77"),
        return_exceptions=True,
    )
    refused = [one for one in done if isinstance(one, BaseException)]
    assert refused
    assert all(isinstance(one, NotSent) for one in refused)
    assert len(shop.users.audited) == 1 == len(await shop.events("stuck_decided"))
    await shop.sound()


async def test_a_button_about_a_number_that_was_changed_since_decides_nothing(shop: Shop) -> None:
    view = await one(shop)
    await door(shop).renumber(key="a", actor=STAFF, phase_id=view.phase_id, panel_order=view.panel_order, given="77")
    with pytest.raises(NotSent):
        await end(shop, view, 0, key="b")
    assert (await door(shop).get(phase_id=view.phase_id)).state == "sent"


async def test_who_may_not_and_whose_own_order_it_is_decide_nothing(shop: Shop) -> None:
    view = await one(shop)
    with pytest.raises(NotAllowed):
        await end(shop, view, 0, actor=ADA)
    with pytest.raises(NotAllowed):
        await door(shop).renumber(key="k", actor=ADA, phase_id=view.phase_id, panel_order=view.panel_order, given="77")
    shop.users.staff.add(ADA)
    with pytest.raises(NotYourself):
        await end(shop, view, 0, actor=ADA)
    shop.users.staff = {ADA}  # nobody else is there to ask
    assert (await end(shop, view, 0, actor=ADA)).state == "failed"


async def test_what_no_panel_has_is_not_there(shop: Shop) -> None:
    await shop.grant(10)
    (order,) = await shop.order()
    for phase_id in (order.phases[0].id, 10**9):
        with pytest.raises(NotFound):
            await door(shop).get(phase_id=phase_id)
    with pytest.raises(NotSent):
        await door(shop).end(key="k", actor=STAFF, phase_id=order.phases[0].id, panel_order="", delivered=0)


async def test_a_number_put_right_is_followed_from_then_on_not_shown_at_once(shop: Shop) -> None:
    view = await one(shop)
    await shop.turn(config().care.stuck_days * 1440)
    await door(shop).renumber(key="a", actor=STAFF, phase_id=view.phase_id, panel_order=view.panel_order, given="77")
    await shop.job("boosts.stuck")
    assert await door(shop).count() == 0
    now = await door(shop).get(phase_id=view.phase_id)
    assert shop.clock.now() - now.since < timedelta(minutes=1)


async def test_a_cancelled_order_with_nothing_left_is_asked_about_again_not_taken_for_delivered(shop: Shop) -> None:
    view = await one(shop)
    shop.panels["smmflare"].end(view.panel_order, "canceled", 0)
    await shop.turn(1)
    assert (await door(shop).get(phase_id=view.phase_id)).state == "sent"
    await shop.turn(61)
    await shop.job("boosts.stuck")
    assert (await door(shop).page())[0].said == "Canceled"
    await end(shop, view, 0)
    assert (await shop.see(view.order_id)).lines[0].delivered == 37

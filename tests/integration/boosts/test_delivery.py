"""Phases on the clock, panels that refuse, polling to the end, and what comes back."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from tests.integration.boosts.conftest import Shop
from viralcore.boosts.domain.panels import Declined, StatusReading
from viralcore.core.money import usd

LIKES, VIEWS = "101", "102"


async def test_phases_are_sent_at_30_and_60_minutes_with_the_right_quantities(shop: Shop) -> None:
    await shop.grant(10)
    (order,) = await shop.order()
    panel = shop.panels["smmflare"]
    await shop.turn(29.9)
    assert panel.quantities == []
    await shop.turn(0.1)
    assert sorted(panel.quantities) == [(LIKES, 38), (VIEWS, 3500)]
    assert (await shop.see(order.id)).state == "in_progress"
    await shop.turn(15)
    await shop.turn(15)
    assert sorted(panel.quantities) == [(LIKES, 37), (LIKES, 38), (VIEWS, 3500), (VIEWS, 3500)]
    await shop.turn(60)
    assert len(panel.quantities) == 4
    assert len(await shop.events("phase_sent")) == 4
    assert {link for _, link, _ in panel.orders.values()} == {order.link.canonical}


async def test_the_next_due_moment_is_known(shop: Shop) -> None:
    job = next(job for job in shop.module.jobs if job.name == "boosts.dispatch")
    assert job.next_due is not None
    assert await job.next_due() is None
    await shop.grant(10)
    (order,) = await shop.order()
    assert await job.next_due() == order.phases[0].due_at
    await shop.turn(30)
    assert await job.next_due() == order.phases[1].due_at


async def test_downtime_sends_late_but_never_twice_and_loses_none(shop: Shop) -> None:
    await shop.grant(10)
    await shop.order()
    await shop.turn(600)
    await shop.turn(0)
    assert len(shop.panels["smmflare"].quantities) == 4


async def test_two_processes_dispatching_at_once_send_each_phase_once(shop: Shop) -> None:
    await shop.grant(10)
    await shop.order(*(f"https://x.com/shop/status/{number}" for number in range(1, 6)))
    shop.clock.advance(3600)
    await asyncio.gather(*(shop.job("boosts.dispatch") for _ in range(3)))
    await shop.send()
    assert len(shop.panels["smmflare"].quantities) == 20
    assert (await shop.rows("SELECT count(*) AS n FROM boosts.attempts"))[0].n == 20


async def test_two_pollers_at_once_settle_once(shop: Shop) -> None:
    await shop.grant(10)
    await shop.order()
    await shop.turn(60)
    shop.panels["smmflare"].complete()
    await asyncio.gather(*(shop.job("boosts.poll") for _ in range(3)))
    assert await shop.wallet() == 105
    assert len(await shop.events("order_finished")) == 1


async def test_a_panel_that_does_not_answer_keeps_nobody_waiting(shop: Shop) -> None:
    """A round asks about so many phases: those of a dead panel must not be the first of every round."""
    await shop.grant(10)
    await shop.order()
    await shop.turn(30, poll=False)
    shop.panels["smmflare"].money = None
    await shop.job("boosts.poll")
    asked = await shop.rows("SELECT DISTINCT polled_at FROM boosts.phases WHERE state = 'sent'")
    assert [row.polled_at for row in asked] == [shop.clock.now()]


async def test_an_order_is_delivered_told_and_settled_to_the_cent(shop: Shop) -> None:
    """The crowd's lines are refunded by share with the last panel line, and the books stay balanced."""
    await shop.grant(10)
    (order,) = await shop.order()
    panel = shop.panels["smmflare"]
    await shop.turn(30)
    await shop.turn(30)
    views = [one for one, (service, _, _) in panel.orders.items() if service == VIEWS]
    panel.complete(*views)
    await shop.job("boosts.poll")
    assert await shop.wallet() == 0
    seen = await shop.see(order.id)
    assert (seen.state, {line.metric: line.state for line in seen.lines}["views"]) == ("in_progress", "completed")
    panel.complete()
    await shop.job("boosts.poll")
    seen = await shop.see(order.id)
    assert (seen.state, seen.refunded, seen.credit_returned) == ("completed", usd("1.05"), False)
    assert [(line.metric, line.delivered, line.state, line.refunded) for line in seen.lines] == [
        ("likes", 75, "completed", usd(0)),
        ("views", 7000, "completed", usd(0)),
        ("comments", 0, "refunded", usd("0.75")),
        ("reposts", 0, "refunded", usd("0.30")),
    ]
    assert await shop.wallet() == 105
    told = [(one["metrics"], one["state"]) for one in await shop.events("lines_finished")]
    assert told[0] == ("views", "completed")
    assert sorted(told[1:]) == [("comments,reposts", "refunded"), ("likes", "completed")]
    (finished,) = await shop.events("order_finished")
    assert (finished["refunded"], finished["state"], finished["credit_returned"]) == (105, "completed", False)
    await shop.turn(60)
    assert await shop.wallet() == 105
    await shop.sound()


async def test_progress_is_kept_and_told(shop: Shop) -> None:
    await shop.grant(10)
    (order,) = await shop.order()
    panel = shop.panels["smmflare"]
    await shop.turn(30)
    likes = next(one for one, (service, _, _) in panel.orders.items() if service == LIKES)
    before = len(await shop.events("order_progressed"))
    panel.readings[likes] = StatusReading("running", "In progress", start_count=500, remains=8, charge=Decimal("0.03"))
    await shop.job("boosts.poll")
    await shop.job("boosts.poll")
    assert len(await shop.events("order_progressed")) == before + 1
    seen = await shop.see(order.id)
    assert next(line.delivered for line in seen.lines if line.metric == "likes") == 30
    (row,) = await shop.rows(f"SELECT * FROM boosts.phases WHERE panel_order = '{likes}'")
    assert (row.start_count, row.remains, row.charge) == (500, 8, Decimal("0.03"))


async def test_a_partial_delivery_refunds_what_nobody_delivers(shop: Shop) -> None:
    """The rest is below every minimum, so it is not ordered once more."""
    await shop.grant(10)
    (order,) = await shop.order()
    panel = shop.panels["smmflare"]
    await shop.turn(30)
    await shop.turn(30)
    panel.complete()
    likes = [one for one, (service, _, quantity) in panel.orders.items() if service == LIKES and quantity == 38]
    panel.end(likes[0], "partial", 9)
    await shop.job("boosts.poll")
    seen = await shop.see(order.id)
    # 9 of 75 likes: 1.50 x 0.15 x 9/75 = 0.027; the crowd's lines 1.05
    assert (seen.state, seen.refunded) == ("partial", usd("1.07"))
    likes_line = next(line for line in seen.lines if line.metric == "likes")
    assert (likes_line.delivered, likes_line.state, likes_line.refunded) == (66, "partial", usd("0.02"))
    assert await shop.wallet() == 107
    await shop.sound()


async def test_credit_taken_and_never_returned_nothing_delivered_returns_it(shop: Shop) -> None:
    """PRODUCT 13: credit taken and never returned."""
    await shop.grant(1, cost="1.20")
    (order,) = await shop.order()
    await shop.turn(30)
    await shop.turn(30)
    for _ in range(2):  # what the first panel cancels is ordered once more
        for panel in shop.panels.values():
            for one, (_, _, quantity) in panel.orders.items():
                panel.end(one, "canceled", quantity)
        await shop.job("boosts.poll")
        await shop.turn(1, poll=False)
    seen = await shop.see(order.id)
    assert (seen.state, seen.credit_returned, seen.refunded) == ("failed", True, usd(0))
    assert (await shop.credits(), await shop.wallet()) == (1, 0)
    await shop.sound()


async def test_credits_that_cost_nothing_refund_nothing(shop: Shop) -> None:
    await shop.grant(1, cost="0")
    (order,) = await shop.order()
    await shop.turn(60)
    shop.panels["smmflare"].complete()
    await shop.job("boosts.poll")
    assert (await shop.see(order.id)).state == "completed"
    assert await shop.wallet() == 0


async def test_a_refusal_moves_on_to_the_next_panel(shop: Shop) -> None:
    await shop.grant(10)
    await shop.order()
    shop.panels["smmflare"].always = Declined("other", "Sorry")
    await shop.turn(30)
    assert sorted(shop.panels["plugsmm"].quantities) == [("2101", 38), ("2102", 3500)]
    attempts = await shop.rows("SELECT number, panel, service, state, why, words FROM boosts.attempts ORDER BY 1, 3")
    assert [(row.number, row.panel, row.state) for row in attempts] == [
        (1, "smmflare", "refused"),
        (1, "smmflare", "refused"),
        (2, "plugsmm", "sent"),
        (2, "plugsmm", "sent"),
    ]
    (trouble,) = await shop.events("panel_trouble")
    assert (trouble["panel"], trouble["what"], trouble["detail"]) == ("smmflare", "refused", "Sorry")


async def test_not_enough_funds_alerts_staff_once_and_the_next_panel_is_tried(shop: Shop) -> None:
    await shop.grant(10)
    await shop.order()
    shop.panels["smmflare"].always = Declined("funds", "neworder.error.not_enough_funds")
    await shop.turn(60)
    assert len(shop.panels["plugsmm"].quantities) == 4
    (trouble,) = await shop.events("panel_trouble")
    assert (trouble["panel"], trouble["what"]) == ("smmflare", "not_enough_funds")
    shop.panels["smmflare"].always = None
    await shop.order("https://x.com/shop/status/5")
    await shop.turn(60)
    shop.panels["smmflare"].always = Declined("funds", "neworder.error.not_enough_funds")
    await shop.order("https://x.com/shop/status/6")
    await shop.turn(60)
    assert len(await shop.events("panel_trouble")) == 2


async def test_a_busy_link_is_waited_for_and_is_no_trouble(shop: Shop) -> None:
    await shop.grant(10)
    (order,) = await shop.order()
    for panel in shop.panels.values():
        panel.always = Declined("busy", "You have active order with this link.")
    await shop.turn(30)
    seen = await shop.see(order.id)
    assert {phase.state for phase in seen.phases} == {"waiting"}
    await shop.turn(4.9)
    assert shop.panels["smmflare"].adds == 2
    for panel in shop.panels.values():
        panel.always = None
    await shop.turn(0.1)
    assert sorted(shop.panels["smmflare"].quantities) == [(LIKES, 38), (VIEWS, 3500)]
    assert await shop.events("panel_trouble") == []


async def test_a_link_busy_at_one_panel_goes_to_the_next(shop: Shop) -> None:
    await shop.grant(10)
    await shop.order()
    shop.panels["smmflare"].always = Declined("busy", "duplicate")
    await shop.turn(30)
    assert len(shop.panels["plugsmm"].quantities) == 2


async def test_when_every_panel_refuses_it_is_tried_again_and_refunded_in_the_end(shop: Shop) -> None:
    await shop.grant(1)
    (order,) = await shop.order()
    for panel in shop.panels.values():
        panel.always = Declined("link", "Bad link")
    for _ in range(40):
        await shop.turn(10)
    seen = await shop.see(order.id)
    assert (seen.state, seen.credit_returned) == ("failed", True)
    assert {phase.state for phase in seen.phases} == {"failed"}
    assert await shop.credits() == 1
    assert 2 * 3 < shop.panels["smmflare"].adds < 60
    await shop.sound()


async def test_first_failed_batch_does_not_drop_the_rest(shop: Shop) -> None:
    """PRODUCT 13: first failed batch drops the rest silently."""
    await shop.grant(10)
    first, second = await shop.order("https://x.com/shop/status/1", "https://x.com/shop/status/2")
    panel = shop.panels["smmflare"]
    for other in ("plugsmm", "smmstone"):
        shop.panels[other].always = Declined("link", "Bad link")
    panel.script = [Declined("link", "Bad link")] * 2  # both first parts of the first order
    await shop.turn(30)
    await shop.turn(1)  # its next round
    assert {phase.state for phase in (await shop.see(second.id)).phases if phase.number == 1} == {"sent"}
    assert {phase.state for phase in (await shop.see(first.id)).phases if phase.number == 1} == {"sent"}
    await shop.turn(30)
    for order in (first, second):
        assert {phase.state for phase in (await shop.see(order.id)).phases} == {"sent"}


async def test_a_failed_phase_is_refunded_and_the_others_go_on(shop: Shop) -> None:
    await shop.grant(1)
    (order,) = await shop.order()
    likes = order.phases[0].id
    for panel in shop.panels.values():
        panel.refuse_services = {"101", "2101", "3301"}
    for _ in range(30):
        await shop.turn(10)
        if next(one.state for one in (await shop.see(order.id)).phases if one.id == likes) == "failed":
            break
    for panel in shop.panels.values():
        panel.refuse_services = set()
    await shop.turn(60)
    shop.panels["smmflare"].complete()
    await shop.turn(1)
    seen = await shop.see(order.id)
    assert (seen.state, seen.credit_returned) == ("partial", False)
    line = next(one for one in seen.lines if one.metric == "likes")
    # 38 of 75 likes: 1.50 x 0.15 x 38/75 = 0.114; the second part went out an hour later and found a panel
    assert (line.delivered, line.refunded) == (37, usd("0.11"))
    await shop.sound()


async def test_an_open_breaker_sends_orders_elsewhere_and_staff_hear_it_once(shop: Shop) -> None:
    await shop.grant(10)
    await shop.turn(0)
    await shop.order()
    shop.panels["smmflare"].breaker = "opened"
    await shop.turn(30)
    await shop.turn(30)
    assert len(shop.panels["plugsmm"].quantities) == 4
    (trouble,) = await shop.events("panel_trouble")
    assert (trouble["panel"], trouble["what"], trouble["detail"]) == ("smmflare", "breaker_open", "plugsmm")
    assert [panel.active for panel in await shop.door.panels()] == [False, True, False]
    shop.panels["smmflare"].breaker = "closed"
    await shop.turn(1)
    await shop.turn(1)
    assert len(await shop.events("panel_trouble")) == 2
    back = (await shop.events("panel_trouble"))[-1]
    assert (back["panel"], back["what"], back["detail"]) == ("smmflare", "active_changed", "plugsmm")


async def test_an_order_is_no_trial_for_a_breaker_a_balance_is(shop: Shop) -> None:
    await shop.grant(10)
    await shop.turn(0)
    await shop.order()
    panel = shop.panels["smmflare"]
    panel.breaker = "half-opened"
    await shop.turn(30)
    assert panel.adds == 0
    assert len(shop.panels["plugsmm"].quantities) == 2


async def test_with_every_panel_down_phases_wait_and_are_sent_when_one_is_back(shop: Shop) -> None:
    await shop.grant(10)
    (order,) = await shop.order()
    for panel in shop.panels.values():
        panel.breaker = "opened"
    for _ in range(20):
        await shop.turn(30)
    assert (await shop.see(order.id)).state == "scheduled"
    assert (await shop.see(order.id)).can_cancel
    shop.panels["smmstone"].breaker = "closed"
    await shop.turn(60)
    assert len(shop.panels["smmstone"].quantities) == 4


async def test_a_breaker_that_opened_meanwhile_is_a_refusal_and_nothing_was_sent(shop: Shop) -> None:
    await shop.grant(10)
    await shop.order()
    shop.panels["smmflare"].always = Declined("outage", "breaker_open")
    await shop.turn(30)
    assert len(shop.panels["plugsmm"].quantities) == 2
    assert await shop.events("phase_unknown") == []


async def test_low_balance_is_told_once_per_fall(shop: Shop) -> None:
    panel = shop.panels["plugsmm"]
    panel.money = Decimal("3.5")
    await shop.turn(0)
    await shop.turn(11)
    (trouble,) = await shop.events("panel_trouble")
    assert (trouble["panel"], trouble["what"], trouble["detail"]) == ("plugsmm", "low_balance", "3.5 USD")
    panel.money = Decimal(100)
    await shop.turn(11)
    panel.money = Decimal(1)
    await shop.turn(5)
    assert len(await shop.events("panel_trouble")) == 1  # balances are read every ten minutes
    await shop.turn(6)
    assert len(await shop.events("panel_trouble")) == 2
    view = next(one for one in await shop.door.panels() if one.name == "plugsmm")
    assert (view.balance, view.currency, view.breaker) == (Decimal(1), "USD", "closed")


async def test_a_panel_that_cannot_be_read_is_asked_again(shop: Shop) -> None:
    await shop.grant(10)
    (order,) = await shop.order()
    await shop.turn(60)
    panel = shop.panels["smmflare"]
    panel.complete()
    panel.money = None
    await shop.turn(1)
    assert (await shop.see(order.id)).state == "in_progress"
    panel.money = Decimal(100)
    await shop.turn(1)
    assert (await shop.see(order.id)).state == "completed"


async def test_a_strange_status_keeps_polling_and_is_told_once(shop: Shop) -> None:
    await shop.grant(10)
    (order,) = await shop.order()
    await shop.turn(60)
    panel = shop.panels["smmflare"]
    for one in panel.orders:
        panel.readings[one] = StatusReading("strange", "Moon")
    await shop.turn(1)
    await shop.turn(1)
    (trouble,) = await shop.events("panel_trouble")
    assert trouble["what"] == "strange_status"
    panel.complete()
    await shop.turn(1)
    assert (await shop.see(order.id)).state == "completed"


async def test_up_to_100_orders_are_asked_about_at_once(shop: Shop) -> None:
    await shop.grant(60)
    for batch in range(3):
        links = [f"https://x.com/shop/status/{batch * 20 + number + 1}" for number in range(20)]
        await shop.order(*links)
    await shop.turn(30)
    assert sorted(len(asked) for asked in shop.panels["smmflare"].asked) == [20, 100]
    assert len(await shop.door.panel_orders(after=0, limit=500)) == 120
    page = await shop.door.panel_orders(after=0, limit=10)
    assert [one.phase_id for one in page] == sorted(one.phase_id for one in page)


async def test_what_open_orders_still_cost_at_panels(shop: Shop) -> None:
    """At the dearest panel that sells it; less once a part is taken, nothing when all is."""
    assert await shop.door.unspent() == usd(0)
    await shop.grant(10)
    await shop.order()
    whole = await shop.door.unspent()
    assert whole.minor > 0
    await shop.turn(30)
    half = await shop.door.unspent()
    assert 0 < half.minor < whole.minor
    await shop.turn(30)
    assert await shop.door.unspent() == usd(0)

"""Custom plans: made, sold, changed, ended, and what becomes of their posts and of the money paid for them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.boosts.conftest import ADA, Shop
from viralcore.boosts.api import (
    BadCustomPlan,
    CustomPlanView,
    CustomSpec,
    NoCredits,
    PlanChanged,
    PlanEnded,
    UnknownPlan,
)
from viralcore.boosts.domain.panels import Declined
from viralcore.boosts.service.figures import BoostFigures
from viralcore.payments.events import InvoicePaid
from viralcore.users.api import NotAllowed

OWNER, BOB = 1000, 43
SPEC = CustomSpec(title="VIP", likes=100, comments=10, reposts=5, views=5000)
SOLD = replace(SPEC, price=Decimal("1.20"), preset=5)
LINK = "https://x.com/shop/status/1990000000000000001"


async def make(shop: Shop, spec: CustomSpec = SPEC, give: int = 3, key: str = "c1", user: int = ADA) -> CustomPlanView:
    made: CustomPlanView = await shop.door.custom.create(
        key=key, actor=OWNER, user_id=user, spec=spec, give=give, reason="as agreed"
    )
    return made


async def edit(shop: Shop, plan: CustomPlanView, key: str, give: int = 0, **changes: Any) -> CustomPlanView:
    now: CustomPlanView = await shop.door.custom.edit(
        key=key,
        actor=OWNER,
        plan_id=plan.id,
        version=plan.plan.version,
        spec=replace(plan.spec, **changes),
        give=give,
        reason="as agreed",
    )
    return now


async def test_a_given_plan_is_an_asset_of_its_own_and_costs_nothing(shop: Shop) -> None:
    plan = await make(shop)
    again = await make(shop)
    assert (again.id, again.left, again.state) == (plan.id, 3, "live")
    assert await shop.credits(f"custom-{plan.id}") == 3
    other = await make(shop, replace(SPEC, title="Second"), 1, key="c2")
    assert [one.id for one in await shop.door.custom.of_user(user_id=ADA)] == [other.id, plan.id]
    draft = await shop.door.draft(key="u1", user_id=ADA, text=LINK)
    assert draft.plan is None
    assert {choice.plan.id for choice in draft.choices} == {f"custom-{plan.id}", f"custom-{other.id}"}
    await shop.door.choose_plan(key="k", user_id=ADA, draft_id=draft.id, plan_id=f"custom-{plan.id}")
    (order,) = await shop.door.confirm(key="k", user_id=ADA, draft_id=draft.id)
    assert (order.plan_title, await shop.credits(f"custom-{plan.id}")) == ("VIP", 2)
    await shop.turn(60)
    await shop.turn(60)
    assert sorted(shop.panels["smmflare"].quantities) == [("101", 50), ("101", 50), ("102", 2500), ("102", 2500)]
    shop.panels["smmflare"].complete()
    await shop.turn(1)
    done = await shop.see(order.id)
    assert (done.state, await shop.wallet()) == ("completed", 0)  # comments were a gift: nothing comes back
    figures = [one for one in await BoostFigures(shop.database, hours=24).read() if one.name == "viralcore_orders"]
    assert [(one.labels["plan"], one.value) for one in figures] == [("custom", 1)]
    assert [row["action"] for row in shop.users.audited] == ["boosts.custom_plan_made"] * 2
    assert [event["what"] for event in await shop.events("custom_plan_changed")] == ["made", "made"]
    await shop.sound()


async def test_shares_of_a_custom_plan_add_up_and_a_part_comes_back_by_them(shop: Shop) -> None:
    plan = await make(shop, SOLD, 0)
    assert sum(line.share for line in plan.plan.lines) == 1
    assert plan.left == 0
    await shop.grant(2, asset=f"custom-{plan.id}", cost="1.20")
    (order,) = await shop.order(LINK)
    await shop.turn(60)
    shop.panels["smmflare"].complete()
    await shop.turn(30)
    shop.panels["smmflare"].complete()
    await shop.turn(1)
    done = await shop.see(order.id)
    crowd = {line.metric: line.share for line in plan.plan.lines if not line.available}
    cents = sum(int(Decimal("120") * share) for share in crowd.values())
    assert (set(crowd), done.refunded.minor, await shop.wallet()) == ({"comments", "reposts"}, cents, cents)
    await shop.sound()


async def test_a_plan_with_a_price_is_sold_by_invoice_to_its_person_alone(shop: Shop) -> None:
    plan = await make(shop, SOLD, 0)
    await shop.door.buy(key="b", user_id=ADA, plan_id=f"custom-{plan.id}", quantity=5)
    (opened,) = shop.payments.opened
    assert (opened["unit_price"], opened["grants"][0].asset) == (Decimal("1.20"), f"custom-{plan.id}")
    with pytest.raises(UnknownPlan):
        await shop.door.buy(key="b2", user_id=BOB, plan_id=f"custom-{plan.id}", quantity=5)
    with pytest.raises(UnknownPlan):
        await shop.door.buy(key="b3", user_id=ADA, plan_id="custom-999", quantity=5)


async def test_an_ended_time_is_told_and_extending_it_cures_it(shop: Shop) -> None:
    plan = await make(shop, replace(SPEC, expires_at=shop.clock.now() + timedelta(days=1)))
    draft = await shop.door.draft(key="u1", user_id=ADA, text=LINK)
    shop.clock.advance(86_400)
    with pytest.raises(NoCredits) as refusal:
        await shop.door.draft(key="u2", user_id=ADA, text=LINK)
    assert refusal.value.fields["ended_title"] == "VIP"
    assert refusal.value.fields["ended_at"] == plan.spec.expires_at
    late = await make(shop, replace(SPEC, expires_at=shop.clock.now() + timedelta(minutes=5)), key="c2")
    draft = await shop.door.draft(key="u3", user_id=ADA, text=LINK)
    assert [choice.plan.id for choice in draft.choices] == [f"custom-{late.id}"]
    shop.clock.advance(400)
    with pytest.raises(PlanEnded):
        await shop.door.confirm(key="k", user_id=ADA, draft_id=draft.id)
    with pytest.raises(PlanEnded):
        await shop.door.choose_plan(key="k", user_id=ADA, draft_id=draft.id, plan_id=f"custom-{plan.id}")
    await edit(shop, await shop.door.custom.get(plan_id=plan.id), "e1", expires_at=None)
    (order,) = await shop.order(LINK)
    assert order.plan_id == f"custom-{plan.id}"
    await shop.sound()


async def test_what_a_screen_promised_is_what_is_ordered(shop: Shop) -> None:
    plan = await make(shop)
    draft = await shop.door.draft(key="u1", user_id=ADA, text=LINK)
    changed = await edit(shop, plan, "e1", likes=200)
    with pytest.raises(PlanChanged):
        await edit(shop, plan, "e2", likes=300)  # two owners at once: the second looks again
    with pytest.raises(PlanChanged):
        await shop.door.confirm(key="k", user_id=ADA, draft_id=draft.id)
    assert await shop.credits(f"custom-{plan.id}") == 3
    await shop.door.choose_plan(key="k2", user_id=ADA, draft_id=draft.id, plan_id=f"custom-{plan.id}")
    (order,) = await shop.door.confirm(key="k3", user_id=ADA, draft_id=draft.id)
    assert (order.lines[0].quantity, changed.plan.version) == (200, 2)


async def test_posts_are_given_and_taken_back_with_a_reason(shop: Shop) -> None:
    plan = await make(shop, SOLD, 0)
    plan = await edit(shop, plan, "e1", give=2)
    await shop.grant(3, asset=f"custom-{plan.id}", cost="1.20")
    plan = await edit(shop, plan, "e2", give=-3)  # first in first out: two gifts and one that was paid for
    assert (plan.left, await shop.wallet()) == (2, 120)
    with pytest.raises(BadCustomPlan) as refusal:
        await edit(shop, plan, "e3", give=-3)
    assert refusal.value.fields == {"reason": "too_few_left", "left": 2}
    for wrong in ("", "r" * 301):
        with pytest.raises(BadCustomPlan):
            await shop.door.custom.edit(
                key="e4", actor=OWNER, plan_id=plan.id, version=plan.plan.version, spec=plan.spec, give=1, reason=wrong
            )
    assert plan.paid_back.minor == 240
    await shop.sound()


async def test_ending_takes_back_what_is_left_once_and_pays_for_what_was_paid(shop: Shop) -> None:
    plan = await make(shop, SOLD, 1)
    await shop.grant(2, asset=f"custom-{plan.id}", cost="1.20")
    for key in ("x", "x", "y"):
        ended = await shop.door.custom.end(key=key, actor=OWNER, plan_id=plan.id, reason="the month is over")
    assert (ended.state, ended.left, await shop.wallet()) == ("ended", 0, 240)
    with pytest.raises(BadCustomPlan):
        await edit(shop, ended, "e1", likes=5)
    with pytest.raises(PlanEnded):
        await shop.door.buy(key="b", user_id=ADA, plan_id=f"custom-{plan.id}", quantity=1)
    with pytest.raises(NoCredits):
        await shop.door.draft(key="u1", user_id=ADA, text=LINK)
    rows = [(row["action"], row["reason"]) for row in shop.users.audited]
    assert rows[1] == ("boosts.custom_plan_ended", "the month is over")
    await shop.sound()


async def test_a_post_of_an_ended_plan_comes_back_as_money(shop: Shop) -> None:
    plan = await make(shop, SOLD, 0)
    await shop.grant(2, asset=f"custom-{plan.id}", cost="1.20")
    (failing,) = await shop.order(LINK)
    (cancelled,) = await shop.order("https://x.com/shop/status/2")
    await shop.door.custom.end(key="x", actor=OWNER, plan_id=plan.id, reason="over")
    await shop.door.cancel(key="c", user_id=ADA, order_id=cancelled.id)
    for panel in shop.panels.values():
        panel.always = Declined("link", "Bad link")
    for _ in range(5):
        await shop.turn(60, poll=False)
    for order in (failing, cancelled):
        seen = await shop.see(order.id)
        assert (seen.credit_returned, seen.refunded.minor) == (False, 119)  # each line rounded down to the cent
    assert (await shop.wallet(), await shop.credits(f"custom-{plan.id}")) == (238, 0)
    await shop.sound()


async def test_ending_while_an_order_fails_never_leaves_a_post_behind(shop: Shop) -> None:
    plan = await make(shop, SOLD, 0)
    await shop.grant(4, asset=f"custom-{plan.id}", cost="1.20")
    made = await shop.order(*(f"https://x.com/shop/status/{n}" for n in range(1, 5)))
    await asyncio.gather(
        *(shop.door.cancel(key="c", user_id=ADA, order_id=order.id) for order in made),
        shop.door.custom.end(key="x", actor=OWNER, plan_id=plan.id, reason="over"),
    )
    assert await shop.credits(f"custom-{plan.id}") == 0
    assert 4 * 119 <= await shop.wallet() <= 4 * 120
    await shop.sound()


async def test_an_invoice_that_is_paid_after_the_end_is_paid_back(shop: Shop) -> None:
    plan = await make(shop, SOLD, 0)
    await shop.door.custom.end(key="x", actor=OWNER, plan_id=plan.id, reason="over")
    await shop.grant(5, asset=f"custom-{plan.id}", cost="1.20", invoice=9)  # what the paid invoice posts
    heard = next(one for one in shop.module.subscriptions if one.name == "boosts.custom_bought")
    paid = InvoicePaid(
        invoice_id=9,
        user_id=ADA,
        item_kind="credits",
        item_ref=f"custom-{plan.id}",
        quantity=5,
        total=600,
        paid_cents=600,
        method="wallet",
    )
    for _ in range(2):
        async with shop.database.transaction() as tx:
            await heard.handler(tx, "event", paid)
    assert (await shop.credits(f"custom-{plan.id}"), await shop.wallet()) == (0, 600)
    await shop.sound()


WRONG = {
    "title": replace(SPEC, title=""),
    "nothing": CustomSpec(title="VIP"),
    "quantity": replace(SPEC, likes=-1),
    "price": replace(SPEC, price=Decimal("-1")),
    "posts": replace(SPEC, preset=10**6),
    "undeliverable": replace(SPEC, likes=1),
}


@pytest.mark.parametrize("reason", WRONG)
async def test_a_plan_that_makes_no_sense_is_refused(shop: Shop, reason: str) -> None:
    with pytest.raises(BadCustomPlan) as refusal:
        await make(shop, WRONG[reason])
    assert refusal.value.fields["reason"] == reason
    assert await shop.rows("SELECT 1 FROM boosts.custom_plans") == []


async def test_only_who_may_change_plans(shop: Shop) -> None:
    with pytest.raises(NotAllowed):
        await shop.door.custom.create(key="c", actor=ADA, user_id=ADA, spec=SPEC, give=100, reason="please")
    plan = await make(shop)
    with pytest.raises(NotAllowed):
        await shop.door.custom.edit(
            key="e", actor=ADA, plan_id=plan.id, version=1, spec=plan.spec, give=5, reason="please"
        )
    with pytest.raises(NotAllowed):
        await shop.door.custom.end(key="x", actor=ADA, plan_id=plan.id, reason="please")
    assert await shop.credits(f"custom-{plan.id}") == 3

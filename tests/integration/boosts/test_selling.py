"""Buying credits, drafts and confirmation."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.integration.boosts.conftest import ADA, Shop
from viralcore.boosts.api import (
    BadLink,
    BadQuantity,
    CannotCancel,
    DraftExpired,
    NoCredits,
    NotOnSale,
    TooManyLinks,
    UnknownPlan,
)
from viralcore.core.errors import NotFound
from viralcore.core.money import usd
from viralcore.payments.api import Grant, Item
from viralcore.users.api import Blocked, TermsNotAccepted

LINK = "https://x.com/shop/status/1990000000000000001"


def link(number: int) -> str:
    return f"https://x.com/shop/status/{number}"


async def test_buying_opens_an_invoice_that_grants_the_credits_at_their_price(shop: Shop) -> None:
    await shop.door.buy(key="k1", user_id=ADA, plan_id="t3", quantity=10)
    (opened,) = shop.payments.opened
    assert opened["item"] == Item(kind="credits", ref="t3", title="X Tier 3")
    assert (opened["quantity"], opened["unit_price"], opened["key"]) == (10, Decimal("1.50"), "k1")
    assert opened["grants"] == (Grant("t3", 10, Decimal("1.50")),)


async def test_what_cannot_be_bought(shop: Shop) -> None:
    for plan_id, quantity, error in (
        ("t9", 10, UnknownPlan),
        ("x_poll", 10, NotOnSale),
        ("tgt-15", 10, NotOnSale),
        ("special", 1, NotOnSale),
        ("t3", 9, BadQuantity),
        ("t3", -10, BadQuantity),
    ):
        with pytest.raises(error):
            await shop.door.buy(key="k", user_id=ADA, plan_id=plan_id, quantity=quantity)
    shop.users.blocked.add(ADA)
    with pytest.raises(Blocked):
        await shop.door.buy(key="k", user_id=ADA, plan_id="t3", quantity=10)
    assert shop.payments.opened == []


async def test_the_draft_says_what_comes_back_before_anything_is_debited(shop: Shop) -> None:
    await shop.grant(10)
    draft = await shop.door.draft(key="u1", user_id=ADA, text=f"please {LINK}")
    assert draft.plan is not None
    assert draft.plan.id == "t3"
    assert [(way.metric, way.by, way.minutes) for way in draft.ways] == [
        ("likes", "panel", (30, 60)),
        ("views", "panel", (30, 60)),
    ]
    assert draft.refunded_share == Decimal("0.70")
    assert draft.refund_per_unit == usd("1.05")
    assert draft.expires_at == shop.clock.now() + timedelta(minutes=15)
    assert await shop.credits() == 10
    await shop.sound()


async def test_credits_granted_free_promise_nothing_back(shop: Shop) -> None:
    await shop.grant(1, cost="0")
    await shop.grant(1, cost="1.50")
    draft = await shop.door.draft(key="u1", user_id=ADA, text=LINK)
    assert draft.refund_per_unit == usd(0)


async def test_one_message_is_one_draft_whatever_comes_twice(shop: Shop) -> None:
    await shop.grant(10)
    first = await shop.door.draft(key="u1", user_id=ADA, text=LINK)
    again = await shop.door.draft(key="u1", user_id=ADA, text=LINK)
    assert again == first


async def test_several_plans_are_chosen_from(shop: Shop) -> None:
    await shop.grant(10)
    await shop.grant(2, asset="t1", cost="0.50")
    draft = await shop.door.draft(key="u1", user_id=ADA, text=LINK)
    assert draft.plan is None
    assert [(one.plan.id, one.available) for one in draft.choices] == [("t1", 2), ("t3", 10)]
    with pytest.raises(NoCredits):
        await shop.door.confirm(key="k", user_id=ADA, draft_id=draft.id)
    with pytest.raises(NoCredits):
        await shop.door.choose_plan(key="k", user_id=ADA, draft_id=draft.id, plan_id="t2")
    chosen = await shop.door.choose_plan(key="k", user_id=ADA, draft_id=draft.id, plan_id="t1")
    assert chosen.plan is not None
    assert chosen.plan.id == "t1"
    (order,) = await shop.door.confirm(key="k", user_id=ADA, draft_id=draft.id)
    assert order.plan_id == "t1"
    assert (await shop.credits("t1"), await shop.credits("t3")) == (1, 10)


async def test_posts_for_some_of_the_links_are_an_offer_for_the_first_ones(shop: Shop) -> None:
    await shop.grant(2)
    await shop.grant(1, asset="t1")
    text = " ".join(link(number) for number in (1, 2, 3)) + " https://x.com/shop"
    draft = await shop.door.draft(key="u1", user_id=ADA, text=text)
    assert [one.canonical for one in draft.links] == [link(1), link(2)]
    told = [(problem.text, problem.reason) for problem in draft.problems]
    assert told == [(link(3), "no_post_left"), ("https://x.com/shop", "not_a_post")]
    assert [choice.plan.id for choice in draft.choices] == ["t3"]
    made = await shop.door.confirm(key="k", user_id=ADA, draft_id=draft.id)
    again = await shop.door.confirm(key="k2", user_id=ADA, draft_id=draft.id)
    assert [order.id for order in made] == [order.id for order in again]
    seen = await shop.door.placed(user_id=ADA, draft_id=draft.id)
    assert (len(seen.orders), len(seen.problems)) == (2, 2)
    assert (await shop.credits("t3"), await shop.credits("t1")) == (0, 1)
    with pytest.raises(NoCredits):
        await shop.door.draft(key="u2", user_id=ADA, text="https://t.me/durov/1")


async def test_bad_links_and_too_many(shop: Shop) -> None:
    await shop.grant(50)
    with pytest.raises(BadLink) as refusal:
        await shop.door.draft(key="u1", user_id=ADA, text="https://x.com/shop https://evil.com/x.com/a/status/1")
    assert [problem.reason for problem in refusal.value.fields["problems"]] == ["not_a_post", "not_supported"]
    with pytest.raises(TooManyLinks):
        await shop.door.draft(key="u2", user_id=ADA, text=" ".join(link(number) for number in range(1, 22)))
    draft = await shop.door.draft(key="u3", user_id=ADA, text=" ".join(link(number) for number in range(1, 21)))
    assert len(draft.links) == 20


async def test_blocked_links_and_handles(shop: Shop) -> None:
    await shop.grant(10)
    shop.users.blocked_values = {"handle:badshop", f"link:{link(7)}"}
    with pytest.raises(BadLink):
        await shop.door.draft(key="u1", user_id=ADA, text="https://x.com/BadShop/status/1")
    draft = await shop.door.draft(key="u2", user_id=ADA, text=f"{link(7)} {link(8)}")
    assert [problem.reason for problem in draft.problems] == ["blocked"]
    shop.users.blocked_values.add("link:https://x.com/i/status/8")  # whatever user name it is written with
    with pytest.raises(BadLink):
        await shop.door.confirm(key="k", user_id=ADA, draft_id=draft.id)
    assert await shop.credits() == 10


async def test_people_who_may_not_order(shop: Shop) -> None:
    await shop.grant(10)
    draft = await shop.door.draft(key="u1", user_id=ADA, text=LINK)
    shop.users.blocked.add(ADA)
    with pytest.raises(Blocked):
        await shop.door.confirm(key="k", user_id=ADA, draft_id=draft.id)
    shop.users.blocked.clear()
    shop.users.strangers.add(ADA)
    with pytest.raises(TermsNotAccepted):
        await shop.door.draft(key="u2", user_id=ADA, text=LINK)
    with pytest.raises(NotFound):
        await shop.door.confirm(key="k", user_id=7, draft_id=draft.id)
    assert await shop.credits() == 10


async def test_a_draft_expires_and_can_be_discarded(shop: Shop) -> None:
    await shop.grant(10)
    draft = await shop.door.draft(key="u1", user_id=ADA, text=LINK)
    shop.clock.advance(15 * 60)
    with pytest.raises(DraftExpired):
        await shop.door.confirm(key="k", user_id=ADA, draft_id=draft.id)
    other = await shop.door.draft(key="u2", user_id=ADA, text=LINK)
    await shop.door.discard(key="k", user_id=ADA, draft_id=other.id)
    await shop.door.discard(key="k", user_id=ADA, draft_id=other.id)
    with pytest.raises(DraftExpired):
        await shop.door.confirm(key="k", user_id=ADA, draft_id=other.id)
    assert await shop.credits() == 10
    shop.clock.advance(8 * 86_400)
    await shop.job("boosts.tidy")
    assert await shop.rows("SELECT id FROM boosts.drafts") == []


async def test_confirming_debits_one_credit_a_link_and_creates_the_orders(shop: Shop) -> None:
    await shop.grant(10)
    orders = await shop.order(link(1), link(2), link(3))
    assert [order.link.post_id for order in orders] == ["1", "2", "3"]
    assert await shop.credits() == 7
    first = orders[0]
    assert first.state == "scheduled"
    assert first.can_cancel
    assert [(phase.metric, phase.number, phase.quantity) for phase in first.phases] == [
        ("likes", 1, 38),
        ("likes", 2, 37),
        ("views", 1, 3500),
        ("views", 2, 3500),
    ]
    minutes = [(phase.due_at - shop.clock.now()) / timedelta(minutes=1) for phase in first.phases]
    assert minutes == [30, 60, 30, 60]
    assert len(await shop.events("order_created")) == 3
    assert [order.id for order in await shop.door.orders(user_id=ADA)] == [order.id for order in reversed(orders)]
    await shop.sound()


async def test_orders_carry_the_price_of_their_own_lot(shop: Shop) -> None:
    await shop.grant(1, cost="1.20")
    await shop.grant(5, cost="1.50")
    await shop.order(link(1), link(2))
    rows = await shop.rows("SELECT unit_cost FROM boosts.orders ORDER BY id")
    assert [row.unit_cost for row in rows] == [Decimal("1.20"), Decimal("1.50")]


async def test_a_double_press_of_confirm_makes_one_order(shop: Shop) -> None:
    await shop.grant(10)
    draft = await shop.door.draft(key="u1", user_id=ADA, text=LINK)
    pressed = await asyncio.gather(
        *(shop.door.confirm(key=f"k{number}", user_id=ADA, draft_id=draft.id) for number in range(4))
    )
    assert {order.id for orders in pressed for order in orders} == {pressed[0][0].id}
    assert await shop.credits() == 9
    with pytest.raises(DraftExpired):
        await shop.door.get_draft(user_id=ADA, draft_id=draft.id)
    with pytest.raises(DraftExpired):
        await shop.door.discard(key="k", user_id=ADA, draft_id=draft.id)


async def test_two_drafts_cannot_spend_the_same_credit(shop: Shop) -> None:
    await shop.grant(1)
    one = await shop.door.draft(key="u1", user_id=ADA, text=link(1))
    two = await shop.door.draft(key="u2", user_id=ADA, text=link(2))
    done = await asyncio.gather(
        *(shop.door.confirm(key="k", user_id=ADA, draft_id=draft.id) for draft in (one, two)),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in done) == ["NoCredits", "tuple"]
    assert await shop.credits() == 0
    await shop.sound()


async def test_a_cancelled_order_gives_the_credit_back_at_its_price_once(shop: Shop) -> None:
    await shop.grant(1, cost="1.20")
    (order,) = await shop.order()
    assert await shop.credits() == 0
    for _ in range(2):
        seen = await shop.door.cancel(key="k", user_id=ADA, order_id=order.id)
        assert (seen.state, seen.credit_returned, seen.can_cancel) == ("cancelled", True, False)
    assert await shop.credits() == 1
    assert {line.state for line in seen.lines} == {"cancelled"}
    await shop.turn(30)
    assert shop.panels["smmflare"].adds == 0
    (again,) = await shop.order(link(5))
    rows = await shop.rows(f"SELECT unit_cost FROM boosts.orders WHERE id = {again.id}")
    assert rows[0].unit_cost == Decimal("1.20")
    await shop.sound()


async def test_an_order_that_was_sent_cannot_be_cancelled(shop: Shop) -> None:
    await shop.grant(1)
    (order,) = await shop.order()
    await shop.turn(30)
    with pytest.raises(CannotCancel):
        await shop.door.cancel(key="k", user_id=ADA, order_id=order.id)
    with pytest.raises(NotFound):
        await shop.door.cancel(key="k", user_id=7, order_id=order.id)
    assert await shop.credits() == 0


async def test_cancelling_and_dispatching_at_one_moment_have_one_winner(shop: Shop) -> None:
    await shop.grant(8)
    for number in range(1, 9):
        (order,) = await shop.order(link(number))
        shop.clock.advance(30 * 60)
        before = await shop.credits()
        cancelled, _ = await asyncio.gather(
            shop.door.cancel(key="k", user_id=ADA, order_id=order.id),
            shop.job("boosts.dispatch"),
            return_exceptions=True,
        )
        await shop.send()
        # Counted by the link: the second half of an order sent before may fall due at the same moment.
        placed = [post for _, post, _ in shop.panels["smmflare"].orders.values() if post == order.link.canonical]
        if isinstance(cancelled, CannotCancel):
            assert len(placed) == 2
            assert await shop.credits() == before
        else:
            assert not isinstance(cancelled, BaseException), repr(cancelled)
            assert placed == []
            assert await shop.credits() == before + 1
    await shop.sound()

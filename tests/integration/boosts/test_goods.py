"""Goods: answered, invoiced, paid, ordered; once each, whatever is pressed twice, and no money lost on the way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from tests.integration.boosts.conftest import ADA, Shop
from viralcore.boosts.api import BadAnswer, BadQuantity, NotOnSale, RequestClosed, RequestView, Unanswered
from viralcore.core.errors import NotFound
from viralcore.ledger.api import Entry, house_account
from viralcore.payments.api import Item, TooManyInvoices
from viralcore.users.api import Blocked

POLL = "https://x.com/shop/status/1990000000000000001"
BOB = 43


@pytest.fixture
def engines() -> None:
    """The engines of the settings."""


async def begun(shop: Shop, plan: str = "x_poll", quantity: int = 50, key: str = "b") -> RequestView:
    found = await shop.door.goods.begin(key=key, user_id=ADA, plan_id=plan, quantity=quantity)
    assert isinstance(found, RequestView)
    return found


async def tell(shop: Shop, request_id: int, **answers: str) -> RequestView:
    for question, given in answers.items():
        found = await shop.door.goods.answer(key="", user_id=ADA, request_id=request_id, question=question, text=given)
    assert isinstance(found, RequestView)
    return found


async def invoiced(shop: Shop, invoice_id: int = 7) -> RequestView:
    request = await begun(shop, key=f"b{invoice_id}")
    await tell(shop, request.id, poll_link=POLL, poll_option="3")
    shop.payments.next_id = invoice_id
    assert await shop.door.goods.invoice(key="", user_id=ADA, request_id=request.id) == invoice_id
    return request


async def without_plan(shop: Shop, request_id: int) -> None:
    """The plan is gone from the catalogue since."""
    async with shop.database.transaction() as tx:
        statement = text("UPDATE boosts.goods_requests SET plan_id = 'gone' WHERE id = :id")
        await tx.conn.execute(statement, {"id": request_id})


async def test_questions_are_asked_before_the_invoice_and_frozen_with_it(shop: Shop) -> None:
    request = await begun(shop)
    assert (request.missing, request.total.minor, request.limits["poll_option"]) == (
        ("poll_link", "poll_option"),
        150,
        4,
    )
    with pytest.raises(Unanswered):
        await shop.door.goods.invoice(key="", user_id=ADA, request_id=request.id)
    assert (await tell(shop, request.id, poll_link=POLL)).missing == ("poll_option",)
    assert [one.id for one in await shop.door.goods.unfinished(user_id=ADA)] == [request.id]
    await tell(shop, request.id, poll_option="4")
    changed = await tell(shop, request.id, poll_option="2")
    assert changed.answers == {"poll_link": POLL, "poll_option": "2"}

    assert await shop.door.goods.invoice(key="", user_id=ADA, request_id=request.id) == 1
    (opened,) = shop.payments.opened
    assert opened["item"] == Item("goods", "x_poll", "X poll votes", {"unit": "vote"})
    assert (opened["quantity"], opened["grants"]) == (50, ())
    for late in (
        tell(shop, request.id, poll_option="1"),
        shop.door.goods.discard(key="", user_id=ADA, request_id=request.id),
    ):
        with pytest.raises(RequestClosed):
            await late
    assert (await shop.door.goods.of_invoice(user_id=ADA, invoice_id=1)).answers["poll_option"] == "2"
    assert await shop.door.goods.of_invoice(user_id=BOB, invoice_id=1) is None
    assert await shop.door.goods.unfinished(user_id=ADA) == ()


async def test_a_confirmation_pressed_twice_is_one_invoice(shop: Shop) -> None:
    request = await begun(shop)
    await tell(shop, request.id, poll_link=POLL, poll_option="3")
    door = shop.door.goods
    ids = await asyncio.gather(*(door.invoice(key=f"k{n}", user_id=ADA, request_id=request.id) for n in range(3)))
    assert set(ids) == {1}
    assert len(shop.payments.opened) == 1


async def test_a_fourth_invoice_keeps_the_answers(shop: Shop) -> None:
    request = await begun(shop)
    await tell(shop, request.id, poll_link=POLL, poll_option="3")
    shop.payments.refuse = TooManyInvoices(limit=3, open=(1, 2, 3))
    with pytest.raises(TooManyInvoices):
        await shop.door.goods.invoice(key="", user_id=ADA, request_id=request.id)
    kept = await shop.door.goods.get(user_id=ADA, request_id=request.id)
    assert (kept.state, kept.missing) == ("open", ())
    shop.payments.refuse = None
    assert await shop.door.goods.invoice(key="", user_id=ADA, request_id=request.id) == 1


async def test_paid_once_is_ordered_once_however_often_it_is_heard(shop: Shop) -> None:
    request = await invoiced(shop)
    for _ in range(2):
        await shop.paid(7, "x_poll", 50, 150)
    (order,) = await shop.door.orders(user_id=ADA)
    assert (order.invoice_id, order.units, order.link.canonical) == (7, 50, POLL)
    assert dict(order.answers) == {"poll_link": POLL, "poll_option": "3"}
    assert [(line.metric, line.quantity, line.engine) for line in order.lines] == [("votes", 50, "staff")]
    assert (await shop.door.goods.get(user_id=ADA, request_id=request.id)).state == "ordered"
    assert await shop.door.staff.count() == 1


async def test_two_processes_that_hear_it_at_once_make_one_order(shop: Shop) -> None:
    await invoiced(shop)
    await asyncio.gather(*(shop.paid(7, "x_poll", 50, 150) for _ in range(4)))
    assert len(await shop.door.orders(user_id=ADA)) == 1
    assert await shop.door.staff.count() == 1


async def test_a_crash_before_the_commit_leaves_it_to_the_next_hearing(shop: Shop, monkeypatch: Any) -> None:
    await invoiced(shop)
    with monkeypatch.context() as crashing:
        crashing.setattr("viralcore.boosts.repository.staff.add", _crash)
        with pytest.raises(OSError, match="killed"):
            await shop.paid(7, "x_poll", 50, 150)
    assert await shop.door.orders(user_id=ADA) == ()
    await shop.paid(7, "x_poll", 50, 150)
    assert len(await shop.door.orders(user_id=ADA)) == 1


async def _crash(*_: object, **__: object) -> int:
    raise OSError("killed")


async def test_blocked_or_off_sale_since_changes_nothing_for_what_was_paid(shop: Shop) -> None:
    await invoiced(shop)
    shop.users.blocked.add(ADA)
    shop.users.blocked_values.add("handle:shop")
    await shop.paid(7, "x_poll", 50, 150)
    assert len(await shop.door.orders(user_id=ADA)) == 1


async def test_a_plan_that_is_gone_gives_the_money_back_once(shop: Shop) -> None:
    request = await invoiced(shop)
    await without_plan(shop, request.id)
    async with shop.database.transaction() as tx:  # what the purchase brought
        entries = (Entry(house_account("revenue"), 150), Entry(house_account("network:test"), -150))
        await shop.ledger.post(tx, key="test.sale", kind="purchase", entries=entries, description="test")
    for _ in range(2):
        await shop.paid(7, "x_poll", 50, 150)
    assert await shop.wallet() == 150
    assert await shop.door.orders(user_id=ADA) == ()
    assert [row["cents"] for row in await shop.events("goods_returned")] == [150]
    await shop.sound()


async def test_an_invoice_of_goods_that_nobody_asked_for_gives_the_money_back(shop: Shop) -> None:
    await shop.paid(99, "x_poll", 50, 150)
    assert await shop.wallet() == 150


async def test_what_is_not_taken(shop: Shop) -> None:
    door = shop.door.goods
    with pytest.raises(NotOnSale):
        await begun(shop, "t3")
    with pytest.raises(BadQuantity):
        await begun(shop, "slow_push", 15)
    shop.users.blocked.add(ADA)
    with pytest.raises(Blocked):
        await begun(shop)
    shop.users.blocked.clear()
    request = await begun(shop, "slow_push", 20)
    assert request.limits == {"profile_link": 0, "days": 20}, "not slower than one a day"
    with pytest.raises(BadAnswer):
        await tell(shop, request.id, days="21")
    with pytest.raises(NotFound):
        await tell(shop, request.id, poll_option="1")
    for act in (
        door.get(user_id=BOB, request_id=request.id),
        door.answer(key="", user_id=BOB, request_id=request.id, question="days", text="2"),
        door.invoice(key="", user_id=BOB, request_id=request.id),
        door.discard(key="", user_id=BOB, request_id=request.id),
    ):
        with pytest.raises(NotFound):
            await act
    shop.users.blocked_values.add("handle:ada")
    with pytest.raises(BadAnswer) as blocked:
        await tell(shop, request.id, profile_link="@Ada")
    assert blocked.value.fields["reason"] == "blocked"
    await tell(shop, request.id, profile_link="@bob", days="20")
    shop.users.blocked_values.add("handle:bob")
    with pytest.raises(BadAnswer):
        await door.invoice(key="", user_id=ADA, request_id=request.id)
    assert shop.payments.opened == []


async def test_what_waits_too_long_is_closed_and_forgotten(shop: Shop) -> None:
    request = await begun(shop)
    await invoiced(shop)
    shop.clock.advance(24 * 3600)
    with pytest.raises(RequestClosed):
        await tell(shop, request.id, poll_option="1")
    assert await shop.door.goods.unfinished(user_id=ADA) == ()
    shop.clock.advance(8 * 24 * 3600)
    await shop.job("boosts.tidy")
    with pytest.raises(NotFound):
        await shop.door.goods.get(user_id=ADA, request_id=request.id)
    await shop.paid(7, "x_poll", 50, 150)  # late money may still pay the other one's invoice
    assert len(await shop.door.orders(user_id=ADA)) == 1


async def test_given_up_before_the_invoice(shop: Shop) -> None:
    request = await begun(shop)
    for _ in range(2):
        await shop.door.goods.discard(key="", user_id=ADA, request_id=request.id)
    with pytest.raises(RequestClosed):
        await shop.door.goods.invoice(key="", user_id=ADA, request_id=request.id)


async def test_credits_and_goods_have_their_own_doors(shop: Shop) -> None:
    with pytest.raises(Unanswered):
        await shop.door.buy(key="k", user_id=ADA, plan_id="x_poll", quantity=50)
    assert shop.door.plan("tgt-15").on_sale
    assert (shop.door.plan("tgt-15").family, shop.door.plan("tgt-15").variant) == ("tgt", 15)


async def test_telegram_engagement_is_ordered_for_any_telegram_link(shop: Shop) -> None:
    await shop.grant(2, "tgt-15", "0.30")
    orders = await shop.order("https://t.me/ada_news/45", "https://t.me/c/1234567/8")
    assert [order.link.canonical for order in orders] == ["https://t.me/ada_news/45", "https://t.me/c/1234567/8"]
    cards = await shop.door.staff.waiting()
    assert [(one.metric, one.quantity) for one in cards] == [("comments", 15), ("reactions", 15)] * 2

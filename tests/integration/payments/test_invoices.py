"""Invoices and quotes: limits, locks, reservations, expiry."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from tests.integration.payments.shop import Shop
from viralcore.core.errors import KeyReused, NotFound
from viralcore.payments.api import InvoiceClosed, InvoiceView, Item, MethodUnavailable, TooManyInvoices
from viralcore.users.api import Blocked


async def test_an_invoice_is_stored_whole_and_found_again(shop: Shop) -> None:
    opened = await shop.open()
    assert (opened.state, opened.total.minor, opened.quantity, opened.unit_price) == ("open", 1500, 10, Decimal("1.50"))
    assert opened.expires_at - opened.created_at == timedelta(minutes=20)
    assert opened.item == Item("credits", "t3", "X Tier 3", {"plan": "t3"})
    assert await shop.see(opened) == opened
    assert await shop.door.invoices(user_id=7) == (opened,)
    with pytest.raises(NotFound):
        await shop.door.get_invoice(user_id=8, invoice_id=opened.id)


async def test_the_same_key_is_the_same_invoice_and_other_inputs_are_refused(shop: Shop) -> None:
    item = Item("goods", "x_poll", "X poll", {})

    async def ask(quantity: int) -> InvoiceView:
        return await shop.door.open_invoice(
            key="one", user_id=7, item=item, quantity=quantity, unit_price=Decimal("0.03")
        )

    first, *others = await asyncio.gather(*(ask(10) for _ in range(8)))
    assert {other.id for other in others} == {first.id}
    with pytest.raises(KeyReused):
        await ask(11)


async def test_totals_round_up_to_the_cent(shop: Shop) -> None:
    item = Item("goods", "x", "x", {})
    opened = await shop.door.open_invoice(key="k", user_id=7, item=item, quantity=3, unit_price=Decimal("0.0151"))
    assert opened.total.minor == 5


async def test_the_fourth_open_invoice_is_refused_and_none_is_cancelled_silently(shop: Shop) -> None:
    opened = [await shop.open() for _ in range(3)]
    with pytest.raises(TooManyInvoices) as caught:
        await shop.open()
    assert caught.value.fields == {"limit": 3, "open": tuple(each.id for each in opened)}
    await shop.open(user=8)
    await shop.door.cancel_invoice(key=shop.key(), user_id=7, invoice_id=opened[0].id)
    await shop.open()


async def test_the_limit_holds_against_ten_presses_at_once(shop: Shop) -> None:
    results = await asyncio.gather(*(shop.open() for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(each, InvoiceView) for each in results) == 3
    assert all(isinstance(each, InvoiceView | TooManyInvoices) for each in results)


async def test_a_blocked_person_opens_nothing(shop: Shop) -> None:
    shop.users.blocked.add(7)
    with pytest.raises(Blocked):
        await shop.open()


async def test_open_ones_of_many_people_are_counted_at_once_and_each_is_told_their_own(shop: Shop) -> None:
    over = await shop.open(user=9)
    shop.clock.advance(60)
    seven = [await shop.open() for _ in range(3)]
    await shop.open(user=8)
    await shop.door.cancel_invoice(key=shop.key(), user_id=7, invoice_id=seven[0].id)

    async def counted() -> list[int]:
        return await asyncio.gather(*(shop.door.count_open_invoices(user_id=who) for who in (7, 8, 9, 10, 7)))

    assert await counted() == [2, 1, 1, 0, 2]
    shop.clock.advance(19 * 60)  # the one that was opened first is over now, its job has not run
    assert (await shop.see(over)).state == "expired"
    assert await counted() == [2, 1, 0, 0, 2]


async def test_inside_a_transaction_what_it_opened_counts_already(shop: Shop) -> None:
    item = Item("goods", "x", "x", {})
    async with shop.db.transaction() as tx:
        await shop.door.open_invoice(key="k", user_id=7, item=item, quantity=3, unit_price=Decimal("0.5"), tx=tx)
        assert await shop.door.count_open_invoices(user_id=7) == 1


async def test_an_invoice_expires_on_its_second_even_before_the_job(shop: Shop) -> None:
    invoice = await shop.quoted()
    shop.clock.advance(20 * 60)
    assert (await shop.see(invoice)).state == "expired"
    assert await shop.door.invoices(user_id=7, open_only=True) == ()
    with pytest.raises(InvoiceClosed) as caught:
        await shop.choose(invoice, "bsc:BNB")
    assert caught.value.fields == {"invoice_id": invoice.id, "state": "expired"}
    assert await shop.module.jobs[2].next_due() == invoice.expires_at  # type: ignore[misc]
    await shop.tick(0)
    (closed,) = await shop.events("invoice_closed_unpaid")
    assert closed == {"invoice_id": invoice.id, "user_id": 7, "state": "expired"}
    await shop.tick(60)
    assert len(await shop.events("invoice_closed_unpaid")) == 1


async def test_cancelling_is_the_owners_and_only_once(shop: Shop) -> None:
    invoice = await shop.open()
    with pytest.raises(NotFound):
        await shop.door.cancel_invoice(key=shop.key(), user_id=8, invoice_id=invoice.id)
    cancelled = await shop.door.cancel_invoice(key=shop.key(), user_id=7, invoice_id=invoice.id)
    assert cancelled.state == "cancelled"
    assert await shop.door.cancel_invoice(key=shop.key(), user_id=7, invoice_id=invoice.id) == cancelled
    assert len(await shop.events("invoice_closed_unpaid")) == 1


async def test_a_paid_invoice_cannot_be_cancelled(shop: Shop) -> None:
    await shop.give(7, 1500)
    invoice = await shop.open()
    await shop.door.pay_from_wallet(key=shop.key(), user_id=7, invoice_id=invoice.id)
    with pytest.raises(InvoiceClosed):
        await shop.door.cancel_invoice(key=shop.key(), user_id=7, invoice_id=invoice.id)


async def test_paging_is_newest_first(shop: Shop) -> None:
    opened = [await shop.open() for _ in range(3)]
    first = await shop.door.invoices(user_id=7, limit=2)
    assert [each.id for each in first] == [opened[2].id, opened[1].id]
    assert [each.id for each in await shop.door.invoices(user_id=7, before_id=first[-1].id)] == [opened[0].id]


# quotes


async def test_a_quote_is_locked_and_choosing_it_again_changes_nothing(shop: Shop) -> None:
    invoice = await shop.quoted(method="bsc:BNB")
    shop.coingecko.quotes["binancecoin"] = shop.binance.quotes["BNBUSDT"] = Decimal(700)
    await shop.tick(301)
    assert (await shop.choose(invoice, "bsc:BNB")).quote == invoice.quote
    assert await shop.count("quotes") == 1


async def test_another_method_keeps_the_old_reservation_and_coming_back_finds_it(shop: Shop) -> None:
    invoice = await shop.quoted()
    coin = await shop.choose(invoice, "bsc:BNB")
    assert coin.quote is not None
    assert coin.quote.method == "bsc:BNB"
    assert (await shop.choose(invoice, "bsc:USDT")).quote == invoice.quote
    assert await shop.count("quotes") == 2


async def test_no_two_open_invoices_ask_for_the_same_amount(shop: Shop) -> None:
    quoted = await asyncio.gather(*(shop.quoted(user) for user in range(1, 41)))
    amounts = {each.quote.amount for each in quoted if each.quote}
    assert len(amounts) == 40
    assert all(Decimal(15) < amount < Decimal("15.01") for amount in amounts)


async def test_when_every_tail_is_taken_the_amount_rises_by_a_cent(shop: Shop) -> None:
    invoice = await shop.quoted()
    fill = (
        "INSERT INTO payments.quotes (invoice_id, network, asset, amount_raw, rate, due_cents, address, created_at,"
        " expires_at) SELECT :invoice, 'bsc', 'USDT', 15000000000000000000 + tail * 1000000000000::numeric, 1, 1500,"
        " 'x', now(), now() FROM generate_series(1, 9999) AS tail ON CONFLICT DO NOTHING"
    )
    async with shop.db.transaction() as tx:
        await tx.conn.execute(text(fill), {"invoice": invoice.id})
    higher = await shop.quoted(8)
    assert higher.quote is not None
    assert Decimal("15.01") < higher.quote.amount < Decimal("15.02")
    shop.send(higher.quote.amount)
    await shop.watch()
    assert ((await shop.see(higher)).state, await shop.wallet(8)) == ("paid", 1)


async def test_racers_for_the_last_tail_get_one_each(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody picks the first free tail: the unique index sends the losers to look again."""
    monkeypatch.setattr(shop.parts.invoicing, "_below", lambda n: 0)
    quoted = await asyncio.gather(*(shop.quoted(user) for user in range(1, 11)))
    assert len({each.quote.amount for each in quoted if each.quote}) == 10


async def test_an_amount_stays_reserved_for_a_day_after_its_invoice_closed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop.parts.invoicing, "_below", lambda n: 0)
    first = await shop.quoted(1)
    await shop.tick(20 * 60)
    await shop.tick(24 * 3600 - 1)
    assert first.quote is not None
    second = await shop.quoted(2)
    assert second.quote is not None
    assert second.quote.amount != first.quote.amount
    await shop.tick(1)
    third = await shop.quoted(3)
    assert third.quote is not None
    assert third.quote.amount == first.quote.amount


async def test_a_released_amount_no_longer_explains_anything(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    await shop.tick(20 * 60)
    await shop.tick(24 * 3600)
    shop.send(invoice.quote.amount)
    await shop.watch()
    assert await shop.house("suspense") == 1500
    assert await shop.wallet() == 0


@pytest.mark.parametrize(
    ("method", "reason"), [("wallet", "unknown"), ("bsc:DOGE", "unknown"), ("solana:SOL", "unknown"), ("", "unknown")]
)
async def test_a_method_that_is_not_offered_says_why(shop: Shop, method: str, reason: str) -> None:
    with pytest.raises(MethodUnavailable) as caught:
        await shop.choose(await shop.open(), method)
    assert caught.value.fields == {"method": method, "reason": reason}

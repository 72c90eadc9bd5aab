"""Top-ups, affiliate money moved in, and looking back at invoices: the doors, over a real database and ledger."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.integration.payments.shop import Shop
from viralcore.core.errors import KeyReused, NotFound
from viralcore.core.money import Money, ngn, usd
from viralcore.ledger.api import InsufficientFunds, user_account
from viralcore.payments.api import BadAmount, InvoiceView, MethodUnavailable, TooManyInvoices
from viralcore.users.api import Blocked


async def _topup(shop: Shop, amount: str = "20", user: int = 7) -> InvoiceView:
    return await shop.door.open_topup(key=shop.key(), user_id=user, amount=usd(amount))


async def _quoted(shop: Shop, amount: str = "20", method: str = "bsc:USDT") -> tuple[InvoiceView, Decimal]:
    invoice = await shop.choose(await _topup(shop, amount), method)
    assert invoice.quote is not None
    return invoice, invoice.quote.amount


async def _bonus(shop: Shop, user: int = 7) -> int:
    return (await shop.ledger.balance(account=user_account(user, "wallet_bonus"))).balance


async def _affiliate(shop: Shop, user: int = 7) -> int:
    return (await shop.ledger.balance(account=user_account(user, "affiliate"))).balance


async def test_a_top_up_is_an_invoice_whose_money_is_in_the_wallet(shop: Shop) -> None:
    invoice, amount = await _quoted(shop)
    assert (invoice.item.kind, invoice.item.title, invoice.total) == ("topup", "Wallet top-up", usd(20))
    shop.send(amount)
    await shop.watch()
    paid = await shop.see(invoice)
    assert (paid.state, paid.paid_with, paid.received) == ("paid", "bsc:USDT", usd(20))
    assert await shop.wallet() == 2000
    assert await shop.house("revenue") == 0
    (told,) = await shop.events("invoice_paid")
    assert (told["item_kind"], told["paid_cents"]) == ("topup", 0)
    await shop.sound()


@pytest.mark.parametrize(("sent", "cents"), [("18.5", 1850), ("21.75", 2175)])
async def test_any_amount_that_arrives_fulfils_it(shop: Shop, sent: str, cents: int) -> None:
    invoice, _ = await _quoted(shop)
    await shop.paste(7, shop.send(sent), invoice.id)
    paid = await shop.see(invoice)
    assert (paid.state, paid.received.minor) == ("paid", cents)
    assert await shop.wallet() == cents
    await shop.sound()


async def test_late_and_repeated_money_for_a_top_up_is_in_the_wallet(shop: Shop) -> None:
    invoice, amount = await _quoted(shop)
    await shop.tick(21 * 60)
    shop.send(amount)
    await shop.watch()
    assert (await shop.see(invoice)).state == "paid"
    shop.send(amount)
    await shop.watch()
    assert await shop.wallet() == 4000
    assert len(await shop.door.receipts_of(user_id=7, invoice_id=invoice.id)) == 2
    await shop.sound()


@pytest.mark.parametrize("amount", ["0.99", "5000.01", "0", "-5"])
async def test_a_top_up_outside_the_limits_is_refused(shop: Shop, amount: str) -> None:
    with pytest.raises(BadAmount) as caught:
        await _topup(shop, amount)
    assert caught.value.fields == {"minimum": 100, "maximum": 500_000}
    assert await shop.count("invoices") == 0


async def test_the_limits_themselves_are_allowed(shop: Shop) -> None:
    offer = shop.door.wallet_offer()
    assert (offer.minimum, offer.maximum, offer.shares) == (usd(1), usd(5000), (25, 50, 100))
    assert offer.presets == tuple(usd(n) for n in (5, 10, 25, 50, 100))
    for amount in (offer.minimum, offer.maximum):
        await shop.door.open_topup(key=shop.key(), user_id=7, amount=amount)


async def test_a_double_tap_opens_one_top_up(shop: Shop) -> None:
    opened = await asyncio.gather(*(shop.door.open_topup(key="one", user_id=7, amount=usd(20)) for _ in range(8)))
    assert len({each.id for each in opened}) == 1
    with pytest.raises(KeyReused):
        await shop.door.open_topup(key="one", user_id=7, amount=usd(21))


async def test_top_ups_count_among_the_open_invoices_and_are_not_for_the_blocked(shop: Shop) -> None:
    for _ in range(2):
        await _topup(shop)
    await shop.open()
    with pytest.raises(TooManyInvoices):
        await _topup(shop)
    shop.users.blocked.add(8)
    with pytest.raises(Blocked):
        await _topup(shop, user=8)


async def test_a_top_up_is_not_paid_from_the_wallet(shop: Shop) -> None:
    await shop.give(7, 5000)
    invoice = await _topup(shop)
    with pytest.raises(MethodUnavailable) as caught:
        await shop.door.pay_from_wallet(key=shop.key(), user_id=7, invoice_id=invoice.id)
    assert caught.value.fields["reason"] == "topup"


# --- affiliate money --------------------------------------------------------------------------------------------------


async def test_moved_money_is_bonus_money_and_pays_no_commission(shop: Shop) -> None:
    await shop.give(7, 2000, "affiliate")
    assert await shop.door.move_to_wallet(key="m", user_id=7, amount=usd(15)) == usd(15)
    assert (await _affiliate(shop), await _bonus(shop), await shop.wallet()) == (500, 1500, 0)
    invoice = await shop.open()
    await shop.door.pay_from_wallet(key=shop.key(), user_id=7, invoice_id=invoice.id)
    (told,) = await shop.events("invoice_paid")
    assert told["paid_cents"] == 0
    kinds = {(line.kind, line.account.name, line.amount) for line in await shop.ledger.statement(user_id=7)}
    assert {("transfer", "affiliate", -1500), ("transfer", "wallet_bonus", 1500)} <= kinds
    await shop.sound()


async def test_a_double_tap_moves_once_and_two_presses_cannot_move_more_than_there_is(shop: Shop) -> None:
    await shop.give(7, 2000, "affiliate")
    await asyncio.gather(*(shop.door.move_to_wallet(key="m", user_id=7, amount=usd(5)) for _ in range(8)))
    assert (await _affiliate(shop), await _bonus(shop)) == (1500, 500)
    with pytest.raises(KeyReused):
        await shop.door.move_to_wallet(key="m", user_id=7, amount=usd(6))
    results = await asyncio.gather(
        *(shop.door.move_to_wallet(key=f"m{n}", user_id=7, amount=usd(10)) for n in range(5)), return_exceptions=True
    )
    assert sum(isinstance(each, Money) for each in results) == 1
    assert all(isinstance(each, Money | InsufficientFunds) for each in results)
    assert (await _affiliate(shop), await _bonus(shop)) == (500, 1500)
    await shop.sound()


async def test_what_cannot_be_moved(shop: Shop) -> None:
    await shop.give(7, 300, "affiliate")
    with pytest.raises(InsufficientFunds) as caught:
        await shop.door.move_to_wallet(key="a", user_id=7, amount=usd("3.01"))
    assert caught.value.fields == {"account": "affiliate", "asset": "USD", "available": 300, "needed": 301}
    for wrong in (usd(0), usd(-1), ngn(5)):
        with pytest.raises(BadAmount):
            await shop.door.move_to_wallet(key="b", user_id=7, amount=wrong)
    shop.users.blocked.add(7)
    with pytest.raises(Blocked):
        await shop.door.move_to_wallet(key="c", user_id=7, amount=usd(1))
    assert (await _affiliate(shop), await _bonus(shop)) == (300, 0)


async def test_a_key_of_one_person_says_nothing_about_another(shop: Shop) -> None:
    for user in (7, 8):
        await shop.give(user, 300, "affiliate")
    await shop.door.move_to_wallet(key="x", user_id=7, amount=usd(1))
    with pytest.raises(KeyReused):
        await shop.door.move_to_wallet(key="x", user_id=8, amount=usd(1))


# --- the rest ---------------------------------------------------------------------------------------------------------


async def test_the_rest_grows_by_what_was_spent_meanwhile(shop: Shop) -> None:
    invoice = await shop.quoted()
    await shop.paste(7, shop.send("14"), invoice.id)
    assert (await shop.see(invoice)).rest == usd(1)
    rest = await shop.choose(invoice)
    assert rest.quote is not None
    assert rest.quote.due == usd(1)
    other = await shop.open(quantity=10, price="0.40")
    await shop.door.pay_from_wallet(key=shop.key(), user_id=7, invoice_id=other.id)
    left = await shop.see(invoice)
    assert left.rest == usd(5)
    (open_one,) = await shop.door.invoices(user_id=7, open_only=True)
    assert open_one.rest == usd(5)
    again = await shop.choose(invoice)
    assert again.quote is not None
    assert again.quote.due == usd(5)
    shop.send(again.quote.amount)
    await shop.watch()
    assert (await shop.see(invoice)).state == "paid"
    assert await shop.wallet() == 0
    await shop.sound()


async def test_a_wallet_that_covers_it_by_now_leaves_no_rest(shop: Shop) -> None:
    invoice = await shop.quoted()
    await shop.paste(7, shop.send("14"), invoice.id)
    shop.send(invoice.quote.amount if invoice.quote else "15")  # the first amount, once more
    await shop.watch()
    seen = await shop.see(invoice)
    assert seen.state == "paid"
    assert await shop.wallet() == 1400
    assert [receipt.usd for receipt in await shop.door.receipts_of(user_id=7, invoice_id=invoice.id)] == [
        usd(14),
        usd(15),
    ]


async def test_a_payment_on_its_way_is_noted_until_it_is_credited(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    shop.send(invoice.quote.amount, final=False)
    await shop.watch()
    assert (await shop.see(invoice)).notes == ("seen",)
    await shop.watch()
    assert (await shop.see(invoice)).notes == ("seen",), "once"
    shop.chain.finalize()
    await shop.watch()
    assert (await shop.see(invoice)).state == "paid"


# --- looking back -----------------------------------------------------------------------------------------------------


async def test_invoices_by_state_count_as_they_stand_now(shop: Shop) -> None:
    first = await shop.open()
    await shop.give(7, 5000)
    await shop.door.pay_from_wallet(key=shop.key(), user_id=7, invoice_id=first.id)
    second = await shop.open()
    await shop.door.cancel_invoice(key=shop.key(), user_id=7, invoice_id=second.id)
    third = await shop.open()
    shop.clock.advance(20 * 60)
    fourth = await shop.open()

    async def ids(*states: str) -> list[int]:
        return [each.id for each in await shop.door.invoices(user_id=7, states=states)]  # type: ignore[arg-type]

    assert await ids("open") == [fourth.id]
    assert await ids("paid") == [first.id]
    assert await ids("expired", "cancelled") == [third.id, second.id]  # no job has run
    assert await ids() == [fourth.id, third.id, second.id, first.id]
    await shop.tick(1)
    assert await ids("expired", "cancelled") == [third.id, second.id]
    assert [one.id for one in await shop.door.invoices(user_id=7, states=("cancelled",), before_id=third.id)] == [
        second.id
    ]
    assert await shop.door.invoices(user_id=8) == ()


async def test_receipts_of_an_invoice_are_its_owners(shop: Shop) -> None:
    invoice = await shop.quoted(method="bsc:BNB")
    assert invoice.quote is not None
    assert await shop.door.receipts_of(user_id=7, invoice_id=invoice.id) == ()
    sent = shop.send(invoice.quote.amount, "BNB")
    await shop.watch()
    (receipt,) = await shop.door.receipts_of(user_id=7, invoice_id=invoice.id)
    assert (receipt.hash, receipt.rate, receipt.block_time) == (sent, invoice.quote.rate, shop.clock.now())
    with pytest.raises(NotFound):
        await shop.door.receipts_of(user_id=8, invoice_id=invoice.id)


async def test_what_ends_between_two_moments(shop: Shop) -> None:
    first = await shop.open()
    shop.clock.advance(60)
    second = await shop.open(user=8)
    end = first.expires_at

    async def ending(*moments: tuple[int, int]) -> list[int]:
        spans = [(end + timedelta(seconds=a), end + timedelta(seconds=b)) for a, b in moments]
        return [each.invoice_id for each in await shop.door.ending(moments=spans)]

    assert await ending((-10, 0)) == [first.id]
    assert await ending((0, 60)) == [second.id]
    assert await ending((-1, 1), (59, 61)) == [first.id, second.id]
    assert await ending((1, 59)) == []
    assert await ending() == []
    await shop.door.cancel_invoice(key=shop.key(), user_id=7, invoice_id=first.id)
    assert await ending((-10, 0)) == []

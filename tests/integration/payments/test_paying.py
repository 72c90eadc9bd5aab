"""The way money is meant to come."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.integration.payments.shop import OURS, Shop
from viralcore.ledger.api import InsufficientFunds
from viralcore.payments.api import HashUsed, InvoiceClosed, MethodUnavailable


async def test_an_exact_transfer_is_seen_by_the_watcher_and_buys(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    assert invoice.total.minor == 1500
    assert invoice.quote.address == OURS
    assert Decimal("15") < invoice.quote.amount < Decimal("15.01")
    shop.send(invoice.quote.amount)
    await shop.watch()
    paid = await shop.see(invoice)
    assert (paid.state, paid.paid_with, paid.received.minor, paid.notes) == ("paid", "bsc:USDT", 1500, ())
    assert await shop.credits() == 10
    assert await shop.wallet() == 0
    assert await shop.house("revenue") == 1500
    assert await shop.house("grants", "t3") == -10
    (told,) = await shop.events("invoice_paid")
    assert (told["paid_cents"], told["method"], told["item_ref"], told["total"]) == (1500, "bsc:USDT", "t3", 1500)
    (deposit,) = await shop.events("deposit_confirmed")
    assert (deposit["outcome"], deposit["usd"], deposit["to_wallet"]) == ("exact", 1500, 0)
    assert deposit["amount"] == format(invoice.quote.amount, "f")
    await shop.sound()


async def test_what_bnb_rounding_adds_stays_in_the_wallet(shop: Shop) -> None:
    invoice = await shop.quoted(method="bsc:BNB")
    assert invoice.quote is not None
    shop.send(invoice.quote.amount, "BNB")
    await shop.watch()
    assert (await shop.see(invoice)).state == "paid"
    worth = int(invoice.quote.amount * invoice.quote.rate * 100)
    assert await shop.wallet() == worth - 1500
    assert 0 <= worth - 1500 < 12
    await shop.sound()


async def test_a_transfer_that_is_not_final_is_announced_once_and_not_credited(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    shop.send(invoice.quote.amount, final=False)
    await shop.watch()
    await shop.watch()
    assert len(await shop.events("deposit_seen")) == 1
    assert (await shop.see(invoice)).state == "open"
    shop.chain.finalize()
    await shop.watch()
    assert (await shop.see(invoice)).state == "paid"
    await shop.sound()


async def test_a_pasted_hash_of_the_exact_amount_buys_before_the_watcher_comes(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    pasted = await shop.paste(7, shop.send(invoice.quote.amount), invoice.id)
    assert (pasted.state, pasted.reason, pasted.invoice_id) == ("credited", "", invoice.id)
    assert pasted.credited is not None
    assert pasted.credited.minor == 1500
    await shop.watch()
    assert await shop.credits() == 10
    assert [event["state"] for event in await shop.events("claim_decided")] == ["credited"]
    await shop.sound()


async def test_a_small_shortfall_is_booked_to_the_tolerance_account(shop: Shop) -> None:
    invoice = await shop.quoted()
    pasted = await shop.paste(7, shop.send("14.93"), invoice.id)
    assert pasted.state == "credited"
    assert (await shop.see(invoice)).state == "paid"
    assert await shop.house("tolerance") == -7
    assert await shop.wallet() == 0
    (told,) = await shop.events("invoice_paid")
    assert told["paid_cents"] == 1493
    await shop.sound()


async def test_a_larger_shortfall_goes_to_the_wallet_and_the_rest_can_be_paid(shop: Shop) -> None:
    invoice = await shop.quoted()
    pasted = await shop.paste(7, shop.send("14"), invoice.id)
    assert pasted.state == "credited"
    partly = await shop.see(invoice)
    assert (partly.state, partly.received.minor, partly.notes, partly.quote) == ("open", 1400, ("shortfall",), None)
    assert partly.rest is not None
    assert partly.rest.minor == 100
    assert await shop.wallet() == 1400
    rest = await shop.choose(invoice)
    assert rest.quote is not None
    assert Decimal("1") < rest.quote.amount < Decimal("1.01")
    shop.send(rest.quote.amount)
    await shop.watch()
    assert (await shop.see(invoice)).state == "paid"
    assert await shop.wallet() == 0
    assert await shop.credits() == 10
    (told,) = await shop.events("invoice_paid")
    assert told["paid_cents"] == 1500
    await shop.sound()


async def test_a_rest_whose_first_part_was_spent_meanwhile_is_a_deposit(shop: Shop) -> None:
    invoice = await shop.quoted()
    await shop.paste(7, shop.send("14"), invoice.id)
    rest = await shop.choose(invoice)
    assert rest.quote is not None
    other = await shop.open(quantity=10, price="1.20")
    await shop.door.pay_from_wallet(key=shop.key(), user_id=7, invoice_id=other.id)
    shop.send(rest.quote.amount)
    await shop.watch()
    assert (await shop.see(invoice)).state == "open"
    assert await shop.wallet() == 300
    await shop.sound()


async def test_overpayment_is_taken_and_the_rest_is_kept_in_the_wallet(shop: Shop) -> None:
    invoice = await shop.quoted()
    pasted = await shop.paste(7, shop.send("16"), invoice.id)
    assert pasted.state == "credited"
    assert await shop.wallet() == 100
    assert (await shop.see(invoice)).notes == ("excess",)
    await shop.sound()


async def test_paying_twice_puts_the_second_into_the_wallet(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    shop.send(invoice.quote.amount)
    shop.send(invoice.quote.amount)
    await shop.watch()
    assert (await shop.see(invoice)).notes == ("excess",)
    assert (await shop.wallet(), await shop.credits()) == (1500, 10)
    await shop.sound()


async def test_late_money_counts_at_the_rate_of_the_moment_and_still_buys_if_it_covers(shop: Shop) -> None:
    invoice = await shop.quoted(method="bsc:BNB")
    assert invoice.quote is not None
    await shop.tick(21 * 60)
    assert (await shop.see(invoice)).state == "expired"
    shop.coingecko.quotes["binancecoin"] = shop.binance.quotes["BNBUSDT"] = Decimal(660)
    await shop.tick(301)
    shop.send(invoice.quote.amount, "BNB")
    await shop.watch()
    late = await shop.see(invoice)
    assert (late.state, late.notes) == ("paid", ("late",))
    assert await shop.wallet() == int(invoice.quote.amount * 660 * 100) - 1500
    await shop.sound()


async def test_late_money_that_no_longer_covers_goes_to_the_wallet(shop: Shop) -> None:
    invoice = await shop.quoted(method="bsc:BNB")
    assert invoice.quote is not None
    await shop.tick(21 * 60)
    shop.coingecko.quotes["binancecoin"] = shop.binance.quotes["BNBUSDT"] = Decimal(500)
    await shop.tick(301)
    shop.send(invoice.quote.amount, "BNB")
    await shop.watch()
    late = await shop.see(invoice)
    assert (late.state, late.notes) == ("expired", ("late",))
    assert await shop.wallet() == int(invoice.quote.amount * 500 * 100)
    await shop.sound()


async def test_money_sent_in_time_and_seen_late_keeps_its_locked_rate(shop: Shop) -> None:
    invoice = await shop.quoted(method="bsc:BNB")
    assert invoice.quote is not None
    shop.chain.down = True
    await shop.tick(19 * 60)
    shop.send(invoice.quote.amount, "BNB")
    shop.coingecko.quotes["binancecoin"] = shop.binance.quotes["BNBUSDT"] = Decimal(500)
    await shop.tick(60 * 60)
    assert (await shop.see(invoice)).state == "expired"
    shop.chain.down = False
    await shop.watch()
    paid = await shop.see(invoice)
    assert (paid.state, paid.notes) == ("paid", ())
    await shop.sound()


async def test_late_money_waits_for_a_price_and_is_not_lost(shop: Shop) -> None:
    invoice = await shop.quoted(method="bsc:BNB")
    assert invoice.quote is not None
    shop.coingecko.quotes.clear()
    await shop.tick(2 * 60 * 60)
    shop.send(invoice.quote.amount, "BNB")
    await shop.watch()
    assert await shop.count("receipts") == 0
    shop.coingecko.quotes.update({"binancecoin": Decimal(600), "tether": Decimal(1)})
    await shop.tick(30)
    assert (await shop.see(invoice)).state == "paid"
    await shop.sound()


async def test_money_for_a_cancelled_invoice_goes_to_the_wallet(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    await shop.door.cancel_invoice(key=shop.key(), user_id=7, invoice_id=invoice.id)
    shop.send(invoice.quote.amount)
    await shop.watch()
    late = await shop.see(invoice)
    assert (late.state, late.notes, await shop.wallet()) == ("cancelled", ("late",), 1500)
    await shop.sound()


async def test_the_amount_of_a_method_chosen_before_still_pays(shop: Shop) -> None:
    invoice = await shop.quoted(method="bsc:USDT")
    assert invoice.quote is not None
    await shop.choose(invoice, "bsc:BNB")
    shop.send(invoice.quote.amount)
    await shop.watch()
    assert (await shop.see(invoice)).paid_with == "bsc:USDT"
    await shop.sound()


async def test_money_of_a_blocked_user_is_still_credited(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    shop.users.blocked.add(7)
    pasted = await shop.paste(7, shop.send(invoice.quote.amount), invoice.id)
    assert pasted.state == "credited"
    assert await shop.credits() == 10


async def test_a_topup_is_fulfilled_by_what_arrives(shop: Shop) -> None:
    invoice = await shop.quoted(kind="topup", quantity=1, price="20")
    assert invoice.quote is not None
    with pytest.raises(MethodUnavailable) as caught:
        await shop.door.pay_from_wallet(key=shop.key(), user_id=7, invoice_id=invoice.id)
    assert caught.value.fields["reason"] == "topup"
    shop.send(invoice.quote.amount)
    await shop.watch()
    assert ((await shop.see(invoice)).state, await shop.wallet()) == ("paid", 2000)
    assert (await shop.events("invoice_paid"))[0]["paid_cents"] == 0
    await shop.sound()


async def test_the_wallet_pays_bonus_first_and_only_the_rest_pays_commission(shop: Shop) -> None:
    await shop.give(7, 400, "wallet_bonus")
    await shop.give(7, 1200)
    invoice = await shop.open()
    key = shop.key()
    paid = await shop.door.pay_from_wallet(key=key, user_id=7, invoice_id=invoice.id)
    again = await shop.door.pay_from_wallet(key=key, user_id=7, invoice_id=invoice.id)
    assert paid == again
    assert (paid.state, paid.paid_with, await shop.wallet(), await shop.credits()) == ("paid", "wallet", 100, 10)
    assert (await shop.events("invoice_paid"))[0]["paid_cents"] == 1100
    with pytest.raises(InvoiceClosed):
        await shop.door.pay_from_wallet(key=shop.key(), user_id=7, invoice_id=invoice.id)
    assert await shop.ledger.check() == ()


async def test_an_empty_wallet_buys_nothing(shop: Shop) -> None:
    await shop.give(7, 1499)
    invoice = await shop.open()
    with pytest.raises(InsufficientFunds):
        await shop.door.pay_from_wallet(key=shop.key(), user_id=7, invoice_id=invoice.id)
    assert (await shop.see(invoice)).state == "open"
    assert await shop.wallet() == 1499


async def test_pasting_what_the_watcher_credited_says_so(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    sent = shop.send(invoice.quote.amount)
    await shop.watch()
    with pytest.raises(HashUsed) as mine:
        await shop.paste(7, sent)
    assert mine.value.fields == {"yours": True, "invoice_id": invoice.id}
    with pytest.raises(HashUsed) as theirs:
        await shop.paste(8, sent)
    assert theirs.value.fields == {"yours": False}

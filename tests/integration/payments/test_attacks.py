"""Attacks on "send me the hash" bots (APIS 12): replay, front-claims, false tokens, failed, old and circular money."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.integration.payments.shop import FAKE, OURS, PAYER, USDT, Shop, bought, raw
from viralcore.payments.api import HashUsed
from viralcore.payments.domain.chain import Movement


def spellings(canonical: str) -> list[str]:
    body = canonical[2:]
    return [
        canonical,
        body,
        body.upper(),
        f"0X{body.upper()}",
        f"  {canonical}  ",
        f"https://bscscan.com/tx/{canonical}",
        f"https://www.bscscan.com/tx/0x{body.upper()}#eventlog",
        f"tx {canonical}\n",
    ]


# 1 and 3: replay


async def test_the_same_hash_in_another_letter_case_is_credited_once(shop: Shop) -> None:
    _, sent = await bought(shop)
    assert (await shop.paste(7, sent)).state == "credited"
    for spelling in spellings(sent):
        for user in (7, 8):
            with pytest.raises(HashUsed):
                await shop.paste(user, spelling)
    assert (await shop.credits(), await shop.count("receipts"), await shop.wallet()) == (10, 1, 0)
    await shop.sound()


async def test_a_hash_is_not_good_for_a_second_invoice_of_the_same_user(shop: Shop) -> None:
    invoice, sent = await bought(shop)
    await shop.paste(7, sent, invoice.id)
    second = await shop.quoted()
    with pytest.raises(HashUsed):
        await shop.paste(7, sent, second.id)
    assert (await shop.see(second)).state == "open"
    await shop.sound()


async def test_64_users_submitting_one_hash_in_different_spellings_make_one_credit(shop: Shop) -> None:
    invoice, sent = await bought(shop, user=100)

    async def one(number: int) -> str:
        forms = spellings(sent)
        try:
            claim = await shop.door.submit_hash(key=f"c{number}", user_id=100 + number, text=forms[number % len(forms)])
        except HashUsed:
            return "used"
        await shop.parts.claiming.check(claim.id)
        return (await shop.door.get_claim(user_id=100 + number, claim_id=claim.id)).state

    outcomes = await asyncio.gather(*(one(number) for number in range(64)), shop.watch())
    assert outcomes.count("credited") <= 1
    assert set(outcomes[:64]) <= {"credited", "refused", "used"}
    assert (await shop.see(invoice)).state == "paid"
    assert (await shop.count("receipts"), await shop.credits(100)) == (1, 10)
    assert [await shop.wallet(100 + number) for number in range(64)] == [0] * 64
    assert len(await shop.events("invoice_paid")) == 1
    await shop.sound()


async def test_64_judgements_of_one_transaction_at_once_book_it_once(shop: Shop) -> None:
    invoice, sent = await bought(shop)
    await asyncio.gather(*(shop.parts.verifier.verify("bsc", sent) for _ in range(64)))
    assert (await shop.see(invoice)).state == "paid"
    assert (await shop.count("receipts"), await shop.credits()) == (1, 10)
    await shop.sound()


# 2: front-claim


async def test_a_stranger_who_pastes_somebody_elses_hash_gets_nothing(shop: Shop) -> None:
    victim, sent = await bought(shop, user=7)
    thief = await shop.quoted(8)
    pasted = await shop.paste(8, sent, thief.id)
    assert (pasted.state, pasted.reason) == ("refused", "used")
    assert ((await shop.see(victim)).state, (await shop.see(thief)).state) == ("paid", "open")
    assert (await shop.credits(7), await shop.credits(8), await shop.wallet(8)) == (10, 0, 0)
    await shop.sound()


async def test_a_stranger_cannot_claim_an_inexact_transfer_while_its_payer_has_an_invoice(shop: Shop) -> None:
    await shop.quoted(7)
    await shop.quoted(8)
    sent = shop.send("14.80")
    await shop.watch()
    pasted = await shop.paste(8, sent)
    assert (pasted.state, pasted.reason) == ("suspense", "ambiguous")
    assert (await shop.wallet(8), await shop.house("suspense")) == (0, 1480)
    assert [event["user_id"] for event in await shop.events("stray_money")] == [None, 8]
    await shop.sound()


async def test_a_closed_invoice_still_protects_its_payer_for_a_day(shop: Shop) -> None:
    closed = await shop.quoted(7)
    await shop.door.cancel_invoice(key=shop.key(), user_id=7, invoice_id=closed.id)
    await shop.quoted(8)
    pasted = await shop.paste(8, shop.send("14.80"))
    assert pasted.state == "suspense"
    assert await shop.wallet(8) == 0


async def test_the_sender_address_identifies_nobody(shop: Shop) -> None:
    first, _ = await bought(shop, user=7)
    await shop.watch()
    assert (await shop.see(first)).state == "paid"
    shop.send("3.21", sender=PAYER)
    await shop.watch()
    assert await shop.wallet(7) == 0
    assert await shop.house("suspense") == 321


# 4 and 6: tokens


async def test_a_worthless_token_with_the_same_symbol_is_not_money(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    sent = shop.send(invoice.quote.amount, FAKE)
    await shop.watch()
    pasted = await shop.paste(7, sent, invoice.id)
    assert (pasted.state, pasted.reason) == ("refused", "wrong_token")
    assert (await shop.see(invoice)).state == "open"
    assert await shop.count("receipts") == 0


async def test_an_amount_of_another_asset_does_not_pay(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    sent = shop.send(invoice.quote.amount, "BNB")
    pasted = await shop.paste(7, sent, invoice.id)
    assert (pasted.state, pasted.reason) == ("suspense", "no_invoice")
    assert (await shop.see(invoice)).state == "open"
    assert await shop.credits() == 0
    await shop.sound()


async def test_six_decimals_are_not_eighteen(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    tiny = int(invoice.quote.amount * 10**6)
    sent = shop.chain.mine(Movement(0, USDT, PAYER, OURS.lower(), tiny))
    pasted = await shop.paste(7, sent, invoice.id)
    assert (pasted.state, pasted.reason) == ("suspense", "dust")
    assert (await shop.see(invoice)).state == "open"
    assert await shop.events("stray_money") == []
    await shop.sound()


# 5: failed


async def test_a_failed_transaction_pays_nothing_although_its_input_says_so(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    sent = shop.send(invoice.quote.amount, success=False)
    await shop.watch()
    pasted = await shop.paste(7, sent, invoice.id)
    assert (pasted.state, pasted.reason) == ("refused", "failed")
    assert (await shop.see(invoice)).state == "open"
    assert await shop.count("receipts") == 0


# 7: zero, dust


async def test_a_zero_value_transfer_is_nothing(shop: Shop) -> None:
    invoice = await shop.quoted()
    pasted = await shop.paste(7, shop.send("0"), invoice.id)
    assert (pasted.state, pasted.reason) == ("refused", "zero")


async def test_dust_is_kept_in_the_books_and_bothers_nobody(shop: Shop) -> None:
    shop.send("0.0001")
    await shop.watch()
    assert await shop.count("receipts") == 1
    assert await shop.events("stray_money") == []
    await shop.sound()


# 8: old


async def test_a_transaction_from_before_the_invoice_does_not_pay_it(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    sent = shop.send(invoice.quote.amount, at=shop.clock.now() - timedelta(seconds=61))
    pasted = await shop.paste(7, sent, invoice.id)
    assert (pasted.state, pasted.reason) == ("suspense", "too_old")
    assert (await shop.see(invoice)).state == "open"
    assert (await shop.credits(), await shop.wallet()) == (0, 0)
    await shop.sound()


async def test_clocks_may_differ_by_a_minute(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    shop.send(invoice.quote.amount, at=shop.clock.now() - timedelta(seconds=60))
    await shop.watch()
    assert (await shop.see(invoice)).state == "paid"


async def test_money_from_before_the_shop_is_not_judged_at_all(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    sent = shop.send(invoice.quote.amount, block=999)
    pasted = await shop.paste(7, sent, invoice.id)
    assert (pasted.state, pasted.reason) == ("refused", "too_old")
    assert await shop.count("receipts") == 0


async def test_a_block_from_the_future_waits(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    sent = shop.send(invoice.quote.amount, at=shop.clock.now() + timedelta(seconds=300))
    assert (await shop.paste(7, sent, invoice.id)).reason == "not_final"
    await shop.tick(300)
    assert (await shop.see(invoice)).state == "paid"


# 9: self-transfer, change


async def test_our_own_transfer_to_ourselves_is_nothing(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    sent = shop.send(invoice.quote.amount, sender=OURS.lower())
    await shop.watch()
    pasted = await shop.paste(7, sent, invoice.id)
    assert (pasted.state, pasted.reason) == ("refused", "self_transfer")
    assert await shop.count("receipts") == 0


async def test_change_is_taken_off_what_arrived(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    amount = raw(invoice.quote.amount)
    shop.chain.mine(Movement(0, USDT, PAYER, OURS.lower(), amount + 500), Movement(1, USDT, OURS.lower(), PAYER, 500))
    await shop.watch()
    assert (await shop.see(invoice)).state == "paid"
    await shop.sound()

"""Attacks (APIS 12) and old wounds (PRODUCT 13): logs, amounts, finality, lying nodes, races, pasted text."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.integration.payments.shop import OTHER, OURS, PAYER, USDT, Shop, bought, raw
from viralcore.payments.api import BadHash
from viralcore.payments.domain.chain import NATIVE, Movement

# 10 and 11: several logs, contracts


async def test_several_logs_of_one_transaction_are_summed_and_credited_once(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    amount = raw(invoice.quote.amount)
    sent = shop.chain.mine(
        Movement(2, USDT, PAYER, OURS.lower(), amount - 7),
        Movement(5, USDT, OTHER, OURS.lower(), 7),
        Movement(6, USDT, PAYER, OTHER, amount),
        contract_call=True,
    )
    await shop.watch()
    (receipt,) = await shop.door.receipts()
    assert (receipt.hash, receipt.position, receipt.amount) == (sent, 2, invoice.quote.amount)
    assert (await shop.see(invoice)).state == "paid"
    await shop.sound()


async def test_one_transaction_that_pays_two_people_pays_both(shop: Shop) -> None:
    mine, theirs = await shop.quoted(7), await shop.quoted(8)
    assert mine.quote is not None
    assert theirs.quote is not None
    shop.chain.mine(
        Movement(4, USDT, PAYER, OURS.lower(), raw(mine.quote.amount)),
        Movement(9, USDT, PAYER, OURS.lower(), raw(theirs.quote.amount)),
        contract_call=True,
    )
    await shop.watch()
    assert ((await shop.see(mine)).state, (await shop.see(theirs)).state) == ("paid", "paid")
    assert [receipt.position for receipt in await shop.door.receipts()] == [4, 9]
    await shop.sound()


async def test_what_is_left_of_a_split_transaction_is_explained_by_its_own_neighbours(shop: Shop) -> None:
    mine, theirs = await shop.quoted(7), await shop.quoted(8, quantity=100)
    assert mine.quote is not None
    claim = await shop.door.submit_hash(key="early", user_id=8, text="0x" + f"{1:064x}", invoice_id=theirs.id)
    sent = shop.chain.mine(
        Movement(4, USDT, PAYER, OURS.lower(), raw(mine.quote.amount)),
        Movement(9, USDT, PAYER, OURS.lower(), raw("148")),
        contract_call=True,
    )
    assert sent == claim.hash
    await shop.watch()
    assert ((await shop.see(mine)).state, (await shop.see(theirs)).received.minor) == ("paid", 14800)
    await shop.sound()


async def test_coins_paid_inside_a_contract_are_for_people_to_look_at(shop: Shop) -> None:
    invoice = await shop.quoted(method="bsc:BNB")
    sent = shop.chain.mine(contract_call=True)
    pasted = await shop.paste(7, sent, invoice.id)
    assert (pasted.state, pasted.reason) == ("refused", "internal")


# 12 and 13: amounts and prices


async def test_a_tolerance_is_not_a_discount_for_the_watcher(shop: Shop) -> None:
    """An inexact amount is never matched by percentage alone: it needs its payer."""
    invoice = await shop.quoted()
    shop.send("14.99")
    await shop.watch()
    assert (await shop.see(invoice)).state == "open"
    assert await shop.house("suspense") == 1499


async def test_what_the_watcher_put_into_suspense_is_credited_to_its_paster(shop: Shop) -> None:
    invoice = await shop.quoted()
    sent = shop.send("14.99")
    await shop.watch()
    assert (await shop.paste(7, sent, invoice.id)).state == "credited"
    assert ((await shop.see(invoice)).state, await shop.house("suspense")) == ("paid", 0)
    (receipt,) = await shop.door.receipts()
    assert (receipt.state, receipt.user_id, receipt.invoice_id) == ("credited", 7, invoice.id)
    await shop.sound()


async def test_suspense_is_revalued_when_a_paster_explains_it(shop: Shop) -> None:
    invoice = await shop.quoted(method="bsc:BNB")
    assert invoice.quote is not None
    shop.coingecko.quotes["binancecoin"] = shop.binance.quotes["BNBUSDT"] = Decimal(500)
    await shop.tick(301)
    amount = invoice.quote.amount * Decimal("1.02")
    sent = shop.send(amount, "BNB")
    await shop.watch()
    assert await shop.house("suspense") == int(amount * 500 * 100)
    assert (await shop.paste(7, sent, invoice.id)).state == "credited"
    assert await shop.wallet() == int(amount * 600 * 100) - 1500
    await shop.sound()


async def test_a_cheap_payment_is_not_credited_as_an_expensive_plan_chosen_later(shop: Shop) -> None:
    cheap = await shop.quoted(quantity=10)
    assert cheap.quote is not None
    sent = shop.send(cheap.quote.amount)
    dear = await shop.quoted(quantity=1000)
    await shop.paste(7, sent, dear.id)
    assert ((await shop.see(cheap)).state, (await shop.see(dear)).state) == ("paid", "open")
    assert await shop.credits() == 10
    await shop.sound()


async def test_a_plan_that_is_paid_is_stored_with_its_payment_or_not_at_all(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice, _ = await bought(shop)
    whole = type(shop.ledger).post
    calls = 0

    async def dies_at_the_purchase(*args: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise RuntimeError("the process died here")
        return await whole(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(type(shop.ledger), "post", dies_at_the_purchase)
    await shop.watch()
    assert (await shop.see(invoice)).state == "open"
    assert (await shop.count("receipts"), await shop.wallet(), await shop.house("network:bsc:USDT")) == (0, 0, 0)
    monkeypatch.undo()
    await shop.watch()
    assert ((await shop.see(invoice)).state, await shop.credits()) == ("paid", 10)
    assert await shop.count("receipts") == 1
    await shop.sound()


# 14, 15, 17: finality and nodes


async def test_nothing_is_credited_before_the_block_is_final(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    sent = shop.send(invoice.quote.amount, final=False)
    assert (await shop.paste(7, sent, invoice.id)).reason == "not_final"
    await shop.watch()
    assert (await shop.count("receipts"), (await shop.see(invoice)).state) == (0, "open")


async def test_a_transaction_in_the_mempool_is_not_paid(shop: Shop) -> None:
    invoice = await shop.quoted()
    waiting = "0x" + "e" * 64
    shop.chain.pending.add(waiting)
    pasted = await shop.paste(7, waiting, invoice.id)
    assert (pasted.state, pasted.reason) == ("checking", "not_final")


async def test_a_node_that_is_down_never_means_not_paid(shop: Shop) -> None:
    invoice, sent = await bought(shop)
    shop.chain.down = True
    pasted = await shop.paste(7, sent, invoice.id)
    assert (pasted.state, pasted.reason) == ("checking", "node_down")
    for _ in range(6):
        await shop.tick(600)
        await shop.parts.claiming.check(pasted.id)
    assert (await shop.door.get_claim(user_id=7, claim_id=pasted.id)).state == "checking"
    shop.chain.down = False
    await shop.parts.claiming.check(pasted.id)
    assert (await shop.door.get_claim(user_id=7, claim_id=pasted.id)).state == "credited"
    assert (await shop.see(invoice)).state == "paid"


async def test_nodes_that_contradict_each_other_credit_nothing(shop: Shop) -> None:
    invoice, sent = await bought(shop)
    shop.chain.verdict = "differs"
    await shop.watch()
    assert (await shop.paste(7, sent)).reason == "node_down"
    assert await shop.count("receipts") == 0
    shop.chain.verdict = "agrees"
    await shop.watch()
    assert (await shop.see(invoice)).state == "paid"


async def test_a_large_sum_needs_two_nodes_and_a_small_one_does_not_wait_for_the_second(shop: Shop) -> None:
    small, large = await shop.quoted(7), await shop.quoted(8, quantity=400)
    assert small.quote is not None
    assert large.quote is not None
    shop.chain.verdict = "silent"
    shop.send(small.quote.amount)
    shop.send(large.quote.amount)
    await shop.watch()
    assert ((await shop.see(small)).state, (await shop.see(large)).state) == ("paid", "open")
    shop.chain.verdict = "agrees"
    await shop.watch()
    assert (await shop.see(large)).state == "paid"


async def test_another_node_that_has_not_finalized_it_yet_is_waited_for(shop: Shop) -> None:
    invoice, sent = await bought(shop)
    shop.chain.verdict = "not_final"
    assert (await shop.paste(7, sent)).reason == "not_final"
    assert (await shop.see(invoice)).state == "open"


# 19: races in the database itself


async def test_the_database_refuses_a_second_receipt_of_one_identity(shop: Shop) -> None:
    await bought(shop)
    await shop.watch()
    copy = (
        "INSERT INTO payments.receipts (network, hash, position, asset, amount_raw, usd_cents, rate, state, outcome,"
        " block, block_time, seen_at) SELECT network, hash, position, asset, amount_raw, usd_cents, rate, 'suspense',"
        " 'stray', block, block_time, seen_at FROM payments.receipts"
    )
    with pytest.raises(DBAPIError, match="receipts_identity"):
        async with shop.db.transaction() as tx:
            await tx.conn.execute(text(copy))


FORGETTING = (
    "DELETE FROM payments.receipts",
    "UPDATE payments.receipts SET amount_raw = amount_raw + 1",
    "UPDATE payments.receipts SET state = 'suspense', user_id = NULL, invoice_id = NULL, credited_at = NULL",
    "UPDATE payments.sightings SET state = 'found', judged_at = NULL",
    "DELETE FROM payments.sightings",
    "DELETE FROM payments.invoices",
    "UPDATE payments.invoices SET paid_at = NULL",
)


async def test_the_database_refuses_to_forget_money(shop: Shop) -> None:
    await bought(shop)
    await shop.watch()
    for statement in FORGETTING:
        with pytest.raises(DBAPIError):
            async with shop.db.transaction() as tx:
                await tx.conn.execute(text(statement))


# 21 and 22: what is pasted


async def test_garbage_is_refused_before_it_is_stored(shop: Shop) -> None:
    for pasted in ("'; DROP TABLE payments.claims; --", "<b>x</b>", "\x00", "0x" + "g" * 64, "a" * 9999):
        with pytest.raises(BadHash):
            await shop.paste(7, pasted)
    assert await shop.count("claims") == 0


async def test_an_explorer_address_is_read_and_never_fetched(shop: Shop) -> None:
    _, sent = await bought(shop)
    before = shop.chain.calls
    await shop.door.submit_hash(key="k", user_id=7, text=f"https://bscscan.com/tx/{sent}")
    assert shop.chain.calls == before


# PRODUCT 13


async def test_first_failing_transfer_does_not_drop_the_rest(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    first, broken = await bought(shop, user=7)
    second, _ = await bought(shop, user=8)
    whole = shop.parts.crediting.settle

    async def fails(found: object) -> object:
        if getattr(found, "hash", "") == broken:
            raise RuntimeError("boom")
        return await whole(found)  # type: ignore[arg-type]

    monkeypatch.setattr(shop.parts.crediting, "settle", fails)
    await shop.watch()
    assert ((await shop.see(first)).state, (await shop.see(second)).state) == ("open", "paid")
    monkeypatch.undo()
    await shop.watch()
    assert (await shop.see(first)).state == "paid"
    await shop.sound()


async def test_money_for_us_that_nobody_explains_is_told_and_kept(shop: Shop) -> None:
    sent = shop.send("123.45")
    await shop.watch()
    await shop.watch()
    (stray,) = await shop.events("stray_money")
    assert (stray["amount"], stray["asset"], stray["hash"], stray["user_id"]) == ("123.45", "USDT", sent, None)
    assert await shop.house("suspense") == 12345
    await shop.sound()


async def test_a_native_amount_of_an_invoice_pays_it(shop: Shop) -> None:
    invoice = await shop.quoted(method="bsc:BNB")
    assert invoice.quote is not None
    shop.chain.mine(Movement(0, NATIVE, PAYER, OURS.lower(), raw(invoice.quote.amount)))
    await shop.watch()
    assert (await shop.see(invoice)).paid_with == "bsc:BNB"

"""Attacks on what is looked at: stories of one node, many transfers that wait, networks and coins switched off."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.payments.shop import OURS, PAYER, USDT, FakeChain, Shop, bought, raw, settings
from tests.support.clock import FakeClock
from viralcore.core.db import Database
from viralcore.core.registry import Registry
from viralcore.payments import module
from viralcore.payments.config import PaymentsConfig
from viralcore.payments.domain.chain import NATIVE, ChainTransaction, Movement


def hide(shop: Shop, sent: str, **story: Any) -> ChainTransaction:
    """From now on the node that is asked first tells this of a transfer; returns what it told before."""
    whole = shop.chain.known[sent]
    shop.chain.known[sent] = replace(whole, **story)
    return whole


@pytest.mark.parametrize("story", [{"success": False, "movements": ()}, {"movements": ()}], ids=["failed", "no logs"])
async def test_one_nodes_word_alone_never_ends_money_the_watcher_saw(shop: Shop, story: dict[str, Any]) -> None:
    """One node showed the transfer; another calls it nothing while nobody else answers: it waits."""
    invoice, sent = await bought(shop)

    async def shows_then_lies(*, after: int, limit: int, fresh: int) -> Any:
        scan = await FakeChain.scan(shop.chain, after=after, limit=limit, fresh=fresh)
        if sent in scan.hashes:
            lies.append(hide(shop, sent, **story))
        return scan

    lies: list[ChainTransaction] = []
    shop.chain.scan = shows_then_lies  # type: ignore[method-assign]
    shop.chain.verdict = "silent"
    await shop.watch()
    assert lies
    assert (await shop.paste(7, sent)).reason == "node_down"
    shop.chain.known[sent] = lies[0]
    shop.chain.verdict = "agrees"
    await shop.watch()
    assert (await shop.see(invoice)).state == "paid"
    await shop.sound()


async def test_what_was_judged_to_be_nothing_is_judged_again_when_somebody_shows_it(shop: Shop) -> None:
    """With a single node its word counts once it was given twice. When it knows better, the payer's paste is enough."""
    invoice, sent = await bought(shop)
    shop.chain.nodes = 1
    whole = shop.chain.known[sent]
    scan = await FakeChain.scan(shop.chain, after=1000, limit=100, fresh=0)
    shop.chain.scan = _always(scan)  # type: ignore[method-assign]
    hide(shop, sent, success=False, movements=())
    await shop.watch()
    assert (await shop.paste(7, sent)).reason == "not_final"
    shop.clock.advance(60)
    assert (await shop.paste(7, sent)).reason == "failed"
    shop.chain.known[sent] = whole
    assert (await shop.paste(7, sent)).state == "credited"
    assert ((await shop.see(invoice)).state, await shop.count("receipts")) == ("paid", 1)
    await shop.paste(8, "0x" + "1" * 64)
    await shop.sound()


def _always(answer: Any) -> Any:
    async def scan(**_: Any) -> Any:
        return answer

    return scan


async def test_finance_hears_of_what_lies_beside_money_that_was_explained(shop: Shop) -> None:
    """One transaction, one part the paster's and one nobody's: the second is told although the paste ended well."""
    mine = await shop.quoted(7)
    assert mine.quote is not None
    await shop.door.submit_hash(key="early", user_id=7, text="0x" + f"{1:064x}", invoice_id=mine.id)
    sent = shop.chain.mine(
        Movement(4, USDT, PAYER, OURS.lower(), raw(mine.quote.amount)),
        Movement(9, USDT, PAYER, OURS.lower(), raw("444")),
        contract_call=True,
    )
    await shop.watch()
    (stray,) = await shop.events("stray_money")
    assert (stray["hash"], stray["amount"]) == (sent, "444")
    assert (await shop.see(mine)).state == "paid"
    await shop.sound()


@pytest.mark.parametrize("pasted", [False, True])
async def test_finance_hears_of_each_of_two_strays_in_one_transaction_once(shop: Shop, pasted: bool) -> None:
    if pasted:
        await shop.door.submit_hash(key="early", user_id=7, text="0x" + f"{1:064x}")
    shop.chain.mine(
        Movement(0, NATIVE, PAYER, OURS.lower(), raw("0.5")), Movement(9, USDT, PAYER, OURS.lower(), raw("444"))
    )
    await shop.watch()
    strays = await shop.events("stray_money")
    assert sorted((each["asset"], each["amount"]) for each in strays) == [("BNB", "0.5"), ("USDT", "444")]
    assert {each["user_id"] for each in strays} == {7 if pasted else None}
    await shop.watch()
    assert len(await shop.events("stray_money")) == 2


async def test_dust_beside_a_stray_hides_nothing(shop: Shop) -> None:
    claim = await shop.door.submit_hash(key="early", user_id=7, text="0x" + f"{1:064x}")
    shop.chain.mine(Movement(0, NATIVE, PAYER, OURS.lower(), 5), Movement(9, USDT, PAYER, OURS.lower(), raw("444")))
    await shop.watch()
    assert [each["amount"] for each in await shop.events("stray_money")] == ["444"]
    decided = await shop.door.get_claim(user_id=7, claim_id=claim.id)
    assert (decided.state, decided.reason) == ("suspense", "no_invoice")


def without(**changes: Any) -> PaymentsConfig:
    """The settings, with fields of the network or of an asset changed."""
    table = settings().model_dump()
    for path, value in changes.items():
        at = table["networks"]["bsc"]
        *way, last = path.split("__")
        for step in way:
            at = at[step]
        at[last] = value
    return PaymentsConfig.model_validate(table)


async def test_late_money_in_a_coin_that_was_switched_off_is_still_worth_something(
    database: Database, clock: FakeClock, registry: Registry
) -> None:
    before = await Shop(database, clock, registry).start()
    invoice = await before.quoted(method="bsc:BNB")
    assert invoice.quote is not None
    off = Shop(database, clock, registry, config=without(assets__BNB__enabled=False), chain=before.chain)
    await off.tick(3 * 3600)
    off.send(invoice.quote.amount, "BNB")
    off.send("0.25", "BNB")
    await off.tick(60)
    assert await off.wallet() + 1500 * ((await off.see(invoice)).state == "paid") >= 1500
    assert [each["amount"] for each in await off.events("stray_money")] == ["0.25"]
    assert [method.code for method in await off.door.methods()] == ["bsc:USDT", "wallet"]


async def test_a_hash_pasted_on_a_network_without_nodes_is_still_being_checked(
    database: Database, clock: FakeClock, registry: Registry
) -> None:
    shop = await Shop(database, clock, registry).start()
    _, sent = await bought(shop)
    claim = await shop.door.submit_hash(key="k", user_id=7, text=sent)
    alone = module.assemble(
        db=database,
        clock=clock,
        ledger=shop.ledger,
        users=shop.users,  # type: ignore[arg-type]
        config=shop.config,
        chains={},
        first=shop.coingecko,
        second=shop.binance,
    )
    assert await alone.parts.claiming.check(claim.id) is not None
    waiting = await shop.door.get_claim(user_id=7, claim_id=claim.id)
    assert (waiting.state, waiting.reason) == ("checking", "node_down")
    assert "bsc:USDT" not in [method.code for method in await alone.service.methods()]


async def test_transfers_that_cannot_be_judged_never_starve_the_others(
    database: Database, clock: FakeClock, registry: Registry
) -> None:
    config = settings(watcher__settle_per_run=3)
    shop = await Shop(database, clock, registry, config=config).start()
    poison = {shop.send("1") for _ in range(6)}
    invoice, _ = await bought(shop, user=8)
    whole = shop.parts.crediting.settle

    async def fails(found: Any) -> Any:
        if found.hash in poison:
            raise RuntimeError("boom")
        return await whole(found)

    shop.parts.crediting.settle = fails  # type: ignore[method-assign]
    for each in [shop.send("2") for _ in range(6)]:
        poison.add(each)
    later, _ = await bought(shop, user=9)
    for _ in range(6):
        clock.advance(10)
        await shop.watch()
    assert ((await shop.see(invoice)).state, (await shop.see(later)).state) == ("paid", "paid")


async def test_a_large_sum_in_small_parts_is_a_large_sum(shop: Shop) -> None:
    """Two nodes are needed for what a transaction brings together, however it is cut."""
    shop.chain.verdict = "silent"
    shop.chain.mine(*(Movement(at, USDT, PAYER, OURS.lower(), raw("100")) for at in range(1, 6)))
    await shop.watch()
    assert await shop.count("receipts") == 0
    shop.chain.mine(Movement(1, USDT, PAYER, OURS.lower(), raw("99.99")))
    await shop.watch()
    assert await shop.house("suspense") == int(Decimal("99.99") * 100)


async def test_a_large_sum_seen_by_the_only_node_is_read_again_after_a_minute(shop: Shop) -> None:
    shop.chain.nodes = 1
    invoice = await shop.quoted(quantity=100)
    assert invoice.quote is not None
    sent = shop.send(invoice.quote.amount)
    await shop.watch()
    shop.clock.advance(50)
    await shop.watch()
    assert (await shop.see(invoice)).state == "open"
    shop.clock.advance(10)
    await shop.watch()
    assert (await shop.see(invoice)).state == "paid"
    other, changed = await shop.quoted(8, quantity=100), shop.chain.known[sent]
    assert other.quote is not None
    late = shop.send(other.quote.amount)
    await shop.watch()
    shop.chain.known[late] = replace(shop.chain.known[late], block_time=changed.block_time)
    shop.clock.advance(60)
    await shop.watch()
    assert (await shop.see(other)).state == "open", "it told another story: the minute begins anew"
    await shop.sound()

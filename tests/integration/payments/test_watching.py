"""The watcher: a cursor without gaps, after any downtime, at a bounded cost."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.integration.payments.shop import FakeChain, Shop, settings
from tests.support.clock import FakeClock
from viralcore.core.db import Database
from viralcore.core.registry import Registry
from viralcore.payments.api import MethodUnavailable


async def cursor(shop: Shop) -> Any:
    async with shop.db.read() as conn:
        return (await conn.execute(text("SELECT first_block, block FROM payments.cursors"))).one_or_none()


async def test_it_begins_at_the_finalized_block(shop: Shop) -> None:
    assert tuple(await cursor(shop)) == (1000, 1000)


async def test_nothing_is_offered_before_the_chain_was_read(
    database: Database, clock: FakeClock, registry: Registry
) -> None:
    shop = Shop(database, clock, registry)
    await shop.parts.pricing.refresh()
    shop.chain.down = True
    await shop.watch()
    assert [method.code for method in await shop.door.methods()] == ["wallet"]
    invoice = await shop.open()
    with pytest.raises(MethodUnavailable) as caught:
        await shop.choose(invoice)
    assert caught.value.fields["reason"] == "starting"
    shop.chain.down = False
    await shop.watch()
    assert [method.code for method in await shop.door.methods()] == ["bsc:USDT", "bsc:BNB", "wallet"]


async def test_downtime_is_read_back_in_bounded_runs_without_a_gap(
    database: Database, clock: FakeClock, registry: Registry
) -> None:
    config = settings(networks__bsc__span_per_call=10, networks__bsc__span_per_run=40)
    shop = await Shop(database, clock, registry, config=config).start()
    invoice = await shop.quoted()
    assert invoice.quote is not None
    shop.chain.height = shop.chain.final = 1095
    shop.send(invoice.quote.amount)
    at = []
    for _ in range(4):
        await shop.watch()
        at.append((await cursor(shop)).block)
    assert at == [1040, 1080, 1096, 1096]
    assert (await shop.see(invoice)).state == "paid"


async def test_an_outage_moves_nothing_and_the_next_run_goes_on(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    shop.send(invoice.quote.amount)
    shop.chain.down = True
    await shop.watch()
    assert (await cursor(shop)).block == 1000
    shop.chain.down = False
    await shop.watch()
    assert (await shop.see(invoice)).state == "paid"


async def test_many_open_invoices_cost_the_same_calls(shop: Shop) -> None:
    async def cost() -> int:
        before = shop.chain.calls
        await shop.watch()
        return shop.chain.calls - before

    few = await cost()
    for user in range(1, 31):
        await shop.quoted(user)
    assert await cost() == few


async def test_a_network_that_is_slow_to_read_goes_on_in_the_next_run(
    database: Database, clock: FakeClock, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings(networks__bsc__span_per_call=10, networks__bsc__span_per_run=400)
    shop = await Shop(database, clock, registry, config=config).start()
    shop.chain.height = shop.chain.final = 1100
    seconds = count(0, 30)
    monkeypatch.setattr("viralcore.payments.service.watching.monotonic", lambda: next(seconds))
    await shop.watch()
    assert (await cursor(shop)).block == 1010
    await shop.watch()
    assert (await cursor(shop)).block == 1020


class Died(BaseException):
    """Nothing in the product catches it."""


async def test_a_crash_between_cursor_and_judgement_loses_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    shop.send(invoice.quote.amount)

    async def dies(network: str) -> None:
        raise Died

    monkeypatch.setattr(shop.parts.watcher, "_judge", dies)
    with pytest.raises(Died):
        await shop.watch()
    assert (await cursor(shop)).block == 1001
    monkeypatch.undo()
    await shop.watch()
    assert (await shop.see(invoice)).state == "paid"
    await shop.sound()


async def test_a_crash_inside_the_crediting_transaction_leaves_nothing_behind(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Die before each statement of it in turn, then once let it live."""
    invoice = await shop.quoted()
    assert invoice.quote is not None
    sent = shop.send(invoice.quote.amount)
    claim = await shop.door.submit_hash(key="k", user_id=7, text=sent)
    whole = AsyncConnection.execute

    def dying_at(which: int) -> Any:
        calls = 0

        async def execute(self: Any, *args: Any, **named: Any) -> Any:
            nonlocal calls
            calls += "payments" in str(args[0]) or "ledger" in str(args[0])
            if calls == which:
                raise KeyboardInterrupt
            return await whole(self, *args, **named)

        return execute

    die_at = 0
    while True:
        die_at += 1
        found = await shop.parts.verifier.look("bsc", sent)
        monkeypatch.setattr(AsyncConnection, "execute", dying_at(die_at))
        try:
            await shop.parts.crediting.settle(found)  # type: ignore[arg-type]
        except KeyboardInterrupt:
            monkeypatch.undo()
            assert await shop.count("receipts") == 0
            assert (await shop.see(invoice)).state == "open"
            assert (await shop.door.get_claim(user_id=7, claim_id=claim.id)).state == "checking"
            assert await shop.wallet() == 0
            continue
        monkeypatch.undo()
        break
    assert die_at > 8
    assert ((await shop.see(invoice)).state, await shop.credits(), await shop.count("receipts")) == ("paid", 10, 1)
    await shop.sound()


async def test_two_watchers_at_once_judge_each_transfer_once(
    database: Database, clock: FakeClock, registry: Registry
) -> None:
    chain = FakeChain(clock)
    one = await Shop(database, clock, registry, chain=chain).start()
    two = await Shop(database, clock, registry, chain=chain).start()
    invoices = [await one.quoted(user) for user in range(1, 9)]
    for invoice in invoices:
        assert invoice.quote is not None
        one.send(invoice.quote.amount)
    await asyncio.gather(one.watch(), two.watch(), one.watch(), two.watch())
    await one.watch()
    assert [(await one.see(invoice)).state for invoice in invoices] == ["paid"] * 8
    assert await one.count("receipts") == 8
    await one.sound()


async def test_what_the_watcher_missed_is_found_by_its_hash(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    sent = shop.send(invoice.quote.amount)
    shop.chain.hidden.add(sent)
    await shop.watch()
    assert (await shop.see(invoice)).state == "open"
    assert (await shop.paste(7, sent)).state == "credited"


async def test_what_was_seen_and_never_became_final_is_forgotten(shop: Shop) -> None:
    invoice = await shop.quoted()
    assert invoice.quote is not None
    shop.send(invoice.quote.amount, final=False)
    await shop.watch()
    assert await shop.count("sightings") == 1
    shop.chain.known.clear()
    await shop.tick(25 * 3600)
    assert await shop.count("sightings") == 0

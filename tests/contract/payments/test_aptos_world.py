"""Payments, as bootstrap builds it, against the simulated Aptos and price sources over real loopback HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.contract.payments.world_shop import WorldShop, shop_on
from tests.support.clock import FakeClock
from tests.support.worlds import seeded
from viralcore.core import http
from viralcore.core.db import Database
from viralcore.core.registry import Registry
from viralcore.sandbox.worlds.aptos import AptosWorld
from viralcore.sandbox.worlds.faults import OUTAGES

FINAL = 10
OUTSIDE = "0x" + "d2" * 32
OTHER_ASSET = "0xbae207659db88bea0cbead6da0ed00aac12edcdda169e591cd41c94180b46f3b"


@pytest.fixture
async def shop(
    database: Database, clock: FakeClock, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[WorldShop]:
    monkeypatch.setattr(http, "ATTEMPTS", 1)
    async with shop_on(AptosWorld(clock.now, seeded()), database, clock, registry) as made:
        yield made


async def test_a_purchase_with_usdt_and_one_with_apt(shop: WorldShop) -> None:
    offered = [method.code for method in await shop.payments.service.methods()]
    assert offered == ["aptos:USDT", "aptos:APT", "wallet"]
    tokens, coins, second = await shop.quoted(7), await shop.quoted(8, "APT"), await shop.quoted(9)
    await shop.send(tokens)
    await shop.send(coins)
    await shop.send(second)
    await shop.turn(FINAL)
    assert [await shop.state(one) for one in (tokens, coins, second)] == ["paid"] * 3
    await shop.turn(60)
    assert shop.world.pending(shop.clock.now()) == []
    await shop.books_agree()


async def test_finality_by_hand(shop: WorldShop) -> None:
    invoice = await shop.quoted(7)
    sent = await shop.send(invoice, final=False)
    await shop.turn(600)
    assert (await shop.paste(7, f"https://explorer.aptoslabs.com/txn/{sent}?network=mainnet")).reason == "not_final"
    await shop.release(sent)
    await shop.turn(FINAL)
    assert await shop.state(invoice) == "paid"
    await shop.books_agree()


async def test_every_odd_transfer_is_booked_as_the_chain_knows_it(shop: WorldShop) -> None:
    failed, fake, parts = [await shop.quoted(user) for user in range(1, 4)]
    broke = await shop.quoted(5, "APT")
    await shop.send(failed, final=True, failed=True)
    await shop.send(broke, final=True, failed=True)
    await shop.send(fake, final=True, contract=OTHER_ASSET)
    await shop.send(parts, final=True, parts=3)
    await shop.send(asset="USDT", amount="33.3", final=True, change="3.3")
    await shop.send(asset="APT", amount="1", final=True)
    await shop.turn(FINAL)
    states = [await shop.state(invoice) for invoice in (failed, broke, fake, parts)]
    assert states == ["open", "open", "open", "paid"]
    await shop.books_agree()
    assert await shop.suspense() == 3000 + 512


async def test_what_we_send_ourselves_hides_nothing_that_came_beside_it(shop: WorldShop) -> None:
    """The same amount comes and goes between two looks, in both assets, and some of it only around."""
    tokens, coins, after = await shop.quoted(7), await shop.quoted(8, "APT"), await shop.quoted(9)
    assert tokens.quote is not None
    assert coins.quote is not None
    ours = {"from": shop.world.address, "final": True}
    await shop.send(tokens, final=True)
    await shop.send(coins, final=True)
    await shop.send(asset="USDT", amount=str(tokens.quote.amount), to=OUTSIDE, **ours)
    await shop.send(asset="APT", amount=str(coins.quote.amount), to=OUTSIDE, **ours)
    await shop.send(asset="USDT", amount="5", **ours)
    await shop.send(after, final=True)
    await shop.turn(FINAL)
    assert [await shop.state(one) for one in (tokens, coins, after)] == ["paid"] * 3
    await shop.books_agree()
    assert await shop.suspense() == 0


async def test_short_is_given_to_who_pastes_it_and_long_ago_is_nobodys(shop: WorldShop) -> None:
    short, old = await shop.quoted(7), await shop.quoted(8, price="9.00")
    assert short.quote is not None
    sent = await shop.send(short, amount=str(short.quote.amount - 1), final=True)
    past = await shop.send(old, final=True, age_seconds=900)
    await shop.turn(FINAL)
    assert (await shop.state(short), await shop.state(old)) == ("open", "open")
    await shop.paste(7, sent)
    assert await shop.wallet(7) == 1400
    assert (await shop.paste(8, past)).reason == "too_old"


@pytest.mark.parametrize("outage", [*OUTAGES, "rate_limit"])
async def test_one_broken_node_is_not_noticed(shop: WorldShop, outage: str) -> None:
    await shop.faults(node=0, outage=outage)
    invoice = await shop.quoted(7)
    await shop.send(invoice, final=True)
    await shop.turn(10)
    assert await shop.state(invoice) == "paid"


@pytest.mark.parametrize("asset", ["USDT", "APT"])
@pytest.mark.parametrize("node", [0, 1])
@pytest.mark.parametrize("lie", ["missing", "inflated", "early"])
async def test_one_lying_node_makes_no_wrong_credit(shop: WorldShop, lie: str, node: int, asset: str) -> None:
    invoice = await shop.quoted(7, asset, "20.00")
    await shop.faults(node=node, lie=lie)
    sent = await shop.send(invoice, final=lie != "early")
    await shop.turn(10)
    assert await shop.state(invoice) == "open"
    assert await shop.wallet(7) == await shop.suspense() == 0
    await shop.faults(node=node, lie="")
    await shop.release(sent)
    await shop.turn(60)
    assert await shop.state(invoice) == "paid"
    await shop.books_agree()


async def test_a_long_downtime_is_read_back(shop: WorldShop) -> None:
    invoices = [await shop.quoted(user, "APT" if user % 2 else "USDT") for user in range(1, 7)]
    for invoice in invoices:
        await shop.send(invoice, final=True)
        for _ in range(10):
            shop.clock.advance(4)
            await shop.world.tick(shop.clock.now())
    shop.clock.advance(2 * 86400)
    for _ in range(6):
        await shop.turn(10)
    await shop.books_agree()
    assert [await shop.state(invoice) for invoice in invoices] == ["paid"] * 6

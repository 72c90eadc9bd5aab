"""Payments, as bootstrap builds it, against the simulated Solana and Aptos over real loopback HTTP.

Tron, whose finality takes a minute and whose bytes cannot be forged, has tests of its own beside these.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.contract.payments.world_shop import WorldShop, shop_on
from tests.support.clock import FakeClock
from tests.support.worlds import seeded
from viralcore.core import http
from viralcore.core.db import Database
from viralcore.core.registry import Registry
from viralcore.sandbox.worlds.aptos import AptosWorld
from viralcore.sandbox.worlds.faults import OUTAGES
from viralcore.sandbox.worlds.solana import SolanaWorld
from viralcore.sandbox.worlds.solana_node import OUTAGES_OF_HISTORY

FINAL = 16


@dataclass(frozen=True)
class Facts:
    """What differs. `worthless`: another token; `one_coin`: cents one coin is worth; `explorer`: before and after a
    hash; `outside`: somebody's address."""

    world: Any
    coin: str
    worthless: str
    one_coin: int
    explorer: tuple[str, str]
    outside: str


NETWORKS = {
    "solana": Facts(
        SolanaWorld,
        "SOL",
        "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
        15240,
        ("https://solscan.io/tx/", ""),
        "9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM",
    ),
    "aptos": Facts(
        AptosWorld,
        "APT",
        "0xbae207659db88bea0cbead6da0ed00aac12edcdda169e591cd41c94180b46f3b",
        512,
        ("https://explorer.aptoslabs.com/txn/", "?network=mainnet"),
        "0x" + "d2" * 32,
    ),
}
BROKEN = [
    *(("solana", outage) for outage in (*OUTAGES, "rate_limit", "behind", *OUTAGES_OF_HISTORY)),
    *(("aptos", outage) for outage in (*OUTAGES, "rate_limit")),
]


@pytest.fixture
def network(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def facts(network: str) -> Facts:
    return NETWORKS[network]


@pytest.fixture
async def shop(
    facts: Facts, database: Database, clock: FakeClock, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[WorldShop]:
    monkeypatch.setattr(http, "ATTEMPTS", 1)
    async with shop_on(facts.world(clock.now, seeded()), database, clock, registry) as made:
        yield made


both = pytest.mark.parametrize("network", sorted(NETWORKS), indirect=True)


@both
async def test_a_purchase_with_usdt_and_one_with_coins(shop: WorldShop, facts: Facts, network: str) -> None:
    """On Solana the first payment with a token creates the account it lands in; on Aptos what is there is final."""
    offered = [method.code for method in await shop.payments.service.methods()]
    assert offered == [f"{network}:USDT", f"{network}:{facts.coin}", "wallet"]
    tokens, coins, second = await shop.quoted(7), await shop.quoted(8, facts.coin), await shop.quoted(9)
    await shop.send(tokens)
    await shop.send(coins)
    await shop.send(second)
    await shop.turn(1)
    before = ["paid" if network == "aptos" else "open"] * 3
    assert [await shop.state(one) for one in (tokens, coins, second)] == before
    await shop.turn(FINAL)
    assert [await shop.state(one) for one in (tokens, coins, second)] == ["paid"] * 3
    await shop.turn(60)
    assert shop.world.pending(shop.clock.now()) == []
    await shop.books_agree()


@both
async def test_finality_by_hand(shop: WorldShop, facts: Facts) -> None:
    invoice = await shop.quoted(7)
    sent = await shop.send(invoice, final=False)
    await shop.turn(600)
    assert (await shop.paste(7, sent.join(facts.explorer))).reason == "not_final"
    await shop.release(sent)
    await shop.turn(FINAL)
    assert await shop.state(invoice) == "paid"
    await shop.books_agree()


@both
async def test_every_odd_transfer_is_booked_as_the_chain_knows_it(shop: WorldShop, facts: Facts) -> None:
    failed, fake, parts = [await shop.quoted(user) for user in range(1, 4)]
    broke = await shop.quoted(5, facts.coin)
    await shop.send(failed, final=True, failed=True)
    await shop.send(broke, final=True, failed=True)
    await shop.send(fake, final=True, contract=facts.worthless)
    await shop.send(parts, final=True, parts=3)
    await shop.send(asset="USDT", amount="33.3", final=True, change="3.3")
    await shop.send(asset=facts.coin, amount="1", final=True)
    await shop.turn(FINAL)
    states = [await shop.state(invoice) for invoice in (failed, broke, fake, parts)]
    assert states == ["open", "open", "open", "paid"]
    await shop.books_agree()
    assert await shop.suspense() == 3000 + facts.one_coin


@both
async def test_what_we_send_ourselves_hides_nothing_that_came_beside_it(shop: WorldShop, facts: Facts) -> None:
    """The same amount comes and goes between two looks, in both assets, and some of it only around."""
    tokens, coins, after = await shop.quoted(7), await shop.quoted(8, facts.coin), await shop.quoted(9)
    assert tokens.quote is not None
    assert coins.quote is not None
    ours = {"from": shop.world.address, "final": True}
    await shop.send(tokens, final=True)
    await shop.send(coins, final=True)
    await shop.send(asset="USDT", amount=str(tokens.quote.amount), to=facts.outside, **ours)
    await shop.send(asset=facts.coin, amount=str(coins.quote.amount), to=facts.outside, **ours)
    await shop.send(asset="USDT", amount="5", **ours)
    await shop.send(after, final=True)
    await shop.turn(FINAL)
    assert [await shop.state(one) for one in (tokens, coins, after)] == ["paid"] * 3
    await shop.books_agree()
    assert await shop.suspense() == 0


@both
async def test_short_is_given_to_who_pastes_it_and_long_ago_is_nobodys(shop: WorldShop, facts: Facts) -> None:
    short, old = await shop.quoted(7), await shop.quoted(8, price="9.00")
    assert short.quote is not None
    sent = await shop.send(short, amount=str(short.quote.amount - 1), final=True)
    past = await shop.send(old, final=True, age_seconds=900)
    await shop.turn(FINAL)
    assert (await shop.state(short), await shop.state(old)) == ("open", "open")
    await shop.paste(7, sent)
    assert await shop.wallet(7) == 1400
    assert (await shop.paste(8, past)).reason == "too_old"


@pytest.mark.parametrize(("network", "outage"), BROKEN, indirect=["network"])
async def test_one_broken_node_is_not_noticed(shop: WorldShop, outage: str) -> None:
    await shop.faults(node=0, outage=outage)
    invoice = await shop.quoted(7)
    await shop.send(invoice, final=True)
    await shop.turn(10)
    assert await shop.state(invoice) == "paid"


@both
@pytest.mark.parametrize("kind", ["token", "coin"])
@pytest.mark.parametrize("node", [0, 1])
@pytest.mark.parametrize("lie", ["missing", "inflated", "early"])
async def test_one_lying_node_makes_no_wrong_credit(
    shop: WorldShop, lie: str, node: int, kind: str, facts: Facts
) -> None:
    invoice = await shop.quoted(7, "USDT" if kind == "token" else facts.coin, "20.00")
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


@both
async def test_a_long_downtime_is_read_back(shop: WorldShop, facts: Facts) -> None:
    invoices = [await shop.quoted(user, facts.coin if user % 2 else "USDT") for user in range(1, 7)]
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

"""Payments, as bootstrap builds it, with two scripted Tron nodes behind real HTTP."""

from __future__ import annotations

import json
import tomllib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.contract.payments.tron_nodes import OURS_SHOWN, Tron, body, call, coins, info, log, native_row, token_row
from tests.integration.payments.shop import SETTINGS, FakeUsers
from tests.support.clock import FakeClock
from tests.support.worlds import seeded, served
from viralcore.core import http
from viralcore.core.db import Database
from viralcore.core.http import Answer, HttpClients
from viralcore.core.registry import Registry
from viralcore.ledger import module as ledger_module
from viralcore.ledger.api import house_account, user_account
from viralcore.payments import module
from viralcore.payments.api import Grant, InvoiceView, Item
from viralcore.payments.config import PaymentsConfig
from viralcore.sandbox.worlds.prices import PricesWorld

KEY = "grid-key-of-a-test"


def served_as(told: Tron) -> Starlette:
    """The script behind real HTTP. Without the key nobody is answered."""

    async def answer(request: Request) -> Response:
        if request.headers.get("TRON-PRO-API-KEY") != KEY:
            return JSONResponse({"Error": "ApiKey not exists"}, 403)
        numbers = ("limit", "min_timestamp", "max_timestamp")
        query = {name: int(text) if name in numbers else text for name, text in request.query_params.items()}
        asked = query if request.method == "GET" else json.loads(await request.body())
        told.asked.append((request.url.path, asked))
        said = told.whole or told.say(request.url.path.removeprefix("/"), asked)
        return JSONResponse(said.body, said.status) if isinstance(said, Answer) else JSONResponse(said)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])


@dataclass
class TronShop:
    clock: FakeClock
    nodes: list[Tron]
    payments: module.Payments
    ledger: Any
    salts: list[int] = field(default_factory=list)

    @property
    def now(self) -> int:
        """Milliseconds, as blocks have them: every three seconds."""
        return int(self.clock.now().timestamp()) // 3 * 3000

    async def turn(self, seconds: float) -> None:
        """Turn the clock; blocks are solid a minute later; every job runs."""
        self.clock.advance(seconds)
        for told in self.nodes:
            told.solid, told.head = self.now - 57_000, self.now
        for job in sorted(self.payments.jobs, key=lambda job: job.order):
            await job.run()

    async def quoted(self, user: int, asset: str, price: str = "1.50") -> InvoiceView:
        invoice = await self.payments.service.open_invoice(
            key=f"open{user}",
            user_id=user,
            item=Item("credits", "t3", "X Tier 3"),
            quantity=10,
            unit_price=Decimal(price),
            grants=(Grant("t3", 10, Decimal(price)),),
        )
        return await self.payments.service.choose_method(
            key=f"method{user}", user_id=user, invoice_id=invoice.id, method=f"tron:{asset}"
        )

    def pay(self, asset: str, amount: int, *, nodes: Any = None, result: str = "SUCCESS", **more: Any) -> str:
        """A transfer in the block of this moment, told by these nodes."""
        self.salts.append(1)
        salt, at = len(self.salts), self.now
        told = body(coins(amount, salt=salt) if asset == "TRX" else call(salt=salt), result=result)
        logs = [] if asset == "TRX" or result != "SUCCESS" else [log(amount, **more)]
        for each in self.nodes if nodes is None else nodes:
            each.add(told, info(told, at, *logs), at)
            if asset == "TRX":
                each.coins.append(native_row(amount, at, salt=salt))
            else:
                each.tokens.append(token_row(told["txID"], at, value=str(amount), to=OURS_SHOWN))
        return str(told["txID"])

    async def state(self, invoice: InvoiceView) -> str:
        view = await self.payments.service.get_invoice(user_id=invoice.user_id, invoice_id=invoice.id)
        return view.state

    async def sound(self, *hashes: str) -> None:
        """The ledger is balanced, and exactly these transactions are booked."""
        assert await self.ledger.check() == ()
        assert sorted(receipt.hash for receipt in await self.payments.service.receipts()) == sorted(hashes)


def raw(invoice: InvoiceView) -> int:
    assert invoice.quote is not None
    return int(invoice.quote.amount.scaleb(6))


@pytest.fixture
async def shop(
    database: Database, clock: FakeClock, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[TronShop]:
    monkeypatch.setattr(http, "ATTEMPTS", 1)  # how often one node is asked again is tested where it is done
    nodes, prices = [Tron(), Tron()], PricesWorld(clock.now, seeded())
    async with AsyncExitStack() as stack:
        urls = [await stack.enter_async_context(served(served_as(told))) for told in nodes]
        told = prices.environment(await stack.enter_async_context(served(prices.app)))
        table = tomllib.loads(SETTINGS.read_text())
        table["networks"]["tron"] |= {"requests_per_second": 2000, "read_seconds": 1, "breaker_failures": 1000}
        config = PaymentsConfig.model_validate(
            {
                **table,
                "tron_api_url": urls,
                "trx_deposit_address": OURS_SHOWN,
                "trx_grid_api_key": KEY,
                "coingecko_base_url": told["COINGECKO_BASE_URL"],
                "cm_api_key": told["CM_API_KEY"],
                "price_second_base_url": told["PRICE_SECOND_BASE_URL"],
            }
        )
        clients = HttpClients(clock)
        stack.push_async_callback(clients.close)
        ledger = ledger_module.build(database).service
        users: Any = FakeUsers()
        payments = module.build(db=database, clock=clock, ledger=ledger, users=users, http=clients, config=config)
        registry.add_kinds(*payments.effects)
        made = TronShop(clock, nodes, payments, ledger)
        await made.turn(0)
        await made.turn(120)
        yield made


async def test_tokens_and_coins_are_credited_once_they_are_solid(shop: TronShop) -> None:
    offered = [method.code for method in await shop.payments.service.methods()]
    assert offered == ["tron:USDT", "tron:TRX", "wallet"]
    tokens, tron = await shop.quoted(7, "USDT"), await shop.quoted(8, "TRX")
    first, second = shop.pay("USDT", raw(tokens)), shop.pay("TRX", raw(tron))
    await shop.turn(30)
    assert (await shop.state(tokens), await shop.state(tron)) == ("open", "open")
    await shop.turn(40)
    assert (await shop.state(tokens), await shop.state(tron)) == ("paid", "paid")
    for _ in range(3):
        await shop.turn(60)
    await shop.sound(first, second)


async def test_short_fake_failed_and_dust(shop: TronShop) -> None:
    short, fake, failed = [await shop.quoted(user, "USDT", f"{user}.50") for user in (1, 2, 3)]
    part = shop.pay("USDT", raw(short) - 1_000_000)
    shop.pay("USDT", raw(fake), token="41" + "6" * 40)
    shop.pay("USDT", raw(failed), result="OUT_OF_ENERGY")
    dust = shop.pay("TRX", 1)
    await shop.turn(70)
    assert [await shop.state(each) for each in (short, fake, failed)] == ["open"] * 3
    await shop.sound(part, dust)
    suspense = await shop.ledger.balance(account=house_account("suspense"))
    assert suspense.balance == 1400
    claim = await shop.payments.service.submit_hash(key="paste", user_id=1, text=part)
    await shop.payments.parts.claiming.check(claim.id)
    assert (await shop.ledger.balance(account=user_account(1, "wallet"))).balance == 1400


@pytest.mark.parametrize("node", [0, 1])
async def test_one_node_down_is_not_noticed(shop: TronShop, node: int) -> None:
    shop.nodes[node].whole = Answer(429, {"Error": "the query server is suspended for 30 s"}, {})
    invoice = await shop.quoted(7, "TRX")
    sent = shop.pay("TRX", raw(invoice))
    await shop.turn(70)
    assert await shop.state(invoice) == "paid"
    await shop.sound(sent)


@pytest.mark.parametrize("node", [0, 1])
async def test_a_node_that_invents_or_hides_a_transfer_is_not_believed(shop: TronShop, node: int) -> None:
    invented, hidden = await shop.quoted(7, "USDT", "20.00"), await shop.quoted(8, "USDT", "20.00")
    shop.pay("USDT", raw(invented), nodes=[shop.nodes[node]])
    sent = shop.pay("USDT", raw(hidden))
    shop.nodes[node].tokens = [row for row in shop.nodes[node].tokens if row["transaction_id"] != sent]
    await shop.turn(70)
    assert (await shop.state(invented), await shop.state(hidden)) == ("open", "paid")
    await shop.sound(sent)


async def test_a_list_behind_the_chain_and_a_long_sleep_lose_nothing(shop: TronShop) -> None:
    late, slept = await shop.quoted(7, "USDT"), await shop.quoted(8, "TRX")
    for told in shop.nodes:
        told.index = shop.now - 3000
    first = shop.pay("USDT", raw(late))
    await shop.turn(90)
    assert await shop.state(late) == "open"
    for told in shop.nodes:
        told.index = 1 << 42
    await shop.turn(60)
    assert await shop.state(late) == "paid"
    second = shop.pay("TRX", raw(slept))
    shop.clock.advance(timedelta(days=3).total_seconds())
    for _ in range(8):
        await shop.turn(10)
    await shop.sound(first, second)


async def test_a_pasted_hash_is_found_before_the_lists_know_it(shop: TronShop) -> None:
    invoice = await shop.quoted(7, "TRX")
    sent = shop.pay("TRX", raw(invoice))
    for told in shop.nodes:
        told.coins.clear()
    claim = await shop.payments.service.submit_hash(
        key="paste", user_id=7, text=f"https://tronscan.org/#/transaction/{sent}"
    )
    await shop.payments.parts.claiming.check(claim.id)
    assert (await shop.payments.service.get_claim(user_id=7, claim_id=claim.id)).reason == "not_final"
    await shop.turn(70)
    await shop.payments.parts.claiming.check(claim.id)
    assert await shop.state(invoice) == "paid"
    await shop.sound(sent)

"""Payments, as bootstrap builds it, against two Solana nodes over real loopback HTTP: what is paid, and what is not."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tests.contract.payments.solana_nodes import ACCOUNT, FAKE, OURS, USDT, Slots, held, key, sig, transaction
from tests.integration.payments.shop import SETTINGS, FakeUsers
from tests.support.clock import FakeClock
from tests.support.worlds import seeded, served
from viralcore.core import http
from viralcore.core.db import Database
from viralcore.core.http import HttpClients
from viralcore.core.registry import Registry
from viralcore.ledger import module as ledger_module
from viralcore.ledger.api import house_account, user_account
from viralcore.payments import module
from viralcore.payments.api import ClaimView, Grant, InvoiceView, Item
from viralcore.payments.config import PaymentsConfig
from viralcore.sandbox.worlds.prices import PricesWorld

DECIMALS = {"USDT": 6, "SOL": 9}


class Served(Slots):
    """The scripted node behind a socket. `fault`: how it fails."""

    def __init__(self) -> None:
        super().__init__()
        self.fault = ""
        self.asked = 0
        self.app = Starlette(routes=[Route("/", self.answer, methods=["POST"])])

    async def answer(self, request: Request) -> Response:
        call = await request.json()
        self.asked += 1
        if self.fault == "html":
            return HTMLResponse("<html>soon</html>")
        if self.fault:
            body = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32005, "message": "Node is behind"}}
            return JSONResponse(body, status_code=int(self.fault))
        return JSONResponse({**self(call["method"], call["params"]), "id": call["id"]})


@dataclass
class Shop:
    clock: FakeClock
    nodes: tuple[Served, Served]
    payments: module.Payments
    ledger: Any
    numbers: int = 0
    held: dict[str, int] = field(default_factory=lambda: {"USDT": 10**6, "SOL": 10**9})

    async def turn(self, seconds: float = 10) -> None:
        self.clock.advance(seconds)
        for each in self.nodes:
            each.final += int(seconds / 0.4)
            each.latest = each.final + 32
        await self.run()

    async def run(self) -> None:
        for job in sorted(self.payments.jobs, key=lambda job: job.order):
            await job.run()

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    async def quoted(self, user: int, coin: str = "USDT", quantity: int = 10) -> InvoiceView:
        invoice = await self.payments.service.open_invoice(
            key=f"k{self.number()}",
            user_id=user,
            item=Item("credits", "t3", "X Tier 3"),
            quantity=quantity,
            unit_price=Decimal("1.50"),
            grants=(Grant("t3", quantity, Decimal("1.50")),),
        )
        return await self.payments.service.choose_method(
            key=f"k{self.number()}", user_id=user, invoice_id=invoice.id, method=f"solana:{coin}"
        )

    def send(self, invoice: InvoiceView, *, share: str = "1", mint: str = USDT, **more: Any) -> str:
        """What the invoice asks for, or a share of it, in the newest slot of both nodes."""
        assert invoice.quote is not None
        coin = invoice.quote.asset
        amount = int(Decimal(invoice.quote.amount) * 10 ** DECIMALS[coin] * Decimal(share))
        before, account = self.held[coin], ACCOUNT if mint == USDT else key("an account for a fake")
        self.held[coin] += amount
        moved: dict[str, Any] = (
            {"coins": {OURS: (before, before + amount)}}
            if coin == "SOL"
            else {"tokens": (held(account, before, before + amount, mint),)}
        )
        number = self.number()
        made = transaction(number, slot=self.nodes[0].latest, time=int(self.clock.now().timestamp()), **moved, **more)
        for each in self.nodes:
            each.told[sig(number)] = made
        return sig(number)

    async def paste(self, user: int, text: str) -> ClaimView:
        claim = await self.payments.service.submit_hash(key=f"k{self.number()}", user_id=user, text=text)
        await self.payments.parts.claiming.check(claim.id)
        return await self.payments.service.get_claim(user_id=user, claim_id=claim.id)

    async def state(self, invoice: InvoiceView) -> str:
        view = await self.payments.service.get_invoice(user_id=invoice.user_id, invoice_id=invoice.id)
        return view.state

    async def wallet(self, user: int) -> int:
        return int((await self.ledger.balance(account=user_account(user, "wallet"))).balance)


@pytest.fixture
async def shop(
    database: Database, clock: FakeClock, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Shop]:
    monkeypatch.setattr(http, "ATTEMPTS", 1)
    nodes, prices = (Served(), Served()), PricesWorld(clock.now, seeded())
    async with AsyncExitStack() as stack:
        told = prices.environment(await stack.enter_async_context(served(prices.app)))
        table = tomllib.loads(SETTINGS.read_text())
        table["networks"]["solana"] |= {"requests_per_second": 2000, "read_seconds": 1}
        config = PaymentsConfig.model_validate(
            {
                **table,
                "solana_rpc_url": [await stack.enter_async_context(served(each.app)) for each in nodes],
                "sol_deposit_address": OURS,
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
        made = Shop(clock, nodes, payments, ledger)
        await made.turn()
        yield made
        assert await ledger.check() == ()


async def test_tokens_and_coins_are_paid_when_they_are_final(shop: Shop) -> None:
    offered = [method.code for method in await shop.payments.service.methods()]
    assert offered == ["solana:USDT", "solana:SOL", "wallet"]
    tokens, coins = await shop.quoted(7), await shop.quoted(8, "SOL")
    pasted = shop.send(tokens)
    shop.send(coins)
    await shop.run()
    assert (await shop.state(tokens), await shop.state(coins)) == ("open", "open")
    claim = await shop.paste(7, f"https://solscan.io/tx/{pasted}")
    assert (claim.state, claim.reason) == ("checking", "not_final")
    await shop.turn(20)
    assert (await shop.state(tokens), await shop.state(coins)) == ("paid", "paid")
    receipts = {each.asset: (each.position, each.amount) for each in await shop.payments.service.receipts()}
    assert tokens.quote is not None
    assert coins.quote is not None
    assert receipts == {"USDT": (7, tokens.quote.amount), "SOL": (0, coins.quote.amount)}
    await shop.turn()
    assert len(await shop.payments.service.receipts()) == 2  # its slots were read again, its money was not


async def test_a_large_sum_needs_both_nodes(shop: Shop) -> None:
    invoice = await shop.quoted(7, quantity=100)
    sent = shop.send(invoice)
    honest = shop.nodes[1].told.pop(sent)
    await shop.turn(20)
    assert await shop.state(invoice) == "open"
    shop.nodes[1].told[sent] = honest
    await shop.turn(20)
    assert await shop.state(invoice) == "paid"


async def test_what_is_short_fake_failed_or_nothing_pays_no_invoice(shop: Shop) -> None:
    short, fake, failed, good = [await shop.quoted(user) for user in range(1, 5)]
    shop.send(short, share="0.9")
    wrong = shop.send(fake, mint=FAKE)
    broken = shop.send(failed, err={"InstructionError": [0, "Custom"]})
    shop.send(good)
    await shop.turn(20)
    assert [await shop.state(each) for each in (short, fake, failed, good)] == ["open", "open", "open", "paid"]
    suspense = await shop.ledger.balance(account=house_account("suspense"))
    assert suspense.balance > 0
    for user, pasted, why in ((2, wrong, "wrong_token"), (3, broken, "failed")):
        claim = await shop.paste(user, pasted)
        assert (claim.state, claim.reason) == ("refused", why)
    assert (await shop.paste(5, sig(999))).reason == "unknown_tx"


@pytest.mark.parametrize("fault", ["200", "429", "503", "html"])
async def test_one_broken_node_is_not_noticed_and_two_are_waited_for(shop: Shop, fault: str) -> None:
    first, second = await shop.quoted(1), await shop.quoted(2)
    shop.nodes[0].fault = fault
    shop.send(first)
    await shop.turn(20)
    assert await shop.state(first) == "paid"
    shop.nodes[1].fault = fault
    sent = shop.send(second)
    await shop.turn(20)
    assert (await shop.paste(2, sent)).reason == "node_down"
    for each in shop.nodes:
        each.fault = ""
    await shop.turn(120)
    assert await shop.state(second) == "paid"


@pytest.mark.parametrize("liar", [0, 1])
async def test_one_lying_node_makes_no_wrong_credit(shop: Shop, liar: int) -> None:
    hidden, inflated = await shop.quoted(1), await shop.quoted(2)
    for invoice, lie in ((hidden, "hides"), (inflated, "inflates")):
        sent = shop.send(invoice)
        told = shop.nodes[liar].told[sent]
        if lie == "hides":
            del shop.nodes[liar].told[sent]
        else:
            row = dict(told["meta"]["postTokenBalances"][0])
            row["uiTokenAmount"] = {"amount": "999999999999", "decimals": 6}
            shop.nodes[liar].told[sent] = {**told, "meta": {**told["meta"], "postTokenBalances": [row]}}
    await shop.turn(20)
    assert (await shop.state(hidden), await shop.state(inflated)) == ("paid", "open")
    assert await shop.wallet(2) == 0
    shop.nodes[liar].told = dict(shop.nodes[1 - liar].told)
    await shop.turn(20)
    assert await shop.state(inflated) == "paid"
    assert await shop.wallet(2) == 0


async def test_what_arrived_while_we_slept_is_found(shop: Shop) -> None:
    invoices = [await shop.quoted(user, coin) for user, coin in enumerate(("USDT", "SOL", "USDT", "SOL"), 1)]
    for invoice in invoices:
        shop.send(invoice)
        shop.clock.advance(60)
        for each in shop.nodes:
            each.final += 150
            each.latest = each.final + 32
    for each in shop.nodes:
        each.final += 2_000_000
        each.latest = each.final + 32
    await shop.turn()
    assert [await shop.state(invoice) for invoice in invoices] == ["paid"] * 4


async def test_a_look_costs_the_same_however_many_wait(shop: Shop) -> None:
    await shop.turn()
    before = sum(each.asked for each in shop.nodes)
    await shop.turn()
    one = sum(each.asked for each in shop.nodes) - before
    for user in range(1, 31):
        await shop.quoted(user)
    before = sum(each.asked for each in shop.nodes)
    await shop.turn()
    assert sum(each.asked for each in shop.nodes) - before == one == 10

"""Payments, as bootstrap builds it, against the simulated chain and price sources over real loopback HTTP."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.integration.payments.shop import SETTINGS, FakeUsers
from tests.support.clock import FakeClock
from tests.support.worlds import control_client, seeded, served
from viralcore.core import http
from viralcore.core.db import Database
from viralcore.core.http import HttpClients
from viralcore.core.registry import Registry
from viralcore.ledger import module as ledger_module
from viralcore.ledger.api import house_account, user_account
from viralcore.payments import module
from viralcore.payments.api import ClaimView, Grant, InvoiceView, Item
from viralcore.payments.config import PaymentsConfig
from viralcore.sandbox.worlds.bsc import BscWorld
from viralcore.sandbox.worlds.faults import OUTAGES
from viralcore.sandbox.worlds.prices import PricesWorld


@dataclass
class Sandbox:
    """A shop, its chain, and the control API of both worlds."""

    clock: FakeClock
    world: BscWorld
    prices: PricesWorld
    payments: module.Payments
    ledger: Any
    control: httpx.AsyncClient
    price_control: httpx.AsyncClient
    keys: int = 0

    async def turn(self, seconds: float) -> None:
        """Turn the clock; the chain grows; every job runs."""
        self.clock.advance(seconds)
        await self.world.tick(self.clock.now())
        for job in sorted(self.payments.jobs, key=lambda job: job.order):
            await job.run()

    def key(self) -> str:
        self.keys += 1
        return f"k{self.keys}"

    async def quoted(self, user: int, method: str = "bsc:USDT") -> InvoiceView:
        invoice = await self.payments.service.open_invoice(
            key=self.key(),
            user_id=user,
            item=Item("credits", "t3", "X Tier 3"),
            quantity=10,
            unit_price=Decimal("1.50"),
            grants=(Grant("t3", 10, Decimal("1.50")),),
        )
        return await self.payments.service.choose_method(
            key=self.key(), user_id=user, invoice_id=invoice.id, method=method
        )

    async def send(self, invoice: InvoiceView | None = None, **body: Any) -> str:
        if invoice is not None and invoice.quote is not None:
            body = {"amount": str(invoice.quote.amount), "asset": invoice.quote.asset, **body}
        sent = await self.control.post("/sandbox/chains/bsc/transfers", json={"to": self.world.address, **body})
        assert sent.status_code == 200, sent.text
        return str(sent.json()["hash"])

    async def faults(self, **body: Any) -> None:
        assert (await self.control.post("/sandbox/chains/bsc", json=body)).status_code == 200

    async def paste(self, user: int, text: str) -> ClaimView:
        claim = await self.payments.service.submit_hash(key=self.key(), user_id=user, text=text)
        await self.payments.parts.claiming.check(claim.id)
        return await self.payments.service.get_claim(user_id=user, claim_id=claim.id)

    async def state(self, invoice: InvoiceView) -> str:
        view = await self.payments.service.get_invoice(user_id=invoice.user_id, invoice_id=invoice.id)
        return view.state

    async def wallet(self, user: int) -> int:
        return int((await self.ledger.balance(account=user_account(user, "wallet"))).balance)

    async def books_agree(self) -> None:
        """What the chain says arrived at our address is what the receipts say, transaction by transaction."""
        assert await self.ledger.check() == ()
        chain: dict[tuple[str, str], Decimal] = {}
        for row in self.world.books().transfers:
            if row.final and not row.failed and row.asset:
                chain[row.hash, row.asset] = chain.get((row.hash, row.asset), Decimal(0)) + row.amount
        ours: dict[tuple[str, str], Decimal] = {}
        for receipt in await self.payments.service.receipts():
            ours[receipt.hash, receipt.asset] = ours.get((receipt.hash, receipt.asset), Decimal(0)) + receipt.amount
        assert ours == {key: amount for key, amount in chain.items() if amount > 0}


@pytest.fixture
async def sandbox(database: Database, clock: FakeClock, registry: Registry) -> AsyncIterator[Sandbox]:
    world, prices = BscWorld(clock.now, seeded()), PricesWorld(clock.now, seeded())
    async with AsyncExitStack() as stack:
        told = {
            **world.environment(await stack.enter_async_context(served(world.app))),
            **prices.environment(await stack.enter_async_context(served(prices.app))),
        }
        table = tomllib.loads(SETTINGS.read_text())
        table["networks"]["bsc"] |= {"requests_per_second": 2000, "read_seconds": 1}
        config = PaymentsConfig.model_validate(
            {
                **table,
                "bsc_rpc_url": told["BSC_RPC_URL"].split(","),
                "bsc_deposit_address": told["BSC_DEPOSIT_ADDRESS"],
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
        control = await stack.enter_async_context(control_client(world))
        price_control = await stack.enter_async_context(control_client(prices))
        made = Sandbox(clock, world, prices, payments, ledger, control, price_control)
        await made.turn(0)
        yield made


async def test_a_purchase_with_usdt_and_one_with_bnb(sandbox: Sandbox) -> None:
    offered = [method.code for method in await sandbox.payments.service.methods()]
    assert offered == ["bsc:USDT", "bsc:BNB", "wallet"]
    tokens, coins = await sandbox.quoted(7), await sandbox.quoted(8, "bsc:BNB")
    await sandbox.send(tokens)
    await sandbox.send(coins)
    await sandbox.turn(1)
    assert (await sandbox.state(tokens), await sandbox.state(coins)) == ("open", "open")
    await sandbox.turn(5)
    assert (await sandbox.state(tokens), await sandbox.state(coins)) == ("paid", "paid")
    assert sandbox.world.pending(sandbox.clock.now()) == []
    await sandbox.books_agree()


async def test_finality_by_hand(sandbox: Sandbox) -> None:
    invoice = await sandbox.quoted(7)
    sent = await sandbox.send(invoice, final=False)
    await sandbox.turn(600)
    assert (await sandbox.paste(7, sent)).reason == "not_final"
    await sandbox.control.post(f"/sandbox/chains/bsc/transfers/{sent}", json={"final": True})
    await sandbox.turn(10)
    assert await sandbox.state(invoice) == "paid"
    await sandbox.books_agree()


async def test_every_odd_transfer_is_booked_as_the_chain_knows_it(sandbox: Sandbox) -> None:
    failed, fake, old, parts = [await sandbox.quoted(user) for user in range(1, 5)]
    await sandbox.send(failed, final=True, failed=True)
    await sandbox.send(fake, final=True, contract="0x" + "6" * 40)
    await sandbox.send(old, final=True, age_seconds=900)
    await sandbox.send(parts, final=True, parts=3)
    await sandbox.send(asset="USDT", amount="33.3", final=True, change="3.3", via_contract=True)
    await sandbox.send(asset="BNB", amount="0.7", final=True)
    await sandbox.send(asset="BNB", amount="0.5", final=True, via_contract=True)
    await sandbox.send(asset="USDT", amount="5", final=True, **{"from": sandbox.world.address})
    await sandbox.turn(10)
    states = [await sandbox.state(invoice) for invoice in (failed, fake, old, parts)]
    assert states == ["open", "open", "open", "paid"]
    await sandbox.books_agree()
    suspense = await sandbox.ledger.balance(account=house_account("suspense"))
    assert suspense.balance == 1500 + 3000 + int(Decimal("0.7") * Decimal("640.25") * 100)


async def test_a_transfer_through_the_mempool_into_a_block(sandbox: Sandbox) -> None:
    invoice = await sandbox.quoted(7)
    sent = await sandbox.send(invoice, unmined=True)
    await sandbox.turn(10)
    assert (await sandbox.paste(7, sent)).reason == "not_final"
    await sandbox.control.post(f"/sandbox/chains/bsc/transfers/{sent}", json={"final": True})
    await sandbox.turn(10)
    assert await sandbox.state(invoice) == "paid"


@pytest.mark.parametrize("outage", [*OUTAGES, "rate_limit", "archive"])
async def test_one_broken_node_is_not_noticed(sandbox: Sandbox, outage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "ATTEMPTS", 1)  # how often one node is asked again is tested where it is done
    await sandbox.faults(node=0, outage=outage)
    invoice = await sandbox.quoted(7)
    await sandbox.send(invoice, final=True)
    await sandbox.turn(10)
    assert await sandbox.state(invoice) == "paid"


async def test_both_nodes_down_and_back(sandbox: Sandbox) -> None:
    invoice = await sandbox.quoted(7)
    await sandbox.faults(outage="503")
    sent = await sandbox.send(invoice, final=True)
    await sandbox.turn(10)
    assert (await sandbox.paste(7, sent)).reason == "node_down"
    await sandbox.faults(outage="")
    await sandbox.turn(120)
    assert await sandbox.state(invoice) == "paid"
    await sandbox.books_agree()


@pytest.mark.parametrize("node", [0, 1])
@pytest.mark.parametrize("lie", ["missing", "inflated", "early"])
async def test_one_lying_node_makes_no_wrong_credit(sandbox: Sandbox, lie: str, node: int) -> None:
    invoice = await sandbox.quoted(7)
    await sandbox.faults(node=node, lie=lie)
    sent = await sandbox.send(invoice, final=lie != "early")
    await sandbox.turn(10)
    state = await sandbox.state(invoice)
    assert state == ("paid" if lie == "missing" else "open")
    assert await sandbox.wallet(7) == 0
    await sandbox.faults(node=node, lie="")
    await sandbox.control.post(f"/sandbox/chains/bsc/transfers/{sent}", json={"final": True})
    await sandbox.turn(10)
    assert await sandbox.state(invoice) == "paid"
    await sandbox.books_agree()


async def test_a_lagging_node_holds_nothing(sandbox: Sandbox) -> None:
    invoice = await sandbox.quoted(7)
    await sandbox.faults(node=0, lag_blocks=3)
    await sandbox.send(invoice, final=True)
    await sandbox.turn(10)
    assert await sandbox.state(invoice) == "paid"


async def test_nodes_that_allow_logs_are_read_by_logs(sandbox: Sandbox) -> None:
    await sandbox.faults(logs=True)
    invoice = await sandbox.quoted(7)
    await sandbox.send(invoice, final=True)
    await sandbox.turn(10)
    assert await sandbox.state(invoice) == "paid"


async def test_a_long_downtime_is_read_back(sandbox: Sandbox) -> None:
    invoices = [await sandbox.quoted(user) for user in range(1, 7)]
    for invoice in invoices:
        await sandbox.send(invoice, final=True)
        sandbox.clock.advance(4)
        for _ in range(30):
            sandbox.clock.advance(4)
            await sandbox.world.tick(sandbox.clock.now())
    await sandbox.turn(10)
    assert [await sandbox.state(invoice) for invoice in invoices] == ["paid"] * 6
    await sandbox.books_agree()


async def test_many_transfers_at_once(sandbox: Sandbox) -> None:
    invoices = await asyncio.gather(*(sandbox.quoted(user) for user in range(1, 21)))
    for invoice in invoices:
        await sandbox.send(invoice, final=True)
    await sandbox.turn(10)
    assert [await sandbox.state(invoice) for invoice in invoices] == ["paid"] * 20
    await sandbox.books_agree()


async def test_prices_move_stop_and_come_back(sandbox: Sandbox) -> None:
    async def offered() -> set[str]:
        return {method.code for method in await sandbox.payments.service.methods()}

    await sandbox.price_control.post("/sandbox/prices", json={"bnb": "700"})
    await sandbox.turn(300)
    invoice = await sandbox.quoted(7, "bsc:BNB")
    assert invoice.quote is not None
    assert invoice.quote.rate == 700
    await sandbox.price_control.post("/sandbox/prices", json={"second_source": {"bnb": "800"}})
    await sandbox.turn(300)
    assert await offered() == {"bsc:USDT", "wallet"}
    await sandbox.price_control.post("/sandbox/prices", json={"bnb": "700", "usdt": "0.9"})
    await sandbox.turn(300)
    assert await offered() == {"bsc:BNB", "wallet"}
    for outage in ("429_as_200", "451", "empty", "null", "503"):
        await sandbox.price_control.post("/sandbox/prices", json={"usdt": "1", "outage": outage})
        await sandbox.turn(60)
        assert "bsc:BNB" in await offered()
    await sandbox.turn(1800)
    assert await offered() == {"wallet"}
    await sandbox.price_control.post("/sandbox/prices", json={"outage": ""})
    await sandbox.turn(60)
    assert await offered() == {"bsc:USDT", "bsc:BNB", "wallet"}

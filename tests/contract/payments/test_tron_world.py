"""Payments, as bootstrap builds it, against the simulated Tron and price sources over real loopback HTTP."""

from __future__ import annotations

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
from viralcore.sandbox.worlds.faults import OUTAGES
from viralcore.sandbox.worlds.prices import PricesWorld
from viralcore.sandbox.worlds.tron import TronWorld
from viralcore.sandbox.worlds.tron_node import LIMITS

SOLID = 70


@dataclass
class Sandbox:
    """A shop, its chain, and the chain's control API."""

    clock: FakeClock
    world: TronWorld
    payments: module.Payments
    ledger: Any
    control: httpx.AsyncClient
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

    async def quoted(self, user: int, asset: str = "USDT", price: str = "1.50") -> InvoiceView:
        invoice = await self.payments.service.open_invoice(
            key=self.key(),
            user_id=user,
            item=Item("credits", "t3", "X Tier 3"),
            quantity=10,
            unit_price=Decimal(price),
            grants=(Grant("t3", 10, Decimal(price)),),
        )
        return await self.payments.service.choose_method(
            key=self.key(), user_id=user, invoice_id=invoice.id, method=f"tron:{asset}"
        )

    async def send(self, invoice: InvoiceView | None = None, **told: Any) -> str:
        if invoice is not None and invoice.quote is not None:
            told = {"amount": str(invoice.quote.amount), "asset": invoice.quote.asset, **told}
        self.clock.advance(3)  # a block for each
        sent = await self.control.post("/sandbox/chains/tron/transfers", json={"to": self.world.address, **told})
        assert sent.status_code == 200, sent.text
        return str(sent.json()["hash"])

    async def release(self, sent: str) -> None:
        told = await self.control.post(f"/sandbox/chains/tron/transfers/{sent}", json={"final": True})
        assert told.status_code == 200, told.text

    async def faults(self, **told: Any) -> None:
        answer = await self.control.post("/sandbox/chains/tron", json=told)
        assert answer.status_code == 200, answer.text

    async def paste(self, user: int, text: str) -> ClaimView:
        claim = await self.payments.service.submit_hash(key=self.key(), user_id=user, text=text)
        await self.payments.parts.claiming.check(claim.id)
        return await self.payments.service.get_claim(user_id=user, claim_id=claim.id)

    async def state(self, invoice: InvoiceView) -> str:
        view = await self.payments.service.get_invoice(user_id=invoice.user_id, invoice_id=invoice.id)
        return view.state

    async def suspense(self) -> int:
        return int((await self.ledger.balance(account=house_account("suspense"))).balance)

    async def wallet(self, user: int) -> int:
        return int((await self.ledger.balance(account=user_account(user, "wallet"))).balance)

    async def books_agree(self) -> None:
        """What the chain says arrived at our address is what the receipts say. The chain's own spam of single suns,
        which is not in its book, is told apart by its amount."""
        assert await self.ledger.check() == ()
        chain: dict[tuple[str, str], Decimal] = {}
        for row in self.world.books().transfers:
            if row.final and not row.failed and row.asset:
                chain[row.hash, row.asset] = chain.get((row.hash, row.asset), Decimal(0)) + row.amount
        ours: dict[tuple[str, str], Decimal] = {}
        for receipt in await self.payments.service.receipts():
            if (receipt.asset, receipt.amount) != ("TRX", Decimal("0.000001")):
                ours[receipt.hash, receipt.asset] = ours.get((receipt.hash, receipt.asset), Decimal(0)) + receipt.amount
        assert ours == {key: amount for key, amount in chain.items() if amount > 0}


@pytest.fixture
async def sandbox(
    database: Database, clock: FakeClock, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Sandbox]:
    monkeypatch.setattr(http, "ATTEMPTS", 1)  # how often one node is asked again is tested where it is done
    world, prices = TronWorld(clock.now, seeded()), PricesWorld(clock.now, seeded())
    async with AsyncExitStack() as stack:
        hosts = [await stack.enter_async_context(served(app)) for app in world.apps]
        told = {
            **world.environment_of(hosts),
            **prices.environment(await stack.enter_async_context(served(prices.app))),
        }
        table = tomllib.loads(SETTINGS.read_text())
        table["networks"]["tron"] |= {"requests_per_second": 2000, "read_seconds": 1}
        config = PaymentsConfig.model_validate(
            {
                **table,
                "tron_api_url": told["TRON_API_URL"].split(","),
                "trx_deposit_address": told["TRX_DEPOSIT_ADDRESS"],
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
        made = Sandbox(clock, world, payments, ledger, control)
        await made.turn(0)
        yield made


async def test_a_purchase_with_usdt_and_one_with_trx(sandbox: Sandbox) -> None:
    offered = [method.code for method in await sandbox.payments.service.methods()]
    assert offered == ["tron:USDT", "tron:TRX", "wallet"]
    tokens, coins = await sandbox.quoted(7), await sandbox.quoted(8, "TRX")
    await sandbox.send(tokens)
    await sandbox.send(coins)
    await sandbox.turn(10)
    assert (await sandbox.state(tokens), await sandbox.state(coins)) == ("open", "open")
    await sandbox.turn(SOLID)
    assert (await sandbox.state(tokens), await sandbox.state(coins)) == ("paid", "paid")
    assert sandbox.world.pending(sandbox.clock.now()) == []
    for _ in range(3):
        await sandbox.turn(60)
    await sandbox.books_agree()


async def test_finality_by_hand(sandbox: Sandbox) -> None:
    invoice = await sandbox.quoted(7)
    sent = await sandbox.send(invoice, final=False)
    await sandbox.turn(600)
    assert (await sandbox.paste(7, sent)).reason == "not_final"
    assert await sandbox.state(invoice) == "open"
    await sandbox.release(sent)
    await sandbox.turn(10)
    assert await sandbox.state(invoice) == "paid"
    await sandbox.books_agree()


async def test_every_odd_transfer_is_booked_as_the_chain_knows_it(sandbox: Sandbox) -> None:
    failed, lost, fake, parts = [await sandbox.quoted(user) for user in range(1, 5)]
    broke = await sandbox.quoted(5, "TRX")
    await sandbox.send(failed, final=True, failed=True)
    await sandbox.send(broke, final=True, failed=True)
    await sandbox.send(lost, final=True, via_contract=True, asset="TRX", amount="0.5")
    await sandbox.send(fake, final=True, contract="TXL6rJbvmjD46zeN1JssfgxvSo99qC8MRT")
    await sandbox.send(parts, final=True, parts=3)
    await sandbox.send(asset="USDT", amount="33.3", final=True, change="3.3", via_contract=True)
    await sandbox.send(asset="TRX", amount="100", final=True)
    await sandbox.send(asset="USDT", amount="5", final=True, **{"from": sandbox.world.address})
    await sandbox.send(asset="TRX", amount="5", final=True, **{"from": sandbox.world.address})
    await sandbox.turn(10)
    states = [await sandbox.state(invoice) for invoice in (failed, broke, lost, fake, parts)]
    assert states == ["open", "open", "open", "open", "paid"]
    await sandbox.books_agree()
    assert await sandbox.suspense() == 3000 + 2815


async def test_short_is_given_to_who_pastes_it_and_long_ago_is_nobodys(sandbox: Sandbox) -> None:
    short, old = await sandbox.quoted(7), await sandbox.quoted(8, price="9.00")
    assert short.quote is not None
    sent = await sandbox.send(short, amount=str(short.quote.amount - 1), final=True)
    past = await sandbox.send(old, final=True, age_seconds=900)
    await sandbox.turn(10)
    assert (await sandbox.state(short), await sandbox.state(old)) == ("open", "open")
    assert await sandbox.suspense() == 1400
    await sandbox.paste(7, f"https://tronscan.org/#/transaction/{sent.upper()}")
    assert await sandbox.wallet(7) == 1400
    assert (await sandbox.paste(8, past)).reason == "too_old"
    assert await sandbox.state(old) == "open"


async def test_a_transfer_that_is_in_no_block_yet(sandbox: Sandbox) -> None:
    invoice = await sandbox.quoted(7)
    sent = await sandbox.send(invoice, unmined=True)
    await sandbox.turn(10)
    assert (await sandbox.paste(7, sent)).reason == "unknown_tx"
    await sandbox.release(sent)
    await sandbox.turn(10)
    assert await sandbox.state(invoice) == "paid"


@pytest.mark.parametrize("outage", [*OUTAGES, *LIMITS])
async def test_one_broken_node_is_not_noticed(sandbox: Sandbox, outage: str) -> None:
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


@pytest.mark.parametrize("asset", ["USDT", "TRX"])
@pytest.mark.parametrize("node", [0, 1])
@pytest.mark.parametrize("lie", ["missing", "inflated", "early"])
async def test_one_lying_node_makes_no_wrong_credit(sandbox: Sandbox, lie: str, node: int, asset: str) -> None:
    """Above 100 dollars two must tell the same, whoever of them is asked first."""
    invoice = await sandbox.quoted(7, asset, "20.00")
    await sandbox.faults(node=node, lie=lie)
    sent = await sandbox.send(invoice, final=lie != "early")
    await sandbox.turn(10)
    assert await sandbox.state(invoice) == "open"
    assert await sandbox.wallet(7) == await sandbox.suspense() == 0
    await sandbox.faults(node=node, lie="")
    await sandbox.release(sent)
    await sandbox.turn(60)
    assert await sandbox.state(invoice) == "paid"
    await sandbox.books_agree()


@pytest.mark.parametrize("node", [0, 1])
async def test_coins_told_tenfold_do_not_hash_to_their_id(sandbox: Sandbox, node: int) -> None:
    """So the liar is only a node that failed, and what the honest one says is enough for a small sum."""
    invoice = await sandbox.quoted(7, "TRX")
    await sandbox.faults(node=node, lie="inflated")
    await sandbox.send(invoice, final=True)
    await sandbox.turn(10)
    assert await sandbox.state(invoice) == "paid"
    await sandbox.books_agree()


async def test_a_lagging_node_holds_nothing(sandbox: Sandbox) -> None:
    invoice = await sandbox.quoted(7)
    await sandbox.faults(node=0, lag_blocks=3)
    await sandbox.send(invoice, final=True)
    await sandbox.turn(10)
    assert await sandbox.state(invoice) == "paid"


async def test_a_long_downtime_is_read_back(sandbox: Sandbox) -> None:
    invoices = [await sandbox.quoted(user, "TRX" if user % 2 else "USDT") for user in range(1, 7)]
    for invoice in invoices:
        await sandbox.send(invoice, final=True)
        for _ in range(30):
            sandbox.clock.advance(4)
            await sandbox.world.tick(sandbox.clock.now())
    sandbox.clock.advance(2 * 86400)
    for _ in range(6):
        await sandbox.turn(10)
    await sandbox.books_agree()
    paid = [await sandbox.state(invoice) for invoice in invoices]
    assert paid == ["paid"] * 6

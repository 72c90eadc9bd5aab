"""Payments, as bootstrap builds it, against one simulated network and the price sources over real loopback HTTP."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from tests.integration.payments.shop import SETTINGS, FakeUsers
from tests.support.clock import FakeClock
from tests.support.worlds import control_client, seeded, served
from viralcore.core.db import Database
from viralcore.core.http import HttpClients
from viralcore.core.registry import Registry
from viralcore.ledger import module as ledger_module
from viralcore.ledger.api import house_account, user_account
from viralcore.payments import module
from viralcore.payments.api import ClaimView, Grant, InvoiceView, Item
from viralcore.payments.config import PaymentsConfig
from viralcore.sandbox.worlds.prices import PricesWorld

ENVIRONMENT = {
    "solana": ("SOLANA_RPC_URL", "SOL_DEPOSIT_ADDRESS"),
    "tron": ("TRON_API_URL", "TRX_DEPOSIT_ADDRESS"),
    "aptos": ("APTOS_API_URL", "APTOS_DEPOSIT_ADDRESS"),
}


@dataclass
class WorldShop:
    """A shop, its chain, and the chain's control API."""

    clock: FakeClock
    world: Any
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
            key=self.key(), user_id=user, invoice_id=invoice.id, method=f"{self.world.name}:{asset}"
        )

    async def send(self, invoice: InvoiceView | None = None, **told: Any) -> str:
        if invoice is not None and invoice.quote is not None:
            told = {"amount": str(invoice.quote.amount), "asset": invoice.quote.asset, **told}
        self.clock.advance(3)  # a block for each
        sent = await self.control.post(
            f"/sandbox/chains/{self.world.name}/transfers", json={"to": self.world.address, **told}
        )
        assert sent.status_code == 200, sent.text
        return str(sent.json()["hash"])

    async def release(self, sent: str) -> None:
        told = await self.control.post(f"/sandbox/chains/{self.world.name}/transfers/{sent}", json={"final": True})
        assert told.status_code == 200, told.text

    async def faults(self, **told: Any) -> None:
        answer = await self.control.post(f"/sandbox/chains/{self.world.name}", json=told)
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


@asynccontextmanager
async def shop_on(world: Any, database: Database, clock: FakeClock, registry: Registry) -> AsyncIterator[WorldShop]:
    """A shop that takes money on this network only."""
    prices = PricesWorld(clock.now, seeded())
    async with AsyncExitStack() as stack:
        apps = getattr(world, "apps", None)
        if apps is None:
            told = dict(world.environment(await stack.enter_async_context(served(world.app))))
        else:
            told = dict(world.environment_of([await stack.enter_async_context(served(app)) for app in apps]))
        told |= prices.environment(await stack.enter_async_context(served(prices.app)))
        table = tomllib.loads(SETTINGS.read_text())
        table["networks"][world.name] |= {"requests_per_second": 2000, "read_seconds": 1}
        urls, address = ENVIRONMENT[world.name]
        config = PaymentsConfig.model_validate(
            {
                **table,
                urls.lower(): told[urls].split(","),
                address.lower(): told[address],
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
        made = WorldShop(clock, world, payments, ledger, control)
        await made.turn(0)
        yield made

"""Payments, as bootstrap builds it, against the simulated bank and exchange rate over real loopback HTTP."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from tests.integration.payments.shop import SETTINGS, FakeUsers
from tests.support.clock import FakeClock
from tests.support.worlds import control_client, seeded, served
from viralcore.core import http
from viralcore.core.db import Database
from viralcore.core.http import HttpClients
from viralcore.core.nursery import Nursery
from viralcore.core.registry import Registry
from viralcore.ledger import module as ledger_module
from viralcore.ledger.api import house_account, user_account
from viralcore.payments import module
from viralcore.payments.api import AccountView, Grant, InvoiceView, Item, QuoteView
from viralcore.payments.config import PaymentsConfig
from viralcore.sandbox.worlds.faults import OUTAGES
from viralcore.sandbox.worlds.flutterwave import FlutterwaveWorld
from viralcore.sandbox.worlds.flutterwave_faults import SLOW, SLOW_BOOKED
from viralcore.sandbox.worlds.prices import PricesWorld

NOBODY = "http://127.0.0.1:9"


@dataclass
class Town:
    """A shop without webhooks, its bank, and the control API of both worlds."""

    clock: FakeClock
    payments: module.Payments
    ledger: Any
    bank: httpx.AsyncClient
    prices: httpx.AsyncClient
    db: Database
    keys: int = 0

    def key(self) -> str:
        self.keys += 1
        return f"k{self.keys}"

    async def turn(self, seconds: float) -> None:
        self.clock.advance(seconds)
        for job in sorted(self.payments.jobs, key=lambda job: job.order):
            await job.run()

    async def faults(self, **body: Any) -> None:
        assert (await self.bank.post("/sandbox/bank", json=body)).status_code == 200

    async def pay(self, account: str, amount: Decimal | str, **more: Any) -> str:
        said = await self.bank.post(
            "/sandbox/bank/pay", json={"account_number": account, "amount": str(amount), **more}
        )
        assert said.status_code == 200, said.text
        return str(said.json()["id"])

    async def open(self, user: int = 7) -> InvoiceView:
        return await self.payments.service.open_invoice(
            key=self.key(),
            user_id=user,
            item=Item("credits", "t3", "X Tier 3"),
            quantity=10,
            unit_price=Decimal("1.50"),
            grants=(Grant("t3", 10, Decimal("1.50")),),
        )

    async def by_bank(self, invoice: InvoiceView) -> tuple[QuoteView, AccountView]:
        await self.payments.service.choose_method(
            key=self.key(), user_id=invoice.user_id, invoice_id=invoice.id, method="bank:NGN"
        )
        async with self.db.read() as conn:
            rows = await conn.execute(text("SELECT id FROM payments.charges WHERE state = 'requested'"))
            waiting = [row.id for row in rows]
        for charge_id in waiting:
            said = await self.payments.parts.naira.charging.request(charge_id)
            async with self.db.transaction() as tx:
                await self.payments.parts.naira.charging.record(tx, charge_id, said)
        quote = (await self.see(invoice)).quote
        assert quote is not None
        assert quote.account is not None
        return quote, quote.account

    async def see(self, invoice: InvoiceView) -> InvoiceView:
        return await self.payments.service.get_invoice(user_id=invoice.user_id, invoice_id=invoice.id)

    async def told(self, payment_id: str, reference: str = "") -> tuple[int, str] | None:
        payload = {"id": payment_id, "reference": reference, "since": self.clock.now().isoformat(), "once": False}
        return await self.payments.parts.naira.watcher.check(payload)


@pytest.fixture
async def town(
    database: Database, clock: FakeClock, registry: Registry, nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Town]:
    monkeypatch.setattr(http, "ATTEMPTS", 1)
    bank = FlutterwaveWorld(clock.now, seeded(), nursery=nursery, bot=NOBODY)
    prices = PricesWorld(clock.now, seeded())
    async with AsyncExitStack() as stack:
        told = {
            **bank.environment(await stack.enter_async_context(served(bank.app))),
            **prices.environment(await stack.enter_async_context(served(prices.app))),
        }
        table = tomllib.loads(SETTINGS.read_text())
        table["bank"] |= {"requests_per_second": 2000, "read_seconds": 1}
        names = (
            *("flutterwave_api_key", "flutterwave_base_url", "exchange_base_url", "exchange_api_key"),
            *("coingecko_base_url", "cm_api_key", "price_second_base_url"),
        )
        config = PaymentsConfig.model_validate({**table, **{name: told[name.upper()] for name in names}})
        clients = HttpClients(clock)
        stack.push_async_callback(clients.close)
        ledger = ledger_module.build(database).service
        users: Any = FakeUsers()
        built = module.build(db=database, clock=clock, ledger=ledger, users=users, http=clients, config=config)
        registry.add_kinds(*built.effects)
        await built.parts.exchange.refresh()
        made = Town(clock, built, ledger, control_client(bank), control_client(prices), database)
        await made.faults(webhooks=False)
        yield made
        await made.bank.aclose()
        await made.prices.aclose()


async def test_exactly_short_over_and_late(town: Town) -> None:
    exact, short, over, late = [await town.open(user) for user in range(1, 5)]
    for invoice in (exact, short, over, late):
        quote, account = await town.by_bank(invoice)
        assert account.state == "open"
        assert quote.amount == Decimal("24457.50")  # 15 dollars at 1,530.50 and 100
        amount = {short.id: "16305", over.id: "32610"}.get(invoice.id, quote.amount)
        if invoice is not late:
            await town.pay(account.number, amount)
    await town.turn(31)
    assert [(await town.see(each)).state for each in (exact, short, over, late)] == ["paid", "open", "paid", "open"]
    rest, account = await town.by_bank(short)
    assert rest.amount == Decimal("8152.50")
    await town.pay(account.number, rest.amount)
    _, account = await town.by_bank(late)
    await town.turn(1300)
    assert (await town.see(late)).state == "expired"
    await town.pay(account.number, "24457.50")
    await town.turn(3600)
    assert [(await town.see(each)).state for each in (exact, short, over, late)] == ["paid"] * 4
    wallets = [(await town.ledger.balance(account=user_account(user, "wallet"))).balance for user in range(1, 5)]
    assert wallets == [0, 0, 500, 0]
    assert await town.ledger.check() == ()
    receipts = await town.payments.service.receipts()
    mirror = await town.ledger.balance(account=house_account("network:bank:NGN", "NGN"))
    assert -mirror.balance == sum(int(receipt.amount * 100) for receipt in receipts)


async def test_paid_twice_and_told_of_neither(town: Town) -> None:
    invoice = await town.open()
    quote, account = await town.by_bank(invoice)
    for _ in range(2):
        await town.pay(account.number, quote.amount)
    await town.turn(31)
    assert (await town.see(invoice)).state == "paid"
    assert (await town.ledger.balance(account=user_account(7, "wallet"))).balance == 1500


async def test_their_fee_is_the_payers(town: Town) -> None:
    await town.faults(payer_pays_fee=True)
    invoice = await town.open()
    quote, account = await town.by_bank(invoice)
    assert quote.amount > Decimal("24457.50")
    await town.pay(account.number, quote.amount)
    await town.turn(31)
    seen = await town.see(invoice)
    assert seen.state == "paid"
    assert (await town.ledger.balance(account=user_account(7, "wallet"))).balance >= 0


@pytest.mark.parametrize("outage", [*OUTAGES, SLOW, SLOW_BOOKED])
async def test_an_outage_gives_no_account_and_afterwards_another_one_works(town: Town, outage: str) -> None:
    await town.faults(outage=outage, slow_seconds=2)
    invoice = await town.open()
    _, account = await town.by_bank(invoice)
    assert (account.state, account.reason) == ("failed", "down" if outage == "429" else "silent")
    await town.faults(outage="")
    town.clock.advance(61)
    quote, account = await town.by_bank(invoice)
    assert account.state == "open"
    await town.pay(account.number, quote.amount)
    await town.turn(31)
    assert (await town.see(invoice)).state == "paid"


async def test_an_answer_that_is_lost_after_the_account_was_made(town: Town) -> None:
    await town.faults(swallow_next=1)
    invoice = await town.open()
    _, account = await town.by_bank(invoice)
    assert (account.state, account.reason) == ("failed", "silent")
    (made,) = (await town.bank.get("/sandbox/bank/charges")).json()
    paid = await town.pay(made["account_number"], "24457.50")  # nobody was told the number; somebody pays to it
    assert await town.told(paid, "something else") is None
    assert (await town.see(invoice)).state == "paid"


async def test_pending_outages_and_other_currencies_are_never_money(town: Town) -> None:
    await town.faults(pending_first=600)
    invoice = await town.open()
    quote, account = await town.by_bank(invoice)
    paid = await town.pay(account.number, quote.amount)
    assert await town.told(paid) == (30, "pending")
    for outage in OUTAGES:
        await town.faults(outage=outage)
        said = await town.told(paid)
        assert said is not None
        await town.faults(outage="")
        town.clock.advance(61)
    assert (await town.see(invoice)).state == "open"
    town.clock.advance(300)
    assert await town.told(paid) is None
    assert (await town.see(invoice)).state == "paid"
    await town.faults(pending_first=0)
    odd = await town.pay(account.number, "100", currency="USD")
    failed = await town.pay(account.number, "100", status="failed")
    assert [await town.told(each) for each in (odd, failed)] == [None, None]
    states = {receipt.hash: receipt.state for receipt in await town.payments.service.receipts()}
    assert states == {paid: "credited", odd: "suspense"}
    assert await town.told("999999999999") == (30, "not_found")


@pytest.mark.parametrize("outage", [*OUTAGES, "null", "empty", "429_as_200"])
async def test_the_exchange_rate_survives_every_outage_for_two_days(town: Town, outage: str) -> None:
    await town.prices.post("/sandbox/prices", json={"rates": {"outage": outage}})
    for _ in range(3):
        await town.turn(12 * 3600)
        town.clock.advance(60)
    async with town.db.read() as conn:
        assert await town.payments.parts.exchange.rate(conn, town.clock.now()) is not None
    await town.turn(4 * 3600)
    async with town.db.read() as conn:
        assert await town.payments.parts.exchange.rate(conn, town.clock.now()) is None
    await town.prices.post("/sandbox/prices", json={"rates": {"outage": ""}, "ngn": "1600"})
    await town.turn(700)
    async with town.db.read() as conn:
        rate = await town.payments.parts.exchange.rate(conn, town.clock.now())
    assert rate is not None
    assert (1 / rate).quantize(Decimal("0.01")) == Decimal("1700.00")

"""The real bot and the simulated bank: whatever the bank does, what arrives is booked once, and all books agree."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.support.processes import environment
from tests.support.sandbox import Sandbox, running_sandbox, swift
from viralcore import bootstrap
from viralcore.bot.module import Doors
from viralcore.core.clock import monotonic
from viralcore.payments.api import Grant, InvoiceView, Item
from viralcore.sandbox.check import settings_of
from viralcore.sandbox.stage import ADA_ID

WITHIN = 40.0
DOLLARS = Decimal("1.50")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("bank")
    with running_sandbox(folder, **swift(folder)) as running:
        running.say(ADA_ID, "/start")
        running.press(ADA_ID, "I agree")
        yield running


class Shop:
    """Buys through the doors, beside the running bot, which does everything else."""

    def __init__(self, sandbox: Sandbox, doors: Doors) -> None:
        self.sandbox = sandbox
        self.doors = doors
        self.keys = 0

    def key(self) -> str:
        self.keys += 1
        return f"test-{id(self)}-{self.keys}"

    async def by_bank(self) -> tuple[InvoiceView, str, str]:
        """An invoice, the account it is to be paid to, and how much."""
        payments = self.doors.payments
        invoice = await payments.open_invoice(
            key=self.key(),
            user_id=ADA_ID,
            item=Item("credits", "t3", "X Tier 3"),
            quantity=10,
            unit_price=DOLLARS,
            grants=(Grant("t3", 10, DOLLARS),),
        )
        await payments.choose_method(key=self.key(), user_id=ADA_ID, invoice_id=invoice.id, method="bank:NGN")
        deadline = monotonic() + WITHIN
        while True:
            seen = await self.see(invoice)
            if seen.quote and seen.quote.account and seen.quote.account.state == "open":
                return seen, seen.quote.account.number, f"{seen.quote.amount:f}"
            assert monotonic() < deadline, seen.quote
            await asyncio.sleep(0.1)

    async def see(self, invoice: InvoiceView) -> InvoiceView:
        return await self.doors.payments.get_invoice(user_id=ADA_ID, invoice_id=invoice.id)

    async def receipts(self) -> dict[str, str]:
        return {receipt.hash: receipt.state for receipt in await self.doors.payments.receipts(limit=500)}


async def test_money_by_bank_is_booked_once_however_it_is_told(sandbox: Sandbox) -> None:
    pid = sandbox.about()["bot"]["pid"]
    async with bootstrap.doors(settings_of(environment(pid))) as doors:
        shop = Shop(sandbox, doors)

        # exactly, told several times in any order, and by a webhook that lies
        sandbox.bank(duplicate_webhooks=2, shuffle=True, lie=True)
        invoice, account, amount = await shop.by_bank()
        exact = sandbox.pay_bank(account, amount)
        sandbox.calm()
        assert (await shop.see(invoice)).state == "paid"
        sandbox.bank(duplicate_webhooks=0, shuffle=False, lie=False)

        # the same once more, something in another currency, something that fails: nobody's credit twice, nor a gift
        again, odd = sandbox.pay_bank(account, amount), sandbox.pay_bank(account, "20", currency="USD")
        failed = sandbox.pay_bank(account, amount, status="failed")
        sandbox.calm()
        told = await shop.receipts()
        assert (told[exact], told[again], told[odd]) == ("credited", "credited", "suspense")
        assert failed not in told

        # the bot is killed while it is told
        invoice, account, amount = await shop.by_bank()
        sandbox.pay_bank(account, amount)
        sandbox.kill()
        sandbox.calm()
        assert (await shop.see(invoice)).state == "paid"

        # no webhook comes: it asks by itself
        sandbox.bank(webhooks="off", pending_first=20)
        invoice, account, amount = await shop.by_bank()
        sandbox.pay_bank(account, amount)
        sandbox.turn(300)
        assert (await shop.see(invoice)).state == "paid"
        sandbox.bank(webhooks="on", pending_first=0)

        # somebody else tells it: nothing is believed
        sandbox.bank(wrong_secret=True)
        invoice, account, amount = await shop.by_bank()
        short = sandbox.pay_bank(account, str(Decimal(amount) / 2))
        sandbox.settle(5)
        assert short not in await shop.receipts()
        sandbox.bank(wrong_secret=False)
        sandbox.turn(1900)
        assert (await shop.receipts())[short] == "credited"
        assert sandbox.check() == []

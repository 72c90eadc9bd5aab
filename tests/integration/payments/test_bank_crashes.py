"""The process dies before each statement of each step of a bank payment, and then lives: the money is right."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.integration.payments.shop import Shop, settings
from tests.integration.payments.test_proofs import MANUAL
from tests.support.clock import FakeClock
from viralcore.core.crypto import Cipher, new_key
from viralcore.core.db import Database
from viralcore.core.inbox import InboxItem
from viralcore.core.providers.flutterwave import Hook
from viralcore.core.registry import Registry

Step = Callable[[], Awaitable[Any]]
Look = Callable[[], Awaitable[Any]]


@pytest.fixture
def shop(banked: Shop) -> Shop:
    return banked


class Died(BaseException):
    """Nothing in the product catches it."""


def dying_at(which: int, words: tuple[str, ...]) -> Callable[..., Awaitable[Any]]:
    """Stands for `AsyncConnection.execute`: dies before the statement with this number of those with these words."""
    whole, calls = AsyncConnection.execute, 0

    async def execute(self: Any, *args: Any, **named: Any) -> Any:
        nonlocal calls
        calls += any(word in str(args[0]) for word in words)
        if calls == which:
            raise Died
        return await whole(self, *args, **named)

    return execute


async def die_and_live(monkeypatch: pytest.MonkeyPatch, step: Step, look: Look) -> int:
    """Die before each statement in turn: what can be seen is as it was before. Then live. Returns how often it died."""
    before, died = await look(), 0
    while True:
        with monkeypatch.context() as patched:
            patched.setattr(AsyncConnection, "execute", dying_at(died + 1, ("payments", "ledger", "core.")))
            try:
                await step()
            except Died:
                died += 1
            else:
                return died
        assert await look() == before, f"died at {died}"


async def seen(shop: Shop) -> dict[str, int]:
    counted = {table: await shop.count(table) for table in ("quotes", "proofs", "receipts")}
    told = {name: len(await shop.events(name)) for name in ("deposit_confirmed", "account_decided", "proof_decided")}
    money = {"wallet": await shop.wallet(), "credits": await shop.credits(), "fx": await shop.house("fx", "NGN")}
    return counted | told | money


async def test_from_the_press_to_the_money(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def look() -> dict[str, int]:
        return await seen(shop)

    invoice = await shop.open()

    async def press() -> None:
        await shop.door.choose_method(key="press", user_id=7, invoice_id=invoice.id, method="bank:NGN")

    assert await die_and_live(monkeypatch, press, look) >= 6
    assert (await shop.count("quotes"), await shop.count("charges")) == (1, 1)
    async with shop.db.read() as conn:
        charge_id = int((await conn.scalar(text("SELECT id FROM payments.charges"))) or 0)
    said = await shop.parts.naira.charging.request(charge_id)

    async def record() -> None:
        async with shop.db.transaction() as tx:
            await shop.parts.naira.charging.record(tx, charge_id, said)

    assert await die_and_live(monkeypatch, record, look) >= 4
    (number,) = shop.bank.accounts
    paid = shop.bank.pay(number, "24000")

    async def told() -> None:
        await shop.told(paid)

    assert await die_and_live(monkeypatch, told, look) >= 10
    assert ((await shop.see(invoice)).state, await shop.credits()) == ("paid", 10)
    assert len(await shop.events("deposit_confirmed")) == 1
    await shop.sound()


async def test_the_poll_that_dies_is_made_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here some of it may stand: the credit is one transaction, its note another. Nothing is credited twice."""
    invoice = await shop.by_bank()
    assert invoice.quote is not None
    assert invoice.quote.account is not None
    shop.bank.pay(invoice.quote.account.number, "24000")
    shop.clock.advance(30)
    died = 0
    while True:
        with monkeypatch.context() as patched:
            patched.setattr(AsyncConnection, "execute", dying_at(died + 1, ("payments",)))
            try:
                await shop.parts.naira.watcher.poll()
            except Died:
                died += 1
                continue
        break
    assert died > 8
    assert ((await shop.see(invoice)).state, await shop.count("receipts")) == ("paid", 1)
    await shop.sound()


async def test_a_webhook(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.db.cipher = Cipher([new_key()], "f" * 32)
    stored: list[Any] = []

    class Inbox:
        async def store(self, source: str, items: Any) -> int:
            stored.extend(items)
            return len(items)

    hook = Hook("charge.completed:5:successful", "charge.completed", "charge", "5", "vc-c1", "successful")
    for _ in range(2):
        await shop.parts.naira.hooks.accept(Inbox(), hook, "{}")
    assert await shop.count("webhooks") == 1
    (external_id, order_key, facts), again = stored
    assert again == stored[0]
    item = InboxItem(1, "flutterwave", external_id, order_key, facts, shop.clock.now(), 0)
    transfer = replace(item, payload={**facts, "kind": "transfer"})

    async def handled() -> None:
        await shop.parts.naira.hooks.handle(item)
        await shop.parts.naira.hooks.handle(transfer)

    async def look() -> int:
        return len(await shop.events("transfer_reported"))

    assert await die_and_live(monkeypatch, handled, look) >= 2
    await handled()
    assert await look() == 1


async def test_an_approval(
    database: Database, clock: FakeClock, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await Shop(database, clock, registry, config=settings(**MANUAL)).start()
    invoice = await shop.choose(await shop.open(), "bank:manual")

    async def look() -> dict[str, int]:
        return await seen(shop)

    async def send() -> None:
        await shop.door.submit_proof(key="photo", user_id=7, invoice_id=invoice.id, file_id="AgAC")

    async def approve() -> None:
        async with shop.db.read() as conn:
            proof_id = int((await conn.scalar(text("SELECT max(id) FROM payments.proofs"))) or 0)
        await shop.door.approve_proof(key="press", actor=1000, proof_id=proof_id)

    assert await die_and_live(monkeypatch, send, look) >= 5
    assert await die_and_live(monkeypatch, approve, look) >= 10
    await approve()
    assert ((await shop.see(invoice)).state, await shop.credits(), await shop.count("receipts")) == ("paid", 10, 1)
    await shop.sound()

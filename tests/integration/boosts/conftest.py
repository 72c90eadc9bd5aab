"""A shop on a real database: the ledger is real, panels, users and payments do as they are told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

import pytest
from sqlalchemy import text

from tests.support.boosts import FakePanel, FakePayments, FakeUsers, config
from tests.support.clock import FakeClock
from viralcore.boosts.api import OrderView
from viralcore.boosts.config import BoostsConfig
from viralcore.boosts.module import BoostsModule, build
from viralcore.boosts.service.engines import LineEngine
from viralcore.core.db import Database
from viralcore.core.effect_runner import EffectRunner
from viralcore.core.http import HttpClients
from viralcore.core.registry import Registry
from viralcore.core.workers import Worker
from viralcore.ledger.api import Entry, house_account, user_account
from viralcore.ledger.service import LedgerService
from viralcore.payments.events import InvoicePaid

PANELS = ("smmflare", "plugsmm", "smmstone")
ADA = 42


@dataclass
class Shop:
    database: Database
    clock: FakeClock
    ledger: LedgerService
    module: BoostsModule
    panels: dict[str, FakePanel]
    users: FakeUsers
    payments: FakePayments
    runner: EffectRunner
    _granted: list[int] = field(default_factory=list)

    @property
    def door(self) -> Any:
        return self.module.service

    async def grant(
        self, count: int = 10, asset: str = "t3", cost: str = "1.50", user_id: int = ADA, invoice: int = 0
    ) -> None:
        """Credits, as a paid invoice would give them."""
        self._granted.append(count)
        entries = (
            Entry(user_account(user_id, "credits", asset), count, unit_cost=Decimal(cost)),
            Entry(house_account("grants", asset), -count),
        )
        async with self.database.transaction() as tx:
            key = f"invoice:{invoice}:paid" if invoice else f"test.grant:{len(self._granted)}"
            await self.ledger.post(tx, key=key, kind="purchase", entries=entries, description="test")

    async def order(self, *texts: str, user_id: int = ADA) -> tuple[OrderView, ...]:
        """Paste links and confirm."""
        pasted = " ".join(texts or ("https://x.com/shop/status/1990000000000000001",))
        draft = await self.door.draft(key=f"u{pasted}{self.clock.now()}", user_id=user_id, text=pasted)
        orders: tuple[OrderView, ...] = await self.door.confirm(key="k", user_id=user_id, draft_id=draft.id)
        return orders

    async def goods(
        self, plan: str, quantity: int, cents: int, answers: Mapping[str, str], *, invoice_id: int, user_id: int = ADA
    ) -> OrderView:
        """Answer a plan's questions, and hear that its invoice was paid."""
        request = await self.door.goods.begin(key=f"g{invoice_id}", user_id=user_id, plan_id=plan, quantity=quantity)
        for question, given in answers.items():
            await self.door.goods.answer(key="", user_id=user_id, request_id=request.id, question=question, text=given)
        self.payments.next_id = invoice_id
        await self.door.goods.invoice(key="", user_id=user_id, request_id=request.id)
        await self.paid(invoice_id, plan, quantity, cents, user_id=user_id)
        return (await self.door.orders(user_id=user_id))[0]  # type: ignore[no-any-return]

    async def paid(self, invoice_id: int, plan: str, quantity: int, cents: int, *, user_id: int = ADA) -> None:
        """What payments tells of an invoice, heard as often as this is called. The price is in the house."""
        event = InvoicePaid(
            invoice_id=invoice_id,
            user_id=user_id,
            item_kind="goods",
            item_ref=plan,
            quantity=quantity,
            total=cents,
            paid_cents=cents,
            method="wallet",
        )
        (heard,) = [one for one in self.module.subscriptions if one.name == "boosts.goods_paid"]
        async with self.database.transaction() as tx:
            await heard.handler(tx, "event", event)

    async def turn(self, minutes: float = 0, *, poll: bool = True) -> None:
        """Turn the clock and let everything that is due happen."""
        self.clock.advance(minutes * 60)
        await self.job("boosts.panels")
        await self.job("boosts.dispatch")
        await self.send()
        if poll:
            await self.job("boosts.poll")

    async def job(self, name: str) -> None:
        await next(job for job in self.module.jobs if job.name == name).run()

    async def send(self) -> None:
        """Run queued effects until there are none, as the queue would."""
        for _ in range(50):
            queued = await self.rows(
                "SELECT id, gen FROM core.effects WHERE state IN ('queued', 'answered') AND due IS NULL ORDER BY id"
            )
            if not queued:
                return
            for row in queued:
                await self.runner.run(row.id, row.gen)
        raise AssertionError("effects without end")

    async def credits(self, asset: str = "t3", user_id: int = ADA) -> int:
        return (await self.ledger.balance(account=user_account(user_id, "credits", asset))).available

    async def wallet(self, user_id: int = ADA) -> int:
        return (await self.ledger.balance(account=user_account(user_id, "wallet"))).available

    async def see(self, order_id: int) -> OrderView:
        return cast(OrderView, await self.door.get_order(order_id=order_id))

    async def events(self, name: str) -> list[dict[str, Any]]:
        """Recorded events by the short name, oldest first (several of one transaction: in any order)."""
        rows = await self.rows(f"SELECT payload FROM core.events WHERE name = 'boosts.{name}.v1' ORDER BY recorded_at")
        return [row.payload for row in rows]

    async def rows(self, statement: str) -> Sequence[Any]:
        async with self.database.read() as conn:
            return (await conn.execute(text(statement))).all()

    async def sound(self) -> None:
        """The books agree."""
        assert await self.ledger.check() == ()


ShopOf = Callable[[Mapping[str, FakePanel], BoostsConfig], Awaitable[Shop]]


@pytest.fixture
def engines() -> Sequence[LineEngine] | None:
    """Panels alone, unless a module overrides this: what they do not deliver is refunded. None: as the shop runs."""
    return ()


@pytest.fixture
async def shop_of(
    database: Database, clock: FakeClock, registry: Registry, engines: Sequence[LineEngine] | None
) -> AsyncIterator[ShopOf]:
    """Opens a shop with these panels."""
    clients = HttpClients(clock)

    async def open_(panels: Mapping[str, FakePanel], told: BoostsConfig) -> Shop:
        ledger = LedgerService(database)
        users, payments = FakeUsers(), FakePayments(ledger)
        module = build(
            db=database,
            config=told,
            clients=clients,
            ledger=ledger,
            users=cast(Any, users),
            payments=cast(Any, payments),
            panels=tuple(panels.values()),
            engines_in_use=engines,
        )
        registry.add_kinds(*module.effects)
        runner = EffectRunner(database, Worker())
        return Shop(database, clock, ledger, module, dict(panels), users, payments, runner)

    yield open_
    await clients.close()


@pytest.fixture
async def shop(shop_of: ShopOf) -> Shop:
    return await shop_of(
        {name: FakePanel(name, first=1000 * number) for number, name in enumerate(PANELS, start=1)}, config()
    )

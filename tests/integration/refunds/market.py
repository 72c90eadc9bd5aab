"""Payments, boosts and referrals over a real database: what is bought, not delivered and given back is told to
whoever hears of it, by hand, so that it can be told twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import text

from tests.integration.boosts.conftest import PANELS
from tests.integration.boosts.conftest import Shop as Boosts
from tests.integration.payments.office import BOSS
from tests.integration.referrals.village import Village
from tests.support.boosts import FakePanel, config
from viralcore.boosts.api import OrderView
from viralcore.boosts.module import build
from viralcore.core.effect_runner import EffectRunner
from viralcore.core.events import Event, Subscription
from viralcore.core.http import HttpClients
from viralcore.core.registry import Registry
from viralcore.core.workers import Worker
from viralcore.ledger.api import AFFILIATE, Entry, house_account, user_account
from viralcore.payments.api import InvoiceView

PROFILE = "https://x.com/somebody"
PEOPLE_HEAR = {"boosts.goods_paid", "boosts.custom_bought"}


class Market(Village):
    """A village with a shop for boosts in it."""

    def furnish(self, registry: Registry, clients: HttpClients, *, engines: Sequence[Any] | None = None) -> Market:
        """`engines` (): panels alone, and what they do not deliver is paid back. None: as the shop runs."""
        panels = {name: FakePanel(name, first=1000 * number) for number, name in enumerate(PANELS, start=1)}
        module = build(
            db=self.db,
            config=config(),
            clients=clients,
            ledger=self.ledger,
            users=self.people,
            payments=self.door,
            panels=tuple(panels.values()),
            engines_in_use=engines,
        )
        registry.add_kinds(*module.effects)
        runner = EffectRunner(self.db, Worker())
        fakes = cast(Any, None)
        self.boosts = Boosts(self.db, self.clock, self.ledger, module, panels, fakes, fakes, runner)
        heard = [one for one in module.subscriptions if one.name in PEOPLE_HEAR]
        self.ears: tuple[Subscription, ...] = (*self.referrals.subscriptions, *heard)
        registry.subscribe(*heard)
        return self

    async def tell(self, event_id: str, event: Event) -> None:
        for one in self.ears:
            if isinstance(event, one.event):
                async with self.db.transaction() as tx:
                    await one.handler(tx, event_id, event)

    async def listen(self) -> None:
        """What was said, and what is said because of it."""
        while await self.said():
            await self.hear()

    async def earned(self, user: int, cents: int) -> None:
        """Affiliate money, and all of it moved to the wallet: bonus money."""
        entries = (Entry(user_account(user, AFFILIATE), cents), Entry(house_account("suspense"), -cents))
        async with self.db.transaction() as tx:
            await self.ledger.post(tx, key=self.key(), kind="adjustment", entries=entries, description="test")
        await self.move(user, cents)

    async def wants(self, user: int, plan: str, quantity: int, **answers: str) -> InvoiceView:
        """The invoice of goods, open."""
        goods = self.boosts.door.goods
        request = await goods.begin(key=self.key(), user_id=user, plan_id=plan, quantity=quantity)
        for question, given in answers.items():
            await goods.answer(key="", user_id=user, request_id=request.id, question=question, text=given)
        invoice_id = await goods.invoice(key="", user_id=user, request_id=request.id)
        return await self.door.get_invoice(user_id=user, invoice_id=invoice_id)

    async def followers(self, user: int, quantity: int = 1000) -> OrderView:
        """Bought from the wallet, ordered."""
        invoice = await self.wants(user, "direct_add", quantity, profile_link=PROFILE)
        await self.door.pay_from_wallet(key=self.key(), user_id=user, invoice_id=invoice.id)
        await self.listen()
        return (await self.orders(user))[0]

    async def orders(self, user: int) -> tuple[OrderView, ...]:
        return cast("tuple[OrderView, ...]", await self.boosts.door.orders(user_id=user))

    async def cancel(self, order: OrderView) -> OrderView:
        after = await self.boosts.door.cancel(key=self.key(), user_id=order.user_id, order_id=order.id)
        await self.listen()
        return cast(OrderView, after)

    async def given(self, invoice_id: int) -> int:
        """Of the price, what the invoice remembers to have given back."""
        query = text("SELECT given_cents FROM payments.invoices WHERE id = :id")
        async with self.db.read() as conn:
            return int(await conn.scalar(query, {"id": invoice_id}) or 0)

    async def money(self, user: int) -> tuple[int, int]:
        """(wallet, bonus)"""
        return await self.wallet(user), await self.bonus(user)

    @property
    def owner(self) -> int:
        return BOSS

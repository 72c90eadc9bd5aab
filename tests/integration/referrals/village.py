"""Payments and referrals over a real database: people come, buy and get money back, and what was said is passed on by
hand, so that it can be passed on twice or in another order."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import text

from tests.integration.payments.office import Office
from viralcore.core.events import Event
from viralcore.core.money import USD, Money
from viralcore.core.registry import Registry
from viralcore.ledger.api import AFFILIATE, user_account
from viralcore.referrals import module
from viralcore.referrals.api import ReferralFacts, ReferralStats
from viralcore.referrals.config import ReferralsConfig
from viralcore.users.api import Profile

SETTINGS = Path(__file__).parents[3] / "settings/referrals.toml"
CARA, DAN, EVE = 9, 10, 11


def settings(**changes: Any) -> ReferralsConfig:
    return ReferralsConfig.model_validate({**tomllib.loads(SETTINGS.read_text()), **changes})


class Village(Office):
    """CARA and those after her have not come yet."""

    registry: Registry

    async def settle_in(self, registry: Registry) -> Village:
        await self.start()
        self.registry = registry
        self.passed: set[str] = set()
        self.referrals = module.build(
            db=self.db, clock=self.clock, ledger=self.ledger, users=self.people, config=settings()
        )
        registry.subscribe(*self.referrals.subscriptions)
        return self

    async def comes(self, user_id: int, by: int | str | None = None, *, heard: bool = True) -> None:
        """Somebody's first contact, perhaps through a link."""
        payload = f"ref_{by}" if isinstance(by, int) else by
        await self.people.meet(key=f"m{user_id}", profile=Profile(user_id, f"P{user_id}"), start_payload=payload)
        await self.people.accept_terms(key=f"t{user_id}", user_id=user_id, version=self.people.terms_version())
        if heard:
            await self.hear()

    async def said(self, *, again: bool = False) -> list[tuple[str, Event]]:
        """Events not passed on yet (or all), in the order they were recorded."""
        query = "SELECT id::text AS id, name, payload FROM core.events ORDER BY recorded_at"
        async with self.db.read() as conn:
            rows = (await conn.execute(text(query))).all()
        heard = {one.event.NAME for one in self.referrals.subscriptions}
        return [
            (row.id, self.registry.decode(row.name, row.payload))
            for row in rows
            if row.name in heard and (again or row.id not in self.passed)
        ]

    async def hear(self, *, again: bool = False, order: Callable[[list[tuple[str, Event]]], Any] | None = None) -> None:
        """Pass on what was said, each in a transaction of its own."""
        events = await self.said(again=again)
        if order is not None:
            order(events)
        for event_id, event in events:
            await self.tell(event_id, event)
            self.passed.add(event_id)

    async def tell(self, event_id: str, event: Event) -> None:
        for one in self.referrals.subscriptions:
            if isinstance(event, one.event):
                async with self.db.transaction() as tx:
                    await one.handler(tx, event_id, event)

    async def affiliate(self, user_id: int) -> int:
        return (await self.ledger.balance(account=user_account(user_id, AFFILIATE))).balance

    async def stats(self, user_id: int) -> ReferralStats:
        return await self.referrals.service.stats(user_id=user_id)

    async def facts(self, user_id: int) -> ReferralFacts:
        return (await self.referrals.service.get_many(user_ids=[user_id]))[user_id]

    async def referrer(self, user_id: int) -> int | None:
        return (await self.facts(user_id)).referrer_id

    async def move(self, user_id: int, cents: int) -> None:
        await self.door.move_to_wallet(key=self.key(), user_id=user_id, amount=Money(cents, USD))

    async def told(self, name: str) -> list[dict[str, Any]]:
        query = "SELECT payload FROM core.events WHERE name = :name ORDER BY recorded_at"
        async with self.db.read() as conn:
            return [dict(row.payload) for row in await conn.execute(text(query), {"name": f"referrals.{name}.v1"})]

    async def agrees(self) -> None:
        """The books and the rows say the same, of everybody."""
        assert await self.ledger.check() == ()
        query = """
        SELECT a.earned_cents - a.reversed_cents AS kept, a.receivable_cents AS owed,
               (SELECT coalesce(sum(c.cents), 0) FROM referrals.commissions c WHERE c.referrer_id = a.user_id) AS net,
               (SELECT coalesce(sum(c.to_balance_cents), 0) FROM referrals.commissions c
                WHERE c.referrer_id = a.user_id) AS booked, a.user_id,
               (SELECT coalesce(sum(e.amount), 0) FROM ledger.entries e JOIN ledger.accounts l ON l.id = e.account_id
                JOIN ledger.postings p ON p.id = e.posting_id
                WHERE l.owner = 'user:' || a.user_id AND l.name = 'affiliate' AND p.kind = 'commission') AS posted
        FROM referrals.affiliates a"""
        async with self.db.read() as conn:
            rows = (await conn.execute(text(query))).all()
            due = await conn.scalar(text("SELECT coalesce(sum(booked_cents), 0) FROM referrals.purchases"))
        for row in rows:
            assert row.kept == row.net
            assert row.booked == row.posted == row.net + row.owed
        assert sum(row.kept for row in rows) == due == -await self.house("commissions")
        assert sum(row.owed for row in rows) == -await self.house("affiliate_receivable")

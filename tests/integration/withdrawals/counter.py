"""Withdrawals over a real database, ledger and staff, and a provider that does as it is told."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any

from sqlalchemy import text

from tests.support.clock import FakeClock
from tests.support.withdrawals import CIPHER, RATE, SETTINGS, FakePayouts, settings
from viralcore.core.db import Database
from viralcore.core.effect_runner import EffectRunner
from viralcore.core.money import Money, ngn, usd
from viralcore.core.registry import Registry
from viralcore.core.workers import Worker
from viralcore.ledger import module as ledger
from viralcore.ledger.api import Entry, house_account, user_account
from viralcore.payments.events import TransferReported
from viralcore.users import module as users
from viralcore.users.api import Profile
from viralcore.users.config import UsersConfig
from viralcore.withdrawals import module
from viralcore.withdrawals.api import CheckView, Source, WithdrawalView
from viralcore.withdrawals.config import WithdrawalsConfig
from viralcore.withdrawals.ports import Origin

OWNER, SECOND, FINANCE = 1000, 1001, 1002
ACCOUNT = "0690000032"


class FakeOrigins:
    def __init__(self) -> None:
        self.known: dict[int, Origin] = {}

    async def origin(self, *, user_id: int, source: Source, sharing: Sequence[int]) -> Origin:
        found = self.known.get(user_id, Origin(frozenset(), 0, 0))
        return replace(found, tied=found.tied.intersection(sharing))


class Counter:
    """`restart` is a new process on the same database; what it was about to record is lost."""

    def __init__(
        self,
        database: Database,
        clock: FakeClock,
        registry: Registry,
        *,
        config: WithdrawalsConfig | None = None,
        nobody_pays: bool = False,
    ) -> None:
        self.db, self.clock, self.registry = database, clock, registry
        self.config = config or settings()
        self.live: Decimal | None = RATE
        self.payouts = FakePayouts(clock.now)
        self.origins = FakeOrigins()
        self.books = ledger.build(database).service
        people = UsersConfig.model_validate(tomllib.loads((SETTINGS / "users.toml").read_text()))
        self.users = users.build(database, clock, people).service
        self.nobody_pays = nobody_pays
        self._keys = count(1)
        self.build()

    def build(self) -> None:
        self.module = module.assemble(
            db=self.db,
            clock=self.clock,
            ledger=self.books,
            users=self.users,
            live=self._live,
            config=self.config,
            cipher=CIPHER,
            payouts=None if self.nobody_pays else self.payouts,
            origins=self.origins,
        )
        self.db.registry.kinds.clear()
        self.db.registry.add_kinds(*self.module.effects)
        self.door, self.desk = self.module.service, self.module.service.desk
        self.parts = self.module.parts
        self.runner = EffectRunner(self.db, Worker())

    async def _live(self) -> Decimal | None:
        return self.live

    async def open(self, *, staff: Sequence[int] = (OWNER, SECOND)) -> Counter:
        await self.users.ensure_owners(list(staff))
        for number in staff:
            await self.person(number)
            await self.users.open_session(key=self.key(), actor=number)
        await self.parts.banks.refresh()
        return self

    async def restart(self) -> None:
        self.build()
        await self.runner.recover()

    def key(self) -> str:
        return f"k{next(self._keys)}"

    # --- people ------------------------------------------------------------------------------------------------------

    async def person(self, user_id: int, *, days: int = 0) -> int:
        """Somebody who accepted the terms of use, and came so many days ago."""
        await self.users.meet(key=self.key(), profile=Profile(user_id, f"P{user_id}"))
        await self.users.accept_terms(key=self.key(), user_id=user_id, version=self.users.terms_version())
        if days:
            async with self.db.transaction() as tx:
                await tx.conn.execute(
                    text(
                        "UPDATE users.people SET created_at = created_at - make_interval(days => :days) WHERE id = :id"
                    ),
                    {"days": days, "id": user_id},
                )
        return user_id

    async def earn(self, user_id: int, amount: Money, source: Source = "affiliate") -> None:
        async with self.db.transaction() as tx:
            entries = [
                Entry(user_account(user_id, source, amount.asset), amount.minor),
                Entry(house_account("revenue", amount.asset), -amount.minor),
            ]
            await self.books.post(tx, key=self.key(), kind="commission", entries=entries, description="earned")

    async def rich(self, user_id: int, dollars: str = "400", *, days: int = 100) -> int:
        await self.person(user_id, days=days)
        await self.earn(user_id, usd(dollars))
        return user_id

    # --- the way of a request ----------------------------------------------------------------------------------------

    async def check(
        self, user_id: int, amount: Money, *, account: str = ACCOUNT, source: Source = "affiliate", work: bool = True
    ) -> CheckView:
        (bank, *_) = await self.door.search_banks(text="access")
        check = await self.door.check(
            key=self.key(), user_id=user_id, source=source, amount=amount, bank_id=bank.id, account_number=account
        )
        if work:
            await self.work("withdrawals.check")
        return await self.door.get_check(user_id=user_id, check_id=check.id)

    async def ask(
        self, user_id: int, dollars: str = "20", *, account: str = ACCOUNT, source: Source = "affiliate"
    ) -> WithdrawalView:
        amount = ngn(dollars) if source == "reply" else usd(dollars)
        check = await self.check(user_id, amount, account=account, source=source)
        return await self.door.request(key=self.key(), user_id=user_id, check_id=check.id)

    async def approve(self, request: WithdrawalView, actor: int = OWNER) -> None:
        await self.desk.approve(key=self.key(), actor=actor, withdrawal_id=request.id)

    async def sent(self, user_id: int, dollars: str = "20", **more: Any) -> WithdrawalView:
        """Asked for, approved, and at the provider."""
        request = await self.ask(user_id, dollars, **more)
        await self.approve(request)
        if request.needed == 2:
            await self.approve(request, SECOND)
        await self.work()
        return await self.see(request)

    async def see(self, request: WithdrawalView) -> WithdrawalView:
        return await self.door.get(user_id=request.user_id, withdrawal_id=request.id)

    async def state(self, request: WithdrawalView) -> str:
        return (await self.see(request)).state

    # --- time and work -----------------------------------------------------------------------------------------------

    async def work(self, kind: str = "withdrawals.") -> int:
        """Run every effect that could run now, until there is none; how many rounds of effects."""
        done = 0
        while True:
            await self.runner.release_due()
            rows = await self.runnable(kind)
            if not rows:
                return done
            done += len(rows)
            await asyncio.gather(*(self.runner.run(number, gen) for number, gen in rows))

    async def runnable(self, kind: str = "withdrawals.") -> list[tuple[int, int]]:
        query = text(
            "SELECT id, gen FROM core.effects WHERE state IN ('queued', 'answered') AND due IS NULL"
            " AND kind LIKE :kind ORDER BY id"
        )
        async with self.db.read() as conn:
            return [(row.id, row.gen) for row in await conn.execute(query, {"kind": f"{kind}%"})]

    async def pass_time(self, seconds: float) -> None:
        """Turn the clock, and do what it wakes."""
        self.clock.advance(seconds)
        for job in self.module.jobs:
            await job.run()
        await self.work()

    async def told(self, reference: str) -> None:
        """A webhook came."""
        (subscription,) = self.module.subscriptions
        async with self.db.transaction() as tx:
            event = TransferReported(reference=reference, transfer_id="1")
            await subscription.handler(tx, f"e{self.key()}", event)
        await self.work("withdrawals.ask")

    # --- what is true ------------------------------------------------------------------------------------------------

    async def events(self, name: str) -> list[dict[str, Any]]:
        query = text("SELECT payload FROM core.events WHERE name = :name ORDER BY recorded_at, id")
        async with self.db.read() as conn:
            return [row.payload for row in await conn.execute(query, {"name": f"withdrawals.{name}.v1"})]

    async def balance(self, user_id: int, source: Source = "affiliate") -> tuple[int, int]:
        """(balance, held)."""
        asset = "NGN" if source == "reply" else "USD"
        found = await self.books.balance(account=user_account(user_id, source, asset))
        return found.balance, found.held

    async def house(self, name: str, asset: str = "NGN") -> int:
        return (await self.books.balance(account=house_account(name, asset))).balance

    async def audited(self, action: str) -> list[Any]:
        query = text("SELECT * FROM users.audit_log WHERE action = :action ORDER BY id")
        async with self.db.read() as conn:
            return list(await conn.execute(query, {"action": action}))

    async def sound(self) -> None:
        """The books add up, and nobody was paid twice."""
        assert await self.books.check() == ()
        assert (await self.books.trial_balance()).balanced
        assert all(times == 1 for times in self.payouts.paid().values())
        async with self.db.read() as conn:
            wrong = await conn.execute(
                text("""
                SELECT r.id, r.state, h.state FROM withdrawals.requests r JOIN ledger.holds h ON h.id = r.hold_id
                WHERE h.state <> CASE WHEN r.state = 'completed' THEN 'captured'
                    WHEN r.ended_at IS NULL THEN 'held' ELSE 'released' END
                """)
            )
            assert wrong.all() == []

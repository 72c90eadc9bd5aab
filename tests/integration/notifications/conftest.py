"""Notifications over a real database and queue, with nothing behind its doors but what a test puts there."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.integration.notifications.doors import ADA, GROUP, FakeBoosts, FakeChat, FakePayments, FakeUsers
from tests.support.clock import FakeClock
from tests.support.queueing import settled
from viralcore.core.db import Database
from viralcore.core.events import Event
from viralcore.core.queue import QueueEngine
from viralcore.core.registry import Registry
from viralcore.notifications import module
from viralcore.notifications.config import NotificationsConfig

SETTINGS = Path(__file__).parents[3] / "settings/notifications.toml"


def settings() -> NotificationsConfig:
    return NotificationsConfig.model_validate(tomllib.loads(SETTINGS.read_text()))


@dataclass
class House:
    db: Database
    clock: FakeClock
    registry: Registry
    engine: QueueEngine
    admin_chat_id: int | None = GROUP
    staff_told: bool = True
    users: FakeUsers = field(default_factory=FakeUsers)
    payments: FakePayments = field(default_factory=FakePayments)
    boosts: FakeBoosts = field(default_factory=FakeBoosts)
    chat: FakeChat = field(default_factory=FakeChat)
    withdrawals: Any = None

    def build(self, messenger: Any = None) -> House:
        self.module = module.assemble(
            db=self.db,
            users=self.users,  # type: ignore[arg-type]
            payments=self.payments,  # type: ignore[arg-type]
            boosts=self.boosts,  # type: ignore[arg-type]
            withdrawals=self.withdrawals,
            messenger=messenger or self.chat,
            bot_username=lambda: "shop_bot",
            admin_chat_id=self.admin_chat_id,
            staff_told=self.staff_told,
            config=settings(),
        )
        self.registry.subscribe(*self.module.subscriptions)
        self.registry.add_kinds(*self.module.effects)
        return self

    async def start(self) -> House:
        await self.engine.start()
        await self.engine.ready()
        return self

    async def happens(self, *events: Event) -> None:
        """Events in one transaction, and everything they lead to now."""
        async with self.db.transaction() as tx:
            for event in events:
                tx.record(event)
        await settled(self.engine)

    async def record(self, *events: Event) -> None:
        async with self.db.transaction() as tx:
            for event in events:
                tx.record(event)

    async def later(self, **passed: float) -> None:
        """Turn the clock and do what has become due."""
        self.clock.advance(timedelta(**passed).total_seconds())
        await self.engine.release_due()
        await settled(self.engine)

    async def rows(self) -> list[dict[str, Any]]:
        async with self.db.read() as conn:
            found = await conn.execute(text("SELECT * FROM notifications.notices ORDER BY id"))
            return [dict(row._mapping) for row in found]

    async def states(self) -> list[str]:
        return [str(row["state"]) for row in await self.rows()]

    def ada(self) -> list[str]:
        return self.chat.texts(ADA)

    def group(self) -> list[str]:
        return self.chat.texts(GROUP)


@pytest.fixture
def bare_house(database: Database, clock: FakeClock, registry: Registry, engine: QueueEngine) -> House:
    """Not built yet: a test changes something first."""
    return House(database, clock, registry, engine)


@pytest.fixture
async def house(bare_house: House) -> House:
    return await bare_house.build().start()

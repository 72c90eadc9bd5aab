"""Users over a real database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from tests.support.clock import FakeClock
from viralcore.core.db import Database
from viralcore.users.api import Profile, Right, UserView
from viralcore.users.config import UsersConfig
from viralcore.users.events import UserRegistered
from viralcore.users.module import build
from viralcore.users.service import UsersService

OWNER, SECOND, ADA = 1000, 1001, 5


@dataclass
class Town:
    db: Database
    url: str
    clock: FakeClock
    service: UsersService

    async def meet(self, user_id: int, username: str | None = None, payload: str | None = None) -> UserView:
        return await self.service.meet(
            key=f"u{user_id}", profile=Profile(user_id, f"Person {user_id}", username, "en"), start_payload=payload
        )

    async def authorize(self, actor: int, right: Right) -> None:
        async with self.db.transaction() as tx:
            await self.service.authorize(tx, actor=actor, right=right)

    async def require_active(self, user_id: int) -> None:
        async with self.db.transaction() as tx:
            await self.service.require_active(tx, user_id=user_id)

    async def grant(self, user_id: int, role: Any, *, by: int = 0, key: str = "") -> None:
        await self.service.grant_role(
            key=key or f"g{user_id}{role}{by}", actor=by, user_id=user_id, role=role, reason="trusted"
        )

    async def revoke(self, user_id: int, role: Any, *, by: int = 0) -> None:
        await self.service.revoke_role(
            key=f"r{user_id}{role}{by}", actor=by, user_id=user_id, role=role, reason="no longer"
        )

    async def block(self, value: str | int, *, kind: Any = "user", by: int = 0) -> None:
        await self.service.block(key=f"b{kind}{value}{by}", actor=by, kind=kind, value=str(value), reason="spam")

    async def session(self, actor: int, *, key: str = "") -> None:
        await self.service.open_session(key=key or f"s{actor}{self.clock.now()}", actor=actor)

    def rows(self, query: str) -> list[Any]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query).fetchall()

    def audit(self) -> list[tuple[int, str, str]]:
        return self.rows("SELECT actor, action, subject FROM users.audit_log ORDER BY id")


@pytest.fixture
async def town(database: Database, database_url: str, clock: FakeClock) -> Town:
    """A shop with two owners named in ADMIN_IDS, whom the bot has not met."""
    database.registry.know(UserRegistered)
    service = build(database, clock, UsersConfig(terms_version="2", staff_session_minutes=60)).service
    await service.ensure_owners([OWNER, SECOND])
    return Town(database, database_url, clock, service)

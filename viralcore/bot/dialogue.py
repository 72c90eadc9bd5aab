"""Open questions, in Postgres: a restart in the middle of one resumes it. Expiry is business time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from viralcore.bot import tables
from viralcore.core.clock import Clock
from viralcore.core.db import Database

QUANTITY, HASH, LINK, PANEL_ORDER = "quantity", "hash", "link", "panel_order"


@dataclass(frozen=True, slots=True)
class Question:
    """What the person was asked, and about what."""

    name: str
    data: Mapping[str, Any]


class Dialogues:
    """At most one open question per person and chat. Who is being asked is also kept in memory, for the throttle:
    answers to a question do not count."""

    def __init__(self, db: Database, clock: Clock, *, minutes: int) -> None:
        self._db = db
        self._clock = clock
        self._span = timedelta(minutes=minutes)
        self._asked: dict[tuple[int, int], datetime] = {}

    async def start(self) -> None:
        """Remember who is being asked, after a restart."""
        t = tables.dialogues
        statement = select(t.c.chat_id, t.c.user_id, t.c.expires_at).where(t.c.expires_at > self._clock.now())
        async with self._db.read() as conn:
            rows = (await conn.execute(statement.limit(100_000))).all()
        self._asked = {(row.chat_id, row.user_id): row.expires_at for row in rows}

    def asked(self, chat_id: int, user_id: int) -> bool:
        """Whether a question is open, as far as this process knows."""
        until = self._asked.get((chat_id, user_id))
        return until is not None and until > self._clock.now()

    async def ask(self, chat_id: int, user_id: int, name: str, **data: Any) -> None:
        """Open a question; it replaces the one before."""
        until = self._clock.now() + self._span
        values = {"chat_id": chat_id, "user_id": user_id, "question": name, "data": data, "expires_at": until}
        statement = insert(tables.dialogues).values(values)
        changed = {key: values[key] for key in ("question", "data", "expires_at")}
        async with self._db.transaction() as tx:
            await tx.conn.execute(statement.on_conflict_do_update(index_elements=["chat_id", "user_id"], set_=changed))
        self._asked[chat_id, user_id] = until

    async def current(self, chat_id: int, user_id: int) -> Question | None:
        """The open question, unless it has expired."""
        t = tables.dialogues
        where = (t.c.chat_id == chat_id, t.c.user_id == user_id, t.c.expires_at > self._clock.now())
        async with self._db.read() as conn:
            row = (await conn.execute(select(t.c.question, t.c.data).where(*where))).one_or_none()
        return Question(row.question, row.data) if row is not None else None

    async def close(self, chat_id: int, user_id: int) -> bool:
        """End the question; whether there was one."""
        if self._asked.pop((chat_id, user_id), None) is None:
            return False
        t = tables.dialogues
        async with self._db.transaction() as tx:
            await tx.conn.execute(delete(t).where(t.c.chat_id == chat_id, t.c.user_id == user_id))
        return True

    async def prune(self) -> None:
        """Forget what nobody answered."""
        now = self._clock.now()
        self._asked = {who: until for who, until in self._asked.items() if until > now}
        async with self._db.transaction() as tx:
            await tx.conn.execute(delete(tables.dialogues).where(tables.dialogues.c.expires_at <= now))

"""Polling and inbox together on a real database, torn down without warning again and again: no update is ever lost."""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import text

from viralcore.bot.intake import Polling
from viralcore.core.db import Database
from viralcore.core.inbox import Inbox, InboxItem
from viralcore.core.nursery import Nursery

CHATS, UPDATES = 13, 400


class Telegram:
    """Keeps updates until an offset confirms them; answers a few at a time."""

    def __init__(self) -> None:
        self.updates = [
            {"update_id": n, "message": {"chat": {"id": n % CHATS + 1, "type": "private"}, "text": str(n)}}
            for n in range(1, UPDATES + 1)
        ]

    async def call(self, url: str, parameters: Mapping[str, Any], *, read_timeout: float) -> tuple[int, bytes]:
        await asyncio.sleep(random.random() * 0.004)
        result: Any = {}
        if url.endswith("getUpdates"):
            self.updates = [update for update in self.updates if update["update_id"] >= parameters.get("offset", 0)]
            result = self.updates[: random.randint(1, 20)]
        return 200, json.dumps({"ok": True, "result": result}).encode()


@pytest.mark.parametrize("seed", [1, 2])
async def test_torn_down_without_warning(database: Database, seed: int) -> None:
    random.seed(seed)
    telegram = Telegram()
    handled: dict[str, list[int]] = defaultdict(list)

    async def handler(item: InboxItem) -> None:
        await asyncio.sleep(random.random() * 0.004)
        handled[item.order_key].append(int(item.payload["message"]["text"]))

    lives = 0
    done = False
    while not done:
        lives += 1
        nursery = Nursery()
        inbox = Inbox(database, nursery, workers=8, window=40, page=10, begun_limit=100)
        inbox.handle("telegram", handler)
        await inbox.start()
        polling = Polling(telegram, "http://t/bot1:x", inbox, nursery, first_pause=0.001)
        await polling.start()
        ends_at = sum(len(seen) for seen in handled.values()) + random.randint(10, 80)
        while sum(len(seen) for seen in handled.values()) < ends_at and not done:
            await asyncio.sleep(0.001)
            done = not telegram.updates and await inbox.backlog() == 0
        await nursery.stop()  # no stop() of anybody: the process is simply gone
        assert lives < 200
    assert lives > 4
    async with database.read() as conn:
        states = await conn.execute(text("SELECT state, count(*) FROM core.inbox GROUP BY state"))
        assert [tuple(row) for row in states] == [("handled", UPDATES)]
    assert {n for seen in handled.values() for n in seen} == set(range(1, UPDATES + 1))
    repeated = sum(len(seen) for seen in handled.values()) - UPDATES
    assert repeated <= 8 * lives  # only what was in hand when the process went
    for seen in handled.values():
        assert seen == sorted(seen)  # a repeat comes before anything newer of its chat

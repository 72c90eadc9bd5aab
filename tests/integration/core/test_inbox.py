"""The durable inbox on a real database: nothing lost, nothing out of order, nothing handled twice, memory bounded."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import InterfaceError

from tests.support.clock import FakeClock
from tests.support.queueing import until
from viralcore.core.db import Database
from viralcore.core.inbox import Inbox, InboxItem
from viralcore.core.inbox_store import release_held, take_again
from viralcore.core.log import correlation_id
from viralcore.core.nursery import Nursery

Make = Callable[..., Inbox]


@pytest.fixture
async def nursery() -> AsyncIterator[Nursery]:
    made = Nursery()
    yield made
    await made.stop()


@pytest.fixture
def make(database: Database, nursery: Nursery) -> Make:
    def build(**options: Any) -> Inbox:
        return Inbox(database, nursery, **{"retry_seconds": 0.001, "workers": 8, **options})

    return build


async def rows(database: Database) -> list[tuple[Any, ...]]:
    async with database.read() as conn:
        found = await conn.execute(
            text("SELECT external_id, state, payload, attempts, error FROM core.inbox ORDER BY id")
        )
        return [tuple(row) for row in found]


async def drained(inbox: Inbox) -> None:
    async with asyncio.timeout(20):
        while await inbox.backlog():
            await asyncio.sleep(0.005)


class Recorder:
    """A handler that remembers, and can be told to wait or to fail."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.by_key: dict[str, list[str]] = defaultdict(list)
        self.running: set[str] = set()
        self.most = 0
        self.overlaps = 0

    async def __call__(self, item: InboxItem) -> None:
        self.overlaps += item.order_key in self.running
        self.running.add(item.order_key)
        self.most = max(self.most, len(self.running))
        await asyncio.sleep(random.random() * 0.002)
        self.seen.append(item.external_id)
        self.by_key[item.order_key].append(item.external_id)
        self.running.discard(item.order_key)


async def test_stored_handled_marked_and_the_payload_gone(make: Make, database: Database) -> None:
    got: list[tuple[Any, str]] = []

    async def handler(item: InboxItem) -> None:
        got.append((item.payload, correlation_id.get()))

    inbox = make()
    inbox.handle("telegram", handler)
    await inbox.start()
    assert await inbox.store("telegram", [("1", "7", {"n": 1.5, "t": "h\u00e9"})]) == 1
    assert await inbox.store("telegram", []) == 0
    await drained(inbox)
    assert got == [({"n": 1.5, "t": "h\u00e9"}, "telegram-1")]
    assert await rows(database) == [("1", "handled", None, 1, "")]


async def test_a_repeat_is_known_and_not_handled_again(make: Make) -> None:
    handler = Recorder()
    inbox = make()
    inbox.handle("telegram", handler)
    await inbox.start()
    assert await inbox.store("telegram", [("1", "k", {}), ("2", "k", {}), ("1", "k", {})]) == 2
    await drained(inbox)
    assert await inbox.store("telegram", [("2", "k", {}), ("3", "k", {})]) == 1
    await drained(inbox)
    assert handler.seen == ["1", "2", "3"]


async def test_one_key_in_order_different_keys_at_once_bounded(make: Make) -> None:
    handler = Recorder()
    inbox = make(workers=5)
    inbox.handle("telegram", handler)
    await inbox.start()
    for start in range(0, 300, 30):
        await inbox.store("telegram", [(str(n), str(n % 11), {}) for n in range(start, start + 30)])
    await drained(inbox)
    for key, seen in handler.by_key.items():
        assert seen == [str(n) for n in range(300) if str(n % 11) == key]
    assert handler.overlaps == 0
    assert 1 < handler.most <= 5


async def test_what_does_not_fit_in_memory_waits_in_the_table(make: Make) -> None:
    """Stores race with the reader of pages while the window is far too small: every item once, every key in order."""
    handler = Recorder()
    inbox = make(window=12, page=5, workers=4)
    inbox.handle("telegram", handler)
    await inbox.start()
    most = 0

    async def feed(source: int) -> None:
        nonlocal most
        for start in range(0, 100, 10):
            await inbox.store(
                "telegram", [(f"{source}-{n}", f"{source}-{n % 3}", {}) for n in range(start, start + 10)]
            )
            most = max(most, len(inbox._known))
            await asyncio.sleep(random.random() * 0.02)

    await asyncio.gather(*(feed(source) for source in range(4)))
    await drained(inbox)
    assert sorted(handler.seen) == sorted(f"{s}-{n}" for s in range(4) for n in range(100))
    for key, seen in handler.by_key.items():
        assert [int(name.split("-")[1]) for name in seen] == sorted(int(name.split("-")[1]) for name in seen), key
    assert most <= 22
    assert not inbox._known
    assert not inbox._waiting


async def test_a_restart_takes_up_what_was_pending_oldest_first(make: Make, database: Database) -> None:
    before = make()
    await before.store("telegram", [(str(n), "k", {"n": n}) for n in range(7)])
    handler = Recorder()
    after = make(page=3)
    after.handle("telegram", handler)
    assert await after.backlog() == 7
    await after.start()
    await drained(after)
    assert handler.seen == [str(n) for n in range(7)]


async def test_a_handler_that_fails_is_tried_three_times_then_held_and_the_key_goes_on(
    make: Make, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viralcore.core.inbox.AGAIN_SECONDS", 0.02)
    tries: list[str] = []
    held: list[tuple[str, str]] = []

    async def handler(item: InboxItem) -> None:
        tries.append(item.external_id)
        if item.external_id == "bad":
            raise ValueError("broken")

    async def on_held(item: InboxItem, reason: str) -> None:
        held.append((item.external_id, reason))
        raise RuntimeError("even this may fail")

    inbox = make()
    inbox.handle("telegram", handler, on_held)
    await inbox.start()
    await inbox.store("telegram", [("bad", "k", {"keep": 1}), ("good", "k", {})])
    await drained(inbox)
    assert tries == ["bad", "bad", "bad", "good"]
    assert held == [("bad", "ValueError: broken")]
    assert (await rows(database))[0] == ("bad", "held", {"keep": 1}, 3, "ValueError: broken")
    async with database.read() as conn:
        held_id = (await conn.execute(text("SELECT id FROM core.inbox WHERE external_id = 'bad'"))).scalar_one()
    async with database.transaction() as tx:  # on the command line: this inbox is not told
        assert await release_held(tx.conn, [held_id]) == 1

    async def again() -> bool:
        return len(tries) == 7

    await until(again)
    await drained(inbox)
    assert tries[4:] == ["bad", "bad", "bad"]


async def test_what_is_let_go_on_is_for_one_process(make: Make, database: Database) -> None:
    async def broken(item: InboxItem) -> None:
        raise ValueError("broken")

    inbox = make()
    inbox.handle("telegram", broken)
    await inbox.start()
    await inbox.store("telegram", [("1", "k", {})])
    await drained(inbox)
    await inbox.stop()
    async with database.transaction() as tx:
        (number,) = (await tx.conn.execute(text("SELECT id FROM core.inbox"))).scalars()
        assert await release_held(tx.conn, [number]) == 1
        assert await release_held(tx.conn, [number]) == 0
    assert await take_again(database.write, ["other"]) == []
    asked = await asyncio.gather(*(take_again(database.write, ["telegram"]) for _ in range(4)))
    assert sorted(len(one) for one in asked) == [0, 0, 0, 1]


async def test_a_database_that_is_away_costs_no_attempts(make: Make, database: Database) -> None:
    tries = 0

    async def handler(item: InboxItem) -> None:
        nonlocal tries
        tries += 1
        if tries < 6:
            raise InterfaceError("x", {}, Exception("gone"))

    inbox = make()
    inbox.handle("telegram", handler)
    await inbox.start()
    await inbox.store("telegram", [("1", "k", {})])
    await drained(inbox)
    assert await rows(database) == [("1", "handled", None, 1, "")]
    assert tries == 6


async def test_an_outage_elsewhere_is_waited_out_for_a_while(make: Make, database: Database) -> None:
    """Telegram away for some tries: the answer comes when it is back. Away for too long: the key goes on."""
    tries: list[str] = []

    async def handler(item: InboxItem) -> None:
        tries.append(item.external_id)
        if item.external_id == "later" and tries.count("later") > 6:
            return
        raise ConnectionResetError

    def passing(error: BaseException) -> bool:
        return isinstance(error, ConnectionResetError)

    inbox = make()
    inbox.handle("telegram", handler, passing=passing)
    await inbox.start()
    await inbox.store("telegram", [("later", "k", {})])
    await drained(inbox)
    impatient = make(patience_seconds=0.0)
    impatient.handle("other", handler, passing=passing)
    await impatient.start()
    await impatient.store("other", [("never", "k", {})])
    await drained(impatient)
    assert (tries.count("later"), tries.count("never")) == (7, 3)
    assert [row[:2] for row in await rows(database)] == [("later", "handled"), ("never", "held")]


async def test_an_item_that_keeps_killing_the_process_is_held(make: Make, database: Database) -> None:
    held: list[str] = []

    async def on_held(item: InboxItem, reason: str) -> None:
        held.append(item.external_id)

    for _ in range(6):
        started = asyncio.Event()

        async def hang(item: InboxItem, started: asyncio.Event = started) -> None:
            started.set()
            await asyncio.Event().wait()

        inbox = make()
        inbox.handle("telegram", hang, on_held)
        await inbox.start()
        await inbox.store("telegram", [("killer", "k", {})])
        async with asyncio.timeout(30):
            await started.wait()
        assert await inbox.stop(timeout=0.01) == 1
    handler = Recorder()
    last = make()
    last.handle("telegram", handler, on_held)
    await last.start()
    await drained(last)
    assert (handler.seen, held) == ([], ["killer"])
    assert (await rows(database))[0][1] == "held"


async def test_stop_finishes_what_runs_and_leaves_the_rest_pending(make: Make, database: Database) -> None:
    started, release = asyncio.Event(), asyncio.Event()

    async def handler(item: InboxItem) -> None:
        started.set()
        await release.wait()

    inbox = make(workers=1)
    inbox.handle("telegram", handler)
    await inbox.start()
    await inbox.store("telegram", [("1", "a", {}), ("2", "b", {})])
    await started.wait()
    asyncio.get_running_loop().call_later(0.05, release.set)
    assert await inbox.stop(timeout=30) == 0
    assert [row[1] for row in await rows(database)] == ["handled", "pending"]


@pytest.mark.parametrize("bad", ["\0", "\ud800", "a\\u0000b", "\\\0", "\\\\\0"])
async def test_text_that_jsonb_refuses_blocks_nothing(make: Make, bad: str) -> None:
    got: list[Any] = []

    async def handler(item: InboxItem) -> None:
        got.append(item.payload["t"])

    inbox = make()
    inbox.handle("telegram", handler)
    await inbox.start()
    await inbox.store("telegram", [("1", "k", {"t": bad}), ("2", "k", {"t": "fine"})])
    await drained(inbox)
    assert got[1] == "fine"
    assert len(got[0]) == len(bad)
    assert got[0].replace("\ufffd", "?") == bad.replace("\0", "?").replace("\ud800", "?")


async def test_handled_rows_are_pruned_and_pending_ones_never(make: Make, database: Database, clock: FakeClock) -> None:
    inbox = make()
    inbox.handle("telegram", Recorder())
    await inbox.start()
    await inbox.store("telegram", [("1", "k", {})])
    await drained(inbox)
    await inbox.stop()
    await inbox.store("telegram", [("2", "k", {})])
    clock.advance(8 * 86400)
    assert await inbox.prune(before=clock.now() - timedelta(days=7)) == 1
    assert [row[0] for row in await rows(database)] == ["2"]


async def test_many_updates_cost_few_statements(make: Make, database: Database) -> None:
    """Counting and marking ride together: far fewer commits than items."""
    commits = 0
    real = database.transaction

    def counted() -> Any:
        nonlocal commits
        commits += 1
        return real()

    database.transaction = counted  # type: ignore[method-assign]

    async def handler(item: InboxItem) -> None:
        pass

    inbox = make(workers=64)
    inbox.handle("telegram", handler)
    await inbox.start()
    for batch in range(10):
        await inbox.store("telegram", [(f"{batch}-{n}", f"{batch}-{n}", {}) for n in range(100)])
    await drained(inbox)
    assert commits < 400


async def test_a_handler_that_awaited_something_cancelled_costs_no_worker(make: Make) -> None:
    seen: list[str] = []

    async def handler(item: InboxItem) -> None:
        seen.append(item.external_id)
        if item.external_id == "bad":
            gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            gone.cancel()
            await gone

    inbox = make(workers=1)
    inbox.handle("telegram", handler)
    await inbox.start()
    await inbox.store("telegram", [("bad", "a", {}), ("good", "b", {})])
    await drained(inbox)
    assert seen == ["bad", "bad", "bad", "good"]


async def test_a_source_nobody_handles_yet_waits_and_is_no_backlog(make: Make) -> None:
    handler = Recorder()
    inbox = make()
    inbox.handle("telegram", handler)
    await inbox.start()
    await inbox.store("flutterwave", [("1", "k", {})])
    await drained(inbox)
    assert handler.seen == []
    inbox.handle("flutterwave", handler)
    await drained(inbox)
    assert handler.seen == ["1"]

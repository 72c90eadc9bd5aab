"""The durable inbox: what arrives from outside is stored before it is confirmed, and handled in order, once each.

Memory holds only a window of what waits; the table holds it all. After a crash the pending rows are read again, so a
handler may see an item twice and must hang its effects on the item's own id (``u<update_id>``).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from viralcore.core import inbox_store as table
from viralcore.core.clock import monotonic
from viralcore.core.db import Database
from viralcore.core.log import correlated
from viralcore.core.loop import attending, elsewhere
from viralcore.core.metrics import Metrics
from viralcore.core.nursery import Nursery, cancelled_from_outside
from viralcore.core.together import Together

log = structlog.get_logger(__name__)

AGAIN_SECONDS = 2.0
"""Machine seconds until an item that staff let go on is taken in."""

PRUNED = 2000
"""Rows deleted in one statement."""

Incoming = tuple[str, str, Any]
"""(external_id, order_key, payload): the payload is anything JSON."""


@dataclass(frozen=True, slots=True)
class InboxItem:
    """One stored message. `attempts`: how often it was begun before, in other lives of the process too."""

    id: int
    source: str
    external_id: str
    order_key: str
    payload: Any
    received_at: datetime
    attempts: int


InboxHandler = Callable[[InboxItem], Awaitable[None]]
HeldHandler = Callable[[InboxItem, str], Awaitable[None]]
Weather = Callable[[BaseException], bool]


@dataclass(frozen=True, slots=True)
class _Source:
    handle: InboxHandler
    on_held: HeldHandler | None
    passing: Weather


class Inbox:
    """Stores, hands out, and marks. One order key at a time, different keys at once, at most `workers` of them."""

    def __init__(
        self,
        db: Database,
        nursery: Nursery,
        *,
        metrics: Metrics | None = None,
        workers: int = 256,
        window: int = 4000,
        page: int = 500,
        failures: int = 3,
        begun_limit: int = 6,
        retry_seconds: float = 0.3,
        handler_seconds: float = 300.0,
        patience_seconds: float = 600.0,
    ) -> None:
        """`window`: items kept in memory. `failures`: exceptions after which an item is held. `begun_limit`: how often
        it may be begun in all before it is suspected of killing the process, and held. `patience_seconds`: how long an
        outage of somebody the handler needs is waited out before its exceptions count."""
        self._db = db
        self._nursery = nursery
        self._metrics = metrics or Metrics()
        self._workers = workers
        self._window = window
        self._page = page
        self._failures = failures
        self._begun_limit = begun_limit
        self._retry_seconds = retry_seconds
        self._handler_seconds = handler_seconds
        self._patience = patience_seconds
        self._sources: dict[str, _Source] = {}
        self._waiting: dict[tuple[str, str], deque[InboxItem]] = {}
        self._ready: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._known: set[int] = set()
        self._in_hand = 0
        self._behind = True  # rows may be pending that are not in memory
        self._look_again = False
        self._looks = 0
        self._storing = 0
        self._page_wanted = asyncio.Event()
        self._closing = False
        self._started: list[asyncio.Task[Any]] = []
        self._store_together = db.together("inbox.store", self._write_new)
        self._begin = db.together("inbox.begin", self._write_begun)
        self._finish = db.together("inbox.finish", self._write_handled)

    def handle(
        self,
        source: str,
        handler: InboxHandler,
        on_held: HeldHandler | None = None,
        *,
        passing: Weather = lambda error: False,
    ) -> None:
        """Who handles a source. `on_held(item, reason)` hears of an item given up; it may run again after a crash.
        `passing(error)`: whether it is somebody's outage, not the item's fault: it is waited out."""
        self._sources[source] = _Source(handler, on_held, passing)
        self._behind = self._look_again = True
        self._page_wanted.set()

    async def start(self) -> None:
        """Start the workers and read what was left pending, oldest first."""
        self._page_wanted.set()
        self._started = [
            self._nursery.keep("inbox-pages", self._read_pages),
            self._nursery.keep("inbox-again", self._look_for_released),
            *(self._nursery.keep(f"inbox-{number}", self._work) for number in range(self._workers)),
        ]

    async def store(self, source: str, items: Sequence[Incoming]) -> int:
        """Make a batch durable in one statement; returns how many were new. After that it may be confirmed.

        Batches that come at once (a webhook brings them one by one) are one statement and one commit.
        """
        if not items:
            return 0
        self._storing += len(items)
        looks = self._looks
        try:
            with attending():
                rows = await self._store_together((source, items))
        finally:
            self._storing -= len(items)
        if source not in self._sources:
            pass  # pending in the table until somebody handles this source
        elif self._behind or looks != self._looks or len(self._known) + len(rows) > self._window:
            # A page is (or was) being read meanwhile and may hold these very rows: let the reader look, in order.
            self._behind = self._look_again = True
            self._page_wanted.set()
        else:
            self._take(rows)
        self._metrics.updates.labels(source=source, outcome="stored").inc(len(rows))
        self._metrics.updates.labels(source=source, outcome="repeated").inc(len(items) - len(rows))
        return len(rows)

    async def backlog(self) -> int:
        """Items stored and not done. Counted in the table only while not all of them are in memory."""
        if not self._behind:
            return len(self._known) + self._storing
        async with self._db.read() as conn:
            return await table.count_pending(conn, tuple(self._sources)) + self._storing

    async def prune(self, *, before: datetime) -> int:
        """Delete handled rows older than a business moment (a repeat of theirs would be handled again: keep days)."""
        total = 0
        while True:
            async with self._db.transaction() as tx:
                gone = await table.prune(tx.conn, before, PRUNED)
            total += gone
            if gone < PRUNED:
                return total

    async def stop(self, timeout: float = 8.0) -> int:  # noqa: ASYNC109 - a bound on waiting, not on the work
        """Hand out nothing more, let the running ones finish for `timeout` seconds, cut the rest off.

        Returns how many were cut off; they stay pending and come back at the next start."""
        self._closing = True
        deadline = monotonic() + timeout
        while self._in_hand and monotonic() < deadline:  # noqa: ASYNC110 - happens once, at the end
            await asyncio.sleep(0.01)
        cut = self._in_hand
        for task in self._started:
            task.cancel()
        await asyncio.gather(*self._started, return_exceptions=True)
        if cut:
            log.warning("inbox_items_cut_off", count=cut)
        return cut

    # --- the window ----------------------------------------------------------------------------------------------

    def _take(self, rows: Sequence[table.Row]) -> None:
        for row in rows:
            if row.id in self._known:
                continue
            self._known.add(row.id)
            item = InboxItem(
                row.id, row.source, row.external_id, row.order_key, row.payload, row.received_at, row.attempts
            )
            key = (item.source, item.order_key)
            queue = self._waiting.get(key)
            if queue is None:
                self._waiting[key] = deque([item])
                self._ready.put_nowait(key)
            else:
                queue.append(item)

    async def _read_pages(self) -> None:
        """Fill the window from the table, oldest first, whenever not everything pending is in memory."""
        while True:
            await self._page_wanted.wait()
            self._page_wanted.clear()
            while self._behind and len(self._known) <= self._window - self._page:
                self._looks += 1
                self._look_again = False
                async with self._db.read() as conn:
                    rows = await table.pending(conn, tuple(self._sources), tuple(self._known), self._page)
                self._looks += 1
                self._take(rows)
                if len(rows) < self._page and not self._look_again:
                    self._behind = False

    async def _look_for_released(self) -> None:
        """Take in what staff let go on. They may have done it in another process, on the command line for one."""
        while True:
            await asyncio.sleep(AGAIN_SECONDS)
            looks = self._looks
            rows = await table.take_again(self._db.write, tuple(self._sources))
            if not rows:
                continue
            if self._behind or looks != self._looks:
                self._behind = self._look_again = True  # a page is being read and may hold them: in order
                self._page_wanted.set()
            else:
                self._take(rows)

    # --- the work ------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        while not self._closing:
            key = await self._ready.get()
            if self._closing:
                return
            item = self._waiting[key][0]
            self._in_hand += 1
            try:
                with attending(), correlated(f"{item.source[:8]}-{item.external_id}"[:64]):
                    await self._see_through(item)
            finally:
                self._in_hand -= 1
                self._leave(key, item)

    def _leave(self, key: tuple[str, str], item: InboxItem) -> None:
        queue = self._waiting[key]
        queue.popleft()
        if queue:
            self._ready.put_nowait(key)
        else:
            del self._waiting[key]
        self._known.discard(item.id)
        if self._behind and len(self._known) <= self._window - self._page:
            self._page_wanted.set()

    async def _see_through(self, item: InboxItem) -> None:
        """Handle one item until it is handled or held. An outage costs patience, not attempts."""
        source = self._sources[item.source]
        failed, pause = 0, self._retry_seconds
        count, began = True, monotonic()
        if item.attempts >= self._begun_limit:
            await self._hold(item, "begun too often without an end: the process died while handling it")
            return
        while True:
            if count:
                await self._surely(self._begin, item.id)
            try:
                async with asyncio.timeout(self._handler_seconds):
                    await source.handle(item)
            except (Exception, asyncio.CancelledError) as error:
                if isinstance(error, asyncio.CancelledError) and cancelled_from_outside():
                    raise
                waits = source.passing(error) and monotonic() - began < self._patience
                count = not (waits or table.database_away(error))
                failed += count
                log.exception("inbox_handler_failed", source=item.source, item=item.id, failed=failed)
                if failed >= self._failures:
                    await self._hold(item, f"{type(error).__name__}: {error}"[:500])
                    return
                with elsewhere():
                    await asyncio.sleep(pause)
                pause = min(pause * 2, 10.0)
                continue
            await self._surely(self._finish, item.id)
            self._metrics.updates.labels(source=item.source, outcome="handled").inc()
            return

    async def _hold(self, item: InboxItem, reason: str) -> None:
        log.error("inbox_item_held", source=item.source, item=item.id, reason=reason)
        on_held = self._sources[item.source].on_held
        if on_held is not None:
            try:
                async with asyncio.timeout(self._handler_seconds):
                    await on_held(item, reason)
            except Exception:
                log.exception("inbox_on_held_failed", item=item.id)
        pause = 0.2
        while True:
            try:
                async with self._db.transaction() as tx:
                    await table.hold(tx.conn, item.id, reason, tx.now)
                break
            except Exception:
                log.exception("inbox_hold_failed", item=item.id)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 10.0)
        self._metrics.updates.labels(source=item.source, outcome="held").inc()

    async def _surely(self, batch: Together[int, None], item_id: int) -> None:
        """Write, and when the database is away, wait for it: nothing is handled that could not be counted."""
        pause = 0.2
        while True:
            try:
                await batch(item_id)
                return
            except Exception:
                log.exception("inbox_write_failed", item=item_id)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 10.0)

    async def _write_new(self, batches: Sequence[tuple[str, Sequence[Incoming]]]) -> list[list[table.Row]]:
        now, sources = self._db.clock.now(), dict.fromkeys(source for source, _ in batches)
        stored: dict[tuple[str, str], table.Row] = {}
        for source in sources:
            items = [item for of, some in batches if of == source for item in some]
            for row in await table.insert(self._db.write, source, items, now):
                stored[source, row.external_id] = row
        # popped: of a repeat in two batches the first is new
        found = [[stored.pop((source, one[0]), None) for one in items] for source, items in batches]
        return [sorted(row for row in rows if row is not None) for rows in found]

    async def _write_begun(self, ids: Sequence[int]) -> list[None]:
        await table.count_begun(self._db.write_soon, sorted(ids))
        return [None] * len(ids)

    async def _write_handled(self, ids: Sequence[int]) -> list[None]:
        await table.mark_handled(self._db.write_soon, sorted(ids), self._db.clock.now())
        return [None] * len(ids)

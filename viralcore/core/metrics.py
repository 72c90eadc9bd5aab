"""Metrics: one Prometheus registry with every named metric of the application, refreshed by async readers on scrape."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from viralcore.core.figures import KEPT_SECONDS, Figures

log = structlog.get_logger(__name__)

BacklogReader = Callable[[], Awaitable[int]]
DueReader = Callable[[], Awaitable["datetime | None"]]
SettledReader = Callable[[], float]

BACKLOG, NEXT_DUE = "viralcore_backlog", "viralcore_next_due_timestamp_seconds"
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The registry. Built once by bootstrap and handed to whoever counts; tests build their own."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, *, figures_kept_seconds: float = KEPT_SECONDS) -> None:
        self.figures = Figures(kept_seconds=figures_kept_seconds)
        self.registry = CollectorRegistry(auto_describe=True)
        self.backlog = self._gauge(BACKLOG, "Things that could run now and are not done", "kind")
        self.next_due = self._gauge(NEXT_DUE, "Business time of the next due moment, 0: none")
        self.settled_offset = self._gauge(
            "viralcore_clock_settled_offset_seconds", "Clock offset for which every job has completed a run"
        )
        self.updates = self._counter(
            "viralcore_updates_total", "Incoming messages from outside by outcome", "source", "outcome"
        )
        self.handling = self._histogram(
            "viralcore_handling_seconds", "How long stored updates took from their handler's begin to its end", "kind"
        )
        self.http_calls = self._counter(
            "viralcore_http_calls_total", "Outgoing calls by outcome", "provider", "outcome"
        )
        self.http_seconds = self._histogram("viralcore_http_seconds", "How long outgoing calls took", "provider")
        self.breaker_open = self._gauge(
            "viralcore_breaker_open", "1 while a provider's breaker is open", "provider", "host"
        )
        self.jobs = self._counter("viralcore_jobs_total", "Runs of scheduled jobs by outcome", "job", "outcome")
        self.lanes_depth = self._gauge(
            "viralcore_lanes_depth", "Outgoing Telegram calls waiting for their turn", "lane"
        )
        self.lanes_wait = self._histogram(
            "viralcore_lanes_wait_seconds", "How long outgoing messages waited for their turn; counts them, too", "lane"
        )
        self.floods = self._counter("viralcore_telegram_floods_total", "Answers 429 to messages, by lane", "lane")
        self.telegram_calls = self._counter(
            "viralcore_telegram_calls_total", "Bot API calls by outcome", "method", "outcome"
        )
        self.telegram_pending = self._gauge(
            "viralcore_telegram_pending_updates", "Updates Telegram has not yet delivered to the webhook"
        )
        self.events = self._counter("viralcore_events_total", "Events recorded, by name", "event")
        self.deliveries = self._counter(
            "viralcore_deliveries_total", "Attempts to deliver an event, by outcome", "subscriber", "outcome"
        )
        self.effects = self._counter(
            "viralcore_effects_total", "Rounds of effects by outcome; postponed ones come again", "kind", "outcome"
        )
        self._backlog_readers: dict[str, BacklogReader] = {}
        self._due_readers: list[DueReader] = []
        self._settled_reader: SettledReader | None = None

    def backlog_of(self, kind: str, reader: BacklogReader) -> None:
        """Register who knows how much of `kind` (inbox, deliveries, effects, lanes, jobs) could run now."""
        self._backlog_readers[kind] = reader

    def due_from(self, reader: DueReader) -> None:
        """Register somebody who knows a next due moment; the earliest of all is published."""
        self._due_readers.append(reader)

    def settled_from(self, reader: SettledReader) -> None:
        """Register who knows the clock offset for which all jobs have run (the scheduler)."""
        self._settled_reader = reader

    async def render(self, only: Collection[str] = ()) -> bytes:
        """Refresh the gauges that are read on demand and write the exposition text, the modules' figures last.

        `only`: these metrics and no figures, for whoever asks very often: writing all of it costs some milliseconds.
        What is not asked for is not read either.

        The settled offset is read before the backlog: work a job makes is then either seen in the backlog or the job is
        not yet counted as settled, so a reader never mistakes a moment in between for quiet.
        """
        figures = b"" if only else await self.figures.text()
        if self._settled_reader is not None:
            self.settled_offset.set(self._settled_reader())
        if not only or BACKLOG in only:
            for kind, left in (await self._backlogs()).items():
                self.backlog.labels(kind=kind).set(left)
        if not only or NEXT_DUE in only:
            moments = [await self._read_due(reader) for reader in self._due_readers]
            self.next_due.set(min((m.timestamp() for m in moments if m is not None), default=0))
        chosen = self.registry.restricted_registry(only) if only else self.registry
        return generate_latest(chosen) + figures

    async def _backlogs(self) -> dict[str, int]:
        """All of them, and when nothing is left anywhere, all of them once more: work may move from a kind not yet
        read to one already read."""
        found: dict[str, int] = {}
        for _ in range(2):
            found = {kind: await self._read_backlog(kind, reader) for kind, reader in self._backlog_readers.items()}
            if any(found.values()):
                break
        return found

    async def _read_backlog(self, kind: str, reader: BacklogReader) -> int:
        """A reader that fails counts as work left: unknown is never quiet."""
        try:
            async with asyncio.timeout(5):
                return await reader()
        except Exception:
            log.exception("backlog_reader_failed", kind=kind)
            return 1

    async def _read_due(self, reader: DueReader) -> datetime | None:
        try:
            async with asyncio.timeout(5):
                return await reader()
        except Exception:
            log.exception("due_reader_failed")
            return None

    def _gauge(self, name: str, about: str, *labels: str) -> Gauge:
        return Gauge(name, about, labels, registry=self.registry)

    def _histogram(self, name: str, about: str, *labels: str) -> Histogram:
        return Histogram(name, about, labels, registry=self.registry, buckets=_SECONDS)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(name, about, labels, registry=self.registry)

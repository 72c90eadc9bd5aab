"""Figures: numbers that modules read from their own tables for /metrics.

What is counted while it happens is gone when the process is killed. Sums of money, orders and held work must not be:
each module reads its own, no query spans schemas, and they are kept for a while, so that a scrape is cheap however
often it comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from viralcore.core.clock import monotonic

log = structlog.get_logger(__name__)

KEPT_SECONDS = 15.0
"""Machine seconds for which figures are not read again."""
READ_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. `name` ends in ``_total`` when it only grows; `about` says what it is and in which unit."""

    name: str
    about: str
    value: int | Decimal
    labels: Mapping[str, str] = field(default_factory=dict)


FigureReader = Callable[[], Awaitable[Sequence[Figure]]]


class Figures:
    """Reads all of them at most once in `kept_seconds`, and keeps them as text."""

    def __init__(self, *, kept_seconds: float = KEPT_SECONDS) -> None:
        self._kept_seconds = kept_seconds
        self._readers: dict[str, FigureReader] = {}
        self._text = b""
        self._read_at: float | None = None
        self._reading = asyncio.Lock()

    def add(self, name: str, reader: FigureReader) -> None:
        """Register who reads figures, before the first scrape. `name`: whose they are."""
        if name in self._readers:
            raise ValueError(f"two read the figures of {name}")
        self._readers[name] = reader

    async def text(self) -> bytes:
        """All figures in the exposition format, at most `kept_seconds` old. Whoever comes while they are being read
        gets the old ones and waits for nobody."""
        if self._fresh() or (self._reading.locked() and self._read_at is not None):
            return self._text
        async with self._reading:
            if not self._fresh():
                self._text = await self._read_all()
                self._read_at = monotonic()
        return self._text

    def _fresh(self) -> bool:
        return self._read_at is not None and monotonic() - self._read_at < self._kept_seconds

    async def _read_all(self) -> bytes:
        """A reader that fails says so and gives nothing: an old sum of money would look like a true one."""
        found: list[Figure] = []
        for name, reader in self._readers.items():
            well = True
            try:
                async with asyncio.timeout(READ_SECONDS):
                    found += await reader()
            except Exception as error:
                log.warning("figures_not_read", of=name, reason=type(error).__name__)
                well = False
            about = "1 while a module's figures could be read at the last look"
            found.append(Figure("viralcore_figures_read", about, int(well), {"of": name}))
        registry = CollectorRegistry()
        registry.register(_Collected(found))
        return generate_latest(registry)


class _Collected(Collector):
    """Figures as prometheus-client collects them: one family for each name."""

    def __init__(self, figures: Iterable[Figure]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        for one in self._figures:
            family = families.get(one.name)
            if family is None:
                make = CounterMetricFamily if one.name.endswith("_total") else GaugeMetricFamily
                family = families[one.name] = make(one.name, one.about)
            family.add_sample(one.name, dict(one.labels), float(one.value))
        return families.values()

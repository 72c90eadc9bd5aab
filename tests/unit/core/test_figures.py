"""Figures: read rarely, shown always, and never old when they cannot be read."""

from __future__ import annotations

import asyncio

from prometheus_client.parser import text_string_to_metric_families

from viralcore.core.figures import Figure, Figures
from viralcore.core.metrics import Metrics


def values(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


class Shelf:
    def __init__(self) -> None:
        self.reads = 0
        self.broken = False

    async def read(self) -> tuple[Figure, ...]:
        self.reads += 1
        if self.broken:
            raise ConnectionError("postgresql://user:password@host")
        return (
            Figure("viralcore_payments_total", "Paid", 2, {"network": "bsc", "outcome": "exact"}),
            Figure("viralcore_payments_total", "Paid", self.reads, {"network": "bsc", "outcome": "late"}),
            Figure("viralcore_owed", "Owed", -5),
        )


async def test_a_thousand_scrapes_read_once_and_tell_it_all() -> None:
    shelf, metrics = Shelf(), Metrics()
    metrics.figures.add("shelf", shelf.read)
    texts = await asyncio.gather(*(metrics.render() for _ in range(1000)))
    assert shelf.reads == 1
    found = values(texts[-1])
    assert found["viralcore_payments_total", (("network", "bsc"), ("outcome", "exact"))] == 2
    assert found["viralcore_owed", ()] == -5
    assert found["viralcore_figures_read", (("of", "shelf"),)] == 1
    assert ("viralcore_clock_settled_offset_seconds", ()) in found


async def test_they_are_read_again_after_a_while_and_never_shown_when_they_could_not_be() -> None:
    shelf = Shelf()
    figures = Figures(kept_seconds=0.0)
    figures.add("shelf", shelf.read)
    late = ("viralcore_payments_total", (("network", "bsc"), ("outcome", "late")))
    assert values(await figures.text())[late] == 1
    assert values(await figures.text())[late] == 2
    shelf.broken = True
    text = await figures.text()
    assert values(text) == {("viralcore_figures_read", (("of", "shelf"),)): 0}
    assert b"password" not in text


async def test_one_that_takes_long_holds_up_nobody_but_the_first() -> None:
    figures = Figures(kept_seconds=0.0)
    slow, begun = asyncio.Event(), asyncio.Event()
    slow.set()

    async def read() -> tuple[Figure, ...]:
        begun.set()
        await slow.wait()
        return ()

    figures.add("slow", read)
    first = await figures.text()
    slow.clear()
    begun.clear()
    waiting = asyncio.gather(figures.text())
    await begun.wait()
    assert await asyncio.wait_for(figures.text(), 1.0) == first
    slow.set()
    await waiting

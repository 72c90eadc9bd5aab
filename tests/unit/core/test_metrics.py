"""Metrics: quiet is only said when nothing moved behind the reader's back."""

from __future__ import annotations

from viralcore.core.figures import Figure
from viralcore.core.metrics import Metrics


async def test_work_that_moves_while_it_is_counted_is_not_missed() -> None:
    metrics = Metrics()
    where = "effects"

    async def deliveries() -> int:
        return int(where == "deliveries")

    async def effects() -> int:
        nonlocal where
        where = "deliveries"  # it finishes, and its event is recorded, just before it is counted here
        return 0

    metrics.backlog_of("deliveries", deliveries)
    metrics.backlog_of("effects", effects)
    lines = (await metrics.render()).decode().splitlines()
    assert 'viralcore_backlog{kind="deliveries"} 1.0' in lines


async def test_names_the_supervisor_reads_are_there_before_anything_happened() -> None:
    text = (await Metrics().render()).decode()
    for name in ("viralcore_next_due_timestamp_seconds", "viralcore_clock_settled_offset_seconds"):
        assert f"\n{name} 0.0" in text


async def test_a_few_can_be_asked_for_without_the_rest() -> None:
    metrics = Metrics()
    reads = counted = dues = 0

    async def read() -> tuple[Figure, ...]:
        nonlocal reads
        reads += 1
        return ()

    async def inbox() -> int:
        nonlocal counted
        counted += 1
        return 3

    async def due() -> None:
        nonlocal dues
        dues += 1

    metrics.figures.add("some", read)
    metrics.due_from(due)
    metrics.backlog_of("inbox", inbox)
    metrics.handling.labels(kind="press").observe(0.1)
    text = (await metrics.render(["viralcore_backlog", "viralcore_no_such"])).decode()
    assert 'viralcore_backlog{kind="inbox"} 3.0' in text
    assert "viralcore_handling" not in text
    assert (reads, counted) == (0, 1)
    assert b"settled" in await metrics.render(["viralcore_clock_settled_offset_seconds"])
    assert (counted, dues) == (1, 0)

"""Metrics: quiet is only said when nothing moved behind the reader's back."""

from __future__ import annotations

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

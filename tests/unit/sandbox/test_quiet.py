"""Turning the clock: hops to what is due, never past it, and quiet only when everybody is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from viralcore.sandbox import quiet as quiet_module
from viralcore.sandbox.clock import TurnedClock
from viralcore.sandbox.quiet import BACKLOG, DUE, SETTLED, Quiet, read_metrics
from viralcore.sandbox.world import Books

TEXT = """# HELP viralcore_backlog x
viralcore_backlog{kind="inbox"} 2.0
viralcore_backlog{kind="jobs"} 0.0
viralcore_next_due_timestamp_seconds 1.7e+09
viralcore_clock_settled_offset_seconds 90.5
other_metric 4
"""


class Diary:
    """A world that writes down when it was told the time, and has one appointment."""

    name = "diary"

    def __init__(self) -> None:
        self.ticks: list[datetime] = []
        self.due: datetime | None = None
        self.busy: list[str] = []

    @property
    def app(self) -> ASGIApp:
        return Starlette()

    def control_routes(self) -> list[Route]:
        return []

    def environment(self, base_url: str) -> Mapping[str, str]:
        return {}

    async def tick(self, now: datetime) -> None:
        self.ticks.append(now)

    def pending(self, now: datetime) -> list[str]:
        return self.busy

    def next_due(self, now: datetime) -> datetime | None:
        return self.due if self.due is not None and self.due > now else None

    def snapshot(self) -> Mapping[str, Any]:
        return {}

    def books(self) -> Books:
        return Books()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet_module, "LOOK_AGAIN", 0.0)


@pytest.fixture
def clock(tmp_path: Path) -> TurnedClock:
    return TurnedClock(tmp_path / "clock")


def watched(clock: TurnedClock, diary: Diary, metrics: Callable[[], str | None] | None = None) -> Quiet:
    async def read(*names: str) -> str | None:
        return metrics() if metrics else f"viralcore_clock_settled_offset_seconds {clock.offset()}\n"

    return Quiet(clock=clock, metrics=read, unconfirmed=lambda: 0, worlds=[diary])


def test_metrics_are_read() -> None:
    state = read_metrics(TEXT)
    assert state.settled_offset == 90.5
    assert state.next_due is not None
    assert state.next_due.timestamp() == 1.7e9
    assert state.backlog == {"inbox": 2, "jobs": 0}


def test_the_file_carries_the_offset(clock: TurnedClock) -> None:
    clock.turn(90.25)
    clock.turn(0.5)
    assert float(clock.path.read_text()) == clock.offset() == 90.75
    with pytest.raises(ValueError):
        clock.turn(-1)


async def test_hops_are_short_and_meet_what_is_due(clock: TurnedClock) -> None:
    diary = Diary()
    start = clock.now()
    diary.due = start + timedelta(seconds=100)
    turned = await watched(clock, diary).advance(300)
    assert turned.quiet
    steps = [(tick - start).total_seconds() for tick in diary.ticks]
    assert len(steps) == 6
    assert all(later - earlier <= 61 for earlier, later in zip([0.0, *steps], steps, strict=False))
    assert any(100 <= step < 102 for step in steps)
    assert clock.offset() == pytest.approx(300)


async def test_a_look_asks_for_no_more_than_it_needs(clock: TurnedClock) -> None:
    """A backlog is some statements, a due moment one for each job, and looks come beside a bot that works."""
    asked: list[tuple[str, ...]] = []
    told = iter([0.0, 60.0])

    async def read(*names: str) -> str:
        asked.append(names)
        settled = next(told, 60.0) if names == (SETTLED,) else clock.offset()
        return f"{SETTLED} {settled}\n"

    quiet = Quiet(clock=clock, metrics=read, unconfirmed=lambda: 0, worlds=[])
    clock.turn(60)
    assert (await quiet.settle(30)).quiet
    assert asked == [(SETTLED,), (SETTLED,), (SETTLED, BACKLOG), (SETTLED, BACKLOG)]
    asked.clear()
    assert (await quiet.advance(0)).quiet
    assert set(asked) == {(SETTLED, BACKLOG)}
    asked.clear()
    told = iter([120.0])
    assert (await quiet.advance(60)).quiet
    assert asked.count((DUE,)) == 1


async def test_long_turns_take_about_a_hundred_hops(clock: TurnedClock) -> None:
    diary = Diary()
    await watched(clock, diary).advance(30 * 86_400)
    assert 100 <= len(diary.ticks) <= 102


async def test_out_of_time_it_jumps_and_says_so(clock: TurnedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet_module, "TURN_WITHIN", 0.2)
    monkeypatch.setattr(quiet_module, "HOP_WITHIN", 0.1)
    monkeypatch.setattr(quiet_module, "ANSWER_WITHIN", 0.3)
    diary = Diary()
    diary.busy = ["waits for a reader"]
    turned = await watched(clock, diary).advance(3600)
    assert clock.offset() == pytest.approx(3600)
    assert not turned.quiet
    assert turned.pending == ["diary: waits for a reader"]


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        (None, "bot: does not answer"),
        ("viralcore_clock_settled_offset_seconds 5.0\n", "bot: has not worked through the turned clock"),
        (
            'viralcore_clock_settled_offset_seconds 0.0\nviralcore_backlog{kind="lanes"} 3.0\n',
            "bot: 3 lanes",
        ),
    ],
)
async def test_reasons(clock: TurnedClock, metrics: str | None, reason: str) -> None:
    quiet = watched(clock, Diary(), lambda: metrics)
    assert await quiet.pending() == [reason]
    assert not (await quiet.settle(0)).quiet

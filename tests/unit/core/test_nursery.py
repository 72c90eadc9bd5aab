"""The nursery: named tasks, failures in the log, loops that come back, and an end."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import pytest
import structlog

from viralcore.core.log import correlated, correlation_id
from viralcore.core.nursery import Nursery

marker: ContextVar[str] = ContextVar("marker", default="")


async def test_a_failure_reaches_the_log_under_its_name() -> None:
    async def fail() -> None:
        raise ValueError("no")

    nursery = Nursery()
    with structlog.testing.capture_logs() as logs:
        task = nursery.start("fragile", fail())
        await asyncio.wait([task])
        await asyncio.sleep(0)
    assert [(entry["event"], entry["task"]) for entry in logs] == [("task_failed", "fragile")]


async def test_a_kept_loop_comes_back_and_a_normal_return_ends_it() -> None:
    runs = 0

    async def loop() -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise RuntimeError("again")

    task = Nursery().keep("loop", loop, backoff=0.001)
    await task
    assert runs == 3


async def test_stop_cancels_and_awaits_all_and_closes_the_door() -> None:
    nursery = Nursery()
    ended = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    for number in range(3):
        nursery.start(f"f{number}", forever())
    await asyncio.sleep(0)
    assert nursery.running == ("f0", "f1", "f2")
    assert await nursery.stop() == ()
    assert len(ended) == 3
    with pytest.raises(RuntimeError):
        nursery.start("late", forever())


async def test_stop_names_what_would_not_end() -> None:
    nursery = Nursery()
    release = asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    task = nursery.start("stubborn", stubborn())
    await asyncio.sleep(0)
    assert await nursery.stop(timeout=0.02) == ("stubborn",)
    release.set()
    await task


async def test_a_child_inherits_the_correlation_id_but_nothing_it_could_be_refused_for() -> None:
    marker.set("an open transaction")

    async def look() -> tuple[str, str]:
        return correlation_id.get(), marker.get()

    with correlated("abc"):
        task = Nursery().start("child", look())
    assert await task == ("abc", "")

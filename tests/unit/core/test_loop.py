"""The loop serves people first, and the queue never starves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from statistics import median
from typing import Any

import pytest

from viralcore.core.loop import Loop, attending, be_patient, elsewhere
from viralcore.core.runtime import run


def busy(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


async def _patient(steps: int, seen: list[str], seconds: float = 0.0) -> None:
    be_patient()
    for number in range(steps):
        await asyncio.sleep(0)
        busy(seconds)
        seen.append(f"patient {number}")


async def _person(steps: int, seen: list[str], seconds: float = 0.0) -> None:
    for number in range(steps):
        await asyncio.sleep(0)
        busy(seconds)
        seen.append(f"person {number}")


async def _beside(*work: Coroutine[Any, Any, None]) -> None:
    await asyncio.gather(*(asyncio.create_task(one) for one in work))


def test_patient_steps_keep_their_order_and_all_happen() -> None:
    seen: list[str] = []
    run(_beside(_patient(50, seen)))
    assert seen == [f"patient {number}" for number in range(50)]


def test_a_person_waits_for_one_patient_step_and_not_for_all_that_are_ready() -> None:
    seen: list[str] = []

    async def story() -> None:
        crowd = [asyncio.create_task(_patient(1, seen, 0.002)) for _ in range(40)]
        await asyncio.sleep(0)  # they are all ready now
        await asyncio.sleep(0)
        with attending():
            await _person(5, seen)
        await asyncio.gather(*crowd)

    run(story())
    before = seen.index("person 4")
    assert before - 4 <= 10, f"{before - 4} of 40 patient steps ran before the person's fifth"
    assert len(seen) == 45


def test_while_people_keep_the_loop_busy_the_queue_still_has_its_third() -> None:
    seen: list[str] = []

    async def story() -> None:
        with attending():
            await _beside(_patient(100_000, seen, 0.0005), _until(0.5, seen))

    async def _until(seconds: float, seen: list[str]) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            await asyncio.sleep(0)
            busy(0.0005)
            seen.append("person")
        for task in asyncio.all_tasks():
            if task is not asyncio.current_task() and "_patient" in repr(task.get_coro()):
                task.cancel()

    with pytest.raises(asyncio.CancelledError):
        run(story())
    people, patient = seen.count("person"), len(seen) - seen.count("person")
    assert 0.15 < patient / people < 1, f"{patient} beside {people}"


def test_the_queue_rests_beside_people_only(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    later = Loop.call_later

    def counted(self: Loop, delay: float, *args: Any, **kwargs: Any) -> asyncio.TimerHandle:
        rests.append(delay)
        return later(self, delay, *args, **kwargs)

    monkeypatch.setattr(Loop, "call_later", counted)
    run(_beside(_patient(20, [], 0.001)))
    assert rests == []

    async def beside_a_person() -> None:
        with attending():
            await _beside(_patient(20, [], 0.001))

    run(beside_a_person())
    assert len(rests) >= 5  # not after each step: on a busy machine the time is over before it is looked at
    assert median(rests) >= 0.001


def test_who_waits_for_somebody_else_keeps_nobody_back() -> None:
    async def story() -> list[int]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Loop)
        counts = [loop.people]
        with attending(), attending():
            counts.append(loop.people)
            with elsewhere():
                counts.append(loop.people)
        counts.append(loop.people)
        with elsewhere():  # nobody is attended here: nothing to take away
            counts.append(loop.people)
        return counts

    assert run(story()) == [0, 2, 1, 0, 0]


def test_a_patient_task_that_is_cancelled_ends() -> None:
    async def story() -> bool:
        task = asyncio.create_task(_patient(1_000_000, []))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return task.cancelled()

    assert run(story())


async def test_on_another_loop_it_is_a_marker_and_nothing_more() -> None:
    be_patient()
    with attending(), elsewhere():
        await asyncio.sleep(0)

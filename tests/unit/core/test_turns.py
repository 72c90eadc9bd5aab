"""Turns: nobody waits while nothing is urgent; one at a time goes while something is, and all go once it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from viralcore.core.turns import Turns


class Work:
    """Jobs that are under way until they are told to end."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.under_way = 0
        self.done = 0
        self.end = asyncio.Event()

    async def one(self) -> None:
        async with self.turns.aside():
            self.under_way += 1
            await self.end.wait()
            self.under_way -= 1
            self.done += 1


class Telling(Turns):
    """Says once when somebody has been let in, before they know it themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.told: Callable[[], object] | None = None

    def _admit(self) -> None:
        super()._admit()
        told, self.told = self.told, None
        if told is not None:
            told()


async def _some_turns_of_the_loop() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_nobody_waits_while_nothing_is_urgent() -> None:
    work = Work(Turns())
    jobs = [asyncio.ensure_future(work.one()) for _ in range(5)]
    await _some_turns_of_the_loop()
    assert work.under_way == 5
    work.end.set()
    await asyncio.gather(*jobs)


async def test_one_at_a_time_while_something_is_urgent_and_all_when_it_is_over() -> None:
    work = Work(Turns())
    with work.turns.urgent():
        jobs = [asyncio.ensure_future(work.one()) for _ in range(5)]
        await _some_turns_of_the_loop()
        assert work.under_way == 1
    await _some_turns_of_the_loop()
    assert work.under_way == 5
    work.end.set()
    await asyncio.gather(*jobs)
    assert work.done == 5


async def test_they_go_on_one_after_another_while_it_is_urgent_for_long() -> None:
    work = Work(Turns())
    work.end.set()
    with work.turns.urgent():
        async with asyncio.timeout(5):
            await asyncio.gather(*(work.one() for _ in range(5)))
    assert work.done == 5


@pytest.mark.parametrize("let_in", [False, True])
async def test_one_that_gives_up_keeps_nobodys_turn(let_in: bool) -> None:
    turns = Telling()
    work = Work(turns)
    with turns.urgent():
        first, second, third = (asyncio.ensure_future(work.one()) for _ in range(3))
        await _some_turns_of_the_loop()
        if let_in:  # its turn has come, and it is gone before it takes it
            turns.told = second.cancel
            work.end.set()
        else:
            second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        work.end.set()
        async with asyncio.timeout(5):
            await asyncio.gather(first, third)
    assert work.done == 2

"""Asking together: one answer each, in order, and nobody's trouble becomes another's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from viralcore.core.nursery import Nursery
from viralcore.core.together import Together


class Killed(BaseException):
    """Nobody catches this."""


class Away(Exception):
    """The database."""


class Desk:
    """Doubles numbers, slowly; remembers what it was asked at once."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.trouble: dict[int, BaseException] = {}

    async def work(self, asked: Sequence[int]) -> list[int]:
        self.batches.append(list(asked))
        await asyncio.sleep(0.005)
        for one in asked:
            if one in self.trouble:
                raise self.trouble[one]
        return [2 * one for one in asked]


@pytest.fixture
async def nursery() -> AsyncIterator[Nursery]:
    made = Nursery()
    yield made
    await made.stop()


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def ask(nursery: Nursery, desk: Desk) -> Together[int, int]:
    return Together(
        lambda name, work: nursery.start(name, work),
        "desk",
        desk.work,
        fatal=lambda error: isinstance(error, Away),
        most=10,
    )


async def test_one_alone_asks_at_once_and_what_comes_meanwhile_goes_next_all_at_once(
    ask: Together[int, int], desk: Desk
) -> None:
    assert await ask(1) == 2
    assert await asyncio.gather(*(ask(n) for n in range(25))) == [2 * n for n in range(25)]
    assert [len(batch) for batch in desk.batches] == [1, 10, 10, 5]


async def test_the_same_question_may_be_asked_twice_at_once(ask: Together[int, int]) -> None:
    assert list(await asyncio.gather(ask(3), ask(3), ask(3))) == [6, 6, 6]


async def test_one_that_cannot_be_answered_spoils_nobody_elses_answer(ask: Together[int, int], desk: Desk) -> None:
    desk.trouble[2] = ValueError("two")
    found = await asyncio.gather(*(ask(n) for n in range(4)), return_exceptions=True)
    assert list(found[:2]) + list(found[3:]) == [0, 2, 6]
    assert isinstance(found[2], ValueError)
    assert await ask(5) == 10


async def test_what_is_everybodys_trouble_is_told_to_everybody_and_not_tried_one_by_one(
    ask: Together[int, int], desk: Desk
) -> None:
    desk.trouble[2] = Away()
    found = await asyncio.gather(*(ask(n) for n in range(4)), return_exceptions=True)
    assert all(isinstance(one, Away) for one in found)
    assert len(desk.batches) == 1


async def test_a_kill_reaches_those_who_asked(ask: Together[int, int], desk: Desk) -> None:
    desk.trouble[1] = Killed()
    with pytest.raises(Killed):
        await ask(1)


async def test_who_gives_up_stops_nobody(ask: Together[int, int]) -> None:
    first, second = asyncio.ensure_future(ask(1)), asyncio.ensure_future(ask(2))
    await asyncio.sleep(0.001)
    first.cancel()
    assert await second == 4
    assert await ask(3) == 6


async def test_at_the_end_nobody_is_left_waiting(ask: Together[int, int], nursery: Nursery) -> None:
    asked = [asyncio.ensure_future(ask(n)) for n in range(15)]
    await asyncio.sleep(0.001)
    await nursery.stop()
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in found)


async def test_a_wrong_number_of_answers_is_an_error_not_a_wrong_answer(nursery: Nursery) -> None:
    async def too_few(asked: Sequence[int]) -> list[int]:
        return []

    ask: Together[int, int] = Together(lambda name, work: nursery.start(name, work), "desk", too_few)
    with pytest.raises(RuntimeError, match="0 answers to 1"):
        await ask(1)

"""Asking together: what many callers want at the same moment goes to the database as one statement.

A statement costs the same few tenths of a millisecond of this process whether it is about one row or about a hundred,
and a commit one flush of the disk. So while one is under way, what else is asked for gathers, and goes next, all at
once. Nobody waits for company: an idle one asks at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

from viralcore.core.loop import be_patient

K = TypeVar("K")
V = TypeVar("V")
Work = Callable[[Sequence[K]], Awaitable[Sequence[V]]]
Start = Callable[[str, Coroutine[Any, Any, Any]], asyncio.Task[Any]]


class Together(Generic[K, V]):
    """`work` gets what was asked for, at most `most` at once, and returns an answer to each in the same order.

    It runs in a task of its own, outside every caller's transaction; a caller that gives up does not stop it. When it
    fails, each asker is served alone: one that cannot be answered spoils nobody else's answer. `fatal(error)`: this is
    everybody's trouble (the database is away), and asking again one by one would only prolong it. `patient`: people go
    first (`loop`).
    """

    def __init__(
        self,
        start: Start,
        name: str,
        work: Work[K, V],
        *,
        fatal: Callable[[BaseException], bool] = lambda error: False,
        most: int = 256,
        patient: bool = False,
    ) -> None:
        self._start = start
        self._name = name
        self._work = work
        self._fatal = fatal
        self._most = most
        self._patient = patient
        self._asked: list[tuple[K, asyncio.Future[V]]] = []
        self._running = False

    async def __call__(self, key: K) -> V:
        """The answer to one question. Raises what `work` raised."""
        answer: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        self._asked.append((key, answer))
        if not self._running:
            self._running = True
            self._start(self._name, self._run())
        return await answer

    async def _run(self) -> None:
        if self._patient:
            be_patient()
        try:
            while self._asked:
                now, self._asked = self._asked[: self._most], self._asked[self._most :]
                await self._serve(now)
        finally:
            self._running = False
            for _, answer in self._asked:  # only when this task is cut off, at the end of the process
                answer.cancel()

    async def _serve(self, now: Sequence[tuple[K, asyncio.Future[V]]]) -> None:
        try:
            answers = await self._work([key for key, _ in now])
            if len(answers) != len(now):
                raise RuntimeError(f"{self._name}: {len(answers)} answers to {len(now)} questions")
        except asyncio.CancelledError:
            for _, answer in now:
                answer.cancel()
            raise
        except BaseException as error:
            if len(now) > 1 and isinstance(error, Exception) and not self._fatal(error):
                for one in now:
                    await self._serve([one])
                return
            for _, answer in now:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), found in zip(now, answers, strict=True):
            if not answer.done():
                answer.set_result(found)

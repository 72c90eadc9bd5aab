"""Turns: while urgent effects are in hand, all other jobs of the queue go one at a time, and rest in between.

One process has one core. When a thousand phases fall due at once, every phase that is sent brings several deliveries
and an edited message; taken in the order in which they come, these would take most of the core, and the panels would
wait. What waits here also becomes less: a message that is drawn later is drawn once for all that has happened.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from viralcore.core.clock import monotonic

REST = 2.0
"""For each second at work two seconds of rest: others have a third of the time while something is urgent."""
LONGEST_REST = 0.05


class Turns:
    """Nobody waits while nothing is urgent. Urgent work never waits here."""

    def __init__(self) -> None:
        self._urgent = 0
        self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @contextmanager
    def urgent(self) -> Iterator[None]:
        """Something urgent is in hand."""
        self._urgent += 1
        try:
            yield
        finally:
            self._urgent -= 1
            self._admit()

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[None]:
        """A turn of anything else."""
        if self._urgent and self._under_way:
            await self._wait()
        else:
            self._under_way += 1
        began = monotonic()
        try:
            yield
        finally:
            self._under_way -= 1
            rest = min(REST * (monotonic() - began), LONGEST_REST) if self._urgent else 0.0
            if rest:
                asyncio.get_running_loop().call_later(rest, self._admit)
            else:
                self._admit()

    async def _wait(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it had been let in
                self._under_way -= 1
                self._admit()
            raise

    def _admit(self) -> None:
        """Let in who may go: everybody, or one when something is urgent."""
        while self._waiting and not (self._urgent and self._under_way):
            turn = self._waiting.popleft()
            if not turn.done():
                self._under_way += 1
                turn.set_result(None)

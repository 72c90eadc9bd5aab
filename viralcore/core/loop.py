"""The event loop: people first, and whatever the queue does in the time between.

A loop serves in the order in which things become ready. When sixteen panel answers come at once, a screen that needs
eight answers of the database waits eight times until all that has been worked through, and the database is asked for
all of it meanwhile. Here what the queue runs waits apart: between two of its steps everybody else is served, and
while somebody's update is in hand it rests after each step for twice as long as the step took.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from typing import TypeVarTuple, Unpack

import uvloop

from viralcore.core.clock import monotonic

Args = TypeVarTuple("Args")

SLICE = 0.0002
"""Seconds of a turn of the loop in which the queue may begin steps. A step that is longer is not cut."""
REST = 2.0
"""Beside people the queue has a third of the time, however many they are: what was paid for is delivered."""

_patient: ContextVar[bool] = ContextVar("patient", default=False)
_attended: ContextVar[bool] = ContextVar("attended", default=False)


def be_patient() -> None:
    """This task, and every task that it starts itself, lets others go first. (Not what it starts in the nursery.)"""
    _patient.set(True)


class Loop(uvloop.Loop):
    """uvloop's, with a second line for patient tasks. Their steps stay in their own order."""

    def __init__(self) -> None:
        super().__init__()
        self.people = 0
        self._line: deque[asyncio.Handle] = deque()
        self._planned = False
        self._resting: asyncio.TimerHandle | None = None
        self._rests_until = 0.0
        self._waits_since = 0.0
        self._nobody = Context()

    def call_soon(
        self, callback: Callable[[Unpack[Args]], object], *args: *Args, context: Context | None = None
    ) -> asyncio.Handle:
        """Next; for a patient task, when its turn comes."""
        patient = _patient.get() if context is None else context.get(_patient, False)
        if not patient:
            return super().call_soon(callback, *args, context=context)
        handle = asyncio.Handle(callback, args, self, context)
        self._line.append(handle)
        if not self._planned:
            self._waits_since = monotonic()
            self._plan()
        return handle

    def came(self, number: int) -> None:
        """So many people more (or fewer) are being served."""
        self.people += number
        if not self.people and self._resting is not None:
            self._resting.cancel()
            self._plan()

    def _plan(self) -> None:
        rest = self._rests_until - monotonic() if self.people else 0.0
        self._planned = True
        if rest > 0:
            self._resting = self.call_later(rest, self._serve, context=self._nobody)
        else:
            self._resting = None
            super().call_soon(self._serve, context=self._nobody)

    def _serve(self) -> None:
        line, began = self._line, monotonic()
        # When people make the turns of the loop long, the queue has its part of a turn, not one step in each.
        late = began - max(self._waits_since, self._rests_until)
        end = began + (late / REST if self.people else SLICE)
        while line:
            handle = line.popleft()
            if not handle.cancelled():
                handle._run()
            if monotonic() >= end:
                break
        self._waits_since = now = monotonic()
        self._rests_until = now + REST * (now - began)
        self._planned, self._resting = False, None
        if line:
            self._plan()


@contextmanager
def attending() -> Iterator[None]:
    """Somebody is being served in here."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, Loop):
        yield
        return
    token = _attended.set(True)
    loop.came(1)
    try:
        yield
    finally:
        loop.came(-1)
        _attended.reset(token)


@contextmanager
def elsewhere() -> Iterator[None]:
    """It is somebody else who keeps the person waiting now: Telegram, or an outage."""
    loop = asyncio.get_running_loop()
    if not _attended.get() or not isinstance(loop, Loop):
        yield
        return
    loop.came(-1)
    try:
        yield
    finally:
        loop.came(1)

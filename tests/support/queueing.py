"""An engine over the test database, and effect kinds that do as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import pytest

from viralcore.core.clock import monotonic
from viralcore.core.db import Database, Tx
from viralcore.core.effects import EffectCall, Later, Outcome, Silence, Succeeded
from viralcore.core.nursery import Nursery
from viralcore.core.queue import QueueEngine

Answer = Outcome | Later | BaseException


@dataclass
class ScriptedKind:
    """An effect kind that answers from a script (the last answer for ever) and remembers everything."""

    name: str = "test.call"
    silence: Silence = "repeat"
    max_attempts: int = 3
    urgent: bool = False
    parallelism: int = 4
    answers: list[Answer] = field(default_factory=lambda: [Succeeded({"ok": True})])
    calls: list[EffectCall] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    outcome_errors: list[Exception] = field(default_factory=list)
    before: Callable[[], Awaitable[None]] | None = None
    at_once: int = 0
    most_at_once: int = 0

    def slot(self, payload: Mapping[str, Any]) -> AbstractAsyncContextManager[object]:
        return nullcontext()

    async def call(self, call: EffectCall) -> Outcome | Later:
        self.calls.append(call)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.before is not None:
                await self.before()
        finally:
            self.at_once -= 1
        answer = self.answers[min(len(self.calls), len(self.answers)) - 1]
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def on_outcome(self, tx: Tx, call: EffectCall, outcome: Outcome) -> None:
        if self.outcome_errors:
            raise self.outcome_errors.pop(0)
        self.outcomes.append(outcome)


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 15.0) -> None:
    """Wait for something; the bound is only there to fail."""
    deadline = monotonic() + seconds
    while not await true():
        if monotonic() > deadline:
            raise AssertionError("waited in vain")
        await asyncio.sleep(0.01)


async def settled(engine: QueueEngine) -> None:
    """Wait until nothing could run now."""

    async def quiet() -> bool:
        return await engine.deliveries.backlog() + await engine.effects.backlog() == 0

    await until(quiet)


@pytest.fixture
async def nursery() -> AsyncIterator[Nursery]:
    """A nursery that ends with the test."""
    one = Nursery()
    yield one
    await one.stop()


@pytest.fixture
async def engine(database: Database, nursery: Nursery) -> AsyncIterator[QueueEngine]:
    """An engine that is built and not started: register first, then `await engine.start()`."""
    one = QueueEngine(database, nursery)
    yield one
    await one.stop(timeout=2)

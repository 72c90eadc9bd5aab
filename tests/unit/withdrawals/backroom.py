"""The use cases of withdrawals over no database: what the statements would answer is said by the test, which is how
what no real database will ever answer in a test's time is answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.withdrawals import CIPHER, RATE, FakePayouts, settings
from tests.unit.withdrawals.rows import NOW
from viralcore.withdrawals.service.house import House, Sealing


class FakeTx:
    """Keeps what was recorded; `once` runs."""

    conn: Any = None

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.recorded: list[Any] = []
        self.effects: list[dict[str, Any]] = []

    def record(self, event: Any) -> None:
        self.recorded.append(event)

    def effect(self, **effect: Any) -> None:
        self.effects.append(effect)

    def wait_for_disk(self) -> None:
        """Nothing is on one."""

    async def once(self, *, scope: str, key: str, inputs: Any, run: Callable[[], Awaitable[Any]]) -> Any:
        return await run()


class FakeDb:
    def __init__(self) -> None:
        self.tx = FakeTx(NOW)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[None]:
        yield None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[FakeTx]:
        yield self.tx

    async def run(self, work: Callable[[FakeTx], Awaitable[Any]]) -> Any:
        return await work(self.tx)


class FakeUsers:
    async def authorize(self, tx: Any, *, actor: int, right: str) -> None:
        """Everybody may."""

    async def audit(self, tx: Any, **what: Any) -> None:
        """Nobody reads it."""


class Said:
    """A collaborator that remembers what it was asked, and answers what it was told to (None where it was not)."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def answer(*given: Any, **named: Any) -> Any:
            self.asked.append((name, (*given, *named.values())))
            return self.answers.get(name)

        return answer

    def names(self) -> list[str]:
        return [name for name, _ in self.asked]


def house(**parts: Any) -> Any:
    """`db` and `payouts` are fakes; any part may be another, also None."""
    clock = FakeClock(NOW)

    async def live() -> Any:
        return RATE

    known: dict[str, Any] = {
        "db": FakeDb(),
        "clock": clock,
        "config": settings(),
        "ledger": Said(),
        "users": FakeUsers(),
        "live": live,
        "origins": None,
        "payouts": FakePayouts(clock.now),
        "sealing": Sealing(CIPHER),
    }
    return House(**(known | parts))


class Statements:
    """Statements of a repository, answered. A list is answered one by one, its last for ever."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.called: list[tuple[str, dict[str, Any]]] = []

    def answer(self, module: ModuleType, **answers: Any) -> None:
        for name, said in answers.items():
            self._monkeypatch.setattr(module, name, self._statement(name, said))

    def _statement(self, name: str, said: Any) -> Callable[..., Awaitable[Any]]:
        left = list(said) if isinstance(said, OneByOne) else None

        async def statement(*given: Any, **named: Any) -> Any:
            self.called.append((name, named))
            if left is None:
                return said
            return left.pop(0) if len(left) > 1 else left[0]

        return statement

    def changes(self, name: str = "change") -> list[dict[str, Any]]:
        return [named for called, named in self.called if called == name]


class OneByOne(list[Any]):
    """Answers in their order."""

    @staticmethod
    def of(*answers: Any) -> OneByOne:
        return OneByOne(answers)


def row(**values: Any) -> Any:
    return SimpleNamespace(**values)


def kinds(events: Iterable[Any]) -> list[str]:
    return [type(one).__name__ for one in events]

"""A circuit breaker per provider and URL: a thin layer over purgatory's state machine.

purgatory counts failures and moves between closed, opened and half-opened. Two things it cannot do are ours: it reads
`time.time()` itself, while our 60 seconds are business time (so that a turned clock turns them too), and when
half-opened it admits everybody, while we want exactly one trial. Its context is therefore built with a time to live
that has always passed, and the door in front of it decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import structlog
from purgatory.domain.model import Context

from viralcore.core.clock import Clock

log = structlog.get_logger(__name__)

BreakerState = Literal["closed", "opened", "half-opened"]


@dataclass(frozen=True, slots=True)
class BreakerChange:
    """A breaker moved. `base_url` may carry a key: it is for telling URLs apart, never for a log or a screen."""

    provider: str
    base_url: str
    state: BreakerState


BreakerListener = Callable[[BreakerChange], None]


class Breaker:
    """Opens after `failures` in a row; `seconds` of business time later one trial is admitted and decides."""

    def __init__(self, provider: str, base_url: str, clock: Clock, *, failures: int = 5, seconds: float = 60.0) -> None:
        self._provider = provider
        self._base_url = base_url
        self._clock = clock
        self._wait = timedelta(seconds=seconds)
        self._context = Context(provider, threshold=failures, ttl=-1.0)
        self._opened_at: datetime | None = None
        self._trial = False
        self._listeners: list[BreakerListener] = []

    @property
    def state(self) -> BreakerState:
        """closed: calls pass. opened: calls are refused. half-opened: the wait is over or one trial is under way."""
        if self._context.state == "opened" and self._waited():
            return "half-opened"
        return self._context.state

    @property
    def reopens_at(self) -> datetime | None:
        """Business time of the next trial while opened; None otherwise."""
        return None if self._opened_at is None or self._context.state != "opened" else self._opened_at + self._wait

    def on_change(self, listener: BreakerListener) -> None:
        """Call `listener` after each change of state; it must be quick and must not raise."""
        self._listeners.append(listener)

    def refuses(self) -> bool:
        """True when `admit` would refuse now; changes nothing."""
        if self._context.state == "opened":
            return not self._waited()
        return self._context.state == "half-opened" and self._trial

    def admit(self) -> bool:
        """Ask to make a call. True: go, and report `succeeded`, `failed` or `abandoned` afterwards."""
        if self.refuses():
            return False
        if self._context.state != "closed":
            self._changing(self._context.handle_new_request)
            self._trial = True
        return True

    def succeeded(self) -> None:
        """The provider answered."""
        self._trial = False
        if self._context.state != "opened":  # an answer to a call made before it opened proves nothing about now
            self._changing(self._context.handle_end_request)

    def failed(self, error: Exception) -> None:
        """The provider did not answer."""
        self._trial = False
        self._changing(lambda: self._context.handle_exception(error))

    def abandoned(self) -> None:
        """An admitted call was not made after all: the trial is free for the next one."""
        self._trial = False

    def _waited(self) -> bool:
        return self._opened_at is None or self._clock.now() >= self._opened_at + self._wait

    def _changing(self, step: Callable[[], None]) -> None:
        before = self._context.state
        step()
        self._context.messages.clear()
        if self._context.state == before:
            return
        self._opened_at = self._clock.now() if self._context.state == "opened" else None
        state = self._context.state
        log.warning("breaker_changed", provider=self._provider, state=state)
        for listener in self._listeners:
            try:
                listener(BreakerChange(self._provider, self._base_url, state))
            except Exception:
                log.exception("breaker_listener_failed", provider=self._provider)

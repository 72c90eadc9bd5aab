"""The breaker: five failures in a row, sixty seconds of business time, one trial."""

from __future__ import annotations

import pytest

from tests.support.clock import FakeClock
from viralcore.core.breaker import Breaker, BreakerChange


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def opened(clock: FakeClock) -> Breaker:
    breaker = Breaker("panel", "http://panel", clock)
    for _ in range(5):
        assert breaker.admit()
        breaker.failed(OSError())
    return breaker


def test_it_opens_after_five_failures_in_a_row_only(clock: FakeClock) -> None:
    breaker = Breaker("panel", "http://panel", clock)
    for _ in range(4):
        breaker.failed(OSError())
    breaker.succeeded()
    for _ in range(4):
        breaker.failed(OSError())
    assert breaker.state == "closed"
    breaker.failed(OSError())
    assert breaker.state == "opened"
    assert not breaker.admit()


def test_turning_the_clock_lets_exactly_one_trial_through(clock: FakeClock) -> None:
    breaker = opened(clock)
    clock.advance(59)
    assert not breaker.admit()
    clock.advance(1)
    assert breaker.state == "half-opened"
    assert breaker.admit()
    assert not breaker.admit()


def test_a_good_trial_closes_it(clock: FakeClock) -> None:
    breaker = opened(clock)
    clock.advance(60)
    assert breaker.admit()
    breaker.succeeded()
    assert breaker.state == "closed"
    assert breaker.admit()


def test_a_bad_trial_waits_another_minute(clock: FakeClock) -> None:
    breaker = opened(clock)
    clock.advance(61)
    assert breaker.admit()
    breaker.failed(OSError())
    assert breaker.state == "opened"
    clock.advance(59)
    assert not breaker.admit()
    clock.advance(1)
    assert breaker.admit()


def test_an_abandoned_trial_is_free_for_the_next(clock: FakeClock) -> None:
    breaker = opened(clock)
    clock.advance(60)
    assert breaker.admit()
    breaker.abandoned()
    assert breaker.admit()


def test_a_late_answer_to_an_old_call_does_not_close_it(clock: FakeClock) -> None:
    breaker = opened(clock)
    breaker.succeeded()
    assert breaker.state == "opened"
    breaker.failed(OSError())
    assert breaker.reopens_at is not None


def test_listeners_hear_every_change_and_cannot_break_it(clock: FakeClock) -> None:
    breaker = Breaker("panel", "http://panel", clock, failures=1)
    heard: list[BreakerChange] = []

    def broken(change: BreakerChange) -> None:
        raise RuntimeError

    breaker.on_change(broken)
    breaker.on_change(heard.append)
    breaker.failed(OSError())
    clock.advance(60)
    breaker.admit()
    breaker.succeeded()
    assert [change.state for change in heard] == ["opened", "half-opened", "closed"]

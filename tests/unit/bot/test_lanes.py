"""The lanes: strict windows under any latency, people before bulk, holds that hold exactly what was named."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viralcore.bot import lanes as module
from viralcore.bot.lanes import Chat, Lane, Lanes, current_lane, lane


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose time jumps to the next timer instead of waiting: an hour of pacing costs milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        select = self._selector.select  # type: ignore[attr-defined]

        def jump(timeout: float | None) -> Any:
            if timeout is not None and timeout > 0:
                self.now += timeout
            elif timeout is None:
                raise RuntimeError("everything waits and no timer is set")
            return select(0)

        self._selector.select = jump  # type: ignore[attr-defined]

    def time(self) -> float:
        return self.now


@pytest.fixture
def virtual(monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualLoop]:
    loop = VirtualLoop()
    monkeypatch.setattr(module, "monotonic", loop.time)
    yield loop
    loop.close()


class Telegram:
    """Calls that take effect at a random moment between their start and their answer."""

    def __init__(self, lanes: Lanes, latency: float, seed: int = 1) -> None:
        self.lanes = lanes
        self.latency = latency
        self.random = random.Random(seed)
        self.effects: list[tuple[float, Chat, int]] = []
        self.order: list[str] = []

    async def send(self, chat: Chat, *, lane: Lane = "interactive", cost: int = 1, name: str = "") -> None:
        loop = asyncio.get_running_loop()
        async with self.lanes.turn(chat, cost=cost, lane=lane):
            self.order.append(name)
            before = self.random.uniform(0, self.latency)
            await asyncio.sleep(before)
            self.effects.append((loop.time(), chat, cost))
            await asyncio.sleep(self.random.uniform(0, self.latency - before))

    def worst(self, seconds: float, chat: Chat = "all") -> int:
        """The most messages in any sliding window, the ends included."""
        found = sorted((at, cost) for at, where, cost in self.effects if chat in ("all", where))
        most = left = total = 0
        for at, cost in found:
            total += cost
            while found[left][0] < at - seconds + 1e-9:
                total -= found[left][1]
                left += 1
            most = max(most, total)
        return most


def test_never_more_than_thirty_in_any_sliding_second_whatever_the_latency(virtual: VirtualLoop) -> None:
    for latency in (0.0, 0.05, 0.4, 2.0):
        telegram = Telegram(Lanes(), latency)

        async def flood(telegram: Telegram = telegram) -> None:
            await asyncio.gather(*(telegram.send(chat) for chat in range(1, 200)))

        virtual.run_until_complete(flood())
        assert len(telegram.effects) == 199
        assert telegram.worst(1.0) <= 30


def test_the_rate_is_used_up(virtual: VirtualLoop) -> None:
    telegram = Telegram(Lanes(), 0.05)

    async def flood() -> float:
        began = virtual.time()
        await asyncio.gather(*(telegram.send(chat) for chat in range(1, 301)))
        return 300 / (virtual.time() - began)

    assert virtual.run_until_complete(flood()) > 27


Call = tuple[float, int, str, int]
CALLS = st.lists(
    st.tuples(
        st.floats(0, 5),
        st.sampled_from([1, 2, 3, 4, -1, -2, 100, 101, 102]),
        st.sampled_from(["interactive", "bulk"]),
        st.sampled_from([1, 1, 1, 3]),
    ),
    max_size=120,
)


@settings(max_examples=60, deadline=None)
@given(calls=CALLS, latency=st.sampled_from([0.0, 0.02, 0.3, 1.5]), seed=st.integers(0, 99), limit=st.integers(3, 12))
def test_every_promise_holds_for_any_traffic(calls: list[Any], latency: float, seed: int, limit: int) -> None:
    loop = VirtualLoop()
    before = module.monotonic
    module.monotonic = loop.time  # type: ignore[assignment]
    try:
        lanes = Lanes(per_second=limit)
        telegram = Telegram(lanes, latency, seed)

        async def one(delay: float, chat: int, which: Lane, cost: int) -> None:
            await asyncio.sleep(delay)
            await telegram.send(chat, lane=which, cost=cost)

        async def all_of_them() -> None:
            await asyncio.gather(*(one(*call) for call in calls))
            async with asyncio.timeout(1):
                await lanes.idle()

        loop.run_until_complete(all_of_them())
    finally:
        module.monotonic = before
        loop.close()
    assert len(telegram.effects) == len(calls)
    assert telegram.worst(1.0) <= limit
    for chat in {chat for _, chat, _ in telegram.effects}:
        times = sorted(at for at, where, _ in telegram.effects if where == chat)
        assert all(later - sooner >= 1.0 - 1e-6 for sooner, later in pairwise(times))
        if isinstance(chat, int) and chat < 0:
            assert telegram.worst(60.0, chat) <= 20


def test_interactive_goes_before_bulk_that_came_first(virtual: VirtualLoop) -> None:
    telegram = Telegram(Lanes(per_second=5), 0.01)

    async def run() -> None:
        bulk = [asyncio.ensure_future(telegram.send(n, lane="bulk", name="bulk")) for n in range(100, 120)]
        await asyncio.sleep(0)
        person = [asyncio.ensure_future(telegram.send(n, name="person")) for n in range(1, 8)]
        await asyncio.gather(*bulk, *person)

    virtual.run_until_complete(run())
    assert telegram.order[:5] == ["bulk"] * 5  # what was already on its way
    assert telegram.order[5:12] == ["person"] * 7


def test_in_one_chat_the_person_overtakes_the_bulk(virtual: VirtualLoop) -> None:
    telegram = Telegram(Lanes(), 0.01)

    async def run() -> None:
        bulk = [asyncio.ensure_future(telegram.send(1, lane="bulk", name=f"b{n}")) for n in range(3)]
        await asyncio.sleep(0.1)
        await telegram.send(1, name="person")
        await asyncio.gather(*bulk)

    virtual.run_until_complete(run())
    assert telegram.order == ["b0", "person", "b1", "b2"]


def test_a_full_chat_does_not_hold_up_the_others(virtual: VirtualLoop) -> None:
    telegram = Telegram(Lanes(), 0.0)

    async def run() -> float:
        crowd = [asyncio.ensure_future(telegram.send(-5)) for _ in range(30)]
        await asyncio.sleep(0)
        began = virtual.time()
        await telegram.send(7)
        waited = virtual.time() - began
        await asyncio.gather(*crowd)
        return waited

    assert virtual.run_until_complete(run()) < 0.01
    assert telegram.worst(60.0, -5) <= 20


def test_a_429_holds_its_chat_exactly_and_nobody_else(virtual: VirtualLoop) -> None:
    lanes = Lanes()
    telegram = Telegram(lanes, 0.0)

    async def run() -> tuple[float, float]:
        began = virtual.time()
        lanes.hold(1, 35)
        assert lanes.held_for(1) == pytest.approx(35)
        assert lanes.held_for(2) == 0
        await telegram.send(2)
        other = virtual.time() - began
        await telegram.send(1)
        return other, virtual.time() - began

    other, held = virtual.run_until_complete(run())
    assert other < 0.01
    assert 35 <= held < 35.1


def test_two_chats_with_a_429_within_a_second_hold_everything(virtual: VirtualLoop) -> None:
    lanes = Lanes()
    telegram = Telegram(lanes, 0.0)

    async def run() -> float:
        began = virtual.time()
        lanes.hold(1, 10)
        await asyncio.sleep(0.5)
        lanes.hold(2, 10)
        await telegram.send(3)
        return virtual.time() - began

    assert 10.5 <= virtual.run_until_complete(run()) < 10.6


def test_two_429_apart_hold_only_their_own(virtual: VirtualLoop) -> None:
    lanes = Lanes()

    async def run() -> float:
        lanes.hold(1, 10)
        await asyncio.sleep(1.5)
        lanes.hold(2, 10)
        return lanes.held_for(3)

    assert virtual.run_until_complete(run()) == 0


def test_those_who_give_up_leave_no_trace(virtual: VirtualLoop) -> None:
    lanes = Lanes(per_second=2)
    telegram = Telegram(lanes, 0.01)

    async def run() -> None:
        tasks = [asyncio.ensure_future(telegram.send(n % 7, lane="bulk")) for n in range(40)]
        await asyncio.sleep(0.5)
        for number, task in enumerate(tasks):
            if number % 2:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await lanes.idle()
        assert await lanes.backlog() == 0
        assert lanes.depth == {"interactive": 0, "bulk": 0}
        await telegram.send(1)

    virtual.run_until_complete(run())


def test_depth_tells_who_waits(virtual: VirtualLoop) -> None:
    lanes = Lanes(per_second=1)
    telegram = Telegram(lanes, 0.0)

    async def run() -> None:
        tasks = [asyncio.ensure_future(telegram.send(n, lane="bulk")) for n in range(5)]
        tasks += [asyncio.ensure_future(telegram.send(n)) for n in range(10, 13)]
        await asyncio.sleep(0)
        assert lanes.depth["interactive"] + lanes.depth["bulk"] == 7
        assert await lanes.backlog() == 8
        await asyncio.gather(*tasks)

    virtual.run_until_complete(run())


def test_messages_without_a_chat_share_only_the_overall_limit(virtual: VirtualLoop) -> None:
    telegram = Telegram(Lanes(), 0.0)

    async def run() -> float:
        began = virtual.time()
        await asyncio.gather(*(telegram.send(None) for _ in range(30)))
        return virtual.time() - began

    assert virtual.run_until_complete(run()) < 0.01


def test_memory_follows_the_last_minute(virtual: VirtualLoop) -> None:
    lanes = Lanes(per_second=10_000)
    telegram = Telegram(lanes, 0.0)

    async def run() -> None:
        for start in range(0, 6000, 500):
            await asyncio.gather(*(telegram.send(start + n + 1) for n in range(500)))
            await asyncio.sleep(62)

    virtual.run_until_complete(run())
    assert len(lanes._chats) <= 1500


def test_the_lane_is_chosen_by_context() -> None:
    assert current_lane() == "interactive"
    with lane("bulk"):
        assert current_lane() == "bulk"
    assert current_lane() == "interactive"

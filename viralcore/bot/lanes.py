"""Lanes: one schedule for every message the bot creates or edits, with people who wait before people who do not.

Three promises, in machine time: never more than `per_second` messages in any sliding second, one message a `chat_gap`
in a chat, never more than `per_minute` a minute in a group. They are counted where Telegram counts them: a message may
take effect at any moment between the start of its call and its answer, so it occupies its window from the start of the
call until a window's length after the answer. No jitter of the network can squeeze two windows into one.

A 429 holds exactly what it names, which is the chat it came for. When different chats get one within a second, the
limit that was hit is the bot's, and everything is held.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

from viralcore.core.clock import monotonic
from viralcore.core.metrics import Metrics

Lane = Literal["interactive", "bulk"]
Chat = int | str | None
"""A chat id, an @channel, or None for a message that belongs to no chat (an inline message)."""

_RANK: dict[Lane, int] = {"interactive": 0, "bulk": 1}
_LANES: tuple[Lane, Lane] = ("interactive", "bulk")
_current: ContextVar[Lane] = ContextVar("telegram_lane", default="interactive")


@contextmanager
def lane(name: Lane) -> Iterator[None]:
    """Calls made inside go through this lane; outside of any, calls are interactive."""
    token = _current.set(name)
    try:
        yield
    finally:
        _current.reset(token)


def current_lane() -> Lane:
    return _current.get()


class _Window:
    """How many messages may lie in the last `seconds`: those under way and those answered since."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self.under_way = 0
        self._answered: deque[tuple[float, int]] = deque()
        self._recent = 0

    def room(self, now: float, cost: int) -> bool:
        while self._answered and self._answered[0][0] <= now - self.seconds:
            self._recent -= self._answered.popleft()[1]
        # one call that is larger than the limit may go when it is alone
        used = self.under_way + self._recent
        return used + cost <= self.limit or used == 0

    def next_change(self) -> float | None:
        """When the oldest answered message leaves the window."""
        return self._answered[0][0] + self.seconds if self._answered else None

    def begin(self, cost: int) -> None:
        self.under_way += cost

    def end(self, now: float, cost: int) -> None:
        self.under_way -= cost
        self._recent += cost
        self._answered.append((now, cost))


_Entry = tuple[float, int, int, Chat]
"""(moment or lane rank, call seq, unique, chat). A chat's older entries stay in the heaps and are skipped when met."""


class _Call:
    """`granted` None: it went at once and never waited."""

    __slots__ = ("chat", "cost", "granted", "lane", "seq")

    def __init__(self, chat: Chat, cost: int, lane: Lane, seq: int, granted: asyncio.Future[None] | None) -> None:
        self.chat = chat
        self.cost = cost
        self.lane = lane
        self.seq = seq
        self.granted = granted


class _ChatState:
    """One chat: what waits for it, from when on the next may go, and its one valid entry in the schedule."""

    __slots__ = ("busy", "entry", "free_at", "held_until", "queues", "window")

    def __init__(self, window: _Window | None) -> None:
        self.queues: dict[Lane, deque[_Call]] = {}  # filled when somebody has to wait: few chats ever do
        self.busy = False
        self.free_at = 0.0
        self.held_until = 0.0
        self.window = window
        self.entry: _Entry | None = None

    def wait(self, call: _Call) -> None:
        self.queues.setdefault(call.lane, deque()).append(call)

    def head(self) -> _Call | None:
        if not self.queues:
            return None
        for name in _LANES:
            queue = self.queues.get(name)
            while queue and (granted := queue[0].granted) is not None and granted.done():  # its caller gave up
                queue.popleft()
            if queue:
                return queue[0]
        return None

    def may_go_at(self, now: float, cost: int) -> float:
        """The moment from which its next call may go, as far as this chat is concerned."""
        at = max(self.free_at, self.held_until)
        if self.window is not None and not self.window.room(now, cost):
            at = max(at, self.window.next_change() or now)
        return at


class Lanes:
    """The schedule. `turn` waits for its moment and holds the chat until the answer is there."""

    def __init__(
        self,
        *,
        per_second: int = 30,
        chat_gap: float = 1.0,
        per_minute: int = 20,
        window_seconds: float = 1.0,
        metrics: Metrics | None = None,
    ) -> None:
        self._chat_gap = chat_gap
        self._per_minute = per_minute
        self._window = _Window(per_second, window_seconds)
        self._metrics = metrics or Metrics()
        self._waits = {name: self._metrics.lanes_wait.labels(lane=name) for name in _LANES}
        self._chats: dict[Chat, _ChatState] = {}
        self._ready: list[_Entry] = []  # by lane, then by age of the call
        self._later: list[_Entry] = []  # by moment
        self._seq = 0
        self._waiting: dict[Lane, int] = {"interactive": 0, "bulk": 0}
        self._running = 0
        self._held_until = 0.0
        self._last_429: tuple[float, Chat] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._wakes_at: float | None = None
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._tidy_at = 1000

    def turn(self, chat: Chat, *, cost: int = 1, lane: Lane | None = None) -> _Turn:
        """``async with``: wait for the moment to send `cost` messages to a chat, count them until the block ends."""
        return _Turn(self, chat, cost, lane or _current.get())

    def hold(self, chat: Chat, seconds: float) -> None:
        """Telegram answered 429 for this chat: nothing more goes there for exactly that long."""
        self._metrics.floods.labels(lane=_current.get()).inc()
        now = monotonic()
        state = self._state(chat)
        state.held_until = max(state.held_until, now + seconds)
        before, self._last_429 = self._last_429, (now, chat)
        if before is not None and before[1] != chat and now - before[0] <= 1.0:
            self._held_until = max(self._held_until, now + seconds)

    def held_for(self, chat: Chat) -> float:
        """Seconds until a 429's hold over this chat, or over everything, ends; 0 when there is none."""
        state = self._chats.get(chat)
        until = max(self._held_until, state.held_until if state is not None else 0.0)
        return max(0.0, until - monotonic())

    @property
    def depth(self) -> dict[Lane, int]:
        """How many calls wait, by lane."""
        return dict(self._waiting)

    async def backlog(self) -> int:
        """Calls that wait or are under way; also refreshes the depth metrics."""
        for name, waiting in self._waiting.items():
            self._metrics.lanes_depth.labels(lane=name).set(waiting)
        return sum(self._waiting.values()) + self._running

    async def idle(self) -> None:
        """Return when nothing waits and nothing is under way."""
        await self._quiet.wait()

    # --- the schedule --------------------------------------------------------------------------------------------

    async def enter(self, chat: Chat, cost: int, lane: Lane) -> _Call:
        """Returns when the call may go; `leave` must follow."""
        self._seq += 1
        state = self._state(chat)
        now = monotonic()
        self._quiet.clear()
        if self._at_once(state, cost, now):
            call = _Call(chat, cost, lane, self._seq, None)
            self._begin(state, call)
            self._waits[lane].observe(0.0)
            return call
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        call = _Call(chat, cost, lane, self._seq, granted)
        state.wait(call)
        self._waiting[lane] += 1
        self._offer(chat, state)
        self._pump()
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self.leave(call)
            else:
                self._waiting[lane] -= 1
                self._settle()
            raise
        self._waits[lane].observe(monotonic() - now)
        return call

    def _at_once(self, state: _ChatState, cost: int, now: float) -> bool:
        """Whether a call may go without a place in the schedule: nobody who could go is waiting, and nothing holds."""
        return (
            not self._ready
            and not (self._later and self._later[0][0] <= now)
            and not state.busy
            and self._held_until <= now
            and state.head() is None
            and state.may_go_at(now, cost) <= now
            and self._window.room(now, cost)
        )

    def leave(self, call: _Call) -> None:
        """The answer is there: the call counts until its window has passed."""
        now = monotonic()
        state = self._chats[call.chat]
        state.busy = False
        if call.chat is not None:
            state.free_at = max(state.free_at, now + self._chat_gap)
        if state.window is not None:
            state.window.end(now, call.cost)
        self._window.end(now, call.cost)
        self._running -= 1
        if state.queues:
            self._offer(call.chat, state)
        if self._ready or self._later:
            self._pump()
        self._settle()

    def _state(self, chat: Chat) -> _ChatState:
        state = self._chats.get(chat)
        if state is None:
            group = (isinstance(chat, int) and chat < 0) or isinstance(chat, str)
            state = self._chats[chat] = _ChatState(_Window(self._per_minute, 60.0) if group else None)
        return state

    def _offer(self, chat: Chat, state: _ChatState) -> None:
        """Give a chat that has something to send its place: among the ready ones, or at the moment it will be."""
        head = state.head()
        if head is None or state.busy:
            state.entry = None
            return
        now = monotonic()
        at = state.may_go_at(now, head.cost)
        heap = self._later if at > now else self._ready
        place = (at if at > now else float(_RANK[head.lane]), head.seq)
        if state.entry is not None and state.entry[:2] == place:
            return
        self._seq += 1
        state.entry = (*place, self._seq, chat)
        heapq.heappush(heap, state.entry)

    def _wake(self) -> None:
        self._timer = None
        self._pump()

    def _pump(self) -> None:
        """Grant what may go now; set the timer for the next moment at which something may."""
        now = monotonic()
        while self._later and (self._later[0][0] <= now or not self._valid(self._later[0])):
            self._again(heapq.heappop(self._later))
        wake = [self._later[0][0]] if self._later else []
        while self._ready:
            entry = self._ready[0]
            state = self._chats.get(entry[3])
            head = state.head() if state is not None else None
            if state is None or head is None or state.entry is not entry or head.seq != entry[1]:
                self._again(heapq.heappop(self._ready))
                continue
            at = state.may_go_at(now, head.cost)
            if at > now:
                self._again(heapq.heappop(self._ready))
                wake.append(at)
                continue
            if self._held_until > now:
                wake.append(self._held_until)
                break
            if not self._window.room(now, head.cost):
                change = self._window.next_change()
                if change is not None:  # otherwise all of it is under way, and an answer pumps again
                    wake.append(change)
                break
            heapq.heappop(self._ready)
            self._grant(state, head)
            self._offer(entry[3], state)
        self._wake_at(min(wake, default=None))

    def _valid(self, entry: _Entry) -> bool:
        state = self._chats.get(entry[3])
        return state is not None and state.entry is entry

    def _again(self, entry: _Entry) -> None:
        """An entry left its heap without a grant: if it was the chat's valid one, the chat gets a new place."""
        if self._valid(entry):
            state = self._chats[entry[3]]
            state.entry = None
            self._offer(entry[3], state)

    def _grant(self, state: _ChatState, call: _Call) -> None:
        state.queues[call.lane].popleft()
        self._waiting[call.lane] -= 1
        self._begin(state, call)
        if call.granted is not None:
            call.granted.set_result(None)

    def _begin(self, state: _ChatState, call: _Call) -> None:
        state.entry = None
        state.busy = call.chat is not None
        if state.window is not None:
            state.window.begin(call.cost)
        self._window.begin(call.cost)
        self._running += 1

    def _wake_at(self, moment: float | None) -> None:
        if self._timer is not None and moment == self._wakes_at:
            return
        self._wakes_at = moment
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if moment is not None:
            delay = max(0.0, moment - monotonic()) + 0.0005
            self._timer = asyncio.get_running_loop().call_later(delay, self._wake)

    def _settle(self) -> None:
        if self._running == 0 and not self._waiting["interactive"] and not self._waiting["bulk"]:
            self._quiet.set()
        if len(self._chats) > self._tidy_at:
            self._tidy()

    def _tidy(self) -> None:
        """Forget chats that have nothing to remember: memory follows what is under way, not all who ever came. A
        private chat remembers for its gap, a group for its minute."""
        now = monotonic()
        for chat, state in list(self._chats.items()):
            memory = 0.0 if state.window is None else state.window.seconds
            idle = chat is not None and not state.busy and state.head() is None
            if idle and max(state.free_at, state.held_until) + memory < now:
                del self._chats[chat]
        self._tidy_at = max(1000, 2 * len(self._chats))


class _Turn:
    """One call's turn, as a context manager: an object, because a generator costs several times as much."""

    __slots__ = ("_call", "_chat", "_cost", "_lane", "_lanes")

    def __init__(self, lanes: Lanes, chat: Chat, cost: int, lane: Lane) -> None:
        self._lanes = lanes
        self._chat = chat
        self._cost = cost
        self._lane = lane
        self._call: _Call | None = None

    async def __aenter__(self) -> None:
        self._call = await self._lanes.enter(self._chat, self._cost, self._lane)

    async def __aexit__(self, *_: object) -> None:
        if self._call is not None:
            self._lanes.leave(self._call)

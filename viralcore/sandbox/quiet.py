"""Knowing when nothing is left to do, and turning the clock in hops with a quiet moment after each."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from viralcore.core.clock import monotonic
from viralcore.sandbox.clock import TurnedClock
from viralcore.sandbox.world import World

ANSWER_WITHIN, TURN_WITHIN, HOP_WITHIN = 48.0, 41.0, 12.0
LOOK_AGAIN, LONGEST_LOOK = 0.02, 0.25
SHORTEST_HOP, USUAL_HOP, HOPS = 1.0, 60.0, 100
SETTLED, BACKLOG, DUE = (
    "viralcore_clock_settled_offset_seconds",
    "viralcore_backlog",
    "viralcore_next_due_timestamp_seconds",
)
_SAMPLE = re.compile(r"^(viralcore_[a-z_]+)(?:\{([^}]*)\})? (\S+)", re.MULTILINE)
_KIND = re.compile(r'kind="([^"]*)"')


@dataclass(frozen=True, slots=True)
class BotState:
    """What the bot's metrics say of its own quietness."""

    settled_offset: float | None
    next_due: datetime | None
    backlog: dict[str, int]


def read_metrics(text: str) -> BotState:
    """Pick the three numbers of the contract out of a Prometheus text."""
    settled: float | None = None
    due: datetime | None = None
    backlog: dict[str, int] = {}
    for name, labels, value in _SAMPLE.findall(text):
        if name == SETTLED:
            settled = float(value)
        elif name == DUE and float(value) > 0:
            due = datetime.fromtimestamp(float(value), UTC)
        elif name == BACKLOG:
            kind = _KIND.search(labels)
            backlog[kind.group(1) if kind else "?"] = int(float(value))
    return BotState(settled, due, backlog)


@dataclass(frozen=True, slots=True)
class Turned:
    """Where the clock stands, and whether anything was left to do when it was last looked at."""

    now: datetime
    quiet: bool
    pending: list[str]


class Quiet:
    """`metrics`: what the bot's /metrics says of these names, None while it is down. `unconfirmed`: updates Telegram
    still keeps for it.

    It is looked at many times a second beside a bot that works, so each look asks for no more than it needs: whether
    the jobs have run costs the bot nothing to say, its backlog some statements, the next due moment one for each job.
    """

    def __init__(
        self,
        *,
        clock: TurnedClock,
        metrics: Callable[..., Awaitable[str | None]],
        unconfirmed: Callable[[], int],
        worlds: Sequence[World],
    ) -> None:
        self._clock = clock
        self._metrics = metrics
        self._unconfirmed = unconfirmed
        self._worlds = worlds
        self._turning = asyncio.Lock()
        self._due: datetime | None = None
        self._worked = False
        """The jobs had run when the bot was last asked."""

    @property
    def turning(self) -> bool:
        return self._turning.locked()

    async def pending(self, *, worlds: bool = True) -> list[str]:
        """Reasons why it is not quiet, in words; empty when it is. `worlds` false: of the bot's quietness alone."""
        now = self._clock.now()
        asked = self._worlds if worlds else ()
        reasons = [f"{world.name}: {reason}" for world in asked for reason in world.pending(now)]
        if self._unconfirmed():
            reasons.append(f"telegram: {self._unconfirmed()} updates not confirmed")
        return [*reasons, *await self._bot_pending()]

    async def _bot_pending(self) -> list[str]:
        state = BotState(None, None, {})
        for names in ((SETTLED, BACKLOG),) if self._worked else ((SETTLED,), (SETTLED, BACKLOG)):
            text = await self._metrics(*names)
            if text is None:
                return ["bot: does not answer"]
            state = read_metrics(text)
            offset = state.settled_offset
            self._worked = offset is not None and abs(offset - self._clock.offset()) <= 0.001
            if not self._worked:
                return ["bot: has not worked through the turned clock"]
        return [f"bot: {count} {kind}" for kind, count in sorted(state.backlog.items()) if count]

    async def settle(self, seconds: float, *, worlds: bool = True) -> Turned:
        """Wait until it is quiet, seen twice in a row, or `seconds` have passed."""
        began = monotonic()
        deadline = began + seconds
        calm = False
        while True:
            reasons = await self.pending(worlds=worlds)
            if not reasons and calm:
                return Turned(self._clock.now(), True, [])
            calm = not reasons
            if monotonic() >= deadline and not calm:
                return Turned(self._clock.now(), False, reasons)
            # What takes long is looked at more seldom: a look takes the bot's time, which is what is being waited for.
            await asyncio.sleep(LOOK_AGAIN if calm else max(LOOK_AGAIN, min(LONGEST_LOOK, (monotonic() - began) / 4)))

    async def advance(self, seconds: float) -> Turned:
        """Turn the clock by `seconds`, hopping from due moment to due moment. Always arrives, in time or not quiet.

        Before and between hops only the bot is waited for: what a world still has before it (a block that becomes
        final, a final block that nobody has read) is what the next hop brings. At the end everybody is.
        """
        async with self._turning:
            began = monotonic()
            target = self._clock.offset() + seconds
            longest = max(USUAL_HOP, seconds / HOPS)
            await self.settle(HOP_WITHIN, worlds=False)
            while (left := target - self._clock.offset()) > 1e-6:
                time_left = TURN_WITHIN - (monotonic() - began)
                await self._hop(left if time_left <= 0 else min(left, longest, await self._until_due()))
                if time_left > 0:
                    await self.settle(min(HOP_WITHIN, time_left), worlds=False)
            return await self.settle(max(0.0, ANSWER_WITHIN - (monotonic() - began)))

    async def leap(self, seconds: float) -> Turned:
        """Turn the clock at once and wait for nothing: for trying what a sudden moment brings."""
        await self._hop(seconds)
        return Turned(self._clock.now(), False, await self.pending())

    async def _hop(self, seconds: float) -> None:
        self._worked = False
        self._clock.turn(seconds)
        now = self._clock.now()
        for world in self._worlds:
            await world.tick(now)

    async def _until_due(self) -> float:
        """Seconds to the next due moment of the bot or a world; endless when there is none."""
        text = await self._metrics(DUE)
        if text is not None:
            self._due = read_metrics(text).next_due
        now = self._clock.now()
        moments = [self._due, *(world.next_due(now) for world in self._worlds)]
        ahead = [(moment - now).total_seconds() for moment in moments if moment is not None and moment > now]
        return max(min(ahead), SHORTEST_HOP) if ahead else float("inf")

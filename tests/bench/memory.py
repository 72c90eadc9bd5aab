"""memory: how much a bot grows for every 10,000 people who did /start.

The whole bot as operators start it, over its own Postgres, with Telegram's pacing lifted so that it takes seconds and
not an hour. The first people warm it up; then everybody new is counted. The process is asked to collect its garbage
before it is looked at, so that what is counted is what it keeps.
"""

from __future__ import annotations

import asyncio
import gc
import runpy
import signal
import sys
import time
from collections.abc import Sequence

from tests.bench.harness import Result, absolute
from tests.bench.standin import Stand, resident, stand, start_command, stop

WARM_UP = 2_000
PEOPLE = 6_000
AT_ONCE = 1_000
PACE = 10_000
GOAL = 10.0
MEGABYTE = 1024 * 1024


async def started(place: Stand, process: asyncio.subprocess.Process, first: int, count: int) -> None:
    """`count` new people do /start, at most `AT_ONCE` of them waiting for their answer."""
    for start in range(first, first + count, AT_ONCE):
        users = range(start, min(start + AT_ONCE, first + count))
        place.api.give([start_command(user, user) for user in users])
        for user in users:
            await place.answers(user, process)


async def settled(process: asyncio.subprocess.Process) -> int:
    """What it keeps, once it has collected and nothing of the last people is under way."""
    await asyncio.sleep(1.5)
    process.send_signal(signal.SIGUSR1)
    await asyncio.sleep(1.0)
    return await resident(process)


async def growth() -> float:
    """Megabytes for every 10,000 people."""
    async with stand(pace=PACE) as place:
        process = await place.spawn("-m", "tests.bench.memory")
        try:
            await started(place, process, 1_000_000, WARM_UP)
            before = await settled(process)
            began = time.monotonic()
            await started(place, process, 2_000_000, PEOPLE)
            took = time.monotonic() - began
            after = await settled(process)
        finally:
            await stop(process)
    print(f"  {before / MEGABYTE:.1f} MB, then {after / MEGABYTE:.1f} MB; {PEOPLE / took:.0f} people/s", flush=True)  # noqa: T201
    return (after - before) / MEGABYTE * 10_000 / PEOPLE


def measure(wanted: Sequence[str]) -> Sequence[Result]:
    return [absolute("memory", asyncio.run(growth()), "MB", better="lower", goal=GOAL)]


if __name__ == "__main__":  # the bot, with an ear for our wish to collect
    signal.signal(signal.SIGUSR1, lambda *_: gc.collect())
    sys.argv = ["viralcore", "run"]
    runpy.run_module("viralcore", run_name="__main__")

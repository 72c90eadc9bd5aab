"""cold_start: from the start of the process, over a database that exists, to the first answer somebody sees.

The whole of it counts: Python, imports, settings, the embedded Postgres, the look at the migrations, the greeting of
Telegram, the waiting update stored, handled and answered.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from tests.bench.harness import Result, absolute
from tests.bench.standin import stand, start_command, stop

ROUNDS = 5
GOAL = 3.0


async def rounds() -> list[float]:
    """Seconds of every round, after one that makes the database."""
    took: list[float] = []
    async with stand() as place:
        for turn in range(ROUNDS + 1):
            user = 5000 + turn
            place.api.give([start_command(100 + turn, user)])
            began = time.monotonic()
            process = await place.spawn()
            try:
                took.append(await place.answers(user, process) - began)
            finally:
                await stop(process)
    return took[1:]


def measure(wanted: Sequence[str]) -> Sequence[Result]:
    return [absolute("cold_start", asyncio.run(rounds()), "s", better="lower", goal=GOAL)]

"""Transfers a second: pgbench calling the SQL function, and this program calling it through the door.

    python -m tests.bench.ledger

Compare the ratios within one run, not the figures of two. Every round ends with the audit: the books must agree.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.support.clock import FakeClock
from tests.support.database import Cluster
from viralcore.core.db import Database
from viralcore.core.embedded import EmbeddedPostgres, find_binaries
from viralcore.core.registry import Registry
from viralcore.ledger.api import Entry, NewPosting, house_account, user_account
from viralcore.ledger.service import LedgerService

PEOPLE = 10_000
CLIENTS = 16
SECONDS = 10
SCRIPT = """
\\set a random(1, {people})
\\set b (:a + random(0, {spread})) % {people} + 1
SELECT outcome FROM ledger.post(gen_random_uuid()::text, 'adjustment', 'a transfer', '', now(), jsonb_build_array(
    jsonb_build_array('user:' || :a, 'wallet', 'USD', -1, NULL),
    jsonb_build_array('user:' || :b, 'wallet', 'USD', 1, NULL)));
"""


def transfer(key: str, dice: random.Random, people: int) -> NewPosting:
    one = dice.randint(1, people)
    two = (one + dice.randint(0, max(0, people - 2))) % people + 1
    entries = (Entry(user_account(one, "wallet"), -1), Entry(user_account(two, "wallet"), 1))
    return NewPosting(key, "adjustment", entries, "a transfer")


def pgbench(server: EmbeddedPostgres, cluster: Cluster, url: str, people: int) -> float:
    binaries, libraries = find_binaries()
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(SCRIPT.format(people=people, spread=max(0, people - 2)))
        script.flush()
        done = subprocess.run(
            [str(binaries / "pgbench"), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(SECONDS),
             "-f", script.name, url],
            capture_output=True, text=True, check=True,
            env={"LD_LIBRARY_PATH": str(libraries or "")},
        )  # fmt: skip
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("tps")]
    return float(line.split()[2])


async def measure(work: Callable[[int, int], Awaitable[int]]) -> float:
    """Transfers a second of 16 clients, each calling `work(client, turn)` until the time is up."""
    end = time.monotonic() + SECONDS
    counts = [0] * CLIENTS

    async def client(number: int) -> None:
        turn = 0
        while time.monotonic() < end:
            counts[number] += await work(number, turn)
            turn += 1

    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return sum(counts) / SECONDS


async def through_the_door(url: str, people: int, name: str) -> dict[str, float]:
    database = Database(url, FakeClock(), Registry(), size=CLIENTS)
    service = LedgerService(database)
    dice = random.Random(1)

    async def single(number: int, turn: int) -> int:
        one = transfer(f"{name}:{people}:{number}:{turn}", dice, people)
        async with database.transaction() as tx:
            await service.post(tx, key=one.key, kind=one.kind, entries=one.entries, description=one.description)
        return 1

    async def sets(number: int, turn: int) -> int:
        items = [transfer(f"{name}m:{people}:{number}:{turn}:{n}", dice, people) for n in range(64)]
        async with database.transaction() as tx:
            return sum(verdict.done for verdict in await service.post_many(tx, items))

    figures = {"post": await measure(single), "post_many of 64": await measure(sets)}
    assert await service.check() == ()
    await database.stop()
    return figures


async def fund(url: str) -> None:
    database = Database(url, FakeClock(), Registry())
    service = LedgerService(database)
    bank = house_account("bank")
    for start in range(1, PEOPLE + 1, 1000):
        items = [
            NewPosting(
                f"fund:{n}",
                "deposit",
                (Entry(user_account(n, "wallet"), 10**9), Entry(bank, -(10**9))),
                "money to play with",
            )
            for n in range(start, start + 1000)
        ]
        async with database.transaction() as tx:
            await service.post_many(tx, items)
    await database.stop()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="viralcore-bench-") as folder:
        server = EmbeddedPostgres(Path(folder), durable=True, tuning={"shared_buffers": "256MB"})
        try:
            cluster = Cluster(server, server.start())
            url = cluster.clone()
            asyncio.run(fund(url))
            for people in (PEOPLE, 2):
                print(f"{people} accounts, {CLIENTS} clients, transfers/s, durable")  # noqa: T201
                ceiling = pgbench(server, cluster, url, people)
                print(f"  pgbench, one call each  {ceiling:8.0f}")  # noqa: T201
                for name, figure in asyncio.run(through_the_door(url, people, "bench")).items():
                    print(f"  api.{name:<18}  {figure:8.0f}   {figure / ceiling:.2f} of pgbench")  # noqa: T201
        finally:
            server.stop()
            server.wipe()


if __name__ == "__main__":
    main()

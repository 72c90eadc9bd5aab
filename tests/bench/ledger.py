"""Transfers a second: pgbench calling the SQL function, and this program calling it through the door.

Everybody works on one durable database, as the application role: pgbench is the most that this function, these tables
and this disk give on this machine. Every turn starts after a checkpoint, so that none pays for the one before it. At
the end the books are audited and the postings counted: a line whose money does not add up is not ok, however fast.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from tests.bench.harness import Result, compared
from tests.support.clock import FakeClock
from tests.support.database import Cluster
from viralcore.core.db import APP_ROLE, Database
from viralcore.core.embedded import EmbeddedPostgres, find_binaries
from viralcore.core.registry import Registry
from viralcore.ledger.api import Entry, NewPosting, house_account, user_account
from viralcore.ledger.service import LedgerService

PEOPLE = 10_000
CLIENTS = 16
SET = 64
SECONDS, ROUNDS = 3, 5  # the hot line compares two of ours that are close: more and shorter turns tell them apart
CALLS = "pgbench_calls"
SCRIPT = f"""
\\set a random(1, {PEOPLE})
\\set b (:a + random(0, {PEOPLE - 2})) % {PEOPLE} + 1
SELECT outcome FROM ledger.post(gen_random_uuid()::text, 'adjustment', 'a transfer', '', now(), jsonb_build_array(
    jsonb_build_array('user:' || :a, 'wallet', 'USD', -1, NULL),
    jsonb_build_array('user:' || :b, 'wallet', 'USD', 1, NULL)));
"""
GOALS = {
    "ledger_transfers": (CALLS, 0.2),
    "ledger_batch": (CALLS, 0.8),
    "ledger_hot": ("ledger_transfers", 0.8),
}
Turn = Callable[[], Awaitable[float]]
Work = Callable[[], Awaitable[int]]


class Bank:
    """10,000 people with money, and the ways of moving it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._database = Database(url, FakeClock(), Registry(), size=CLIENTS)
        self._ledger = LedgerService(self._database)
        self._dice = random.Random(1)
        self._numbers = count()
        self.turns: dict[str, Turn] = {
            CALLS: lambda: asyncio.to_thread(self._pgbench),
            "ledger_transfers": lambda: self._clients(self._transfer),
            "ledger_batch": lambda: self._clients(self._set),
            "ledger_hot": lambda: self._clients(self._purchase),
        }
        self.posted = 0
        self._by_pgbench = 0

    async def open(self) -> None:
        """Everybody gets money to play with."""
        bank = house_account("bank")
        for start in range(1, PEOPLE + 1, 1000):
            people = range(start, start + 1000)
            items = [self._posting(Entry(user_account(one, "wallet"), 10**9), Entry(bank, -(10**9))) for one in people]
            async with self._database.transaction() as tx:
                self.posted += sum(verdict.done for verdict in await self._ledger.post_many(tx, items))

    async def problems(self) -> list[str]:
        """What is wrong with the books."""
        found = list(await self._ledger.check())
        async with self._database.read() as conn:
            made = (await conn.exec_driver_sql("SELECT count(*) FROM ledger.postings")).scalar_one()
        if made != self.posted + self._by_pgbench:
            found.append(f"{self.posted} + {self._by_pgbench} postings were reported, {made} are in the books")
        return found

    async def close(self) -> None:
        await self._database.stop()

    def _posting(self, *entries: Entry) -> NewPosting:
        return NewPosting(f"bench:{next(self._numbers)}", "adjustment", entries, "a transfer")

    def _between_people(self) -> NewPosting:
        one = self._dice.randint(1, PEOPLE)
        two = (one + self._dice.randint(0, PEOPLE - 2)) % PEOPLE + 1
        return self._posting(Entry(user_account(one, "wallet"), -1), Entry(user_account(two, "wallet"), 1))

    def _to_the_house(self) -> NewPosting:
        one = self._dice.randint(1, PEOPLE)
        return self._posting(Entry(user_account(one, "wallet"), -1), Entry(house_account("revenue"), 1))

    async def _transfer(self) -> int:
        return await self._post(self._between_people())

    async def _purchase(self) -> int:
        return await self._post(self._to_the_house())

    async def _post(self, one: NewPosting) -> int:
        async with self._database.transaction() as tx:
            view = await self._ledger.post(
                tx, key=one.key, kind=one.kind, entries=one.entries, description=one.description
            )
        return not view.replayed

    async def _set(self) -> int:
        async with self._database.transaction() as tx:
            verdicts = await self._ledger.post_many(tx, [self._between_people() for _ in range(SET)])
        return sum(verdict.outcome == "posted" for verdict in verdicts)

    async def _clients(self, work: Work) -> float:
        """Postings a second of 16 clients, each beginning the next when the last is committed."""
        began = time.monotonic()
        end, before = began + SECONDS, self.posted

        async def client() -> None:
            while time.monotonic() < end:
                done = await work()
                self.posted += done

        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        return (self.posted - before) / (time.monotonic() - began)

    def _pgbench(self) -> float:
        binaries, libraries = find_binaries()
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
            script.write(SCRIPT)
            script.flush()
            done = subprocess.run(
                [str(binaries / "pgbench"), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2",
                 "-T", str(SECONDS), "-f", script.name, self._url],
                capture_output=True, text=True, check=True,
                env={**os.environ, "LD_LIBRARY_PATH": str(libraries or ""), "PGOPTIONS": f"-c role={APP_ROLE}"},
            )  # fmt: skip
        told = dict(re.findall(r"^(number of transactions actually processed|tps)\b\D*([\d.]+)", done.stdout, re.M))
        self._by_pgbench += int(told["number of transactions actually processed"])
        return float(told["tps"])


async def taken(bank: Bank, cluster: Cluster, names: Sequence[str]) -> dict[str, list[float]]:
    """Every figure `ROUNDS` times, in turn; every second round backwards."""
    figures: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(ROUNDS):
        for name in names if turn % 2 == 0 else reversed(names):
            await asyncio.to_thread(cluster.execute, "CHECKPOINT")
            figures[name].append(await bank.turns[name]())
    return figures


async def run(cluster: Cluster, wanted: Sequence[str]) -> list[Result]:
    lines = [name for name in GOALS if name in wanted]
    bank = Bank(cluster.clone())
    try:
        await bank.open()
        figures = await taken(
            bank, cluster, list(dict.fromkeys([part for one in lines for part in (GOALS[one][0], one)]))
        )
        problems = await bank.problems()
    finally:
        await bank.close()
    for problem in problems:
        print(f"the books are wrong: {problem}")  # noqa: T201
    results = [
        compared(one, figures[one], figures[base], "transfers/s", baseline_name=base, goal=goal)
        for one, (base, goal) in GOALS.items()
        if one in lines
    ]
    return [replace(one, ok=one.ok and not problems) for one in results]


def measure(wanted: Sequence[str]) -> Sequence[Result]:
    with tempfile.TemporaryDirectory(prefix="viralcore-bench-") as folder:
        server = EmbeddedPostgres(Path(folder), durable=True)
        try:
            return asyncio.run(run(Cluster(server, server.start()), wanted))
        finally:
            server.stop()
            server.wipe()

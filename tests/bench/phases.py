"""phases: 1,000 due phases of real orders go to a panel that answers after 200 ms, 16 at a time; phases_balance: what
/balance takes meanwhile.

The bot is `viralcore run` as operators start it, on a durable Postgres, with 500 orders that were placed through the
shop's own doors (credits, draft, confirm), two lines each. A panel line is sent in three parts, half an hour apart: a
turn of the clock by half an hour makes 1,000 phases due, three times. They go the whole way: dispatch, effect, claim,
the provider's client with its pace (set out of the way) and parallelism (16, a setting), outcome and progress recorded,
the customers' order messages kept up to date. A round ends when all 1,000 are recorded as sent; the panel's books must
then hold each of them once, and never more than 16 at a time.

- `phases`: from the turn to the end, against the least time it can take: 1,000 / 16 x 200 ms.
- `phases_balance`: 20 people a second write /balance, before each turn and while the phases go out. 95 % of the answers
  have left the bot within the figure; Telegram's own 50 ms are not in it. Everything is one process on one event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import psycopg

from tests.bench.bot_load import ROOT, Api, bot_api, child, end
from tests.bench.harness import Result, compared
from tests.bench.latency import percentile
from tests.bench.load import FIRST_USER
from tests.bench.real_bot import TOKEN, database
from viralcore import bootstrap, settings
from viralcore.core.clock import SystemClock
from viralcore.core.crypto import new_key
from viralcore.core.db import Database
from viralcore.core.registry import Registry
from viralcore.ledger.api import Entry, NewPosting, house_account, user_account
from viralcore.ledger.service import LedgerService
from viralcore.sandbox.clock import TurnedClock

PHASES, AT_ONCE, LATENCY = 1000, 16, 0.2
IDEAL = PHASES / AT_ONCE * LATENCY
ROUNDS = 3
BUYERS, LINKS = 25, 20
"""500 orders of two panel lines: 1,000 phases of each part."""
FIRST_BUYER = FIRST_USER + 9000
WRITERS, PER_SECOND, IDLE_SECONDS = 5000, 20, 6.0
PART_MINUTES = 30
PATIENCE = 120.0
_PARTS = """phases = [
  { minutes = 30, share = "0.4" },
  { minutes = 60, share = "0.3" },
  { minutes = 90, share = "0.3" },
]"""


@dataclass
class Figures:
    """One per round."""

    walls: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)


@contextlib.contextmanager
def panel() -> Iterator[str]:
    """A panel in a process of its own; it ends with us."""
    command = [sys.executable, "-m", "tests.bench.panel_server", "--latency", str(LATENCY)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.stdin.close()
        end(process)


def told(folder: Path, url: str, api: Api, panel_url: str) -> dict[str, str]:
    """The bot's environment, and ours when we place orders: one panel, nobody else outside."""
    made = folder / "settings"
    made.mkdir()
    for file in (ROOT / "settings").glob("*.toml"):
        made.joinpath(file.name).write_text(file.read_text())
    _change(made / "panels.toml", "pace_per_second = 2", "pace_per_second = 10000")
    _change(made / "panels.toml", "parallelism = 1", f"parallelism = {AT_ONCE}")
    schedule = (made / "schedule.toml").read_text()
    first, last = schedule.index("phases = ["), schedule.index("\n]") + 2
    (made / "schedule.toml").write_text(schedule[:first] + _PARTS + schedule[last:])
    _change(made / "schedule.toml", "crowd_lines = true", "crowd_lines = false")
    _change(made / "bot.toml", "per_second = ", "per_second = 1000000 #")
    _change(made / "bot.toml", "chat_gap_seconds = ", 'chat_gap_seconds = "0" #')
    return {
        "ENVIRONMENT": "sandbox",
        "DATABASE_URL": url,
        "DATA_DIR": str(folder / "data"),
        "SETTINGS_DIR": str(made),
        "CLOCK_FILE": str(folder / "clock"),
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_API_BASE_URL": api.url,
        "ADMIN_IDS": "1000",
        "ENCRYPTION_KEYS": new_key(),
        "FINGERPRINT_KEY": secrets.token_urlsafe(32),
        "BSC_DEPOSIT_ADDRESS": "0x8894E0a0c962CB723c1976a4421c95949bE2D4E3",
        "SMMFLARE_API_KEY": "bench",
        "SMMFLARE_BASE_URL": f"{panel_url}/api/v2",
        "HTTP_PORT": "0",
    }


def _change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    if old not in text:
        raise ValueError(f"{file.name} has no line with {old}")
    file.write_text(text.replace(old, new))


async def place_orders(environment: dict[str, str]) -> None:
    """Credits, drafts and confirmations of 25 people, through the doors."""
    loaded = settings.load(env_file=None, environ=environment)
    people = range(FIRST_BUYER, FIRST_BUYER + BUYERS)
    granted = [
        NewPosting(
            f"bench.grant:{user}",
            "purchase",
            (
                Entry(user_account(user, "credits", "t3"), LINKS, unit_cost=Decimal("1.50")),
                Entry(house_account("grants", "t3"), -LINKS),
            ),
            "bench",
        )
        for user in people
    ]
    database = Database(environment["DATABASE_URL"], SystemClock(), Registry())
    async with database.transaction() as tx:
        assert all(verdict.done for verdict in await LedgerService(database).post_many(tx, granted))
    await database.stop()
    async with bootstrap.doors(loaded) as doors:
        for user in people:
            posts = " ".join(f"https://x.com/shop/status/{user * 100 + number}" for number in range(LINKS))
            draft = await doors.boosts.draft(key=f"draft:{user}", user_id=user, text=posts)
            placed = await doors.boosts.confirm(key=f"confirm:{user}", user_id=user, draft_id=draft.id)
            assert len(placed) == LINKS, f"{len(placed)} orders"


class Watch:
    """What the rounds look at: the database, the panel's books, the clock's hands, and people who write /balance."""

    def __init__(self, environment: dict[str, str], api: Api, panel_url: str) -> None:
        self._api = api
        self._panel = panel_url
        self._secret = environment["FINGERPRINT_KEY"]
        self._url = environment["DATABASE_URL"]
        self._clock = TurnedClock(Path(environment["CLOCK_FILE"]))

    def sent(self) -> int:
        """Attempts at the panel that are recorded as accepted."""
        with psycopg.connect(self._url) as connection:
            row = connection.execute("SELECT count(*) FROM boosts.attempts WHERE state = 'sent'").fetchone()
        assert row is not None
        return int(row[0])

    def books(self) -> dict[str, int]:
        with urllib.request.urlopen(f"{self._panel}/books", timeout=10) as answer:
            found: dict[str, int] = json.load(answer)
        return found

    def write(self, seconds: float, seed: int) -> None:
        """People begin to write /balance."""
        script = {"rate": PER_SECOND, "seconds": seconds, "even": False, "script": ("/balance",), "seed": seed}
        self._api.begin(users=WRITERS, secret=self._secret, **script)

    def answered(self) -> float:
        """Nobody writes any more; milliseconds below which 95 % of the answers lie, once all have come."""
        self._api._ask("stop")
        self._api.until(self._api.report()["handed"], PATIENCE)
        audit = self._api.audit()
        assert audit["unanswered"] == [], audit["unanswered"]
        return percentile(sorted(own * 1000 for _, own in audit["own"]), 0.95)

    def quiet(self) -> None:
        """Wait until nothing is left of an earlier round: what is measured as idle must be idle."""
        began = time.monotonic()
        while (left := self._left()) > 0:
            if time.monotonic() - began > PATIENCE:
                raise TimeoutError(f"{left} deliveries and effects are left of an earlier round")
            time.sleep(0.2)

    def _left(self) -> int:
        with psycopg.connect(self._url) as connection:
            row = connection.execute(
                "SELECT (SELECT count(*) FROM core.deliveries WHERE state = 'pending')"
                " + (SELECT count(*) FROM core.effects"
                " WHERE state IN ('queued', 'calling', 'answered') AND due IS NULL)"
            ).fetchone()
        assert row is not None
        return int(row[0])

    def idle(self, seed: int) -> float:
        self.quiet()
        self.write(IDLE_SECONDS, seed)
        time.sleep(IDLE_SECONDS)
        return self.answered()

    def busy(self, seed: int) -> tuple[float, float]:
        """A turn of the clock, and seconds until all of its phases are sent; beside it the answers' 95 %."""
        wanted = self.sent() + PHASES
        self.write(PATIENCE, seed)
        self._clock.turn(PART_MINUTES * 60)
        began = time.monotonic()
        while self.sent() < wanted:
            if time.monotonic() - began > PATIENCE:
                raise TimeoutError(f"{self.sent()} of {wanted} phases are sent, the panel has {self.books()}")
            time.sleep(0.1)
        wall = time.monotonic() - began
        answers = self.answered()
        books = self.books()
        assert books["orders"] == wanted == self.sent(), f"{wanted} phases, but the panel has {books}"
        assert books["most_at_once"] <= AT_ONCE, books
        return wall, answers


def rounds() -> Figures:
    """One bot, three parts of the same orders."""
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="viralcore-bench-") as name, bot_api() as api, panel() as panel_url:
        folder = Path(name)
        with database(folder) as url:
            environment = told(folder, url, api, panel_url)
            watch = Watch(environment, api, panel_url)
            kept = {each: os.environ[each] for each in ("PATH", "HOME", "LANG") if each in os.environ}
            log = folder / "bot.log"
            asyncio.run(place_orders(kept | environment))
            with child([sys.executable, "-m", "viralcore", "run"], log, kept | environment) as process:
                try:
                    api.until_polled(process)
                    watch.idle(0)  # to warm up
                    for number in range(ROUNDS):
                        figures.idle.append(watch.idle(1 + number))
                        wall, answers = watch.busy(100 + number)
                        figures.walls.append(wall)
                        figures.busy.append(answers)
                except BaseException:
                    tail = log.read_text(errors="replace")[-3000:]
                    print(f"the bot's log ends with:\n{tail}", file=sys.stderr)  # noqa: T201 - why it broke
                    raise
    return figures


def measure(wanted: Sequence[str]) -> list[Result]:
    found = rounds()
    ideal = [IDEAL] * len(found.walls)
    return [
        compared("phases", found.walls, ideal, "s", baseline_name="1,000 / 16 x 0.2 s", goal=1.5, better="lower"),
        compared(
            "phases_balance", found.busy, found.idle, "ms p95", baseline_name="when idle", goal=3.0, better="lower"
        ),
    ]

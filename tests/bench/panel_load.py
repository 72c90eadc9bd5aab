"""orders: a hundred orders a second are submitted for ten seconds, and sent through a panel of 200 ms, 50 a second and
16 at a time; polling: ten thousand open orders are asked about; polling_balance: what /balance takes meanwhile.

The bot is `viralcore run` on a durable Postgres, as in `phases`, whose stage this borrows.

- `orders`: 50 people confirm 20 links each, five confirmations a second, through the shop's own doors beside the
  running bot. Then the clock turns by half an hour: two lines of each order are due. From the turn until all 2,000 are
  recorded as sent, against what the pace allows; the panel's books must hold each once.
- `polling`: 10,000 phases stand as sent. The clock turns by the interval: the questions this costs, against
  10,000 / 100.
- `polling_balance`: 20 people a second write /balance before each turn and beside it, as in `phases_balance`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import psycopg

from tests.bench.bot_load import bot_api, child
from tests.bench.harness import Result, compared
from tests.bench.phases import AT_ONCE, FIRST_BUYER, PATIENCE, Watch, _change, panel, told
from tests.bench.real_bot import database
from viralcore import bootstrap, settings
from viralcore.core.clock import SystemClock
from viralcore.core.db import Database
from viralcore.core.registry import Registry
from viralcore.ledger.api import Entry, NewPosting, house_account, user_account
from viralcore.ledger.service import LedgerService

BUYERS, LINKS, CONFIRMATIONS = 50, 20, 5
"""1,000 orders of two lines, a hundred orders a second."""
PACE, FIRST_PART = 50, 2 * BUYERS * LINKS
OPEN, ROUNDS, INTERVAL, SETTLING = 10_000, 3, 60, 3.0
_OPEN_ORDERS = """
WITH draft AS (
    INSERT INTO boosts.drafts (user_id, links, problems, plan_id, unit_cost, state, created_at, expires_at)
    VALUES (1, '[]', '[]', 't3', 1.5, 'confirmed', now(), now()) RETURNING id
), made AS (
    INSERT INTO boosts.orders (user_id, draft_id, position, plan_id, plan_title, asset, platform, link, handle, post_id,
        unit_cost, state, created_at)
    SELECT 1, draft.id, n, 't3', 'X Tier 3', 't3', 'x', 'https://x.com/o/status/' || n, 'o', n, 1.5, 'in_progress',
        now()
    FROM draft, generate_series(1, %(open)s) n RETURNING id
), lined AS (
    INSERT INTO boosts.lines (order_id, metric, channel, quantity, share, state)
    SELECT id, 'likes', 'panel', 40, 1, 'in_progress' FROM made RETURNING id, order_id
)
INSERT INTO boosts.phases (order_id, line_id, number, quantity, due_at, state, attempt, panel, service, panel_order,
    sent_at)
SELECT order_id, id, 1, 40, now(), 'sent', 1, 'smmflare', '101', 9000000 + id, now() FROM lined
"""


async def submit(environment: dict[str, str]) -> float:
    """Confirmations at their pace, however long each takes; seconds from the first to the end of the last."""
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
    shop = Database(environment["DATABASE_URL"], SystemClock(), Registry())
    async with shop.transaction() as tx:
        assert all(verdict.done for verdict in await LedgerService(shop).post_many(tx, granted))
    await shop.stop()
    async with bootstrap.doors(loaded) as doors:
        alone = asyncio.Lock()

        async def one(position: int, user: int) -> None:
            await asyncio.sleep(position / CONFIRMATIONS)
            posts = " ".join(f"https://x.com/shop/status/{user * 100 + number}" for number in range(LINKS))
            async with alone:  # these doors have two connections, and a draft needs both
                draft = await doors.boosts.draft(key=f"draft:{user}", user_id=user, text=posts)
                placed = await doors.boosts.confirm(key=f"confirm:{user}", user_id=user, draft_id=draft.id)
            assert len(placed) == LINKS, f"{len(placed)} orders"

        began = time.monotonic()
        await asyncio.gather(*(one(position, user) for position, user in enumerate(people)))
        return time.monotonic() - began


@contextlib.contextmanager
def shop(pace: int) -> Iterator[tuple[dict[str, str], Watch]]:
    """A running bot and one panel, at this pace."""
    with tempfile.TemporaryDirectory(prefix="viralcore-bench-") as name, bot_api() as api, panel() as panel_url:
        folder = Path(name)
        with database(folder) as url:
            environment = told(folder, url, api, panel_url)
            _change(folder / "settings" / "panels.toml", "pace_per_second = 10000", f"pace_per_second = {pace}")
            kept = {each: os.environ[each] for each in ("PATH", "HOME", "LANG") if each in os.environ}
            log = folder / "bot.log"
            with child([sys.executable, "-m", "viralcore", "run"], log, kept | environment) as process:
                try:
                    api.until_polled(process)
                    yield kept | environment, Watch(environment, api, panel_url)
                except BaseException:
                    tail = log.read_text(errors="replace")[-3000:]
                    print(f"the bot's log ends with:\n{tail}", file=sys.stderr)  # noqa: T201 - why it broke
                    raise


def orders() -> list[Result]:
    with shop(PACE) as (environment, watch):
        took = asyncio.run(submit(environment))
        watch.quiet()
        watch._clock.turn(30 * 60)
        began = time.monotonic()
        while watch.sent() < FIRST_PART:
            if time.monotonic() - began > 2 * PATIENCE:
                raise TimeoutError(f"{watch.sent()} of {FIRST_PART} phases are sent, the panel has {watch.books()}")
            time.sleep(0.1)
        wall, books = time.monotonic() - began, watch.books()
        assert books["orders"] == FIRST_PART == watch.sent(), books
        assert books["most_at_once"] <= AT_ONCE, books
        assert wall >= FIRST_PART / PACE - 2, f"faster than the pace allows: {wall:.1f} s"
    print(f"orders: 1,000 were submitted in {took:.1f} s")  # noqa: T201 - beside the figure
    name = f"{FIRST_PART:,} / {PACE} a second"
    return [compared("orders", [wall], [FIRST_PART / PACE], "s", baseline_name=name, goal=1.25, better="lower")]


def polling() -> list[Result]:
    questions: list[float] = []
    idle: list[float] = []
    busy: list[float] = []
    with shop(10_000) as (environment, watch):
        watch.idle(0)  # to warm up
        with psycopg.connect(environment["DATABASE_URL"]) as connection:
            connection.execute(_OPEN_ORDERS, {"open": OPEN})
        for number in range(ROUNDS):
            idle.append(watch.idle(1 + number))
            before = watch.books()["questions"]
            watch.write(PATIENCE, 100 + number)
            watch._clock.turn(INTERVAL)
            began = time.monotonic()
            while (asked := watch.books()["questions"] - before) < OPEN / 100:
                if time.monotonic() - began > PATIENCE:
                    raise TimeoutError(f"{asked} questions, and not every open order is asked about")
                time.sleep(0.1)
            time.sleep(SETTLING)  # a question too many would come now
            busy.append(watch.answered())
            books = watch.books()
            questions.append(float(books["questions"] - before))
            assert books["largest_question"] <= 100, books
    wanted = [OPEN / 100] * ROUNDS
    return [
        compared("polling", questions, wanted, "questions", baseline_name="10,000 / 100", goal=1.0, better="lower"),
        compared("polling_balance", busy, idle, "ms p95", baseline_name="when idle", goal=3.0, better="lower"),
    ]


def measure(wanted: Sequence[str]) -> list[Result]:
    found = orders() if "orders" in wanted else []
    return found + (polling() if {"polling", "polling_balance"} & set(wanted) else [])

"""One run: a sandbox, fifty people, a storm; then calm, and the books."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import httpx

from tests.chaos.checker import chats, ledger, machinery, money, orders
from tests.chaos.checker.evidence import Evidence
from tests.chaos.record import Record
from tests.chaos.shopper import Shopper
from tests.chaos.staff import OWNER, SECOND, Staff
from tests.chaos.weather import PANELS, Reaper, Weather, cure_all, plan
from tests.chaos.world import BOT, Refused, World, labelled

ROOT = Path(__file__).parents[2]
FIRST_USER, UP_WITHIN, CALM_WITHIN = 5001, 120.0, 420.0
STEP = 600.0
LONG = 30.0  # seconds of storm in which somebody must have paid
BEFORE_DUE = 1_300.0
"""Business seconds between the first orders and the storm; their first part is due after 1,800."""
OPEN = """
SELECT (SELECT count(*) FROM boosts.orders
        WHERE state IN ('scheduled', 'sending', 'in_progress') AND invoice_id IS NULL) AS orders,
    (SELECT count(*) FROM payments.invoices WHERE state = 'open') AS invoices,
    (SELECT count(*) FROM payments.sightings WHERE state <> 'judged') AS sightings
"""

PAUSED = "SELECT id, user_id FROM boosts.orders WHERE paused_at IS NOT NULL AND finished_at IS NULL"


@dataclass
class Result:
    """`problems`: empty when the books agree. `record`: for the summary and, when they do not, the log."""

    seed: int
    problems: list[str]
    record: Record
    seconds: float
    orders: int = 0
    invoices: int = 0
    updates: int = 0
    kept: Path | None = None
    parts: dict[str, float] = field(default_factory=dict)

    def summary(self) -> str:
        names = ("kills", "postgres restarts", "faults", "turns", "actions", "payments", "transfers", "pastes", "cards")
        counted = ", ".join(f"{self.record.counts[name]} {name}" for name in names)
        took = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in self.parts.items())
        verdict = "the books agree" if not self.problems else f"{len(self.problems)} problems"
        return (
            f"seed {self.seed}: {verdict}. {counted}, {self.updates} updates, {self.invoices} invoices, "
            f"{self.orders} panel orders; {self.seconds:.0f} s ({took})"
        )


@asynccontextmanager
async def stage(folder: Path, seed: int, mutation: str) -> AsyncIterator[dict[str, str]]:
    """The sandbox's process; yields its addresses."""
    log = (folder / "console.log").open("wb")
    command = [sys.executable, "-m", "tests.chaos.stage", str(folder), str(seed), mutation]
    environment = {**os.environ, "LOG_LEVEL": "INFO"}
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment)
    try:
        deadline = time.monotonic() + UP_WITHIN
        while not (folder / "up.json").exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the sandbox did not come up:\n" + (folder / "console.log").read_text()[-3000:])
            await asyncio.sleep(0.1)
        yield json.loads((folder / "up.json").read_text())
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, 40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


async def run(seed: int, seconds: float, *, users: int = 50, mutation: str = "nothing") -> Result:
    """The whole run. Its folder is kept only when something is wrong."""
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    record, began = Record(), time.monotonic()
    result = Result(seed, [], record, 0.0)
    try:
        async with stage(folder, seed, mutation) as addresses:
            result.parts["start"] = time.monotonic() - began
            async with World(addresses["page"], record) as world:
                await _play(world, addresses["database"], seed, seconds, users, result)
    except Exception:
        result.problems.append(f"the run itself broke: {traceback.format_exc()}")
    finally:
        result.seconds = time.monotonic() - began
        with contextlib.suppress(OSError):
            shutil.rmtree((folder / "sandbox" / "postgres").resolve())
        if result.problems:
            result.kept = folder
            (folder / "actions.log").write_text("\n".join(record.lines))
        if result.kept is None:
            shutil.rmtree(folder, ignore_errors=True)
    return result


async def _play(world: World, database: str, seed: int, seconds: float, users: int, result: Result) -> None:
    record, master = result.record, Random(seed)
    record.prices.append(Decimal("640.25"))
    troubles = plan(Random(master.getrandbits(64)), seconds)
    everybody = [Shopper(world, record, FIRST_USER + number, Random(master.getrandbits(64))) for number in range(users)]
    staff = Staff(world, record, database, Random(master.getrandbits(64)))
    reaper = Reaper(world, record, Random(master.getrandbits(64)))
    at = time.monotonic()
    await asyncio.gather(*(_joins(world, who) for who in (OWNER, SECOND, *(one.id for one in everybody))))
    for name in PANELS:
        await world.call("POST", f"/panels/{name}", balance="5000")
    await asyncio.gather(*(one.stock_up() for one in everybody))
    await _passes(world, 30)
    await asyncio.gather(*(one.first_order() for one in everybody))
    await _passes(world, BEFORE_DUE)
    result.parts["joining"], at = time.monotonic() - at, time.monotonic()
    until = at + seconds
    weather = Weather(world, record, troubles)
    everything = [one.live(until) for one in everybody]
    await asyncio.gather(weather.blow(), reaper.reap(until), staff.work(until), *everything)
    result.parts["storm"], at = time.monotonic() - at, time.monotonic()
    if seconds >= LONG and not record.counts["payments"]:
        result.problems.append("nobody paid in the storm: the driver does not know the screen of a payment")
    result.problems += await _calm(world, record, staff, {one.id: one for one in everybody})
    result.parts["calm"], at = time.monotonic() - at, time.monotonic()
    ids = [one.id for one in everybody]
    await _last_words(world, ids)
    seen = await _evidence(world, record, database)
    result.problems += await asyncio.to_thread(_check, seen, ids)
    result.parts["check"] = time.monotonic() - at
    result.orders, result.updates = (
        len(seen.panel_orders),
        int(seen.figures["last_update"] - seen.figures["first_update"] + 1),
    )
    result.invoices = seen.ask("SELECT count(*) AS n FROM payments.invoices")[0]["n"]


async def _joins(world: World, who: int) -> None:
    """Before the storm: /start, and the terms."""
    if who >= FIRST_USER:
        await world.call("POST", "/users", id=who, first_name=f"Guest {who}")
    await world.say(who, "/start")
    await world.changed(who, 0, 60)
    card = world.said(who)[-1]
    agree, since = labelled(card, "I agree"), world.heard[who]
    if agree is not None:
        await world.press(who, card["message_id"], agree["data"])
        await world.changed(who, since, 60)


async def _passes(world: World, seconds: float) -> None:
    await world.leap(seconds)
    await world.settle(30)


async def _calm(world: World, record: Record, staff: Staff, people: Mapping[int, Shopper]) -> list[str]:
    """Nothing is wrong any more; time passes until nothing is open. Staff answer every card, people let go on what
    they paused."""
    record.note("calm", "begins")
    await cure_all(world)
    for one in record.sent:
        if one.held:
            await world.call("POST", f"/chains/bsc/transfers/{one.hash}", final=True)
    deadline = time.monotonic() + CALM_WITHIN
    told: dict[str, Any] = {}
    still: dict[str, Any] = {}
    while time.monotonic() < deadline:
        told = await world.settle(10)
        answered = await staff.decide()
        (still,) = await staff.ask(OPEN)
        record.note("calm", f"{told['now']}: {told['pending']}, {answered} cards answered, open: {still}")
        if told["quiet"] and not answered and not any(still.values()) and not await staff.unknown():
            return []
        if told["quiet"] and not answered:
            for row in await staff.ask(PAUSED):
                await people[row["user_id"]].resume(row["id"])
            await world.leap(STEP)
    return [f"it does not come to rest: {told.get('pending')}, still open: {still}"]


async def _last_words(world: World, users: list[int]) -> None:
    """Everybody asks what they have."""
    since = {user: world.heard[user] for user in users}
    for user in users:
        with contextlib.suppress(Refused, httpx.HTTPError):
            await world.say(user, "/balance")
    await asyncio.gather(*(world.changed(user, since[user], 30) for user in users))
    await world.settle(20)
    await world.look()


async def _evidence(world: World, record: Record, database: str) -> Evidence:
    books = await world.call("GET", "/books")
    lists = [{**row, "panel": panel} for panel in PANELS for row in await world.call("GET", f"/panels/{panel}/orders")]
    known = {(row["panel"], str(row["order"])) for row in books["orders"]}
    if known != {(row["panel"], str(row["order"])) for row in lists}:
        raise RuntimeError("the panels' books contradict themselves")
    figures = await world.call("GET", "/telegram")
    return Evidence(database, record, books["transfers"], lists, figures, world.chats, world.group, BOT)


def _check(seen: Evidence, users: list[int]) -> list[str]:
    for part in (ledger.check, money.check, orders.check, machinery.check):
        part(seen)
    chats.check(seen, users)
    return seen.problems

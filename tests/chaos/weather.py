"""Everything that goes wrong, drawn from the seed: kills, lost databases, faults, leaps of the clock."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

import httpx

from tests.chaos.record import Record
from tests.chaos.world import Refused, World

AIM_WITHIN = 8.0
SECONDS_A_KILL = 8.0
PANELS = ("smmflare", "plugsmm", "smmstone")
WELL_PANEL: dict[str, Any] = {
    "outage": "",
    "latency_ms": 0,
    "refuse": None,
    "swallow_next": 0,
    "busy_links": [],
    "balance": "5000",
}
WELL_CHAIN: dict[str, Any] = {"outage": "", "lag_blocks": 0, "lie": "", "latency_ms": 0}
WELL_PRICES: dict[str, Any] = {"bnb": "640.25", "usdt": "1.0002"}
WELL_SOURCE: dict[str, Any] = {"outage": ""}
WELL_TELEGRAM: dict[str, Any] = {"flood_next": 0, "fail_next": 0, "fail_polls": 0}


@dataclass(frozen=True, slots=True)
class Trouble:
    """At `at` seconds: `path` gets `body`; after `lasts` seconds it gets `cure`."""

    at: float
    what: str
    path: str
    body: dict[str, Any]
    lasts: float = 0.0
    cure: dict[str, Any] | None = None


def plan(random: Random, seconds: float) -> list[Trouble]:
    """What happens in a run, in order."""
    lies = random.random() < 0.4  # nodes lie in some runs and fail in others: one that lies while the other is silent
    # is believed below two_nodes_from_usd, and rightly so
    found = [
        *_every(random, seconds, 2.0, 6.0, _panel),
        *_every(random, seconds, 4.0, 9.0, _lie if lies else _chain),
        *_every(random, seconds, 6.0, 14.0, _prices),
        *_every(random, seconds, 2.0, 6.0, _telegram),
        *_every(random, seconds, 2.0, 5.0, _clock),
        *_every(random, seconds, 5.0, 10.0, _stray),
    ]
    return sorted(found, key=lambda one: one.at)


def _every(random: Random, seconds: float, least: float, most: float, make: Any) -> list[Trouble]:
    found, at = [], random.uniform(1.0, least + 1.0)
    while at < seconds:
        found.append(make(random, at))
        at += random.uniform(least, most)
    return found


def _panel(random: Random, at: float) -> Trouble:
    name = random.choices(PANELS, [70, 20, 10])[0]
    fault: dict[str, Any] = random.choice(
        [
            {"swallow_next": random.randint(1, 3)},
            {"swallow_next": random.randint(1, 3)},
            {"swallow_next": "hang"},
            {"latency_ms": random.randint(100, 2500)},
            {"outage": random.choice(["503", "drop", "html", "bad_json", "429"])},
            {"refuse": random.choice(["Incorrect link", "Not enough funds", "Quantity out of range", "whatever"])},
            {"busy_links": True},
            {"balance": "0"},
        ]
    )
    cure = {field: WELL_PANEL[field] for field in fault}
    return Trouble(at, f"panel {name}", f"/panels/{name}", fault, random.uniform(1, 6), cure)


def _chain(random: Random, at: float) -> Trouble:
    fault: dict[str, Any] = random.choice(
        [
            {"outage": random.choice(["503", "drop", "bad_json", "rate_limit", "archive"])},
            {"lag_blocks": random.randint(1, 30)},
            {"latency_ms": random.randint(50, 1500)},
        ]
    )
    cure = {field: WELL_CHAIN[field] for field in fault}
    where = random.choice([{"node": 0}, {"node": 1}, {}])
    return Trouble(at, "chain", "/chains/bsc", {**where, **fault}, random.uniform(1, 6), {**where, **cure})


def _lie(random: Random, at: float) -> Trouble:
    node, lie = random.choice([0, 1]), random.choice(["missing", "early", "inflated"])
    return Trouble(
        at, "chain", "/chains/bsc", {"node": node, "lie": lie}, random.uniform(1, 6), {"node": node, "lie": ""}
    )


def _prices(random: Random, at: float) -> Trouble:
    if random.random() < 0.5:
        moved = Decimal("640.25") * random.randint(94, 106) / 100
        return Trouble(at, "prices", "/prices", {"bnb": f"{moved:f}"})
    fault: dict[str, Any] = random.choice(
        [
            {"second_source": {"bnb": "100"}},
            {"outage": "503"},
            {"first_source": {"outage": random.choice(["429", "empty", "null"])}},
        ]
    )
    cure = {"bnb": "640.25", "outage": "", "first_source": WELL_SOURCE, "second_source": WELL_SOURCE}
    return Trouble(at, "prices", "/prices", fault, random.uniform(1, 5), cure)


def _telegram(random: Random, at: float) -> Trouble:
    if random.random() < 0.35:
        flood = {"count": random.randint(1, 6), "seconds": random.randint(1, 2)}
        return Trouble(at, "telegram", "/telegram", {"flood_next": flood})
    how = random.choice(["error", "drop", "lose_answer", "lose_answer", "bad_json"])
    return Trouble(at, "telegram", "/telegram", {"fail_next": {"count": random.randint(1, 12), "how": how}})


def _clock(random: Random, at: float) -> Trouble:
    return Trouble(at, "clock", "/clock", {"advance_seconds": random.choice([5, 10, 20, 30, 60, 60, 120])})


def _stray(random: Random, at: float) -> Trouble:
    """Money from nowhere; and staff at a panel who end an order by hand."""
    if random.random() < 0.5:
        return Trouble(at, "stray", f"{random.randint(300, 440) / 100:.2f}", {})
    status = random.choice(["Partial", "Canceled", "Refunded", "Completed"])
    return Trouble(at, "by hand", random.choice(PANELS), {"status": status, "which": random.random()})


class Reaper:
    """Kills the bot, and the database, again and again. The moments are the seed's; they are counted from when the
    bot is up, so that a slow machine gets as much done between two deaths as a fast one."""

    def __init__(self, world: World, record: Record, random: Random) -> None:
        self._world = world
        self._record = record
        self._kills, self._losses = Random(random.getrandbits(64)), Random(random.getrandbits(64))

    async def reap(self, until: float) -> None:
        least = math.ceil((until - time.monotonic()) / SECONDS_A_KILL)
        await asyncio.gather(self._kill_on(until, least), self._lose_on(until))

    async def _kill_on(self, until: float, least: int) -> None:
        """Until then, and on a machine so slow that it saw less than `least` kills, a little longer."""
        aims = False
        while self._record.counts["kills"] < least or time.monotonic() < until:
            await asyncio.sleep(self._kills.uniform(0.4, 5.5))
            if time.monotonic() >= until and self._record.counts["kills"] >= least:
                return
            aims = not aims
            how = "aimed" if aims else self._kills.choices(["plain", "unconfirmed", "twice"], [50, 30, 20])[0]
            if how == "aimed":
                await self._aim()
            elif how == "unconfirmed":
                await self._leave_unconfirmed()
            elif how == "twice":
                await self._try("/bot", kill=True, wait=False)
                await asyncio.sleep(self._kills.uniform(0.1, 2.0))
                self._record.count("kills")
            self._record.count("kills")
            self._record.note("reaper", f"kills the bot ({how})")
            await self._try("/bot", kill=True)

    async def _leave_unconfirmed(self) -> None:
        """Between storing updates and confirming them: Telegram hears no confirmation any more, and gives them again to
        the next life of the bot."""
        self._record.note("reaper", "Telegram hears no confirmations, and then ...")
        await self._try("/telegram", fail_polls=3)
        await asyncio.sleep(self._kills.uniform(0.2, 0.8))

    async def _aim(self) -> None:
        """Between a panel's taking an order and our hearing of it: it answers slowly (and sometimes never), phases fall
        due, it takes one, and a moment later the bot is dead."""
        slow, soon = self._kills.randint(300, 1200), self._kills.uniform(0.0, 0.3)
        ahead, lost = self._kills.randint(600, 1300), self._kills.choice([0, 0, 1, 2])
        self._record.note("reaper", f"panels take {slow} ms, swallow {lost}, the clock leaps {ahead} s, and then ...")
        self._record.count("turns")
        taken = await self._taken()
        for name in PANELS:
            await self._try(f"/panels/{name}", latency_ms=slow, outage="", refuse=None, swallow_next=lost)
        try:
            await self._world.leap(ahead)
        except (Refused, httpx.HTTPError) as trouble:
            self._record.note("reaper", f"could not turn: {trouble}"[:200])
        deadline = time.monotonic() + AIM_WITHIN
        while await self._taken() <= taken and time.monotonic() < deadline:
            await asyncio.sleep(0.03)
        await asyncio.sleep(soon)

    async def _taken(self) -> int:
        return len(await self._world.call("GET", f"/panels/{PANELS[0]}/orders"))

    async def _lose_on(self, until: float) -> None:
        while True:
            await asyncio.sleep(min(self._losses.uniform(5, 14), max(0.0, until - time.monotonic())))
            if time.monotonic() >= until:
                return
            how = self._losses.choice(["kill", "kill", "immediate", "fast"])
            down = self._losses.choice([0.0, 0.0, 0.5, 2.0])
            self._record.count("postgres restarts")
            self._record.note("reaper", f"Postgres: {how}, down for {down} s")
            await self._try("/postgres", how=how, down_seconds=down)

    async def _try(self, path: str, **body: Any) -> None:
        try:
            await self._world.call("POST", path, **body)
        except (Refused, httpx.HTTPError) as trouble:
            self._record.note("reaper", f"could not: {type(trouble).__name__} {trouble}"[:300])


class Weather:
    """Carries a plan out."""

    def __init__(self, world: World, record: Record, troubles: Sequence[Trouble]) -> None:
        self._world = world
        self._record = record
        self._troubles = troubles
        self._started: list[asyncio.Task[None]] = []

    async def blow(self) -> None:
        """Returns when everything that was planned has begun and ended."""
        began = time.monotonic()
        for one in self._troubles:
            await asyncio.sleep(max(0.0, one.at - (time.monotonic() - began)))
            self._started.append(asyncio.ensure_future(self._carry_out(one)))
        await asyncio.gather(*self._started)

    async def _carry_out(self, one: Trouble) -> None:
        self._record.note("weather", f"{one.what} {one.path} {one.body}" + (f" for {one.lasts:.1f} s" * bool(one.cure)))
        self._record.count("turns" if one.what == "clock" else "faults")
        try:
            await self._do(one)
            if one.cure is not None:
                await asyncio.sleep(one.lasts)
                await self._world.call("POST", one.path, **one.cure)
        except (Refused, httpx.HTTPError) as trouble:
            self._record.note("weather", f"could not: {type(trouble).__name__} {trouble}"[:300])

    async def _do(self, one: Trouble) -> None:
        if one.what == "clock":
            await self._world.leap(one.body["advance_seconds"])
        elif one.what == "stray":
            await self._stray(one.path)
        elif one.what == "by hand":
            await self._by_hand(one)
        else:
            if one.what == "prices" and "bnb" in one.body:
                self._record.prices.append(Decimal(one.body["bnb"]))
            await self._world.call("POST", one.path, **one.body)

    async def _stray(self, amount: str) -> None:
        from tests.chaos.record import Sent

        found = await self._world.transfer("USDT", amount)
        self._record.sent.append(Sent(found, 0, "USDT", Decimal(amount), "stray"))
        self._record.count("transfers")
        self._record.note("weather", f"{amount} USDT from nowhere: {found}")

    async def _by_hand(self, one: Trouble) -> None:
        running = [
            order
            for order in await self._world.call("GET", f"/panels/{one.path}/orders")
            if order["status"] in {"Pending", "In progress", "Processing"}
        ]
        if running:
            order = running[int(one.body["which"] * len(running))]
            await self._world.call("POST", f"/panels/{one.path}/orders/{order['order']}", status=one.body["status"])


async def cure_all(world: World) -> None:
    """Nothing is wrong any more."""
    for name in PANELS:
        await world.call("POST", f"/panels/{name}", **WELL_PANEL)
    await world.call("POST", "/chains/bsc", **WELL_CHAIN)
    await world.call("POST", "/prices", **WELL_PRICES, outage="", first_source=WELL_SOURCE, second_source=WELL_SOURCE)
    await world.call("POST", "/telegram", **WELL_TELEGRAM)

"""watcher: node calls of one look at a chain while 5,000 invoices are open on it, against one look while one is.

Payments as bootstrap builds it, on a real Postgres, over the simulated nodes and price sources on loopback HTTP. People
open an invoice each and choose USDT on that network, through the doors. Every request a node is sent is counted where
it arrives. A look is a turn of the clock by the watcher's own interval, and the job; the figure is the mean of several.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import tomllib
from collections.abc import Sequence
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.bench.bot_load import ROOT
from tests.bench.harness import Result, compared
from tests.bench.load import FIRST_USER
from tests.bench.real_bot import database
from tests.support.clock import FakeClock
from tests.support.worlds import seeded, served
from viralcore.core.db import Database
from viralcore.core.http import HttpClients
from viralcore.core.registry import Registry
from viralcore.ledger import module as ledger_module
from viralcore.payments import module
from viralcore.payments.api import Grant, Item
from viralcore.payments.config import PaymentsConfig
from viralcore.sandbox.worlds.bsc import BscWorld
from viralcore.sandbox.worlds.prices import PricesWorld
from viralcore.users import module as users_module
from viralcore.users.config import UsersConfig

OPEN, LOOKS, AT_ONCE = 5_000, 12, 16


class Counted:
    """A world's HTTP server that counts what it is asked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests += scope["type"] == "http"
        await self._app(scope, receive, send)


class Place:
    """A shop with one chain."""

    def __init__(self, clock: FakeClock, world: BscWorld, node: Counted, payments: module.Payments) -> None:
        self._clock = clock
        self._world = world
        self._node = node
        self._payments = payments

    async def open(self, first: int, count: int) -> None:
        """So many people want to pay."""
        places = asyncio.Semaphore(AT_ONCE)

        async def one(user: int) -> None:
            async with places:
                item = Item("credits", "t3", "X Tier 3", {"plan": "t3"})
                price = Decimal("1.50")
                door = self._payments.service
                invoice = await door.open_invoice(
                    key=f"o{user}",
                    user_id=user,
                    item=item,
                    quantity=10,
                    unit_price=price,
                    grants=(Grant("t3", 10, price),),
                )
                await door.choose_method(key=f"c{user}", user_id=user, invoice_id=invoice.id, method="bsc:USDT")

        await asyncio.gather(*(one(user) for user in range(first, first + count)))

    async def look(self) -> int:
        """Node calls of one look."""
        before = self._node.requests
        self._clock.advance(10)
        await self._world.tick(self._clock.now())
        await self._payments.parts.watcher.run()
        return self._node.requests - before

    async def refresh(self) -> None:
        await self._payments.parts.pricing.refresh()


async def looks(folder: Path) -> tuple[list[int], list[int]]:
    """Calls of each look with one open invoice, and with five thousand."""
    clock = FakeClock()
    async with AsyncExitStack() as stack:
        world, prices = BscWorld(clock.now, seeded()), PricesWorld(clock.now, seeded())
        node = Counted(world.app)
        told = {
            **world.environment(await stack.enter_async_context(served(node))),
            **prices.environment(await stack.enter_async_context(served(prices.app))),
        }
        db = Database(stack.enter_context(database(folder)), clock, Registry())
        stack.push_async_callback(db.stop)
        http = HttpClients(clock)
        stack.push_async_callback(http.close)
        await db.start()
        people = users_module.build(db, clock, UsersConfig.model_validate(_table("users.toml")))
        payments = module.build(
            db=db,
            clock=clock,
            ledger=ledger_module.build(db).service,
            users=people.service,
            http=http,
            config=_config(told),
        )
        place = Place(clock, world, node, payments)
        await place.refresh()
        await place.look()  # the cursor begins
        await place.open(FIRST_USER, 1)
        for _ in range(2):  # each node is asked once which chain it is
            await place.look()
        few = [await place.look() for _ in range(LOOKS)]
        await place.open(FIRST_USER + 1, OPEN - 1)
        return few, [await place.look() for _ in range(LOOKS)]


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / "settings" / name).read_text())


def _config(told: dict[str, str]) -> PaymentsConfig:
    table = _table("payments.toml")
    table["networks"]["bsc"] |= {"requests_per_second": 2000}
    return PaymentsConfig.model_validate(
        {
            **table,
            "bsc_rpc_url": told["BSC_RPC_URL"].split(","),
            "bsc_deposit_address": told["BSC_DEPOSIT_ADDRESS"],
            "coingecko_base_url": told["COINGECKO_BASE_URL"],
            "cm_api_key": told["CM_API_KEY"],
            "price_second_base_url": told["PRICE_SECOND_BASE_URL"],
        }
    )


def measure(wanted: Sequence[str]) -> list[Result]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory(prefix="viralcore-bench-") as name:
        few, many = asyncio.run(looks(Path(name)))
    mean = [sum(calls) / len(calls) for calls in (many, few)]
    line = compared(
        "watcher", mean[:1], mean[1:], "calls a look", baseline_name="1 open invoice", goal=1.0, better="lower"
    )
    return [line]

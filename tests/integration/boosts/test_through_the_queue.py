"""The whole of boosts at work: the real queue, the real client, simulated panels on sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

import pytest
from pydantic import SecretStr

from tests.support.boosts import FakePayments, FakeUsers, config
from tests.support.clock import FakeClock
from tests.support.queueing import settled
from tests.support.worlds import seeded, served
from viralcore.boosts.module import BoostsModule, build
from viralcore.core.db import Database
from viralcore.core.http import HttpClients
from viralcore.core.queue import QueueEngine
from viralcore.core.registry import Registry
from viralcore.ledger.api import Entry, house_account, user_account
from viralcore.ledger.service import LedgerService
from viralcore.sandbox.worlds.panels import PanelsWorld

ADA = 42


@dataclass
class Town:
    module: BoostsModule
    world: PanelsWorld
    engine: QueueEngine
    clock: FakeClock
    ledger: LedgerService

    async def turn(self, minutes: float) -> None:
        self.clock.advance(minutes * 60)
        for name in ("boosts.panels", "boosts.dispatch"):
            await next(job for job in self.module.jobs if job.name == name).run()
        await settled(self.engine)
        await next(job for job in self.module.jobs if job.name == "boosts.poll").run()

    def booked(self, panel: str) -> list[tuple[int, int]]:
        return sorted((one.service.id, one.quantity) for one in self.world.panels[panel].book.orders.values())


@pytest.fixture
async def town(database: Database, clock: FakeClock, registry: Registry, engine: QueueEngine) -> AsyncIterator[Town]:
    world = PanelsWorld(clock.now, seeded())
    ledger = LedgerService(database)
    async with served(world.app) as url:
        told = {name.lower(): value for name, value in world.environment(url).items()}
        keys = {name: SecretStr(value) for name, value in told.items() if name.endswith("_key")}
        shipped = config(**{**told, **keys})
        fast = tuple(panel.model_copy(update={"pace_per_second": 500, "read_seconds": 1}) for panel in shipped.panels)
        clients = HttpClients(clock)
        module = build(
            db=database,
            config=shipped.model_copy(update={"panels": fast}),
            clients=clients,
            ledger=ledger,
            users=cast(Any, FakeUsers()),
            payments=cast(Any, FakePayments(ledger)),
            engines_in_use=(),
        )
        registry.add_kinds(*module.effects)
        await engine.start()
        await engine.ready()
        async with database.transaction() as tx:
            entries = (
                Entry(user_account(ADA, "credits", "t3"), 20, unit_cost=Decimal("1.50")),
                Entry(house_account("grants", "t3"), -20),
            )
            await ledger.post(tx, key="test.grant", kind="purchase", entries=entries, description="test")
        yield Town(module, world, engine, clock, ledger)
        await engine.stop(timeout=5)
        await clients.close()


async def submit(town: Town, *numbers: int) -> list[int]:
    text = " ".join(f"https://x.com/shop/status/{number}" for number in numbers)
    draft = await town.module.service.draft(key=f"u{text}", user_id=ADA, text=text)
    orders = await town.module.service.confirm(key="k", user_id=ADA, draft_id=draft.id)
    return [order.id for order in orders]


async def test_a_mass_order_goes_out_in_two_phases_and_is_delivered(town: Town) -> None:
    ids = await submit(town, *range(1, 11))
    await town.turn(30)
    assert town.booked("smmflare") == [(101, 38)] * 10 + [(102, 3500)] * 10
    await town.turn(30)
    await town.turn(20)
    for order_id in ids:
        seen = await town.module.service.get_order(order_id=order_id)
        assert (seen.state, seen.refunded.minor) == ("completed", 105)
    books = {(one.panel, one.order, one.service, one.link, one.quantity) for one in town.world.books().orders}
    ours = await town.module.service.panel_orders(after=0, limit=500)
    assert {(one.panel, one.panel_order, one.service, one.link, one.quantity) for one in ours} == books
    assert len(books) == 40
    assert await town.ledger.check() == ()


async def test_a_blackout_costs_five_unknowns_at_most_and_the_rest_goes_elsewhere(town: Town) -> None:
    await submit(town, *range(1, 11))
    town.world.panels["smmflare"].outage = "503"
    await town.turn(30)
    unknown = await town.module.service.unknown_phases()
    assert 1 <= len(unknown) <= 5
    assert len(town.booked("plugsmm")) == 20 - len(unknown)
    for _ in range(3):
        await town.turn(2)
    assert len(await town.module.service.unknown_phases()) == len(unknown)  # no order is a trial for the breaker
    town.world.panels["smmflare"].outage = ""
    for one in unknown:
        await town.module.service.resolve_not_placed(key=f"k{one.phase_id}", actor=1000, phase_id=one.phase_id)
    await town.turn(30)
    await town.turn(20)
    orders = await town.module.service.orders(user_id=ADA, limit=20)
    assert {order.state for order in orders} == {"completed"}
    assert await town.ledger.check() == ()


async def test_an_answer_lost_after_accepting_never_becomes_two_orders(town: Town) -> None:
    await submit(town, 1)
    town.world.panels["smmflare"].swallow_next = 1
    await town.turn(30)
    (unknown,) = await town.module.service.unknown_phases()
    (lost,) = (order for order in town.world.panels["smmflare"].book.orders.values() if not order.answered)
    assert (str(lost.service.id), lost.quantity) == (unknown.service, unknown.quantity)
    await town.module.service.resolve_placed(key="k", actor=1000, phase_id=unknown.phase_id, panel_order=str(lost.id))
    await town.turn(30)
    await town.turn(20)
    (order,) = await town.module.service.orders(user_id=ADA)
    assert order.state == "completed"
    assert len(town.booked("smmflare")) == 4

"""Orders of a simulated panel walk with the clock, unless somebody decides them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.worlds import control_client, seeded
from viralcore.sandbox.worlds.catalogue import PANELS
from viralcore.sandbox.worlds.panel_orders import Book, Order
from viralcore.sandbox.worlds.panels import PanelsWorld

LINK = "https://x.com/shop/status/1990000000000000001"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> PanelsWorld:
    return PanelsWorld(clock.now, seeded())


def place(book: Book, clock: FakeClock, quantity: int = 3500) -> Order:
    order = book.place(book.panel.services[1], LINK, quantity, clock.now(), answered=True)
    assert order is not None
    return order


async def decide(world: PanelsWorld, order: object, **body: Any) -> tuple[int, Any]:
    async with control_client(world) as http:
        answer = await http.post(f"/sandbox/panels/smmflare/orders/{order}", json=body)
    return answer.status_code, answer.json()


def test_an_order_walks_to_completed_in_fifteen_minutes(world: PanelsWorld, clock: FakeClock) -> None:
    book = world.panels["smmflare"].book
    order = place(book, clock)
    seen = []
    for _ in range(17):
        book.look(order, clock.now())
        seen.append((order.status, order.remains))
        clock.advance(60)
    assert seen[0] == ("Pending", 3500)
    assert {status for status, _ in seen[1:15]} == {"In progress"}
    assert seen[15:] == [("Completed", 0)] * 2
    remains = [left for _, left in seen]
    assert remains == sorted(remains, reverse=True)
    assert min(remains[:15]) > 0


def test_the_next_step_is_known(world: PanelsWorld, clock: FakeClock) -> None:
    assert world.next_due(clock.now()) is None
    start = clock.now()
    place(world.panels["plugsmm"].book, clock)
    assert world.next_due(clock.now()) == start + timedelta(minutes=1)
    clock.advance(61)
    assert world.next_due(clock.now()) == start + timedelta(minutes=15)
    clock.advance(900)
    assert world.next_due(clock.now()) is None


async def test_a_decided_order_stays_decided_and_money_follows(world: PanelsWorld, clock: FakeClock) -> None:
    book = world.panels["smmflare"].book
    whole = book.balance
    order = place(book, clock)
    price = order.charge
    assert price == Decimal("0.04200")
    status, told = await decide(world, order.id, status="partial", remains=875, start_count=12)
    assert status == 200
    assert (told["status"], told["remains"], told["start_count"]) == ("Partial", 875, 12)
    assert told["charge"] == "0.03150"
    assert book.balance == whole - Decimal("0.03150")
    clock.advance(3600)
    assert book.look(order, clock.now()).status == "Partial"
    await decide(world, order.id, status="Cancelled")
    assert (order.status, order.charge, book.balance) == ("Canceled", Decimal("0.00000"), whole)
    await decide(world, order.id, status="Completed")
    assert (order.remains, book.balance) == (0, whole - price)
    assert world.next_due(clock.now()) is None


async def test_nonsense_is_refused_in_words(world: PanelsWorld, clock: FakeClock) -> None:
    order = place(world.panels["smmflare"].book, clock)
    for body in ({}, {"status": "Nearly"}, {"status": "Partial", "remains": 3501}, {"status": "Partial", "x": 1}):
        status, told = await decide(world, order.id, **body)
        assert status == 400, body
        assert told["error"]
    assert (await decide(world, 1, status="Completed"))[0] == 404
    async with control_client(world) as http:
        assert (await http.get("/sandbox/panels/nopanel/orders")).status_code == 404
        assert (await http.post("/sandbox/panels/nopanel", json={})).status_code == 404
        for body in ({"balance": "much"}, {"latency_ms": -1}, {"busy_links": "all"}, {"swallow_next": "x"}, {"a": 1}):
            assert (await http.post("/sandbox/panels/smmflare", json=body)).status_code == 400, body


async def test_the_list_is_oldest_first_and_the_books_agree(world: PanelsWorld, clock: FakeClock) -> None:
    book = world.panels["plugsmm"].book
    place(book, clock)
    clock.advance(5)
    place(book, clock, 200)
    async with control_client(world) as http:
        rows = (await http.get("/sandbox/panels/plugsmm/orders")).json()
    assert [row["quantity"] for row in rows] == [3500, 200]
    assert set(rows[0]) == {
        "order",
        "service",
        "link",
        "quantity",
        "status",
        "start_count",
        "remains",
        "charge",
    }
    found = [(row.panel, row.order, row.service, row.quantity) for row in world.books().orders]
    assert found == [("plugsmm", str(row["order"]), "2102", row["quantity"]) for row in rows]
    newest = world.snapshot()["panels"]["plugsmm"]["orders"]
    assert [row["quantity"] for row in newest] == [200, 3500]


def test_the_panels_are_the_three_we_speak_to() -> None:
    assert [panel.name for panel in PANELS] == ["smmflare", "plugsmm", "smmstone"]
    for panel in PANELS:
        rates = [service.rate for service in panel.services]
        assert all(rate > 0 for rate in rates)
        assert len({service.id for service in panel.services}) == len(panel.services)

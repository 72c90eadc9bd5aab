"""The simulated panels answer in recorded shapes, each in its dialect, and lose answers when told to."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.clock import FakeClock
from tests.support.worlds import client, control_client, seeded, served, shape
from viralcore.sandbox.worlds.panels import PanelsWorld

RECORDED = Path(__file__).parents[1] / "fixtures" / "smm"
LINK = "https://x.com/shop/status/1990000000000000001"
LIKES = {"smmflare": "101", "plugsmm": "2101", "smmstone": "3301"}


def recorded(name: str) -> Any:
    return json.loads((RECORDED / name).read_text())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> PanelsWorld:
    return PanelsWorld(clock.now, seeded())


async def call(world: PanelsWorld, panel: str, action: str, **fields: str) -> Any:
    form = {"key": world.panels[panel].panel.key, "action": action} | fields
    async with client(world.app) as http:
        answer = await http.post(f"/{panel}/api/v2", data=form)
    assert answer.status_code == 200
    return answer.json()


async def add(world: PanelsWorld, panel: str, **fields: str) -> Any:
    return await call(world, panel, "add", **({"service": LIKES[panel], "link": LINK, "quantity": "38"} | fields))


async def change(world: PanelsWorld, panel: str, **fields: Any) -> httpx.Response:
    async with control_client(world) as http:
        return await http.post(f"/sandbox/panels/{panel}", json=fields)


async def listed(world: PanelsWorld, panel: str) -> Any:
    async with control_client(world) as http:
        return (await http.get(f"/sandbox/panels/{panel}/orders")).json()


async def test_services_have_the_recorded_shapes(world: PanelsWorld) -> None:
    full = await call(world, "smmflare", "services")
    assert shape(full) == shape(recorded("services_200.json"))
    lean = await call(world, "plugsmm", "services")
    wanted = recorded("services_item_string_ids_200.json")
    assert shape(lean) == shape(wanted)
    for panel, first in LIKES.items():
        rows = await call(world, panel, "services")
        assert [str(row["service"]) for row in rows[:4]] == [str(int(first) + step) for step in range(4)]
        assert [(row["min"], row["max"]) for row in rows[:2]] == [("10", "50000"), ("100", "1000000")]


async def test_orders_have_the_recorded_shapes(world: PanelsWorld) -> None:
    one = await add(world, "smmflare")
    assert shape(one) == shape(recorded("add_200.json"))
    assert shape(await add(world, "smmstone")) == shape(recorded("add_200_smartpanel_variant.json"))
    assert isinstance((await add(world, "plugsmm"))["order"], str)
    status = await call(world, "smmflare", "status", order=str(one["order"]))
    assert shape(status) == shape(recorded("status_200.json"))
    many = await call(world, "smmflare", "status", orders=f"{one['order']},10")
    assert many == {str(one["order"]): status, "10": {"error": "Incorrect order ID"}}
    assert shape(await call(world, "smmflare", "balance")) == shape(recorded("balance_200.json"))


@pytest.mark.parametrize(
    ("panel", "fields", "name"),
    [
        ("smmflare", {"key": "wrong"}, "error_invalid_api_key.json"),
        ("smmflare", {"action": "orders"}, "error_incorrect_request.json"),
        ("smmflare", {"service": "9"}, "error_incorrect_service_id_code.json"),
        ("smmflare", {"link": "x.com/a"}, "error_link_code.json"),
        ("smmflare", {"quantity": "9"}, "error_min_quantity_code.json"),
        ("smmflare", {"quantity": "50001"}, "error_max_quantity_code.json"),
        ("plugsmm", {"service": "9"}, "error_incorrect_service_id_text.json"),
        ("plugsmm", {"link": ""}, "error_link_text.json"),
        ("plugsmm", {"service": "2105", "quantity": "49"}, "error_min_quantity_text.json"),
        ("smmstone", {"action": "orders"}, "error_smartpanel_action.json"),
        ("smmstone", {"service": "9"}, "error_smartpanel_service.json"),
        ("smmstone", {"quantity": "50001"}, "error_smartpanel_max.json"),
        ("smmstone", {"action": "status"}, "error_smartpanel_order_required.json"),
    ],
)
async def test_errors_are_told_in_the_dialect(
    world: PanelsWorld, panel: str, fields: dict[str, str], name: str
) -> None:
    form = {"key": world.panels[panel].panel.key, "action": "add", "service": LIKES[panel], "link": LINK}
    async with client(world.app) as http:
        answer = await http.post(f"/{panel}/api/v2", data=form | {"quantity": "38"} | fields)
    assert (answer.status_code, answer.json()) == (200, recorded(name))
    assert await listed(world, panel) == []


async def test_an_empty_balance_and_busy_links(world: PanelsWorld) -> None:
    await change(world, "smmflare", balance="0.01")
    await change(world, "plugsmm", balance="0.01")
    assert await add(world, "smmflare") == recorded("error_not_enough_funds_code.json")
    assert await add(world, "plugsmm") == recorded("error_not_enough_funds_text.json")
    await change(world, "plugsmm", balance="10", busy_links=[LINK])
    assert await add(world, "plugsmm") == recorded("error_active_order_text.json")
    assert "order" in await add(world, "plugsmm", link=LINK + "9")
    await change(world, "smmflare", balance="10", busy_when_active=True)
    assert "order" in await add(world, "smmflare")
    assert await add(world, "smmflare") == {"error": "neworder.error.link_duplicate"}


async def test_charges_come_from_the_rate_and_leave_the_balance(world: PanelsWorld) -> None:
    await add(world, "smmflare", quantity="75")
    (order,) = await listed(world, "smmflare")
    assert order["charge"] == "0.06750"
    balance = await call(world, "smmflare", "balance")
    assert Decimal(balance["balance"]) == Decimal("250") - Decimal(order["charge"])


async def test_refusals_use_the_words_asked_for(world: PanelsWorld) -> None:
    await change(world, "plugsmm", refuse="Service is {temporarily} closed")
    assert await add(world, "plugsmm") == {"error": "Service is {temporarily} closed"}
    await change(world, "plugsmm", refuse="minimum")
    assert await add(world, "plugsmm") == {"error": "Quantity less than minimal 10"}
    await change(world, "plugsmm", refuse=None)
    assert "order" in await add(world, "plugsmm")


async def test_refill_and_cancel(world: PanelsWorld, clock: FakeClock) -> None:
    first = str((await add(world, "smmflare"))["order"])
    second = str((await add(world, "smmflare", link=LINK + "2"))["order"])
    clock.advance(300)
    assert shape(await call(world, "smmflare", "cancel", orders=f"9,{second}")) == shape(recorded("cancel_200.json"))
    half = await call(world, "smmflare", "status", order=second)
    assert half["status"] == "Partial"
    assert 0 < int(half["remains"]) < 38
    clock.advance(900)
    assert await call(world, "smmflare", "refill", order=first) == recorded("error_refill_too_soon.json")
    clock.advance(90_000)
    assert await call(world, "smmflare", "refill", order=first) == recorded("refill_200.json")
    many = await call(world, "smmflare", "refill", orders=f"{first},3")
    assert many[1] == recorded("refill_multi_200.json")[2]
    clock.advance(1_200)
    assert await call(world, "smmflare", "refill_status", refill="1") == recorded("refill_status_200.json")
    told = await call(world, "smmflare", "refill_status", refills="1,3")
    assert told == [recorded("refill_status_multi_200.json")[index] for index in (0, 2)]
    views = str((await add(world, "smmflare", service="102", quantity="100"))["order"])
    assert await call(world, "smmflare", "refill", order=views) == recorded("error_refill_disabled.json")


@pytest.mark.parametrize("how", [True, "hang"])
async def test_a_swallowed_answer_leaves_a_booked_order(world: PanelsWorld, how: object) -> None:
    await change(world, "smmflare", swallow_next=how)
    form = {"key": "smmflare-sandbox-key", "action": "add", "service": "101", "link": LINK, "quantity": "38"}
    async with served(world.app) as url, httpx.AsyncClient(timeout=30) as http:
        target = world.environment(url)["SMMFLARE_BASE_URL"]
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadTimeout)):
            await http.post(target, data=form, timeout=1)
        assert [order["quantity"] for order in await listed(world, "smmflare")] == [38]
        assert "order" in (await http.post(target, data=form)).json()
    answered = [order.answered for order in world.panels["smmflare"].book.orders.values()]
    assert answered == [False, True]


async def test_an_outage_books_nothing(world: PanelsWorld) -> None:
    async with client(world.app) as http:
        for kind, status in ((True, 503), ("html", 200), ("429", 429)):
            await change(world, "smmflare", outage=kind)
            form = {"key": "smmflare-sandbox-key", "action": "add", "service": "101", "link": LINK, "quantity": "38"}
            assert (await http.post("/smmflare/api/v2", data=form)).status_code == status
    assert await listed(world, "smmflare") == []


async def test_json_bodies_are_not_understood(world: PanelsWorld) -> None:
    async with client(world.app) as http:
        answer = await http.post("/plugsmm/api/v2", json={"key": "plugsmm-sandbox-key", "action": "balance"})
    assert answer.json() == recorded("error_invalid_api_key.json")

"""Lists, refills and cancels: the panel client against recorded answers and against the simulated panels."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from starlette.responses import Response

from tests.contract.boosts.conftest import FIRST, LINK, NAMES, Recorder
from tests.support.clock import FakeClock
from tests.support.worlds import control_client
from viralcore.boosts.adapters.panel import HttpPanel
from viralcore.boosts.domain.panels import Accepted, Declined, Placed, Silent
from viralcore.boosts.ports import Panel, PanelDown
from viralcore.sandbox.worlds.panels import PanelsWorld


def says(recorder: Recorder, body: Any) -> None:
    recorder.answer = Response(json.dumps(body), media_type="application/json")


async def test_the_recorded_lists(panel: HttpPanel, recorder: Recorder) -> None:
    recorder.gives("services_200.json")
    first, second = await panel.services()
    assert (first.service, first.rate, first.minimum, first.maximum) == ("1", Decimal("0.90"), 50, 10_000)
    assert (first.refill, first.cancel, second.refill, second.kind) == (True, True, False, "Custom Comments")
    wrapped = recorder.gives("services_item_string_ids_200.json")
    says(recorder, {"services": wrapped})
    (lean,) = await panel.services()
    assert (lean.service, lean.maximum, lean.refill, lean.cancel) == ("308", 3_000_000, False, True)


@pytest.mark.parametrize(
    "body", [[], {}, {"error": "Invalid API key"}, "no", [{"service": 1}], [{"service": True, "rate": "1"}], None]
)
async def test_a_list_without_anything_usable_is_no_list(
    panel: HttpPanel,
    recorder: Recorder,
    body: Any,
) -> None:
    says(recorder, body)
    with pytest.raises(PanelDown):
        await panel.services()


async def test_the_recorded_refills_and_cancels(panel: HttpPanel, recorder: Recorder) -> None:
    recorder.gives("refill_200.json")
    assert await panel.refill("7") == Accepted("1")
    assert (recorder.asked[-1]["action"], recorder.asked[-1]["order"]) == ("refill", "7")
    both = recorder.gives("cancel_200.json")
    assert await panel.cancel("9") == Silent("unreadable")  # two rows for one order say nothing
    says(recorder, both[:1])
    assert isinstance(await panel.cancel("9"), Declined)
    says(recorder, both[1:])
    assert await panel.cancel("2") == Accepted("1")
    for name in ("error_refill_disabled.json", "error_refill_days_over.json", "error_refill_too_soon.json"):
        told = recorder.gives(name)
        refused = await panel.refill("7")
        assert isinstance(refused, Declined)
        assert refused.text == told["error"]
    recorder.gives("refill_status_multi_200.json")
    assert await panel.refills(["1", "2", "3", "4"]) == {"1": "done", "2": "rejected", "3": "strange"}
    recorder.gives("refill_status_200.json")
    assert await panel.refills(["1"]) == {"1": "done"}


@pytest.mark.parametrize("name", NAMES)
async def test_every_simulated_panel_lists_refills_and_cancels(
    panels: dict[str, Panel],
    world: PanelsWorld,
    clock: FakeClock,
    name: str,
) -> None:
    one, server, likes = panels[name], world.panels[name], str(FIRST[name])
    listed = {offer.service: offer for offer in await one.services()}
    assert len(listed) == len(server.book.shelf)
    assert listed[likes].minimum == 10
    placed = [await one.add(service=likes, link=f"{LINK}{n}", quantity=38) for n in range(2)]
    assert all(isinstance(each, Placed) for each in placed)
    first, second = (each.order for each in placed if isinstance(each, Placed))
    clock.advance(300)
    assert isinstance(await one.cancel(second), Accepted)
    assert isinstance(await one.cancel(second), Declined)
    assert (await one.statuses([second]))[second].word in {"partial", "canceled"}
    assert isinstance(await one.refill(first), Declined)
    clock.advance(timedelta(hours=25).total_seconds())
    accepted = await one.refill(first)
    assert isinstance(accepted, Accepted)
    assert await one.refills([accepted.ticket, "999"]) == {accepted.ticket: "running", "999": "strange"}
    clock.advance(700)
    server.book.refills_end = "Rejected"
    assert await one.refills([accepted.ticket]) == {accepted.ticket: "rejected"}


async def test_orders_of_a_simulated_panel_end_as_they_are_told_to(
    panels: dict[str, Panel],
    world: PanelsWorld,
    clock: FakeClock,
) -> None:
    one, server = panels["smmflare"], world.panels["smmflare"]
    async with control_client(world) as http:
        told = await http.post("/sandbox/panels/smmflare", json={"ends": "partial", "missing_keys": True})
        assert told.json()["ends"] == "Partial"
        nonsense = await http.post("/sandbox/panels/smmflare", json={"ends": "never"})
        assert nonsense.status_code == 400
        before = server.book.balance
        placed = await one.add(service="101", link=LINK, quantity=40)
        assert isinstance(placed, Placed)
        clock.advance(300)
        assert (await one.statuses([placed.order]))[placed.order].word == "running"
        clock.advance(600)
        reading = (await one.statuses([placed.order]))[placed.order]
        assert (reading.word, reading.remains, reading.charge, reading.currency) == ("partial", 20, None, "")
        assert before - server.book.balance == Decimal("0.018")  # half of it is given back
        assert (await one.balance()).currency == ""
        await http.post("/sandbox/panels/smmflare", json={"rates": {"101": "1.20"}, "hide": ["102"]})
        listed = {offer.service: offer.rate for offer in await one.services()}
        assert (listed["101"], "102" in listed) == (Decimal("1.20"), False)
        assert (await http.post("/sandbox/panels/smmflare", json={"hide": ["1"]})).status_code == 400
        await http.post("/sandbox/panels/smmflare", json={"hide": []})
        assert "102" in {offer.service for offer in await one.services()}
        # a later correction: what had completed is partial after all
        await http.post("/sandbox/panels/smmflare", json={"ends": "completed"})
        whole = await one.add(service="101", link=f"{LINK}9", quantity=40)
        assert isinstance(whole, Placed)
        clock.advance(1000)
        assert (await one.statuses([whole.order]))[whole.order].word == "completed"
        await http.post(f"/sandbox/panels/smmflare/orders/{whole.order}", json={"status": "Partial", "remains": 15})
        assert (await one.statuses([whole.order]))[whole.order].remains == 15

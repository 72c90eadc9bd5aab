"""The panel client against recorded answers and against the simulated panels, over real sockets."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from starlette.responses import Response

from tests.contract.boosts.conftest import FIRST, LINK, NAMES, RECORDED, Recorder, quick
from tests.support.boosts import config
from tests.support.clock import FakeClock
from tests.support.worlds import served
from viralcore.boosts.adapters.panel import HttpPanel
from viralcore.boosts.domain.panels import Declined, Placed, Silent
from viralcore.boosts.module import http_panels
from viralcore.boosts.ports import Panel, PanelDown
from viralcore.core.http import HttpClients
from viralcore.sandbox.worlds.panels import PanelsWorld


@pytest.mark.parametrize("name", ["add_200.json", "add_200_smartpanel_variant.json"])
async def test_a_recorded_order_is_placed_with_form_fields(panel: HttpPanel, recorder: Recorder, name: str) -> None:
    recorder.gives(name)
    assert await panel.add(service="101", link=LINK, quantity=38) == Placed("23501")
    (asked,) = recorder.asked
    assert (asked["key"], asked["action"], asked["service"], asked["quantity"]) == ("k", "add", "101", "38")
    assert recorder.content_types == ["application/x-www-form-urlencoded"]


@pytest.mark.parametrize("path", sorted(RECORDED.glob("error_*.json")), ids=lambda path: path.stem)
async def test_every_recorded_error_is_a_refusal_that_places_nothing(
    panel: HttpPanel, recorder: Recorder, path: Path
) -> None:
    body = recorder.gives(path.name)
    answer = await panel.add(service="101", link=LINK, quantity=38)
    assert isinstance(answer, Declined)
    assert answer.text == body["error"]
    assert len(recorder.asked) == 1


async def test_the_recorded_statuses(panel: HttpPanel, recorder: Recorder) -> None:
    recorder.gives("status_multi_200.json")
    read = await panel.statuses(["1", "10", "100", "7"])
    assert {order: reading.word for order, reading in read.items()} == {
        "1": "partial",
        "10": "strange",
        "100": "running",
    }
    assert recorder.asked[0]["orders"] == "1%2C10%2C100%2C7"
    recorder.gives("status_completed_200_live.json")
    assert (await panel.statuses(["1"]))["1"].word == "completed"
    assert recorder.asked[1]["order"] == "1"


async def test_a_refused_multi_status_falls_back_to_single_ones(panel: HttpPanel, recorder: Recorder) -> None:
    recorder.gives("error_incorrect_request.json")
    read = await panel.statuses(["1", "2"])
    assert [reading.word for reading in read.values()] == ["strange", "strange"]
    assert [asked.get("orders", asked.get("order")) for asked in recorder.asked] == ["1%2C2", "1", "2"]


async def test_the_recorded_balance(panel: HttpPanel, recorder: Recorder) -> None:
    recorder.gives("balance_200.json")
    assert (await panel.balance()).amount == Decimal("100.84292")
    recorder.gives("error_invalid_api_key.json")
    with pytest.raises(PanelDown):
        await panel.balance()


@pytest.mark.parametrize(
    ("status", "text", "outcome"),
    [
        (200, "<html>maintenance</html>", Silent),
        (200, '{"order": ', Silent),
        (200, "", Silent),
        (503, "<html>503</html>", Silent),
        (500, '{"error": "Bad link"}', Silent),
        (403, "<html>who are you</html>", Declined),
        (401, '{"error": "Invalid API key"}', Declined),
        (201, '{"order": 5}', Placed),
        (429, "slow down", Declined),
        (301, "", Declined),
    ],
)
async def test_other_answers(panel: HttpPanel, recorder: Recorder, status: int, text: str, outcome: type) -> None:
    recorder.answer = Response(text, status_code=status)
    assert isinstance(await panel.add(service="101", link=LINK, quantity=38), outcome)
    assert len(recorder.asked) == 1


@pytest.mark.parametrize("name", NAMES)
async def test_an_order_at_every_simulated_panel_from_placing_to_completion(
    panels: dict[str, Panel], clock: FakeClock, name: str
) -> None:
    panel = panels[name]
    async with panel.slot():
        placed = await panel.add(service=str(FIRST[name]), link=LINK, quantity=38)
    assert isinstance(placed, Placed)
    other = await panel.add(service=str(FIRST[name] + 1), link=LINK, quantity=3500)
    assert isinstance(other, Placed)
    words = []
    for minutes in (0, 5, 15):
        clock.advance(minutes * 60)
        read = await panel.statuses([placed.order, other.order])
        words.append(read[placed.order].word)
        assert read.keys() == {placed.order, other.order}
    assert words == ["pending", "running", "completed"]
    assert (await panel.balance()).currency == "USD"


@pytest.mark.parametrize("name", NAMES)
async def test_every_dialect_is_understood(panels: dict[str, Panel], world: PanelsWorld, name: str) -> None:
    panel, server = panels[name], world.panels[name]

    async def why(service: int = FIRST[name], link: str = LINK, quantity: int = 38) -> str:
        answer = await panel.add(service=str(service), link=link, quantity=quantity)
        assert isinstance(answer, Declined), answer
        return answer.why

    assert await why(quantity=9) == "quantity"
    assert await why(quantity=50_001) == "quantity"
    assert await why(service=9) == "service"
    assert await why(link="nonsense") == "link"
    server.busy_links = (LINK,)
    assert await why() == "busy"
    server.busy_links = ()
    server.book.balance = Decimal(0)
    assert await why() == "funds"
    server.refuse = "Something new"
    assert await why() == "other"
    assert server.book.orders == {}


async def test_a_wrong_key_is_our_configuration(world: PanelsWorld, clock: FakeClock) -> None:
    async with served(world.app) as url:
        told = {name.lower(): value for name, value in world.environment(url).items() if name.endswith("_URL")}
        clients = HttpClients(clock)
        for panel in http_panels(quick(config(**told)), clients):
            assert (await panel.add(service="101", link=LINK, quantity=38)).why == "config"  # type: ignore[union-attr]
        await clients.close()


@pytest.mark.parametrize("how", [1, -1])
async def test_an_answer_lost_after_the_order_was_placed_is_silence_and_sent_once(
    panels: dict[str, Panel], world: PanelsWorld, how: int
) -> None:
    world.panels["smmflare"].swallow_next = how
    answer = await panels["smmflare"].add(service="101", link=LINK, quantity=38)
    assert isinstance(answer, Silent)
    assert len(world.panels["smmflare"].book.orders) == 1


@pytest.mark.parametrize("kind", ["503", "html", "drop", "bad_json"])
async def test_five_silences_open_the_breaker_and_a_balance_closes_it(
    panels: dict[str, Panel], world: PanelsWorld, clock: FakeClock, kind: str
) -> None:
    panel, server = panels["smmflare"], world.panels["smmflare"]
    server.outage = kind
    for _ in range(5):
        assert isinstance(await panel.add(service="101", link=LINK, quantity=38), Silent)
    assert panel.breaker == "opened"
    async with panel.slot():
        assert await panel.add(service="101", link=LINK, quantity=38) == Declined("outage", "breaker_open")
    clock.advance(61)
    assert panel.breaker == "half-opened"
    assert await panel.add(service="101", link=LINK, quantity=38) == Declined("outage", "breaker_open")
    with pytest.raises(PanelDown):
        await panel.balance()
    assert panel.breaker == "opened"
    clock.advance(61)
    server.outage = ""
    await panel.balance()
    assert panel.breaker == "closed"
    assert isinstance(await panel.add(service="101", link=LINK, quantity=38), Placed)


async def test_a_refused_connection_proves_that_nothing_was_sent(clock: FakeClock) -> None:
    clients = HttpClients(clock)
    told = quick(config(smmflare_base_url="http://127.0.0.1:9/api/v2"))
    panel = next(one for one in http_panels(told, clients) if one.name == "smmflare")
    answer = await panel.add(service="101", link=LINK, quantity=38)
    assert isinstance(answer, Declined)
    assert answer.why == "outage"
    await clients.close()


async def test_the_key_is_never_in_what_is_kept_of_a_failure(panels: dict[str, Panel], world: PanelsWorld) -> None:
    world.panels["smmflare"].outage = "503"
    answer = await panels["smmflare"].add(service="101", link=LINK, quantity=38)
    assert isinstance(answer, Silent)
    assert "sandbox-key" not in answer.reason
    assert "sandbox-key" not in repr(panels["smmflare"])


async def test_panels_without_a_key_are_not_used(clock: FakeClock) -> None:
    clients = HttpClients(clock)
    assert [panel.name for panel in http_panels(config(smmflare_api_key=None), clients)] == ["plugsmm", "smmstone"]
    await clients.close()

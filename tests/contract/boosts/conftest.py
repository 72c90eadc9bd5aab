"""Panel clients against recorded answers and against the simulated panels, over real sockets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.support.boosts import config
from tests.support.clock import FakeClock
from tests.support.worlds import seeded, served
from viralcore.boosts.adapters.panel import HttpPanel
from viralcore.boosts.config import BoostsConfig
from viralcore.boosts.module import http_panels
from viralcore.boosts.ports import Panel
from viralcore.core.http import HttpClients
from viralcore.sandbox.worlds.panels import PanelsWorld

RECORDED = Path(__file__).parents[2] / "fixtures" / "smm"
LINK = "https://x.com/shop/status/1990000000000000001"
NAMES = ("smmflare", "plugsmm", "smmstone")
FIRST = {"smmflare": 101, "plugsmm": 2101, "smmstone": 3301}


@pytest.fixture
def world(clock: FakeClock) -> PanelsWorld:
    return PanelsWorld(clock.now, seeded())


def quick(told: BoostsConfig) -> BoostsConfig:
    """Without the pace of production, and less patient."""
    panels = tuple(
        panel.model_copy(update={"pace_per_second": 1000, "connect_seconds": 1, "read_seconds": 1})
        for panel in told.panels
    )
    return told.model_copy(update={"panels": panels})


@pytest.fixture
async def panels(world: PanelsWorld, clock: FakeClock) -> AsyncIterator[dict[str, Panel]]:
    """The shop's own clients, as the module builds them, pointed at the simulated panels."""
    async with served(world.app) as url:
        told = {name.lower(): value for name, value in world.environment(url).items()}
        keys = {name: SecretStr(value) for name, value in told.items() if name.endswith("_key")}
        clients = HttpClients(clock)
        yield {panel.name: panel for panel in http_panels(quick(config(**{**told, **keys})), clients)}
        await clients.close()


class Recorder:
    """A panel that gives one recorded answer to everything and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer = Response("{}", media_type="application/json")
        self.asked: list[dict[str, str]] = []
        self.content_types: list[str] = []

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/api/v2", self._api, methods=["POST"])])

    async def _api(self, request: Request) -> Response:
        self.content_types.append(request.headers["content-type"])
        form = (await request.body()).decode()
        self.asked.append(dict(pair.split("=", 1) for pair in form.split("&")))
        return self.answer

    def gives(self, name: str) -> Any:
        text = (RECORDED / name).read_text()
        self.answer = Response(text, media_type="application/json")
        return json.loads(text)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
async def panel(recorder: Recorder, clock: FakeClock) -> AsyncIterator[HttpPanel]:
    told = config()
    async with served(recorder.app) as url:
        clients = HttpClients(clock)
        client = clients.provider("smmflare", f"{url}/api/v2", connect_timeout=1, read_timeout=1)
        yield HttpPanel(
            "smmflare", client, key=SecretStr("k"), dialect=told.dialects["perfectpanel"], statuses=told.statuses
        )
        await clients.close()

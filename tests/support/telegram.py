"""The simulated Telegram in this process, without a port: for tests of its strictness."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support.clock import FakeClock
from viralcore.core.nursery import Nursery
from viralcore.sandbox.telegram.app import TelegramApp
from viralcore.sandbox.telegram.inbound import Inbound
from viralcore.sandbox.telegram.model import Group, Person
from viralcore.sandbox.telegram.state import Telegram

FIXTURES = Path(__file__).parents[1] / "fixtures" / "telegram"
ADA, BOLA, CREW, TEAM = 2001, 2002, -1_001_000_000_055, -55


class Machine:
    """Machine time that a test turns."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Line:
    """A client of one simulated Telegram, with people in it: Ada has started the bot, Bola has not."""

    telegram: Telegram
    inbound: Inbound
    http: httpx.AsyncClient
    machine: Machine
    clock: FakeClock

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A call with a JSON body; the whole answer."""
        answer = await self.http.post(f"/bot{self.telegram.bot.token}/{method}", json=parameters)
        body: dict[str, Any] = answer.json()
        assert answer.status_code == body.get("error_code", 200)
        return body

    async def ok(self, method: str, **parameters: Any) -> Any:
        """The result of a call that must succeed."""
        body = await self.call(method, **parameters)
        assert body["ok"], body
        return body["result"]

    async def refused(self, method: str, **parameters: Any) -> str:
        """The description of a call that must be refused."""
        body = await self.call(method, **parameters)
        assert not body["ok"], body
        return str(body["description"])

    def calm(self) -> None:
        """Let the flood limits forget."""
        self.machine.seconds += 100


def fixture(name: str) -> Any:
    """A recorded or composed answer of the real Telegram."""
    return json.loads((FIXTURES / f"{name}.json").read_text())


def open_line() -> Line:
    clock, machine = FakeClock(), Machine()
    telegram = Telegram(now=clock.now, nursery=Nursery(), machine=machine)
    inbound = Inbound(telegram)
    inbound.upsert_person(Person(ADA, "Ada", "ada_l"))
    inbound.upsert_person(Person(BOLA, "Bola"))
    inbound.add_group(Group(CREW, "Crew", {ADA, BOLA}))
    inbound.write(ADA, ADA, text="/start")
    telegram.updates.drop()
    transport = httpx.ASGITransport(TelegramApp(telegram).app)
    http = httpx.AsyncClient(transport=transport, base_url="http://telegram")
    return Line(telegram, inbound, http, machine, clock)

"""The simulated bank's webhooks: recorded shapes, honest proofs over the bytes that were sent, and every way astray."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.support.clock import FakeClock
from tests.support.worlds import client, control_client, seeded, served, shape
from viralcore.core.nursery import Nursery
from viralcore.sandbox.servers import free_port
from viralcore.sandbox.worlds.flutterwave import WEBHOOK_PATH, FlutterwaveWorld
from viralcore.sandbox.worlds.flutterwave_hooks import RETRIES, SOON_RETRIES

RECORDED = Path(__file__).parents[1] / "fixtures" / "flutterwave"
WITHIN = 5.0


def recorded(name: str) -> Any:
    return json.loads((RECORDED / name).read_text())


@dataclass
class Bot:
    """Takes webhooks as the real bot would, or not."""

    port: int
    status: int = 200
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route(WEBHOOK_PATH, self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        self.taken.append((dict(request.headers), await request.body()))
        return Response(status_code=self.status)

    def told(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.taken]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def bot() -> Bot:
    return Bot(free_port())


@pytest.fixture
async def world(clock: FakeClock, bot: Bot) -> AsyncIterator[FlutterwaveWorld]:
    nursery = Nursery()
    yield FlutterwaveWorld(clock.now, seeded(), nursery=nursery, bot=f"http://127.0.0.1:{bot.port}")
    assert await nursery.stop(2.0) == ()


async def change(world: FlutterwaveWorld, **faults: Any) -> None:
    async with control_client(world) as http:
        assert (await http.post("/sandbox/bank", json=faults)).status_code == 200


async def account(world: FlutterwaveWorld, tx_ref: str = "vc-1-a") -> str:
    body = {"tx_ref": tx_ref, "amount": 1500, "currency": "NGN", "email": "2001@pay.example.com"}
    async with client(world.app) as http:
        headers = {"authorization": f"Bearer {world.key}"}
        answer = await http.post("/v3/charges?type=bank_transfer", json=body, headers=headers)
    return str(answer.json()["meta"]["authorization"]["transfer_account"])


async def pay(world: FlutterwaveWorld, to: str, amount: str = "1500", **more: Any) -> int:
    async with control_client(world) as http:
        sent = {"account_number": to, "amount": amount} | more
        return int((await http.post("/sandbox/bank/pay", json=sent)).json()["id"])


async def later(world: FlutterwaveWorld, clock: FakeClock, seconds: float) -> None:
    """Turn the clock as the sandbox does."""
    clock.advance(seconds)
    await world.courier.settle(WITHIN)


async def test_bodies_have_the_recorded_shapes(world: FlutterwaveWorld, bot: Bot) -> None:
    async with served(bot.app, bot.port):
        await change(world, envelope="live")
        to = await account(world)
        for _ in range(6):
            await pay(world, to, "100")
        await pay(world, to, "200", status="failed")
        await change(world, envelope="legacy")
        await pay(world, to, "101.50")
        await world.courier.settle(WITHIN)
    *live, failed, legacy = sorted(bot.told(), key=lambda one: int(one.get("data", one)["id"]))
    wanted = recorded("webhook_charge_completed_bank_transfer_live_2024.json")
    extra = [one.pop("meta_data", None) for one in live]
    assert None in extra
    originator = next(one for one in extra if one is not None)
    assert shape(originator) == shape(recorded("transaction_verify_bank_transfer_live_2024.json")["data"]["meta"])
    assert all(shape(one) == shape(wanted) for one in live)
    failed.pop("meta_data", None)
    lost = recorded("webhook_charge_completed_failed_live_2022.json")
    assert {**shape(failed)["data"], "app_fee": "number"} == {**shape(lost)["data"], "app_fee": "number"}
    assert set(failed) == set(lost)
    assert (failed["event"], failed["data"]["status"]) == ("charge.completed", "failed")
    assert shape(legacy) == shape(recorded("webhook_legacy_bank_transfer_2019.json"))
    assert (legacy["amount"], legacy["txRef"], legacy["status"]) == (101.5, "vc-1-a", "successful")


async def test_mixed_envelopes_are_mostly_the_live_one(world: FlutterwaveWorld, bot: Bot) -> None:
    async with served(bot.app, bot.port):
        to = await account(world)
        for _ in range(60):
            await pay(world, to)
        await world.courier.settle(WITHIN)
    kinds = Counter("event" in one for one in bot.told())
    assert kinds.total() == 60
    assert kinds[True] > kinds[False] > 0


async def test_proofs_are_over_the_bytes_that_were_sent(world: FlutterwaveWorld, bot: Bot) -> None:
    async with served(bot.app, bot.port):
        to = await account(world)
        for _ in range(9):
            await pay(world, to)
        await world.courier.settle(WITHIN)
    seen = Counter(tuple(sorted({"verif-hash", "flutterwave-signature"} & set(headers))) for headers, _ in bot.taken)
    assert sorted(seen.values()) == [3, 3, 3]
    for headers, body in bot.taken:
        if "verif-hash" in headers:
            assert headers["verif-hash"] == world.secret
        if "flutterwave-signature" in headers:
            digest = hmac.new(world.secret.encode(), body, hashlib.sha256).digest()
            assert headers["flutterwave-signature"] == base64.b64encode(digest).decode()
        for name in ("user-agent", "accept", "accept-encoding", "content-type"):
            assert headers[name] == recorded("webhook_headers_transfer_completed_live_2024.json")[name]
    again = [json.dumps(json.loads(body), separators=(",", ":")).encode() for _, body in bot.taken]
    assert again != [body for _, body in bot.taken]  # who writes a body anew has another


@pytest.mark.parametrize(("kind", "names"), [("wrong", 1), ("missing", 0)])
async def test_a_wrong_secret(world: FlutterwaveWorld, bot: Bot, clock: FakeClock, kind: str, names: int) -> None:
    bot.status = 401
    await change(world, wrong_secret=kind)
    async with served(bot.app, bot.port):
        to = await account(world)
        for _ in range(3):
            await pay(world, to)
        await world.courier.settle(WITHIN)
        proofs = [
            {name: value for name, value in headers.items() if name in ("verif-hash", "flutterwave-signature")}
            for headers, _ in bot.taken
        ]
        assert [bool(proof) for proof in proofs] == [bool(names)] * 3
        for proof, (_, body) in zip(proofs, bot.taken, strict=True):
            right = base64.b64encode(hmac.new(world.secret.encode(), body, hashlib.sha256).digest()).decode()
            assert proof.get("verif-hash") != world.secret
            assert proof.get("flutterwave-signature") != right
        bot.status = 200
        await change(world, wrong_secret=False)
        await later(world, clock, 1800)
    assert world.courier.waiting == []


async def test_a_bot_that_is_down_loses_nothing(world: FlutterwaveWorld, bot: Bot, clock: FakeClock) -> None:
    number = await pay(world, await account(world))
    for _ in range(4):
        await later(world, clock, 5)
    assert world.pending(clock.now()) == ["1 webhook to be delivered"]
    due = world.next_due(clock.now())
    assert due is not None
    assert due <= clock.now() + timedelta(seconds=5)
    async with served(bot.app, bot.port):
        await later(world, clock, 5)
    assert [one.get("data", one)["id"] for one in bot.told()] == [number]
    assert (world.pending(clock.now()), world.next_due(clock.now())) == ([], None)
    assert world.snapshot()["bank"]["charges"][0]["payments"][0]["webhooks"] == 1


async def test_a_bot_that_dies_while_it_is_told(world: FlutterwaveWorld, bot: Bot, clock: FakeClock) -> None:
    heard: list[bytes] = []

    async def die(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(100))
        writer.close()

    dying = await asyncio.start_server(die, "127.0.0.1", bot.port)
    number = await pay(world, await account(world))
    await world.courier.settle(WITHIN)
    dying.close()
    await dying.wait_closed()
    assert len(heard) == 1
    async with served(bot.app, bot.port):
        await later(world, clock, 1)
    assert [one.get("data", one)["id"] for one in bot.told()] == [number]


async def test_a_bot_that_is_down_for_good_is_given_up(world: FlutterwaveWorld, clock: FakeClock) -> None:
    await pay(world, await account(world))
    for _ in range(SOON_RETRIES + 1):
        await later(world, clock, 5)
    assert world.pending(clock.now()) == []
    assert world.next_due(clock.now()) is not None
    for _ in range(RETRIES):
        await later(world, clock, 1800)
    assert (world.courier.waiting, world.snapshot()["bank"]["lost"]) == ([], 1)


@pytest.mark.parametrize(("status", "soon"), [(500, True), (503, True), (404, False), (302, False), (202, False)])
async def test_only_200_is_a_yes(world: FlutterwaveWorld, bot: Bot, clock: FakeClock, status: int, soon: bool) -> None:
    bot.status = status
    async with served(bot.app, bot.port):
        await pay(world, await account(world))
        await world.courier.settle(WITHIN)
        assert bool(world.pending(clock.now())) is soon
        await later(world, clock, 1800)
        assert len(bot.taken) == 2
        assert bot.taken[0][1] == bot.taken[1][1]


async def test_losing_can_be_asked_for(world: FlutterwaveWorld, bot: Bot, clock: FakeClock) -> None:
    to = await account(world)
    await change(world, webhooks="once")
    await pay(world, to)
    await world.courier.settle(WITHIN)
    assert (world.courier.waiting, world.courier.lost.total()) == ([], 1)
    await change(world, webhooks="off")
    await pay(world, to)
    assert world.courier.waiting == []
    async with served(bot.app, bot.port):
        await change(world, webhooks="late")
        number = await pay(world, to)
        assert world.pending(clock.now()) == []
        assert world.next_due(clock.now()) == clock.now() + timedelta(minutes=30)
        await later(world, clock, 1799)
        assert bot.taken == []
        await later(world, clock, 1)
    assert [one.get("data", one)["id"] for one in bot.told()] == [number]


async def test_duplicates_and_disorder(world: FlutterwaveWorld, bot: Bot, clock: FakeClock) -> None:
    async with served(bot.app, bot.port):
        to = await account(world)
        await change(world, duplicate_webhooks=2, shuffle=True)
        numbers = [await pay(world, to) for _ in range(20)]
        assert world.pending(clock.now()) == ["60 webhooks to be delivered"]
        for _ in range(5):
            await later(world, clock, 1)
        told = [one.get("data", one)["id"] for one in bot.told()]
        assert Counter(told) == dict.fromkeys(numbers, 3)
        assert told != sorted(told)
        await change(world, duplicate_webhooks=True, shuffle=False)
        await pay(world, to)
        await world.courier.settle(WITHIN)
    assert len(bot.taken) - 60 in (2, 3)
    bodies = Counter(body for _, body in bot.taken)
    assert len(bodies) == 21  # a duplicate is the same to the byte


async def test_a_webhook_may_lie_and_the_api_does_not(world: FlutterwaveWorld, bot: Bot) -> None:
    await change(world, lie=True, envelope="live", pending_first=60)
    async with served(bot.app, bot.port):
        number = await pay(world, await account(world), "200", status="failed")
        await world.courier.settle(WITHIN)
    (told,) = bot.told()
    assert (told["data"]["id"], told["data"]["status"], told["data"]["amount"]) == (number, "successful", 2000)
    async with client(world.app) as http:
        headers = {"authorization": f"Bearer {world.key}"}
        row = (await http.get(f"/v3/transactions/{number}/verify", headers=headers)).json()["data"]
    assert (row["status"], row["amount"]) == ("pending", 200)


async def test_a_tick_waits_for_what_it_brings(world: FlutterwaveWorld, bot: Bot, clock: FakeClock) -> None:
    async with served(bot.app, bot.port):
        await change(world, webhooks="late")
        await pay(world, await account(world))
        clock.advance(1800)
        await world.tick(clock.now())
        assert len(bot.taken) == 1

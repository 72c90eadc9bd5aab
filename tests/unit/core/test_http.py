"""HTTP out: what a failure proves, what is retried, pace, parallelism, breaker, and nothing secret in any text."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest
import structlog
from aiohttp import web

from tests.support.clock import FakeClock
from tests.support.loopback import Loopback, hang_up, loopback
from viralcore.core import db
from viralcore.core.errors import OpenTransaction
from viralcore.core.http import BreakerOpen, HttpClients, NoAnswer, NotSent, ProviderClient
from viralcore.core.metrics import Metrics

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def clients(clock: FakeClock) -> AsyncIterator[HttpClients]:
    made = HttpClients(clock, Metrics())
    yield made
    await made.close()


def text(body: str, status: int = 200) -> Reply:
    async def reply(request: web.Request) -> web.StreamResponse:
        return web.Response(text=body, status=status)

    return reply


def nobody_listens() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def requests_of(server: Loopback) -> int:
    return len(server.seen)


async def test_json_keeps_fractions_exact(clients: HttpClients) -> None:
    async with loopback(text('{"price": 0.1, "n": 3}')) as server:
        answer = await clients.provider("p", server.url).read_json("GET", "x", params={"a": "b"})
    assert answer.ok
    assert answer.body == {"price": Decimal("0.1"), "n": 3}
    assert isinstance(answer.body["price"], Decimal)
    assert server.seen[0].path_qs == "/x?a=b"
    assert len(server.seen[0].headers["X-Request-ID"]) == 32


@pytest.mark.parametrize(
    "body", ["", "<html>", "NaN", '{"a": Infinity}', "[" * 100_000, '{"a": 1.0e999999}', "1" * 5000]
)
async def test_what_cannot_be_read_under_200_is_no_answer(clients: HttpClients, body: str) -> None:
    async with loopback(text(body)) as server:
        with pytest.raises(NoAnswer) as caught:
            await clients.provider("p", server.url).send("POST", "", data={"a": "1"})
        assert requests_of(server) == 1
    assert (caught.value.reason, caught.value.status) == ("unreadable", 200)
    assert caught.value.body == body[:2000]


async def test_text_can_be_expected(clients: HttpClients) -> None:
    async with loopback(text("ok")) as server:
        answer = await clients.provider("p", server.url).send("POST", "", json={}, expect="text")
    assert answer.body == "ok"


async def test_statuses_below_500_are_the_callers_to_judge(clients: HttpClients) -> None:
    async with loopback(text('{"error": "busy"}', 429)) as server:
        answer = await clients.provider("p", server.url).read_json("GET")
        assert (answer.status, answer.body, answer.ok) == (429, {"error": "busy"}, False)
        assert requests_of(server) == 1
    async with loopback(text("<h1>Forbidden</h1>", 403)) as server:
        answer = await clients.provider("p", server.url).send("POST")
        assert (answer.status, answer.body) == (403, "<h1>Forbidden</h1>")


async def test_a_server_error_is_no_answer_read_three_times_sent_once(clients: HttpClients) -> None:
    async with loopback(text('{"error": {"code": -32000}}', 502)) as server:
        client = clients.provider("p", server.url)
        with pytest.raises(NoAnswer) as caught:
            await client.read_json("POST", json={})
        assert requests_of(server) == 3
        assert caught.value.body == {"error": {"code": -32000}}
        with pytest.raises(NoAnswer):
            await client.send("POST", json={})
        assert requests_of(server) == 4


async def test_a_read_gets_over_one_bad_answer(clients: HttpClients) -> None:
    async def reply(request: web.Request) -> web.StreamResponse:
        if requests_of(server) == 1:
            hang_up(request)
        return web.json_response({"result": "0x1"})

    async with loopback(reply) as server:
        answer = await clients.provider("p", server.url).read_json("POST", json=[{"id": 1}])
        assert answer.body == {"result": "0x1"}
        assert requests_of(server) == 2


async def test_a_lost_connection_after_sending_is_never_sent_again(clients: HttpClients) -> None:
    async def reply(request: web.Request) -> web.StreamResponse:
        await request.read()
        hang_up(request)
        return web.Response()

    async with loopback(reply) as server:
        with pytest.raises(NoAnswer):
            await clients.provider("p", server.url).send("POST", data={"action": "add"})
        assert requests_of(server) == 1


async def test_a_read_timeout_after_sending_is_no_answer(clients: HttpClients) -> None:
    async def reply(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return web.Response()

    async with loopback(reply) as server:
        with pytest.raises(NoAnswer) as caught:
            await clients.provider("p", server.url, read_timeout=0.3).send("POST", data={"action": "add"})
        assert caught.value.reason == "read_timeout"
        assert requests_of(server) == 1


async def test_a_dripping_answer_ends_by_the_total(clients: HttpClients) -> None:
    async def reply(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.02)

    async with loopback(reply) as server:
        with pytest.raises(NoAnswer) as caught:
            await clients.provider("p", server.url, connect_timeout=0.5, read_timeout=0.5).send("GET")
        assert caught.value.reason == "total_timeout"


async def test_an_endless_answer_ends_by_its_size(clients: HttpClients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("viralcore.core.http.MAX_BODY", 1000)
    async with loopback(text("1" * 1001)) as server:
        with pytest.raises(NoAnswer) as caught:
            await clients.provider("p", server.url).send("GET")
    assert (caught.value.reason, caught.value.status) == ("body_too_large", 200)


async def test_nobody_listening_proves_that_nothing_was_sent(clients: HttpClients) -> None:
    client = clients.provider("p", nobody_listens())
    with pytest.raises(NotSent) as caught:
        await client.send("POST", data={"action": "add"})
    assert caught.value.reason == "connect_error"


async def test_sends_do_not_ride_on_old_connections(clients: HttpClients) -> None:
    ports = []

    async def reply(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        ports.append(request.transport.get_extra_info("peername")[1])
        return web.json_response({})

    async with loopback(reply) as server:
        client = clients.provider("p", server.url)
        for _ in range(2):
            await client.send("POST")
        for _ in range(2):
            await client.read_json("POST")
    assert ports[0] != ports[1]
    assert ports[2] == ports[3]


async def test_the_breaker_opens_and_the_turned_clock_gives_one_trial(clients: HttpClients, clock: FakeClock) -> None:
    async with loopback(text("{}", 500)) as server:
        client = clients.provider("p", server.url)
        heard: list[str] = []
        clients.on_breaker_change(lambda change: heard.append(change.state))
        for _ in range(5):
            with pytest.raises(NoAnswer):
                await client.send("POST")
        assert client.breaker.state == "opened"
        with pytest.raises(BreakerOpen):
            await client.send("POST")
        assert requests_of(server) == 5
        other = clients.provider("p", server.url + "/other")
        assert other.breaker.state == "closed"
        clock.advance(60)
        with pytest.raises(NoAnswer):
            await client.send("POST")
        with pytest.raises(BreakerOpen):
            await client.read_json("GET")
        assert requests_of(server) == 6
        assert heard == ["opened", "half-opened", "opened"]


async def test_a_read_with_all_its_retries_is_one_failure(clients: HttpClients) -> None:
    async with loopback(text("{}", 500)) as server:
        client = clients.provider("p", server.url)
        for _ in range(4):
            with pytest.raises(NoAnswer):
                await client.read_json("GET")
        assert client.breaker.state == "closed"


async def test_a_call_inside_a_slot_takes_no_second_place(clients: HttpClients) -> None:
    async with loopback(text("{}")) as server:
        client = clients.provider("p", server.url, parallelism=1)
        async with asyncio.timeout(30), client.slot():
            await client.send("POST")
            async with client.slot():
                await client.send("POST")
        async with asyncio.timeout(30), client.slot():
            pass


async def most_at_once(client: ProviderClient, peak: Callable[[], int]) -> int:
    await asyncio.gather(*(client.read_json("GET") for _ in range(6)))
    return peak()


async def test_parallelism_is_the_providers_over_all_its_urls(clients: HttpClients) -> None:
    now = most = 0

    async def reply(request: web.Request) -> web.StreamResponse:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        return web.json_response({})

    async with loopback(reply) as server:
        one = clients.provider("p", server.url + "/1", parallelism=2)
        two = clients.provider("p", server.url + "/2")
        await asyncio.gather(*(client.read_json("GET") for client in (one, two) for _ in range(5)))
    assert most == 2


async def test_no_second_has_more_starts_than_the_pace_and_none_waits_without_need(clients: HttpClients) -> None:
    starts: list[float] = []

    async def reply(request: web.Request) -> web.StreamResponse:
        starts.append(asyncio.get_running_loop().time())
        return web.json_response({})

    async with loopback(reply) as server:
        client = clients.provider("p", server.url, pace_per_second=2.5)  # two in every 0.8 s
        await asyncio.gather(*(client.send("POST") for _ in range(5)))
    gaps = [later - earlier for earlier, later in zip(starts, starts[2:], strict=False)]
    assert all(gap >= 0.8 * 0.8 for gap in gaps)
    assert starts[1] - starts[0] < min(gaps) / 2


async def test_an_open_transaction_forbids_every_call(clients: HttpClients, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(doing: str) -> None:
        raise OpenTransaction(doing)

    monkeypatch.setattr("viralcore.core.http.assert_no_transaction", refuse)
    async with loopback(text("{}")) as server:
        with pytest.raises(OpenTransaction):
            await clients.provider("p", server.url).read_json("GET")
        assert requests_of(server) == 0
    assert db.assert_no_transaction is not refuse


async def test_no_key_ever_reaches_a_text_or_a_log_line(clients: HttpClients) -> None:
    secret = "SECRETKEY123456"
    texts: list[Any] = []

    async def reply(request: web.Request) -> web.StreamResponse:
        hang_up(request)
        return web.Response()

    with structlog.testing.capture_logs() as logs:
        async with loopback(reply) as server:
            for url in (server.url + f"/v6/{secret}", nobody_listens() + f"/{secret}", f"http://{secret}:bad:port/"):
                try:
                    await clients.provider("p", url).send("POST", "", params={"key": secret}, data={"key": secret})
                except Exception as error:
                    texts.append((str(error), repr(error), error.__cause__))
    assert len(texts) == 3
    assert secret not in repr(texts)
    assert secret not in repr(logs)


async def test_calls_are_counted_by_outcome(clock: FakeClock) -> None:
    metrics = Metrics()
    clients = HttpClients(clock, metrics)
    async with loopback(text("{}")) as server:
        await clients.provider("p", server.url).read_json("GET")
    await clients.close()
    assert b'viralcore_http_calls_total{outcome="200",provider="p"} 1.0' in await metrics.render()

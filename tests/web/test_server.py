"""The HTTP server: health, readiness, metrics, body limit, and stopping without touching our signal handlers."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from viralcore.core.metrics import Metrics
from viralcore.core.nursery import Nursery
from viralcore.web.server import WebServer

Make = Callable[..., WebServer]


@pytest.fixture
async def nursery() -> AsyncIterator[Nursery]:
    made = Nursery()
    yield made
    await made.stop()


@pytest.fixture
async def make(nursery: Nursery) -> AsyncIterator[Make]:
    made: list[WebServer] = []

    def build(metrics: Metrics | None = None, **options: Any) -> WebServer:
        server = WebServer(nursery, metrics or Metrics(), host="127.0.0.1", port=0, **options)
        made.append(server)
        return server

    yield build
    for server in made:
        await server.stop()


def client(server: WebServer) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", trust_env=False)


async def test_health_readiness_and_not_found(make: Make) -> None:
    reasons: dict[str, str | None] = {"database": None}

    async def database() -> str | None:
        return reasons["database"]

    server = make(checks={"database": database})
    await server.start()
    async with client(server) as http:
        assert (await http.get("/health")).json() == {"status": "ok"}
        ready = await http.get("/ready")
        assert (ready.status_code, ready.json()) == (200, {"ready": True, "problems": {}})
        reasons["database"] = "migrations are missing"
        ready = await http.get("/ready")
        assert ready.status_code == 503
        assert ready.json() == {"ready": False, "problems": {"database": "migrations are missing"}}
        assert (await http.get("/nothing")).status_code == 404
        assert "server" not in ready.headers


async def test_a_check_that_breaks_or_hangs_is_not_ready_and_tells_no_secret(make: Make) -> None:
    async def broken() -> str | None:
        raise RuntimeError("postgresql://user:password@host")

    async def hangs() -> str | None:
        await asyncio.Event().wait()
        return None

    server = make(checks={"broken": broken, "hangs": hangs}, check_seconds=0.02)
    await server.start()
    async with client(server) as http:
        answer = await http.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["problems"] == {"broken": "check failed", "hangs": "no answer within 0.02 s"}


async def test_metrics_are_read_when_scraped(make: Make) -> None:
    metrics = Metrics()
    backlog = {"inbox": 3}

    async def inbox() -> int:
        return backlog["inbox"]

    async def broken() -> int:
        raise RuntimeError

    async def due() -> datetime | None:
        return datetime(2026, 1, 1, tzinfo=UTC)

    async def later() -> datetime | None:
        return datetime(2026, 1, 2, tzinfo=UTC)

    metrics.backlog_of("inbox", inbox)
    metrics.backlog_of("effects", broken)
    metrics.due_from(later)
    metrics.due_from(due)
    metrics.settled_from(lambda: 60.0)
    server = make(metrics)
    await server.start()
    async with client(server) as http:
        lines = (await http.get("/metrics")).text.splitlines()
        assert 'viralcore_backlog{kind="inbox"} 3.0' in lines
        assert 'viralcore_backlog{kind="effects"} 1.0' in lines  # unknown is never quiet
        due_line = next(line for line in lines if line.startswith("viralcore_next_due_timestamp_seconds "))
        assert float(due_line.split()[1]) == datetime(2026, 1, 1, tzinfo=UTC).timestamp()
        assert "viralcore_clock_settled_offset_seconds 60.0" in lines
        backlog["inbox"] = 0
        assert 'viralcore_backlog{kind="inbox"} 0.0' in (await http.get("/metrics")).text.splitlines()


async def test_routes_are_served_and_large_bodies_refused(make: Make) -> None:
    async def echo(request: Request) -> Response:
        return JSONResponse({"size": len(await request.body())})

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * 50

    server = make(routes=[Route("/hook", echo, methods=["POST"])], max_body=1000)
    await server.start()
    async with client(server) as http:
        assert (await http.post("/hook", content=b"x" * 1000)).json() == {"size": 1000}
        assert (await http.post("/hook", content=b"x" * 1001)).status_code == 413
        assert (await http.post("/hook", content=pieces())).status_code == 413
        assert (await http.get("/hook")).status_code == 405


async def test_it_leaves_the_signal_handlers_alone_and_frees_its_port(make: Make) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    server = make()
    await server.start()
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    taken = WebServer(Nursery(), Metrics(), host="127.0.0.1", port=server.port)
    with pytest.raises(OSError):
        await taken.start()
    await server.stop()
    async with client(server) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get("/health")


async def test_an_answer_under_way_is_written_before_the_stop(make: Make) -> None:
    entered, release = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Response:
        entered.set()
        await release.wait()
        return JSONResponse({"done": True})

    server = make(routes=[Route("/slow", slow)])
    await server.start()
    async with client(server) as http:
        call = asyncio.ensure_future(http.get("/slow"))
        await entered.wait()
        stopping = asyncio.ensure_future(server.stop())
        await asyncio.sleep(0.15)
        release.set()
        assert (await call).json() == {"done": True}
        await stopping

"""A loopback HTTP server for tests: one handler function, a log of what arrived, and a few ways to misbehave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Loopback:
    """`url`: its address without a slash at the end. `seen`: requests in order of arrival."""

    url: str = ""
    seen: list[web.Request] = field(default_factory=list)


Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def loopback(reply: Reply) -> AsyncIterator[Loopback]:
    """Serve `reply` for every path and method."""
    server = Loopback()

    async def handle(request: web.Request) -> web.StreamResponse:
        server.seen.append(request)
        return await reply(request)

    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


def hang_up(request: web.Request) -> None:
    """Close the connection without a word: what was sent may or may not have arrived."""
    assert request.transport is not None
    request.transport.abort()

"""Ways for a third party to misbehave on the wire, shared by all worlds."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from viralcore.core.clock import monotonic

TRANSPORT = "sandbox.transport"
LONGEST_HANG = 90  # seconds of machine time; clients give up far earlier
OUTAGES = ("503", "html", "drop", "hang", "429", "bad_json")

_UNAVAILABLE = """<!DOCTYPE html><html><head><title>503 Service Temporarily Unavailable</title></head>
<body><center><h1>503 Service Temporarily Unavailable</h1></center><hr><center>cloudflare</center></body></html>"""
_MAINTENANCE = """<!DOCTYPE html><html lang="en"><head><title>Just a moment...</title></head>
<body><h1>We will be back soon</h1><p>Checking your browser before accessing the site.</p></body></html>"""


class Wire:
    """Outermost ASGI layer: lets an endpoint cut the connection under a client, which Starlette alone cannot."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # uvicorn's `send` is a method of its request cycle, which holds the socket's transport.
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if transport is not None:
            scope = {**scope, TRANSPORT: transport}
        await self._app(scope, receive, send)


async def cut(request: Request) -> Response:
    """Close the connection without a byte of answer."""
    transport = request.scope.get(TRANSPORT)
    if transport is None:
        raise ConnectionAbortedError("the simulated server closed the connection")
    transport.close()
    await asyncio.sleep(0.01)  # lets the server notice, so that it does not complain about a missing answer
    return Response()


async def hang_up(request: Request) -> Response:
    """Say nothing until the client gives up (or for a long while), then close."""
    until = monotonic() + LONGEST_HANG
    while monotonic() < until and not await request.is_disconnected():  # noqa: ASYNC110 - ASGI offers no event
        await asyncio.sleep(0.05)
    return await cut(request)


async def fail(kind: str, request: Request) -> Response:
    """The answer of a server in trouble; `kind` is one of OUTAGES."""
    if kind == "drop":
        return await cut(request)
    if kind == "hang":
        return await hang_up(request)
    if kind == "html":
        return HTMLResponse(_MAINTENANCE)
    if kind == "429":
        return JSONResponse({"error": "Too Many Requests"}, status_code=429, headers={"retry-after": "2"})
    if kind == "bad_json":
        return Response('{"result": ', media_type="application/json")
    return HTMLResponse(_UNAVAILABLE, status_code=503)

"""The only HTTP server: routes handed in by bootstrap, beside /health, /ready and /metrics. It runs in our own loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from viralcore.core.metrics import Metrics
from viralcore.core.nursery import Nursery

log = structlog.get_logger(__name__)

Check = Callable[[], Awaitable[str | None]]
"""None: ready. Otherwise a short reason, without secrets: it is shown to whoever asks."""

MAX_BODY = 1024 * 1024


class BodyLimit:
    """ASGI middleware: refuses bodies over `limit` bytes with 413, whether announced or not."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self._limit:
            await _too_large(scope, receive, send)
            return
        seen = 0
        started = False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                raise _TooLarge
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, counted, watched)
        except _TooLarge:
            if not started:
                await _too_large(scope, receive, send)


class _TooLarge(Exception):
    pass


async def _too_large(scope: Scope, receive: Receive, send: Send) -> None:
    await JSONResponse({"error": "body too large"}, status_code=413)(scope, receive, send)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: stopping is bootstrap's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class WebServer:
    """Listens on `host`:`port` between `start` and `stop`."""

    def __init__(
        self,
        nursery: Nursery,
        metrics: Metrics,
        *,
        host: str,
        port: int,
        routes: Sequence[BaseRoute] = (),
        checks: Mapping[str, Check] | None = None,
        max_body: int = MAX_BODY,
        check_seconds: float = 3.0,
    ) -> None:
        """`checks`: what must be well for /ready, by name. Port 0 takes a free one (see `port`)."""
        self._nursery = nursery
        self._metrics = metrics
        self._host = host
        self._wanted_port = port
        self._checks = dict(checks or {})
        self._check_seconds = check_seconds
        self._server: _Server | None = None
        self._task: asyncio.Task[Any] | None = None
        self.port = port
        self.app = Starlette(
            routes=[
                Route("/health", self._health),
                Route("/ready", self._ready),
                Route("/metrics", self._render_metrics),
                *routes,
            ],
            middleware=[Middleware(BodyLimit, limit=max_body)],
        )

    async def start(self) -> None:
        """Bind and serve. Raises OSError when the port is taken."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        # Named TCP: only then asyncio switches off Nagle, who holds every answer on a kept connection back for 40 ms.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self._host, self._wanted_port))
        except OSError:
            listener.close()
            raise
        listener.setblocking(False)
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self.app,
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=3,
        )
        self._server = _Server(config)
        self._task = self._nursery.start("web", self._server.serve(sockets=[listener]))
        while not self._server.started and not self._task.done():  # noqa: ASYNC110 - uvicorn offers a flag only
            await asyncio.sleep(0.005)
        if self._task.done():
            self._task.result()
        log.info("web_listening", host=self._host, port=self.port)

    async def stop(self) -> None:
        """Stop accepting, let answers under way be written, at most 3 seconds."""
        if self._server is None or self._task is None:
            return
        self._server.should_exit = True
        await asyncio.wait([self._task], timeout=5)

    async def _health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _ready(self, request: Request) -> Response:
        reasons = await asyncio.gather(*(self._ask(name, check) for name, check in self._checks.items()))
        problems = {name: reason for name, reason in zip(self._checks, reasons, strict=True) if reason is not None}
        return JSONResponse({"ready": not problems, "problems": problems}, status_code=503 if problems else 200)

    async def _ask(self, name: str, check: Check) -> str | None:
        try:
            async with asyncio.timeout(self._check_seconds):
                return await check()
        except TimeoutError:
            return f"no answer within {self._check_seconds:g} s"
        except Exception:
            log.exception("ready_check_failed", check=name)
            return "check failed"

    async def _render_metrics(self, request: Request) -> Response:
        """As Prometheus' own client does it, ``?name[]=...`` asks for some of them only."""
        only = request.query_params.getlist("name[]")
        return Response(await self._metrics.render(only), headers={"content-type": self._metrics.content_type})

"""HTTP servers of the simulators and the page, in the supervisor's own loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Iterator

import uvicorn
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp

from viralcore.core.nursery import Nursery

KEEP_ALIVE_SECONDS = 75


class PortTakenError(Exception):
    """Somebody else listens there."""


def _worth_saying(record: logging.LogRecord) -> bool:
    """Long polls that are cut when everything stops are no errors, nor are callers killed while they spoke."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError | ClientDisconnect))


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: stopping is the supervisor's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Servers:
    """Starts servers on loopback and stops them all."""

    def __init__(self, nursery: Nursery) -> None:
        self._nursery = nursery
        self._running: list[_Server] = []

    def serve(self, name: str, app: ASGIApp, port: int = 0) -> str:
        """Serve `app` on 127.0.0.1; port 0 takes any free one. Returns the base URL. Raises PortTakenError."""
        listener = listen(port)
        config = uvicorn.Config(
            app,
            log_level="error",
            access_log=False,
            lifespan="off",
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=1,
        )
        server = _Server(config)
        logging.getLogger("uvicorn.error").addFilter(_worth_saying)
        self._running.append(server)
        self._nursery.start(f"sandbox.http.{name}", server.serve(sockets=[listener]))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    def stop(self) -> None:
        """Tell all to end; they do within a second or two."""
        for server in self._running:
            server.should_exit = server.force_exit = True


def listen(port: int) -> socket.socket:
    """A bound loopback socket. Raises PortTakenError."""
    # Named TCP: only then asyncio switches off Nagle, who holds every answer on a kept connection back for 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise PortTakenError(f"port {port} is taken") from error
        raise
    return listener


def held_port() -> socket.socket:
    """A port for a process that must be told which to use: bound here and not listened on, so that nobody who takes
    any free one is given it, while whoever sets SO_REUSEADDR may listen there (on Linux)."""
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


def free_port() -> int:
    """A port nobody listens on now, for a process that must be told which to use."""
    with listen(0) as probe:
        return int(probe.getsockname()[1])

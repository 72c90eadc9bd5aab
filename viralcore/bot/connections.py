"""Connections to the Bot API: a pool of plain HTTP/1.1 connections, because a client library costs more than the call.

One answer to a person is two calls. aiohttp's client needs 0.13 ms of this process for each, this a quarter of that:
the parser is a library's (httptools), so is finding a working address (aiohttp's own happy eyeballs), TLS is asyncio's;
what is left is a pool, time-outs, and to be exact about what a failure proves. `NotConnected` and `ConnectTimedOut`
prove that nothing was sent. Whatever else breaks may have arrived, and is never tried again here.

An answer must say how long it is, or come in chunks, as all of the Bot API's do: one that ends with its connection
could not be told from one that was cut off.
"""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlsplit

import aiohappyeyeballs
import httptools

from viralcore.core.clock import monotonic
from viralcore.core.loop import elsewhere

MAX_ANSWER = 25 * 1024 * 1024  # a bot may download 20 MB
IDLE_SECONDS = 30.0
_LOOKED_AT = 0.5
"""A connection that has been idle for longer is asked whether the other side has closed it, before it is used."""
_ADDRESSES_SECONDS = 300.0


class ConnectTimedOut(Exception):
    """No connection in time: nothing was sent."""


class NotConnected(Exception):
    """No connection: nothing was sent. Its text is the kind of error, never an address."""


class AnswerTimedOut(Exception):
    """Silence. What was sent may have arrived."""


class Broken(Exception):
    """The connection was lost or what came is no HTTP. What was sent may have arrived."""


Place = tuple[str, int, bool]
"""Host, port, and whether TLS is spoken there."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call goes, and how every one of them begins."""

    place: Place
    head: bytes


@lru_cache(maxsize=256)
def target(url: str, agent: str) -> Target:
    """A POST of JSON to `url`. Raises ValueError on an address that is none."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("not an http address")
    tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii() or any(
        sign <= " " or sign == "\x7f" for sign in path + parts.netloc + agent.replace(" ", "")
    ):
        raise ValueError("not an http address")
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {parts.netloc.rpartition('@')[2]}\r\nUser-Agent: {agent}\r\nAccept: */*\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    )
    return Target((parts.hostname, parts.port or (443 if tls else 80), tls), head.encode("ascii"))


class _Connection(asyncio.Protocol):
    """One call at a time. The methods without an underscore beside `ask` are asyncio's and the parser's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, where: Place) -> None:
        self._loop = loop
        self.where = where
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self._heard = 0.0
        self._ends = 0.0
        self._silence = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.usable = False
        self.idle_since = 0.0

    async def ask(self, request: bytes, *, silence: float | None, whole: float | None) -> tuple[int, bytes]:
        """Send it; returns the status and the body. `silence`: seconds without a word; `whole`: seconds in all."""
        if self._transport is None or not self.usable:
            raise NotConnected("ConnectionLost")
        answer: asyncio.Future[tuple[int, bytes]] = self._loop.create_future()
        self._answer = answer
        self._transport.write(request)
        if silence is not None or whole is not None:
            self._heard = monotonic()
            self._silence = silence if silence is not None else float("inf")
            self._ends = self._heard + whole if whole is not None else float("inf")
            self._timer = self._loop.call_later(min(self._silence, self._ends - self._heard), self._late)
        try:
            with elsewhere():
                return await answer
        except BaseException:  # cut off in the middle: the answer may still come, and must not be the next call's
            self.drop()
            raise
        finally:
            self._answer = None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def said_goodbye(self) -> bool:
        """Whether an idle connection has something to say; it can only be that it is closed."""
        if self._transport is None or self._transport.is_closing():
            return True
        number = self._transport.get_extra_info("socket").fileno()
        poll = select.poll()
        poll.register(number, select.POLLIN | select.POLLHUP | select.POLLERR)
        return bool(poll.poll(0))

    def drop(self) -> None:
        """Close it without a word."""
        self.usable = False
        if self._transport is not None:
            self._transport.abort()

    def _late(self) -> None:
        self._timer = None
        now = monotonic()
        ends = min(self._heard + self._silence, self._ends)
        if now < ends:  # something was heard meanwhile
            self._timer = self._loop.call_later(ends - now, self._late)
        else:
            self._fail(AnswerTimedOut())

    def _fail(self, error: Exception) -> None:
        self.drop()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    # --- asyncio's side -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has a class of its own
        self.usable = True

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(Broken(type(error).__name__ if error is not None else "ServerDisconnected"))
        self._transport = None

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.drop()  # nobody asked
            return
        self._heard = monotonic()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(Broken(type(error).__name__))

    # --- the parser's side ----------------------------------------------------------------------------------------

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        self._parts.append(body)
        if self._size > MAX_ANSWER:
            self._fail(Broken("The answer is too large"))

    def on_message_complete(self) -> None:
        status, parts = self._parser.get_status_code(), self._parts
        self._parts, self._size = [], 0
        if status < 200 or self._answer is None or self._answer.done():
            return
        if not self._parser.should_keep_alive():
            self.usable = False
        self._answer.set_result((status, parts[0] if len(parts) == 1 else b"".join(parts)))


class Connections:
    """At most `size` connections to one place; who comes when all are busy waits, first come, first served."""

    def __init__(self, size: int, *, tls: ssl.SSLContext | None = None) -> None:
        """`tls`: whom to trust; the system's authorities when None."""
        self._places = asyncio.Semaphore(size)
        self._idle: deque[_Connection] = deque()
        self._tls = tls
        self._where: Place | None = None
        self._addresses: tuple[float, list[Any]] | None = None
        self._looking_up = asyncio.Lock()

    async def post(
        self, to: Target, body: bytes, *, waiting: float | None, connect: float | None, silence: float | None,
        whole: float | None,
    ) -> tuple[int, bytes]:  # fmt: skip
        """One call. `waiting`: seconds to get a connection, of which at most `connect` to open one; the others as in
        `_Connection.ask`."""
        connection = self._take(to) if not self._places.locked() else None
        if connection is not None:
            await self._places.acquire()  # does not wait
        else:
            connection = await self._connected(to, waiting, connect)
        try:
            return await connection.ask(b"%b%d\r\n\r\n%b" % (to.head, len(body), body), silence=silence, whole=whole)
        finally:
            self._back(connection)

    async def _connected(self, to: Target, waiting: float | None, connect: float | None) -> _Connection:
        try:
            async with asyncio.timeout(waiting):
                await self._places.acquire()
                try:
                    return self._take(to) or await self._open(to, connect)
                except BaseException:
                    self._places.release()
                    raise
        except TimeoutError:
            raise ConnectTimedOut from None

    def _take(self, to: Target) -> _Connection | None:
        """The idle connection that was used last, if it is good."""
        if to.place != self._where:
            self._forget()
            self._where = to.place
        now = monotonic()
        while self._idle:
            connection = self._idle.pop()
            idle = now - connection.idle_since
            if connection.usable and idle < IDLE_SECONDS and (idle < _LOOKED_AT or not connection.said_goodbye()):
                return connection
            connection.drop()
        return None

    def _back(self, connection: _Connection) -> None:
        self._places.release()
        if not connection.usable or connection.where != self._where:
            connection.drop()
            return
        connection.idle_since = now = monotonic()
        self._idle.append(connection)
        oldest = self._idle[0]
        if now - oldest.idle_since >= IDLE_SECONDS or not oldest.usable:
            self._idle.popleft().drop()

    async def _open(self, to: Target, seconds: float | None) -> _Connection:
        loop, (host, _, tls) = asyncio.get_running_loop(), to.place
        try:
            async with asyncio.timeout(seconds):
                addresses = await self._resolved(to)
                reached = await aiohappyeyeballs.start_connection(addresses, happy_eyeballs_delay=0.25, interleave=1)
                try:
                    reached.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    _, connection = await loop.create_connection(
                        lambda: _Connection(loop, to.place),
                        sock=reached,
                        ssl=self._context() if tls else None,
                        server_hostname=host if tls else None,
                    )
                except BaseException:
                    reached.close()
                    raise
        except TimeoutError:
            self._addresses = None
            raise
        except (OSError, ValueError) as error:
            self._addresses = None
            raise NotConnected(type(error).__name__) from None
        return connection

    async def _resolved(self, to: Target) -> list[Any]:
        """Its addresses, asked for once for everybody who opens a connection."""
        host, port, _ = to.place
        async with self._looking_up:
            if self._addresses is None or monotonic() - self._addresses[0] > _ADDRESSES_SECONDS:
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
                self._addresses = (monotonic(), found)
            return self._addresses[1]

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls

    def _forget(self) -> None:
        self._addresses = None
        while self._idle:
            self._idle.pop().drop()

    def close(self) -> None:
        """Close what is not in use; what is, is closed when its call ends."""
        self._forget()
        self._where = None

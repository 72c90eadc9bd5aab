"""Fresh connections: an httpx transport that opens one for every request and never keeps it.

A kept connection that the server closes at the wrong moment makes a send's fate unknown for nothing: sends are few, and
each gets a connection of its own. httpx's own transport takes four times as long for it as the call does, for a pool
that holds nothing. What a failure proves is kept apart as httpx does it: `ConnectError` and `ConnectTimeout` are raised
before the first byte is written, everything else after. TLS is asyncio's, the parser is a library's (httptools), so is
finding a working address (aiohappyeyeballs).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import cast

import aiohappyeyeballs
import httptools
import httpx


class _Exchange(asyncio.Protocol):
    """One request and its answer. The methods without an underscore are asyncio's and the parser's."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._parts: list[bytes] = []
        self._parser = httptools.HttpResponseParser(self)
        self._sized = self._begun = False
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self.headers: list[tuple[bytes, bytes]] = []
        self.done: asyncio.Future[int] = self._loop.create_future()
        self.heard = 0.0

    @property
    def body(self) -> bytes:
        return b"".join(self._parts)

    def send(self, request: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise httpx.ConnectError("lost before anything was sent")
        self.heard = self._loop.time()
        self._transport.write(request)

    def drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        self.done.cancel()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has a class of its own

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self.done.done():
            return
        if error is None and self._begun and not self._sized:  # it ends where the connection does, and says so
            self._finish()
        else:
            self.done.set_exception(httpx.RemoteProtocolError("hung up") if error is None else httpx.ReadError("lost"))

    def data_received(self, data: bytes) -> None:
        if self.done.done():
            return
        self.heard = self._loop.time()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            if not self.done.done():
                self.done.set_exception(httpx.RemoteProtocolError("no HTTP"))

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))
        self._sized = self._sized or name.lower() in (b"content-length", b"transfer-encoding")

    def on_headers_complete(self) -> None:
        if self._parser.get_status_code() < 200:  # "100 Continue" and the like: the answer is still to come
            self.headers, self._sized = [], False
        else:
            self._begun = True

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        self._parts.append(body)
        if self._size > self._most:  # whoever reads it finds that it is too large; no more of it is needed
            self._finish()

    def on_message_complete(self) -> None:
        if self._begun:
            self._finish()

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(self._parser.get_status_code())


class FreshConnections(httpx.AsyncBaseTransport):
    """`most`: bytes of an answer beyond which no more is read (it is then larger than `most`)."""

    def __init__(self, tls: ssl.SSLContext, *, at_once: int, most: int) -> None:
        self._tls = tls
        self._places = asyncio.Semaphore(at_once)
        self._most = most

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.scheme not in ("http", "https"):
            raise httpx.UnsupportedProtocol("not http")
        whole = _whole(request, await request.aread())
        limits = request.extensions["timeout"]
        try:
            async with asyncio.timeout(limits["pool"]):
                await self._places.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout("no place") from None
        try:
            exchange = await self._open(request.url, limits["connect"])
            try:
                exchange.send(whole)
                status = await _heard(exchange, limits["read"])
                body = httpx.ByteStream(exchange.body)
                return httpx.Response(status, headers=exchange.headers, stream=body, request=request)
            finally:
                exchange.drop()
        finally:
            self._places.release()

    async def _open(self, url: httpx.URL, seconds: float) -> _Exchange:
        loop, tls = asyncio.get_running_loop(), url.scheme == "https"
        host = url.raw_host.decode("ascii")
        try:
            async with asyncio.timeout(seconds):
                addresses = await loop.getaddrinfo(host, url.port or (443 if tls else 80), type=socket.SOCK_STREAM)
                reached = await aiohappyeyeballs.start_connection(addresses, happy_eyeballs_delay=0.25, interleave=1)
                try:
                    reached.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    _, exchange = await loop.create_connection(
                        lambda: _Exchange(self._most),
                        sock=reached,
                        ssl=self._tls if tls else None,
                        server_hostname=host if tls else None,
                    )
                except BaseException:
                    reached.close()
                    raise
        except TimeoutError:
            raise httpx.ConnectTimeout("no connection in time") from None
        except (OSError, ValueError) as error:
            raise httpx.ConnectError(type(error).__name__) from None
        return exchange


def _whole(request: httpx.Request, body: bytes) -> bytes:
    """The request as it goes out, with its body, and the promise that it is the only one."""
    head = [b"%b %b HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    head += [b"%b: %b" % (name, value) for name, value in request.headers.raw if name.lower() != b"connection"]
    lines = b"\r\n".join([*head, b"Connection: close"])
    if lines.count(b"\r") != len(head) or lines.count(b"\n") != len(head):
        raise httpx.LocalProtocolError("a line break in a header")
    return lines + b"\r\n\r\n" + body


async def _heard(exchange: _Exchange, silence: float) -> int:
    """Its status, once all of it is here. Raises ReadTimeout after `silence` seconds without a word."""
    loop = asyncio.get_running_loop()
    while True:
        left = exchange.heard + silence - loop.time()
        if left <= 0:
            raise httpx.ReadTimeout("silence")
        await asyncio.wait((exchange.done,), timeout=left)
        if exchange.done.done():
            return exchange.done.result()

"""The Telegram transport: python-telegram-bot's `BaseRequest` on connections of our own.

Stock PTB rides on httpx, whose connection pool collapses under a few hundred calls at once. This one keeps PTB's
contract: time-outs are `TimedOut`, everything else that keeps an answer away is `NetworkError`, and an answer of any
status is returned; both say "nothing was sent" where that is proven. Calls go through `connections`, uploads and
downloads, which are rare, through aiohttp. The bot's token is part of every address, so no address ever gets into an
exception or a log line.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import aiohttp
import structlog
from prometheus_client import Counter
from telegram._utils.defaultvalue import DefaultValue
from telegram._utils.types import ODVInput
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData

from viralcore.bot.connections import (
    MAX_ANSWER,
    AnswerTimedOut,
    Broken,
    Connections,
    ConnectTimedOut,
    NotConnected,
    target,
)
from viralcore.core.db import assert_no_transaction
from viralcore.core.errors import OpenTransaction
from viralcore.core.metrics import Metrics

log = structlog.get_logger(__name__)

_SMALL = 256 * 1024
_TOO_LATE = "Timed out while connecting: nothing was sent"
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class TelegramInTransaction(OpenTransaction, TelegramError):
    """A Telegram call was tried inside a transaction.

    It is a TelegramError only so that PTB lets it through: everything else it turns into a NetworkError, which callers
    rightly take for bad weather.
    """

    def __init__(self, message: str) -> None:
        Exception.__init__(self, message)
        self.message = message


@lru_cache(maxsize=256)
def method_of(url: str) -> str:
    """The Bot API method of an address, ``file`` for a download; never anything of the token."""
    if "/file/bot" in url:
        return "file"
    name = url.partition("?")[0].rpartition("/")[2]
    return name if name.isalpha() and name.isascii() and len(name) < 64 else "other"


def refuse_in_transaction(method: str) -> None:
    """Raises TelegramInTransaction when a transaction is open in this task."""
    try:
        assert_no_transaction(f"telegram call {method}")
    except OpenTransaction as error:
        raise TelegramInTransaction(str(error)) from None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Time-outs in seconds. `waiting`: for a connection, be it one that becomes free or one that is opened; `total`:
    for all of it, as writing has no bound of its own."""

    waiting: float | None
    connect: float | None
    read: float | None
    total: float | None


@lru_cache(maxsize=64)
def bounds_of(pool: float | None, connect: float | None, write: float | None, read: float | None) -> Bounds:
    """From the four time-outs PTB knows."""
    if pool is None or connect is None:
        return Bounds(None, connect, read, None)
    total = None if write is None or read is None else pool + connect + write + read
    return Bounds(pool + connect, connect, read, total)


class PooledRequest(BaseRequest):
    """One connection pool. Use one instance for getUpdates and another for everything else."""

    def __init__(
        self,
        *,
        connections: int = 256,
        connect_timeout: float = 5.0,
        read_timeout: float = 20.0,
        write_timeout: float = 20.0,
        pool_timeout: float = 5.0,
        metrics: Metrics | None = None,
    ) -> None:
        self._connections = connections
        self._connect = connect_timeout
        self._read = read_timeout
        self._write = write_timeout
        self._pool = pool_timeout
        self._metrics = metrics or Metrics()
        self._session: aiohttp.ClientSession | None = None  # for uploads and downloads
        self._pooled: Connections | None = None
        self._counted: dict[tuple[str, str], Counter] = {}

    @property
    def read_timeout(self) -> float | None:
        """PTB adds this to a long poll's own duration."""
        return self._read

    async def initialize(self) -> None:
        """Open the pool; a second call changes nothing."""
        if self._session is None or self._session.closed:
            self._pooled = Connections(self._connections)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=30, ttl_dns_cache=300),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": self.USER_AGENT},
                trust_env=False,
            )

    async def shutdown(self) -> None:
        """Close every connection."""
        if self._pooled is not None:
            self._pooled.close()
            self._pooled = None
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        write_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        connect_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        pool_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """One call, as PTB wants it: status and payload, or TimedOut, or NetworkError."""
        bounds = bounds_of(
            _chosen(pool_timeout, self._pool),
            _chosen(connect_timeout, self._connect),
            _chosen(write_timeout, self._write),
            _chosen(read_timeout, self._read),
        )
        if request_data is None:
            return await self._measured(url, method, None, bounds)
        if request_data.contains_files:
            return await self._measured(url, method, _form(request_data), bounds)
        return await self._measured(url, method, _json(request_data.parameters), bounds)

    async def call(self, url: str, parameters: Mapping[str, Any], *, read_timeout: float) -> tuple[int, bytes]:
        """A plain call without PTB's types, for our own polling."""
        bounds = bounds_of(self._pool, self._connect, self._write, read_timeout)
        return await self._measured(url, "POST", _json(parameters), bounds)

    async def _measured(
        self, url: str, method: str, body: aiohttp.FormData | bytes | None, bounds: Bounds
    ) -> tuple[int, bytes]:
        name, outcome = method_of(url), "cancelled"
        refuse_in_transaction(name)
        try:
            if isinstance(body, bytes):
                code, payload = await self._post(url, body, bounds)
            else:
                code, payload = await self._exchange(url, method, body, bounds)
            outcome = str(code)
            return code, payload
        except TimedOut:
            outcome = "timed_out"
            raise
        except NetworkError as error:
            outcome = "network_error"
            log.warning("telegram_call_failed", method=name, reason=error.message)
            raise
        finally:
            counter = self._counted.get((name, outcome))
            if counter is None:
                counter = self._metrics.telegram_calls.labels(method=name, outcome=outcome)
                self._counted[name, outcome] = counter
            counter.inc()

    async def _post(self, url: str, body: bytes, bounds: Bounds) -> tuple[int, bytes]:
        """Causes are cut off (`from None`): their texts may hold the address."""
        if self._pooled is None:
            raise NetworkError("The transport is not initialized")
        try:
            return await self._pooled.post(
                target(url, self.USER_AGENT),
                body,
                waiting=bounds.waiting,
                connect=bounds.connect,
                silence=bounds.read,
                whole=bounds.total,
            )
        except ConnectTimedOut:
            raise TimedOut(_TOO_LATE) from None
        except AnswerTimedOut:
            raise TimedOut from None
        except (NotConnected, ValueError) as error:
            raise NetworkError(_not_connected(error)) from None
        except Broken as error:
            raise NetworkError(str(error)) from None

    async def _exchange(
        self, url: str, method: str, body: aiohttp.FormData | None, bounds: Bounds
    ) -> tuple[int, bytes]:
        """As `_post`, for files."""
        if self._session is None:
            raise NetworkError("The transport is not initialized")
        try:
            async with self._session.request(
                method,
                url,
                data=body,
                timeout=aiohttp.ClientTimeout(
                    total=bounds.total, connect=bounds.waiting, sock_connect=bounds.connect, sock_read=bounds.read
                ),
                allow_redirects=False,
            ) as response:
                if 0 <= (response.content_length or -1) <= _SMALL:
                    return response.status, await response.read()
                parts: list[bytes] = []
                size = 0
                async for part in response.content.iter_chunked(64 * 1024):
                    size += len(part)
                    if size > MAX_ANSWER:
                        raise NetworkError("The answer is too large")
                    parts.append(part)
                return response.status, b"".join(parts)
        except TimeoutError as error:  # aiohttp's time-outs are all subclasses
            not_sent = isinstance(error, aiohttp.ConnectionTimeoutError)
            raise TimedOut(_TOO_LATE if not_sent else None) from None
        except aiohttp.ClientConnectorError as error:
            raise NetworkError(_not_connected(error)) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise NetworkError(f"aiohttp.{type(error).__name__}") from None


def _chosen(given: ODVInput[float], default: float) -> float | None:
    return default if isinstance(given, DefaultValue) else given


def _not_connected(error: Exception) -> str:
    kind = str(error) if isinstance(error, NotConnected) else type(error).__name__
    return f"Not connected ({kind}): nothing was sent"


def _json(parameters: Mapping[str, Any]) -> bytes:
    """The Bot API takes JSON as gladly as a form, and it costs a tenth: nothing is quoted, nothing is JSON in JSON."""
    return _encode(parameters).encode()


def _form(request_data: RequestData) -> aiohttp.FormData:
    """Parameters and files as PTB prepared them, multipart."""
    form = aiohttp.FormData(quote_fields=False)  # names go out as UTF-8, as browsers and PTB send them
    for name, text in request_data.json_parameters.items():
        form.add_field(name, text)
    for name, (filename, content, mimetype) in request_data.multipart_data.items():
        # aiohttp writes big bytes in one go; a file object goes out in pieces, off the loop
        body = io.BytesIO(content) if isinstance(content, bytes) and len(content) > _SMALL else content
        form.add_field(name, body, filename=filename, content_type=mimetype)
    return form

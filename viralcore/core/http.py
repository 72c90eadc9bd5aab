"""HTTP out: one client per provider, with time-outs, pace, parallelism, a breaker, safe retries, and metrics.

What an adapter must know of a call that failed is only this: was nothing sent (`NotSent`), or may it have arrived
(`NoAnswer`). Everything else is an `Answer` whose status the adapter judges.
"""

from __future__ import annotations

import asyncio
import contextlib
import json as jsonlib
import logging
import ssl
import sys
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.util import find_spec
from typing import Any, Literal

import httpx
import structlog
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from viralcore.core.breaker import Breaker, BreakerListener
from viralcore.core.clock import Clock, SystemClock, monotonic
from viralcore.core.db import assert_no_transaction
from viralcore.core.fresh import FreshConnections
from viralcore.core.json_text import write_json
from viralcore.core.metrics import Metrics

log = structlog.get_logger(__name__)

if "sniffio" not in sys.modules and find_spec("sniffio") is None:
    # httpcore tries to import it several times in every call, and does without; looking through the whole path for what
    # is not there was a fifth of what a call costs. This makes it an ImportError at once.
    sys.modules["sniffio"] = None  # type: ignore[assignment]

MAX_BODY = 5 * 1024 * 1024
ATTEMPTS = 3
_held_slots: ContextVar[tuple[tuple[str, str], ...]] = ContextVar("held_slots", default=())

Expect = Literal["json", "text"]


class HttpFailure(Exception):
    """A call without a usable answer. `reason` is a machine word; its text never carries a URL, key or body."""

    def __init__(self, provider: str, reason: str, *, status: int | None = None, body: Any = None) -> None:
        super().__init__(f"{provider}: {reason}" + (f" ({status})" if status is not None else ""))
        self.provider = provider
        self.reason = reason
        self.status = status
        self.body = body


class NotSent(HttpFailure):
    """Proven: nothing was sent (no connection, no free connection, a malformed request). Safe to go elsewhere."""


class BreakerOpen(NotSent):
    """The provider's breaker is open (or its one trial is under way): nothing was sent."""

    def __init__(self, provider: str) -> None:
        super().__init__(provider, "breaker_open")


class NoAnswer(HttpFailure):
    """It may have arrived: read time-out, reset, 5xx, or an answer that cannot be read.

    `status` and `body` hold what came, when something came (a 5xx with JSON, the start of an unreadable text).
    """


class _Unreadable(ValueError):
    """The body is not what was expected."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The provider spoke, with a status below 500.

    `body`: parsed JSON with every fraction a Decimal. With status 300 and up a body that is not JSON is given as text.
    """

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class _Limiter:
    """Pace and parallelism of one provider, shared by all its URLs. Machine time.

    The pace is a promise about every second there is, not a metronome: calls that fit into the second start at once, so
    that a look at a chain costs what its answers take and not a pause for each question.
    """

    def __init__(self, pace_per_second: float | None, parallelism: int | None) -> None:
        calls = max(1, int(pace_per_second)) if pace_per_second else 0
        self._window = calls / pace_per_second if pace_per_second else 0.0
        self._starts: deque[float] = deque(maxlen=calls)
        self._room = asyncio.Semaphore(parallelism) if parallelism else None

    @asynccontextmanager
    async def room(self) -> AsyncIterator[None]:
        async with self._room or contextlib.nullcontext():
            await self.pace()
            yield

    async def pace(self) -> None:
        """Wait for the next free moment. Moments are handed out in order of asking."""
        if not self._window:
            return
        now = moment = monotonic()
        if len(self._starts) == self._starts.maxlen:
            moment = max(now, self._starts[0] + self._window)
        self._starts.append(moment)
        if moment > now:
            await asyncio.sleep(moment - now)


@cache
def _tls() -> ssl.SSLContext:
    """One for all clients: httpx would read the whole list of authorities again for each of them, 35 ms a time."""
    return httpx.create_ssl_context(trust_env=False)


class ProviderClient:
    """One provider at one base URL. Made by `HttpClients.provider`."""

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        limiter: _Limiter,
        breaker: Breaker,
        metrics: Metrics,
        connect_timeout: float,
        read_timeout: float,
    ) -> None:
        self.name = name
        self.breaker = breaker
        self._base = base_url
        self._host = httpx.URL(base_url).host
        self._limiter = limiter
        self._metrics = metrics
        self._total = 2 * connect_timeout + 2 * read_timeout
        timeout = httpx.Timeout(connect=connect_timeout, read=read_timeout, write=read_timeout, pool=connect_timeout)
        tls = _tls()
        self._reads = httpx.AsyncClient(
            timeout=timeout, trust_env=False, verify=tls, limits=httpx.Limits(max_connections=32)
        )
        self._sends = httpx.AsyncClient(
            timeout=timeout, trust_env=False, transport=FreshConnections(tls, at_once=32, most=MAX_BODY)
        )

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for pace and parallelism, pass the breaker, and hold the place until the block ends.

        Calls made inside the block by the same task do not queue again. Raises BreakerOpen. Entering it inside itself
        is harmless and takes no second place.
        """
        mine = (self.name, self._base)
        if mine in _held_slots.get():
            yield
            return
        if self.breaker.refuses():  # before queueing: an outage must not make everybody wait for a refusal
            raise BreakerOpen(self.name)
        async with self._limiter.room():
            trial = self.breaker.state != "closed"
            if not self.breaker.admit():
                raise BreakerOpen(self.name)
            token = _held_slots.set((*_held_slots.get(), mine))
            try:
                yield
            finally:
                _held_slots.reset(token)
                if trial:
                    self.breaker.abandoned()

    async def read_json(
        self,
        method: str,
        path_or_url: str = "",
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        expect: Expect = "json",
    ) -> Answer:
        """A call that changes nothing outside, whatever its method: retried on every kind of failure.

        Raises BreakerOpen, NotSent or NoAnswer when the attempts are used up. Statuses below 500 are returned.
        """
        request = _Request(method, self._url(path_or_url), params, json, data, headers, expect)
        return await self._attempts(self._reads, request, HttpFailure)

    async def send(
        self,
        method: str,
        path_or_url: str = "",
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        expect: Expect = "json",
    ) -> Answer:
        """A call that does something outside: tried again only while it is proven that nothing was sent.

        Raises BreakerOpen, NotSent (nothing happened) or NoAnswer (it may have). Statuses below 500 are returned; the
        caller decides what a 4xx proves.
        """
        request = _Request(method, self._url(path_or_url), params, json, data, headers, expect)
        return await self._attempts(self._sends, request, NotSent)

    async def close(self) -> None:
        await self._reads.aclose()
        await self._sends.aclose()

    def _url(self, path_or_url: str) -> str:
        if path_or_url.startswith(("http://", "https://")):
            return path_or_url
        return f"{self._base.rstrip('/')}/{path_or_url.lstrip('/')}" if path_or_url else self._base

    async def _attempts(self, client: httpx.AsyncClient, request: _Request, again: type[HttpFailure]) -> Answer:
        """One call with its retries; the breaker hears one outcome for all of them."""
        assert_no_transaction(f"http call to {self.name}")
        async with self.slot():
            try:
                async for attempt in AsyncRetrying(
                    stop=stop_after_attempt(ATTEMPTS),
                    wait=wait_random_exponential(multiplier=0.1, max=2.0),
                    retry=retry_if_exception_type(again),
                    reraise=True,
                ):
                    with attempt:
                        if attempt.retry_state.attempt_number > 1:
                            await self._limiter.pace()
                        answer = await self._once(client, request)
            except HttpFailure as failure:
                if failure.reason != "request_malformed":
                    self.breaker.failed(failure)
                raise
            self.breaker.succeeded()
            return answer

    async def _once(self, client: httpx.AsyncClient, request: _Request) -> Answer:
        """One attempt, measured and logged without its URL: paths and queries carry keys."""
        began = time.perf_counter()
        request_id = uuid.uuid4().hex
        outcome = "cancelled"
        try:
            answer = await self._exchange(client, request, request_id)
            outcome = str(answer.status)
            return answer
        except HttpFailure as failure:
            outcome = failure.reason
            raise
        finally:
            seconds = time.perf_counter() - began
            self._metrics.http_calls.labels(provider=self.name, outcome=outcome).inc()
            self._metrics.http_seconds.labels(provider=self.name).observe(seconds)
            log.info(
                "http_call",
                provider=self.name,
                host=self._host,
                method=request.method,
                outcome=outcome,
                ms=round(seconds * 1000),
                request_id=request_id,
            )

    async def _exchange(self, client: httpx.AsyncClient, request: _Request, request_id: str) -> Answer:
        """Send and read, each failure sorted into what it proves. Causes are cut off: their texts may carry the URL."""
        headers = {"X-Request-ID": request_id, **(request.headers or {})}
        content = None
        if request.json is not None:
            content, headers["Content-Type"] = write_json(request.json).encode(), "application/json"
        try:
            async with asyncio.timeout(self._total):
                async with client.stream(
                    request.method,
                    request.url,
                    params=request.params,
                    content=content,
                    data=request.data,
                    headers=headers,
                ) as response:
                    raw = await _bounded(response)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            raise NotSent(self.name, _word(error)) from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError):
            raise NotSent(self.name, "request_malformed") from None
        except httpx.TimeoutException as error:
            raise NoAnswer(self.name, _word(error)) from None
        except TimeoutError:
            raise NoAnswer(self.name, "total_timeout") from None
        except _Unreadable:
            raise NoAnswer(self.name, "body_too_large", status=response.status_code) from None
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise NoAnswer(self.name, _word(error)) from None
        return self._judge(response, raw, request.expect)

    def _judge(self, response: httpx.Response, raw: bytes, expect: Expect) -> Answer:
        status = response.status_code
        text = raw.decode(response.encoding or "utf-8", errors="replace")
        body: Any = text
        readable = expect == "text"
        if not readable:
            try:
                body, readable = parse_json(text), True
            except _Unreadable:
                body = text[:2000]
        if status >= 500:
            raise NoAnswer(self.name, "server_error", status=status, body=body)
        if not readable and status < 300:
            raise NoAnswer(self.name, "unreadable", status=status, body=body)
        return Answer(status=status, body=body, headers=dict(response.headers))


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    params: Mapping[str, Any] | None
    json: Any
    data: Mapping[str, Any] | None
    headers: Mapping[str, str] | None
    expect: Expect


class HttpClients:
    """The factory. Bootstrap makes one, every adapter takes its `ProviderClient` from it, `close` ends them all."""

    def __init__(self, clock: Clock | None = None, metrics: Metrics | None = None) -> None:
        self._clock = clock or SystemClock()
        self._metrics = metrics or Metrics()
        self._limiters: dict[str, _Limiter] = {}
        self._clients: dict[tuple[str, str], ProviderClient] = {}
        self._listeners: list[BreakerListener] = []
        for noisy in ("httpx", "httpcore"):  # they log whole URLs, keys included
            logging.getLogger(noisy).setLevel(logging.WARNING)

    def provider(
        self,
        name: str,
        base_url: str,
        *,
        pace_per_second: float | None = None,
        parallelism: int | None = None,
        connect_timeout: float = 5,
        read_timeout: float = 20,
        breaker_failures: int = 5,
        breaker_seconds: float = 60,
    ) -> ProviderClient:
        """The client of a provider at a URL; asking twice gives the same client.

        Pace and parallelism are the provider's: its first caller's numbers hold for all its URLs. The breaker is per
        provider and URL.
        """
        known = self._clients.get((name, base_url))
        if known is not None:
            return known
        limiter = self._limiters.setdefault(name, _Limiter(pace_per_second, parallelism))
        breaker = Breaker(name, base_url, self._clock, failures=breaker_failures, seconds=breaker_seconds)
        gauge = self._metrics.breaker_open.labels(provider=name, host=httpx.URL(base_url).host)
        breaker.on_change(lambda change: gauge.set(1 if change.state == "opened" else 0))
        for listener in self._listeners:
            breaker.on_change(listener)
        client = ProviderClient(
            name,
            base_url,
            limiter=limiter,
            breaker=breaker,
            metrics=self._metrics,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
        )
        self._clients[name, base_url] = client
        return client

    def on_breaker_change(self, listener: BreakerListener) -> None:
        """Hear every breaker, those made later included. `listener` is quick and synchronous."""
        self._listeners.append(listener)
        for client in self._clients.values():
            client.breaker.on_change(listener)

    async def close(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.close()
        self._clients.clear()


def parse_json(text: str) -> Any:
    """JSON as money needs it: fractions are Decimals; NaN, Infinity and monstrous numbers are refused."""
    try:
        return jsonlib.loads(text, parse_float=_decimal, parse_constant=_no_constant)
    except (ValueError, ArithmeticError, RecursionError):
        raise _Unreadable from None


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    if len(text) > 200 or abs(number.adjusted()) > 200:  # int(Decimal("1e999999999")) would freeze the process
        raise ValueError("monstrous number")
    return number


def _no_constant(text: str) -> Any:
    raise ValueError(text)


def _word(error: Exception) -> str:
    """ReadTimeout -> read_timeout."""
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in type(error).__name__).lstrip("_")


async def _bounded(response: httpx.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > MAX_BODY:
            raise _Unreadable
        parts.append(part)
    return b"".join(parts)

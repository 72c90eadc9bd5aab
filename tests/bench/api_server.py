"""A Bot API on loopback for the bench: a process of its own, cheap enough never to be what is measured.

    python -m tests.bench.api_server [--latency 0.05]

It says its port in one line, and ends when its standard input does. Every method is answered `latency` seconds after it
was asked, from ready-made bytes; getUpdates alone is answered at once, as Telegram does when something waits (with the
latency on it, one poller could never fetch more than 100 updates a latency, whatever the bot behind it can do).

Two ways to make people act (`load.Load`). Closed loop: `in_flight` updates are always under way; the next becomes due
the moment the answer to a reply leaves. Open loop: updates become due at a fixed rate, whatever the bot does.

Updates are polled for, or, once the bot has called setWebhook, posted to it.

A reply is a new or an edited message. Which update it answers is told by the nonce in its buttons where the bot's
secret is known (exact: one missing, one too many and one made up are three different things), else by its chat.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import re
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable
from time import perf_counter
from typing import Any, cast

import uvloop

from tests.bench.load import Load, Settings
from tests.bench.webhook_feed import Feed

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_CHAT = re.compile(rb'\bchat_id"?(?:=|:\s*"?|\r\n(?:[^\r\n]+\r\n)*\r\n)(-?\d+)')
_NUMBER = {name: re.compile(rb"\b" + name + rb'"?(?:=|:\s*"?)(-?\d+)') for name in (b"offset", b"timeout")}
_QUERY = re.compile(rb'callback_query_id"?(?:=|:\s*"?)(\d+)')
_NONCE = re.compile(rb'callback_data(?:"|%22|\\")(?::|%3A)(?: |\+|%20)*(?:"|%22|\\")A([0-9A-Za-z]{8})')
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
_ME = b'{"ok":true,"result":{"id":42,"is_bot":true,"first_name":"Bench","username":"bench_bot","can_join_groups":true}}'
_HOOK = b'{"ok":true,"result":{"url":"","has_custom_certificate":false,"pending_update_count":0}}'
_MESSAGE = (
    b'{"ok":true,"result":{"message_id":%d,"date":1780000000,"chat":{"id":%d,"type":"private","first_name":"U"},'
    b'"from":{"id":42,"is_bot":true,"first_name":"Bench","username":"bench_bot"},%b}}'
)
_PHOTO = b'"photo":[{"file_id":"photo","file_unique_id":"p","width":640,"height":360}]'
NEW = {"sendMessage", "sendPhoto"}
EDITS = {"editMessageText", "editMessageMedia", "editMessageCaption"}


def http(body: bytes) -> bytes:
    return _HEAD % (len(body), body)


_TRUE = http(b'{"ok":true,"result":true}')
_NOTHING = http(b'{"ok":true,"result":[]}')


class BotApi:
    """What the bot calls. Answers leave in the order they were asked, each `latency` later: one queue, one timer."""

    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.calls: Counter[str] = Counter()
        self.load: Load | None = None
        self.feed: Feed | None = None
        self._waiting: deque[tuple[float, Wire, bytes, Callable[[float], None] | None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._poll: Wire | None = None
        self._poll_ends: asyncio.TimerHandle | None = None

    def asked(self, wire: Wire, method: str, body: bytes) -> None:
        """One call of the bot."""
        self.calls[method] += 1
        if method == "getUpdates":
            self._get_updates(wire, body)
        elif method in NEW or method in EDITS:
            self._message(wire, method, body)
        elif method == "setWebhook":
            self.feed = Feed(body, self._take_one)
            self._later(wire, _TRUE)
        elif method == "answerCallbackQuery":
            found = _QUERY.search(body)
            self._later(wire, _TRUE, self.load.toasted(int(found[1])) if self.load and found else None)
        else:
            self._later(wire, http({"getMe": _ME, "getWebhookInfo": _HOOK}[method]) if method[:3] == "get" else _TRUE)

    def _message(self, wire: Wire, method: str, body: bytes) -> None:
        found, nonce = _CHAT.search(body), _NONCE.search(body)
        chat = int(found[1]) if found else 0
        number, done = 1, None
        if self.load is not None:
            number = self.load.shown(chat, new=method in NEW)
            done = self.load.replied(chat, nonce[1] if nonce else None)
        shown = b'"text":"..."' if method in {"sendMessage", "editMessageText"} else _PHOTO
        self._later(wire, http(_MESSAGE % (number, chat, shown)), done)

    # --- answers, each in its time ------------------------------------------------------------------------------

    def _later(self, wire: Wire, answer: bytes, done: Callable[[float], None] | None = None) -> None:
        self._waiting.append((perf_counter() + self.latency, wire, answer, done))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self.latency, self._send)

    def _send(self) -> None:
        now = perf_counter()
        while self._waiting and self._waiting[0][0] <= now + 0.0005:
            _, wire, answer, done = self._waiting.popleft()
            wire.write(answer)
            if done is not None:
                done(now)
        self._timer = None
        if self._waiting:
            self._timer = asyncio.get_running_loop().call_later(self._waiting[0][0] - now, self._send)
        self.pump()

    # --- updates ------------------------------------------------------------------------------------------------

    def _get_updates(self, wire: Wire, body: bytes) -> None:
        """A poll; one that waits already is told there is nothing."""
        self._answer_poll(_NOTHING)
        numbers = {name: int(found[1]) for name, which in _NUMBER.items() if (found := which.search(body))}
        if self.load is not None and b"offset" in numbers:
            self.load.confirm(numbers[b"offset"])
        self._poll = wire
        seconds = numbers.get(b"timeout", 0)
        self._poll_ends = asyncio.get_running_loop().call_later(max(seconds, 0.001), self._answer_poll, _NOTHING)
        self.pump()

    def _answer_poll(self, answer: bytes) -> None:
        if self._poll is not None:
            self._poll.write(answer)
            self._poll = None
        if self._poll_ends is not None:
            self._poll_ends.cancel()
            self._poll_ends = None

    def pump(self) -> None:
        """Answer the poll that waits, or wake the webhook's feed, as soon as there is an update."""
        if self.feed is not None:
            self.feed.wake()
        if self._poll is None or self.load is None:
            return
        if self._poll.closed:
            self._answer_poll(_NOTHING)
            return
        batch = self.load.take(100)
        if batch:
            self._answer_poll(http(b'{"ok":true,"result":[%b]}' % b",".join(batch)))

    def _take_one(self) -> bytes | None:
        return self.load.take_one() if self.load is not None else None

    # --- the driver's side --------------------------------------------------------------------------------------

    def controlled(self, verb: str, body: bytes) -> dict[str, Any]:
        """What the bench asks: begin, stop, report, audit."""
        if verb == "begin":
            self.load = Load(Settings(**json.loads(body)), after=self.load)
            self.load.run(self.pump)
        elif self.load is not None and verb == "stop":
            self.load.stop()
        elif self.load is not None and verb == "audit":
            return self.load.audit()
        return {"calls": self.calls} | (self.load.report() if self.load is not None else {})


class Wire(asyncio.Protocol):
    """HTTP/1.1 as the three client libraries speak it: keep-alive, a body of known length."""

    def __init__(self, api: BotApi) -> None:
        self._api = api
        self._bytes = b""
        self._transport: asyncio.Transport | None = None

    @property
    def closed(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has a class of its own

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None

    def write(self, answer: bytes) -> None:
        if self._transport is not None:
            self._transport.write(answer)

    def data_received(self, data: bytes) -> None:
        self._bytes = data = self._bytes + data if self._bytes else data
        while (end := data.find(b"\r\n\r\n")) >= 0:
            found = _LENGTH.search(data, 0, end + 2)
            if found is None and data.startswith(b"POST"):
                raise ValueError("a request without a length: this server knows no chunks")
            total = end + 4 + (int(found[1]) if found else 0)
            if len(data) < total:
                break
            path = data[: data.index(b"\r\n")].split(b" ")[1].decode()
            body, self._bytes = data[end + 4 : total], data[total:]
            data = self._bytes
            head, _, name = path.partition("?")[0].rpartition("/")
            if head == "/control":
                self.write(http(json.dumps(self._api.controlled(name, body)).encode()))
            else:
                self._api.asked(self, name, body)


async def serve(latency: float) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    api = BotApi(latency)
    server = await loop.create_server(lambda: Wire(api), "127.0.0.1", 0, backlog=1024)

    def until_parent_ends() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=until_parent_ends, daemon=True).start()
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - how the driver learns the port
    await ended.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.05)
    gc.disable()  # its pauses would be taken for the bot's; a bench is over before the memory is
    uvloop.run(serve(parser.parse_args().latency))

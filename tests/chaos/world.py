"""The driver's way into the sandbox: its control API, one reader for all chats, and a guess at the bot's clock."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections import defaultdict
from typing import Any

import httpx

from tests.chaos.record import Record

Message = dict[str, Any]
BOT = 7_000_001


class Refused(Exception):
    """The control API said no."""


class World:
    """Speaks the control API. `chats`: every message as it stands now, by chat and message id."""

    def __init__(self, page: str, record: Record) -> None:
        self.record = record
        self.chats: dict[int, dict[int, Message]] = defaultdict(dict)
        self.heard: dict[int, int] = defaultdict(int)
        self.turned = 0.0
        self._seq = 0
        self._changed: dict[int, asyncio.Event] = defaultdict(asyncio.Event)
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=100)
        self._http = httpx.AsyncClient(base_url=page, timeout=120, trust_env=False, limits=limits)
        self._reader: asyncio.Task[None] | None = None
        self.address = ""
        self.group = 0

    async def __aenter__(self) -> World:
        about = await self.call("GET", "")
        self.address, self.group = about["addresses"]["bsc"], int(about["admin_group"])
        self._reader = asyncio.ensure_future(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await self._http.aclose()

    async def call(self, method: str, path: str, **body: Any) -> Any:
        """One call. Raises Refused, or httpx's errors."""
        answer = await self._http.request(method, f"/sandbox{path}", json=body if method == "POST" else None)
        if answer.status_code >= 400:
            raise Refused(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()

    def now(self) -> float:
        """Business seconds since the start, as far as the driver has turned them."""
        return time.monotonic() - self.record.began + self.turned

    # --- chats -----------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        while True:
            try:
                await self.look(wait=5)
            except (httpx.HTTPError, Refused):
                await asyncio.sleep(0.1)
            await asyncio.sleep(0.05)

    async def look(self, wait: float = 0) -> None:
        """Take in what changed in any chat."""
        for message in await self.call("GET", f"/messages?after={self._seq}&wait={wait}"):
            chat = int(message["chat_id"])
            self._seq = max(self._seq, int(message["seq"]))
            if message["deleted"]:
                self.chats[chat].pop(int(message["message_id"]), None)
                continue
            self.chats[chat][int(message["message_id"])] = message
            if message["from"] == BOT:
                self.heard[chat] = max(self.heard[chat], int(message["seq"]))
                self._changed[chat].set()

    async def changed(self, chat: int, since: int, seconds: float) -> bool:
        """Wait until the bot has said or edited something in a chat after `since` (a value of `heard`)."""
        deadline = time.monotonic() + seconds
        while self.heard[chat] <= since:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._changed[chat].clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed[chat].wait(), left)
        return True

    def said(self, chat: int) -> list[Message]:
        """What the bot has in a chat, oldest first."""
        return [message for _, message in sorted(self.chats[chat].items()) if message["from"] == BOT]

    async def say(self, person: int, words: str, chat: int | None = None, **more: Any) -> int:
        where = chat or person
        sent = await self.call("POST", f"/chats/{where}/messages", from_id=person, text=words, **more)
        if "edit" not in more:
            self.record.typed.setdefault(where, []).append(int(sent["message_id"]))
        self.record.count("actions")
        return int(sent["message_id"])

    async def press(self, person: int, message_id: int, data: str, chat: int | None = None) -> str | None:
        """Press by data, whether or not the button is there; what the press was told, None when nobody answered."""
        self.record.count("actions")
        body = {"from_id": person, "message_id": message_id, "button": data}
        answer = (await self.call("POST", f"/chats/{chat or person}/press", **body))["answer"]
        return None if answer is None else str(answer["text"])

    # --- coins and time --------------------------------------------------------------------------------------------

    async def transfer(self, asset: str, amount: str, to: str | None = None, **more: Any) -> str:
        sent = await self.call(
            "POST", "/chains/bsc/transfers", asset=asset, to=to or self.address, amount=amount, **more
        )
        return str(sent["hash"])

    async def leap(self, seconds: float) -> None:
        await self.call("POST", "/clock", advance_seconds=seconds, wait=False)
        self.turned += seconds

    async def settle(self, seconds: float) -> dict[str, Any]:
        told: dict[str, Any] = await self.call("POST", "/settle", timeout_seconds=seconds)
        return told


def buttons(message: Message) -> list[dict[str, Any]]:
    """Buttons that do something when pressed."""
    return [one for row in message["buttons"] for one in row if one["data"]]


def labelled(message: Message, label: str) -> dict[str, Any] | None:
    """The button that has these words."""
    wanted = re.compile(rf"(?<!\w){re.escape(label)}(?!\w)", re.IGNORECASE)
    fitting = [one for one in buttons(message) if wanted.search(one["text"])]
    return min(fitting, key=lambda one: len(one["text"]), default=None)


def copies(message: Message) -> list[str]:
    return [one["copy"] for row in message["buttons"] for one in row if one["copy"]]


def invoice_of(message: Message) -> int | None:
    found = re.search(r"Invoice #(\d+)", message["text"])
    return int(found.group(1)) if found else None

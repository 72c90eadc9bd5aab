"""The queue of updates: kept until confirmed by offset, polled by one at a time or pushed to a webhook."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from typing import Any

import httpx
import structlog

from viralcore.core.clock import monotonic
from viralcore.core.nursery import Nursery
from viralcore.sandbox.telegram.errors import bad_request, conflict
from viralcore.sandbox.telegram.signal import Signal

log = structlog.get_logger(__name__)

KINDS = frozenset(
    {
        "message",
        "edited_message",
        "channel_post",
        "edited_channel_post",
        "inline_query",
        "chosen_inline_result",
        "callback_query",
        "shipping_query",
        "pre_checkout_query",
        "poll",
        "poll_answer",
        "my_chat_member",
        "chat_member",
        "chat_join_request",
        "message_reaction",
        "message_reaction_count",
        "chat_boost",
        "removed_chat_boost",
    }
)
ON_REQUEST = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""Delivered only when named in allowed_updates."""
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
POLL_LIMIT, POLL_SECONDS = 100, 50
WEBHOOK_WAITS = (0.2, 0.5, 1.0, 2.0, 5.0)


class Updates:
    """What the bot has not confirmed yet, in order."""

    def __init__(self, nursery: Nursery, first_id: int = 100_000_001) -> None:
        self._nursery = nursery
        self.first_id = self._next_id = first_id
        self._kept: deque[dict[str, Any]] = deque()
        self._allowed: frozenset[str] = KINDS - ON_REQUEST
        self._signal = Signal()
        self._poller = 0
        self._ended_by = ""
        self.url = ""
        self._secret = ""
        self._last_error = ""
        self._pusher: asyncio.Task[None] | None = None

    @property
    def unconfirmed(self) -> int:
        return len(self._kept)

    @property
    def last_id(self) -> int:
        """The newest update's id; one less than the first when there was none."""
        return self._next_id - 1

    def push(self, kind: str, payload: dict[str, Any]) -> int | None:
        """Keep an update for the bot; None when it did not ask for that kind."""
        if kind not in self._allowed:
            return None
        update_id = self._next_id
        self._next_id += 1
        self._kept.append({"update_id": update_id, kind: payload})
        self._signal.fire()
        return update_id

    def allow(self, kinds: list[str] | None) -> None:
        """Telegram remembers the last list it was given; an empty one means everything but the kinds on request."""
        if kinds is not None:
            chosen = frozenset(kind for kind in kinds if kind in KINDS)
            self._allowed = chosen or KINDS - ON_REQUEST

    async def poll(self, *, offset: int, limit: int, seconds: float) -> list[dict[str, Any]]:
        """getUpdates. A newer poller ends an older one, which is told so with 409."""
        if self.url:
            raise conflict(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            )
        self._poller += 1
        mine = self._poller
        self._ended_by = "other getUpdates request; make sure that only one bot instance is running"
        self._signal.fire()
        self._confirm(offset)
        deadline = monotonic() + min(max(seconds, 0.0), POLL_SECONDS)
        while True:
            if self._poller != mine:
                raise conflict(f"terminated by {self._ended_by}")
            batch = list(self._kept)[: min(max(limit, 1), POLL_LIMIT)]
            left = deadline - monotonic()
            if batch or left <= 0:
                return batch
            await self._signal.wait(left)

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            while len(self._kept) > -offset:
                self._kept.popleft()
        while offset > 0 and self._kept and self._kept[0]["update_id"] < offset:
            self._kept.popleft()

    def set_webhook(self, url: str, secret: str) -> None:
        """Push from now on. Loopback may be plain http here; otherwise Telegram insists on https."""
        if not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if secret and not _SECRET.fullmatch(secret):
            raise bad_request("secret token contains unallowed characters")
        self.url, self._secret = url, secret
        self._poller += 1
        self._ended_by = "setWebhook request"
        self._signal.fire()
        if self._pusher is None or self._pusher.done():
            self._pusher = self._nursery.keep("sandbox.webhook", self._push_all)

    def delete_webhook(self) -> None:
        self.url = self._secret = self._last_error = ""
        self._signal.fire()

    def drop(self) -> None:
        self._kept.clear()

    def webhook_info(self) -> dict[str, Any]:
        info: dict[str, Any] = {
            "url": self.url,
            "has_custom_certificate": False,
            "pending_update_count": self.unconfirmed,
        }
        if self.url:
            info["max_connections"] = 40
        if self._last_error:
            info["last_error_message"] = self._last_error
        return info

    async def _push_all(self) -> None:
        failures = 0
        async with httpx.AsyncClient(timeout=30.0, trust_env=False) as client:
            while self.url:
                if not self._kept:
                    await self._signal.wait(POLL_SECONDS)
                    continue
                update = self._kept[0]
                headers = {"X-Telegram-Bot-Api-Secret-Token": self._secret} if self._secret else {}
                try:
                    answer = await client.post(self.url, json=update, headers=headers)
                    said = f"{answer.status_code} {answer.reason_phrase}"
                    self._last_error = "" if answer.is_success else f"Wrong response from the webhook: {said}"
                except httpx.HTTPError as error:
                    self._last_error = f"Connection failed: {type(error).__name__}"
                if not self._last_error:
                    failures = 0
                    if self._kept and self._kept[0] is update:
                        self._kept.popleft()
                    continue
                log.info("sandbox.webhook_refused", reason=self._last_error)
                await asyncio.sleep(WEBHOOK_WAITS[min(failures, len(WEBHOOK_WAITS) - 1)])
                failures += 1

"""Intake: updates come in by our own long polling or by the webhook, are stored in the inbox, and only then confirmed.

A throttle in memory stands before the inbox; what it refuses is confirmed and not stored.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import structlog
from cachetools import LRUCache
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from telegram.error import TelegramError

from viralcore.bot.pulse import CONTESTED, Pulse, words
from viralcore.core.clock import monotonic
from viralcore.core.errors import CannotStart
from viralcore.core.inbox import Incoming
from viralcore.core.metrics import Metrics
from viralcore.core.nursery import Nursery

log = structlog.get_logger(__name__)

SOURCE = "telegram"
ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
_SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - the name of a header
_LONGEST_PAUSE = 10.0
MOST_UNSTORED = 10_000

RawUpdate = Mapping[str, Any]
Throttle = Callable[[RawUpdate], bool]
"""True: take it. Called once per update, in order, before it is stored; must be quick."""


class RawCaller(Protocol):
    """What the polling needs of the transport (`PooledRequest` has it)."""

    async def call(self, url: str, parameters: Mapping[str, Any], *, read_timeout: float) -> tuple[int, bytes]: ...


class Store(Protocol):
    """What intake needs of the inbox."""

    async def store(self, source: str, items: Sequence[Incoming]) -> int: ...


class TokenRefusedError(CannotStart):
    """Telegram does not know our token: no waiting will help."""

    def __init__(self) -> None:
        super().__init__("Telegram refused the bot token (401): check TELEGRAM_BOT_TOKEN")


class _AskAgain(Exception):
    """The answer is no use; ask again after `pause` seconds (None: after the usual growing one)."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.pause = pause


class Polling:
    """getUpdates, for one process. `api_url`: ``<base>/bot<token>``, without a slash at the end.

    `on_fatal` is called once when Telegram refuses the token; bootstrap ends the process there.
    """

    def __init__(
        self,
        caller: RawCaller,
        api_url: str,
        inbox: Store,
        nursery: Nursery,
        *,
        throttle: Throttle | None = None,
        on_fatal: Callable[[Exception], None] | None = None,
        metrics: Metrics | None = None,
        pulse: Pulse | None = None,
        poll_seconds: int = 25,
        allowed_updates: Sequence[str] = ALLOWED_UPDATES,
        first_pause: float = 0.3,
    ) -> None:
        self._caller = caller
        self._api_url = api_url
        self._inbox = inbox
        self._nursery = nursery
        self._throttle = throttle
        self._on_fatal = on_fatal
        self._metrics = metrics or Metrics()
        self._pulse = pulse or Pulse()
        self._poll_seconds = poll_seconds
        self._allowed = list(allowed_updates)
        self._first_pause = first_pause
        self._task: asyncio.Task[Any] | None = None
        self._offset: int | None = None
        self.polled = asyncio.Event()
        """Set after the first successful poll: the bot hears."""

    async def start(self) -> None:
        """Begin to poll; a webhook that is set is removed first."""
        self._task = self._nursery.start("telegram-polling", self._run())

    async def stop(self) -> None:
        """Stop asking. What was stored but not confirmed comes again and is known then."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=2)

    async def _run(self) -> None:
        try:
            await self._patiently(self._remove_webhook)
            while True:
                await self._patiently(self._poll)
        except TokenRefusedError as error:
            log.critical("telegram_token_refused")
            if self._on_fatal is None:
                raise
            self._on_fatal(error)

    async def _patiently(self, step: Callable[[], Awaitable[None]]) -> None:
        """One step, tried until it works."""
        pause = self._first_pause
        while True:
            try:
                await step()
                return
            except TokenRefusedError:
                raise
            except _AskAgain as again:
                self._tell(again.reason)
                wait = pause if again.pause is None else again.pause
            except TelegramError as error:  # time-outs and broken connections
                log.warning("telegram_poll_failed", reason=type(error).__name__)
                self._pulse.ill(words(type(error).__name__))
                wait = pause
            except Exception as error:
                log.exception("telegram_poll_broken")
                self._pulse.ill(words(type(error).__name__))
                wait = pause
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311 - only spreads the load
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _tell(self, reason: str) -> None:
        if reason == "another_poller":
            log.error("telegram_another_poller", what_to_do=CONTESTED)
            self._pulse.contested()
            return
        log.warning("telegram_poll_again", reason=reason)
        if reason != "webhook_was_set":
            self._pulse.ill(words(reason))

    async def _remove_webhook(self) -> None:
        info = await self._ask("getWebhookInfo", {})
        if isinstance(info, Mapping) and info.get("url"):
            log.info("telegram_webhook_removed")
            await self._ask("deleteWebhook", {"drop_pending_updates": False})

    async def _poll(self) -> None:
        parameters: dict[str, Any] = {"timeout": self._poll_seconds, "limit": 100, "allowed_updates": self._allowed}
        if self._offset is not None:
            parameters["offset"] = self._offset
        found = await self._ask("getUpdates", parameters)
        if not isinstance(found, list):
            raise _AskAgain("unreadable")
        self._pulse.well()
        self.polled.set()
        updates = [update for update in found if _is_update(update)]
        if not updates:
            return
        taken = [incoming(update) for update in updates if self._takes(update)]
        await self._store(taken)
        self._offset = max(update["update_id"] for update in updates) + 1

    async def _store(self, taken: Sequence[Incoming]) -> None:
        """Until it works: the throttle has counted these updates already, so they are not fetched again."""
        pause = self._first_pause
        while True:
            try:
                await self._inbox.store(SOURCE, taken)
                return
            except Exception:
                log.exception("telegram_updates_not_stored", count=len(taken))
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _takes(self, update: RawUpdate) -> bool:
        if admits(self._throttle, update):
            return True
        self._metrics.updates.labels(source=SOURCE, outcome="throttled").inc()
        return False

    async def _ask(self, method: str, parameters: Mapping[str, Any]) -> Any:
        code, payload = await self._caller.call(
            f"{self._api_url}/{method}", parameters, read_timeout=self._poll_seconds + 10.0
        )
        try:
            answer = json.loads(payload)
            readable = isinstance(answer, dict)
        except ValueError:
            readable = False
        if code in (401, 404) and readable:  # a bare 404 is some proxy's
            raise TokenRefusedError
        if code == 200 and readable and answer.get("ok"):
            return answer.get("result")
        if code == 409 and readable and "webhook" in str(answer.get("description")):
            await self._ask("deleteWebhook", {"drop_pending_updates": False})
            raise _AskAgain("webhook_was_set", 0.0)
        if code == 409:
            raise _AskAgain("another_poller", 3.0)
        if code == 429:
            named = (answer.get("parameters") or {}).get("retry_after") if readable else None
            raise _AskAgain("flood", float(named) if isinstance(named, int) else 3.0)
        raise _AskAgain("unreadable" if code == 200 else f"status_{code}")


class Webhook:
    """The other way in: Telegram posts to us. Stored first, then answered 200; what was not stored comes again."""

    def __init__(
        self,
        secret: str,
        inbox: Store,
        *,
        throttle: Throttle | None = None,
        metrics: Metrics | None = None,
        path: str = "/webhooks/telegram",
    ) -> None:
        """Raises ValueError without a secret: anybody could post updates."""
        if not secret:
            raise ValueError("TELEGRAM_WEBHOOK_SECRET is needed in webhook mode")
        self._secret = secret.encode()
        self._inbox = inbox
        self._throttle = throttle
        self._metrics = metrics or Metrics()
        self._counted: LRUCache[int, bool] = LRUCache(MOST_UNSTORED)
        self._told_at = -1.0
        self.route = Route(path, self._receive, methods=["POST"])

    async def register(self, caller: RawCaller, api_url: str, url: str) -> None:
        """Tell Telegram where to post. Raises TokenRefusedError, or TelegramError with Telegram's reason."""
        parameters = {
            "url": url,
            "secret_token": self._secret.decode(),
            "allowed_updates": list(ALLOWED_UPDATES),
            "max_connections": 100,
        }
        code, payload = await caller.call(f"{api_url}/setWebhook", parameters, read_timeout=20.0)
        if code in (401, 404):
            raise TokenRefusedError
        if code != 200:
            raise TelegramError(f"setWebhook: {_description(payload) or f'status {code}'}")

    async def look(self, caller: RawCaller, api_url: str, url: str) -> str | None:
        """Ask Telegram whether it still posts to us; why not, or None. Raises TelegramError when it does not say.

        A webhook that is somebody else's is not taken back: two programs would take it from each other for ever.
        """
        code, payload = await caller.call(f"{api_url}/getWebhookInfo", {}, read_timeout=5.0)
        try:
            info = json.loads(payload)["result"]
            now_at, waiting = str(info["url"]), int(info["pending_update_count"])
        except (ValueError, KeyError, TypeError):
            raise TelegramError(f"getWebhookInfo: {_description(payload) or f'status {code}'}") from None
        self._metrics.telegram_pending.set(waiting)
        if now_at == url:
            return None
        return "another program took the webhook away: " + ("it is set elsewhere" if now_at else "there is none")

    async def _receive(self, request: Request) -> Response:
        given = request.headers.get(_SECRET_HEADER, "").encode()
        if not hmac.compare_digest(given, self._secret):
            self._metrics.updates.labels(source=SOURCE, outcome="forged").inc()
            self._tell_of_forgery(request, bool(given))
            return JSONResponse({"error": "the secret is wrong or missing"}, status_code=401)
        try:
            update = json.loads(await request.body())
        except (ValueError, RecursionError):
            return JSONResponse({"error": "not JSON"}, status_code=400)
        if not _is_update(update):
            return JSONResponse({"error": "not an update"}, status_code=400)
        # What comes again because we could not store it has been counted: the throttle must not take it for a flood.
        if not self._counted.pop(update["update_id"], False) and not admits(self._throttle, update):
            self._metrics.updates.labels(source=SOURCE, outcome="throttled").inc()
            return JSONResponse({"ok": True})
        try:
            await self._inbox.store(SOURCE, [incoming(update)])
        except Exception:
            log.exception("telegram_update_not_stored")
            self._counted[update["update_id"]] = True
            return JSONResponse({"error": "try again"}, status_code=503)
        return JSONResponse({"ok": True})

    def _tell_of_forgery(self, request: Request, given: bool) -> None:
        """One line a second: whoever floods us must not fill the log as well. All of them are in the metrics."""
        now = monotonic()
        if now - self._told_at >= 1.0:
            self._told_at = now
            log.warning(
                "telegram_webhook_forged", peer=request.client.host if request.client else "", secret_given=given
            )


def incoming(update: RawUpdate) -> Incoming:
    """An update as the inbox stores it."""
    return str(update["update_id"]), order_key(update), update


def order_key(update: RawUpdate) -> str:
    """What must be handled in order: a private chat, or one person in a group."""
    for value in update.values():
        if not isinstance(value, Mapping):
            continue
        message = value.get("message")
        holder = message if isinstance(message, Mapping) else value
        chat = holder.get("chat")
        sender = value.get("from") or value.get("sender_chat") or {}
        who = sender.get("id", 0) if isinstance(sender, Mapping) else 0
        if not isinstance(chat, Mapping) or "id" not in chat:
            return f"user:{who}"
        return str(chat["id"]) if chat.get("type") == "private" else f"{chat['id']}:{who}"
    return "other"


def admits(throttle: Throttle | None, update: RawUpdate) -> bool:
    """Ask the throttle; one that fails lets everything through, because losing updates is worse than too many."""
    if throttle is None:
        return True
    try:
        return throttle(update)
    except Exception:
        log.exception("throttle_failed")
        return True


def _description(payload: bytes) -> str | None:
    """What Telegram says is wrong."""
    try:
        found = json.loads(payload).get("description")
    except (ValueError, AttributeError):
        return None
    return str(found)[:200] if found else None


def _is_update(update: object) -> bool:
    return isinstance(update, dict) and isinstance(update.get("update_id"), int)

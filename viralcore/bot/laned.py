"""The laned transport: a `BaseRequest` in which every message waits for its turn before the inner one sends it."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import structlog
from telegram._utils.types import ODVInput
from telegram.request import BaseRequest, RequestData

from viralcore.bot.lanes import Chat, Lanes, current_lane
from viralcore.bot.transport import method_of, refuse_in_transaction
from viralcore.core.clock import monotonic

log = structlog.get_logger(__name__)

TOO_MANY = 429
ATTEMPTS = 4
_PREFIXES = ("send", "editMessage", "copyMessage", "forwardMessage")
_FREE = frozenset({"sendChatAction", "sendMessageDraft"})
_OTHERS = frozenset({"stopPoll"})


class LanedRequest(BaseRequest):
    """Messages wait in the lanes; everything else (answers to presses, getMe, deletions) goes straight through.

    A 429 proves that nothing was sent: the call waits out the hold and goes again, as long as that takes no more than
    `patience` seconds; otherwise the caller gets its RetryAfter, at once when the hold is already known.
    """

    def __init__(self, inner: BaseRequest, lanes: Lanes, *, patience: float = 60.0) -> None:
        self._inner = inner
        self._lanes = lanes
        self._patience = patience

    @property
    def read_timeout(self) -> float | None:
        return self._inner.read_timeout

    async def initialize(self) -> None:
        await self._inner.initialize()

    async def shutdown(self) -> None:
        await self._inner.shutdown()

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
        """As BaseRequest wants it, in its turn."""

        async def go() -> tuple[int, bytes]:
            return await self._inner.do_request(
                url, method, request_data, read_timeout, write_timeout, connect_timeout, pool_timeout
            )

        name = method_of(url)
        parameters: dict[str, Any] = request_data.parameters if request_data is not None else {}
        chat = _chat(parameters)
        if not creates_message(name):
            code, payload = await go()
            if code == TOO_MANY and chat is not None:
                self._lanes.hold(chat, retry_after(payload))
            return code, payload
        refuse_in_transaction(name)  # before waiting for a turn with the database's locks in hand
        gives_up = monotonic() + self._patience
        for attempt in range(1, ATTEMPTS + 1):
            held = self._lanes.held_for(chat)
            if monotonic() + held > gives_up:
                return TOO_MANY, _refusal(held)
            async with self._lanes.turn(chat, cost=_cost(name, parameters)):
                code, payload = await go()
                if code != TOO_MANY:
                    return code, payload
                seconds = retry_after(payload)
                self._lanes.hold(chat, seconds)
            log.warning("telegram_flood", method=name, retry_after=seconds, lane=current_lane(), attempt=attempt)
        return code, payload


@lru_cache(maxsize=256)
def creates_message(method: str) -> bool:
    """Whether a Bot API method creates or edits a message, which is what Telegram's limits count."""
    return (method.startswith(_PREFIXES) and method not in _FREE) or method in _OTHERS


def retry_after(payload: bytes) -> float:
    """What a 429 names, in seconds; 1 when it names nothing."""
    try:
        return max(0.0, float(json.loads(payload)["parameters"]["retry_after"]))
    except (ValueError, KeyError, TypeError):
        return 1.0


def _chat(parameters: dict[str, Any]) -> Chat:
    chat = parameters.get("chat_id")
    if isinstance(chat, str):
        return int(chat) if chat.lstrip("-").isdigit() else chat.lower()
    return chat if isinstance(chat, int) else None


def _cost(method: str, parameters: dict[str, Any]) -> int:
    """Albums and bulk copies are as many messages as they hold."""
    several = parameters.get("media") if method == "sendMediaGroup" else parameters.get("message_ids")
    return max(1, len(several)) if isinstance(several, list | tuple) else 1


def _refusal(seconds: float) -> bytes:
    """The answer Telegram would give, without asking for it."""
    whole = max(1, int(seconds + 0.999))
    answer = {
        "ok": False,
        "error_code": TOO_MANY,
        "description": f"Too Many Requests: retry after {whole}",
        "parameters": {"retry_after": whole},
    }
    return json.dumps(answer).encode()

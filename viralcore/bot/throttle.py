"""How much one person may do: a sliding window in memory, before the inbox. What it refuses is not stored.

The excess gets one polite answer per window, not one each. Business time, so that turning the clock opens the window.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from cachetools import LRUCache

from viralcore.bot.config import Throttle as ThrottleConfig
from viralcore.core.clock import Clock

FREE_COMMANDS = frozenset({"/start", "/menu", "/help", "/cancel"})
MOST_PEOPLE = 200_000
_PASTED = re.compile(r"https?://|\b(?:x|twitter|t|telegram)\.(?:com|me|dog)/|[0-9A-Za-z]{43,}", re.IGNORECASE)

Kind = Literal["command", "press"]


class Throttle:
    """Called once per update, before it is stored. `asked`: whether a question is open for (chat, user). `tell`: called
    at most once per person and window, with the chat to answer politely in."""

    def __init__(
        self,
        config: ThrottleConfig,
        clock: Clock,
        *,
        asked: Callable[[int, int], bool],
        tell: Callable[[int, str | None], None],
    ) -> None:
        self._window = timedelta(seconds=config.window_seconds)
        self._limits: Mapping[Kind, int] = {"command": config.commands, "press": config.presses}
        self._clock = clock
        self._asked = asked
        self._tell = tell
        self._seen: LRUCache[tuple[int, Kind], deque[datetime]] = LRUCache(MOST_PEOPLE)
        self._told: LRUCache[int, datetime] = LRUCache(MOST_PEOPLE)

    def __call__(self, update: Mapping[str, Any]) -> bool:
        """Whether this update is taken in."""
        kind, chat_id, user_id, query = self._weigh(update)
        if kind is None:
            return True
        now = self._clock.now()
        seen = self._seen.setdefault((user_id, kind), deque())
        while seen and seen[0] <= now - self._window:
            seen.popleft()
        if len(seen) < self._limits[kind]:
            seen.append(now)
            return True
        told = self._told.get(user_id)
        if told is None or told <= now - self._window:
            self._told[user_id] = now
            self._tell(chat_id, query)
        return False

    def _weigh(self, update: Mapping[str, Any]) -> tuple[Kind | None, int, int, str | None]:
        """What this update counts as, and whose it is."""
        press = update.get("callback_query")
        if press:
            chat = ((press.get("message") or {}).get("chat") or {}).get("id", press["from"]["id"])
            return "press", chat, press["from"]["id"], press["id"]
        message = update.get("message")
        if not message or not message.get("from") or not message.get("text"):
            return None, 0, 0, None
        text, chat, user = message["text"].strip(), message["chat"]["id"], message["from"]["id"]
        if text.startswith("/"):
            command = text.split(maxsplit=1)[0].split("@", 1)[0].lower()
            counts = command not in FREE_COMMANDS
        else:
            counts = bool(_PASTED.search(text)) and not self._asked(chat, user)
        return ("command" if counts else None), chat, user, None

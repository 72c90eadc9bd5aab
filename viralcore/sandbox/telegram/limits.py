"""Telegram's flood limits, on machine time: 30 messages a second, one a second per chat, 20 a minute per group."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Callable

from viralcore.core.clock import monotonic
from viralcore.sandbox.telegram.errors import too_many_requests

OVERALL_PER_SECOND = 30
GROUP_PER_MINUTE = 20
CHAT_BURST = 4
"""Telegram tolerates a short burst in one chat; the long-run rate stays one a second."""
SLACK = 0.05
"""Seconds by which the network may squeeze two messages that were sent in step."""


class FloodLimits:
    """Judges every created or edited message. A refused one counts for nothing."""

    def __init__(self, machine: Callable[[], float] = monotonic) -> None:
        self._machine = machine
        self._overall: deque[float] = deque()
        self._groups: defaultdict[int, deque[float]] = defaultdict(deque)
        self._chats: dict[int, float] = {}
        self.worst_second = 0
        self.refused = 0

    def admit(self, chat_id: int, *, created: bool) -> None:
        """Count one message, or raise ApiError 429 with the seconds to wait. `created`: new, not edited."""
        now = self._machine()
        wait = max(self._overall_wait(now), self._chat_wait(chat_id, now))
        if created and chat_id < 0:
            wait = max(wait, self._group_wait(chat_id, now))
        if wait > 0:
            self.refused += 1
            raise too_many_requests(max(1, math.ceil(wait)))
        self._overall.append(now)
        self.worst_second = max(self.worst_second, len(self._overall))
        self._chats[chat_id] = max(self._chats.get(chat_id, now), now) + 1.0
        if created and chat_id < 0:
            self._groups[chat_id].append(now)

    def _overall_wait(self, now: float) -> float:
        while self._overall and self._overall[0] <= now - 1.0 + SLACK:
            self._overall.popleft()
        return self._overall[0] + 1.0 - now if len(self._overall) >= OVERALL_PER_SECOND else 0.0

    def _chat_wait(self, chat_id: int, now: float) -> float:
        # A leaky bucket kept as the moment at which it will be empty; it holds CHAT_BURST messages.
        ahead = self._chats.get(chat_id, now) - now
        return max(0.0, ahead - (CHAT_BURST - 1) - SLACK)

    def _group_wait(self, chat_id: int, now: float) -> float:
        sent = self._groups[chat_id]
        while sent and sent[0] <= now - 60.0 + SLACK:
            sent.popleft()
        return sent[0] + 60.0 - now if len(sent) >= GROUP_PER_MINUTE else 0.0

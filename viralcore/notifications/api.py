"""The door of notifications: every message that is not an answer to a person's own press or line.

Most messages are born in subscribers, from events. Through this door a caller can look at them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class NoticeView:
    id: int
    channel: Literal["telegram", "admin_group"]
    chat_id: int
    template: str
    state: Literal["queued", "sent", "failed", "unreachable"]
    attempts: int
    error: str
    created_at: datetime


class Notifications(Protocol):
    async def history(self, *, user_id: int, limit: int = 20) -> tuple[NoticeView, ...]:
        """A person's messages, newest first."""
        ...

"""The door of notifications: every message that is not an answer to a person's own press or line.

Most messages are born in subscribers, from events. Through this door a caller can look at them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Channel = Literal["telegram", "admin_group", "group", "likes_group"]
NoticeState = Literal["queued", "sent", "dropped", "failed", "unreachable"]


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A message and what became of it.

    ``dropped``: overtaken before it was sent, there was nothing left to say. ``failed``: given up, `error` says why.
    ``unreachable``: the person has blocked the bot.
    """

    id: int
    channel: Channel
    chat_id: int
    template: str
    state: NoticeState
    attempts: int
    error: str
    created_at: datetime
    sent_at: datetime | None = None


class Notifications(Protocol):
    async def history(self, *, user_id: int, limit: int = 20) -> tuple[NoticeView, ...]:
        """A person's messages, newest first; at most 100."""
        ...

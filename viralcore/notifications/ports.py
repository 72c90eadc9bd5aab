"""What notifications needs from outside: somebody who shows screens in chats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from viralcore.core.screen import Screen


@dataclass(frozen=True, slots=True)
class Shown:
    """It stands in the chat."""

    message_id: int


@dataclass(frozen=True, slots=True)
class Blocked:
    """The bot may not write there: blocked, deactivated, never started, thrown out."""

    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Too many messages: nothing was sent, and it is to be tried again after `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Moved:
    """The group has another id from now on. Nothing was sent."""

    chat_id: int


@dataclass(frozen=True, slots=True)
class Gone:
    """The message that was to be changed is not there, or can no longer be changed."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Telegram does not take it and never will. `reason` is its own word, for staff."""

    reason: str


@dataclass(frozen=True, slots=True)
class Silent:
    """No answer: it may have arrived."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unsent:
    """Proven not to have been sent: nobody could be reached, or our key is not accepted."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoTopic:
    """Nothing was sent: the topic it was to stand in is not there, or it is closed and the bot may not write in it."""

    closed: bool = False


@dataclass(frozen=True, slots=True)
class TopicMade:
    """It is there."""

    thread_id: int


Answer = Shown | Blocked | Wait | Moved | Gone | Rejected | Silent | Unsent | NoTopic
TopicAnswer = TopicMade | Answer


class Messenger(Protocol):
    """Shows a screen in a chat. Buttons carry `nonce`. Never raises for what Telegram or the network does."""

    async def send(self, *, chat_id: int, screen: Screen, nonce: str, thread_id: int | None = None) -> Answer:
        """`thread_id`: the topic of a forum it is to stand in; None: where a group has everything, or in General."""
        ...

    async def edit(self, *, chat_id: int, message_id: int, screen: Screen, nonce: str) -> Answer:
        """An edit that changes nothing is a success."""
        ...

    async def is_forum(self, *, chat_id: int) -> bool:
        """Whether a group has topics now; False also when that cannot be learnt."""
        ...

    async def make_topic(self, *, chat_id: int, name: str) -> TopicAnswer:
        """A new topic in a forum. Rejected when the bot has not the right to, or the group is no forum."""
        ...

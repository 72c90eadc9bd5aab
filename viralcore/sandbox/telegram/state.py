"""Everything a simulated Telegram remembers. It lives in the supervisor, so the bot may die as often as it likes."""

from __future__ import annotations

import io
import secrets
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from PIL import Image, UnidentifiedImageError

from viralcore.core.clock import monotonic
from viralcore.core.nursery import Nursery
from viralcore.sandbox.telegram.errors import bad_request
from viralcore.sandbox.telegram.limits import FloodLimits
from viralcore.sandbox.telegram.markup import Entity
from viralcore.sandbox.telegram.model import Document, Group, Message, Person, Photo, Query
from viralcore.sandbox.telegram.signal import Signal
from viralcore.sandbox.telegram.updates import Updates

PHOTO_BYTES, PHOTO_SIDES, PHOTO_RATIO = 10 * 1024 * 1024, 10_000, 20
_MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}


@dataclass(slots=True)
class Faults:
    """What the next calls that show something will suffer. `polls`: so many getUpdates fail and confirm nothing."""

    flood: int = 0
    flood_seconds: int = 1
    fail: int = 0
    how: str = "error"
    polls: int = 0


@dataclass(slots=True)
class Bot:
    id: int = 7_000_001
    first_name: str = "viralcore"
    username: str = "viralcore_sandbox_bot"
    token: str = ""
    commands: list[dict[str, str]] = field(default_factory=list)
    private_commands: list[dict[str, str]] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)

    def user(self) -> dict[str, Any]:
        """The User object of the bot."""
        return {"id": self.id, "is_bot": True, "first_name": self.first_name, "username": self.username}


class Telegram:
    """People, chats, messages, pictures, pressed buttons and the queue of updates.

    `now`: business time, which dates the messages. `machine`: seconds that never jump, for limits and stale queries.
    `pace`: how many times more than the real one this Telegram takes a second, for tests that are not about its limits.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        nursery: Nursery,
        machine: Callable[[], float] = monotonic,
        pace: float = 1.0,
    ) -> None:
        self.now = now
        self.machine = machine
        self.bot = Bot()
        self.bot.token = f"{self.bot.id}:{secrets.token_urlsafe(26)[:35].ljust(35, 'A')}"
        self.people: dict[int, Person] = {}
        self.groups: dict[int, Group] = {}
        self.photos: dict[str, Photo] = {}
        self.documents: dict[str, Document] = {}
        self.queries: dict[str, Query] = {}
        self.updates = Updates(nursery)
        self.limits = FloodLimits(lambda: machine() * pace)
        self.faults = Faults()
        self.changed = Signal()
        self.version = 0
        self.actions: dict[int, float] = {}
        self._messages: defaultdict[int, dict[int, Message]] = defaultdict(dict)
        self._next_message = 1_000
        self._next_in_supergroup: defaultdict[int, int] = defaultdict(lambda: 1)
        self._seq = 0

    def touch(self) -> int:
        """Something a watcher may want to see changed; returns the new sequence number."""
        self._seq += 1
        self.version = self._seq
        self.changed.fire()
        return self._seq

    def chat(self, chat_id: int) -> dict[str, Any]:
        """The Chat object. Raises KeyError for a chat that does not exist."""
        return self.people[chat_id].chat() if chat_id > 0 else self.groups[chat_id].chat()

    def sender(self, user_id: int) -> dict[str, Any]:
        return self.bot.user() if user_id == self.bot.id else self.people[user_id].user()

    def wire(self, message: Message) -> dict[str, Any]:
        """The Message object, with the message it replies to."""
        shown = message.wire(self.sender(message.sender), self.chat(message.chat_id))
        replied = self.message(message.chat_id, message.reply_to or 0)
        if replied is not None:
            shown["reply_to_message"] = replied.wire(self.sender(replied.sender), self.chat(replied.chat_id))
        return shown

    def message(self, chat_id: int, message_id: int) -> Message | None:
        """A message that has not been deleted."""
        found = self._messages[chat_id].get(message_id) if chat_id in self._messages else None
        return None if found is None or found.deleted else found

    def messages(self, chat_id: int, after: int = 0) -> list[Message]:
        """A chat's messages changed after `after`, in order of their last change, deleted ones included."""
        changed = [message for message in self._messages.get(chat_id, {}).values() if message.seq > after]
        return sorted(changed, key=lambda message: message.seq)

    def all_messages(self, after: int) -> list[Message]:
        """Messages of every chat changed after `after`, in order of their last change."""
        changed = [m for chat in self._messages.values() for m in chat.values() if m.seq > after]
        return sorted(changed, key=lambda message: message.seq)

    def add(
        self,
        chat_id: int,
        sender: int,
        *,
        text: str = "",
        entities: list[Entity] | None = None,
        photo: Photo | None = None,
        document: Document | None = None,
        markup: dict[str, Any] | None = None,
        reply_to: int | None = None,
        note: dict[str, Any] | None = None,
        thread_id: int | None = None,
    ) -> Message:
        """A new message in a chat, with ids as Telegram gives them: supergroups count for themselves. What answers a
        message stands in its topic."""
        if chat_id in self.groups and self.groups[chat_id].kind == "supergroup":
            self._next_in_supergroup[chat_id] += 1
            message_id = self._next_in_supergroup[chat_id]
        else:
            self._next_message += 1
            message_id = self._next_message
        message = Message(
            chat_id=chat_id,
            message_id=message_id,
            seq=self.touch(),
            sender=sender,
            date=self.now(),
            text=text,
            entities=entities or [],
            photo=photo,
            document=document,
            markup=markup,
            reply_to=reply_to,
            note=note,
            thread_id=thread_id if thread_id is not None else self._thread_of(chat_id, reply_to),
        )
        self._messages[chat_id][message_id] = message
        return message

    def topic_name(self, message: Message) -> str | None:
        """What the topic of a message is called; None in General, and where a topic has been deleted."""
        group = self.groups.get(message.chat_id)
        topic = group.topics.get(message.thread_id or 0) if group is not None else None
        return None if topic is None else topic.name

    def _thread_of(self, chat_id: int, reply_to: int | None) -> int | None:
        replied = self.message(chat_id, reply_to) if reply_to is not None else None
        return None if replied is None else replied.thread_id

    def edited(self, message: Message) -> None:
        message.edited_at = self.now()
        message.seq = self.touch()

    def delete(self, message: Message) -> None:
        message.deleted = True
        message.seq = self.touch()

    def keep_document(self, name: str, data: bytes) -> Document:
        """Take a file in. Raises ApiError 400."""
        if not data:
            raise bad_request("file must be non-empty")
        kept = Document(f"BQACAgQAAx0C{secrets.token_urlsafe(36)}", f"AgAD{secrets.token_hex(6)}", name, data)
        self.documents[kept.unique_id] = kept
        return kept

    def keep_photo(self, data: bytes) -> Photo:
        """Take a picture in. Raises ApiError 400 on what Telegram could not show as a photo."""
        if not data:
            raise bad_request("file must be non-empty")
        if len(data) > PHOTO_BYTES:
            raise bad_request(
                f"file of size {len(data)} bytes is too big for a photo; the maximum size is {PHOTO_BYTES} bytes"
            )
        try:
            with Image.open(io.BytesIO(data)) as image:
                image.verify()
                width, height = image.size
                kind = image.format or ""
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
            raise bad_request("IMAGE_PROCESS_FAILED") from None
        if width + height > PHOTO_SIDES or max(width, height) > PHOTO_RATIO * min(width, height):
            raise bad_request("PHOTO_INVALID_DIMENSIONS")
        photo = Photo(
            file_id=f"AgACAgQAAx0C{secrets.token_urlsafe(36)}",
            thumb_id=f"AgACAgQAAx0C{secrets.token_urlsafe(36)}",
            unique_id=f"AQAD{secrets.token_hex(6)}",
            data=data,
            media_type=_MEDIA_TYPES.get(kind, "application/octet-stream"),
            width=width,
            height=height,
        )
        self.photos[photo.file_id] = self.photos[photo.thumb_id] = self.photos[photo.unique_id] = photo
        return photo

"""Who and what a simulated Telegram holds: people, chats, pictures, messages, and how they look on the wire."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from viralcore.sandbox.telegram.markup import Entity, to_html

BotStatus = Literal["member", "administrator", "left", "kicked"]


@dataclass(slots=True)
class Person:
    """`started`: wrote to the bot at least once, so that it may write back. `blocked`: the bot, by this person."""

    id: int
    first_name: str
    username: str = ""
    language_code: str = "en"
    started: bool = False
    blocked: bool = False

    def user(self, *, language: bool = True) -> dict[str, Any]:
        """The User object."""
        shown: dict[str, Any] = {"id": self.id, "is_bot": False, "first_name": self.first_name}
        if self.username:
            shown["username"] = self.username
        if language and self.language_code:
            shown["language_code"] = self.language_code
        return shown

    def chat(self) -> dict[str, Any]:
        """The private Chat object."""
        shown: dict[str, Any] = {"id": self.id, "first_name": self.first_name}
        if self.username:
            shown["username"] = self.username
        return {**shown, "type": "private"}


@dataclass(slots=True)
class Topic:
    """A part of a forum; its number is that of the service message it began with."""

    thread_id: int
    name: str
    closed: bool = False


@dataclass(slots=True)
class Group:
    """`topics`: of a forum, by number; deleted ones are not there. `manages_topics`: the right of the bot."""

    id: int
    title: str
    members: set[int] = field(default_factory=set)
    bot: BotStatus = "administrator"
    moved_to: int | None = None
    """It became this supergroup; nothing is written here any longer."""
    forum: bool = False
    manages_topics: bool = True
    topics: dict[int, Topic] = field(default_factory=dict)

    @property
    def kind(self) -> Literal["group", "supergroup"]:
        return "supergroup" if self.id <= -1_000_000_000_000 else "group"

    def chat(self) -> dict[str, Any]:
        """The group's Chat object."""
        return {"id": self.id, "title": self.title, "type": self.kind, **({"is_forum": True} if self.forum else {})}


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture with its ids; the thumbnail is announced under an id of its own and is the same bytes here."""

    file_id: str
    thumb_id: str
    unique_id: str
    data: bytes
    media_type: str
    width: int
    height: int

    def sizes(self) -> list[dict[str, Any]]:
        """The list of PhotoSize objects, smallest first."""
        scale = min(1.0, 90 / max(self.width, self.height))
        thumb = {
            "file_id": self.thumb_id,
            "file_unique_id": self.unique_id + "t",
            "file_size": max(1, len(self.data) // 20),
            "width": max(1, round(self.width * scale)),
            "height": max(1, round(self.height * scale)),
        }
        full = {
            "file_id": self.file_id,
            "file_unique_id": self.unique_id,
            "file_size": len(self.data),
            "width": self.width,
            "height": self.height,
        }
        return [thumb, full]


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was sent as it is."""

    file_id: str
    unique_id: str
    name: str
    data: bytes

    def wire(self) -> dict[str, Any]:
        """The Document object."""
        return {
            "file_id": self.file_id,
            "file_unique_id": self.unique_id,
            "file_name": self.name,
            "file_size": len(self.data),
        }


@dataclass(slots=True)
class Message:
    """`sender`: a person's id, or the bot's. `text`: the caption when there is a `photo` or a `document`. `note`: a
    service message. `thread_id`: the topic it stands in; None: General, or no forum."""

    chat_id: int
    message_id: int
    seq: int
    sender: int
    date: datetime
    text: str = ""
    entities: list[Entity] = field(default_factory=list)
    photo: Photo | None = None
    document: Document | None = None
    markup: dict[str, Any] | None = None
    edited_at: datetime | None = None
    deleted: bool = False
    reply_to: int | None = None
    note: dict[str, Any] | None = None
    thread_id: int | None = None

    def wire(self, sender: dict[str, Any], chat: dict[str, Any]) -> dict[str, Any]:
        """The Message object, without the message it replies to."""
        shown: dict[str, Any] = {
            "message_id": self.message_id,
            "from": sender,
            "chat": chat,
            "date": int(self.date.timestamp()),
        }
        if self.edited_at is not None:
            shown["edit_date"] = int(self.edited_at.timestamp())
        if self.thread_id is not None:
            shown |= {"message_thread_id": self.thread_id, "is_topic_message": True}
        captioned = self.photo is not None or self.document is not None
        text, entities = ("caption", "caption_entities") if captioned else ("text", "entities")
        if self.photo is not None:
            shown["photo"] = self.photo.sizes()
        if self.document is not None:
            shown["document"] = self.document.wire()
        if self.text:
            shown[text] = self.text
        if self.entities and self.text:
            shown[entities] = self.entities
        if self.markup is not None and "inline_keyboard" in self.markup:
            shown["reply_markup"] = self.markup
        if self.note is not None:
            shown.update(self.note)
        return shown

    def buttons(self) -> list[list[dict[str, Any]]]:
        """The keyboard as the control API shows it."""
        rows = (self.markup or {}).get("inline_keyboard", [])
        return [
            [
                {
                    "text": button["text"],
                    "data": button.get("callback_data"),
                    "url": button.get("url"),
                    "copy": (button.get("copy_text") or {}).get("text"),
                }
                for button in row
            ]
            for row in rows
        ]

    def control(self, topic: str | None = None) -> dict[str, Any]:
        """The message as the control API shows it; `document`, and the name of its `topic`, only when there is one."""
        file = self.document
        document = {"document": {"name": file.name, "url": f"/sandbox/documents/{file.unique_id}"}} if file else {}
        return {
            **document,
            **({"topic": topic} if topic is not None else {}),
            "seq": self.seq,
            "message_id": self.message_id,
            "from": self.sender,
            "date": self.date.isoformat(),
            "text": self.text,
            "html": to_html(self.text, self.entities),
            "photo": f"/sandbox/photos/{self.photo.unique_id}" if self.photo else None,
            "buttons": self.buttons(),
            "edited": self.edited_at is not None,
        }


@dataclass(slots=True)
class Query:
    """A pressed button that waits for its answer. `at`: machine time. `late`: the bot answered when it was too old."""

    id: str
    chat_id: int
    message_id: int
    person: int
    at: float
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    answer: dict[str, Any] | None = None
    late: bool = False

"""What people do: write, press, join, block. Everything the bot will hear of goes through here."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any

from viralcore.sandbox.telegram.markup import found_entities, trim, utf16
from viralcore.sandbox.telegram.model import Group, Message, Person, Query
from viralcore.sandbox.telegram.state import Telegram
from viralcore.sandbox.worlds.control import NonsenseError

TEXT_LIMIT, CAPTION_LIMIT, DATA_BYTES = 4096, 1024, 64
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")


class Inbound:
    """Acts for people. Raises NonsenseError for what nobody could do in Telegram."""

    def __init__(self, telegram: Telegram) -> None:
        self._tg = telegram

    def upsert_person(self, person: Person) -> Person:
        """Make a person known, or change their name; what they did before stays."""
        known = self._tg.people.get(person.id)
        if known is None:
            self._tg.people[person.id] = known = person
        known.first_name, known.username, known.language_code = (
            person.first_name,
            person.username,
            person.language_code,
        )
        self._tg.touch()
        return known

    def add_group(self, group: Group) -> Group:
        """Make a group with the bot in it, or change its title and members; the bot hears of its joining."""
        known = self._tg.groups.get(group.id)
        if known is None:
            self._tg.groups[group.id] = group
            self._bot_moved(group, min(group.members), "left", "administrator")
            self._service_note(group)
        else:
            before, known.title, known.members = known.title, group.title, group.members
            if before != known.title and known.bot in ("member", "administrator"):
                self._note(known, {"new_chat_title": known.title})
            if known.bot in ("left", "kicked"):
                self._bot_moved(known, min(known.members), known.bot, "administrator")
                known.bot = "administrator"
        self._tg.touch()
        return self._tg.groups[group.id]

    def migrate(self, chat_id: int, new_id: int | None) -> Group:
        """A group becomes a supergroup, which is another chat with the same people in it."""
        group = self._tg.groups[chat_id]
        if group.kind != "group" or group.moved_to is not None:
            raise NonsenseError(f"{group.title} is a supergroup already")
        new_id = new_id if new_id is not None else -1_000_000_000_000 + chat_id
        if new_id in self._tg.groups:
            raise NonsenseError(f"there is a group {new_id} already")
        moved = self._tg.groups[new_id] = Group(new_id, group.title, set(group.members), group.bot)
        if moved.kind != "supergroup":
            del self._tg.groups[new_id]
            raise NonsenseError("a supergroup's id is -1000000000000 or less")
        self._note(group, {"migrate_to_chat_id": new_id})
        self._note(moved, {"migrate_from_chat_id": chat_id})
        group.moved_to = new_id
        self._tg.touch()
        return moved

    def make_forum(self, chat_id: int, *, on: bool, manages: bool | None) -> Group:
        """A supergroup gets topics, or has none any longer; `manages`: whether the bot may make them, as it is told."""
        group = self._tg.groups[chat_id]
        if group.kind != "supergroup":
            raise NonsenseError(f"{group.title} is no supergroup; only those can have topics")
        group.forum = on
        if manages is not None and manages != group.manages_topics:
            group.manages_topics = manages
            self._bot_moved(group, min(group.members), group.bot, group.bot, before_topics=not manages)
        self._tg.touch()
        return group

    def change_topic(self, chat_id: int, name: str, *, closed: bool | None, deleted: bool) -> None:
        """Somebody closes, opens or deletes every topic of that name, with all that stands in it."""
        group = self._tg.groups[chat_id]
        found = [topic for topic in group.topics.values() if name in (topic.name, str(topic.thread_id))]
        if not found:
            raise NonsenseError(f"there is no topic {name} in {group.title}", 404)
        for topic in found:
            topic.closed = topic.closed if closed is None else closed
            if deleted:
                del group.topics[topic.thread_id]
                for message in self._tg.messages(chat_id):
                    if message.thread_id == topic.thread_id and not message.deleted:
                        self._tg.delete(message)
        self._tg.touch()

    def remove_bot(self, chat_id: int, by: int) -> None:
        """Throw the bot out of a group."""
        group = self._tg.groups[chat_id]
        self._bot_moved(group, by, group.bot, "kicked")
        group.bot = "kicked"
        self._tg.touch()

    def write(
        self, chat_id: int, person_id: int, *, text: str = "", photo: bytes | None = None, reply_to: int | None = None
    ) -> Message:
        """A person writes to a chat, with a picture if they like."""
        self._may_speak(chat_id, person_id)
        words, entities = self._words(text, CAPTION_LIMIT if photo is not None else TEXT_LIMIT)
        if not words and photo is None:
            raise NonsenseError("a message needs text or photo_base64")
        if reply_to is not None and self._tg.message(chat_id, reply_to) is None:
            raise NonsenseError(f"there is no message {reply_to} to reply to", 404)
        picture = self._tg.keep_photo(photo) if photo is not None else None
        message = self._tg.add(chat_id, person_id, text=words, entities=entities, photo=picture, reply_to=reply_to)
        if chat_id > 0:
            self._tg.people[chat_id].started = True
        self._tg.updates.push("message", self._tg.wire(message))
        return message

    def edit(self, chat_id: int, person_id: int, message_id: int, text: str) -> Message:
        """A person edits what they wrote."""
        self._may_speak(chat_id, person_id)
        message = self._tg.message(chat_id, message_id)
        if message is None or message.sender != person_id:
            raise NonsenseError(f"{person_id} has no message {message_id} in this chat", 404)
        words, entities = self._words(text, CAPTION_LIMIT if message.photo else TEXT_LIMIT)
        if not words and message.photo is None:
            raise NonsenseError("a message needs text")
        message.text, message.entities = words, entities
        self._tg.edited(message)
        self._tg.updates.push("edited_message", self._tg.wire(message))
        return message

    def press(self, chat_id: int, person_id: int, message_id: int, data: str) -> Query:
        """A person presses a button carrying `data`, whether or not the message has such a button."""
        self._may_speak(chat_id, person_id)
        message = self._tg.message(chat_id, message_id)
        if message is None or message.sender != self._tg.bot.id:
            raise NonsenseError(f"the bot has no message {message_id} in this chat", 404)
        if not 1 <= len(data.encode()) <= DATA_BYTES:
            raise NonsenseError("callback data has 1 to 64 bytes")
        query = Query(secrets.token_hex(9), chat_id, message_id, person_id, self._tg.machine())
        self._tg.queries[query.id] = query
        self._tg.updates.push(
            "callback_query",
            {
                "id": query.id,
                "from": self._tg.people[person_id].user(),
                "message": self._tg.wire(message),
                "chat_instance": str(-(10**18) - abs(chat_id)),
                "data": data,
            },
        )
        return query

    def block(self, person_id: int, *, blocked: bool) -> None:
        """A person blocks the bot, or lets it back in."""
        person = self._tg.people.get(person_id)
        if person is None:
            raise NonsenseError(f"there is no user {person_id}", 404)
        if person.blocked == blocked:
            return
        person.blocked = blocked
        before, after = ("member", "kicked") if blocked else ("kicked", "member")
        self._tg.updates.push(
            "my_chat_member",
            {
                "chat": person.chat(),
                "from": person.user(),
                "date": self._date(),
                "old_chat_member": self._membership(before),
                "new_chat_member": self._membership(after),
            },
        )
        self._tg.touch()

    def _may_speak(self, chat_id: int, person_id: int) -> None:
        person = self._tg.people.get(person_id)
        if person is None:
            raise NonsenseError(f"there is no user {person_id}", 404)
        if chat_id > 0:
            if chat_id not in self._tg.people:
                raise NonsenseError(f"there is no chat {chat_id}", 404)
            if chat_id != person_id:
                raise NonsenseError("a private chat belongs to its own person")
            if person.blocked:
                raise NonsenseError(f"{person_id} has blocked the bot; unblock_user first")
            return
        group = self._tg.groups.get(chat_id)
        if group is None:
            raise NonsenseError(f"there is no chat {chat_id}", 404)
        if group.moved_to is not None:
            raise NonsenseError(f"{group.title} is a supergroup now: {group.moved_to}", 410)
        if person_id not in group.members:
            raise NonsenseError(f"{person_id} is not a member of {group.title}", 403)

    def _words(self, text: str, limit: int) -> tuple[str, list[dict[str, Any]]]:
        words, _ = trim(text, [])
        if utf16(words) > limit:
            raise NonsenseError(f"Telegram lets nobody send more than {limit} characters at once", 413)
        return words, found_entities(words)

    def _date(self) -> int:
        return int(self._tg.now().timestamp())

    def _membership(self, status: str, manages: bool | None = None) -> dict[str, Any]:
        shown: dict[str, Any] = {"user": self._tg.bot.user(), "status": status}
        if status == "kicked":
            shown["until_date"] = 0
        if status == "administrator":
            rights = ("can_manage_chat", "can_delete_messages", "can_invite_users", "can_restrict_members")
            shown |= {"can_be_edited": False, "is_anonymous": False, **dict.fromkeys(rights, True)}
            shown |= {} if manages is None else {"can_manage_topics": manages}
            more = ("can_manage_video_chats", "can_promote_members", "can_change_info")
            stories = ("can_post_stories", "can_edit_stories", "can_delete_stories")
            shown |= dict.fromkeys((*more, *stories), False)
        return shown

    def _bot_moved(self, group: Group, by: int, before: str, after: str, *, before_topics: bool | None = None) -> None:
        self._tg.updates.push(
            "my_chat_member",
            {
                "chat": group.chat(),
                "from": self._tg.people[by].user(),
                "date": self._date(),
                "old_chat_member": self._membership(before, before_topics),
                "new_chat_member": self._membership(after, group.manages_topics if group.forum else None),
            },
        )

    def _service_note(self, group: Group) -> None:
        joined = self._tg.bot.user()
        self._note(group, {"new_chat_members": [joined], "new_chat_member": joined, "new_chat_participant": joined})

    def _note(self, group: Group, told: dict[str, Any]) -> None:
        """A service message."""
        note = self._tg.add(group.id, min(group.members), note=told)
        self._tg.updates.push("message", self._tg.wire(note))


def find_button(message: Message, wanted: str) -> dict[str, Any] | None:
    """The button a person means by `wanted`: its label, its data, or a part of exactly one label.

    None when nothing fits. Raises NonsenseError when several do.
    """
    buttons = [button for row in message.buttons() for button in row]
    plain = _plain(wanted)
    tests: tuple[Callable[[dict[str, Any]], bool], ...] = (
        lambda b: b["text"] == wanted,
        lambda b: b["data"] == wanted,
        lambda b: bool(plain) and _plain(b["text"]) == plain,
        lambda b: bool(plain) and re.search(rf"\b{re.escape(plain)}\b", _plain(b["text"])) is not None,
        lambda b: bool(plain) and plain in _plain(b["text"]),
    )
    for number, test in enumerate(tests):
        fitting = [button for button in buttons if test(button)]
        if len(fitting) > 1 and number > 0:
            raise NonsenseError(f"{wanted!r} fits several buttons: {', '.join(b['text'] for b in fitting)}")
        if fitting:
            return fitting[0]
    return None


def _plain(label: str) -> str:
    """A label without the signs and emoji around it, in small letters."""
    return _EDGES.sub("", label).casefold()

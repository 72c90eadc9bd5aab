"""A stored update as python-telegram-bot's types, with what handlers look at and nothing else.

The library's own decoding asks a message for each of its hundred kinds of content, and decodes the keyboard of a
pressed message and all a message is an answer to. For the two updates nearly everybody sends that costs more than
everything else that happens to them, so those are put together here; all others are decoded by the library.

Putting them together with the library's constructors is slow as well: a Message alone sets a hundred attributes to
None, each through a check whether it may. So each kind is constructed once, as an example, and then copied: attribute
by attribute, past that check, with what is different put on top.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from telegram import Bot, CallbackQuery, Chat, Message, TelegramObject, Update, User
from telegram.constants import ChatType

T = TypeVar("T", bound=TelegramObject)
_UNSET = object()


class _Mould(Generic[T]):
    """Makes objects like `example`, but for the attributes named."""

    def __init__(self, example: T, *names: str) -> None:
        kind = type(example)
        slots = [slot for one in reversed(kind.__mro__) for slot in getattr(one, "__slots__", ())]
        if hasattr(example, "__dict__") and example.__dict__:
            raise TypeError(f"{kind.__name__} keeps attributes outside of its slots")
        self._kind = kind
        self._same: list[tuple[Callable[[T, Any], None], Any]] = [
            (getattr(kind, slot).__set__, getattr(example, slot))
            for slot in slots
            if slot not in names and getattr(example, slot, _UNSET) is not _UNSET
        ]
        self._put: list[Callable[[T, Any], None]] = [getattr(kind, name).__set__ for name in names]

    def __call__(self, *values: Any) -> T:
        """`values`: of the attributes named, in their order."""
        made = self._kind.__new__(self._kind)
        for put, value in self._same:
            put(made, value)
        for put, value in zip(self._put, values, strict=True):
            put(made, value)
        return made


_NOBODY, _NOWHERE = User(0, "", False), Chat(0, Chat.PRIVATE)
_NOTHING = Message(0, datetime.fromtimestamp(0, UTC), _NOWHERE)
_KEPT = frozenset({"photo", "reply_to_message", "new_chat_title", "migrate_to_chat_id", "migrate_from_chat_id"})
_CHATS = {kind.value: kind for kind in ChatType}
_IDENTITY = "_id_attrs"  # what the library compares objects by
_a_user = _Mould(_NOBODY, "id", "first_name", "is_bot", "username", "language_code", _IDENTITY)
_a_chat = _Mould(_NOWHERE, "id", "type", _IDENTITY)
_a_message = _Mould(_NOTHING, "message_id", "date", "chat", "from_user", "text", _IDENTITY)
_a_press = _Mould(
    CallbackQuery("", _NOBODY, "", message=_NOTHING), "id", "from_user", "chat_instance", "message", "data", _IDENTITY
)
_an_update = _Mould(Update(0), "update_id", "message", "callback_query", _IDENTITY)


def decoded(payload: Mapping[str, Any], bot: Bot) -> Update | None:
    """None for what is no update at all."""
    found = _press(payload) or _line(payload)
    return found if found is not None else Update.de_json(dict(payload), bot)


def _press(payload: Mapping[str, Any]) -> Update | None:
    press = payload.get("callback_query")
    if not isinstance(press, dict):
        return None
    message = _message(press.get("message"))
    if message is None or not isinstance(press.get("from"), dict):
        return None
    number, sender = press["id"], _user(press["from"])
    query = _a_press(number, sender, press.get("chat_instance", ""), message, press.get("data"), (number,))
    return _an_update(payload["update_id"], None, query, (payload["update_id"],))


def _line(payload: Mapping[str, Any]) -> Update | None:
    given = payload.get("message")
    if isinstance(given, dict) and not _KEPT.isdisjoint(given):
        return None  # somebody may have asked for it, or it says which question it answers: the library keeps it
    message = _message(payload.get("message"))
    return _an_update(payload["update_id"], message, None, (payload["update_id"],)) if message is not None else None


def _message(given: Any) -> Message | None:
    """None for what needs the library: nothing at all, or a message that Telegram no longer shows us (date 0)."""
    if not isinstance(given, dict) or not given.get("date") or not isinstance(given.get("chat"), dict):
        return None
    sender, number, chat = given.get("from"), given["message_id"], _chat(given["chat"])
    return _a_message(
        number,
        datetime.fromtimestamp(given["date"], UTC),
        chat,
        _user(sender) if isinstance(sender, dict) else None,
        given.get("text"),
        (number, chat),
    )


def _chat(given: Mapping[str, Any]) -> Chat:
    number, kind = given["id"], given["type"]
    return _a_chat(number, _CHATS.get(kind, kind), (number,))


def _user(given: Mapping[str, Any]) -> User:
    number = given["id"]
    return _a_user(
        number, given["first_name"], given["is_bot"], given.get("username"), given.get("language_code"), (number,)
    )

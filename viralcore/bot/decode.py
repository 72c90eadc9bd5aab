"""A stored update as python-telegram-bot's types, with what handlers look at and nothing else.

The library's own decoding asks a message for each of its hundred kinds of content, and decodes the keyboard of a
pressed message and all a message is an answer to. For the two updates nearly everybody sends that costs more than
everything else that happens to them, so those are put together here; all others are decoded by the library.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from telegram import Bot, CallbackQuery, Chat, Message, Update, User


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
    query = CallbackQuery(
        press["id"], _user(press["from"]), press.get("chat_instance", ""), message=message, data=press.get("data")
    )
    return Update(payload["update_id"], callback_query=query)


def _line(payload: Mapping[str, Any]) -> Update | None:
    message = _message(payload.get("message"))
    return Update(payload["update_id"], message=message) if message is not None else None


def _message(given: Any) -> Message | None:
    """None for what needs the library: nothing at all, or a message that Telegram no longer shows us (date 0)."""
    if not isinstance(given, dict) or not given.get("date") or not isinstance(given.get("chat"), dict):
        return None
    sender = given.get("from")
    return Message(
        given["message_id"],
        datetime.fromtimestamp(given["date"], UTC),
        Chat(given["chat"]["id"], given["chat"]["type"]),
        from_user=_user(sender) if isinstance(sender, dict) else None,
        text=given.get("text"),
    )


def _user(given: Mapping[str, Any]) -> User:
    return User(
        given["id"],
        given["first_name"],
        given["is_bot"],
        username=given.get("username"),
        language_code=given.get("language_code"),
    )

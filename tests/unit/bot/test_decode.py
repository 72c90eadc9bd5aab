"""Our short decoding against the library's: what a handler looks at is the same."""

from __future__ import annotations

from typing import Any

import pytest
from telegram import Bot, Update

from viralcore.bot.decode import decoded

BOT = Bot("1:x")
ADA = {"id": 7, "is_bot": False, "first_name": "Ada", "username": "ada", "language_code": "en"}
PRIVATE = {"id": 7, "type": "private", "first_name": "Ada", "username": "ada"}
GROUP = {"id": -100, "type": "supergroup", "title": "Admins"}
TEXT = {"message_id": 3, "date": 1_700_000_000, "chat": PRIVATE, "from": ADA, "text": "/balance"}
PHOTO = {key: value for key, value in TEXT.items() if key != "text"} | {
    "photo": [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}],
    "caption": "look",
}
CARD = TEXT | {"chat": GROUP, "reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": "y"}]]}}
CHANNEL = {key: value for key, value in TEXT.items() if key != "from"} | {"chat": GROUP, "sender_chat": GROUP}
GONE = {"message_id": 3, "date": 0, "chat": PRIVATE}


def press(message: Any) -> dict[str, Any]:
    return {"callback_query": {"id": "9", "from": ADA, "chat_instance": "c", "data": "A", "message": message}}


def looked_at(update: Update) -> list[Any]:
    query, message = update.callback_query, update.effective_message
    person, chat = update.effective_user, update.effective_chat
    return [
        update.update_id,
        (query.id, query.data, query.from_user.to_dict()) if query is not None else None,
        (message.message_id, message.date, getattr(message, "text", None)) if message is not None else None,
        update.message is not None,
        update.edited_message is not None,
        update.my_chat_member is not None,
        (chat.id, chat.type) if chat is not None else None,
        person.to_dict() if person is not None else None,
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"message": TEXT},
        {"message": PHOTO},
        {"message": CARD},
        {"message": CHANNEL},
        {"message": TEXT | {"reply_to_message": CARD}},
        {"edited_message": TEXT | {"edit_date": 1_700_000_001}},
        press(TEXT),
        press(PHOTO),
        press(CARD),
        press(GONE),
        {"callback_query": {"id": "9", "from": ADA, "chat_instance": "c", "data": "A", "inline_message_id": "i"}},
        {"channel_post": CHANNEL},
        {},
    ],
)
def test_a_handler_sees_what_the_library_would_show_it(body: dict[str, Any]) -> None:
    payload = {"update_id": 5, **body}
    ours, theirs = decoded(payload, BOT), Update.de_json(payload, BOT)
    assert ours is not None
    assert looked_at(ours) == looked_at(theirs)

"""Our short decoding against the library's: what a handler looks at is the same."""

from __future__ import annotations

from typing import Any

import pytest
from telegram import Bot, Chat, TelegramObject, Update

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

LEFT_OUT = {("first_name", Chat), ("username", Chat)}


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


@pytest.mark.parametrize("body", [{"message": TEXT}, press(TEXT)])
def test_what_is_copied_is_as_the_library_makes_it(body: dict[str, Any]) -> None:
    payload = {"update_id": 5, **body}
    ours, theirs = decoded(payload, BOT), Update.de_json(payload, BOT)
    pairs: list[tuple[Any, Any]] = [(ours, theirs)]
    while pairs:
        one, other = pairs.pop()
        assert type(one) is type(other)
        assert one == other
        assert hash(one) == hash(other)
        slots = [slot for kind in type(one).__mro__ for slot in getattr(kind, "__slots__", ())]
        assert slots
        for slot in slots:
            mine, its = getattr(one, slot, None), getattr(other, slot, None)
            if isinstance(its, TelegramObject) and slot != "_bot":
                pairs.append((mine, its))
            elif slot not in ("_bot", "_id_attrs"):
                assert mine == its or (slot, type(one)) in LEFT_OUT, (type(one), slot)
        with pytest.raises(AttributeError):
            one.anything = 1


def test_one_copy_knows_nothing_of_another() -> None:
    first = decoded({"update_id": 5, "message": TEXT}, BOT)
    again = decoded({"update_id": 6, "message": {key: TEXT[key] for key in ("message_id", "date", "chat")}}, BOT)
    assert first is not None
    assert again is not None
    assert again.message is not None
    assert (again.message.text, again.message.from_user, again.update_id) == (None, None, 6)
    assert first.effective_user is not None
    assert again.effective_user is None

"""Sending, editing and deleting: every refusal in Telegram's own words."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest

from tests.support.telegram import ADA, CREW, Line, fixture

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
KEYS = {"inline_keyboard": [[{"text": "A", "callback_data": "a"}]]}


def with_button(**button: Any) -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": "x", **button}]]}


@pytest.mark.parametrize(
    ("parameters", "description"),
    [
        ({"text": ""}, "message text is empty"),
        ({"text": "  \n "}, "message text is empty"),
        ({"text": "<b></b>", "parse_mode": "HTML"}, "message text is empty"),
        ({"text": "x" * 4097}, "message is too long"),
        ({"text": "🎉" * 2049}, "message is too long"),
        ({"text": "x", "parse_mode": "Markdown"}, "unsupported parse_mode"),
        ({"text": "x", "reply_markup": with_button(callback_data="é" * 33)}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "reply_markup": with_button(callback_data="")}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "reply_markup": with_button(copy_text={"text": ""})}, "BUTTON_COPY_TEXT_INVALID"),
        ({"text": "x", "reply_markup": with_button(copy_text={"text": "y" * 257})}, "BUTTON_COPY_TEXT_INVALID"),
        (
            {"text": "x", "reply_markup": with_button(url="no")},
            "inline keyboard button URL 'no' is invalid: Wrong HTTP URL",
        ),
        (
            {"text": "x", "reply_markup": with_button()},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        ({"text": "x", "reply_markup": "nonsense"}, "can't parse reply markup JSON object"),
        ({"text": "x", "reply_parameters": {"message_id": 5}}, "message to be replied not found"),
    ],
)
async def test_refused(line: Line, parameters: dict[str, Any], description: str) -> None:
    assert await line.refused("sendMessage", chat_id=ADA, **parameters) == f"Bad Request: {description}"


async def test_limits_count_after_entities(line: Line) -> None:
    sent = await line.ok("sendMessage", chat_id=ADA, text="<b>" + "&lt;" * 4096 + "</b>", parse_mode="HTML")
    assert len(sent["text"]) == 4096
    assert sent["entities"] == [{"offset": 0, "length": 4096, "type": "bold"}]
    assert await line.ok("sendMessage", chat_id=ADA, text="x", reply_markup=with_button(callback_data="é" * 32))
    long = await line.call("sendMessage", chat_id=ADA, text="x" * 4097)
    assert long == fixture("error_400_message_too_long")


async def test_buttons_that_copy_and_lead_away(line: Line) -> None:
    rows = [[{"text": "c", "copy_text": {"text": "0xabc"}}, {"text": "u", "url": "https://t.me/share/url?url=x"}]]
    sent = await line.ok("sendMessage", chat_id=ADA, text="x", reply_markup={"inline_keyboard": rows})
    assert sent["reply_markup"]["inline_keyboard"] == rows


async def test_editing(line: Line) -> None:
    sent = await line.ok("sendMessage", chat_id=ADA, text="one", reply_markup=KEYS)
    where = {"chat_id": ADA, "message_id": sent["message_id"]}
    same = await line.call("editMessageText", text="one", reply_markup=KEYS, **where)
    assert same == fixture("error_400_not_modified")
    edited = await line.ok("editMessageText", text="<b>two</b>", parse_mode="HTML", **where)
    assert edited["text"] == "two"
    assert "edit_date" in edited
    assert "reply_markup" not in edited  # an edit without a keyboard takes it away
    assert await line.ok("editMessageReplyMarkup", reply_markup=KEYS, **where)
    assert (await line.refused("editMessageReplyMarkup", reply_markup=KEYS, **where)).endswith("of the message")
    assert await line.refused("editMessageCaption", caption="x", **where) == (
        "Bad Request: there is no caption in the message to edit"
    )
    assert await line.refused("editMessageText", text="x", chat_id=ADA, message_id=1) == (
        "Bad Request: message to edit not found"
    )
    theirs = line.inbound.write(ADA, ADA, text="mine")
    assert await line.refused("editMessageText", text="x", chat_id=ADA, message_id=theirs.message_id) == (
        "Bad Request: message can't be edited"
    )


async def test_deleting(line: Line) -> None:
    sent = await line.ok("sendMessage", chat_id=ADA, text="one")
    old = await line.ok("sendMessage", chat_id=ADA, text="two")
    assert await line.ok("deleteMessage", chat_id=ADA, message_id=sent["message_id"]) is True
    gone = await line.refused("deleteMessage", chat_id=ADA, message_id=sent["message_id"])
    assert gone == "Bad Request: message to delete not found"
    line.clock.advance(timedelta(hours=49).total_seconds())
    assert not (await line.call("deleteMessage", chat_id=ADA, message_id=old["message_id"]))["ok"]


async def test_pictures(line: Line) -> None:
    url = f"/bot{line.telegram.bot.token}/sendPhoto"
    answer = await line.http.post(url, data={"chat_id": str(ADA), "caption": "look"}, files={"photo": ("p.png", PIXEL)})
    sent = answer.json()["result"]
    assert sent["caption"] == "look"
    full = sent["photo"][-1]
    assert (full["width"], full["height"], full["file_size"]) == (1, 1, len(PIXEL))

    again = await line.ok("sendPhoto", chat_id=ADA, photo=full["file_id"])
    assert again["photo"][-1]["file_unique_id"] == full["file_unique_id"]
    info = await line.ok("getFile", file_id=full["file_id"])
    data = await line.http.get(f"/file/bot{line.telegram.bot.token}/{info['file_path']}")
    assert data.content == PIXEL

    line.calm()
    assert "URL" in await line.refused("sendPhoto", chat_id=ADA, photo="https://e.org/p.png")
    assert "wrong file identifier" in await line.refused("sendPhoto", chat_id=ADA, photo="AgAC-other")
    too_long = await line.call("sendPhoto", chat_id=ADA, photo=full["file_id"], caption="x" * 1025)
    assert too_long == fixture("error_400_caption_too_long")
    broken = await line.http.post(url, data={"chat_id": str(ADA)}, files={"photo": ("p.png", b"not a picture")})
    assert broken.json()["description"] == "Bad Request: IMAGE_PROCESS_FAILED"

    where = {"chat_id": ADA, "message_id": sent["message_id"]}
    assert await line.refused("editMessageText", text="x", **where) == (
        "Bad Request: there is no text in the message to edit"
    )
    assert (await line.ok("editMessageCaption", caption="<i>see</i>", parse_mode="HTML", **where))["caption"] == "see"
    media = {"type": "photo", "media": full["file_id"], "caption": "see"}
    assert (await line.ok("editMessageMedia", media=media, **where))["caption"] == "see"


async def test_a_text_may_become_a_picture(line: Line) -> None:
    sent = await line.ok("sendMessage", chat_id=ADA, text="x")
    url = f"/bot{line.telegram.bot.token}/editMessageMedia"
    form = {
        "chat_id": str(ADA),
        "message_id": str(sent["message_id"]),
        "media": '{"type":"photo","media":"attach://f"}',
    }
    answer = await line.http.post(url, data=form, files={"f": ("p.png", PIXEL)})
    assert answer.json()["result"]["photo"]


async def test_forms_and_json_say_the_same(line: Line) -> None:
    form = {
        "chat_id": str(ADA),
        "text": "x",
        "reply_markup": '{"inline_keyboard":[[{"text":"A","callback_data":"a"}]]}',
    }
    url = f"/bot{line.telegram.bot.token}/sendMessage"
    posted = (await line.http.post(url, data=form)).json()["result"]
    queried = (await line.http.get(url, params=form)).json()["result"]
    assert posted["reply_markup"] == queried["reply_markup"] == KEYS


async def test_callbacks(line: Line) -> None:
    sent = await line.ok("sendMessage", chat_id=ADA, text="x", reply_markup=KEYS)
    query = line.inbound.press(ADA, ADA, sent["message_id"], "a")
    assert await line.ok("answerCallbackQuery", callback_query_id=query.id, text="done", show_alert=True)
    assert query.answer == {"text": "done", "alert": True}
    old = fixture("error_400_query_too_old")
    assert await line.call("answerCallbackQuery", callback_query_id=query.id) == old
    assert await line.call("answerCallbackQuery", callback_query_id="never") == old
    late = line.inbound.press(ADA, ADA, sent["message_id"], "forged")
    line.machine.seconds += 61
    assert await line.call("answerCallbackQuery", callback_query_id=late.id) == old


async def test_floods(line: Line) -> None:
    answers = [await line.call("sendMessage", chat_id=ADA, text=str(number)) for number in range(6)]
    refused = [answer for answer in answers if not answer["ok"]]
    assert refused
    wait = refused[0]["parameters"]["retry_after"]
    assert refused[0]["description"] == fixture("error_429_retry_after")["description"].replace("35", str(wait))
    line.machine.seconds += wait
    assert (await line.call("sendMessage", chat_id=ADA, text="again"))["ok"]
    line.calm()
    for number in range(20):
        assert (await line.call("sendMessage", chat_id=CREW, text=str(number)))["ok"]
        line.machine.seconds += 1.05
    full = await line.call("sendMessage", chat_id=CREW, text="one too many")
    assert full["parameters"]["retry_after"] > 30
    assert (await line.call("sendMessage", chat_id=ADA, text="others may"))["ok"]


async def test_thirty_a_second_over_all_chats(line: Line) -> None:
    from viralcore.sandbox.telegram.model import Person

    for number in range(40):
        line.inbound.upsert_person(Person(3000 + number, "P"))
        line.inbound.write(3000 + number, 3000 + number, text="hi")
    answers = [await line.call("sendMessage", chat_id=3000 + number, text="x") for number in range(40)]
    assert sum(answer["ok"] for answer in answers) == 30


async def test_ordered_faults(line: Line) -> None:
    line.telegram.faults.flood = 1
    assert (await line.call("sendMessage", chat_id=ADA, text="x"))["error_code"] == 429
    line.telegram.faults.fail = 1
    assert (await line.call("sendMessage", chat_id=ADA, text="x"))["error_code"] == 500
    assert (await line.call("sendMessage", chat_id=ADA, text="x"))["ok"]
    line.telegram.faults.fail, line.telegram.faults.how = 1, "lose_answer"
    before = len(line.telegram.messages(ADA))
    with pytest.raises(ConnectionAbortedError):
        await line.call("sendMessage", chat_id=ADA, text="lost")
    assert len(line.telegram.messages(ADA)) == before + 1


async def test_files(line: Line) -> None:
    url = f"/bot{line.telegram.bot.token}/sendDocument"
    file = {"document": ("list.csv", b"a,b\r\n")}
    answer = await line.http.post(
        url, data={"chat_id": str(ADA), "caption": "<b>all</b>", "parse_mode": "HTML"}, files=file
    )
    sent = answer.json()["result"]
    assert (sent["caption"], sent["document"]["file_name"], sent["document"]["file_size"]) == ("all", "list.csv", 5)
    shown = line.telegram.messages(ADA)[-1].control()
    assert shown["document"]["name"] == "list.csv"
    unique = shown["document"]["url"].rpartition("/")[2]
    assert line.telegram.documents[unique].data == b"a,b\r\n"

    line.calm()
    assert "no document" in await line.refused("sendDocument", chat_id=ADA)
    assert "wrong file identifier" in await line.refused("sendDocument", chat_id=ADA, document="BQAC-other")
    empty = await line.http.post(url, data={"chat_id": str(ADA)}, files={"document": ("list.csv", b"")})
    assert empty.json()["description"] == "Bad Request: file must be non-empty"

"""The messenger over python-telegram-bot: against the simulated Telegram, and against its recorded refusals."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image
from telegram import Bot
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, HTTPXRequest, RequestData

from tests.support.telegram import ADA, BOLA, CREW, Line, fixture, open_line
from viralcore.core.screen import Button, Html, Picture, Screen, decode
from viralcore.notifications.adapters.telegram import TelegramMessenger
from viralcore.notifications.ports import (
    Answer,
    Blocked,
    Gone,
    Moved,
    NoTopic,
    Rejected,
    Shown,
    Silent,
    TopicMade,
    Unsent,
    Wait,
)
from viralcore.sandbox.telegram.app import TelegramApp
from viralcore.texts.actions import Go, PhasePlaced

NONCE = "abcdEFGH"
ROWS = (
    (Button("📦 Order #7", Go("order:7")), Button("It was placed", PhasePlaced(5))),
    (Button("Terms", url="https://example.org/terms"), Button("Copy", copy="15.0034")),
)
SCREEN = Screen(Html("<b>Order</b> of &lt;Ada&gt; https://x.com/a/status/1"), ROWS)


class Lane:
    """Counts how often it was entered and whether somebody is inside."""

    def __init__(self) -> None:
        self.entered = 0
        self.inside = False

    @contextmanager
    def __call__(self) -> Iterator[None]:
        self.entered, self.inside = self.entered + 1, True
        try:
            yield
        finally:
            self.inside = False


@pytest.fixture
def line() -> Line:
    return open_line()


@pytest.fixture
def lane() -> Lane:
    return Lane()


@pytest.fixture
async def messenger(line: Line, lane: Lane) -> AsyncIterator[TelegramMessenger]:
    transport = httpx.ASGITransport(TelegramApp(line.telegram).app)
    request = HTTPXRequest(httpx_kwargs={"transport": transport})
    bot = Bot(line.telegram.bot.token, base_url="http://telegram/bot", request=request)
    await request.initialize()
    yield TelegramMessenger(bot, lane)
    await request.shutdown()
    await line.http.aclose()


async def test_a_screen_with_every_kind_of_button(line: Line, messenger: TelegramMessenger, lane: Lane) -> None:
    answer = await messenger.send(chat_id=ADA, screen=SCREEN, nonce=NONCE)
    assert isinstance(answer, Shown)
    message = line.telegram.message(ADA, answer.message_id)
    assert message is not None
    assert message.text == "Order of <Ada> https://x.com/a/status/1"
    assert message.markup is not None
    (go, placed), (url, copy) = message.markup["inline_keyboard"]
    assert decode(go["callback_data"]).action == Go("order:7")
    assert decode(placed["callback_data"]).nonce == NONCE
    assert url["url"] == "https://example.org/terms"
    assert copy["copy_text"] == {"text": "15.0034"}
    assert (lane.entered, lane.inside) == (1, False)


async def test_an_edit_changes_the_message_and_takes_buttons_away(line: Line, messenger: TelegramMessenger) -> None:
    sent = await messenger.send(chat_id=ADA, screen=SCREEN, nonce=NONCE)
    assert isinstance(sent, Shown)
    line.calm()
    plain = Screen(Html("Done"))
    assert await messenger.edit(chat_id=ADA, message_id=sent.message_id, screen=plain, nonce=NONCE) == sent
    message = line.telegram.message(ADA, sent.message_id)
    assert message is not None
    assert (message.text, message.markup) == ("Done", None)


async def test_an_edit_that_changes_nothing_is_a_success(line: Line, messenger: TelegramMessenger) -> None:
    sent = await messenger.send(chat_id=ADA, screen=SCREEN, nonce=NONCE)
    assert isinstance(sent, Shown)
    line.calm()
    assert await messenger.edit(chat_id=ADA, message_id=sent.message_id, screen=SCREEN, nonce=NONCE) == sent


async def test_a_message_that_is_not_there_is_gone(messenger: TelegramMessenger) -> None:
    assert await messenger.edit(chat_id=ADA, message_id=99_999, screen=SCREEN, nonce=NONCE) == Gone()


async def test_a_picture_somebody_sent_is_shown_by_its_id_and_its_words_are_edited(
    line: Line, messenger: TelegramMessenger
) -> None:
    out = BytesIO()
    Image.new("RGB", (20, 30), "white").save(out, "PNG")
    told = line.telegram.keep_photo(out.getvalue()).file_id
    card = replace(SCREEN, picture=Picture("file", told))
    sent = await messenger.send(chat_id=CREW, screen=card, nonce=NONCE)
    assert isinstance(sent, Shown)
    message = line.telegram.message(CREW, sent.message_id)
    assert message is not None
    assert (message.photo is not None, message.text) == (True, "Order of <Ada> https://x.com/a/status/1")
    line.calm()
    done = Screen(Html("Done"), picture=card.picture)
    assert await messenger.edit(chat_id=CREW, message_id=sent.message_id, screen=done, nonce=NONCE) == sent
    message = line.telegram.message(CREW, sent.message_id)
    assert message is not None
    assert (message.text, message.markup) == ("Done", None)


async def test_a_picture_that_cannot_be_shown_leaves_the_words(line: Line, messenger: TelegramMessenger) -> None:
    card = replace(SCREEN, picture=Picture("file", "nobody-knows-it"))
    sent = await messenger.send(chat_id=CREW, screen=card, nonce=NONCE)
    assert isinstance(sent, Shown)
    line.calm()
    done = Screen(Html("Done"), picture=card.picture)
    assert await messenger.edit(chat_id=CREW, message_id=sent.message_id, screen=done, nonce=NONCE) == sent
    message = line.telegram.message(CREW, sent.message_id)
    assert message is not None
    assert (message.photo, message.text) == (None, "Done")


async def test_people_and_groups_that_cannot_be_written_to(line: Line, messenger: TelegramMessenger) -> None:
    assert isinstance(await messenger.send(chat_id=BOLA, screen=SCREEN, nonce=NONCE), Blocked)
    assert isinstance(await messenger.send(chat_id=987_654, screen=SCREEN, nonce=NONCE), Blocked)
    line.telegram.groups[CREW].bot = "kicked"
    assert isinstance(await messenger.send(chat_id=CREW, screen=SCREEN, nonce=NONCE), Blocked)


async def test_a_flood_says_how_long(line: Line, messenger: TelegramMessenger) -> None:
    answers = [await messenger.send(chat_id=CREW, screen=SCREEN, nonce=NONCE) for _ in range(25)]
    waits = [answer for answer in answers if isinstance(answer, Wait)]
    assert waits
    assert all(wait.seconds >= 1 for wait in waits)


async def test_a_card_stands_in_its_topic_and_is_edited_there(line: Line, messenger: TelegramMessenger) -> None:
    assert await messenger.is_forum(chat_id=CREW) is False
    assert await messenger.make_topic(chat_id=CREW, name="Orders") == Rejected("The chat is not a forum")
    line.inbound.make_forum(CREW, on=True, manages=None)
    assert await messenger.is_forum(chat_id=CREW) is True
    assert await messenger.is_forum(chat_id=987_654) is False
    made = await messenger.make_topic(chat_id=CREW, name="Orders")
    assert isinstance(made, TopicMade)
    photo = BytesIO()
    Image.new("RGB", (90, 60), "white").save(photo, "PNG")
    kept = line.telegram.keep_photo(photo.getvalue())
    for screen in (SCREEN, replace(SCREEN, picture=Picture("file", kept.file_id))):
        sent = await messenger.send(chat_id=CREW, screen=screen, nonce=NONCE, thread_id=made.thread_id)
        assert isinstance(sent, Shown)
        line.calm()
        done = replace(screen, text=Html("Done"))
        assert await messenger.edit(chat_id=CREW, message_id=sent.message_id, screen=done, nonce=NONCE) == sent
        message = line.telegram.message(CREW, sent.message_id)
        assert message is not None
        assert (message.text, message.thread_id, message.photo is None) == (
            "Done",
            made.thread_id,
            screen.picture is None,
        )
        line.calm()


async def test_a_topic_that_is_closed_or_gone(line: Line, messenger: TelegramMessenger) -> None:
    line.inbound.make_forum(CREW, on=True, manages=None)
    made = await messenger.make_topic(chat_id=CREW, name="Orders")
    assert isinstance(made, TopicMade)
    place = {"chat_id": CREW, "screen": SCREEN, "nonce": NONCE, "thread_id": made.thread_id}
    line.inbound.make_forum(CREW, on=True, manages=False)
    assert await messenger.make_topic(chat_id=CREW, name="x") == Rejected("Not enough rights to create a topic")
    line.inbound.change_topic(CREW, "Orders", closed=True, deleted=False)
    assert await messenger.send(**place) == NoTopic(closed=True)
    line.inbound.change_topic(CREW, "Orders", closed=None, deleted=True)
    assert await messenger.send(**place) == NoTopic()


class Recorded(BaseRequest):
    """Answers every call with one recorded answer, or raises."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    @property
    def read_timeout(self) -> float | None:
        return 1.0

    async def initialize(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any
    ) -> tuple[int, bytes]:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer["error_code"], json.dumps(self._answer).encode()


async def told(answer: Any, *, edit: bool = False) -> Answer:
    bot = Bot("42:TOKEN", request=Recorded(answer))
    messenger = TelegramMessenger(bot, Lane())
    if edit:
        return await messenger.edit(chat_id=ADA, message_id=5, screen=SCREEN, nonce=NONCE)
    return await messenger.send(chat_id=ADA, screen=SCREEN, nonce=NONCE)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("error_403_blocked", Blocked),
        ("error_403_deactivated", Blocked),
        ("error_403_cant_initiate", Blocked),
        ("error_403_kicked_group", Blocked),
        ("error_403_kicked_supergroup", Blocked),
        ("error_403_not_member_channel", Blocked),
        ("error_400_chat_not_found", Blocked),
        ("error_400_migrated", Moved),
        ("error_429_retry_after", Wait),
        ("error_400_cant_parse_entities", Rejected),
        ("error_400_message_too_long", Rejected),
        ("error_400_button_data_invalid", Rejected),
        ("error_400_thread_not_found", NoTopic),
        ("error_400_topic_closed", NoTopic),
        ("error_400_topic_no_right", Rejected),
        ("error_400_not_a_forum", Rejected),
        ("error_401", Unsent),
        ("error_404", Unsent),
    ],
)
async def test_recorded_refusals(name: str, kind: type[Answer]) -> None:
    assert isinstance(await told(fixture(name)), kind)


async def test_what_a_refusal_carries() -> None:
    assert await told(fixture("error_400_migrated")) == Moved(-1001234567890)
    limit = fixture("error_429_retry_after")
    assert await told(limit) == Wait(float(limit["parameters"]["retry_after"]))
    assert await told(fixture("error_400_not_modified"), edit=True) == Shown(5)


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (TimedOut(), Silent("timed_out")),
        (TimedOut("Timed out while connecting: nothing was sent"), Unsent("connect_timeout")),
        (NetworkError("Not connected (ConnectionRefusedError): nothing was sent"), Unsent("not_connected")),
        (NetworkError("ServerDisconnected"), Silent("network_error")),
    ],
)
async def test_bad_weather(error: Exception, answer: Answer) -> None:
    assert await told(error) == answer


@pytest.mark.parametrize("code", [500, 502, 504])
async def test_a_broken_telegram_may_have_sent_it(code: int) -> None:
    answer = {"ok": False, "error_code": code, "description": "Internal Server Error"}
    assert await told(answer) == Silent("network_error")

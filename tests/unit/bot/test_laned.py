"""The laned transport: which calls wait, what a 429 does, and that the caller's own refusals stay theirs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from telegram import Bot, InputMediaPhoto
from telegram.error import RetryAfter
from telegram.request import BaseRequest, RequestData

from viralcore.bot.laned import LanedRequest, creates_message, retry_after
from viralcore.bot.lanes import Lanes, lane
from viralcore.bot.transport import method_of
from viralcore.core.errors import OpenTransaction

MESSAGE = {"message_id": 5, "date": 1, "chat": {"id": 7, "type": "private"}, "text": "hi"}


class Scripted(BaseRequest):
    """An inner transport that answers from a script, and success after its end."""

    def __init__(self, *script: tuple[int, Any]) -> None:
        self.script = list(script)
        self.calls: list[tuple[str, Any]] = []
        self.started = 0

    @property
    def read_timeout(self) -> float | None:
        return 1.0

    async def initialize(self) -> None:
        self.started += 1

    async def shutdown(self) -> None:
        self.started -= 1

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *args: Any, **kwargs: Any
    ) -> tuple[int, bytes]:
        parameters = request_data.parameters if request_data is not None else {}
        self.calls.append((method_of(url), parameters.get("chat_id")))
        if self.script:
            code, body = self.script.pop(0)
            return code, json.dumps(body).encode()
        result: Any = MESSAGE if creates_message(method_of(url)) else True
        return 200, json.dumps({"ok": True, "result": result}).encode()


def flood(seconds: float) -> tuple[int, Any]:
    return 429, {"ok": False, "description": "Too Many Requests", "parameters": {"retry_after": seconds}}


def make(*script: tuple[int, Any], **options: Any) -> tuple[Bot, Scripted, Lanes]:
    inner, lanes = Scripted(*script), Lanes(chat_gap=0.0)
    return Bot("1:x", request=LanedRequest(inner, lanes, **options)), inner, lanes


async def test_a_short_429_is_waited_out_and_sent_again() -> None:
    bot, inner, lanes = make(flood(0.1))
    loop = asyncio.get_running_loop()
    began = loop.time()
    await bot.send_message(7, "x")
    assert loop.time() - began >= 0.1
    assert inner.calls == [("sendMessage", 7)] * 2
    assert await lanes.backlog() == 0


async def test_a_429_beyond_patience_is_the_callers_and_the_next_is_not_even_asked() -> None:
    bot, inner, _ = make(flood(35), patience=5)
    with pytest.raises(RetryAfter) as caught:
        await bot.send_message(7, "x")
    assert caught.value._retry_after.total_seconds() == 35
    with pytest.raises(RetryAfter) as again:
        await bot.send_message(7, "y")
    assert 33 <= again.value._retry_after.total_seconds() <= 36
    assert len(inner.calls) == 1
    await bot.send_message(8, "z")
    assert inner.calls[1:] == [("sendMessage", 8)]


async def test_a_chat_that_floods_for_ever_is_given_up() -> None:
    bot, inner, _ = make(*[flood(0.01)] * 10)
    with pytest.raises(RetryAfter):
        await bot.send_message(7, "x")
    assert len(inner.calls) == 4


async def test_what_creates_no_message_does_not_wait() -> None:
    bot, inner, lanes = make()
    lanes.hold(7, 60)
    async with asyncio.timeout(30):  # the hold is of 60 s
        await bot.answer_callback_query("q")
        await bot.delete_message(7, 5)
        await bot.send_chat_action(7, "typing")
    assert [name for name, _ in inner.calls] == ["answerCallbackQuery", "deleteMessage", "sendChatAction"]


async def test_a_429_for_something_else_holds_the_chat_too() -> None:
    bot, _, lanes = make(flood(35))
    with pytest.raises(RetryAfter):
        await bot.delete_message(7, 5)
    assert lanes.held_for(7) > 30


async def test_the_lane_comes_from_the_context_and_the_chat_from_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    bot, _, lanes = make()
    turns: list[tuple[Any, int, str]] = []
    real: Callable[..., Any] = lanes.enter

    async def spy(chat: Any, cost: int, which: Any) -> Any:
        turns.append((chat, cost, which))
        return await real(chat, cost, which)

    monkeypatch.setattr(lanes, "enter", spy)
    await bot.send_message("@Channel", "x")
    with lane("bulk"):
        await bot.send_message("-100123", "x")
        await bot.edit_message_text("x", chat_id=7, message_id=5)
        await bot.edit_message_text("x", inline_message_id="i")
    assert turns == [("@channel", 1, "interactive"), (-100123, 1, "bulk"), (7, 1, "bulk"), (None, 1, "bulk")]


async def test_an_album_counts_as_the_messages_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    bot, inner, lanes = make((200, {"ok": True, "result": [MESSAGE]}))
    costs: list[int] = []
    real: Callable[..., Any] = lanes.enter

    async def spy(chat: Any, cost: int, which: Any) -> Any:
        costs.append(cost)
        return await real(chat, cost, which)

    monkeypatch.setattr(lanes, "enter", spy)
    await bot.send_media_group(7, [InputMediaPhoto("a"), InputMediaPhoto("b"), InputMediaPhoto("c")])
    inner.script.append((200, {"ok": True, "result": [{"message_id": 1}, {"message_id": 2}]}))
    await bot.copy_messages(7, 8, [1, 2])
    assert costs == [3, 2]


async def test_nobody_waits_for_a_turn_inside_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(doing: str) -> None:
        raise OpenTransaction(doing)

    monkeypatch.setattr("viralcore.bot.transport.assert_no_transaction", refuse)
    bot, inner, lanes = make()
    with pytest.raises(OpenTransaction):
        await bot.send_message(7, "x")
    assert inner.calls == []
    assert await lanes.backlog() == 0


async def test_it_starts_and_stops_its_inner_transport() -> None:
    inner = Scripted()
    request = LanedRequest(inner, Lanes())
    async with request:
        assert inner.started == 1
        assert request.read_timeout == 1.0
    assert inner.started == 0


@pytest.mark.parametrize(
    ("method", "counts"),
    [
        ("sendMessage", True),
        ("sendPhoto", True),
        ("sendMediaGroup", True),
        ("editMessageText", True),
        ("editMessageReplyMarkup", True),
        ("copyMessage", True),
        ("forwardMessages", True),
        ("stopPoll", True),
        ("sendChatAction", False),
        ("answerCallbackQuery", False),
        ("getUpdates", False),
        ("getMe", False),
        ("deleteMessage", False),
        ("setMyCommands", False),
    ],
)
def test_which_methods_count(method: str, counts: bool) -> None:
    assert creates_message(method) is counts


@pytest.mark.parametrize(
    ("payload", "seconds"),
    [(b'{"parameters": {"retry_after": 35}}', 35.0), (b"<html>", 1.0), (b"[]", 1.0), (b'{"parameters": null}', 1.0)],
)
def test_what_a_429_names(payload: bytes, seconds: float) -> None:
    assert retry_after(payload) == seconds

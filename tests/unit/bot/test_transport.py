"""The transport against PTB's contract, through a real Bot and a loopback server."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
from aiohttp import web
from telegram import Bot, InputFile, InputMediaPhoto, Message
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import BaseRequest, HTTPXRequest

from tests.support.loopback import Loopback, hang_up, loopback
from viralcore.bot.transport import PooledRequest, TelegramInTransaction, method_of
from viralcore.core.errors import OpenTransaction
from viralcore.core.metrics import Metrics

TOKEN = "123456:ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghi"
MESSAGE = {"message_id": 5, "date": 1, "chat": {"id": 7, "type": "private"}, "text": "hi"}
Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answer(result: Any) -> Reply:
    async def reply(request: web.Request) -> web.StreamResponse:
        await request.read()
        return web.json_response({"ok": True, "result": result})

    return reply


def refusal(code: int, description: str, **parameters: Any) -> Reply:
    async def reply(request: web.Request) -> web.StreamResponse:
        body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
        if parameters:
            body["parameters"] = parameters
        return web.json_response(body, status=code)

    return reply


def bot_of(url: str, request: BaseRequest | None = None) -> Bot:
    return Bot(
        TOKEN,
        base_url=f"{url}/bot",
        base_file_url=f"{url}/file/bot",
        request=request or PooledRequest(),
        get_updates_request=PooledRequest(),
    )


@asynccontextmanager
async def served(reply: Reply, request: BaseRequest | None = None) -> AsyncIterator[tuple[Bot, Loopback]]:
    async with loopback(reply) as server:
        bot = bot_of(server.url, request)
        for part in bot._request:
            await part.initialize()
        try:
            yield bot, server
        finally:
            for part in bot._request:
                await part.shutdown()


async def test_a_message_goes_out_and_comes_back() -> None:
    forms = []

    async def reply(request: web.Request) -> web.StreamResponse:
        forms.append(await request.json())
        return web.json_response({"ok": True, "result": MESSAGE})

    async with served(reply) as (bot, server):
        message = await bot.send_message(7, "h\u00e9 <b>&", disable_notification=True)
    assert isinstance(message, Message)
    assert server.seen[0].path == f"/bot{TOKEN}/sendMessage"
    assert server.seen[0].content_type == "application/json"
    assert "python-telegram-bot" in server.seen[0].headers["User-Agent"]
    assert forms == [{"chat_id": 7, "text": "h\u00e9 <b>&", "disable_notification": True}]


@pytest.mark.parametrize("size", [100, 700_000])
async def test_an_upload_arrives_whole_with_its_name_and_parameters(size: int) -> None:
    got: dict[str, Any] = {}

    async def reply(request: web.Request) -> web.StreamResponse:
        form = await request.post()
        file = form["photo"]
        assert isinstance(file, web.FileField)
        got.update(name=file.filename, type=file.content_type, body=file.file.read(), caption=form["caption"])
        return web.json_response({"ok": True, "result": MESSAGE})

    async with served(reply) as (bot, _):
        picture = InputFile(io.BytesIO(b"\x89PNG" * (size // 4)), filename="qr c\u00f6de.png")
        await bot.send_photo(7, picture, caption="pay <this>")
    assert got == {
        "name": "qr c\u00f6de.png",
        "type": "image/png",
        "body": b"\x89PNG" * (size // 4),
        "caption": "pay <this>",
    }


async def test_attached_media_arrive_under_their_names() -> None:
    got: dict[str, Any] = {}

    async def reply(request: web.Request) -> web.StreamResponse:
        form = await request.post()
        media = json.loads(str(form["media"]))
        for part in media:
            file = form[part["media"].removeprefix("attach://")]
            assert isinstance(file, web.FileField)
            got[part["caption"]] = file.file.read()
        return web.json_response({"ok": True, "result": [MESSAGE, MESSAGE]})

    async with served(reply) as (bot, _):
        await bot.send_media_group(7, [InputMediaPhoto(b"one", caption="1"), InputMediaPhoto(b"two", caption="2")])
    assert got == {"1": b"one", "2": b"two"}


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (refusal(400, "Bad Request: chat not found"), BadRequest),
        (refusal(401, "Unauthorized"), InvalidToken),
        (refusal(403, "Forbidden: bot was blocked by the user"), Forbidden),
        (refusal(404, "Not Found"), InvalidToken),
        (refusal(409, "Conflict: terminated by other getUpdates request"), Conflict),
        (refusal(429, "Too Many Requests: retry after 35", retry_after=35), RetryAfter),
        (refusal(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-100123), ChatMigrated),
        (refusal(502, "Bad Gateway"), NetworkError),
    ],
)
async def test_refusals_become_the_same_errors_as_with_the_stock_transport(
    reply: Reply, expected: type[TelegramError]
) -> None:
    raised = []
    for request in (PooledRequest(), HTTPXRequest()):
        async with served(reply, request) as (bot, _):
            with pytest.raises(TelegramError) as caught:
                await bot.send_message(7, "x")
            raised.append((type(caught.value), str(caught.value)))
    assert raised[0] == raised[1]
    assert raised[0][0] is expected


async def test_a_broken_answer_is_a_telegram_error() -> None:
    async def reply(request: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>")

    async with served(reply) as (bot, _):
        with pytest.raises(TelegramError, match="Invalid server response"):
            await bot.send_message(7, "x")


async def test_silence_is_timed_out() -> None:
    async def reply(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return web.Response()

    async with served(reply) as (bot, _):
        with pytest.raises(TimedOut):
            await bot.send_message(7, "x", read_timeout=0.05)
        assert (await asyncio.gather(bot.send_message(7, "x", read_timeout=0.05), return_exceptions=True))[
            0
        ] is not None


async def test_a_pool_that_is_full_is_timed_out_and_nothing_was_sent() -> None:
    there, go_on = asyncio.Event(), asyncio.Event()

    async def reply(request: web.Request) -> web.StreamResponse:
        there.set()
        await go_on.wait()
        return web.json_response({"ok": True, "result": MESSAGE})

    request = PooledRequest(connections=1)
    async with served(reply, request) as (bot, server):
        first = asyncio.ensure_future(bot.send_message(7, "x"))
        await there.wait()
        with pytest.raises(TimedOut, match="nothing was sent"):
            await bot.send_message(7, "y", connect_timeout=0.05, pool_timeout=0.05)
        go_on.set()
        await first
        assert len(server.seen) == 1


async def test_a_lost_connection_is_a_network_error() -> None:
    async def reply(request: web.Request) -> web.StreamResponse:
        hang_up(request)
        return web.Response()

    async with served(reply) as (bot, server):
        with pytest.raises(NetworkError) as caught:
            await bot.send_message(7, "x")
        assert not isinstance(caught.value, TimedOut | BadRequest)
        assert len(server.seen) == 1


async def test_a_download_is_retrieved() -> None:
    async def reply(request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/file/"):
            return web.Response(body=b"receipt")
        return web.json_response(
            {"ok": True, "result": {"file_id": "f", "file_unique_id": "u", "file_path": "photos/1.jpg"}}
        )

    async with served(reply) as (bot, _):
        file = await bot.get_file("f")
        assert bytes(await file.download_as_bytearray()) == b"receipt"


async def test_the_token_reaches_no_exception_text_no_cause_and_no_log_line(caplog: pytest.LogCaptureFixture) -> None:
    async def reply(request: web.Request) -> web.StreamResponse:
        hang_up(request)
        return web.Response()

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{probe.getsockname()[1]}"
    shown = ""
    with structlog.testing.capture_logs() as logs:
        async with loopback(reply) as server:
            for url in (server.url, closed, "http://[bad", "ftp://nowhere"):
                request = PooledRequest(connect_timeout=5)
                bot = bot_of(url, request)
                await request.initialize()
                try:
                    await bot.send_message(7, "x")
                except TelegramError as error:
                    shown += "".join(traceback.format_exception(error)) + repr(error)
                finally:
                    await request.shutdown()
    assert shown.count("NetworkError") >= 4
    assert TOKEN not in shown
    assert TOKEN not in repr(logs) + caplog.text


async def test_a_call_inside_a_transaction_is_refused_and_not_taken_for_bad_weather(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(doing: str) -> None:
        raise OpenTransaction(doing)

    monkeypatch.setattr("viralcore.bot.transport.assert_no_transaction", refuse)
    async with served(answer(MESSAGE)) as (bot, server):
        with pytest.raises(OpenTransaction) as caught:
            await bot.send_message(7, "x")
        assert isinstance(caught.value, TelegramInTransaction)
        assert not isinstance(caught.value, NetworkError)
        assert "sendMessage" in str(caught.value)
        assert server.seen == []


async def test_many_calls_at_once_and_their_metrics() -> None:
    metrics = Metrics()
    async with served(answer(MESSAGE), PooledRequest(metrics=metrics, connections=20)) as (bot, server):
        await asyncio.gather(*(bot.send_message(7, "x") for _ in range(200)))
        assert len(server.seen) == 200
    assert b'viralcore_telegram_calls_total{method="sendMessage",outcome="200"} 200.0' in await metrics.render()


async def test_it_cannot_be_used_before_initialize_or_after_shutdown() -> None:
    request = PooledRequest()
    with pytest.raises(NetworkError):
        await request.do_request("http://127.0.0.1:9/botx/getMe", "POST")
    await request.initialize()
    await request.initialize()
    await request.shutdown()
    await request.shutdown()
    assert request.read_timeout == 20.0


@pytest.mark.parametrize(
    ("url", "method"),
    [
        (f"https://x/bot{TOKEN}/sendMessage", "sendMessage"),
        (f"https://x/bot{TOKEN}/getUpdates?offset=1", "getUpdates"),
        (f"https://x/file/bot{TOKEN}/photos/1.jpg", "file"),
        (f"https://x/bot{TOKEN}", "other"),
        (f"https://x/bot{TOKEN}/", "other"),
    ],
)
def test_the_method_is_told_without_the_token(url: str, method: str) -> None:
    assert method_of(url) == method

"""The simulated Telegram over its real wire formats: python-telegram-bot's own client, and a webhook."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telegram import (
    Bot,
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    LinkPreviewOptions,
    ReplyParameters,
)
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, RetryAfter

from tests.support.stage import Set, picture, toy_sandbox
from viralcore.core.nursery import Nursery
from viralcore.sandbox.servers import Servers
from viralcore.sandbox.telegram.model import Person

ADA = 2001


@pytest.fixture
async def stage() -> AsyncIterator[Set]:
    async with toy_sandbox(bot_runs=False) as running:
        running.stage.inbound.upsert_person(Person(ADA, "Ada"))
        running.stage.inbound.write(ADA, ADA, text="/start")
        running.stage.telegram.updates.drop()
        yield running


@pytest.fixture
async def bot(stage: Set) -> AsyncIterator[Bot]:
    base, _, token = stage.bot.base.rpartition("/bot")
    async with Bot(token, base_url=f"{base}/bot", base_file_url=f"{base}/file/bot") as opened:
        yield opened


async def test_the_library_understands_everything(stage: Set, bot: Bot) -> None:
    assert bot.username == "viralcore_sandbox_bot"
    keys = InlineKeyboardMarkup(
        [[InlineKeyboardButton("A", callback_data="a"), InlineKeyboardButton("C", copy_text=CopyTextButton("0x1"))]]
    )
    quiet = LinkPreviewOptions(is_disabled=True)
    sent = await bot.send_message(ADA, "<b>é 🎉</b>", "HTML", reply_markup=keys, link_preview_options=quiet)
    assert (sent.text, sent.entities[0].length) == ("é 🎉", 4)
    assert sent.reply_markup == keys
    answer = await bot.send_message(ADA, "re", reply_parameters=ReplyParameters(sent.message_id))
    assert answer.reply_to_message is not None
    photo = await bot.send_photo(ADA, picture(), caption="<i>c</i>", parse_mode="HTML", reply_markup=keys)
    file = await bot.get_file(photo.photo[-1].file_id)
    assert bytes(await file.download_as_bytearray()) == picture()
    changed = await bot.edit_message_media(
        InputMediaPhoto(picture(100, 100), caption="new"), chat_id=ADA, message_id=photo.message_id
    )
    assert not isinstance(changed, bool)
    assert (changed.caption, changed.photo[-1].width) == ("new", 100)
    assert await bot.delete_message(ADA, answer.message_id)
    assert await bot.set_my_commands([("start", "Begin")])
    assert (await bot.get_my_commands())[0].command == "start"


async def test_the_library_hears_people(stage: Set, bot: Bot) -> None:
    stage.stage.inbound.write(ADA, ADA, text="/buy t3 10", photo=None)
    stage.stage.inbound.write(ADA, ADA, photo=picture(), text="a receipt")
    first, second = await bot.get_updates(timeout=0)
    assert first.message is not None
    assert first.message.text == "/buy t3 10"
    assert second.message is not None
    assert second.message.caption == "a receipt"
    assert await bot.get_updates(offset=second.update_id + 1) == ()


async def test_the_library_hears_refusals(stage: Set, bot: Bot) -> None:
    with pytest.raises(BadRequest, match=r"(?i)can't parse entities"):
        await bot.send_message(ADA, "<b>", "HTML")
    with pytest.raises(Forbidden, match=r"(?i)can't initiate"):
        await bot.send_message(1000, "x")
    stage.stage.telegram.faults.flood, stage.stage.telegram.faults.flood_seconds = 1, 7
    with pytest.raises(RetryAfter) as caught:
        await bot.send_message(ADA, "x")
    assert timedelta(seconds=7) == caught.value._retry_after
    poll = asyncio.create_task(bot.get_updates(timeout=20))
    while not stage.stage.telegram.updates._poller:
        await asyncio.sleep(0.01)
    async with httpx.AsyncClient(trust_env=False) as another:
        await another.post(f"{stage.bot.base}/getUpdates")
    with pytest.raises(Conflict, match=r"(?i)other getUpdates"):
        await poll
    other = Bot("7000001:" + "B" * 35, base_url=f"{stage.bot.base.rpartition('/bot')[0]}/bot")
    with pytest.raises(InvalidToken):
        await other.initialize()


async def test_a_webhook_gets_the_secret_and_is_tried_again(stage: Set, bot: Bot) -> None:
    heard: list[tuple[str, str]] = []

    async def hook(request: Request) -> Response:
        text = (await request.json())["message"]["text"]
        heard.append((request.headers.get("x-telegram-bot-api-secret-token", ""), text))
        return Response(status_code=500 if len(heard) == 1 else 200)

    nursery = Nursery()
    servers = Servers(nursery)
    url = servers.serve("hook", Starlette(routes=[Route("/hook", hook, methods=["POST"])]))
    await bot.set_webhook(f"{url}/hook", secret_token="s3cret")
    for text in ("one", "two"):
        stage.stage.inbound.write(ADA, ADA, text=text)
    while stage.stage.telegram.updates.unconfirmed:
        await asyncio.sleep(0.01)
    assert heard == [("s3cret", "one"), ("s3cret", "one"), ("s3cret", "two")]
    await bot.delete_webhook()
    servers.stop()
    await nursery.stop(3.0)

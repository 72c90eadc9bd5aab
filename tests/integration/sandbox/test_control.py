"""The control API over HTTP, against a toy bot."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.stage import Set, picture, toy_sandbox
from viralcore.sandbox.stage import ADMIN_GROUP

ADA = 2001


@pytest.fixture
async def stage() -> AsyncIterator[Set]:
    async with toy_sandbox() as running:
        yield running


async def call(stage: Set, method: str, path: str, **body: Any) -> Any:
    answer = await stage.http.request(method, f"/sandbox{path}", json=body if method == "POST" else None)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def meet(stage: Set) -> dict[str, Any]:
    """Ada starts the bot; the welcome."""
    await call(stage, "POST", "/users", id=ADA, first_name="Ada", username="@ada")
    await call(stage, "POST", f"/chats/{ADA}/messages", from_id=ADA, text="/start")
    while True:
        messages = await call(stage, "GET", f"/chats/{ADA}/messages?after=0&wait=1")
        if len(messages) > 1:
            welcome: dict[str, Any] = messages[-1]
            return welcome


async def test_about(stage: Set) -> None:
    about = await call(stage, "GET", "")
    assert about["bot"]["pid"] == 4242
    assert (about["owner_id"], about["second_admin_id"], about["admin_group"]) == (1000, 1001, ADMIN_GROUP)
    assert about["panels"] == ["plugsmm", "smmflare", "smmstone"]
    assert about["addresses"]["bsc"].startswith("0x")
    assert set(about["addresses"]) == {"bsc", "solana", "tron", "aptos"}
    assert await call(stage, "GET", "/check") == {"balanced": True, "problems": []}
    assert await call(stage, "GET", "/outbox") == []


async def test_messages_and_presses(stage: Set) -> None:
    welcome = await meet(stage)
    assert welcome["text"].startswith("Welcome to viralcore, Ada!")
    assert "<b>Welcome to viralcore, Ada!</b>" in welcome["html"]
    assert (welcome["from"], welcome["photo"], welcome["edited"]) == (7_000_001, None, False)
    assert welcome["buttons"][0] == [{"text": "✅ I agree", "data": "agree", "url": None, "copy": None}]
    press = {"from_id": ADA, "message_id": welcome["message_id"]}
    pressed = await call(stage, "POST", f"/chats/{ADA}/press", **press, button="I agree")
    assert pressed == {"answer": {"text": "Welcome aboard", "alert": False}}
    messages = await call(stage, "GET", f"/chats/{ADA}/messages?after={welcome['seq']}&wait=5")
    assert messages[0]["message_id"] == welcome["message_id"]
    assert messages[0]["edited"]
    assert messages[0]["buttons"][0][0]["copy"] == "15.0034"
    forged = await call(stage, "POST", f"/chats/{ADA}/press", **press, button="forged|data")
    assert forged["answer"]["text"] == "Nothing"
    copied = await call(stage, "POST", f"/chats/{ADA}/press", **press, button="Copy amount")
    assert copied == {"answer": None, "url": None, "copy": "15.0034"}


async def test_pictures_go_both_ways(stage: Set) -> None:
    welcome = await meet(stage)
    await call(stage, "POST", f"/chats/{ADA}/press", from_id=ADA, message_id=welcome["message_id"], button="agree")
    photo = base64.b64encode(picture()).decode()
    sent = await call(stage, "POST", f"/chats/{ADA}/messages", from_id=ADA, text="receipt", photo_base64=photo)
    messages = await call(stage, "GET", f"/chats/{ADA}/messages")
    mine = next(message for message in messages if message["message_id"] == sent["message_id"])
    assert mine["text"] == "receipt"
    assert (await stage.http.get(mine["photo"])).content == picture()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/users", {"id": -5, "first_name": "x"}, 400),
        ("/users", {"id": 5}, 400),
        ("/users", {"id": 5, "first_name": "x", "shoe": 43}, 400),
        ("/groups", {"id": -7, "title": "x", "members": [9]}, 400),
        ("/groups", {"id": 7, "title": "x", "members": [1000]}, 400),
        ("/chats/9/messages", {"from_id": 9, "text": "x"}, 404),
        ("/chats/x/messages", {"from_id": 9, "text": "x"}, 400),
        ("/chats/1000/messages", {"from_id": 1001, "text": "x"}, 400),
        ("/chats/1000/messages", {"from_id": 1000}, 400),
        ("/chats/1000/messages", {"from_id": 1000, "text": "x" * 4097}, 413),
        ("/chats/1000/messages", {"from_id": 1000, "photo_base64": "%"}, 400),
        ("/chats/1000/messages", {"from_id": 1000, "photo_base64": "eHh4"}, 400),
        ("/chats/1000/press", {"from_id": 1000, "message_id": 1, "button": "x"}, 404),
        ("/clock", {"advance_seconds": -1}, 400),
        ("/clock", {"advance_seconds": "soon"}, 400),
        ("/clock", {}, 400),
        ("/settle", {"timeout_seconds": 1e9}, 400),
        ("/bot", {"kill": False}, 400),
        ("/telegram", {}, 400),
        ("/telegram", {"block_user": 77}, 404),
        ("/telegram", {"forum": -77}, 404),
        ("/telegram", {"topic": {"id": ADMIN_GROUP, "topic": "Orders", "deleted": True}}, 404),
        ("/bank/pay", {"account_number": "1", "amount": "1"}, 404),
        ("/chains/solana/transfers", {"asset": "USDT", "to": "x", "amount": "1"}, 400),
        ("/chains/tron/transfers", {"asset": "USDT", "to": "x", "amount": "1"}, 400),
        ("/chains/aptos/transfers", {"asset": "USDT", "to": "x", "amount": "1"}, 400),
        ("/chains/dogecoin/transfers", {"asset": "USDT", "to": "x", "amount": "1"}, 404),
        ("/nothing", {}, 404),
    ],
)
async def test_nonsense(stage: Set, path: str, body: dict[str, Any], status: int) -> None:
    answer = await stage.http.post(f"/sandbox{path}", json=body)
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error"]


async def test_broken_bodies(stage: Set) -> None:
    for content in (b"{", b"[]", b"\xff"):
        answer = await stage.http.post("/sandbox/users", content=content)
        assert answer.status_code == 400
        assert answer.json()["error"]


async def test_the_admin_group_becomes_a_forum(stage: Set) -> None:
    await call(stage, "POST", "/telegram", forum=ADMIN_GROUP)

    async def api(method: str, **parameters: Any) -> Any:
        return (await stage.http.post(f"{stage.bot.base}/{method}", json={"chat_id": ADMIN_GROUP, **parameters})).json()

    thread = (await api("createForumTopic", name="Orders"))["result"]["message_thread_id"]
    await api("sendMessage", text="a card", message_thread_id=thread)
    shown = (await call(stage, "GET", f"/chats/{ADMIN_GROUP}/messages?after=0"))[-1]
    assert (shown["text"], shown["topic"]) == ("a card", "Orders")
    await call(stage, "POST", "/telegram", topic={"id": ADMIN_GROUP, "topic": "Orders", "deleted": True})
    assert "a card" not in str(await call(stage, "GET", f"/chats/{ADMIN_GROUP}/messages?after=0"))
    await call(stage, "POST", "/telegram", forum={"id": ADMIN_GROUP, "on": False})
    assert (await api("createForumTopic", name="x"))["description"] == "Bad Request: the chat is not a forum"


async def test_blocking_and_faults(stage: Set) -> None:
    await meet(stage)
    blocked = await call(stage, "POST", "/telegram", block_user=ADA)
    assert blocked["blocked"] == [ADA]
    refused = await stage.http.post(f"/sandbox/chats/{ADA}/messages", json={"from_id": ADA, "text": "x"})
    assert refused.status_code == 400
    assert (await call(stage, "POST", "/telegram", unblock_user=ADA, flood_next=2, fail_next=True)) == {
        "flood_next": 2,
        "fail_next": 1,
        "fail_polls": 0,
        "blocked": [],
    }


async def test_the_clock(stage: Set) -> None:
    await call(stage, "POST", "/settle", timeout_seconds=10)
    before = stage.stage.clock.now()
    turned = await call(stage, "POST", "/clock", advance_seconds=1800)
    assert turned["quiet"] is True
    assert turned["pending"] == []
    ahead = (stage.stage.clock.now() - before).total_seconds()
    assert 1800 <= ahead < 1900
    assert (await call(stage, "GET", "/clock"))["now"] > turned["now"]


async def test_not_quiet(stage: Set) -> None:
    stage.bot.down = True
    settled = await call(stage, "POST", "/settle", timeout_seconds=0)
    assert settled["quiet"] is False
    assert "bot: does not answer" in settled["pending"]


async def test_kill(stage: Set) -> None:
    assert await call(stage, "POST", "/bot", kill=True) == {"killed": 4242, "pid": 4243}


async def test_groups(stage: Set) -> None:
    await meet(stage)
    await call(stage, "POST", "/groups", id=-77, title="Crew", members=[ADA, 1000])
    sent = await call(stage, "POST", "/chats/-77/messages", from_id=ADA, text="hi")
    assert sent["message_id"]
    stranger = await stage.http.post("/sandbox/chats/-77/messages", json={"from_id": 1001, "text": "hi"})
    assert stranger.status_code == 403

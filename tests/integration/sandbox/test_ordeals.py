"""Control calls for rough handling, and for whoever audits it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.stage import Set, toy_sandbox
from viralcore.core.embedded import EmbeddedPostgres
from viralcore.sandbox.ordeals import Cluster, How

ADA = 2001


@pytest.fixture
async def stage() -> AsyncIterator[Set]:
    async with toy_sandbox() as running:
        yield running


async def call(stage: Set, method: str, path: str, **body: Any) -> Any:
    answer = await stage.http.request(method, f"/sandbox{path}", json=body if method == "POST" else None)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def welcomed(stage: Set) -> dict[str, Any]:
    """Ada and the bot's first message to her."""
    await call(stage, "POST", "/users", id=ADA, first_name="Ada")
    await call(stage, "POST", f"/chats/{ADA}/messages", from_id=ADA, text="/start")
    seen: list[dict[str, Any]] = []
    while len(seen) < 2:
        seen = [one for one in await call(stage, "GET", "/messages?after=0&wait=2") if one["chat_id"] == ADA]
    assert [one["deleted"] for one in seen] == [False, False]
    return seen[-1]


async def test_all_chats_are_read_at_once_and_what_is_new_is_waited_for(stage: Set) -> None:
    welcome = await welcomed(stage)
    assert await call(stage, "GET", f"/messages?after={welcome['seq']}&wait=0") == []
    answer = await stage.http.get("/sandbox/messages?after=x")
    assert answer.status_code == 400


async def test_figures_tell_updates_and_presses_without_an_answer(stage: Set) -> None:
    welcome = await welcomed(stage)
    press = {"from_id": ADA, "message_id": welcome["message_id"], "button": "agree"}
    assert (await call(stage, "POST", f"/chats/{ADA}/press", **press))["answer"]["text"] == "Welcome aboard"
    figures = await call(stage, "GET", "/telegram")
    assert figures["last_update"] - figures["first_update"] >= 1
    assert (figures["presses"], figures["unanswered"]) == (1, [])
    query = stage.stage.inbound.press(ADA, ADA, welcome["message_id"], "agree")
    stage.stage.telegram.queries[query.id].answer = None
    assert [one["from"] for one in (await call(stage, "GET", "/telegram"))["unanswered"]] == [ADA]


async def test_books_are_whole(stage: Set) -> None:
    address = (await call(stage, "GET", ""))["addresses"]["bsc"]
    sent = await call(stage, "POST", "/chains/bsc/transfers", asset="USDT", to=address, amount="7.5", final=True)
    books = await call(stage, "GET", "/books")
    assert [(one["hash"], Decimal(one["amount"]), one["final"]) for one in books["transfers"]] == [
        (sent["hash"], Decimal("7.5"), True)
    ]
    assert books["orders"] == []


async def test_the_clock_leaps_and_a_kill_is_not_waited_for(stage: Set) -> None:
    offset = stage.stage.clock.offset()
    await call(stage, "POST", "/clock", advance_seconds=500, wait=False)
    assert stage.stage.clock.offset() == offset + 500
    stage.bot.down = True
    killed = await call(stage, "POST", "/bot", kill=True, wait=False)
    assert killed == {"killed": 4242, "pid": None}


async def test_a_sandbox_without_a_database_of_its_own_says_so(stage: Set) -> None:
    answer = await stage.http.post("/sandbox/postgres", json={"how": "kill"})
    assert answer.status_code == 409


async def test_postgres_comes_back_at_its_address_with_what_was_committed(tmp_path: Path) -> None:
    postgres = EmbeddedPostgres(tmp_path, durable=False)
    url = await postgres.astart()
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (n integer)")
        ways: tuple[How, ...] = ("kill", "immediate", "fast")
        for number, how in enumerate(ways, start=1):
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("INSERT INTO kept VALUES (%s)", (number,))
            before = postgres.pid
            await Cluster(postgres).restart(how, 0.0)
            assert postgres.pid not in (None, before)
            with psycopg.connect(url) as connection:
                assert len(connection.execute("SELECT n FROM kept").fetchall()) == number
    finally:
        await postgres.astop()

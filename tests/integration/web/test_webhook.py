"""The webhook beside long polling, over a real process: switching loses and doubles nothing, strangers get nowhere."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from tests.support.house import SECRET, House, house
from viralcore.bot.pulse import CONTESTED
from viralcore.web.server import MAX_BODY

pytestmark = pytest.mark.timeout(240)
HEADER = "X-Telegram-Bot-Api-Secret-Token"


def hook(home: House) -> dict[str, str]:
    return {"TELEGRAM_WEBHOOK_URL": home.webhook_url, "TELEGRAM_WEBHOOK_SECRET": SECRET}


async def test_switching_in_both_directions_loses_and_doubles_nothing() -> None:
    """People keep coming while the bot is stopped and started in the other mode, twice there and back."""
    async with house() as home:
        people: list[int] = []

        async def crowd() -> None:
            while True:
                people.append(home.newcomer())
                await asyncio.sleep(0.15)

        await home.start()
        coming = asyncio.get_running_loop().create_task(crowd())
        try:
            for mode in (hook(home), {}, hook(home), {}):
                await asyncio.sleep(1.0)
                await home.stop()
                await home.start(**mode)
                assert home.telegram.updates.url == mode.get("TELEGRAM_WEBHOOK_URL", "")
        finally:
            coming.cancel()
            with suppress(asyncio.CancelledError):
                await coming

        async def waiting() -> int:
            return home.telegram.updates.unconfirmed + sum(1 for who in people if home.answers(who) == 0)

        await home.until(waiting, 0)
        await home.stop()
        assert len(people) > 20
        assert {who: home.answers(who) for who in people} == dict.fromkeys(people, 1)
        rows = home.rows(
            "SELECT order_key, state, attempts FROM core.inbox WHERE order_key::bigint > 50000 ORDER BY id"
        )
        assert sorted(int(key) for key, _, _ in rows) == people
        assert {state for _, state, _ in rows} == {"handled"}


async def test_strangers_nonsense_and_a_table_that_is_away() -> None:
    async with house() as home:
        await home.start(**hook(home))
        who = home.newcomer()

        async def answered() -> int:
            return home.answers(who)

        await home.until(answered, 1)
        update: dict[str, Any] = {"update_id": 7, "message": {"text": "x", "chat": {"id": 9, "type": "private"}}}
        for given in (None, "", "a-secret", SECRET + "x"):
            headers = {} if given is None else {HEADER: given}
            assert (await home.http.post("/webhooks/telegram", json=update, headers=headers)).status_code == 401
        assert "telegram_webhook_forged" in home.log()
        ours = {HEADER: SECRET}
        for body in (b"{", b"[" * 50_000, b"\xff", b"[]", b'{"update_id": "7"}'):
            assert (await home.http.post("/webhooks/telegram", content=body, headers=ours)).status_code == 400
        big = await home.http.post("/webhooks/telegram", content=b"x" * (MAX_BODY + 1), headers=ours)
        assert big.status_code == 413
        assert home.rows("SELECT count(*) FROM core.inbox WHERE external_id = '7'") == [(0,)]
        assert (await home.http.post("/webhooks/telegram", json=update, headers=ours)).status_code == 200
        assert home.rows("SELECT count(*) FROM core.inbox WHERE external_id = '7'") == [(1,)]

        home.rows("ALTER TABLE core.inbox RENAME TO gone")
        late = home.newcomer()

        async def told() -> str:
            return str(home.telegram.updates.webhook_info().get("last_error_message"))

        await home.until(told, "Wrong response from the webhook: 503 Service Unavailable")
        assert home.telegram.updates.unconfirmed == 1
        home.rows("ALTER TABLE core.gone RENAME TO inbox")

        async def answered_late() -> int:
            return home.answers(late)

        await home.until(answered_late, 1)
        assert home.telegram.updates.unconfirmed == 0

        home.telegram.updates.delete_webhook()  # somebody else takes it away
        await home.until(home.problems, {"telegram": "another program took the webhook away: there is none"})


async def test_another_poller_is_told_in_plain_words() -> None:
    async with house() as home:
        await home.start()
        other = f"{home.environment['TELEGRAM_API_BASE_URL']}/bot{home.telegram.bot.token}/getUpdates"
        await home.http.post(other, json={"timeout": 0})
        await home.until(home.problems, {"telegram": CONTESTED})
        assert "telegram_another_poller" in home.log()


async def test_no_webhook_without_a_secret() -> None:
    async with house() as home:
        for secret in (None, "", "short", "with blanks in it, too"):
            more = {} if secret is None else {"TELEGRAM_WEBHOOK_SECRET": secret}
            bot = await home.spawn(TELEGRAM_WEBHOOK_URL=home.webhook_url, **more)
            assert await asyncio.wait_for(bot.wait(), 30.0) == 2
            assert home.log().splitlines()[-1].startswith("  environment: TELEGRAM_WEBHOOK_SECRET: ")

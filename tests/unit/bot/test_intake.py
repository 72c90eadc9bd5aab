"""Intake: stored before confirmed, nothing lost over any trouble, the throttle in front, the webhook's secret."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs
from telegram.error import TelegramError, TimedOut

from viralcore.bot.intake import (
    ALLOWED_UPDATES,
    Polling,
    TokenRefusedError,
    Webhook,
    incoming,
    order_key,
)
from viralcore.bot.pulse import CONTESTED, Pulse, words
from viralcore.core.metrics import Metrics
from viralcore.core.nursery import Nursery

URL = "http://telegram/bot1:x"


def message(update_id: int, chat: int = 7, user: int = 7, kind: str = "private") -> dict[str, Any]:
    return {"update_id": update_id, "message": {"chat": {"id": chat, "type": kind}, "from": {"id": user}, "text": "x"}}


class Telegram:
    """getUpdates as Telegram does it: updates are kept until an offset confirms them. `trouble` is met first."""

    def __init__(self, *updates: dict[str, Any]) -> None:
        self.updates = list(updates)
        self.trouble: list[tuple[int, Any] | Exception] = []
        self.webhook = ""
        self.pending = 0
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.empty = asyncio.Event()

    async def call(self, url: str, parameters: Mapping[str, Any], *, read_timeout: float) -> tuple[int, bytes]:
        assert url.startswith(URL + "/")
        method = url.rpartition("/")[2]
        self.calls.append((method, dict(parameters)))
        if self.trouble:
            found = self.trouble.pop(0)
            if isinstance(found, Exception):
                raise found
            return found[0], found[1] if isinstance(found[1], bytes) else json.dumps(found[1]).encode()
        if method == "getWebhookInfo":
            return self.ok({"url": self.webhook, "pending_update_count": self.pending})
        if method == "deleteWebhook":
            self.webhook = ""
            return self.ok(True)
        if method == "setWebhook":
            self.webhook = parameters["url"]
            return self.ok(True)
        if self.webhook:
            return self.no(409, "Conflict: can't use getUpdates method while webhook is active")
        self.updates = [update for update in self.updates if update["update_id"] >= parameters.get("offset", 0)]
        if not self.updates:
            self.empty.set()
            await asyncio.sleep(0.01)
        return self.ok(self.updates[:2])

    @staticmethod
    def ok(result: Any) -> tuple[int, bytes]:
        return 200, json.dumps({"ok": True, "result": result}).encode()

    @staticmethod
    def no(code: int, description: str, **parameters: Any) -> tuple[int, bytes]:
        return code, json.dumps({"ok": False, "description": description, "parameters": parameters}).encode()


class Shelf:
    """An inbox that remembers, and refuses as often as told."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.stored: list[str] = []

    async def store(self, source: str, items: Sequence[tuple[str, str, Any]]) -> int:
        assert source == "telegram"
        if self.failures:
            self.failures -= 1
            raise OSError("the database is away")
        fresh = [external_id for external_id, _, _ in items if external_id not in self.stored]
        self.stored += fresh
        return len(fresh)


Poll = Callable[..., Polling]


@pytest.fixture
async def nursery() -> AsyncIterator[Nursery]:
    made = Nursery()
    yield made
    await made.stop()


async def drained(nursery: Nursery, telegram: Telegram, shelf: Shelf, **options: Any) -> Polling:
    polling = Polling(telegram, URL, shelf, nursery, first_pause=0.001, **options)
    await polling.start()
    async with asyncio.timeout(30):
        await telegram.empty.wait()
    await polling.stop()
    return polling


async def test_every_update_is_stored_in_order_and_then_confirmed(nursery: Nursery) -> None:
    telegram, shelf = Telegram(*(message(n) for n in (3, 5, 6, 9, 10))), Shelf()
    polling = await drained(nursery, telegram, shelf)
    assert shelf.stored == ["3", "5", "6", "9", "10"]
    polls = [parameters for method, parameters in telegram.calls if method == "getUpdates"]
    assert "offset" not in polls[0]
    assert [poll["offset"] for poll in polls[1:4]] == [6, 10, 11]
    assert polls[0]["allowed_updates"] == list(ALLOWED_UPDATES)
    assert 25 <= polls[0]["timeout"] <= 30
    assert polling.polled.is_set()


async def test_nothing_is_confirmed_before_it_is_stored(nursery: Nursery) -> None:
    counted: list[int] = []

    def throttle(update: Mapping[str, Any]) -> bool:
        counted.append(update["update_id"])
        return True

    telegram, shelf = Telegram(*(message(n) for n in range(1, 6))), Shelf(failures=3)
    await drained(nursery, telegram, shelf, throttle=throttle)
    assert shelf.stored == ["1", "2", "3", "4", "5"]
    assert counted == [1, 2, 3, 4, 5]  # a database that was away does not count a person's message twice


@pytest.mark.parametrize(
    "trouble",
    [
        TimedOut(),
        TelegramError("x"),
        OSError(),
        Telegram.no(409, "Conflict: terminated by other getUpdates request"),
        Telegram.no(429, "Too Many Requests", retry_after=0),
        Telegram.no(500, "Internal Server Error"),
        (502, b"<html>Bad Gateway</html>"),
        (404, b"not found by some proxy"),
        (200, b"<html>"),
        (200, {"ok": True, "result": {"not": "a list"}}),
    ],
)
@pytest.mark.parametrize("calls_before", [0, 1, 2])
async def test_no_trouble_loses_an_update(
    nursery: Nursery, trouble: Any, calls_before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = asyncio.sleep

    async def quick(seconds: float) -> None:
        await real(min(seconds, 0.001))

    monkeypatch.setattr("viralcore.bot.intake.asyncio.sleep", quick)
    telegram, shelf = Telegram(*(message(n) for n in range(1, 6))), Shelf()

    class Later:
        async def call(self, url: str, parameters: Mapping[str, Any], *, read_timeout: float) -> tuple[int, bytes]:
            if len(telegram.calls) == calls_before and not later.done:
                later.done = True
                telegram.trouble = [trouble]
            return await telegram.call(url, parameters, read_timeout=read_timeout)

        done = False

    later = Later()
    polling = Polling(later, URL, shelf, nursery, first_pause=0.001)
    await polling.start()
    async with asyncio.timeout(30):
        await telegram.empty.wait()
    await polling.stop()
    assert shelf.stored == ["1", "2", "3", "4", "5"]


async def test_a_webhook_that_is_set_is_removed_at_the_start_and_when_it_comes_back(nursery: Nursery) -> None:
    telegram, shelf = Telegram(message(1)), Shelf()
    telegram.webhook = "https://old"
    await drained(nursery, telegram, shelf)
    assert [method for method, _ in telegram.calls[:3]] == ["getWebhookInfo", "deleteWebhook", "getUpdates"]
    assert telegram.calls[1][1] == {"drop_pending_updates": False}
    telegram.empty.clear()
    telegram.updates, telegram.calls = [message(2)], []
    again = Polling(telegram, URL, shelf, nursery, first_pause=0.001)
    await again.start()
    await telegram.empty.wait()
    telegram.webhook = "https://somebody"
    telegram.empty.clear()
    async with asyncio.timeout(30):
        await telegram.empty.wait()
    await again.stop()
    assert telegram.webhook == ""


async def test_a_refused_token_ends_it_with_a_clear_error(nursery: Nursery) -> None:
    telegram = Telegram()
    telegram.trouble = [Telegram.no(401, "Unauthorized")]
    fatal: list[Exception] = []
    polling = Polling(telegram, URL, Shelf(), nursery, on_fatal=fatal.append)
    await polling.start()
    async with asyncio.timeout(30):
        while not fatal:
            await asyncio.sleep(0.001)
    assert isinstance(fatal[0], TokenRefusedError)
    assert "TELEGRAM_BOT_TOKEN" in str(fatal[0])
    assert len(telegram.calls) == 1
    await polling.stop()


async def test_what_the_throttle_refuses_is_confirmed_and_not_stored(nursery: Nursery) -> None:
    metrics = Metrics()
    telegram, shelf = Telegram(*(message(n) for n in range(1, 6))), Shelf()
    await drained(nursery, telegram, shelf, metrics=metrics, throttle=lambda update: update["update_id"] % 2 == 1)
    assert shelf.stored == ["1", "3", "5"]
    assert telegram.updates == []
    assert b'viralcore_updates_total{outcome="throttled",source="telegram"} 2.0' in await metrics.render()


async def test_a_broken_throttle_loses_nothing(nursery: Nursery) -> None:
    def throttle(update: Mapping[str, Any]) -> bool:
        raise KeyError("from")

    telegram, shelf = Telegram(message(1)), Shelf()
    await drained(nursery, telegram, shelf, throttle=throttle)
    assert shelf.stored == ["1"]


def webhook(shelf: Shelf, **options: Any) -> httpx.AsyncClient:
    app = Starlette(routes=[Webhook("s3cret", shelf, **options).route])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot")


async def post(http: httpx.AsyncClient, secret: str | None, body: Any) -> int:
    headers = {} if secret is None else {"X-Telegram-Bot-Api-Secret-Token": secret}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return (await http.post("/webhooks/telegram", content=content, headers=headers)).status_code


async def test_the_webhook_stores_then_answers() -> None:
    shelf = Shelf()
    async with webhook(shelf, throttle=lambda update: update["update_id"] != 2) as http:
        assert await post(http, "s3cret", message(1)) == 200
        assert await post(http, "s3cret", message(2)) == 200
        assert await post(http, "s3cret", message(1)) == 200
    assert shelf.stored == ["1"]


async def test_the_webhook_refuses_forgeries_and_nonsense() -> None:
    shelf = Shelf()
    async with webhook(shelf) as http:
        for secret in (None, "", "s3cre", "s3cret2", "S3CRET"):
            assert await post(http, secret, message(1)) == 401
        for body in (b"{", b"\xff\xfe", b"[" * 100_000, {"no": "id"}, [1], {"update_id": "1"}):
            assert await post(http, "s3cret", body) == 400
        assert (await http.get("/webhooks/telegram")).status_code == 405
    assert shelf.stored == []


async def test_a_flood_of_forgeries_does_not_fill_the_log() -> None:
    async with webhook(Shelf()) as http:
        with capture_logs() as told:
            for _ in range(50):
                assert await post(http, "wrong", message(1)) == 401
    assert 1 <= len([line for line in told if line["event"] == "telegram_webhook_forged"]) < 25


async def test_what_could_not_be_stored_is_asked_for_again() -> None:
    shelf = Shelf(failures=1)
    async with webhook(shelf) as http:
        assert await post(http, "s3cret", message(1)) == 503
        assert await post(http, "s3cret", message(1)) == 200
    assert shelf.stored == ["1"]


async def test_what_could_not_be_stored_is_counted_once() -> None:
    """Telegram sends it again while our database is away; a throttle that counted each time would lose it."""
    counted: list[int] = []
    shelf = Shelf(failures=4)

    def throttle(update: Any) -> bool:
        counted.append(update["update_id"])
        return len(counted) <= 1

    async with webhook(shelf, throttle=throttle) as http:
        answers = [await post(http, "s3cret", message(1)) for _ in range(5)]
    assert answers == [503, 503, 503, 503, 200]
    assert (shelf.stored, counted) == (["1"], [1])


async def test_registering_the_webhook() -> None:
    telegram = Telegram()
    hook = Webhook("s3cret", Shelf())
    await hook.register(telegram, URL, "https://shop/webhooks/telegram")
    assert telegram.calls[0][1]["secret_token"] == "s3cret"
    telegram.trouble = [Telegram.no(401, "Unauthorized"), Telegram.no(400, "Bad Request: bad webhook"), (502, b"")]
    with pytest.raises(TokenRefusedError):
        await hook.register(telegram, URL, "https://shop")
    with pytest.raises(TelegramError, match="bad webhook"):
        await hook.register(telegram, URL, "https://shop")
    with pytest.raises(TelegramError, match="502"):
        await hook.register(telegram, URL, "https://shop")


async def test_a_webhook_that_is_not_ours_any_more_is_seen() -> None:
    telegram, url = Telegram(), "https://shop/webhooks/telegram"
    hook = Webhook("s3cret", Shelf())
    telegram.pending = 3
    assert "there is none" in str(await hook.look(telegram, URL, url))
    await hook.register(telegram, URL, url)
    assert await hook.look(telegram, URL, url) is None
    telegram.webhook = "https://elsewhere"
    assert "set elsewhere" in str(await hook.look(telegram, URL, url))
    telegram.trouble = [Telegram.no(429, "Too Many Requests: retry after 3"), (502, b"<html>")]
    for said in ("retry after 3", "502"):
        with pytest.raises(TelegramError, match=said):
            await hook.look(telegram, URL, url)


async def test_another_poller_is_told_clearly_and_waited_out(nursery: Nursery) -> None:
    telegram, shelf, pulse = Telegram(message(1)), Shelf(), Pulse()
    telegram.trouble = [Telegram.ok({"url": ""}), Telegram.no(409, "Conflict: terminated by other getUpdates request")]
    await drained(nursery, telegram, shelf, pulse=pulse)
    assert shelf.stored == ["1"]
    assert pulse.trouble() == CONTESTED


def test_the_pulse_forgives_weather_and_tells_what_lasts() -> None:
    now = 100.0
    pulse = Pulse(patience=10.0, machine=lambda: now)
    assert pulse.trouble() == "Telegram has not answered yet"
    pulse.well()
    assert pulse.trouble() is None
    pulse.ill(words("status_502"))
    now += 9
    assert pulse.trouble() is None
    pulse.ill(words("TimedOut"))
    now += 1
    assert pulse.trouble() == "Telegram does not answer in time"
    pulse.well()
    assert pulse.trouble() is None
    pulse.ill("the webhook is set elsewhere", at_once=True)
    assert pulse.trouble() == "the webhook is set elsewhere"
    pulse.well()
    pulse.contested()
    assert pulse.trouble() == CONTESTED
    now += 30
    assert pulse.trouble() is None


def test_a_webhook_needs_a_secret() -> None:
    with pytest.raises(ValueError):
        Webhook("", Shelf())


@pytest.mark.parametrize(
    ("update", "key"),
    [
        (message(1), "7"),
        (message(1, chat=-5, user=8, kind="supergroup"), "-5:8"),
        ({"update_id": 1, "edited_message": {"chat": {"id": 7, "type": "private"}}}, "7"),
        (
            {
                "update_id": 1,
                "callback_query": {
                    "from": {"id": 8},
                    "message": {"chat": {"id": -5, "type": "group"}, "from": {"id": 1}},
                },
            },
            "-5:8",
        ),
        (
            {"update_id": 1, "callback_query": {"from": {"id": 8}, "message": {"chat": {"id": 8, "type": "private"}}}},
            "8",
        ),
        ({"update_id": 1, "callback_query": {"from": {"id": 8}, "inline_message_id": "x"}}, "user:8"),
        ({"update_id": 1, "my_chat_member": {"chat": {"id": -5, "type": "group"}, "from": {"id": 8}}}, "-5:8"),
        ({"update_id": 1, "channel_post": {"chat": {"id": -9, "type": "channel"}, "sender_chat": {"id": -9}}}, "-9:-9"),
        ({"update_id": 1, "something_new": 5}, "other"),
        ({"update_id": 1}, "other"),
    ],
)
def test_the_order_key(update: dict[str, Any], key: str) -> None:
    assert order_key(update) == key
    assert incoming(update) == ("1", key, update)

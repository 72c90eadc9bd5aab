"""The queue of updates: kept until confirmed, one poller, or a webhook with its secret."""

from __future__ import annotations

import asyncio

from tests.support.telegram import ADA, BOLA, Line, fixture


async def test_kept_until_confirmed(line: Line) -> None:
    for text in ("one", "two", "three"):
        line.inbound.write(ADA, ADA, text=text)
    first = await line.ok("getUpdates", limit=2)
    assert [update["message"]["text"] for update in first] == ["one", "two"]
    assert await line.ok("getUpdates", limit=2) == first  # not confirmed: the same again
    ids = [update["update_id"] for update in await line.ok("getUpdates")]
    assert ids == sorted(set(ids))
    rest = await line.ok("getUpdates", offset=ids[1] + 1)
    assert [update["message"]["text"] for update in rest] == ["three"]
    assert line.telegram.updates.unconfirmed == 1
    assert await line.ok("getUpdates", offset=ids[2] + 1) == []
    assert line.telegram.updates.unconfirmed == 0


async def test_a_long_poll_wakes(line: Line) -> None:
    poll = asyncio.create_task(line.ok("getUpdates", timeout=30))
    await asyncio.sleep(0)
    line.inbound.write(ADA, ADA, text="hello")
    assert [update["message"]["text"] for update in await poll] == ["hello"]


async def test_the_newer_poller_wins(line: Line) -> None:
    older = asyncio.create_task(line.call("getUpdates", timeout=30))
    while not line.telegram.updates._poller:
        await asyncio.sleep(0)
    newer = asyncio.create_task(line.call("getUpdates", timeout=30))
    assert await older == fixture("error_409_other_getupdates")
    line.inbound.write(ADA, ADA, text="hello")
    assert (await newer)["ok"]


async def test_only_wanted_kinds(line: Line) -> None:
    await line.ok("getUpdates", allowed_updates=["callback_query"])
    line.inbound.write(BOLA, BOLA, text="hello")
    assert await line.ok("getUpdates") == []
    await line.ok("getUpdates", allowed_updates=[])
    line.inbound.write(BOLA, BOLA, text="hello")
    assert len(await line.ok("getUpdates")) == 1


async def test_a_webhook_excludes_polling(line: Line) -> None:
    older = asyncio.create_task(line.call("getUpdates", timeout=30))
    while not line.telegram.updates._poller:
        await asyncio.sleep(0)
    assert not (await line.call("setWebhook", url="http://example.org/hook"))["ok"]
    await line.ok("setWebhook", url="https://example.org/hook")
    assert await older == fixture("error_409_setwebhook")
    assert await line.call("getUpdates") == fixture("error_409_webhook_active")
    assert (await line.ok("getWebhookInfo"))["url"] == "https://example.org/hook"
    await line.ok("deleteWebhook")
    assert await line.ok("getUpdates") == []
    await line.telegram.updates._nursery.stop()

"""Groups of the simulated Telegram: renamed, moved, and without the bot."""

from __future__ import annotations

import pytest

from viralcore.core.clock import SystemClock
from viralcore.core.nursery import Nursery
from viralcore.sandbox.telegram.errors import ApiError
from viralcore.sandbox.telegram.inbound import Inbound
from viralcore.sandbox.telegram.methods import Methods
from viralcore.sandbox.telegram.model import Group, Person
from viralcore.sandbox.telegram.state import Telegram
from viralcore.sandbox.telegram.wire import Params
from viralcore.sandbox.worlds.control import NonsenseError

OLD, NEW = -77, -1_000_000_000_077


@pytest.fixture
def telegram() -> Telegram:
    made = Telegram(now=SystemClock().now, nursery=Nursery())
    inbound = Inbound(made)
    inbound.upsert_person(Person(1, "Ada"))
    inbound.add_group(Group(OLD, "Owls", {1}))
    return made


async def kept(telegram: Telegram) -> list[dict[str, object]]:
    """What the bot is told, service messages by what they tell."""
    updates = await telegram.updates.poll(offset=0, limit=100, seconds=0)
    return [update.get("message") or update.get("my_chat_member") or {} for update in updates]


async def test_a_group_that_moved_says_where_and_takes_nothing_any_longer(telegram: Telegram) -> None:
    inbound, send = Inbound(telegram), Methods(telegram).find("sendMessage")
    assert send is not None
    moved = inbound.migrate(OLD, None)
    assert (moved.id, moved.kind, moved.members) == (NEW, "supergroup", {1})
    told = await kept(telegram)
    assert [message.get("migrate_to_chat_id") for message in told][-2:] == [NEW, None]
    assert [message.get("migrate_from_chat_id") for message in told][-2:] == [None, OLD]
    with pytest.raises(ApiError) as refused:
        send(Params({"chat_id": OLD, "text": "hello"}))
    assert refused.value.body()["parameters"] == {"migrate_to_chat_id": NEW}
    assert send(Params({"chat_id": NEW, "text": "hello"}))["chat"]["id"] == NEW
    with pytest.raises(NonsenseError):
        inbound.write(OLD, 1, text="anybody here?")
    for chat_id in (OLD, NEW):
        with pytest.raises(NonsenseError):
            inbound.migrate(chat_id, None)


async def test_nothing_becomes_a_supergroup_under_an_id_of_a_group(telegram: Telegram) -> None:
    with pytest.raises(NonsenseError):
        Inbound(telegram).migrate(OLD, -78)
    assert set(telegram.groups) == {OLD}


async def test_another_title_is_told_once(telegram: Telegram) -> None:
    inbound = Inbound(telegram)
    for title in ("Owls", "Larks", "Larks"):
        inbound.add_group(Group(OLD, title, {1}))
    told = [message.get("new_chat_title") for message in await kept(telegram)]
    assert [title for title in told if title] == ["Larks"]

"""The registry of groups: what Telegram says of them, in whatever order, and what staff make of them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.integration.boosts.conftest import Shop
from tests.integration.boosts.crowd import OWNER, Town
from tests.support.boosts import config
from viralcore.boosts.service.groups import Groups
from viralcore.core.errors import NotFound
from viralcore.users.api import NotAllowed

SUPER = -1_001_000_000_777


@pytest.fixture
def engines() -> None:
    """The engines of the settings."""


@pytest.fixture
def town(shop: Shop) -> Town:
    return Town(shop)


async def migrate(town: Town, old: int, new: int) -> None:
    async with town.shop.database.transaction() as tx:
        await town.crowd.group_migrated(tx, old_chat_id=old, new_chat_id=new)


async def test_the_bot_comes_goes_and_comes_back(town: Town) -> None:
    group = await town.group(-1)
    at = town.shop.clock.now()
    await town.crowd.bot_moved(chat_id=-1, title="Night owls", state="kicked", by=7, at=at + timedelta(seconds=5))
    # what was said before that comes too late
    await town.crowd.bot_moved(chat_id=-1, title="Old", state="in", by=7, at=at + timedelta(seconds=4))
    seen = await town.crowd.group(group_id=group)
    assert (seen.state, seen.role, seen.title) == ("kicked", "comments", "Night owls")
    await town.crowd.bot_moved(chat_id=-1, title="Early birds", state="in", by=7, at=at + timedelta(seconds=6))
    seen = await town.crowd.group(group_id=group)
    assert (seen.state, seen.role, seen.title) == ("in", "comments", "Early birds")
    assert len(await town.shop.events("group_joined")) == 2
    await town.crowd.group_renamed(chat_id=-1, title="Noon\x00 people")
    assert (await town.crowd.group(group_id=group)).title == "Noon people"


async def test_groups_with_the_same_title_are_two_groups(town: Town) -> None:
    first, second = await town.group(-1), await town.group(-2)
    assert first != second
    assert len(await town.crowd.groups()) == 2


async def test_a_group_that_moved_keeps_its_role_and_its_history(town: Town) -> None:
    group = await town.group(-1)
    await town.order()
    await town.run()
    await town.deliver()
    await asyncio.gather(migrate(town, -1, SUPER), migrate(town, -1, SUPER))
    (seen,) = await town.crowd.groups()
    assert (seen.id, seen.chat_id, seen.role, seen.posts, seen.state) == (group, SUPER, "comments", 1, "in")
    # the bot is thrown out of the group that is no more; a press in a message there is a press in this group
    await town.crowd.bot_moved(chat_id=-1, title="x", state="left", by=7, at=town.shop.clock.now())
    assert (await town.crowd.group(group_id=group)).state == "in"
    await town.order(2)
    await town.run()
    assert [event["chat_id"] for event in await town.sends()] == [-1, SUPER]


async def test_a_group_met_under_its_new_id_first_is_the_same_group(town: Town) -> None:
    group = await town.group(-1)
    await town.crowd.bot_moved(chat_id=SUPER, title="Night owls", state="in", by=7, at=town.shop.clock.now())
    await migrate(town, -1, SUPER)
    (seen,) = await town.crowd.groups()
    assert (seen.id, seen.chat_id, seen.role) == (group, SUPER, "comments")


async def test_a_group_in_use_under_both_ids_goes_on_under_the_new_one(town: Town) -> None:
    old, new = await town.group(-1), await town.group(SUPER)
    await town.order()
    await town.run()
    await town.deliver()
    await town.run(20)
    await town.deliver()
    await migrate(town, -1, SUPER)
    states = {group.id: (group.state, group.posts) for group in await town.crowd.groups()}
    assert states == {new: ("in", 1), old: ("left", 1)}


async def test_roles_are_given_by_owners_and_kept_in_the_audit(town: Town) -> None:
    group, other = await town.group(-1, role="none"), await town.group(-2, role="likes")
    with pytest.raises(NotAllowed):
        await town.crowd.set_role(key="k", actor=5, group_id=group, role="comments")
    with pytest.raises(NotFound):
        await town.crowd.set_role(key="k", actor=OWNER, group_id=99, role="comments")
    await town.crowd.set_role(key="k2", actor=OWNER, group_id=group, role="likes")
    assert {g.id: g.role for g in await town.crowd.groups()} == {group: "likes", other: "none"}
    assert [(row["subject"], row["after"]["role"]) for row in town.shop.users.audited][-2:] == [
        (f"group:{other}", "none"),
        (f"group:{group}", "likes"),
    ]


async def test_the_likes_group_of_the_environment_unless_staff_chose(town: Town) -> None:
    settings = config(admin_likes_group_enabled=True, admin_likes_group_chat_id=-50)
    registry = Groups(town.shop.database, town.shop.users, likes_group=settings.likes_group)  # type: ignore[arg-type]
    await registry.ensure_likes_group()
    await registry.ensure_likes_group()
    (seen,) = await registry.all()
    assert (seen.chat_id, seen.role, seen.state) == (-50, "likes", "in")
    # its joining is heard later than it happened
    await registry.bot_moved(chat_id=-50, title="Likes!", state="in", by=1, at=town.shop.clock.now())
    assert (await registry.all())[0].title == "Likes!"
    await registry.set_role(key="k", actor=OWNER, group_id=seen.id, role="none")
    await registry.ensure_likes_group()
    assert (await registry.all())[0].role == "none"
    assert config(admin_likes_group_chat_id=-50).likes_group is None

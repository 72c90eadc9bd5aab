"""Forums of the simulated Telegram: topics are made, written to, closed and deleted as the real one does it."""

from __future__ import annotations

import pytest

from tests.support.telegram import ADA, CREW, TEAM, Line
from viralcore.sandbox.telegram.model import Group
from viralcore.sandbox.worlds.control import NonsenseError


def forum(line: Line, *, on: bool = True, manages: bool | None = None) -> None:
    line.inbound.make_forum(CREW, on=on, manages=manages)


async def test_a_group_says_that_it_is_a_forum(line: Line) -> None:
    assert "is_forum" not in await line.ok("getChat", chat_id=CREW)
    forum(line)
    assert (await line.ok("getChat", chat_id=CREW))["is_forum"] is True
    sent = await line.ok("sendMessage", chat_id=CREW, text="to General")
    assert sent["chat"]["is_forum"] is True
    assert "message_thread_id" not in sent
    forum(line, on=False)
    assert "is_forum" not in await line.ok("getChat", chat_id=CREW)


async def test_what_is_sent_to_a_topic_stands_there_and_so_does_an_answer_to_it(line: Line) -> None:
    forum(line)
    line.telegram.updates.drop()
    made = await line.ok("createForumTopic", chat_id=CREW, name="  Money   out ")
    assert made == {"message_thread_id": made["message_thread_id"], "name": "Money out", "icon_color": 0x6FB9F0}
    sent = await line.ok("sendMessage", chat_id=CREW, text="a card", message_thread_id=made["message_thread_id"])
    assert (sent["message_thread_id"], sent["is_topic_message"]) == (made["message_thread_id"], True)
    line.calm()
    answered = await line.ok("sendMessage", chat_id=CREW, text="seen", reply_to_message_id=sent["message_id"])
    assert answered["message_thread_id"] == made["message_thread_id"]
    edited = await line.ok("editMessageText", chat_id=CREW, message_id=sent["message_id"], text="a card, decided")
    assert edited["message_thread_id"] == made["message_thread_id"]
    shown = line.telegram.message(CREW, sent["message_id"])
    assert shown is not None
    assert shown.control(line.telegram.topic_name(shown))["topic"] == "Money out"
    assert await line.telegram.updates.poll(offset=0, limit=10, seconds=0) == []  # nobody is told what they did


async def test_the_name_is_cut_and_asked_for(line: Line) -> None:
    forum(line)
    assert len((await line.ok("createForumTopic", chat_id=CREW, name="x" * 200))["name"]) == 128
    assert await line.refused("createForumTopic", chat_id=CREW, name=" ") == "Bad Request: title must be non-empty"


async def test_no_forum_and_no_right(line: Line) -> None:
    assert await line.refused("createForumTopic", chat_id=CREW, name="x") == "Bad Request: the chat is not a forum"
    assert await line.refused("createForumTopic", chat_id=ADA, name="x") == "Bad Request: the chat is not a forum"
    forum(line, manages=False)
    words = "Bad Request: not enough rights to create a topic"
    assert await line.refused("createForumTopic", chat_id=CREW, name="x") == words
    (told,) = (await line.telegram.updates.poll(offset=0, limit=10, seconds=0))[-1:]
    member = told["my_chat_member"]
    assert member["old_chat_member"]["can_manage_topics"] is True
    assert member["new_chat_member"]["can_manage_topics"] is False


@pytest.mark.parametrize("chat_id", [CREW, ADA])
async def test_there_is_no_such_topic(line: Line, chat_id: int) -> None:
    words = "Bad Request: message thread not found"
    assert await line.refused("sendMessage", chat_id=chat_id, text="x", message_thread_id=7) == words
    forum(line)
    assert await line.refused("sendMessage", chat_id=chat_id, text="x", message_thread_id=1) == words


async def test_a_topic_is_closed_and_deleted(line: Line) -> None:
    forum(line)
    thread = (await line.ok("createForumTopic", chat_id=CREW, name="Orders"))["message_thread_id"]
    sent = await line.ok("sendMessage", chat_id=CREW, text="a card", message_thread_id=thread)
    line.inbound.change_topic(CREW, "Orders", closed=True, deleted=False)
    line.calm()
    await line.ok("sendMessage", chat_id=CREW, text="administrators may", message_thread_id=thread)
    forum(line, manages=False)
    refused = await line.refused("sendMessage", chat_id=CREW, text="others not", message_thread_id=thread)
    assert refused == "Bad Request: TOPIC_CLOSED"
    line.inbound.change_topic(CREW, str(thread), closed=None, deleted=True)
    refused = await line.refused("sendMessage", chat_id=CREW, text="x", message_thread_id=thread)
    assert refused == "Bad Request: message thread not found"
    assert line.telegram.message(CREW, sent["message_id"]) is None
    with pytest.raises(NonsenseError):
        line.inbound.change_topic(CREW, "Orders", closed=False, deleted=False)


async def test_only_supergroups_have_topics(line: Line) -> None:
    line.inbound.add_group(Group(TEAM, "Team", {ADA}))
    with pytest.raises(NonsenseError):
        line.inbound.make_forum(TEAM, on=True, manages=None)

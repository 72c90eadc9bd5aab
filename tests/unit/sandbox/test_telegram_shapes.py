"""Updates and answers have the shapes of the recorded ones."""

from __future__ import annotations

from typing import Any

from tests.support.telegram import ADA, BOLA, CREW, TEAM, Line, fixture
from viralcore.sandbox.telegram.model import Group


def shape(value: Any) -> Any:
    """The keys and types of a JSON value, without its values; lists by their first item."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def without(value: Any, *names: str) -> Any:
    """Drop optional names the recorded person had and ours has not."""
    if isinstance(value, dict):
        return {key: without(item, *names) for key, item in value.items() if key not in names}
    return [without(item, *names) for item in value] if isinstance(value, list) else value


async def test_a_command(line: Line) -> None:
    line.inbound.write(ADA, ADA, text="/start ref_abc")
    answer = await line.call("getUpdates")
    recorded = without(fixture("getUpdates_ok"), "last_name")
    assert shape(answer) == shape(recorded)
    assert answer["result"][0]["message"]["entities"] == [{"offset": 0, "length": 6, "type": "bot_command"}]


async def test_a_pressed_button(line: Line) -> None:
    keyboard = {"inline_keyboard": [[{"text": "Buy", "callback_data": "buy:42"}]]}
    sent = await line.ok("sendMessage", chat_id=ADA, text="Choose", reply_markup=keyboard)
    line.inbound.press(ADA, ADA, sent["message_id"], "buy:42")
    update = (await line.ok("getUpdates"))[0]
    assert shape(update) == shape(fixture("callback_query_update"))
    assert update["callback_query"]["message"] == sent


async def test_a_sent_message(line: Line) -> None:
    answer = await line.call("sendMessage", chat_id=ADA, text="hello")
    assert shape(answer) == shape(without(fixture("sendMessage_ok"), "last_name"))


async def test_blocking(line: Line) -> None:
    line.inbound.block(ADA, blocked=True)
    update = (await line.ok("getUpdates"))[0]
    recorded = fixture("my_chat_member_blocked_update")
    recorded["my_chat_member"]["from"]["language_code"] = "en"
    assert shape(update) == shape(recorded)
    assert await line.call("sendMessage", chat_id=ADA, text="x") == fixture("error_403_blocked")


async def test_groups(line: Line) -> None:
    line.inbound.add_group(Group(TEAM, "Team", {ADA}))
    joined, note = await line.ok("getUpdates")
    assert joined["my_chat_member"]["new_chat_member"]["status"] == "administrator"
    assert note["message"]["new_chat_members"][0]["id"] == line.telegram.bot.id
    assert await line.ok("sendMessage", chat_id=TEAM, text="x")
    line.inbound.remove_bot(TEAM, ADA)
    line.inbound.remove_bot(CREW, ADA)
    assert await line.call("sendMessage", chat_id=TEAM, text="x") == fixture("error_403_kicked_group")
    assert await line.call("sendMessage", chat_id=CREW, text="x") == fixture("error_403_kicked_supergroup")


async def test_wrong_addresses(line: Line) -> None:
    other = "7000001:" + "B" * 35
    assert (await line.http.post(f"/bot{other}/getMe")).json() == fixture("error_401")
    assert (await line.http.post("/botnonsense/getMe")).json() == fixture("error_404")
    assert await line.call("noSuchMethod") == fixture("error_404")
    assert await line.call("sendMessage", chat_id=999, text="x") == fixture("error_400_chat_not_found")
    assert await line.call("sendMessage", chat_id=BOLA, text="x") == fixture("error_403_cant_initiate")


async def test_method_names_in_any_case(line: Line) -> None:
    assert (await line.ok("GETME"))["username"] == line.telegram.bot.username

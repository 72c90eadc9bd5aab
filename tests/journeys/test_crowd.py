"""Groups that reply: given a role, sent a post, moved to another id, claimed in, checked, closed. One story."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.journeys.shopper import Shopper, newcomers, pass_time
from tests.journeys.story import sandbox_of
from tests.support.sandbox import Message, Sandbox, button

OWLS, TWINS, SUPER = -501, -502, -1_000_000_000_502
FAN, STRANGER = 3001, 3002
LINK = "https://x.com/shop/status/1990000000000000001"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox_of(tmp_path_factory.mktemp("sandbox")) as started:
        yield started


def post_in(sandbox: Sandbox, chat: int, words: str = "I replied") -> Message:
    return sandbox.wait_for(chat, lambda m: words in m["text"] or button(m, words) is not None)


def press(sandbox: Sandbox, who: int, chat: int, label: str) -> str:
    answer = sandbox.press(who, label, chat=chat, message_id=post_in(sandbox, chat)["message_id"])
    assert answer is not None
    return str(answer["text"])


def test_a_post_is_replied_to_by_the_groups(sandbox: Sandbox) -> None:
    about = sandbox.about()
    owner = Shopper(sandbox, about["owner_id"])
    buyer, fan = newcomers(sandbox, 2, ["Bola", "Fan"])
    sandbox.person(STRANGER, "Stranger")
    for chat in (OWLS, TWINS):
        sandbox.call("POST", "/groups", id=chat, title="Night owls", members=[fan.id, STRANGER, buyer.id])
    _give_roles(sandbox, owner)
    _buy(sandbox, buyer)

    # the first group has it at once, the likes group too, the second 20 minutes later
    told = post_in(sandbox, OWLS)["text"]
    assert LINK in told
    assert "10 comments (5 from this group) and 5 reposts" in told
    likes = sandbox.wait_for(about["likes_group"], LINK)["text"]
    assert "Likes needed: 20" in likes
    assert "1990000000000000001" in likes

    # somebody the bot knows is asked in private, a stranger gets the way there
    assert "slot 1 of 10" in press(sandbox, fan.id, OWLS, "I replied")
    assert "already have a slot" in press(sandbox, fan.id, OWLS, "I replied")
    fan.see("Your proof, please")
    toast = press(sandbox, STRANGER, OWLS, "I replied")
    found = re.search(r"t\.me/\w+\?start=(claim_\d+)", toast)
    assert found, toast
    stranger = Shopper(sandbox, STRANGER)
    stranger.say(f"/start {found.group(1)}")
    stranger.see(lambda m: button(m, "I agree") is not None)
    stranger.tap("I agree")
    stranger.see("Send the link of your reply")
    stranger.say(f"Done! {LINK}")
    stranger.see("the link of the post itself")
    stranger.say("https://x.com/stranger/status/2000000000000000002?s=20")
    stranger.see("is being checked")
    fan.go("Send proof", until="Your task")
    fan.go("I did it", until="Send the link")
    fan.say("https://x.com/fan/status/2000000000000000001")
    fan.see("is being checked")

    # the second group becomes a supergroup before its turn, and the first one throws the bot out
    sandbox.call("POST", "/telegram", migrate_group={"id": TWINS, "to": SUPER})
    pass_time(sandbox, 20 * 60)
    assert "2 of 10 replied" in post_in(sandbox, SUPER)["text"]
    assert "2 of 10 replied" in post_in(sandbox, OWLS)["text"]
    sandbox.call("POST", "/telegram", kick_bot=OWLS)
    sandbox.wait_for(about["admin_group"], "I am no longer in the group Night owls")

    _check(sandbox, owner, about["admin_group"])
    fan.see("Your work was approved")
    stranger.see("somebody else's reply")
    pass_time(sandbox, 48 * 3600 + 60)
    assert "1 of 10 replied" in post_in(sandbox, SUPER, "is closed, thank you")["text"]
    pass_time(sandbox, 20 * 60)  # the panels have had less of it than the groups: they are asked now and then
    # 0.50 x (0.5 x 9/10 + 0.2)
    assert "$0.32" in buyer.see("partly delivered")["text"]
    assert sandbox.check() == []


def _give_roles(sandbox: Sandbox, owner: Shopper) -> None:
    owner.say("/start")
    owner.see(lambda m: button(m, "I agree") is not None)
    owner.tap("I agree")
    owner.see(lambda m: button(m, "Admin Panel") is not None)
    owner.go("Admin Panel", "Groups", until="Night owls")
    listed = owner.home()
    assert listed["text"].count("Night owls") == 2
    for label in [b["text"] for row in listed["buttons"] for b in row if "Night owls" in b["text"]]:
        owner.go(label, until="Chat id")
        owner.go("Comment group", until="Role: comment group")
        owner.go("Back", until="Groups")


def _buy(sandbox: Sandbox, buyer: Shopper) -> None:
    amount, address = buyer.quote(10, "t1")
    sandbox.transfer("USDT", address, amount, final=True)
    pass_time(sandbox, 30)
    buyer.see("10 X Tier 1 posts")
    buyer.say(LINK)
    buyer.see(lambda m: button(m, "Confirm") is not None)
    buyer.go("Confirm", until="Ordered")
    sandbox.calm()


def _check(sandbox: Sandbox, owner: Shopper, admin_group: int) -> None:
    """One proof is good, one is not."""
    card = sandbox.wait_for(admin_group, "2 proofs wait")
    assert any("start=claims" in (b["url"] or "") for row in card["buttons"] for b in row)
    owner.ask("/admin")
    owner.say("/start claims")
    owner.see("by Fan")
    owner.go("Approve", until="by Stranger")
    assert "https://x.com/stranger/status/2000000000000000002" in owner.home()["text"]
    owner.go("Reject", until="Why is claim")
    owner.say("This is somebody else's reply")
    owner.see("Everything is checked")
    sandbox.wait_for(admin_group, "All that was handed in is checked")

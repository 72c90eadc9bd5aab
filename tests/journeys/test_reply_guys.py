"""A reply guy's story: promoted, a number rejected with a reason, links approved in part, bars, a bonus, the list."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from PIL import Image

from tests.journeys.shopper import Crowd, Shopper, nonce_of
from tests.journeys.story import books_agree, sandbox_of
from tests.support.sandbox import Message, Sandbox, button


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox_of(tmp_path_factory.mktemp("sandbox")) as started:
        yield started


def press_card(sandbox: Sandbox, who: int, label: str, words: str) -> Message:
    """Press a card in the admin group; returns it as it was."""
    group = int(sandbox.about()["admin_group"])
    card = sandbox.wait_for(group, lambda m: words in m["text"] and button(m, label) is not None)
    sandbox.press(who, label, chat=group, message_id=card["message_id"])
    return card


def in_group(sandbox: Sandbox, who: int, text: str, words: str) -> Message:
    """Answer the bot's question in the group, and wait for words there."""
    group = int(sandbox.about()["admin_group"])
    after = sandbox.seq(group)
    sandbox.say(who, text, group)
    return sandbox.wait_for(group, lambda m: words in m["text"] and m["from"] != who, after=after)


def test_a_reply_guys_story(sandbox: Sandbox) -> None:
    about = sandbox.about()
    owner, group = Shopper(sandbox, int(about["owner_id"])), int(about["admin_group"])
    guy, stranger = Crowd(sandbox, 2).take(2)

    # --- not one yet: what it is, and how to become one; no pasted button gets around that
    newcomer = guy.ask("/tasks")
    assert "become" in newcomer["text"].lower()
    assert button(newcomer, "Become a reply guy") is not None
    assert "12 replies" not in guy.ask("12, wensday")["text"]

    # --- promoted by the owner
    owner.ask("/start")
    if button(owner.home(), "I agree"):
        owner.go("I agree")
    owner.ask("/admin")
    owner.go("Reply guys", "Find a person")
    owner.ask(str(guy.id))
    page = owner.go("Promote", until="Reply balance")
    assert button(page, "Demote") is not None
    guy.see("You are a reply guy now")
    assert button(guy.ask("/tasks"), "Submit replies") is not None
    assert button(stranger.ask("/tasks"), "Submit replies") is None

    # --- a number and a day, as people spell it
    now = datetime.fromisoformat(sandbox.call("GET", "/clock")["now"]) + timedelta(hours=1)
    day = now.date() - timedelta(days=(now.weekday() - 2) % 7)
    guy.go("Submit replies")
    assert "could not tell" in guy.ask("12 banana")["text"]
    asked = guy.ask("12, wensday")
    assert f"12 replies on Wednesday {day.day} {day:%b}?" in asked["text"]
    sent = guy.go("Confirm", until="is sent")
    assert "₦600" in sent["text"]
    guy.forge(f"A{nonce_of(sent)}rp_yes|1", sent)  # the button of staff, on a screen of their own
    guy.see("not allowed")
    assert guy.go("Home", "Service Menu", "Reply Guys Panel", until="Being checked")["photo"]

    # --- rejected in the group, with a reason
    press_card(sandbox, owner.id, "Reject", "12 replies on Wednesday")
    sandbox.wait_for(group, "Why is submission")
    in_group(sandbox, owner.id, "send me the links, please", "is rejected")
    told = guy.see("Not approved")
    assert "send me the links, please" in told["text"]
    sandbox.wait_for(group, lambda m: "Rejected by" in m["text"] and not m["buttons"])

    # --- links, one of them somebody else's business, approved in part by two at once
    guy.go("Reply Guys Panel", "Submit replies")
    links = [f"https://x.com/fan/status/19900000000000000{n:02}" for n in range(4)]
    sent = guy.ask(" ".join([*links, "https://x.com/fan", links[0].replace("x.com", "twitter.com")]))
    assert "4 links" in sent["text"]
    assert "not a reply" in sent["text"]
    assert "twice" in sent["text"]
    card = press_card(sandbox, owner.id, "Approve fewer", links[3])
    in_group(sandbox, owner.id, "9", "from 1 to 4")
    in_group(sandbox, owner.id, "3", "3 replies approved, ₦150 paid")
    late = sandbox.call(
        "POST",
        f"/chats/{group}/press",
        from_id=int(about["second_admin_id"]),
        message_id=card["message_id"],
        button=button(card, "Approve all"),
    )["answer"]
    assert "already" in late["text"] or "allowed" in late["text"]
    assert "₦150" in guy.see("3 replies approved")["text"]
    sandbox.wait_for(group, lambda m: "Approved by" in m["text"] and "3 of 4" in m["text"])

    # --- a bonus with a reason
    owner.go("Bonus", until="Bonus")
    confirm = owner.ask("500 a great week")
    assert "₦150 → ₦650" in confirm["text"]
    owner.go("Confirm", until="₦650")
    assert "a great week" in guy.see("A bonus of ₦500")["text"]

    # --- the panel with its bars, and what became of everything
    panel = guy.go("Reply Guys Panel", until="Balance: ₦650")
    assert "Today: 3 replies" in panel["text"]
    assert "Total: 3 replies, ₦650 earned" in panel["text"]
    picture = Image.open(io.BytesIO(sandbox.http.get(panel["photo"]).content))
    assert picture.width > 1000
    log = guy.go("Submissions", until="Your submissions")
    assert "3 of 4" in log["text"]
    assert "rejected: send me the links, please" in log["text"]

    # --- the list as a file, in private
    owner.go("Back", until="1 active")
    owner.tap("Export CSV")
    file = owner.see(lambda m: m.get("document") is not None)
    content = sandbox.http.get(file["document"]["url"]).content.decode("utf-8-sig")
    (row,) = [one for one in csv.DictReader(io.StringIO(content)) if one["id"] == str(guy.id)]
    assert (row["replies"], row["paid_ngn"], row["bonus_ngn"], row["balance_ngn"]) == (
        "3",
        "150.00",
        "500.00",
        "650.00",
    )
    sandbox.calm()
    books_agree(sandbox)

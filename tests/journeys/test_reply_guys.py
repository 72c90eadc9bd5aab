"""A reply guy's story: promoted, a number rejected with a reason, links approved in part, bars, a bonus, the list; then
what a task and a submission brought goes to the bank, once paid and once rejected."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from PIL import Image

from tests.journeys.shopper import Crowd, Shopper, data_of, nonce_of, pass_time, polite
from tests.journeys.story import books_agree, sandbox_of, says
from tests.support.sandbox import Message, Sandbox, button

OWLS, POST = -501, "https://x.com/shop/status/1990000000000000055"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox_of(tmp_path_factory.mktemp("sandbox"), by_hand=True) as started:
        yield started


@pytest.fixture(scope="module")
def people(sandbox: Sandbox) -> tuple[Shopper, Shopper, Shopper]:
    """The owner, somebody who will be a reply guy, and somebody who will not."""
    guy, stranger = Crowd(sandbox, 2).take(2)
    return Shopper(sandbox, int(sandbox.about()["owner_id"])), guy, stranger


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
    sandbox.answer(who, text, group)
    return sandbox.wait_for(group, lambda m: words in m["text"] and m["from"] != who, after=after)


def test_a_reply_guys_story(sandbox: Sandbox, people: tuple[Shopper, Shopper, Shopper]) -> None:
    about, (owner, guy, stranger) = sandbox.about(), people
    group = int(about["admin_group"])

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
    sandbox.wait_for(group, "How many of the 4")
    in_group(sandbox, owner.id, "9", "from 1 to 4")
    in_group(sandbox, owner.id, "3", "3 replies approved, ₦150 paid")
    in_group(sandbox, int(about["second_admin_id"]), "/admin", "session is open")
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
    owner.go("Back", until="1 active")
    owner.tap("Export XLSX")
    book = owner.see(lambda m: m.get("document") is not None and m["document"]["url"] != file["document"]["url"])
    with zipfile.ZipFile(io.BytesIO(sandbox.http.get(book["document"]["url"]).content)) as opened:
        assert "<f>" not in opened.read("xl/worksheets/sheet1.xml").decode()
        assert f"Guest {guy.id}" in opened.read("xl/sharedStrings.xml").decode()
    sandbox.calm()
    books_agree(sandbox)


def test_what_was_earned_is_withdrawn(sandbox: Sandbox, people: tuple[Shopper, Shopper, Shopper]) -> None:
    """₦650 from before, a task from a verified account, thirty replies; once paid to the bank, once rejected."""
    owner, guy, buyer = people
    group = int(sandbox.about()["admin_group"])

    # --- a task of tier 5, taken, proved and approved as from a verified account
    sandbox.call("POST", "/groups", id=OWLS, title="Night owls", members=[guy.id])
    owner.ask("/admin")
    owner.go("Groups", "Night owls", "Comment group", until="Role: comment group")
    amount, address = buyer.quote(10, "t5")
    sandbox.transfer("USDT", address, amount, final=True)
    pass_time(sandbox, 60)
    buyer.see("10 X Tier 5 posts")
    buyer.say(POST)
    assert "20 by verified accounts" in buyer.see(lambda m: button(m, "Confirm") is not None)["text"]
    buyer.go("Confirm", until="Ordered")
    sandbox.calm()
    assert button(sandbox.wait_for(OWLS, POST), "I replied, verified account") is not None
    assert "60 comments (20 by verified accounts)" in guy.ask("/tasks")["text"]
    assert "from a verified account" in guy.go("Take, verified", until="Your task")["text"]
    guy.go("I did it", until="Send the link")
    guy.say("https://x.com/fan/status/2000000000000000001")
    guy.see("is being checked")
    owner.say("/start claims")
    assert "from a verified account" in owner.see("Says they did")["text"]
    owner.go("Approve, verified", until="Everything is checked")
    guy.see("₦50")
    buyer.see("1 of 60 comments (verified accounts: 1 of 20)")

    # --- thirty replies in a submission
    guy.ask("30 today")
    guy.go("Confirm", until="is sent")
    press_card(sandbox, owner.id, "Approve all 30", "30 replies")
    assert "₦1,500" in guy.see("30 replies approved")["text"]
    assert "₦2,200" in guy.go("Home", "Service Menu", "Reply Guys Panel", until="Balance: ₦2,200")["text"]

    # --- the first withdrawal arrives
    polite(guy.go("Withdraw"), "₦2,200")
    withdraw(guy, "1200")
    shown = withdrawal(sandbox, group, 1, "waits for approval")
    says(shown, "reply balance, ₦1,200", "******6781")
    owner.say("/admin", chat=group)
    sandbox.wait_for(group, "session is open until")
    press(sandbox, owner, shown, group, "Approve")
    polite(guy.see("is sent to the bank"), "You get ₦")
    sandbox.call("POST", "/bank/transfers/vc-w1-a1", status="SUCCESSFUL")
    polite(guy.see("Your withdrawal #1 has arrived"), "was paid to", "******6781")
    withdrawal(sandbox, group, 1, "paid at")

    # --- the second one is rejected, and the money is back
    polite(guy.ask("/withdraw"), "₦1,000")
    guy.go("100%", until="To which bank")
    guy.go("****6781", until="Please check")
    guy.go("Confirm", until="Withdrawal #2")
    press(sandbox, owner, withdrawal(sandbox, group, 2, "waits for approval"), group, "Reject")
    sandbox.wait_for(group, "Why is withdrawal #2 rejected")
    sandbox.answer(owner.id, "Once a week is enough", group)
    polite(guy.see("#2 was rejected"), "Once a week is enough", "₦1,000 is back in your reply balance")
    polite(guy.ask("/withdraw"), "₦1,000")
    sandbox.calm()
    assert sandbox.check() == []


def withdraw(guy: Shopper, amount: str) -> None:
    polite(guy.ask(amount), "To which bank account?")
    polite(guy.ask("gtb"), "Which of these is your bank?")
    polite(guy.go("GTBank"), "exactly 10 digits")
    guy.say("0123456781")
    polite(guy.see("Please check this withdrawal"), "******6781", "You get: ₦")
    guy.go("Confirm", until="Withdrawal #1")


def withdrawal(sandbox: Sandbox, group: int, number: int, words: str) -> Message:
    return sandbox.wait_for(group, lambda m: f"Withdrawal #{number}:" in m["text"] and words in m["text"])


def press(sandbox: Sandbox, person: Shopper, where: Message, group: int, label: str) -> None:
    sandbox.press(person.id, data_of(where, label), chat=group, message_id=where["message_id"])

"""Goods are bought by questions, and the team works at them by hand: done, or given up with the money back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.shopper import Shopper, newcomers, pass_time, polite
from tests.journeys.story import sandbox_of
from tests.support.sandbox import Message, Sandbox, button, copies

pytestmark = pytest.mark.timeout(300)
POLL = "https://x.com/ada/status/123"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox_of(tmp_path_factory.mktemp("sandbox"), by_hand=True) as started:
        yield started


@pytest.fixture(scope="module")
def ada(sandbox: Sandbox) -> Shopper:
    """With $25 in her wallet."""
    (person,) = newcomers(sandbox, 1, ["Ada"])
    person.ask("/balance")
    person.go("Top up", "25", "Crypto", "USDT", "BSC")
    amount, address = copies(person.see(lambda m: len(copies(m)) == 2))
    sandbox.transfer("USDT", address, amount, final=True)
    pass_time(sandbox, 60)
    person.see("Payment received")
    return person


@pytest.fixture(scope="module")
def owner(sandbox: Sandbox) -> Shopper:
    person = Shopper(sandbox, sandbox.about()["owner_id"])
    person.ask("/start")
    person.go("I agree")
    return person


def _card(sandbox: Sandbox, words: str, *, after: int = 0) -> Message:
    group = int(sandbox.about()["admin_group"])
    return sandbox.wait_for(group, lambda m: "Team work" in m["text"] and words in m["text"], after=after)


def test_votes_are_bought_by_questions_and_done_by_hand(sandbox: Sandbox, ada: Shopper, owner: Shopper) -> None:
    ada.ask("/menu")
    ada.go("Service Menu", "Twitter/X", "Poll", "X poll votes")
    polite(ada.go("50"), "50 votes for $1.50", "Which poll?")
    polite(ada.ask("https://x.com/ada"), "That is not a post", "Which poll?")
    polite(ada.ask(f"{POLL}?s=20"), POLL, "Which option gets the votes?")
    sandbox.kill()
    polite(ada.ask("/orders"), "Started, not ordered yet", "X poll votes: 50 votes")
    polite(ada.go("Go on with X poll votes"), "Which option gets the votes?")
    polite(ada.go("3"), "Option: 3", "Is all of this right?")
    ada.go("Option")
    polite(ada.ask("2"), "Option: 2", "Total: $1.50")
    polite(ada.go("Confirm"), "Invoice #", "50 votes at $0.03", "Option: 2")
    polite(ada.go("Wallet", until="Paid"), "It is an order now", "Option: 2")

    group = int(sandbox.about()["admin_group"])
    card = _card(sandbox, "50 votes")
    assert all(words in card["text"] for words in (POLL, "Option: 2", "For Ada", "Nobody has taken it yet"))
    assert "by hand, as soon as they can" in ada.see("0 of 50 votes")["text"]
    sandbox.press(owner.id, "Take", chat=group, message_id=card["message_id"])
    taken = _card(sandbox, "Taken by", after=card["seq"])
    assert taken["message_id"] == card["message_id"]
    before = sandbox.seq(group)
    sandbox.press(owner.id, "Progress", chat=group, message_id=card["message_id"])
    question = sandbox.wait_for(group, "delivered in all", after=before)
    sandbox.say(owner.id, "20", group, reply_to=question["message_id"])
    _card(sandbox, "20 of 50 votes", after=before)
    ada.see("20 of 50 votes")

    sandbox.kill()
    sandbox.press(owner.id, "Done", chat=group, message_id=card["message_id"])
    done = _card(sandbox, "Done by", after=before)
    assert (done["message_id"], done["buttons"]) == (card["message_id"], [])
    polite(ada.see("is complete"), "50 votes")
    assert sandbox.check() == []


def test_followers_that_cannot_be_had_are_paid_back(sandbox: Sandbox, ada: Shopper, owner: Shopper) -> None:
    polite(ada.ask("/buy direct_add 1000"), "Which profile?", "1,000 followers for $10.00")
    polite(ada.ask(POLL), "That is a post, not a profile")
    polite(ada.ask("@ada"), "https://x.com/ada", "Total: $10.00")
    ada.go("Confirm")
    ada.go("Wallet", until="Paid")
    card = _card(sandbox, "1,000 followers")
    assert button(card, "Take")

    polite(owner.ask("/admin"), "Admin Panel")
    polite(owner.go("Team work"), "1 card", "1,000 followers")
    owner.go("#2", until="Team work")
    polite(owner.go("Take", until="Taken by"), "0 of 1,000 followers")
    polite(owner.go("Cannot"), "Why can card #2 not be done?")
    polite(owner.ask("The profile is private."), "The profile is private.", "$10.00 back to the buyer")
    polite(ada.see("could not be delivered"), "$10.00", "The profile is private.")
    _card(sandbox, "$10.00 back to the buyer")
    polite(ada.ask("/balance"), "Wallet: $23.50")
    assert sandbox.check() == []


def test_comments_for_telegram_come_in_sizes(sandbox: Sandbox, ada: Shopper) -> None:
    ada.ask("/menu")
    ada.go("Service Menu", "Telegram")
    assert all(button(ada.home(), label) for label in ("Engagement", "Premium Members", "Automation", "Extra"))
    polite(ada.go("Engagement"), "How many comments should each post get?")
    polite(ada.go("15"), "15 comments", "15 reactions", "$0.30 a post")
    ada.go("10")
    ada.go("Wallet", until="Paid")
    # the receipt of the purchase may come between
    polite(ada.answer_to(ada.say("https://t.me/c/1234567/8"), "15 reactions"), "15 comments")
    ada.go("Confirm")
    for words in ("15 comments", "15 reactions"):
        assert "https://t.me/c/1234567/8" in _card(sandbox, words)["text"]
    polite(ada.ask("/orders"), "0%", "https://t.me/c/1234567/8")
    assert sandbox.check() == []

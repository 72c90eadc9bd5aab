"""Somebody earns by referral and takes it out three times: paid, failed and given back, rejected. Every message is
read, by the person, by two approvers in their group, and in the Admin Panel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.shopper import Shopper, data_of, newcomers, nonce_of, polite
from tests.journeys.story import sandbox_of, says
from tests.journeys.test_books import dump, environment
from tests.support.sandbox import Message, Sandbox, button, copies

pytestmark = pytest.mark.timeout(300)
GOOD, CLOSED, NOBODY = "0123456781", "0987654322", "0555444399"
BEN = 7003


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("withdrawals")


@pytest.fixture(scope="module")
def sandbox(folder: Path) -> Iterator[Sandbox]:
    with sandbox_of(folder) as started:
        yield started


@pytest.fixture(scope="module")
def group(sandbox: Sandbox) -> int:
    return int(sandbox.about()["admin_group"])


@pytest.fixture(scope="module")
def boss(sandbox: Sandbox) -> Shopper:
    person = Shopper(sandbox, int(sandbox.about()["owner_id"]))
    person.ask("/start")
    person.go("I agree")
    return person


@pytest.fixture(scope="module")
def second(sandbox: Sandbox) -> Shopper:
    person = Shopper(sandbox, int(sandbox.about()["second_admin_id"]))
    person.ask("/start")
    person.go("I agree")
    return person


@pytest.fixture(scope="module")
def ada(sandbox: Sandbox) -> Shopper:
    """Brought Ben, who bought: $15.00 of commission."""
    found = newcomers(sandbox, 1, ["Ada"])[0]
    polite(found.ask("/withdraw"), "nothing to withdraw yet")
    found.ask("/referral")
    found.go("Share")
    (link,) = copies(found.home())
    sandbox.person(BEN, "Ben")
    ben = Shopper(sandbox, BEN)
    ben.ask(f"/start {link.partition('start=')[2]}")
    ben.go("I agree")
    amount, address = ben.quote(100)
    sandbox.transfer("USDT", address, amount, final=True)
    sandbox.turn(60)
    found.see("You earned $15.00")
    return found


def card(sandbox: Sandbox, group: int, number: int, *words: str) -> Message:
    """The newest state of a withdrawal's card that says these words."""
    found = sandbox.wait_for(
        group, lambda m: f"Withdrawal #{number}:" in m["text"] and all(word in m["text"] for word in words)
    )
    assert not re.search(r"\d{10}", found["text"].replace(str(BEN), "")), "a whole account number stands in the group"
    return found


def press(sandbox: Sandbox, person: Shopper, where: Message, group: int, label: str) -> dict[str, Any]:
    """What stands on the card as it was seen: by now it may have been drawn again, without that button."""
    answer = sandbox.press(person.id, data_of(where, label), chat=group, message_id=where["message_id"])
    assert answer is not None
    return answer


def asks(ada: Shopper, amount: str, bank: str, number: str) -> Message:
    """From the amount to the confirmed request."""
    polite(ada.ask(amount), "To which bank account?", "before the bank's fee")
    polite(ada.ask(bank), "Which of these is your bank?")
    polite(ada.go("GTBank"), "exactly 10 digits")
    ada.say(number)
    return ada.see("Please check this withdrawal")


def test_it_is_asked_for_with_every_mistake_and_a_crash(sandbox: Sandbox, ada: Shopper) -> None:
    ada.ask("/referral")
    shown = ada.go("Withdraw")
    polite(shown, "Withdraw from your affiliate balance", "You have $15.00, about ₦", "At a time: from $")
    assert button(shown, "25% ($3.75)")
    assert button(shown, "100% ($15.00)")
    for typed, words in (
        ("much", "above zero"),
        ("-5", "above zero"),
        ("1,000", "You have $15.00"),
        ("0.10", "smallest"),
    ):
        polite(ada.ask(typed), words, "How much?")
    polite(ada.ask("5.00"), "To which bank account?", "$5.00 (₦")
    sandbox.kill()
    polite(ada.ask("0123456781"), "Send the name of the bank first")
    polite(ada.ask("zzzz no such bank"), "No bank is called zzzz")
    polite(ada.ask("gtb"), "Which of these is your bank?")
    polite(ada.go("GTBank"), "Your account at", "exactly 10 digits")
    polite(ada.ask("012345678"), "That has 9 digits")
    polite(ada.ask("01234567812"), "That has 11 digits")
    ada.say(NOBODY)
    polite(ada.see("knows no account"), "******4399", "Nothing was taken")
    polite(ada.go("Other account", until="To which bank"), "Send the name of your bank")
    polite(ada.ask("gtb"), "Which of these is your bank?")
    ada.go("GTBank")
    ada.say(GOOD)
    ready = ada.see("Please check this withdrawal")
    polite(ready, "******6781", "Its name at the bank: ", "Rate: ₦", "Fee of the bank: ₦", "You get: ₦")
    polite(ada.go("Confirm"), "Withdrawal #1: waits for approval", "you can cancel it", "asked ")
    polite(ada.ask("/withdraw"), "withdrawal #1 is still open")


def test_it_is_approved_sent_and_arrives(sandbox: Sandbox, ada: Shopper, boss: Shopper, group: int) -> None:
    shown = card(sandbox, group, 1, "waits for approval")
    says(shown, "Ada (", "affiliate balance, $5.00", "locked; live", "******6781", "Their first withdrawal")
    here = ada.home()
    after = ada.seq()
    ada.forge(f"A{nonce_of(here)}wd_yes|1|0", here)
    polite(ada.see("not allowed", after))
    assert "/admin" in press(sandbox, boss, shown, group, "Approve")["text"]  # no session yet
    boss.say("/admin", chat=group)
    sandbox.wait_for(group, "session is open until")
    revealed = press(sandbox, boss, shown, group, "Show account")
    assert revealed["alert"]
    assert GOOD in revealed["text"]
    assert "will be sent" in press(sandbox, boss, shown, group, "Approve")["text"]
    sent = card(sandbox, group, 1, "with the bank")
    says(sent, "approved by ", " at ", "vc-w1-a1")
    polite(ada.see("is sent to the bank"), "You get ₦", "when the bank says so", "approved ")
    ada.ask("/withdraw")
    ada.go("Withdrawal #1", until="sent to the bank")
    sandbox.call("POST", "/bank/transfers/vc-w1-a1", status="SUCCESSFUL")
    polite(ada.see("🎉 Your withdrawal #1 has arrived"), "was paid to", "******6781", "vc-w1-a1", "arrived ")
    polite(ada.see("Withdrawal #1: arrived"), "You got: ₦")  # the screen that was open, redrawn
    assert not card(sandbox, group, 1, "✅", "paid at")["buttons"]
    assert sandbox.check() == []


def test_another_fails_and_the_money_is_back(
    sandbox: Sandbox, ada: Shopper, boss: Shopper, second: Shopper, group: int
) -> None:
    """To an account that is new beside one that was paid: two approvers."""
    shown = ada.ask("/withdraw")
    polite(shown, "You have $10.00")
    saved = ada.go("50%", until="To which bank")
    assert button(saved, "****6781"), [[b["text"] for b in r] for r in saved["buttons"]]
    ada.ask("gtb")
    ada.go("GTBank")
    ada.say(CLOSED)
    ada.see(lambda m: "Please check" in m["text"] and "******4322" in m["text"])
    polite(ada.go("Confirm", until="Withdrawal #2"), "waits for approval")
    shown = card(sandbox, group, 2, "waits for approval")
    says(shown, "Look twice", "never to this account", "Two different people must approve it; 2 to go", "1 paid")
    assert "Somebody else" in press(sandbox, boss, shown, group, "Approve")["text"]
    once = card(sandbox, group, 2, "1 to go")
    says(once, "approved by")
    second.say("/admin", chat=group)
    sandbox.wait_for(group, "session is open until", after=once["seq"])
    sandbox.kill()
    press(sandbox, second, once, group, "Approve")
    assert "decided that already" in press(sandbox, second, once, group, "Reject")["text"]
    assert "was faster" in press(sandbox, boss, once, group, "Reject")["text"]
    card(sandbox, group, 2, "with the bank")
    sandbox.call("POST", "/bank/transfers/vc-w2-a1", status="FAILED", message="DISBURSE FAILED: Invalid Account")
    failed = ada.see(lambda m: "#2 could not be paid" in m["text"] and "back in" in m["text"])
    polite(failed, "cannot receive it", "$5.00 is back in your affiliate balance", "failed ")
    says(card(sandbox, group, 2, "failed at"), "The money went back")
    polite(ada.ask("/withdraw"), "You have $10.00")
    assert sandbox.check() == []


def test_a_third_is_rejected_with_a_reason(
    sandbox: Sandbox, ada: Shopper, boss: Shopper, second: Shopper, group: int, folder: Path
) -> None:
    ada.ask("/withdraw")
    ada.go("100%", until="To which bank")
    ada.go("****6781", until="Please check")
    ada.go("Confirm", until="Withdrawal #3")
    waiting = card(sandbox, group, 3, "waits for approval")
    says(waiting, "3 requests in 24 hours")
    polite(boss.ask("/admin"), "Withdrawals that wait for one of us: 1")
    polite(boss.go("Withdrawals (1)"), "automatic, through Flutterwave", "DISABLE_ADMIN_APPROVAL is off")
    polite(boss.go("Waiting (1)"), "#3", "0 of 2 approvals", "Ada (")
    polite(boss.go("#3", until="Withdrawal #3:"), "waits for approval", "******6781")
    polite(boss.go("Show account", until="Withdrawal #3:"), GOOD)
    press(sandbox, second, waiting, group, "Reject")
    sandbox.wait_for(group, "Why is withdrawal #3 rejected")
    sandbox.answer(second.id, "Three in one day: please write to support first", group)
    sandbox.wait_for(group, "is rejected. The person reads your reason")
    told = ada.see("#3 was rejected")
    polite(told, "Three in one day: please write to support first", "$10.00 is back in your affiliate balance")
    says(card(sandbox, group, 3, "rejected by"), "Three in one day")
    shown = ada.ask("/withdraw")
    polite(shown, "You have $10.00")
    polite(ada.go("My withdrawals"), "arrived", "failed, the money is back", "rejected, the money is back")
    sandbox.calm()
    assert sandbox.check() == []
    stored = dump(environment(sandbox))
    logs = [path.read_text(errors="replace") for path in folder.rglob("*.log")]
    for number in (GOOD, CLOSED, NOBODY):
        assert number not in stored, "an account number that was typed stands in the database"
        assert not [log for log in logs if number in log], "an account number that was typed stands in a log"

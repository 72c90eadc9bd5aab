"""Paying in naira, as people do it: buy, Bank, an account and an amount to copy, and what is told afterwards."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.journeys.shopper import Crowd, Shopper, newcomers, pass_time, polite, together
from tests.journeys.story import OWNER, log_of, sandbox_of
from tests.support.sandbox import Message, Sandbox, button, copies, running_sandbox, swift

pytestmark = pytest.mark.timeout(600)
SECOND = 1001


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox_of(tmp_path_factory.mktemp("bank")) as running:
        yield running


@pytest.fixture(scope="module")
def crowd(sandbox: Sandbox) -> Crowd:
    return Crowd(sandbox, 9)


def by_bank(person: Shopper, quantity: int = 10) -> tuple[str, str]:
    """Buy as far as the account; the amount and the account to copy."""
    person.invoice(quantity)
    return account_of(person)


def account_of(person: Shopper) -> tuple[str, str]:
    before = person.seq()
    person.tap("Bank")
    shown = person.see(lambda m: len(copies(m)) == 2, before)
    polite(shown, "Transfer exactly", "₦", "to account", "left")
    amount, account = copies(shown)
    return amount, account


def pay(sandbox: Sandbox, account: str, amount: str | Decimal, **more: str) -> str:
    return str(sandbox.call("POST", "/bank/pay", account_number=account, amount=str(amount), **more)["id"])


def test_exactly_short_over_and_late(sandbox: Sandbox, crowd: Crowd) -> None:
    exact, short, over, late = people = crowd.take(4)
    quotes = together(by_bank, people)
    assert {amount for amount, _ in quotes} == {"24457.50"}
    assert len({account for _, account in quotes}) == 4
    (amount, account), (_, half_to), (_, over_to), (_, late_to) = quotes
    pay(sandbox, account, amount)
    pay(sandbox, half_to, "16305")
    pay(sandbox, over_to, "32610")
    sandbox.calm()
    polite(exact.see("Payment received"), "₦24,457.50 by bank transfer", "$15.00", "is paid", "10 X Tier 3 posts")
    polite(exact.see(lambda m: "Thank you" in m["text"]), "Paid")
    polite(short.see("Payment received"), "₦16,305 by bank transfer", "less than the invoice needed", "remaining $5.00")
    polite(over.see("Payment received"), "₦32,610 by bank transfer", "$5.00 more than needed", "in your wallet")
    short.go("Pay the rest")
    rest, rest_to = account_of(short)
    assert rest == "8152.50"
    pay(sandbox, rest_to, rest)
    sandbox.calm()
    polite(
        short.see(lambda m: "Payment received" in m["text"] and "₦8,152.50" in m["text"]),
        "is paid",
        "10 X Tier 3 posts",
    )
    pass_time(sandbox, 21 * 60)
    late.see("has expired")
    pay(sandbox, late_to, amount)
    sandbox.calm()
    polite(late.see("Payment received"), "after the invoice's time was up", "is paid")
    polite(over.ask("/balance"), "$5.00")
    polite(short.ask("/balance"), "$0.00")
    group = sandbox.messages(sandbox.about()["admin_group"])
    assert [m for m in group if "₦24,457.50 by bank transfer, $15.00 (exact)" in m["text"]]
    assert sandbox.check() == []


def test_the_bank_is_down_and_another_way_is_offered(sandbox: Sandbox, crowd: Crowd) -> None:
    person = crowd.take(1)[0]
    sandbox.call("POST", "/bank", outage="503")
    person.invoice(10)
    before = person.seq()
    person.tap("Bank")
    down = person.see("did not answer", before)
    polite(down, "Nothing was charged", "another way to pay")
    ways = person.go("Change method")
    assert button(ways, "Crypto")
    sandbox.call("POST", "/bank", outage="")
    sandbox.turn(61)
    person.go("Continue payment")
    before = person.seq()
    person.tap("Try again")
    amount, account = copies(person.see(lambda m: len(copies(m)) == 2, before))
    pay(sandbox, account, amount)
    sandbox.calm()
    polite(person.see("Payment received"), "is paid")
    assert sandbox.check() == []


def test_i_have_paid_without_a_webhook(sandbox: Sandbox, crowd: Crowd) -> None:
    person = crowd.take(1)[0]
    amount, account = by_bank(person)
    before = person.seq()
    answer = person.tap("I have paid")
    assert answer is not None
    assert "asking the bank" in str(answer["text"])
    polite(person.see("You said that you have paid", before), "nothing you need to do")
    assert "Payment received" not in person.texts()
    sandbox.call("POST", "/bank", webhooks=False)
    pay(sandbox, account, amount)
    person.tap("I have paid")
    polite(person.see("Payment received", seconds=60), "is paid")
    sandbox.call("POST", "/bank", webhooks=True)
    assert sandbox.check() == []


def test_a_bot_that_is_killed_in_the_middle_loses_and_doubles_nothing(sandbox: Sandbox, crowd: Crowd) -> None:
    people = crowd.take(2)
    sandbox.call("POST", "/bank", duplicate_webhooks=2, shuffle=True)
    for person in people:
        amount, account = by_bank(person)
        pay(sandbox, account, amount)
        sandbox.kill()
    sandbox.calm()
    for person in people:
        polite(person.see("Payment received"), "is paid", "10 X Tier 3 posts")
        assert person.texts().count("Payment received") == 1
    sandbox.call("POST", "/bank", duplicate_webhooks=0, shuffle=False)
    assert sandbox.check() == []


def test_money_nobody_explains_is_told_to_finance(sandbox: Sandbox, crowd: Crowd) -> None:
    person = crowd.take(1)[0]
    _, account = by_bank(person)
    number = pay(sandbox, account, "50", currency="USD")
    sandbox.calm()
    card = sandbox.wait_for(sandbox.about()["admin_group"], number)
    assert all(words in card["text"] for words in ("50 USD by bank transfer", "not in naira", "vc-c"))
    polite(person.ask("/balance"), "$0.00")
    assert sandbox.check() == []


def photo() -> str:
    out = BytesIO()
    Image.new("RGB", (40, 60), "white").save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def decided(sandbox: Sandbox, words: str, *, after: int = 0) -> Message:
    return sandbox.wait_for(sandbox.about()["admin_group"], words, after=after)


def test_by_hand_with_a_photo_of_the_receipt(tmp_path: Path) -> None:
    """The shop's own account: a photo, a rejection with a reason, another photo, two admins, one credit."""
    told = swift(tmp_path)
    payments = Path(told["SETTINGS_DIR"]) / "payments.toml"
    lines = payments.read_text()
    for name, value in (
        ("manual = false", "manual = true"),
        ('manual_account_number = ""', 'manual_account_number = "0123456789"'),
        ('manual_bank_name = ""', 'manual_bank_name = "GTBank"'),
        ('manual_account_name = ""', 'manual_account_name = "Viral & Sons"'),
    ):
        assert name in lines
        lines = lines.replace(name, value)
    payments.write_text(lines)
    try:
        with running_sandbox(tmp_path, **told) as sandbox:
            _by_hand(sandbox)
    except BaseException as error:
        error.add_note(log_of(tmp_path))
        raise


def _by_hand(sandbox: Sandbox) -> None:
    about = sandbox.about()
    group = about["admin_group"]
    person, stranger = newcomers(sandbox, 2)
    number = person.invoice(10)
    shown = person.go("Bank", until="Transfer exactly")
    polite(shown, "0123456789", "GTBank", "Viral & Sons", f"VC-{number}")
    assert copies(shown) == ["24457.50", "0123456789"]
    polite(person.go("I have paid", until="photo"), "receipt")
    polite(person.ask("it is done, believe me"), "not a photo")
    sent = sandbox.call("POST", f"/chats/{person.id}/messages", from_id=person.id, photo_base64=photo())["message_id"]
    polite(person.answer_to(int(sent)), "our team has your receipt")
    card = decided(sandbox, "A bank receipt to check")
    assert all(words in card["text"] for words in ("₦24,457.50", "$15.00", f"Invoice #{number}"))
    assert card["photo"]
    for admin in (OWNER, SECOND):
        sandbox.say(admin, "/admin", chat=group)
    sandbox.calm()

    sandbox.press(OWNER, "Reject", chat=group, message_id=card["message_id"])
    decided(sandbox, "Why is receipt")
    sandbox.answer(OWNER, "There is <no> date on it.", group)
    polite(person.see("was not accepted"), "There is <no> date on it.", "another photo")
    decided(sandbox, "Rejected by")
    assert "Payment received" not in person.texts()

    person.go(f"Invoice #{number}")
    person.go("Continue payment", until="not accepted")
    person.go("I have paid", until="photo")
    before = sandbox.seq(group)
    sandbox.call("POST", f"/chats/{person.id}/messages", from_id=person.id, photo_base64=photo())
    card = decided(sandbox, "A bank receipt to check", after=before)
    first = sandbox.press(OWNER, "Approve", chat=group, message_id=card["message_id"])
    second = sandbox.press(SECOND, "Approve", chat=group, message_id=card["message_id"])
    assert first is not None
    assert "accepted and credited" in str(first["text"])
    assert second is None or "decided" in str(second["text"])
    polite(person.see("Payment received"), "₦24,457.50 by bank transfer", "is paid")
    decided(sandbox, "Accepted and credited by")

    polite(stranger.ask("hello"), "")
    sent = sandbox.call("POST", f"/chats/{stranger.id}/messages", from_id=stranger.id, photo_base64=photo())
    polite(stranger.answer_to(int(sent["message_id"])), "not waiting for a photo")
    sandbox.calm()
    assert person.texts().count("Payment received") == 1
    assert sandbox.check() == []

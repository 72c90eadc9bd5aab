"""What people send by mistake, in a hurry or in malice, through a whole sandbox: one clear sentence, a way on, and
nothing lost. Every single wrong spelling is tried in tests/bot, where a case costs less."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from tests.journeys.shopper import (
    Crowd,
    Shopper,
    ask_all,
    data_of,
    invoice_number,
    newcomers,
    nonce_of,
    pass_time,
    polite,
    together,
)
from tests.journeys.story import sandbox_of
from tests.support.sandbox import CHAINS, Message, Sandbox, button
from tests.support.stage import picture

HASH = "0x" + "ab" * 32
X_POST = "https://x.com/ada/status/{}"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox_of(tmp_path_factory.mktemp("sandbox"), chains=CHAINS) as started:
        yield started


@pytest.fixture(scope="module")
def crowd(sandbox: Sandbox) -> Crowd:
    return Crowd(sandbox, 42)


def test_before_the_terms_everything_waits_for_them(sandbox: Sandbox) -> None:
    people = [Shopper(sandbox, sandbox.person(3900 + n, "New")) for n in range(5)]
    for answer in ask_all(zip(people, ["/orders", "hello", X_POST.format(1), HASH, "/buy t3 10"], strict=True)):
        polite(answer, "agree to the terms first", "Terms of use")
        assert button(answer, "I agree")
    polite(people[0].ask("/help"), "How it works")
    forged = people[1].forge("A00000000buy|t3|10", people[1].home())
    assert forged is not None
    assert "out of date" in forged["text"]
    people[2].go("I agree")
    polite(people[2].ask("/orders"), "My Orders")


def test_wrong_hashes_are_told_what_is_wrong(crowd: Crowd) -> None:
    cases = {
        "0x" + "a" * 40: "That is an address",
        f"https://etherscan.io/tx/{HASH}": "network we do not take payments on",
        f"https://explorer.solana.com/tx/{'5' * 87}?cluster=devnet": "network we do not take payments on",
        f"{HASH} 0x{'cd' * 32}": "not a transaction hash",
        HASH.upper(): "looking for your transaction",
    }
    answers = ask_all(zip(crowd.take(len(cases)), cases, strict=True))
    for answer, words in zip(answers, cases.values(), strict=True):
        polite(answer, words)
    asked, pasting, linking = people = crowd.take(3)
    together(lambda person: person.quote(11), people)
    together(lambda person: person.go("I have paid"), people)
    polite(asked.ask("sent it just now"), "not a transaction hash")
    polite(asked.ask("0x" + "a" * 40), "That is an address")
    polite(asked.ask(f"https://bscscan.com/tx/{HASH}#eventlog"), "looking for your transaction")  # still asked
    polite(pasting.ask("x" * 4096), "too long")
    polite(linking.ask(X_POST.format(5)), "no posts left")  # a post's link is one, whatever was asked
    polite(linking.ask("/orders"), "Unpaid invoices")


def test_what_is_no_text_and_what_is_too_much(crowd: Crowd) -> None:
    photo, edit, *others = crowd.take(5)
    lines = {
        "x" * 4096: "too long",
        "/frob<b>nicate@viralcore_sandbox_bot now": "do not know the command",
        "/": "/help",
    }
    for answer, words in zip(ask_all(zip(others, lines, strict=True)), lines.values(), strict=True):
        polite(answer, words)
    photo.ask("/buy t3")
    photo.go("Other amount")
    sent = photo.say("", photo_base64=base64.b64encode(picture()).decode())
    polite(photo.answer_to(sent), "not waiting for a photo")
    polite(photo.ask("12"), "12 posts at $1.50")  # the question was still open
    first = edit.say("hello")
    polite(edit.answer_to(first), "did not understand")
    before = edit.seq()
    edit.say(X_POST.format(1), edit=first)
    polite(edit.see(lambda m: m["from"] != edit.id and "edited" in m["text"], before), "send it again")


def test_cancel_ends_the_question_or_the_invoice_that_is_shown(crowd: Crowd) -> None:
    def nothing(person: Shopper) -> None:
        polite(person.ask("/cancel"), "nothing to cancel")

    def asked(person: Shopper) -> None:
        person.ask("/submitlink")
        polite(person.ask("/cancel"), "stopped asking")
        polite(person.ask("/cancel"), "nothing to cancel")

    def invoice(person: Shopper) -> None:
        person.invoice(12)
        polite(person.ask("/cancel"), "cancelled")

    def paying(person: Shopper) -> None:
        person.quote(13)
        polite(person.ask("/cancel"), "cancelled")

    def hashing(person: Shopper) -> None:
        person.quote(14)
        person.go("I have paid")
        polite(person.ask("/cancel"), "stopped asking")  # the question first, the invoice stays
        polite(person.ask("/orders"), "Unpaid invoices")

    cases = (nothing, asked, invoice, paying, hashing)
    together(lambda case: case[0](case[1]), zip(cases, crowd.take(len(cases)), strict=True))


def test_nothing_is_lost_when_people_change_their_mind_or_we_restart(sandbox: Sandbox, crowd: Crowd) -> None:
    """PRODUCT 13: half-finished purchase lost on a button press or restart."""
    linking, starting, restarting, old = people = crowd.take(4)
    together(lambda person: person.invoice(10), people)
    plans = ask_all((person, "/buy t3") for person in people)
    together(lambda person: person.go("Other amount"), people[:3])
    polite(linking.ask(X_POST.format(9)), "no posts left")
    polite(starting.ask("/start"), "Hello")
    polite(starting.ask("17"), "did not understand")  # /start ended the question
    preset = data_of(plans[3], "10")
    old.ask("/menu")
    _out_of_date(old, preset, plans[3])
    sandbox.kill()
    polite(restarting.ask("17"), "17 posts at $1.50")  # a restart did not
    _out_of_date(old, preset, plans[3])
    for answer in ask_all((person, "/orders") for person in people):
        polite(answer, "Unpaid invoices", "X Tier 3, $15.00")
        assert answer["text"].count("$15.00") == 1
    for answer in ask_all((person, "/history") for person in people):
        assert "X Tier 3, $15.00" in answer["text"]


def _out_of_date(person: Shopper, data: str, message: Message) -> None:
    seq = person.seq()
    answer = person.forge(data, message)
    assert answer is not None
    assert "out of date" in answer["text"]
    person.see(lambda m: "Hello" in m["text"] and bool(m["buttons"]), seq)  # a fresh one; the old one loses its buttons


def test_a_doubled_press_is_one_press(crowd: Crowd) -> None:
    person = crowd.take(1)[0]
    plan = person.ask("/buy t3")
    for _ in range(3):
        person.forge(data_of(plan, "10"), plan)
    assert person.ask("/orders")["text"].count("X Tier 3, $15.00") == 1


def test_what_is_somebody_elses_is_not_found(crowd: Crowd) -> None:
    victim, *thieves = crowd.take(9)
    number = victim.invoice(15)
    acts = [f"icancel|{number}", f"method|{number}|bsc:USDT", f"wallet|{number}", f"paid|{number}"]
    looks = [f"go|{where}:{number}" for where in ("invoice", "pay", "crypto")] + [f"go|coin:{number}:USDT"]
    tried = zip(thieves, [f"A{{nonce}}{code}" for code in acts + looks], strict=True)
    for shown in together(lambda case: _forged(*case), tried):
        polite(shown, "not found")
        assert f"#{number}" not in shown["text"]
    polite(victim.ask("/orders"), f"#{number} X Tier 3")


def _forged(person: Shopper, data: str) -> Message:
    """Press what is not there; the screen that answers."""
    home, seq = person.home(), person.seq()
    person.forge(data.format(nonce=nonce_of(home)), home)
    return person.see(lambda m: m["from"] != person.id and bool(m["buttons"]), seq)


def test_a_fourth_invoice_is_a_choice(crowd: Crowd) -> None:
    person = crowd.take(1)[0]
    numbers = [person.invoice(n) for n in (20, 21, 22)]
    full = person.ask("/buy t1 10")
    polite(full, "already have 3 unpaid invoices")
    assert all(button(full, f"Cancel #{n}") and button(full, f"🧾 #{n}") for n in numbers)
    polite(person.go(f"Cancel #{numbers[1]}", until="cancelled"), f"Invoice #{numbers[1]}")
    person.sandbox.calm()  # the notice of it has come, and is not taken for the answer to the next line
    assert invoice_number(person.ask("/buy t1 10")) > numbers[2]
    listed = person.ask("/orders")["text"]
    assert [f"#{n} " in listed for n in numbers] == [True, False, True]


def test_a_name_breaks_no_markup(sandbox: Sandbox) -> None:
    """PRODUCT 13: broken markup because a name contained _ or <."""
    names = ["<b>Bo_*&", "_", "</code>", "&amp;", "`*_[x](y)"]
    for name, person in zip(names, newcomers(sandbox, len(names), names), strict=True):
        assert f"Hello, {name}!" in person.home()["text"]


def test_groups_are_sent_to_the_private_chat(sandbox: Sandbox, crowd: Crowd) -> None:
    person = crowd.take(1)[0]
    group = -1_001_000_000_777
    sandbox.call("POST", "/groups", id=group, title="Some group", members=[person.id])
    sandbox.say(person.id, "just talking", group)
    sandbox.say(person.id, "/buy@some_other_bot t3 10", group)
    sandbox.say(person.id, "/buy t3 10", group)
    told = sandbox.wait_for(group, "in private only")
    assert any(b["url"] for row in told["buttons"] for b in row)
    body = {"from_id": person.id, "message_id": told["message_id"], "button": "A00000000buy|t3|10"}
    sandbox.call("POST", f"/chats/{group}/press", **body)
    sandbox.settle()
    said = [m for m in sandbox.messages(group) if m["from"] != person.id]
    assert len(said) == 1
    assert "Unpaid" not in person.ask("/orders")["text"]


def test_links_by_the_dozen(sandbox: Sandbox, crowd: Crowd) -> None:
    person, poor = crowd.take(2)
    amount, address = person.quote(25, "t1")
    sandbox.transfer("USDT", address, amount, final=True)
    pass_time(sandbox, 30)
    person.see("25 X Tier 1 posts")
    many = person.ask("\n".join(X_POST.format(n) for n in range(1, 22)))
    polite(many, "21 links", "at most 20")
    mixed = person.ask(f"{X_POST.format(1)} {X_POST.format(2)} https://x.com/ada {X_POST.format(3)} https://evil.com/a")
    polite(mixed, "Not taken", "not a post", "only X", "3 posts")
    mixed_home = person.home()
    polite(person.go("Confirm", until="Ordered"), "status/1", "status/2", "status/3")
    sandbox.calm()  # the progress messages have come
    draft = data_of(mixed_home, "Confirm").rpartition("|")[2]
    polite(_forged(poor, f"A{{nonce}}dok|{draft}"), "not found")
    polite(_forged(poor, f"A{{nonce}}dno|{draft}"), "not found")
    listed = person.ask("/orders")
    orders = [int(b["text"].lstrip("#")) for row in listed["buttons"] for b in row if b["text"].startswith("#")]
    polite(_forged(poor, f"A{{nonce}}ocancel|{orders[0]}"), "not found")
    assert "22" in person.ask("/balance")["text"]
    assert sandbox.check() == []


def test_the_excess_gets_one_polite_answer(sandbox: Sandbox, crowd: Crowd) -> None:
    typing = crowd.take(1)[0]
    for n in range(14):
        typing.say(f"/orders {n}")
    sandbox.settle()
    typing.see("a bit fast")
    assert typing.texts().count("a bit fast") == 1
    polite(typing.ask("/menu"), "Hello")  # the way out is always free
    pass_time(sandbox, 61)
    polite(typing.ask("/orders"), "My Orders")


def test_somebody_who_blocked_the_bot_and_came_back(sandbox: Sandbox, crowd: Crowd) -> None:
    person = crowd.take(1)[0]
    amount, address = person.quote(31)
    sandbox.call("POST", "/telegram", block_user=person.id)
    sandbox.transfer("USDT", address, amount, final=True)
    pass_time(sandbox, 30)
    sandbox.call("POST", "/telegram", unblock_user=person.id)
    polite(person.ask("/start"), "Hello", "31")
    polite(person.ask("/history"), "paid")
    assert sandbox.check() == []

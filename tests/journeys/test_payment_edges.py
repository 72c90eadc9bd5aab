"""Payments that do not go as the screen said, over the simulated chain: no money that arrives is ever lost or counted
twice, and everybody is told in words. Each case has a quantity of its own, so that no two invoices ask for alike."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.journeys.shopper import Crowd, Shopper, nonce_of, pass_time, polite, together
from tests.journeys.story import sandbox_of
from tests.support.sandbox import Sandbox, button, copies


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox_of(tmp_path_factory.mktemp("sandbox")) as started:
        yield started


@pytest.fixture(scope="module")
def crowd(sandbox: Sandbox) -> Crowd:
    return Crowd(sandbox, 24)


def _pasted(person: Shopper, text: str) -> None:
    """I have paid, and the hash."""
    person.go("I have paid")
    person.ask(text)


def _less(amount: str, by: str) -> str:
    return str(Decimal(amount) - Decimal(by))


def test_a_hash_in_any_spelling_is_one_payment(sandbox: Sandbox, crowd: Crowd) -> None:
    """PRODUCT 13: the same hash claimed twice in another letter case."""
    payer, thief = crowd.take(2)
    amount, address = payer.quote(10)
    sent = sandbox.transfer("USDT", address, amount, final=True)
    pass_time(sandbox, 30)
    polite(payer.see("Payment received"), "USDT on BSC", "10 X Tier 3 posts")
    for text in (sent, sent.upper().replace("0X", "0x"), f" {sent[2:]} ", f"https://bscscan.com/tx/{sent}?a=b"):
        polite(payer.ask(text), "credited to you already")
    thief.invoice(10)
    polite(thief.ask(sent.upper()), "credited before")
    polite(thief.ask("/balance"), "$0.00")
    polite(payer.ask("/balance"), "$0.00", "10")
    assert sandbox.check() == []


def test_a_little_short_pays_and_much_too_short_is_kept(sandbox: Sandbox, crowd: Crowd) -> None:
    little, short = people = crowd.take(2)
    (a, address), (b, _) = together(lambda case: case[0].quote(case[1]), zip(people, (20, 30), strict=True))
    hashes = [
        sandbox.transfer("USDT", address, _less(a, "0.10"), final=True),
        sandbox.transfer("USDT", address, _less(b, "2"), final=True),
    ]
    together(lambda case: _pasted(*case), zip(people, hashes, strict=True))
    pass_time(sandbox, 15)
    polite(little.see("Payment received"), "short", "20 X Tier 3 posts")
    polite(short.see("Payment received"), "less than the invoice needed", "in your wallet", "$2.00")
    shown = short.go("Pay the rest")
    polite(shown, "$43.00", "still to be paid")
    rest = short.go("Crypto", "USDT", "BSC")
    amount, _ = copies(short.see(lambda m: len(copies(m)) == 2 and copies(m)[0] != b))
    assert Decimal("2") <= Decimal(amount) < Decimal("2.01"), rest["text"]
    sandbox.transfer("USDT", address, amount, final=True)
    pass_time(sandbox, 30)
    polite(short.see("30 X Tier 3 posts"), "is paid")
    polite(short.ask("/balance"), "$0.00")
    assert sandbox.check() == []


def test_overpaid_late_and_cancelled_money_is_in_the_wallet(sandbox: Sandbox, crowd: Crowd) -> None:
    """PRODUCT 13: overpayment refused and kept."""
    over, late, cancelled = people = crowd.take(3)
    quotes = together(lambda case: case[0].quote(case[1]), zip(people, (40, 50, 60), strict=True))
    address = quotes[0][1]
    polite(cancelled.ask("/cancel"), "cancelled")
    pass_time(sandbox, 19 * 60)
    sent = sandbox.transfer("USDT", address, str(Decimal(quotes[0][0]) + 3), final=True)
    _pasted(over, sent)
    pass_time(sandbox, 120)
    polite(over.see("Payment received"), "40 X Tier 3 posts", "$3.00", "in your wallet")
    late.see("has expired")
    sandbox.transfer("USDT", address, quotes[1][0], final=True)
    sandbox.transfer("USDT", address, quotes[2][0], final=True)
    pass_time(sandbox, 30)
    polite(late.see("Payment received"), "50 X Tier 3 posts", "after the invoice's time was up")
    polite(cancelled.see("Payment received"), "cancelled before it came", "$90.00", "in your wallet")
    polite(over.ask("/balance"), "$3.00")
    invoice = cancelled.ask("/buy t2 10")
    assert button(invoice, "Wallet ($90.00)")
    polite(cancelled.go("Wallet"), "Paid", "10 posts")
    sandbox.calm()  # the receipt has come, and is not taken for the answer to the next line
    polite(cancelled.ask("/balance"), "$80.00", "X Tier 2")
    assert sandbox.check() == []


def test_the_price_is_of_what_was_ordered_not_of_what_is_wished_later(sandbox: Sandbox, crowd: Crowd) -> None:
    """PRODUCT 13: a cheap payment credited as an expensive plan chosen later."""
    person = crowd.take(1)[0]
    amount, address = person.quote(10, "t1")
    sent = sandbox.transfer("USDT", address, amount, final=False)
    person.quote(70, "t5")
    _pasted(person, sent)
    sandbox.call("POST", f"/chains/bsc/transfers/{sent}", final=True)
    pass_time(sandbox, 30)
    polite(person.see("Payment received"), "10 X Tier 1 posts")
    balance = person.ask("/balance")
    polite(balance, "X Tier 1")
    assert "Tier 5" not in balance["text"]
    polite(person.ask("/orders"), "X Tier 5, $210.00")


def test_not_final_yet_means_still_checking(sandbox: Sandbox, crowd: Crowd) -> None:
    person = crowd.take(1)[0]
    amount, address = person.quote(80)
    sent = sandbox.transfer("USDT", address, amount, final=False)
    _pasted(person, sent)
    pass_time(sandbox, 20)
    person.see(lambda m: "cannot be taken back" in m["text"] or "cannot take it back" in m["text"])
    assert "Payment received" not in person.texts()
    sandbox.call("POST", f"/chains/bsc/transfers/{sent}", final=True)
    pass_time(sandbox, 60)
    polite(person.see("Payment received"), "80 X Tier 3 posts")


def test_what_is_no_payment_is_told_so(sandbox: Sandbox, crowd: Crowd) -> None:
    """PRODUCT 13: a worthless token with the same symbol."""
    failed, fake, elsewhere, nobody = people = crowd.take(4)
    quotes = together(lambda case: case[0].quote(case[1]), zip(people, (90, 100, 110, 120), strict=True))
    address = quotes[0][1]
    hashes = [
        sandbox.transfer("USDT", address, quotes[0][0], failed=True, final=True),
        sandbox.transfer("USDT", address, quotes[1][0], contract="0x" + "fa" * 20, final=True),
        sandbox.transfer("USDT", "0x" + "12" * 20, quotes[2][0], final=True),
        "0x" + "ef" * 32,
    ]
    together(lambda case: _pasted(*case), zip(people, hashes, strict=True))
    pass_time(sandbox, 20)
    polite(failed.see("cannot be credited"), "failed on the network", "no money moved")
    polite(fake.see("cannot be credited"), "a token that we do not take")
    polite(elsewhere.see("cannot be credited"), "did not pay our address")
    nobody.see(lambda m: "No node" in m["text"])
    for person in people:
        assert "Payment received" not in person.texts()
    assert sandbox.check() == []


def test_stray_money_waits_for_finance(sandbox: Sandbox, crowd: Crowd) -> None:
    person = crowd.take(1)[0]
    about = sandbox.about()
    sent = sandbox.transfer("USDT", about["addresses"]["bsc"], "7.77", final=True)
    pass_time(sandbox, 30)
    card = sandbox.wait_for(about["admin_group"], "nobody's invoice explains")
    assert "7.77" in card["text"]
    assert sent in card["text"]
    person.ask(sent)
    pass_time(sandbox, 15)
    polite(person.see("being looked at"), "finance team")
    polite(person.ask("/balance"), "$0.00")
    assert sandbox.check() == []


def test_an_outage_of_the_nodes_only_delays(sandbox: Sandbox, crowd: Crowd) -> None:
    person = crowd.take(1)[0]
    amount, address = person.quote(130)
    sandbox.call("POST", "/chains/bsc", outage=True)
    sent = sandbox.transfer("USDT", address, amount, final=True)
    _pasted(person, sent)
    pass_time(sandbox, 30)
    person.see(lambda m: "do not answer us" in m["text"])
    assert "cannot be credited" not in person.texts()
    assert "not found" not in person.texts()
    sandbox.call("POST", "/chains/bsc", outage=False)
    pass_time(sandbox, 300)
    polite(person.see("Payment received"), "130 X Tier 3 posts")
    assert sandbox.check() == []


def test_bnb_pays_too_and_is_not_offered_without_a_price_to_trust(sandbox: Sandbox, crowd: Crowd) -> None:
    payer, refused = crowd.take(2)
    payer.invoice(140)
    payer.go("Crypto", "BNB")
    amount, address = copies(payer.see(lambda m: len(copies(m)) == 2))
    sandbox.transfer("BNB", address, amount, final=True)
    pass_time(sandbox, 30)
    polite(payer.see("Payment received"), "BNB", "140 X Tier 3 posts")
    sandbox.call("POST", "/prices", second_source={"bnb": "100"})
    pass_time(sandbox, 400)
    group = sandbox.about()["admin_group"]
    assert "too far apart" in sandbox.wait_for(group, "No quotes for BNB")["text"]
    number = refused.invoice(160)
    coins = refused.go("Crypto")
    assert button(coins, "USDT")
    assert not button(coins, "BNB")
    seq = refused.seq()
    refused.forge(f"A{nonce_of(coins)}method|{number}|bsc:BNB", coins)
    polite(refused.see(lambda m: m["from"] != refused.id and bool(m["buttons"]), seq), "no price for that coin")

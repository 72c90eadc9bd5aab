"""Stray money finds its owner, and a buyer gets money back: over a whole sandbox, as people live it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.shopper import Shopper, newcomers, pass_time, polite
from tests.journeys.story import sandbox_of
from tests.support.sandbox import Sandbox, button


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox_of(tmp_path_factory.mktemp("sandbox")) as started:
        yield started


@pytest.fixture(scope="module")
def owner(sandbox: Sandbox) -> Shopper:
    """The shop's owner, with a session open."""
    person = Shopper(sandbox, sandbox.about()["owner_id"])
    person.ask("/start")
    person.go("I agree")
    polite(person.ask("/admin"), "Admin Panel", "Stray receipts: 0")
    return person


def test_stray_money_is_given_to_its_owner(sandbox: Sandbox, owner: Shopper) -> None:
    (ada,) = newcomers(sandbox, 1, ["Ada"])
    about = sandbox.about()
    sent = sandbox.transfer("USDT", about["addresses"]["bsc"], "77.70", final=True)
    pass_time(sandbox, 60)
    card = sandbox.wait_for(about["admin_group"], "nobody's invoice explains")
    way = next(b for row in card["buttons"] for b in row if "Open" in b["text"])
    assert way["url"].startswith("https://t.me/")
    alert = owner.see("A large payment arrived")
    polite(alert, "77.7", "$77.70", sent)
    polite(ada.ask(sent), "looking for your transaction")
    pass_time(sandbox, 15)
    ada.see("finance team")
    polite(owner.ask(f"/start {way['url'].partition('start=')[2]}"), "nobody's yet", "77.70", "Pasted by Ada")
    owner.go("Wallet of Ada")
    polite(owner.ask("she sent the hash from her own chat"), "Assign receipt", "To the wallet of Ada", "own chat")
    polite(owner.go("Confirm", until="Credited"), "Credited to the wallet of Ada")
    sandbox.calm()
    polite(ada.see("Our finance team found out"), "77.7", "$77.70")
    sandbox.wait_for(about["admin_group"], lambda m: "Assigned to Ada" in m["text"] and not m["buttons"])
    assert "Assigned to Ada" in owner.see("has an owner now")["text"]
    polite(ada.ask(sent), "credited to you already")
    polite(ada.ask("/balance"), "$77.70")
    assert sandbox.check() == []


def test_a_purchase_goes_back_in_a_part_and_the_rest(sandbox: Sandbox, owner: Shopper) -> None:
    (ben,) = newcomers(sandbox, 1, ["Ben"])
    amount, address = ben.quote(10)
    sandbox.transfer("USDT", address, amount, final=True)
    pass_time(sandbox, 30)
    bought = ben.see("Payment received")
    number = bought["text"].partition("invoice #")[2].split(".")[0]
    owner.ask("/admin")
    owner.go("Payments", "Find an invoice")
    polite(owner.ask(number), f"Invoice #{number}", "Ben", "Can be refunded: $15.00")
    owner.go("Refund a part")
    polite(owner.ask("4.50"), "To the wallet: $4.50", "3 unused posts")
    polite(owner.ask("three posts were a mistake"), "Give $4.50 back?")
    polite(owner.go("Confirm", until="given back"), "Can be refunded: $10.50")
    sandbox.calm()
    polite(ben.see("Refund for invoice"), "$4.50", "3 unused posts")
    owner.go("Refund in full")
    polite(owner.ask("the rest as well"), "Give $10.50 back?")
    polite(owner.go("Confirm", until="has been given back"), "All that was paid has been given back")
    sandbox.calm()
    polite(ben.see("all of your payment for it has been given back"), "$10.50", "7 unused posts")
    polite(ben.ask("/balance"), "$15.00")
    assert "X Tier 3" not in ben.ask("/balance")["text"]
    polite(ben.ask("/history"), f"#{number}", "$15.00 refunded")
    sandbox.wait_for(sandbox.about()["admin_group"], lambda m: "$10.50 back to Ben" in m["text"])
    assert button(ben.home(), "Home")
    assert sandbox.check() == []

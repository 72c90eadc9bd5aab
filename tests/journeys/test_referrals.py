"""One brings another, who buys: the commission comes at once, is moved to the wallet, and is owed after a refund."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from PIL import Image

from tests.journeys.shopper import Shopper, newcomers, pass_time, polite
from tests.journeys.story import sandbox_of
from tests.support.sandbox import Sandbox, button, copies

pytestmark = pytest.mark.timeout(300)
BEN = 7002


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox_of(tmp_path_factory.mktemp("sandbox")) as started:
        yield started


@pytest.fixture(scope="module")
def ada(sandbox: Sandbox) -> Shopper:
    return newcomers(sandbox, 1, ["Ada"])[0]


@pytest.fixture(scope="module")
def ben(sandbox: Sandbox, ada: Shopper) -> Shopper:
    """Comes through Ada's link, and accepts the terms."""
    shown = ada.ask("/referral")
    polite(shown, "Affiliate Program", f"start=ref_{ada.id}", "People who came: 0", "Affiliate balance: $0.00")
    polite(ada.go("Share"), f"start=ref_{ada.id}", "10% of everything they pay for")
    (link,) = copies(ada.home())
    sandbox.person(BEN, "Ben")
    person = Shopper(sandbox, BEN)
    person.ask(f"/start {link.partition('start=')[2]}")
    person.go("I agree")
    return person


def test_a_purchase_pays_at_once_though_the_bot_dies(sandbox: Sandbox, ada: Shopper, ben: Shopper) -> None:
    amount, address = ben.quote(10)
    sandbox.transfer("USDT", address, amount, final=True)
    sandbox.kill()
    pass_time(sandbox, 60)
    ben.see("Payment received")
    told = ada.see("You earned $1.50")
    polite(told, "Somebody you referred bought X Tier 3", "in your affiliate balance")
    assert "Ben" not in ada.texts()
    polite(ada.ask("/referral"), "People who came: 1", "bought something: 1", "Earned in total: $1.50", "month: $1.50")
    earnings = ada.go("Earnings", until="Last commissions")
    polite(earnings, "last 12 months: $1.50", "$1.50, X Tier 3")
    picture = Image.open(io.BytesIO(sandbox.http.get(earnings["photo"]).content))
    assert (picture.width, picture.height) == (1080, 760)
    assert sum("You earned" in m["text"] for m in sandbox.messages(ada.id)) == 1
    assert sandbox.check() == []


def test_it_is_moved_to_the_wallet(sandbox: Sandbox, ada: Shopper, ben: Shopper) -> None:
    ada.ask("/menu")
    ada.go("Affiliate Program")
    shown = ada.go("Move to wallet")
    assert button(shown, "25% ($0.37)")
    ada.go("Other amount")
    polite(ada.ask("0.50"), "Move $0.50")
    polite(ada.go("Confirm", until="was moved"), "Your wallet has $0.50")
    ada.go("Back", until="Affiliate balance: $1.00")
    ada.go("Move to wallet", "100%")
    polite(ada.go("Confirm", until="was moved"), "$1.00 was moved", "Your wallet has $1.50")
    polite(ada.ask("/balance"), "Wallet: $1.50", "bonus")
    assert sandbox.check() == []


def test_a_refund_takes_it_back_from_later_ones(sandbox: Sandbox, ada: Shopper, ben: Shopper) -> None:
    owner = Shopper(sandbox, sandbox.about()["owner_id"])
    owner.ask("/start")
    owner.go("I agree")
    number = ben.see("Payment received")["text"].partition("invoice #")[2].split(".")[0]
    owner.ask("/admin")
    owner.go("Payments", "Find an invoice")
    owner.ask(number)
    owner.go("Refund in full")
    owner.ask("he changed his mind")
    owner.go("Confirm", until="has been given back")
    sandbox.calm()
    polite(ada.see("was taken back"), "A commission of $1.50", "X Tier 3", "from your next commissions")
    polite(ada.ask("/referral"), "Earned in total: $0.00", "from your next commissions: $1.50", "bought something: 1")
    assert "Ben" not in ada.texts()
    assert sandbox.check() == []

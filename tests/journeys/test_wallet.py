"""A wallet is topped up and spent, a short payment is made whole, a receipt is kept, and the time left counts down."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from decimal import ROUND_UP, Decimal

import pytest
from PIL import Image

from tests.journeys.shopper import Shopper, newcomers, pass_time, polite
from tests.journeys.story import sandbox_of
from tests.support.sandbox import Message, Sandbox, button, copies

pytestmark = pytest.mark.timeout(300)
_LEFT = re.compile(r"⏳ (\d+) min left")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox_of(tmp_path_factory.mktemp("sandbox")) as started:
        yield started


@pytest.fixture(scope="module")
def ada(sandbox: Sandbox) -> Shopper:
    return newcomers(sandbox, 1, ["Ada"])[0]


def _pay_screen(person: Shopper) -> Message:
    person.go("Crypto", "USDT", "BSC")
    return person.see(lambda m: len(copies(m)) == 2 and "Send exactly" in m["text"])


def _picture(sandbox: Sandbox, message: Message) -> Image.Image:
    assert message["photo"], message
    return Image.open(io.BytesIO(sandbox.http.get(message["photo"]).content))


def test_top_up_twenty_and_buy_from_the_wallet(sandbox: Sandbox, ada: Shopper) -> None:
    ada.ask("/balance")
    polite(ada.go("Top up"), "How much do you want to add")
    polite(ada.go("Other amount"), "from $1.00 to $5,000.00")
    polite(ada.ask("9.999"), "Send an amount in dollars from $1.00 to $5,000.00")
    polite(ada.ask("$20"), "Wallet top-up", "Total: $20.00")
    amount, address = copies(_pay_screen(ada))
    sandbox.transfer("USDT", address, amount)
    pass_time(sandbox, 60)
    polite(ada.see("Payment received"), "$20.00 is in your wallet, ready to spend")
    polite(ada.see("Paid. Thank you"), "$20.00 is in your wallet", "How it was paid", "1 USDT = $1.00")
    invoice = ada.ask("/buy t3 10")
    assert button(invoice, "Wallet ($20.00)")
    polite(ada.go("Wallet", until="Paid"), "10 posts are ready", "$15.00 from your wallet")
    polite(ada.ask("/balance"), "Wallet: $5.00", "X Tier 3: 10")
    assert sandbox.check() == []


def test_its_receipt_is_a_picture_that_stays(sandbox: Sandbox, ada: Shopper) -> None:
    ada.ask("/history")
    polite(ada.go("All invoices"), "X Tier 3, $15.00, ✅ paid", "Wallet top-up, $20.00, ✅ paid")
    ada.go("Paid", until="Paid invoices")
    ada.go("#1", until="How it was paid")
    before = ada.seq()
    ada.tap("Receipt")
    shown = ada.see("Receipt for invoice", before)
    picture = _picture(sandbox, shown)
    assert (picture.format in {"PNG", "JPEG"}, picture.width) == (True, 1080)
    assert picture.height > 600
    ada.go("Back", until="How it was paid")
    kept = next(m for m in sandbox.messages(ada.id) if m["message_id"] == shown["message_id"])
    assert kept["photo"] == shown["photo"]
    assert "Receipt for invoice" in kept["text"]


def test_ten_percent_short_and_then_the_rest(sandbox: Sandbox, ada: Shopper) -> None:
    ada.invoice(20)
    amount, address = copies(_pay_screen(ada))
    short = (Decimal(amount) * Decimal("0.9")).quantize(Decimal("0.000001"), rounding=ROUND_UP)
    sent = sandbox.transfer("USDT", address, str(short), final=True)
    ada.go("I have paid")
    before = ada.seq()
    ada.ask(sent)
    pass_time(sandbox, 15)
    polite(
        ada.see("less than the invoice needed", before), "less than the invoice needed", "All of it", "$27.00", "$3.00"
    )
    polite(ada.go("Pay the rest"), "$27.00 has arrived and waits in your wallet", "$3.00 is still to be paid")
    asked = ada.go("Cancel", until="Cancel invoice")
    polite(asked, "$27.00 has arrived for it and stays in your wallet")
    ada.go("Cancel", until="How do you want to pay")
    rest, _ = copies(_pay_screen(ada))
    assert Decimal("3") < Decimal(rest) < Decimal("3.01")
    sandbox.transfer("USDT", address, rest, final=True)
    pass_time(sandbox, 30)
    paid = ada.see("20 posts are ready", before)
    polite(paid, "20 posts are ready", "worth $27.00", "worth $3.00")
    assert len(copies(paid)) == 2
    polite(ada.ask("/balance"), "Wallet: $5.00", "X Tier 3: 30")
    assert sandbox.check() == []


def test_the_time_left_counts_down_by_itself(sandbox: Sandbox, ada: Shopper) -> None:
    """Every minute the clock stands still once; the screen changes at round moments only, and then says it is over."""
    ada.invoice(30)
    home = _pay_screen(ada)["message_id"]
    told: list[int] = []
    edits = 0
    last = home
    for step in (*[60] * 15, *[20] * 18):
        turned = sandbox.turn(step)
        assert turned["quiet"], turned
        message = next(m for m in sandbox.messages(ada.id) if m["message_id"] == home)
        edits += message["seq"] != last
        last = message["seq"]
        left = _LEFT.search(message["text"])
        if left is None:
            break
        if not told or told[-1] != int(left[1]):
            told.append(int(left[1]))
    assert told == [20, 15, 10, 5, 4, 3, 2, 1]
    ada.see("has expired")
    assert edits <= len(told) + 2
    assert sandbox.check() == []

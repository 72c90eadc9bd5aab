"""Every coin on every network, paid exactly, short, over and late, by people in one shop; the books agree."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.journeys.shopper import Shopper, newcomers, pass_time, polite, together
from tests.journeys.story import sandbox_of
from tests.support.sandbox import CHAINS, Sandbox, copies

WAYS = (
    ("bsc", "USDT", "BSC"),
    ("bsc", "BNB", ""),
    ("solana", "USDT", "Solana"),
    ("solana", "SOL", ""),
    ("tron", "USDT", "Tron"),
    ("tron", "TRX", ""),
    ("aptos", "USDT", "Aptos"),
    ("aptos", "APT", ""),
)
"""(network, coin, what to press after the coin)."""
FINAL = 90
"""Seconds after which a transfer is final on every one of them. Quantities below are far apart: an amount stays
reserved for a day, and one that is not exact must be near a single invoice."""
Asked = tuple[Shopper, str, str, str, str]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox_of(tmp_path_factory.mktemp("sandbox"), chains=CHAINS) as started:
        yield started


def asked(sandbox: Sandbox, quantity: int) -> list[Asked]:
    """Somebody at the payment screen of each coin: person, network, coin, amount, address."""
    people = newcomers(sandbox, len(WAYS))

    def choose(case: tuple[Shopper, tuple[str, str, str]]) -> Asked:
        person, (network, coin, press) = case
        person.invoice(quantity, "t1")
        person.go("Crypto", coin, *([press] if press else []))
        amount, address = copies(person.see(lambda m: len(copies(m)) == 2))
        return person, network, coin, amount, address

    return together(choose, zip(people, WAYS, strict=True))


def send(sandbox: Sandbox, one: Asked, share: str) -> str:
    """So much of what was asked for, in the coin's own digits."""
    _, network, coin, amount, address = one
    asked_for = Decimal(amount)
    part = (asked_for * Decimal(share)).quantize(asked_for)
    return sandbox.transfer(coin, address, f"{part:f}", network, final=True)


def paste(case: tuple[Asked, str]) -> None:
    (person, *_), sent = case
    person.go("I have paid")
    person.ask(sent)


def test_exactly(sandbox: Sandbox) -> None:
    people = asked(sandbox, 10)
    for one in people:
        send(sandbox, one, "1")
    pass_time(sandbox, FINAL)
    for person, _, coin, _, _ in people:
        polite(person.see("Payment received"), coin, "10 X Tier 1 posts")
    assert sandbox.check() == []


def test_short_and_over_with_their_hashes(sandbox: Sandbox) -> None:
    short, over = asked(sandbox, 20), asked(sandbox, 40)
    pasted = [(one, send(sandbox, one, "0.97")) for one in short] + [(one, send(sandbox, one, "1.03")) for one in over]
    together(paste, pasted)
    pass_time(sandbox, FINAL)
    for person, *_ in short:
        polite(person.see("Payment received"), "less than the invoice needed", "in your wallet")
    for person, *_ in over:
        polite(person.see("Payment received"), "40 X Tier 1 posts", "more than needed came")
    assert sandbox.check() == []


def test_late(sandbox: Sandbox) -> None:
    people = asked(sandbox, 80)
    pass_time(sandbox, 25 * 60)
    for one in people:
        send(sandbox, one, "1")
    pass_time(sandbox, FINAL)
    for person, _, coin, _, _ in people:
        polite(person.see("Payment received"), coin, "after the invoice's time was up")
    assert sandbox.check() == []

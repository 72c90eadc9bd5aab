"""The bank's book: accounts of one's own, exact kobo, and whose payment it was."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.support.clock import FakeClock
from tests.support.worlds import seeded
from viralcore.sandbox.worlds.flutterwave_book import Book, Charge, Order, fee_of

NOW = timedelta(0)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def book(clock: FakeClock) -> Book:
    return Book(clock.now, seeded())


def opened(book: Book, tx_ref: str = "vc-1", email: str = "2001@pay.example.com", fee: str = "0") -> Charge:
    order = Order(tx_ref, Decimal("1500"), email, "Ada", "N/A", "Ada", timedelta(minutes=20), Decimal(fee))
    return book.open(order, answered=True)


def test_every_charge_has_its_own_account_and_every_payer_one_number(book: Book) -> None:
    charges = [opened(book, email=f"{number % 3}@pay.example.com") for number in range(300)]
    assert len({charge.account for charge in charges}) == len(book.charges) == 300
    assert all(len(charge.account) == 10 for charge in charges)
    assert len({charge.customer.id for charge in charges}) == 3


def test_payments_are_numbered_upwards_and_found_by_reference(book: Book) -> None:
    first, twin = opened(book), opened(book)  # the same reference, as after a lost answer
    numbers = [book.pay(charge, Decimal(5), "NGN", failed=False, undecided=NOW).id for charge in (first, twin, first)]
    assert numbers == sorted(set(numbers))
    newest = book.of_reference("vc-1")
    assert newest is not None
    assert newest.id == numbers[2]
    assert book.of_reference("vc-2") is None


@pytest.mark.parametrize(
    ("amount", "fee"), [("100", "1.40"), ("1", "0.02"), ("0.01", "0.01"), ("1500.50", "21.01"), ("24500", "343.00")]
)
def test_fees_are_rounded_in_the_banks_favour(amount: str, fee: str) -> None:
    assert fee_of(Decimal(amount)) == Decimal(fee)


def test_what_was_collected_is_what_went_well_less_fees(book: Book, clock: FakeClock) -> None:
    before, charge = book.collected("NGN"), opened(book)
    book.pay(charge, Decimal(1000), "NGN", failed=False, undecided=NOW)
    book.pay(charge, Decimal(1000), "NGN", failed=True, undecided=NOW)
    book.pay(charge, Decimal(1000), "NGN", failed=False, undecided=timedelta(seconds=60))
    book.pay(charge, Decimal(100), "USD", failed=False, undecided=NOW)
    assert book.collected("NGN") - before == Decimal("986.00")
    assert book.collected("USD") == Decimal("98.60")
    assert book.next_due(clock.now()) == clock.now() + timedelta(seconds=60)
    clock.advance(60)
    assert book.collected("NGN") - before == 2 * Decimal("986.00")


def test_a_payer_of_fees_counts_for_less_than_was_paid(book: Book) -> None:
    charge = opened(book, fee="21")
    assert charge.due == Decimal(1521)
    exact = book.pay(charge, Decimal(1521), "NGN", failed=False, undecided=NOW)
    short = book.pay(charge, Decimal(5), "NGN", failed=False, undecided=NOW)
    assert (exact.amount, short.amount) == (Decimal(1500), Decimal("0.01"))

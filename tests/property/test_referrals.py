"""Any sequence of purchases, refunds and moves: what an affiliate has, has moved away and owes is what was earned."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.referrals.village import Village
from tests.support.clock import FakeClock
from tests.support.database import Cluster
from viralcore.core.db import Database
from viralcore.core.registry import Registry
from viralcore.payments.events import InvoicePaid, RefundIssued
from viralcore.referrals import domain

cents = st.integers(1, 3000)
which = st.integers(0, 50)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("buy"), cents, which),
        st.tuples(st.just("refund"), cents, which),
        st.tuples(st.just("move"), cents, which),
    ),
    max_size=40,
)


@dataclass
class Model:
    """What the rules say of one affiliate, in cents."""

    balance: int = 0
    owed: int = 0
    moved: int = 0
    paid: list[int] = field(default_factory=list)
    back: list[int] = field(default_factory=list)
    booked: list[int] = field(default_factory=list)

    def step(self, what: str, amount: int, number: int) -> None:
        if what == "move":
            taken = min(amount, self.balance)
            self.balance, self.moved = self.balance - taken, self.moved + taken
            return
        if what == "buy":
            for book, value in ((self.paid, amount), (self.back, 0), (self.booked, 0)):
                book.append(value)
            self.settle(len(self.paid) - 1)
        elif self.paid:
            one = number % len(self.paid)
            self.back[one] = min(self.back[one] + amount, self.paid[one])
            self.settle(one)

    def settle(self, one: int) -> None:
        due = domain.due(paid=self.paid[one], returned=self.back[one], percent=Decimal(10))
        made = domain.change(due - self.booked[one], available=self.balance, owed=self.owed)
        self.booked[one] = due
        self.balance += made.to_balance
        self.owed += made.receivable


@given(steps)
def test_by_the_rules_nothing_is_made_or_lost(run: list[tuple[str, int, int]]) -> None:
    one = Model()
    for what, amount, number in run:
        one.step(what, amount, number)
        assert one.balance >= 0
        assert one.owed >= 0
        assert one.balance + one.moved - one.owed == sum(one.booked)
        assert sum(one.booked) * 10 <= sum(one.paid) - sum(one.back)
        assert one.owed == 0 or one.moved > 0


def test_in_the_books_as_by_the_rules(postgres: Cluster) -> None:
    """The same against the real ledger: one database, an affiliate of its own for each sequence."""
    with asyncio.Runner() as runner:
        url, clock, registry = postgres.clone(), FakeClock(), Registry()
        database = Database(url, clock, registry, size=3, read_size=2)
        village = Village(database, clock, registry)
        runner.run(database.start())
        runner.run(village.settle_in(registry))
        people = iter(range(100_000, 200_000))
        invoices = iter(range(1, 100_000))

        @settings(max_examples=12, deadline=None)
        @given(steps)
        def follow(run: list[tuple[str, int, int]]) -> None:
            runner.run(_follow(village, next(people), next(people), invoices, run))

        try:
            follow()
        finally:
            runner.run(database.stop())
            postgres.drop(url)


async def _follow(
    village: Village, affiliate: int, buyer: int, invoices: Iterator[int], run: list[tuple[str, int, int]]
) -> None:
    await village.comes(affiliate, heard=False)
    await village.comes(buyer, affiliate, heard=False)
    for event_id, event in await village.said():
        await village.tell(event_id, event)
        village.passed.add(event_id)
    model, numbers = Model(), []
    for position, (what, amount, number) in enumerate(run):
        before = list(model.back)
        balance = model.balance
        model.step(what, amount, number)
        if what == "buy":
            numbers.append(next(invoices))
            event = InvoicePaid(
                invoice_id=numbers[-1], user_id=buyer, item_kind="credits", item_ref="t3", quantity=1, total=amount,
                paid_cents=amount, method="wallet",
            )  # fmt: skip
            await village.tell("", event)
        elif what == "move" and balance:
            await village.move(affiliate, balance - model.balance)
        elif what == "refund" and model.back != before:
            one = number % len(numbers)
            gone = model.back[one] - before[one]
            event_ = RefundIssued(
                refund_id=numbers[one] * 1000 + position, invoice_id=numbers[one], user_id=buyer, cents=gone,
                to_wallet=gone, to_bonus=0, credits=0, credit_asset="", refunded=model.back[one],
                paid=model.paid[one], kind="partial", actor=1,
            )  # fmt: skip
            await village.tell("", event_)
    stats = await village.stats(affiliate)
    assert (stats.available.minor, stats.receivable.minor) == (model.balance, model.owed)
    assert stats.earned.minor == sum(model.booked)
    await village.agrees()

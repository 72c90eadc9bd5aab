"""Any sequence of ledger operations keeps the books: hypothesis drives the real database beside a model in memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.support.clock import FakeClock
from tests.support.database import Cluster
from viralcore.core.db import Database
from viralcore.core.errors import KeyReused
from viralcore.core.registry import Registry
from viralcore.ledger.api import (
    Account,
    Entry,
    HoldClosed,
    InsufficientFunds,
    LotUse,
    NewPosting,
    PostingView,
    house_account,
    user_account,
)
from viralcore.ledger.service import LedgerService

T = TypeVar("T")
WALLETS = [user_account(user, "wallet") for user in (1, 2)]
CREDITS = [user_account(user, "credits", "t3") for user in (1, 2)]
HOUSE = {"USD": house_account("bank"), "t3": house_account("grants", "t3")}
# few amounts, so that what is held, what is there and what is asked for often lie close together
amounts = st.sampled_from([1, 10, 20, 25, 30, 60])
costs = st.sampled_from([Decimal(0), Decimal("1.50"), Decimal("0.02")])
which = st.integers(0, 10_000)


@dataclass
class Model:
    """What the books should say."""

    balance: dict[Account, int] = field(default_factory=dict)
    held: dict[Account, int] = field(default_factory=dict)
    lots: dict[Account, deque[list[Any]]] = field(default_factory=dict)
    posted: dict[str, tuple[NewPosting, tuple[LotUse, ...]]] = field(default_factory=dict)
    holds: dict[int, list[Any]] = field(default_factory=dict)  # id -> account, amount, state, key that closed it

    def fits(self, posting: NewPosting, freed: int = 0) -> bool:
        for account in {entry.account for entry in posting.entries if entry.account.owner != "house"}:
            change = sum(entry.amount for entry in posting.entries if entry.account == account)
            if change < 0 and self.balance.get(account, 0) - self.held.get(account, 0) + freed + change < 0:
                return False
        return True

    def apply(self, posting: NewPosting) -> tuple[LotUse, ...]:
        used: list[LotUse] = []
        for entry in posting.entries:
            self.balance[entry.account] = self.balance.get(entry.account, 0) + entry.amount
            if entry.account.name != "credits":
                continue
            lots = self.lots.setdefault(entry.account, deque())
            if entry.amount > 0:
                lots.append([entry.amount, entry.unit_cost])
            left = max(0, -entry.amount)
            while left:
                taken = min(left, lots[0][0])
                used.append(LotUse(taken, lots[0][1]))
                lots[0][0] -= taken
                left -= taken
                if lots[0][0] == 0:
                    lots.popleft()
        self.posted[posting.key] = (posting, tuple(used))
        return tuple(used)


def transfer(key: str, account: Account, amount: int, cost: Decimal, other: Account | None = None) -> NewPosting:
    """`amount` into the account (out of it when negative), against the house or another user."""
    opens = Entry(account, amount, cost if account.name == "credits" and amount > 0 else None)
    mirror = other or HOUSE[account.asset]
    closes = Entry(mirror, -amount, cost if mirror.name == "credits" and amount < 0 else None)
    return NewPosting(key, "adjustment", (opens, closes), "a test")


class LedgerMachine(RuleBasedStateMachine):
    cluster: Cluster
    loop: asyncio.AbstractEventLoop

    @initialize()
    def open_books(self) -> None:
        self.url = self.cluster.clone()
        self.db = Database(self.url, FakeClock(), Registry(), size=1, read_size=1)
        self.service = LedgerService(self.db)
        self.model = Model()
        self.count = 0
        for account in WALLETS + CREDITS:
            self.expect(transfer(self.key(), account, 40, Decimal(2)))

    def teardown(self) -> None:
        if hasattr(self, "db"):
            self.run(self.db.stop())
            self.cluster.drop(self.url)

    def run(self, work: Awaitable[T]) -> T:
        async def inside() -> T:
            return await work

        return self.loop.run_until_complete(inside())

    def key(self) -> str:
        self.count += 1
        return f"k{self.count}"

    async def _post(self, posting: NewPosting) -> PostingView:
        async with self.db.transaction() as tx:
            return await self.service.post(
                tx, key=posting.key, kind=posting.kind, entries=posting.entries, description=posting.description
            )

    def expect(self, posting: NewPosting) -> None:
        if not self.model.fits(posting):
            with pytest.raises(InsufficientFunds):
                self.run(self._post(posting))
            return
        view = self.run(self._post(posting))
        assert not view.replayed
        assert view.lots == self.model.apply(posting)

    @rule(account=st.sampled_from(WALLETS + CREDITS), amount=amounts, out=st.booleans(), cost=costs)
    def post(self, account: Account, amount: int, out: bool, cost: Decimal) -> None:
        self.expect(transfer(self.key(), account, -amount if out else amount, cost))

    @rule(account=st.sampled_from(WALLETS), amount=amounts, back=amounts)
    def out_and_back(self, account: Account, amount: int, back: int) -> None:
        """One account twice in a posting."""
        there = transfer("", account, -amount, Decimal(0)).entries
        again = transfer("", account, back, Decimal(0)).entries
        self.expect(NewPosting(self.key(), "adjustment", (*there, *again), "out and back"))

    @rule(pair=st.sampled_from([WALLETS, WALLETS[::-1], CREDITS, CREDITS[::-1]]), amount=amounts, cost=costs)
    def between_users(self, pair: list[Account], amount: int, cost: Decimal) -> None:
        self.expect(transfer(self.key(), pair[0], -amount, cost, pair[1]))

    @rule(user=st.integers(0, 1), amount=amounts, cost=costs)
    def purchase(self, user: int, amount: int, cost: Decimal) -> None:
        paid = transfer("", WALLETS[user], -amount, cost).entries
        given = transfer("", CREDITS[user], amount, cost).entries
        self.expect(NewPosting(self.key(), "purchase", (*paid, *given), "both at once"))

    @rule(number=which)
    def replay(self, number: int) -> None:
        if not self.model.posted:
            return
        posting, lots = list(self.model.posted.values())[number % len(self.model.posted)]
        if any(hold[3] == posting.key for hold in self.model.holds.values()):
            return  # a capture: replayed by its own rule
        view = self.run(self._post(posting))
        assert view.replayed
        assert view.lots == lots

    @rule(number=which, account=st.sampled_from(WALLETS))
    def reuse_a_key(self, number: int, account: Account) -> None:
        if not self.model.posted:
            return
        key = list(self.model.posted)[number % len(self.model.posted)]
        with pytest.raises(KeyReused):
            self.run(self._post(transfer(key, account, 61, Decimal(0))))

    @rule(
        moves=st.lists(
            st.tuples(st.sampled_from(WALLETS + CREDITS), st.integers(-60, 60).filter(bool), which, st.booleans()),
            max_size=8,
        )
    )
    def post_many(self, moves: list[tuple[Account, int, int, bool]]) -> None:
        items: list[NewPosting] = []
        captured = {hold[3] for hold in self.model.holds.values()}
        old = [posting for key, (posting, _) in self.model.posted.items() if key not in captured]
        for account, amount, number, again in moves:
            known = [*old, *items]
            items.append(
                known[number % len(known)] if again and known else transfer(self.key(), account, amount, Decimal(1))
            )

        async def work() -> Any:
            async with self.db.transaction() as tx:
                return await self.service.post_many(tx, items)

        verdicts = self.run(work())
        for item, verdict in zip(items, verdicts, strict=True):
            if item.key in self.model.posted:
                assert (verdict.outcome, verdict.lots) == ("replayed", self.model.posted[item.key][1])
            elif self.model.fits(item):
                assert (verdict.outcome, verdict.lots) == ("posted", self.model.apply(item))
            else:
                assert verdict.outcome == "insufficient"

    @rule(account=st.sampled_from(WALLETS + CREDITS), amount=amounts, again=st.booleans())
    def hold(self, account: Account, amount: int, again: bool) -> None:
        key = self.key()

        async def work() -> Any:
            async with self.db.transaction() as tx:
                return await self.service.hold(tx, key=key, account=account, amount=amount, reason="a test")

        if self.model.balance.get(account, 0) - self.model.held.get(account, 0) < amount:
            with pytest.raises(InsufficientFunds):
                self.run(work())
            return
        view = self.run(work())
        self.model.held[account] = self.model.held.get(account, 0) + amount
        self.model.holds[view.id] = [account, amount, "held", None]
        if again:
            assert self.run(work()).id == view.id

    @rule(number=which, again=st.booleans())
    def capture(self, number: int, again: bool) -> None:
        if not self.model.holds:
            return
        hold_id = list(self.model.holds)[number % len(self.model.holds)]
        account, amount, state, _ = self.model.holds[hold_id]
        posting = transfer(self.key(), account, -amount, Decimal(0))

        async def work() -> PostingView:
            async with self.db.transaction() as tx:
                return await self.service.capture(
                    tx,
                    key=posting.key,
                    hold_id=hold_id,
                    kind=posting.kind,
                    entries=posting.entries,
                    description="captured",
                )

        if state != "held":
            with pytest.raises(HoldClosed):
                self.run(work())
            return
        assert self.model.fits(posting, freed=amount)
        view = self.run(work())
        self.model.held[account] -= amount
        lots = self.model.apply(posting)
        assert view.lots == lots
        self.model.holds[hold_id][2:] = ["captured", posting.key]
        if again:
            replayed = self.run(work())
            assert (replayed.id, replayed.replayed, replayed.lots) == (view.id, True, lots)

    @rule(number=which, again=st.booleans())
    def release(self, number: int, again: bool) -> None:
        if not self.model.holds:
            return
        hold_id = list(self.model.holds)[number % len(self.model.holds)]
        account, amount, state, _ = self.model.holds[hold_id]
        key = self.key()

        async def work() -> Any:
            async with self.db.transaction() as tx:
                return await self.service.release(tx, key=key, hold_id=hold_id)

        if state != "held":
            with pytest.raises(HoldClosed):
                self.run(work())
            return
        assert not self.run(work()).replayed
        self.model.held[account] -= amount
        self.model.holds[hold_id][2] = "released"
        if again:
            assert self.run(work()).replayed

    @rule()
    def night(self) -> None:
        self.run(self.service.nightly())

    @invariant()
    def books_agree(self) -> None:
        if not hasattr(self, "db"):
            return
        assert self.run(self.service.check()) == ()
        assert self.run(self.service.trial_balance()).balanced
        found: dict[Account, tuple[int, int]] = {}
        for user in (1, 2):
            for one in self.run(self.service.balances(user_id=user)):
                found[one.account] = (one.balance, one.held)
                assert one.available >= 0
        for account in WALLETS + CREDITS:
            expected = (self.model.balance.get(account, 0), self.model.held.get(account, 0))
            assert found.get(account, (0, 0)) == expected
        for account in HOUSE.values():
            assert self.run(self.service.balance(account=account)).balance == self.model.balance.get(account, 0)
        with psycopg.connect(self.url) as connection:
            # the sums once more, without our own audit
            assert connection.execute(
                "SELECT count(*) FROM (SELECT 1 FROM ledger.entries e JOIN ledger.accounts a ON a.id = e.account_id "
                "GROUP BY posting_id, asset HAVING sum(amount) <> 0) off"
            ).fetchone() == (0,)
            assert connection.execute("SELECT count(*) FROM ledger.postings").fetchone() == (len(self.model.posted),)


@pytest.fixture
def machine(postgres: Cluster) -> Iterator[type[LedgerMachine]]:
    loop = asyncio.new_event_loop()
    yield type("Machine", (LedgerMachine,), {"cluster": postgres, "loop": loop})
    loop.close()


def test_any_sequence_of_operations_keeps_the_books(machine: type[LedgerMachine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )

"""Any sequence of requests, decisions, faults, outcomes, webhooks and crashes: balances and holds are right, and nobody
is paid twice. Hypothesis drives the real database beside a model that knows only what a person would."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Iterator
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.integration.withdrawals.counter import OWNER, SECOND, Counter
from tests.support.clock import FakeClock
from tests.support.database import Cluster
from viralcore.core.db import Database
from viralcore.core.errors import DomainError
from viralcore.core.registry import Registry
from viralcore.withdrawals.api import OPEN

T = TypeVar("T")
PEOPLE = (7, 8)
EARNED = 40_000
which = st.integers(0, 1000)
FAULTS = ("", "lost", "lost_unmade", "not_sent", "account", "passing", "config")


class WithdrawalMachine(RuleBasedStateMachine):
    cluster: Cluster
    loop: asyncio.AbstractEventLoop

    @initialize()
    def open_counter(self) -> None:
        self.url = self.cluster.clone()
        self.db = Database(self.url, FakeClock(), Registry(), size=3, read_size=2)
        self.fault = ""
        self.counter = self.run(self._open())

    async def _open(self) -> Counter:
        clock = self.db.clock
        assert isinstance(clock, FakeClock)
        counter = await Counter(self.db, clock, self.db.registry).open()
        for user in PEOPLE:
            await counter.rich(user)
        counter.payouts.fault = lambda reference: self.fault  # type: ignore[assignment, return-value]
        return counter

    def teardown(self) -> None:
        if hasattr(self, "db"):
            self.run(self.db.stop())
            self.cluster.drop(self.url)

    def run(self, work: Awaitable[T]) -> T:
        async def inside() -> T:
            return await work

        return self.loop.run_until_complete(inside())

    # --- what may happen ---------------------------------------------------------------------------------------------

    @rule(user=st.sampled_from(PEOPLE), dollars=st.sampled_from(["20", "150", "399"]))
    def ask(self, user: int, dollars: str) -> None:
        self.try_(self.counter.ask(user, dollars, account=f"069000000{user}"))

    @rule(pick=which, actor=st.sampled_from([OWNER, SECOND]))
    def approve(self, pick: int, actor: int) -> None:
        self.run(self._session())
        for request in self.some(pick):
            self.try_(self.counter.approve(request, actor))

    @rule(pick=which)
    def reject(self, pick: int) -> None:
        self.run(self._session())
        for request in self.some(pick):
            key = self.counter.key()
            self.try_(self.counter.desk.reject(key=key, actor=OWNER, withdrawal_id=request.id, reason="no"))

    @rule(pick=which)
    def cancel(self, pick: int) -> None:
        for request in self.some(pick):
            key = self.counter.key()
            self.try_(self.counter.door.cancel(key=key, user_id=request.user_id, withdrawal_id=request.id))

    @rule(fault=st.sampled_from(FAULTS))
    def weather(self, fault: str) -> None:
        self.fault = fault

    @rule()
    def work(self) -> None:
        self.run(self.counter.work())

    @rule(seconds=st.sampled_from([61, 301, 700, 2000]))
    def time(self, seconds: int) -> None:
        self.run(self.counter.pass_time(seconds))

    @rule(
        pick=which,
        status=st.sampled_from(["pending", "successful", "failed"]),
        why=st.sampled_from(["passing", "account"]),
    )
    def decide(self, pick: int, status: Any, why: Any) -> None:
        """At the provider. What has ended there stays ended."""
        open_ones = [made for made in self.counter.payouts.book.values() if made.status in ("new", "pending")]
        if open_ones:
            made = open_ones[pick % len(open_ones)]
            self.counter.payouts.decide(made.reference, status, why=why if status == "failed" else None)

    @rule(pick=which)
    def webhook(self, pick: int) -> None:
        names = [*self.counter.payouts.book, "vc-w9-a1"]
        self.run(self.counter.told(names[pick % len(names)]))

    @rule(when=st.sampled_from(["before", "after"]))
    def crash(self, when: str) -> None:
        """In the middle of whatever could run now."""
        self.run(self._crash(when))

    @rule(lift=st.booleans())
    def switch(self, lift: bool) -> None:
        self.run(self._session())
        if lift:
            self.try_(self.counter.desk.lift_stop(key=self.counter.key(), actor=OWNER, reason="x"))

    # --- what must be true -------------------------------------------------------------------------------------------

    @invariant()
    def nobody_is_paid_twice_and_the_money_is_right(self) -> None:
        if hasattr(self, "counter"):
            self.run(self._look())

    async def _look(self) -> None:
        counter = self.counter
        await counter.sound()
        paid = counter.payouts.paid()
        for user in PEOPLE:
            requests = await counter.door.history(user_id=user)
            done = sum(one.quote.amount.minor for one in requests if one.state == "completed")
            held = sum(one.quote.amount.minor for one in requests if one.state in OPEN)
            assert await counter.balance(user) == (EARNED - done, held)
            assert sum(one.state in OPEN for one in requests) <= 1
            for one in requests:
                if one.state in ("failed", "rejected", "cancelled", "pending"):
                    assert f"vc-w{one.id}" not in paid
                if one.state == "completed":
                    assert paid[f"vc-w{one.id}"] == 1

    # --- inside ------------------------------------------------------------------------------------------------------

    def some(self, pick: int) -> list[Any]:
        found = self.run(self.counter.desk.queue(which="all", limit=100))
        return [found[pick % len(found)]] if found else []

    def try_(self, work: Awaitable[Any]) -> None:
        """A refusal is an answer."""
        with contextlib.suppress(DomainError):
            self.run(work)

    async def _session(self) -> None:
        for actor in (OWNER, SECOND):
            await self.counter.users.open_session(key=self.counter.key(), actor=actor)

    async def _crash(self, when: str) -> None:
        counter, arrived = self.counter, asyncio.Event()

        async def wait(at: str, reference: str) -> None:
            if at == when:
                arrived.set()
                await asyncio.Event().wait()

        whole, counter.payouts.wait = counter.payouts.wait, wait
        tasks = [asyncio.ensure_future(counter.runner.run(*row)) for row in await counter.runnable()]
        seen = asyncio.ensure_future(arrived.wait())
        if tasks:
            everything = asyncio.ensure_future(asyncio.wait(tasks))
            await asyncio.wait({seen, everything}, return_when=asyncio.FIRST_COMPLETED)
            everything.cancel()
        for task in (*tasks, seen):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        counter.payouts.wait = whole
        await counter.restart()


@pytest.fixture
def machine(postgres: Cluster) -> Iterator[type[WithdrawalMachine]]:
    loop = asyncio.new_event_loop()
    yield type("Machine", (WithdrawalMachine,), {"cluster": postgres, "loop": loop})
    loop.close()


def test_any_sequence_pays_once(machine: type[WithdrawalMachine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=6,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )

"""Our book against the provider's, and what we owe against what we hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.integration.withdrawals.counter import OWNER, SECOND, Counter
from tests.support.clock import FakeClock
from tests.support.withdrawals import FakePayouts, Made, settings
from viralcore.core.db import Database
from viralcore.core.money import NGN, Money, ngn, usd
from viralcore.core.registry import Registry
from viralcore.ledger.api import Entry, house_account, user_account
from viralcore.users.api import NotAllowed
from viralcore.withdrawals.api import DifferenceClosed, DifferenceView, NoProvider, ReasonMissing
from viralcore.withdrawals.ports import Balance, PayoutsDown, TransferPage, TransferRecord

DAY = 86_400


class Ledgered(FakePayouts):
    """A provider with a balance, days and pages, as the real one has."""

    def __init__(self, now: Any) -> None:
        super().__init__(now)
        self.available, self.collected = 10**9, 0
        self.made_at: dict[str, Any] = {}
        self.rows_on_page = 2
        self.between: Any = None  # happens between two pages
        self.clock = now

    def _record(self, made: Made) -> TransferRecord:
        return replace(super()._record(made), created_at=self.made_at.setdefault(made.reference, self.clock()))

    def _take(self, *asked: Any) -> Any:
        said = super()._take(*asked)
        self.made_at.setdefault(asked[0], self.clock())
        return said

    async def page(self, *, since: date, until: date, page: int) -> TransferPage:
        self._ask()
        if self.between is not None and page == 2:
            self.between()
        every = [self._record(made) for made in reversed(self.book.values())]
        rows = [one for one in every if one.created_at is not None and since <= one.created_at.date() <= until]
        size = self.rows_on_page
        return TransferPage(tuple(rows[(page - 1) * size : page * size]), page, -(-len(rows) // size))

    async def balance(self, currency: str) -> Balance:
        self._ask()
        return Balance(Money(self.available, NGN), Money(self.collected, NGN))


class House(Counter):
    payouts: Ledgered

    async def compare(self, hours: float = 0) -> None:
        if hours:
            self.clock.advance(hours * 3600)
            for _ in range(2):
                await self.parts.asking.poll()
                await self.work()
        await self.awake()
        await self.door.watch.compare_now(key=self.key(), actor=OWNER)
        await self.work("withdrawals.compare")

    async def awake(self) -> None:
        for number in (OWNER, SECOND):
            await self.users.open_session(key=self.key(), actor=number)

    async def open_ones(self) -> list[tuple[str, str]]:
        return [(one.kind, one.reference) for one in await self.door.watch.differences()]

    async def only(self) -> DifferenceView:
        (found,) = await self.door.watch.differences()
        return found

    async def paid(self, user_id: int, dollars: str = "20") -> str:
        await self.awake()
        request = await self.sent(await self.rich(user_id), dollars)
        reference = f"vc-w{request.id}-a1"
        self.payouts.decide(reference, "successful")
        await self.told(reference)
        assert await self.state(request) == "completed"
        return reference

    def made(self, reference: str, amount: int = 500_000, **fields: Any) -> None:
        """Somebody else's transfer through our account."""
        self.payouts.book[reference] = Made(
            str(9000 + len(self.payouts.book)), reference, "058", "0123456789", Money(amount, NGN), **fields
        )
        self.payouts.made_at[reference] = self.clock.now()


@pytest.fixture
async def house(database: Database, clock: FakeClock, registry: Registry) -> House:
    made = House(database, clock, registry)
    made.payouts = Ledgered(clock.now)
    made.build()
    await made.open(staff=[OWNER, SECOND])
    return made


async def test_books_that_agree(house: House) -> None:
    for user in (1, 2, 3):
        await house.paid(user)
    request = await house.sent(await house.rich(4))
    house.payouts.decide(f"vc-w{request.id}-a1", "failed", why="account", words="Invalid account")
    await house.told(f"vc-w{request.id}-a1")
    await house.compare(hours=2)
    last = await house.door.watch.comparison()
    assert last is not None
    assert (last.state, last.ours, last.theirs, last.found, last.open, last.note) == ("done", 4, 4, 0, 0, "first")
    assert last.balance == Money(10**9, NGN)
    assert await house.events("difference_found") == []
    (ended,) = await house.events("comparison_ended")
    assert (ended["state"], ended["found"]) == ("done", 0)
    assert len(await house.audited("withdrawals.compare")) == 1


async def test_every_kind_of_difference_is_one_task(house: House) -> None:
    missing, amount, status, twice = [await house.paid(user) for user in (1, 2, 3, 4)]
    book = house.payouts.book
    del book[missing]
    book[amount].amount = Money(book[amount].amount.minor + 1, NGN)
    book[status].status = "failed"
    house.made("salary-march")
    assert await house.open_ones() == []
    await house.compare()  # all of it is too young to be judged
    assert await house.open_ones() == []
    house.clock.advance(7200)
    doubled = replace(house.payouts._record(book[twice]), id="9999")
    two = house.payouts._record(book[twice])
    house.payouts.by_reference = _answers(house.payouts, twice, (two, doubled))  # type: ignore[method-assign]
    house.payouts.page = _with(house.payouts, doubled)  # type: ignore[method-assign]
    await house.compare()
    wanted = {("missing", missing), ("amount", amount), ("status", status), ("extra", "salary-march"), ("twice", twice)}
    assert set(await house.open_ones()) == wanted
    assert len(await house.events("difference_found")) == 5
    by_kind = {one.kind: one for one in await house.door.watch.differences()}
    assert (by_kind["status"].ours_state, by_kind["status"].theirs_status) == ("succeeded", "failed")
    assert by_kind["extra"].last4 == "6789"
    assert by_kind["extra"].theirs == ngn(5000)
    assert by_kind["missing"].theirs is None
    await house.compare()
    assert len(await house.open_ones()) == 5
    assert len(await house.events("difference_found")) == 5  # told once


def _answers(payouts: Ledgered, reference: str, told: tuple[TransferRecord, ...]) -> Any:
    before = payouts.by_reference

    async def by_reference(asked: str) -> tuple[TransferRecord, ...]:
        return told if asked == reference else await before(asked)

    return by_reference


def _with(payouts: Ledgered, more: TransferRecord) -> Any:
    before = payouts.page

    async def page(*, since: date, until: date, page: int) -> TransferPage:
        found = await before(since=since, until=until, page=page)
        return replace(found, records=(*found.records, more)) if page == 1 else found

    return page


async def test_a_task_is_accepted_once_with_a_reason_and_comes_back_when_it_changes(house: House) -> None:
    house.made("salary-march")
    await house.compare(hours=2)
    task = await house.only()
    watch = house.door.watch
    with pytest.raises(ReasonMissing):
        await watch.accept(key="a", actor=OWNER, difference_id=task.id, reason="  ")
    with pytest.raises(NotAllowed):
        await watch.accept(key="b", actor=await house.person(77), difference_id=task.id, reason="fine")
    done = await watch.accept(key="c", actor=OWNER, difference_id=task.id, reason="Paid by hand in the dashboard")
    again = await watch.accept(key="c", actor=OWNER, difference_id=task.id, reason="Paid by hand in the dashboard")
    assert (done.state, done.decided_by, done.reason) == ("accepted", OWNER, "Paid by hand in the dashboard")
    assert again == done
    with pytest.raises(DifferenceClosed):
        await watch.accept(key="d", actor=SECOND, difference_id=task.id, reason="also fine")
    (line,) = await house.audited("withdrawals.difference_accepted")
    assert (line.actor, line.reason) == (OWNER, "Paid by hand in the dashboard")
    await house.compare()
    assert await house.open_ones() == []
    house.payouts.book["salary-march"].amount = ngn(6000)
    await house.compare()
    assert (await house.only()).theirs == ngn(6000)
    assert len(await house.events("difference_found")) == 2


async def test_what_agrees_again_is_gone_by_itself(house: House) -> None:
    reference = await house.paid(1)
    kept = house.payouts.book.pop(reference)
    await house.compare(hours=2)
    task = await house.only()
    house.payouts.book[reference] = kept
    house.clock.advance(10 * DAY)  # far beyond the days a comparison looks at by itself
    await house.compare()
    assert await house.open_ones() == []
    assert (await house.door.watch.difference(difference_id=task.id)).state == "gone"
    assert [one["state"] for one in await house.events("difference_ended")] == ["gone"]


async def test_lists_that_are_not_read_at_one_moment_make_no_difference(house: House) -> None:
    """A transfer ends, and another is made, while pages are read."""
    for user in (1, 2, 3):
        await house.paid(user)
    request = await house.sent(await house.rich(4))
    house.clock.advance(7200)

    def meanwhile() -> None:
        house.payouts.decide(f"vc-w{request.id}-a1", "successful")
        house.made("pushed")  # the last of a page is the first of the next one now
        house.payouts.between = None

    house.payouts.between = meanwhile
    balance = house.payouts.balance

    async def told_meanwhile(currency: str) -> Balance:  # after their list, before ours is read
        await house.told(f"vc-w{request.id}-a1")
        return await balance(currency)

    house.payouts.balance = told_meanwhile  # type: ignore[method-assign]
    await house.compare()
    assert await house.state(request) == "completed"
    assert await house.open_ones() == []


@pytest.mark.parametrize(("lost", "found"), [(0, False), (90, False), (5_000_00, True), (-5_000_00, False)])
async def test_money_that_left_without_a_transfer_of_ours(house: House, lost: int, found: bool) -> None:
    await house.paid(1)
    await house.compare(hours=2)
    spent = 0
    for user in (2, 3):
        reference = await house.paid(user)
        spent += house.payouts.book[reference].amount.minor + house.payouts.book[reference].fee.minor
    house.payouts.available -= spent + lost
    await house.compare(hours=2)
    tasks = await house.door.watch.differences()
    assert [one.kind for one in tasks] == (["balance"] if found else [])
    if found:
        assert tasks[0].ours == Money(10**9 - spent, NGN)
        assert tasks[0].theirs == Money(10**9 - spent - lost, NGN)
        await house.compare()
        assert len(await house.events("difference_found")) == 1


async def test_the_balance_is_not_compared_while_something_may_be_leaving_it(house: House) -> None:
    await house.compare()
    house.payouts.fault = lambda reference: "lost_unmade"
    await house.sent(await house.rich(1))
    house.payouts.available -= 10**6
    await house.compare()
    last = await house.door.watch.comparison()
    assert last is not None
    assert (last.note, await house.open_ones()) == ("moving", [])


async def test_a_provider_that_does_not_answer_is_told_and_changes_nothing(house: House) -> None:
    house.made("salary-march")
    await house.compare(hours=2)
    house.payouts.down = lambda: True
    await house.door.watch.compare_now(key="x", actor=OWNER)
    for _ in range(4):
        await house.work("withdrawals.compare")
        house.clock.advance(700)
    last = await house.door.watch.comparison()
    assert last is not None
    assert (last.state, last.open) == ("failed", 1)
    assert len(await house.open_ones()) == 1
    assert [one["state"] for one in await house.events("comparison_ended")] == ["done", "failed"]


async def test_once_a_day_from_its_hour_on(house: House) -> None:
    job = next(job for job in house.module.jobs if job.name == "withdrawals.compare")
    assert job.next_due is not None
    hour = house.config.reconciliation.at_hour
    start = house.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    house.clock.advance((start - house.clock.now()).total_seconds() + DAY)
    due = await job.next_due()
    assert due is not None
    assert (due.hour, due - house.clock.now()) == (hour, due - house.clock.now())
    await job.run()
    assert await house.door.watch.comparison() is None
    house.clock.advance(hour * 3600)
    for _ in range(3):
        await job.run()
    await house.work("withdrawals.compare")
    house.clock.advance(DAY)
    await job.run()
    await house.work("withdrawals.compare")
    assert len(await house.events("comparison_ended")) == 2


async def test_nobody_pays_nothing_is_compared(database: Database, clock: FakeClock, registry: Registry) -> None:
    alone = await Counter(database, clock, registry, nobody_pays=True).open()
    with pytest.raises(NoProvider):
        await alone.door.watch.compare_now(key="k", actor=OWNER)
    await alone.parts.reconciling.daily()
    await alone.parts.solvency.look()
    assert await alone.door.watch.comparison() is None
    assert await alone.door.watch.solvency() is not None


# --- solvency ---------------------------------------------------------------------------------------------------------


async def deposit(house: House, dollars: str) -> None:
    async with house.db.transaction() as tx:
        amount = usd(dollars).minor
        entries = [
            Entry(house_account("network:bsc:USDT"), -amount),
            Entry(user_account(50, "wallet"), amount),
        ]
        await house.books.post(tx, key=house.key(), kind="deposit", entries=entries, description="in")


async def test_covered_then_short_then_lifted(house: House) -> None:
    await house.person(50)
    await deposit(house, "300")
    house.payouts.available = 150_000_00  # a hundred dollars
    await house.earn(50, usd("60"))
    await house.earn(50, ngn("30000"), "reply")  # twenty
    await house.parts.solvency.look()
    seen = await house.door.watch.solvency()
    assert seen is not None
    assert dict(seen.owed) == {"affiliate USD": usd("60"), "reply NGN": usd("20"), "wallet USD": usd("300")}
    assert dict(seen.held) == {"bsc:USDT": usd("300"), "flutterwave": usd("100")}
    assert (seen.gap, seen.problem) == (usd("0"), "")
    assert (await house.desk.switches()).stopped is False

    await house.earn(50, usd("70"))
    for _ in range(3):
        await house.parts.solvency.look()
    assert (await house.desk.switches()).stopped is True
    assert "50.00 USD" in (await house.desk.switches()).stop_reason
    assert [(one["gap"], one["stopped"]) for one in await house.events("solvency_short")] == [(5000, True)]

    request = await house.ask(await house.rich(51, "20"), "15")
    await house.approve(request)
    await house.work()
    assert house.payouts.sent == []

    await house.desk.lift_stop(key="lift", actor=OWNER, reason="A transfer to Flutterwave is under way")
    await house.work()
    assert len(house.payouts.sent) == 1
    await house.parts.solvency.look()  # grown by the 20 that were earned meanwhile: more than a tenth
    assert (await house.desk.switches()).stopped is True
    await house.desk.lift_stop(key="lift2", actor=OWNER, reason="Still under way")
    await house.parts.solvency.look()
    assert (await house.desk.switches()).stopped is False  # an owner has seen this gap
    house.payouts.available = 900_000_00
    await house.parts.solvency.look()
    house.payouts.available = 150_000_00
    await house.parts.solvency.look()
    assert (await house.desk.switches()).stopped is True  # a new gap
    assert len(await house.events("solvency_short")) == 3


async def test_without_a_rate_nothing_is_judged(house: House) -> None:
    await house.rich(50)
    house.live = None
    house.payouts.available = 0
    await house.parts.solvency.look()
    seen = await house.door.watch.solvency()
    assert seen is not None
    assert (seen.problem, seen.gap) == ("no_rate", usd("0"))
    assert (await house.desk.switches()).stopped is False


async def test_a_balance_that_cannot_be_read_counts_for_a_while(house: House) -> None:
    await house.earn(await house.person(50), usd("60"))
    house.payouts.available = 150_000_00
    await house.parts.solvency.look()
    house.payouts.down = lambda: True
    house.clock.advance(3600)
    await house.parts.solvency.look()
    seen = await house.door.watch.solvency()
    assert seen is not None
    assert (seen.held["flutterwave"], seen.unread) == (usd("100"), ())
    house.clock.advance(house.config.solvency.stale_hours * 3600)
    await house.parts.solvency.look()
    seen = await house.door.watch.solvency()
    assert seen is not None
    assert (dict(seen.held), seen.unread, seen.gap) == ({}, ("flutterwave",), usd("60"))
    assert (await house.desk.switches()).stopped is True


async def test_too_many_pages_are_no_answer(house: House) -> None:
    house.payouts.rows_on_page = 1
    house.config = settings(reconciliation={"most_pages": 3})
    house.build()
    for number in range(4):
        house.made(f"r{number}")
    with pytest.raises(PayoutsDown, match="too_many_pages"):
        await house.parts.reconciling._compared(house.payouts)

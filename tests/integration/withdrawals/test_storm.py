"""Five hundred withdrawals approved at once against a provider that loses answers, refuses, repeats and changes its
mind, while the process is killed five times: nobody is paid twice, and every hold ends honestly."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter as Tally

from sqlalchemy import text

from tests.integration.withdrawals.counter import OWNER, Counter
from tests.support.clock import FakeClock
from tests.support.payout_crowd import crowd
from tests.support.sizes import size
from tests.support.withdrawals import CIPHER, Fault, dice
from viralcore.core.db import Database
from viralcore.core.registry import Registry
from viralcore.payments.events import TransferReported

SEED = 20_260_302
PEOPLE, KILLS = size(500, 120), 5
LONGEST = 150  # turns; it takes about 55, and who comes first is not ours to say
FIRST = 10_000


class Weather:
    """What the provider does, by one pair of dice."""

    def __init__(self, counter: Counter) -> None:
        self.dice = dice(SEED)
        self.counter = counter
        self.faults: Tally[str] = Tally()
        self.late: list[str] = []
        payouts = counter.payouts
        payouts.fault, payouts.down = self.fault, lambda: self.dice.random() < 0.05

    def fault(self, reference: str) -> Fault:
        kinds: tuple[Fault, ...] = ("", "lost", "lost_unmade", "not_sent", "account", "passing")
        found = self.dice.choices(kinds, weights=(70, 9, 9, 6, 2, 4))[0]
        self.faults[found] += 1
        return found

    def decide(self) -> list[str]:
        """Some of what is under way ends; the news of it, repeated and shuffled. Some failed at first come late."""
        told = []
        for reference, made in self.counter.payouts.book.items():
            if made.status in ("new", "pending") and self.dice.random() < 0.7:
                fate = self.dice.random()
                if fate < 0.80:
                    self.counter.payouts.decide(reference, "successful")
                elif fate < 0.90:
                    self.counter.payouts.decide(reference, "failed", why="passing", words="Insufficient funds")
                elif fate < 0.94:
                    self.counter.payouts.decide(reference, "failed", why="account", words="invalid")
                else:
                    made.status = "pending"
                told += [reference] * self.dice.choice((0, 1, 1, 2))
        self.dice.shuffle(told)
        return told


async def killed(counter: Counter, after: int) -> None:
    """A process that dies in the middle of what it does: tasks end wherever they are, and nothing more is recorded."""
    steps = 0
    whole = counter.payouts.wait
    dying = asyncio.Event()

    async def wait(when: str, reference: str) -> None:
        nonlocal steps
        steps += 1
        if steps >= after:
            dying.set()
        await whole(when, reference)

    counter.payouts.wait = wait
    rows = await counter.runnable()
    tasks = [asyncio.ensure_future(counter.runner.run(number, gen)) for number, gen in rows]
    death = asyncio.ensure_future(dying.wait())
    await asyncio.wait({death, *tasks}, return_when=asyncio.FIRST_COMPLETED, timeout=1)
    for task in (*tasks, death):
        task.cancel()
    for task in (*tasks, death):
        with contextlib.suppress(asyncio.CancelledError):
            await task
    counter.payouts.wait = whole
    await counter.restart()


async def test_five_hundred_at_once(database: Database, clock: FakeClock, registry: Registry) -> None:
    counter = await Counter(database, clock, registry).open()
    ids = await crowd(counter.db, counter.books, CIPHER, range(FIRST, FIRST + PEOPLE))
    weather = Weather(counter)
    gate = asyncio.Semaphore(12)

    async def approve(number: int) -> None:
        async with gate:
            await counter.parts.deciding.approve(key=f"a{number}", actor=OWNER, withdrawal_id=number)

    await asyncio.gather(*(approve(number) for number in ids))
    for turn in range(LONGEST):
        if turn < KILLS:
            await counter.runner.release_due()
            await killed(counter, after=weather.dice.randrange(1, 9))
        for round_ in range(10):
            told = weather.decide()
            await hear(counter, weather, told, turn * 100 + round_)
            if not await counter.work() and not told:
                break
        states = await states_of(counter)
        over = not states.keys() - {"completed", "failed", "unconfirmed"}
        # An unconfirmed one that was paid is still to be found by the poll.
        if turn > KILLS and over and not await unheard(counter):
            break
        await counter.pass_time(300)
    paid = counter.payouts.paid()
    assert counter.payouts.most_calling <= counter.config.sending.at_once
    assert all(times == 1 for times in paid.values())
    assert states.keys() <= {"completed", "failed", "unconfirmed"}
    assert sum(states.values()) == PEOPLE
    # What was paid was captured, and nothing else; what may have been paid is not given back.
    assert states["completed"] == len(paid)
    assert {f"vc-w{number}" for number in await ended_as(counter, "failed")}.isdisjoint(paid)
    assert states["unconfirmed"] <= 25
    assert len(counter.payouts.sent) > len(set(counter.payouts.sent)) > PEOPLE  # resends and second attempts happened
    assert {"lost", "lost_unmade", "not_sent", "account", "passing"} <= weather.faults.keys()
    await counter.sound()
    captured = -(await counter.house("fx"))
    assert captured == states["completed"] * 3_000_000
    assert await counter.house("fx", "USD") == states["completed"] * 2000


async def hear(counter: Counter, weather: Weather, told: list[str], round_: int) -> None:
    """A third comes as webhooks, the rest is asked about as the poll would."""
    query = text("SELECT reference, id FROM withdrawals.attempts WHERE reference = ANY(:names)")
    async with counter.db.read() as conn:
        numbers = {row.reference: row.id for row in await conn.execute(query, {"names": told})}
    (subscription, *_) = counter.module.subscriptions
    for reference in told:
        if weather.dice.random() < 0.33:
            async with counter.db.transaction() as tx:
                event = TransferReported(reference=reference, transfer_id="1")
                await subscription.handler(tx, f"{reference}:{round_}", event)
        else:
            await counter.parts.asking.look(numbers[reference])


async def states_of(counter: Counter) -> Tally[str]:
    query = text("SELECT state, count(*) AS n FROM withdrawals.requests GROUP BY state")
    async with counter.db.read() as conn:
        return Tally({row.state: row.n for row in await conn.execute(query)})


async def unheard(counter: Counter) -> set[str]:
    """Paid there, and unconfirmed here."""
    return counter.payouts.paid().keys() & {f"vc-w{number}" for number in await ended_as(counter, "unconfirmed")}


async def ended_as(counter: Counter, state: str) -> list[int]:
    query = text("SELECT id FROM withdrawals.requests WHERE state = :state")
    async with counter.db.read() as conn:
        return [row.id for row in await conn.execute(query, {"state": state})]


async def test_ten_in_flight_by_our_own_rows(database: Database, clock: FakeClock, registry: Registry) -> None:
    """However many are approved at once, by however many, no eleventh attempt is stored."""
    counter = await Counter(database, clock, registry).open()
    ids = await crowd(counter.db, counter.books, CIPHER, range(FIRST, FIRST + 40))
    await asyncio.gather(*(counter.desk.approve(key=f"a{number}", actor=OWNER, withdrawal_id=number) for number in ids))
    query = text("SELECT count(*) FROM withdrawals.attempts WHERE ended_at IS NULL")
    async with counter.db.read() as conn:
        assert (await conn.execute(query)).scalar_one() == 10

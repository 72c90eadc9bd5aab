"""64 writers at once, on one account and on many: no deadlock, no lost update, one posting per key."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from tests.integration.ledger.books import BANK, REVENUE, Books, move, wallet
from tests.support.clock import FakeClock
from viralcore.core.db import Database
from viralcore.core.registry import Registry
from viralcore.ledger.api import HoldClosed, InsufficientFunds
from viralcore.ledger.service import LedgerService

WRITERS = 64
PEOPLE = range(1, 9)


def random_move(dice: random.Random) -> tuple[int, int, int]:
    one, two = dice.sample(PEOPLE, 2)
    return one, two, dice.randint(1, 200)


@pytest.fixture
async def crowd(database_url: str, clock: FakeClock) -> AsyncIterator[Books]:
    """A ledger with a connection for every writer, so that it is Postgres and not the pool that puts them in order."""
    database = Database(database_url, clock, Registry(), size=WRITERS, read_size=2)
    books = Books(database, database_url, LedgerService(database))
    yield books
    assert await books.service.check() == ()
    assert (await books.service.trial_balance()).balanced
    await database.stop()


async def test_one_account_loses_no_update(crowd: Books) -> None:
    async def writer(number: int) -> None:
        for turn in range(5):
            await crowd.post(move(f"{number}:{turn}", BANK, wallet(1), 3))

    await asyncio.gather(*(writer(number) for number in range(WRITERS)))
    assert await crowd.balance(wallet(1)) == (WRITERS * 5 * 3, 0)
    assert await crowd.balance(BANK) == (-WRITERS * 5 * 3, 0)


async def test_transfers_in_every_direction_never_deadlock(crowd: Books) -> None:
    dice = random.Random(7)
    for person in PEOPLE:
        await crowd.fund(wallet(person), 500)
    verdicts: Counter[str] = Counter()

    async def writer(number: int, plan: list[list[tuple[int, int, int]]]) -> None:
        for turn, trip in enumerate(plan):
            moves = [
                move(f"{number}:{turn}:{n}", wallet(one), wallet(two), amount)
                for n, (one, two, amount) in enumerate(trip)
            ]
            if len(moves) > 1:
                async with crowd.db.transaction() as tx:
                    verdicts.update(one.outcome for one in await crowd.service.post_many(tx, moves))
                continue
            try:
                await crowd.post(moves[0])
                verdicts["posted"] += 1
            except InsufficientFunds:
                verdicts["insufficient"] += 1

    plans = [[[random_move(dice) for _ in range(dice.choice((1, 1, 6)))] for _ in range(4)] for _ in range(WRITERS)]
    await asyncio.gather(*(writer(number, plan) for number, plan in enumerate(plans)))
    assert sum(verdicts.values()) == sum(len(trip) for plan in plans for trip in plan)
    assert set(verdicts) == {"posted", "insufficient"}
    balances = [(await crowd.balance(wallet(person)))[0] for person in PEOPLE]
    assert sum(balances) == 8 * 500
    assert min(balances) >= 0


async def test_one_key_is_posted_by_exactly_one_of_many(crowd: Books) -> None:
    views = await asyncio.gather(*(crowd.fund(wallet(1), 10, key="same") for _ in range(WRITERS)))
    assert Counter(view.replayed for view in views) == {False: 1, True: WRITERS - 1}
    assert len({view.id for view in views}) == 1
    assert await crowd.balance(wallet(1)) == (10, 0)


async def test_one_key_between_house_accounts_only(crowd: Books) -> None:
    """No balance row is locked there: the key alone must decide."""
    views = await asyncio.gather(*(crowd.post(move("same", BANK, REVENUE, 10)) for _ in range(WRITERS)))
    assert Counter(view.replayed for view in views) == {False: 1, True: WRITERS - 1}
    assert await crowd.balance(REVENUE) == (10, 0)


async def test_new_accounts_are_opened_once_in_any_order(crowd: Books) -> None:
    async def writer(number: int) -> None:
        person, other = (1 + number % 8, 1 + (number + 3) % 8)
        entries = (move("x", BANK, wallet(person), 5).entries, move("x", BANK, wallet(other), 5).entries)
        both = tuple(entry for pair in (entries if number % 2 else entries[::-1]) for entry in pair)
        async with crowd.db.transaction() as tx:
            await crowd.service.post(tx, key=f"n{number}", kind="deposit", entries=both, description="to two at once")

    await asyncio.gather(*(writer(number) for number in range(WRITERS)))
    assert await crowd.balance(BANK) == (-WRITERS * 10, 0)


async def test_the_last_money_is_spent_once(crowd: Books) -> None:
    await crowd.fund(wallet(1), 10)
    outcomes = await asyncio.gather(
        *(crowd.post(move(f"s{number}", wallet(1), REVENUE, 10)) for number in range(WRITERS // 2)),
        *(crowd.hold(wallet(1), 10, key=f"h{number}") for number in range(WRITERS // 2)),
        return_exceptions=True,
    )
    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1
    assert {type(outcome) for outcome in outcomes if isinstance(outcome, BaseException)} == {InsufficientFunds}


async def test_a_hold_is_closed_by_exactly_one_of_many(crowd: Books) -> None:
    await crowd.fund(wallet(1), 10)
    hold = await crowd.hold(wallet(1), 10, key="h")
    outcomes = await asyncio.gather(
        *(crowd.capture(hold.id, wallet(1), 10, key=f"c{number}") for number in range(WRITERS // 2)),
        *(crowd.release(hold.id, key=f"r{number}") for number in range(WRITERS // 2)),
        return_exceptions=True,
    )
    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1
    assert {type(outcome) for outcome in outcomes if isinstance(outcome, BaseException)} == {HoldClosed}


async def test_credits_are_used_once_each(crowd: Books) -> None:
    await crowd.grant(1, 20, "1", key="g1")
    await crowd.grant(1, 20, "2", key="g2")
    outcomes = await asyncio.gather(
        *(crowd.use(1, 1, key=f"u{number}") for number in range(WRITERS)), return_exceptions=True
    )
    costs = Counter(
        str(use.unit_cost) for outcome in outcomes if not isinstance(outcome, BaseException) for use in outcome.lots
    )
    assert costs == {"1": 20, "2": 20}

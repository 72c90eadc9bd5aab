"""Holds: money reserved, then taken or given back."""

from __future__ import annotations

import pytest

from tests.integration.ledger.books import REVENUE, Books, move, wallet
from viralcore.core.errors import KeyReused, NotFound
from viralcore.ledger.api import HoldClosed, InsufficientFunds, Unbalanced


async def test_held_money_cannot_be_spent(books: Books) -> None:
    await books.fund(wallet(1), 100)
    await books.hold(wallet(1), 70, key="h")
    assert await books.balance(wallet(1)) == (100, 70)
    with pytest.raises(InsufficientFunds) as refused:
        await books.post(move("k", wallet(1), REVENUE, 31))
    assert refused.value.fields["available"] == 30
    await books.post(move("k", wallet(1), REVENUE, 30))


async def test_capture_posts_what_was_held(books: Books) -> None:
    await books.fund(wallet(1), 100)
    hold = await books.hold(wallet(1), 100, key="h")
    captured = await books.capture(hold.id, wallet(1), 100, key="c")
    assert await books.balance(wallet(1)) == (0, 0)
    again = await books.capture(hold.id, wallet(1), 100, key="c")
    assert (again.id, again.replayed) == (captured.id, True)


async def test_release_posts_nothing(books: Books) -> None:
    await books.fund(wallet(1), 100)
    hold = await books.hold(wallet(1), 40, key="h")
    released = await books.release(hold.id, key="r")
    assert (released.state, released.account, released.amount, released.replayed) == ("released", wallet(1), 40, False)
    assert (await books.release(hold.id, key="r")).replayed
    assert await books.balance(wallet(1)) == (100, 0)
    assert len(await books.service.statement(user_id=1)) == 1


async def test_a_hold_closes_once(books: Books) -> None:
    await books.fund(wallet(1), 100)
    gone = await books.hold(wallet(1), 40, key="h1")
    await books.release(gone.id, key="r")
    taken = await books.hold(wallet(1), 40, key="h2")
    await books.capture(taken.id, wallet(1), 40, key="c")
    for close in (
        books.capture(gone.id, wallet(1), 40, key="c1"),
        books.release(gone.id, key="r1"),
        books.capture(taken.id, wallet(1), 40, key="c2"),
        books.release(taken.id, key="r2"),
    ):
        with pytest.raises(HoldClosed):
            await close
    assert await books.balance(wallet(1)) == (60, 0)


async def test_a_hold_replays_with_its_present_state(books: Books) -> None:
    await books.fund(wallet(1), 100)
    hold = await books.hold(wallet(1), 100, key="h")
    again = await books.hold(wallet(1), 100, key="h")
    assert (again.id, again.replayed, again.state) == (hold.id, True, "held")
    await books.release(hold.id, key="r")
    assert (await books.hold(wallet(1), 100, key="h")).state == "released"
    assert await books.balance(wallet(1)) == (100, 0)


async def test_a_hold_key_belongs_to_its_inputs(books: Books) -> None:
    await books.fund(wallet(1), 100)
    await books.fund(wallet(2), 100)
    await books.hold(wallet(1), 10, key="h")
    for account, amount in ((wallet(1), 11), (wallet(2), 10)):
        with pytest.raises(KeyReused):
            await books.hold(account, amount, key="h")


async def test_nothing_is_held_that_is_not_there(books: Books) -> None:
    await books.fund(wallet(1), 100)
    await books.hold(wallet(1), 60, key="h1")
    with pytest.raises(InsufficientFunds) as refused:
        await books.hold(wallet(1), 41, key="h2")
    assert refused.value.fields == {"account": "wallet", "asset": "USD", "available": 40, "needed": 41}
    with pytest.raises(InsufficientFunds):
        await books.hold(wallet(9), 1, key="h3")


async def test_a_capture_must_fit_its_hold(books: Books) -> None:
    await books.fund(wallet(1), 100)
    await books.fund(wallet(2), 100)
    hold = await books.hold(wallet(1), 50, key="h")
    for source, amount in ((wallet(1), 49), (wallet(1), 51), (wallet(2), 50)):
        with pytest.raises(Unbalanced):
            await books.capture(hold.id, source, amount, key=f"c{source}{amount}")
    assert await books.balance(wallet(1)) == (100, 50)


async def test_a_capture_does_not_take_the_key_of_another_posting(books: Books) -> None:
    await books.fund(wallet(1), 100, key="taken")
    hold = await books.hold(wallet(1), 50, key="h")
    with pytest.raises(KeyReused):
        await books.capture(hold.id, wallet(1), 50, key="taken")
    assert await books.balance(wallet(1)) == (100, 50)


async def test_an_unknown_hold(books: Books) -> None:
    with pytest.raises(NotFound):
        await books.capture(404, wallet(1), 5, key="c")
    with pytest.raises(NotFound):
        await books.release(404, key="r")

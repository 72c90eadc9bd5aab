"""Credits taken from the lot of one posting, and the ways to get that wrong."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.integration.ledger.books import GRANTS, Books, credits_of
from viralcore.core.errors import KeyReused
from viralcore.ledger.api import Entry, InsufficientFunds, LotUse, NewPosting, Unbalanced, house_account


def taking(key: str, number: int, lot: str | None, user: int = 1) -> NewPosting:
    legs = (Entry(credits_of(user), -number, lot=lot), Entry(GRANTS, number))
    return NewPosting(key, "refund", legs, "a refund")


async def test_a_named_lot_is_taken_though_an_older_one_is_there(books: Books) -> None:
    await books.grant(1, 5, "1", key="old")
    await books.grant(1, 5, "2", key="new")
    assert (await books.post(taking("r", 3, "new"))).lots == (LotUse(3, Decimal(2)),)
    async with books.db.transaction() as tx:
        lots = await books.service.lots(tx, account=credits_of(1))
    assert [(lot.posting_key, lot.remaining, lot.quantity, lot.unit_cost) for lot in lots] == [
        ("old", 5, 5, Decimal(1)),
        ("new", 2, 5, Decimal(2)),
    ]
    assert await books.service.check() == ()


async def test_a_named_lot_that_has_too_little_refuses_and_leaves_the_transaction_usable(books: Books) -> None:
    await books.grant(1, 5, "1", key="old")
    await books.grant(1, 2, "2", key="new")
    async with books.db.transaction() as tx:
        for lot, there in (("new", 2), ("never", 0)):
            posting = taking(f"r {lot}", 3, lot)
            with pytest.raises(InsufficientFunds) as refused:
                await books.service.post(
                    tx, key=posting.key, kind="refund", entries=posting.entries, description="much"
                )
            assert (refused.value.fields["available"], refused.value.fields["needed"]) == (there, 3)
        posting = taking("fine", 2, "new")
        await books.service.post(tx, key="fine", kind="refund", entries=posting.entries, description="fine")
    assert await books.balance(credits_of(1)) == (5, 0)


async def test_a_lot_of_somebody_else_is_not_there(books: Books) -> None:
    await books.grant(1, 5, "1", key="mine")
    await books.grant(2, 5, "1", key="theirs")
    with pytest.raises(InsufficientFunds):
        await books.post(taking("r", 1, "theirs"))


async def test_a_replay_is_known_and_another_lot_is_another_posting(books: Books) -> None:
    await books.grant(1, 2, "1", key="a")
    await books.grant(1, 2, "2", key="b")
    await books.post(taking("r", 2, "a"))
    assert (await books.post(taking("r", 2, "a"))).replayed
    for lot in ("b", None):
        with pytest.raises(KeyReused):
            await books.post(taking("r", 2, lot))


@pytest.mark.parametrize("wrong", ["gives", "house", "money", "empty", "twice"])
async def test_a_lot_is_named_only_where_one_is_taken(books: Books, wrong: str) -> None:
    await books.grant(1, 5, "1", key="a")
    legs = {
        "gives": (Entry(credits_of(1), 1, Decimal(1), lot="a"), Entry(GRANTS, -1)),
        "house": (Entry(GRANTS, -1, lot="a"), Entry(credits_of(1), 1, Decimal(1))),
        "money": (Entry(house_account("revenue"), -1, lot="a"), Entry(house_account("fees"), 1)),
        "empty": (Entry(credits_of(1), -1, lot=""), Entry(GRANTS, 1)),
        "twice": (Entry(credits_of(1), -1, lot="a"), Entry(credits_of(1), -1, lot="a"), Entry(GRANTS, 2)),
    }[wrong]
    with pytest.raises(Unbalanced):
        await books.post(NewPosting("r", "refund", legs, "wrong"))

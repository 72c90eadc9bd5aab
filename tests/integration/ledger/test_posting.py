"""Posting, replaying, refusing; one by one and in sets."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.integration.ledger.books import BANK, GRANTS, REVENUE, Books, credits_of, move, wallet
from tests.support.clock import FakeClock
from viralcore.core.errors import KeyReused
from viralcore.core.log import correlated
from viralcore.ledger.api import Entry, InsufficientFunds, LotUse, NewPosting, Unbalanced, house_account, user_account


async def test_a_posting_moves_money_and_remembers_before_and_after(books: Books, clock: FakeClock) -> None:
    await books.fund(wallet(1), 1000)
    with correlated("corr-1"):
        await books.post(move("buy", wallet(1), REVENUE, 400))
    assert await books.balance(wallet(1)) == (600, 0)
    assert await books.balance(REVENUE) == (400, 0)
    assert await books.balance(BANK) == (-1000, 0)
    last, first = await books.service.statement(user_id=1)
    assert (last.amount, last.before, last.after, last.correlation_id) == (-400, 1000, 600, "corr-1")
    assert (first.amount, first.before, first.after, first.at) == (1000, 0, 1000, clock.now())


async def test_a_replay_changes_nothing_and_gives_the_first_answer(books: Books) -> None:
    first = await books.fund(wallet(1), 1000, key="in")
    again = await books.fund(wallet(1), 1000, key="in")
    assert (again.id, again.replayed, first.replayed) == (first.id, True, False)
    assert await books.balance(wallet(1)) == (1000, 0)


async def test_a_replay_is_known_even_when_it_could_not_be_made_again(books: Books) -> None:
    await books.fund(wallet(1), 1000)
    spend = move("spend", wallet(1), REVENUE, 1000)
    await books.post(spend)
    assert (await books.post(spend)).replayed


async def test_other_words_are_a_replay_other_inputs_are_not(books: Books) -> None:
    posting = move("k", BANK, wallet(1), 50)
    await books.post(posting)
    assert (await books.post(replace(posting, description="in other words"))).replayed
    for other in (move("k", BANK, wallet(1), 51), move("k", BANK, wallet(2), 50), replace(posting, kind="deposit")):
        with pytest.raises(KeyReused):
            await books.post(other)


async def test_insufficient_is_told_with_numbers_and_leaves_the_transaction_usable(books: Books) -> None:
    await books.fund(wallet(1), 100)
    async with books.db.transaction() as tx:
        with pytest.raises(InsufficientFunds) as refused:
            await books.service.post(
                tx, key="a", kind="purchase", entries=move("a", wallet(1), REVENUE, 101).entries, description="much"
            )
        await books.service.post(
            tx, key="b", kind="purchase", entries=move("b", wallet(1), REVENUE, 99).entries, description="less"
        )
    assert refused.value.fields == {"account": "wallet", "asset": "USD", "available": 100, "needed": 101}
    assert await books.balance(wallet(1)) == (1, 0)


async def test_a_refused_key_may_be_used_later(books: Books) -> None:
    spend = move("spend", wallet(1), REVENUE, 10)
    with pytest.raises(InsufficientFunds):
        await books.post(spend)
    await books.fund(wallet(1), 10)
    assert not (await books.post(spend)).replayed


async def test_a_rolled_back_posting_never_was(books: Books) -> None:
    async def fails_after_posting() -> None:
        async with books.db.transaction() as tx:
            entries = move("k", BANK, wallet(1), 10).entries
            await books.service.post(tx, key="k", kind="deposit", entries=entries, description="in")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails_after_posting()
    assert await books.balance(wallet(1)) == (0, 0)
    assert not (await books.fund(wallet(1), 10, key="k")).replayed


async def test_an_account_may_stand_in_a_posting_twice(books: Books) -> None:
    entries = (Entry(wallet(1), 10), Entry(wallet(1), -4), Entry(BANK, -6))
    await books.post(NewPosting("k", "deposit", entries, "ten less four"))
    assert [(line.before, line.after) for line in await books.service.statement(user_id=1)] == [(10, 6), (0, 10)]


async def test_code_refuses_before_the_database_is_asked(books: Books) -> None:
    with pytest.raises(Unbalanced):
        await books.post(NewPosting("k", "deposit", (Entry(wallet(1), 10), Entry(BANK, -9)), "off by one"))


async def test_credits_come_from_the_oldest_lot_at_its_price(books: Books) -> None:
    await books.grant(1, 3, "1.50", key="g1")
    await books.grant(1, 5, "0", key="g2")
    used = await books.use(1, 4, key="u1")
    assert used.lots == (LotUse(3, Decimal("1.5")), LotUse(1, Decimal(0)))
    assert (await books.use(1, 4, key="u1")).lots == used.lots
    assert await books.balance(credits_of(1)) == (4, 0)
    with pytest.raises(InsufficientFunds):
        await books.use(1, 5, key="u2")


async def test_a_returned_credit_keeps_its_price(books: Books) -> None:
    await books.grant(1, 1, "2.25", key="g")
    (used,) = (await books.use(1, 1, key="u")).lots
    await books.grant(1, used.quantity, str(used.unit_cost), key="back")
    assert (await books.use(1, 1, key="u2")).lots == (LotUse(1, Decimal("2.25")),)


async def test_one_purchase_posts_money_and_credits_together(books: Books) -> None:
    await books.fund(wallet(1), 1500)
    entries = (
        Entry(wallet(1), -1500),
        Entry(REVENUE, 1500),
        Entry(credits_of(1), 10, Decimal("1.50")),
        Entry(GRANTS, -10),
    )
    await books.post(NewPosting("buy", "purchase", entries, "10 x t3"))
    found = {balance.account.name: balance.available for balance in await books.service.balances(user_id=1)}
    assert found == {"credits": 10, "wallet": 0}


async def test_one_bad_item_spoils_nothing(books: Books) -> None:
    await books.fund(wallet(1), 100, key="old")
    items = [
        move("a", wallet(1), wallet(2), 60),
        move("b", wallet(1), wallet(2), 60),  # no longer enough
        NewPosting("c", "fee", (Entry(wallet(1), 1), Entry(BANK, -2)), "not balanced"),
        move("old", BANK, wallet(1), 101),  # known, with other inputs
        move("a", wallet(1), wallet(2), 60),  # twice in one set
        move("d", wallet(2), wallet(3), 60),  # lives on what `a` brought
    ]
    async with books.db.transaction() as tx:
        verdicts = await books.service.post_many(tx, items)
    assert [one.outcome for one in verdicts] == [
        "posted",
        "insufficient",
        "unbalanced",
        "key_reused",
        "replayed",
        "posted",
    ]
    assert [one.done for one in verdicts] == [True, False, False, False, True, True]
    assert verdicts[0].posting_id == verdicts[4].posting_id
    assert [await books.balance(wallet(n)) for n in (1, 2, 3)] == [(40, 0), (0, 0), (60, 0)]


async def test_sets_are_bounded_and_may_be_empty(books: Books) -> None:
    async with books.db.transaction() as tx:
        assert await books.service.post_many(tx, []) == ()
        with pytest.raises(ValueError, match="1000"):
            await books.service.post_many(tx, [move(str(n), BANK, wallet(1), 1) for n in range(1001)])


async def test_sets_give_the_lots_used(books: Books) -> None:
    await books.grant(1, 2, "3", key="g")
    async with books.db.transaction() as tx:
        (verdict,) = await books.service.post_many(
            tx, [NewPosting("u", "boost", (Entry(credits_of(1), -1), Entry(GRANTS, 1)), "a boost")]
        )
    assert verdict.lots == (LotUse(1, Decimal(3)),)


async def test_the_statement_pages_by_entry(books: Books) -> None:
    for n in range(5):
        await books.fund(wallet(1), n + 1, key=f"f{n}")
    await books.fund(wallet(2), 99)
    await books.post(move("to bonus", wallet(1), user_account(1, "wallet_bonus"), 3))
    first = await books.service.statement(user_id=1, limit=4)
    rest = await books.service.statement(user_id=1, before_id=first[-1].entry_id, limit=4)
    assert [line.amount for line in (*first, *rest)] == [3, -3, 5, 4, 3, 2, 1]
    assert await books.service.statement(user_id=404) == ()


async def test_nobody_has_nothing(books: Books) -> None:
    assert await books.balance(wallet(404)) == (0, 0)
    assert await books.balance(house_account("never")) == (0, 0)
    assert await books.service.balances(user_id=404) == ()
    assert (await books.service.trial_balance()).rows == ()


async def test_the_trial_balance_names_every_account_once(books: Books) -> None:
    await books.fund(wallet(1), 100)
    await books.fund(wallet(2), 50)
    await books.grant(1, 4, "1", key="g")
    await books.post(move("buy", wallet(1), REVENUE, 30))
    assert (await books.service.trial_balance()).rows == (
        ("house:bsc:USDT", "USD", -150),
        ("house:grants", "t3", -4),
        ("house:revenue", "USD", 30),
        ("user:credits", "t3", 4),
        ("user:wallet", "USD", 120),
    )

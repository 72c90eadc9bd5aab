"""The nightly audit: it sees every kind of broken book, tells of it, and keeps the house's snapshots."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import text

from tests.integration.ledger.books import BANK, REVENUE, Books, move, wallet
from viralcore.core.db import Connection, Database
from viralcore.ledger import repository
from viralcore.ledger.module import build

BREAK = {
    "has balance": "UPDATE ledger.balances SET balance = balance + 1",
    "held, its open holds": "UPDATE ledger.balances SET held = held - 1 WHERE held > 0",
    "the open lots hold": "UPDATE ledger.lots SET remaining = remaining - 1 WHERE remaining > 0",
    "were used": "UPDATE ledger.lots SET remaining = remaining - 1 WHERE remaining > 0",
    "is off by 7 USD": "INSERT INTO ledger.entries (posting_id, account_id, amount) SELECT 1, id, 7 "
    "FROM ledger.accounts WHERE name = 'revenue'",
    "the trial balance is off": "INSERT INTO ledger.entries (posting_id, account_id, amount) SELECT 1, id, 7 "
    "FROM ledger.accounts WHERE name = 'revenue'",
    "belongs to no posting": "INSERT INTO ledger.entries (posting_id, account_id, amount) SELECT 999, id, 7 "
    "FROM ledger.accounts WHERE name = 'revenue'",
    "has no entries": "INSERT INTO ledger.postings (key, inputs, kind, description, correlation_id, at) "
    "VALUES ('empty', '', 'fee', 'd', '', now())",
    "running balance is broken": "INSERT INTO ledger.entries (posting_id, account_id, amount, before, after) "
    "SELECT 1, id, 7, 5, 12 FROM ledger.accounts WHERE name = 'wallet'",
    "has no balance, or": "INSERT INTO ledger.accounts (owner, name, asset) VALUES ('user:9', 'wallet', 'USD')",
    "the snapshot of house": "INSERT INTO ledger.snapshots SELECT id, 999, 5, now() FROM ledger.accounts "
    "WHERE name = 'revenue'",
}


@pytest.mark.parametrize("problem", BREAK)
async def test_the_audit_sees_a_broken_book_and_tells(books: Books, problem: str) -> None:
    await books.fund(wallet(1), 100)
    await books.hold(wallet(1), 10, key="h")
    await books.grant(1, 4, "1", key="g")
    await books.use(1, 1, key="u")
    await books.post(move("buy", wallet(1), REVENUE, 20))
    assert await books.service.check() == ()
    books.sound = False
    books.as_owner(BREAK[problem])
    assert any(problem in line for line in await books.service.check())
    await books.service.nightly()
    with psycopg.connect(books.url) as connection:
        (event,) = connection.execute("SELECT name, payload FROM core.events").fetchall()
    assert event[0] == "ledger.problem_found.v1"
    assert event[1]["total"] == len(await books.service.check())


async def test_the_audit_is_not_cut_off_by_the_bound_on_ordinary_statements(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole books outgrow fifteen seconds; the connection is an ordinary one again afterwards."""
    bounds: list[str] = []
    whole = repository.check

    async def looks(conn: Connection, *, limit: int) -> tuple[str, ...]:
        bounds.append(str(await conn.scalar(text("SHOW statement_timeout"))))
        return await whole(conn, limit=limit)

    monkeypatch.setattr(repository, "check", looks)
    assert await books.service.check() == ()
    async with books.db.read() as conn:
        bounds.append(str(await conn.scalar(text("SHOW statement_timeout"))))
    assert bounds == ["1h", "15s"]


async def test_sound_books_record_nothing(books: Books) -> None:
    await books.fund(wallet(1), 100)
    await books.service.nightly()
    with psycopg.connect(books.url) as connection:
        assert connection.execute("SELECT count(*) FROM core.events").fetchone() == (0,)


async def test_a_house_balance_is_its_snapshot_and_the_entries_since(books: Books) -> None:
    for night in range(4):
        await books.fund(wallet(1), 10, key=f"f{night}")
        await books.post(move(f"b{night}", wallet(1), REVENUE, night + 1))
        await books.service.nightly()
    assert await books.balance(BANK) == (-40, 0)
    assert await books.balance(REVENUE) == (10, 0)
    with psycopg.connect(books.url) as connection:
        rows = connection.execute(
            "SELECT a.name, s.balance FROM ledger.snapshots s JOIN ledger.accounts a ON a.id = s.account_id "
            "ORDER BY a.name, s.entry_id"
        ).fetchall()
    # one night behind: what was marked in a night is written the next
    assert rows == [
        ("bsc:USDT", -10),
        ("bsc:USDT", -20),
        ("bsc:USDT", -30),
        ("revenue", 1),
        ("revenue", 3),
        ("revenue", 6),
    ]


async def test_a_snapshot_waits_for_a_posting_that_was_open_when_it_was_marked(books: Books) -> None:
    """An entry with a small id that commits late must not fall between two snapshots."""
    await books.fund(wallet(1), 10, key="early")
    with psycopg.connect(books.url) as slow:
        entries = '[["user:2","wallet","USD",7,null],["house","bsc:USDT","USD",-7,null]]'
        slow.execute(f"SELECT ledger.post('slow', 'deposit', 'slow', '', now(), '{entries}')")
        await books.fund(wallet(1), 20, key="late")
        await books.service.nightly()
        await books.service.nightly()
        with psycopg.connect(books.url) as connection:
            assert connection.execute("SELECT count(*) FROM ledger.snapshots").fetchone() == (0,)
        slow.commit()
    await books.service.nightly()
    await books.service.nightly()
    assert await books.balance(BANK) == (-37, 0)


def test_the_job_is_daily_and_late_in_a_turn(database: Database) -> None:
    (job,) = build(database).jobs
    assert (job.name, job.every_seconds) == ("ledger.nightly", 86_400)

"""What the database itself refuses, whoever asks."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from tests.integration.ledger.books import BANK, Books, move, wallet

POST = "SELECT * FROM ledger.post('k', 'deposit', 'words', '', now(), '[]')"
NOT_POSTINGS = [
    '[["user:1","wallet","USD",5,null],["house","bsc","USD",-4,null]]',
    '[["user:1","wallet","USD",5,null],["house","bsc","NGN",-5,null]]',
    '[["user:1","wallet","USD",5,null]]',
    "[]",
    '[["user:1","wallet","USD",0,null],["house","bsc","USD",0,null]]',
    '[["user:1","wallet","EUR",5,null],["house","bsc","EUR",-5,null]]',
    '[["somebody","wallet","USD",5,null],["house","bsc","USD",-5,null]]',
    '[["user:1","savings","USD",5,null],["house","bsc","USD",-5,null]]',
    '[["user:1","credits","t3",5,null],["house","grants","t3",-5,null]]',
    '[["user:1","wallet","USD",5,"1"],["house","bsc","USD",-5,null]]',
    '[["user:1","credits","t3",5,"-1"],["house","grants","t3",-5,null]]',
]
WRITES = [
    "INSERT INTO ledger.postings (key, inputs, kind, description, correlation_id, at) "
    "VALUES ('forged', '', 'deposit', 'd', '', now())",
    "INSERT INTO ledger.entries (posting_id, account_id, amount) VALUES (1, 1, 5)",
    "INSERT INTO ledger.accounts (owner, name, asset) VALUES ('user:9', 'wallet', 'USD')",
    "UPDATE ledger.balances SET balance = balance + 1",
    "UPDATE ledger.holds SET state = 'held'",
    "UPDATE ledger.lots SET remaining = quantity",
    "INSERT INTO ledger.snapshots VALUES (1, 1, 1, now())",
    "DELETE FROM ledger.entries",
    "TRUNCATE ledger.postings",
    "SELECT ledger.open_account('user:9', 'wallet', 'USD')",
    "SELECT ledger.move_lots(1, 'k', '[]', '{}', '{}', '{}')",
    "ALTER TABLE ledger.entries DISABLE TRIGGER ALL",
    "CREATE FUNCTION ledger.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "SELECT setval('ledger.entries_id_seq', 1)",
]


async def test_the_application_may_only_read_and_call(books: Books) -> None:
    await books.fund(wallet(1), 100)
    for statement in WRITES:
        with pytest.raises(errors.InsufficientPrivilege):
            books.as_owner(statement, role="viralcore_app")


async def test_not_even_the_owner_changes_history(books: Books) -> None:
    await books.grant(1, 5, "1", key="g")
    await books.use(1, 1, key="u")
    changes = ["UPDATE ledger.entries SET amount = 5", "UPDATE ledger.postings SET key = '5'"]
    changes += ["UPDATE ledger.lot_uses SET quantity = 5", "UPDATE ledger.snapshots SET balance = 5"]
    for table in ("entries", "postings", "lot_uses", "snapshots", "accounts", "balances", "holds", "lots"):
        changes += [f"DELETE FROM ledger.{table}", f"TRUNCATE ledger.{table} CASCADE"]
    for change in changes:
        with pytest.raises(errors.InsufficientPrivilege, match="never changed"):
            books.as_owner(change)
        with pytest.raises(errors.InsufficientPrivilege, match="never changed"):
            books.as_owner(f"SET session_replication_role = replica; {change}")


async def test_the_function_itself_refuses_what_is_not_a_posting(books: Books) -> None:
    for entries in NOT_POSTINGS:
        with pytest.raises(errors.CheckViolation):
            books.as_owner(POST.replace("[]", entries), role="viralcore_app")
    with psycopg.connect(books.url) as connection:
        assert connection.execute("SELECT count(*) FROM ledger.postings").fetchone() == (0,)


async def test_the_kind_is_one_of_the_ten(books: Books) -> None:
    entries = '[["user:1","wallet","USD",5,null],["house","bsc","USD",-5,null]]'
    with pytest.raises(errors.CheckViolation):
        books.as_owner(f"SELECT ledger.post('k', 'gift', 'words', '', now(), '{entries}')", role="viralcore_app")


async def test_a_balance_below_its_floor_is_impossible(books: Books) -> None:
    await books.fund(wallet(1), 100)
    for change in ("balance = -1", "held = 101", "held = -1"):
        with pytest.raises(errors.CheckViolation):
            books.as_owner(f"UPDATE ledger.balances SET {change}")


async def test_the_search_path_of_a_caller_fools_nobody(books: Books) -> None:
    entries = '[["user:1","wallet","USD",5,null],["house","bsc","USD",-5,null]]'
    books.as_owner(
        "SET ROLE viralcore_app; CREATE TEMP TABLE accounts (id int); SET search_path = pg_temp, ledger;"
        "CREATE FUNCTION pg_temp.array_position(anyarray, anyelement) RETURNS int LANGUAGE sql AS 'SELECT 1';"
        f"SELECT ledger.post('k', 'deposit', 'words', '', now(), '{entries}')"
    )
    assert await books.balance(wallet(1)) == (5, 0)


async def test_a_posting_through_the_pool_runs_as_the_application(books: Books) -> None:
    await books.post(move("k", BANK, wallet(1), 5))
    async with books.db.read() as conn:
        raw = (await conn.get_raw_connection()).driver_connection
        assert raw is not None
        row = await (await raw.execute("SELECT current_user")).fetchone()
    assert row == ("viralcore_app",)

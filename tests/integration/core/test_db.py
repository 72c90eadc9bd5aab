"""Transactions, the guard, idempotency and the role, on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from viralcore.core.db import Database, Tx, WrongEnvironment, assert_no_transaction
from viralcore.core.errors import KeyReused, OpenTransaction


async def test_a_second_transaction_in_the_same_task_is_refused(database: Database) -> None:
    async with database.transaction():
        with pytest.raises(OpenTransaction):
            async with database.transaction():
                pass
        with pytest.raises(OpenTransaction):
            assert_no_transaction("a call")
    assert_no_transaction("a call")


async def test_a_read_inside_a_transaction_sees_what_it_wrote(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.conn.execute(text("INSERT INTO core.meta VALUES ('a', 'b')"))
        async with database.read() as conn:
            assert conn is tx.conn
            assert (await conn.execute(text("SELECT value FROM core.meta WHERE key = 'a'"))).scalar_one() == "b"


async def test_a_read_connection_cannot_write(database: Database) -> None:
    async with database.read() as conn:
        with pytest.raises(DBAPIError, match="read-only"):
            await conn.execute(text("INSERT INTO core.meta VALUES ('a', 'b')"))
        with pytest.raises(OpenTransaction):
            assert_no_transaction("a call")


async def test_a_failing_block_leaves_nothing_and_runs_no_callback(database: Database) -> None:
    called: list[int] = []

    async def work(tx: Tx) -> None:
        await tx.conn.execute(text("INSERT INTO core.meta VALUES ('a', 'b')"))
        tx.after_commit(lambda: called.append(1))
        raise LookupError

    with pytest.raises(LookupError):
        await database.run(work)
    async with database.read() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM core.meta"))).scalar_one() == 0
    assert called == []


async def test_the_application_role_cannot_change_the_schema(database: Database) -> None:
    async with database.transaction() as tx:
        assert (await tx.conn.execute(text("SELECT current_user"))).scalar_one() == "viralcore_app"
        with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
            await tx.conn.execute(text("CREATE TABLE core.mine (id int)"))


async def test_once_runs_once_for_concurrent_callers(database: Database) -> None:
    runs = 0

    async def run() -> Mapping[str, Any]:
        nonlocal runs
        runs += 1
        await asyncio.sleep(0.02)
        return {"number": runs, "list": (1, 2)}

    async def caller() -> Mapping[str, Any]:
        async with database.transaction() as tx:
            return await tx.once(scope="test.door", key="k", inputs={"a": 1}, run=run)

    results = await asyncio.gather(*[caller() for _ in range(12)])
    assert runs == 1
    assert all(result == {"number": 1, "list": [1, 2]} for result in results)


async def test_once_refuses_other_inputs_and_forgets_a_failed_run(database: Database) -> None:
    async def fail() -> Mapping[str, Any]:
        raise LookupError

    async def fine() -> Mapping[str, Any]:
        return {}

    with pytest.raises(LookupError):
        async with database.transaction() as tx:
            await tx.once(scope="s", key="k", inputs={"a": 1}, run=fail)
    async with database.transaction() as tx:
        await tx.once(scope="s", key="k", inputs={"a": 2}, run=fine)
    with pytest.raises(KeyReused):
        async with database.transaction() as tx:
            await tx.once(scope="s", key="k", inputs={"a": 3}, run=fine)


async def test_run_survives_a_deadlock(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.conn.execute(text("INSERT INTO core.meta VALUES ('a', '0'), ('b', '0')"))
    meet = asyncio.Barrier(2)
    tries = 0

    async def work(tx: Tx, order: str) -> None:
        nonlocal tries
        tries += 1
        for index, key in enumerate(order):
            if index and tries <= 2:
                await meet.wait()
            await tx.conn.execute(
                text("UPDATE core.meta SET value = (value::int + 1)::text WHERE key = :key"), {"key": key}
            )

    await asyncio.gather(database.run(lambda tx: work(tx, "ab")), database.run(lambda tx: work(tx, "ba")))
    async with database.read() as conn:
        values = (await conn.execute(text("SELECT value FROM core.meta"))).scalars().all()
    assert tries == 3
    assert values == ["2", "2"]


async def test_a_database_belongs_to_one_kind_of_environment(database: Database) -> None:
    await database.bind_environment("sandbox")
    await database.bind_environment("sandbox")
    with pytest.raises(WrongEnvironment):
        await database.bind_environment("production")

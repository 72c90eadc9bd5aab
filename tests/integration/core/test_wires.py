"""Statements that are a transaction of their own, straight to psycopg: durable, bounded, and back after trouble."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from sqlalchemy import text

from viralcore.core.db import Database, connection_lost
from viralcore.core.errors import OpenTransaction

PUT = b"INSERT INTO core.meta (key, value) VALUES ($1, $2) RETURNING value"
GET = b"SELECT value FROM core.meta WHERE key = ANY($1::text[]) ORDER BY key"
PID = b"SELECT pg_backend_pid()"


async def test_what_is_written_is_committed_and_read_back(database: Database) -> None:
    assert await database.write(PUT, ("a", "1")) == [("1",)]
    async with database.read() as conn:
        assert (await conn.execute(text("SELECT value FROM core.meta WHERE key = 'a'"))).scalar_one() == "1"
    assert await database.rows(GET, (["a", "b"],)) == [("1",)]


async def test_a_refused_statement_leaves_its_connection_usable(database: Database) -> None:
    await database.write(PUT, ("a", "1"))
    for _ in range(20):
        with pytest.raises(psycopg.errors.UniqueViolation):
            await database.write(PUT, ("a", "2"))
    assert await database.rows(GET, (["a"],)) == [("1",)]


async def test_more_at_once_than_connections_wait_their_turn(database: Database) -> None:
    found = await asyncio.gather(*(database.rows(PID, ()) for _ in range(60)))
    assert 1 <= len({rows[0][0] for rows in found}) <= 6


async def test_connections_the_server_has_closed_are_replaced(database: Database) -> None:
    before = await database.rows(PID, ())
    async with database.transaction() as tx:
        await tx.conn.execute(text("RESET ROLE"))
        await tx.conn.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": before[0][0]})
    await asyncio.sleep(0.05)
    assert await database.rows(PID, ()) != before


async def test_one_cut_off_in_the_middle_takes_its_connection_along(database: Database) -> None:
    waiting = asyncio.ensure_future(database.rows(b"SELECT pg_sleep(5)", ()))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await database.rows(b"SELECT 1", ()) == [(1,)]


async def test_none_inside_a_transaction(database: Database) -> None:
    async with database.transaction():
        assert database.reads_own_writes
        with pytest.raises(OpenTransaction):
            await database.rows(PID, ())
        with pytest.raises(OpenTransaction):
            await database.write(PUT, ("x", "y"))
    assert not database.reads_own_writes


EACH = b"INSERT INTO core.meta (key, value) VALUES ($1, repeat('x', $2))"


@pytest.mark.parametrize("prepared", [True, False])
async def test_each_of_many_is_committed_or_refused_by_itself(database: Database, prepared: bool) -> None:
    database.prepare_threshold = 5 if prepared else None
    await database.write(PUT, ("2", "taken"))
    sets = [(b"%d" % number, b"1") for number in range(200)]
    sets[4] = (b"4", b"not a number")
    outcomes = await database.each_soon(EACH, sets)
    assert [number for number, outcome in enumerate(outcomes) if outcome != 1] == [2, 4]
    assert isinstance(outcomes[2], psycopg.errors.UniqueViolation)
    assert isinstance(outcomes[4], psycopg.errors.InvalidTextRepresentation)
    async with database.read() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM core.meta"))).scalar_one() == 199
    # The connection is as it was.
    assert await database.write_soon(GET, (["1"],)) == [("x",)]
    assert await database.each_soon(EACH, [(b"new", b"1")]) == [1]


async def test_more_to_say_and_to_hear_than_the_buffers_hold(database: Database) -> None:
    sets = [(b"%d" % number, b"9" * 20_000) for number in range(600)]
    outcomes = await asyncio.wait_for(
        database.each_soon(b"INSERT INTO core.meta (key, value) VALUES ($1, $2)", sets), 20
    )
    assert outcomes == [1] * 600


async def test_a_statement_that_cannot_be_prepared_fails_for_all(database: Database) -> None:
    outcomes = await database.each_soon(b"INSERT INTO core.nowhere VALUES ($1)", [(b"1",), (b"2",)])
    assert [type(outcome) for outcome in outcomes] == [psycopg.errors.UndefinedTable] * 2
    assert await database.each_soon(EACH, [(b"new", b"1")]) == [1]


async def test_when_the_connection_breaks_those_unheard_say_so(database: Database) -> None:
    sleeps = b"UPDATE core.meta SET value = value || pg_sleep(5)::text WHERE key = $1"
    await database.write(PUT, ("2", "end"))
    asked = asyncio.ensure_future(database.each_soon(sleeps, [(b"0",), (b"1",), (b"2",), (b"3",)]))
    await asyncio.sleep(0.2)
    async with database.transaction() as tx:
        await tx.conn.execute(text("RESET ROLE"))
        here = "FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
        await tx.conn.execute(text(f"SELECT pg_terminate_backend(pid) {here}"))
    outcomes = await asyncio.wait_for(asked, 3)
    assert outcomes[:2] == [0, 0]
    assert [connection_lost(one) for one in outcomes[2:] if isinstance(one, psycopg.Error)] == [True, True]
    assert await database.each_soon(EACH, [(b"new", b"1")]) == [1]


async def test_nothing_asked_of_each_is_nothing_done(database: Database) -> None:
    assert await database.each_soon(EACH, []) == []


async def test_each_cut_off_in_the_middle_takes_its_connection_along(database: Database) -> None:
    waiting = asyncio.ensure_future(database.each_soon(b"SELECT pg_sleep($1)", [(b"5",), (b"5",)]))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await database.each_soon(EACH, [(b"new", b"1")]) == [1]

"""Statements that are a transaction of their own, straight to psycopg: durable, bounded, and back after trouble."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from sqlalchemy import text

from viralcore.core.db import Database
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

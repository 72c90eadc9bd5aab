"""The migrated database keeps the walls too: no foreign key from one schema into another, no binary float."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

CROSSING = """
SELECT c.conrelid::regclass::text || ' -> ' || c.confrelid::regclass::text
FROM pg_constraint c JOIN pg_class a ON a.oid = c.conrelid JOIN pg_class b ON b.oid = c.confrelid
WHERE c.contype = 'f' AND a.relnamespace <> b.relnamespace
"""
FLOATS = """
SELECT table_schema || '.' || table_name || '.' || column_name FROM information_schema.columns
WHERE data_type IN ('real', 'double precision') AND table_schema IN ('ledger', 'payments', 'boosts', 'users')
"""


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[tuple[str]]]:
    with psycopg.connect(database_url) as opened:
        yield opened


def ask(connection: psycopg.Connection[tuple[str]], query: str) -> list[str]:
    return [row[0] for row in connection.execute(query).fetchall()]


def test_no_foreign_key_crosses_schemas(connection: psycopg.Connection[tuple[str]]) -> None:
    assert ask(connection, CROSSING) == []
    connection.execute("CREATE SCHEMA sample; CREATE TABLE sample.a (id bigint PRIMARY KEY)")
    connection.execute("CREATE TABLE public.b (id bigint REFERENCES sample.a)")
    assert len(ask(connection, CROSSING)) == 1


def test_no_float_column_near_money(connection: psycopg.Connection[tuple[str]]) -> None:
    assert ask(connection, FLOATS) == []
    connection.execute("CREATE TABLE payments.sample (amount double precision)")
    assert ask(connection, FLOATS) == ["payments.sample.amount"]

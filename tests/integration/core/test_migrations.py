"""The straight line of migrations, walked both ways on a real server."""

from __future__ import annotations

import psycopg

from tests.support.database import Cluster
from viralcore.core import migrate

SCHEMA = """
SELECT 'column', table_schema || '.' || table_name, column_name || ' ' || data_type || ' ' || is_nullable
    || ' ' || coalesce(column_default, '')
FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
UNION ALL SELECT 'index', schemaname || '.' || tablename, indexdef FROM pg_indexes
WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
UNION ALL SELECT 'constraint', conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
UNION ALL SELECT 'routine', pronamespace::regnamespace::text || '.' || proname, md5(prosrc) FROM pg_proc
WHERE pronamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
UNION ALL SELECT 'trigger', tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
ORDER BY 1, 2, 3
"""


def _schema(url: str) -> list[tuple[str, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(SCHEMA).fetchall()


def test_up_down_up_ends_where_it_began(postgres: Cluster) -> None:
    url = postgres.empty()
    before = _schema(url)
    migrate.upgrade(url)
    assert migrate.is_current(url)
    first = _schema(url)
    migrate.downgrade(url)
    left = [row for row in _schema(url) if "alembic_version" not in row[1]]
    assert left == before
    migrate.upgrade(url)
    assert _schema(url) == first


def test_every_single_step_can_be_undone(postgres: Cluster) -> None:
    url = postgres.empty()
    seen = []
    for revision in migrate.revisions():
        migrate.upgrade(url, revision)
        seen.append((revision, _schema(url)))
    for revision, schema in reversed(seen[:-1]):
        migrate.downgrade(url, revision)
        assert _schema(url) == schema, revision


def test_the_line_is_straight() -> None:
    numbers = migrate.revisions()
    assert list(numbers) == sorted(numbers)
    assert len(set(numbers)) == len(numbers)
    assert migrate.newest() == numbers[-1]

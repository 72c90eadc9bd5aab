"""The tables in code are the tables in the database, and people of before are bound when they are made."""

from __future__ import annotations

from typing import Any

import psycopg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from tests.support.database import Cluster
from viralcore.core import migrate
from viralcore.core.db import driver_url
from viralcore.referrals.tables import metadata


def test_the_model_equals_the_database(database_url: str) -> None:
    def ours(name: str | None, kind: str, parents: Any) -> bool:
        return name == "referrals" if kind == "schema" else True

    engine = create_engine(driver_url(database_url))
    try:
        with engine.connect() as connection:
            options = {
                "include_schemas": True,
                "include_name": ours,
                "compare_type": True,
                "compare_server_default": True,
            }
            assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
    finally:
        engine.dispose()


def test_people_of_before_are_bound_by_what_they_came_with(postgres: Cluster) -> None:
    url = postgres.empty()
    steps = list(migrate.revisions())
    migrate.upgrade(url, steps[steps.index("0020") - 1])
    came = {1: None, 2: "ref_1", 3: "ref_2", 4: "ref_4", 5: "ref_9", 6: "ref_404", 7: "ref_02", 8: "group", 9: "ref_1"}
    with psycopg.connect(url) as connection:
        for number, payload in came.items():
            connection.execute(
                "INSERT INTO users.people (id, first_name, first_payload, created_at, updated_at)"
                " VALUES (%(id)s, 'P', %(payload)s, '2026-01-01'::timestamptz + %(id)s * interval '1 day', now())",
                {"id": number, "payload": payload},
            )
    migrate.upgrade(url)
    with psycopg.connect(url) as connection:
        bound = connection.execute("SELECT user_id, referrer_id FROM referrals.bindings ORDER BY 1").fetchall()
    assert bound == [(2, 1), (3, 2), (9, 1)]
    postgres.drop(url)

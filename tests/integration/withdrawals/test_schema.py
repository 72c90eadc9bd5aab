"""The tables in code are the tables in the database."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from viralcore.core.db import driver_url
from viralcore.withdrawals.tables import metadata


def test_the_model_equals_the_database(database_url: str) -> None:
    def ours(name: str | None, kind: str, parents: Any) -> bool:
        return name == "withdrawals" if kind == "schema" else True

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

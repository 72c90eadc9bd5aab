"""Alembic's entry point. Migrations run through `viralcore.core.migrate`, which hands over an open connection."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection


def run(connection: Connection) -> None:
    """One transaction per migration, so that a failing one leaves the ones before it standing."""
    context.configure(connection=connection, target_metadata=None, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is None:
    raise SystemExit("use `viralcore migrate`: it knows the database's address and takes the migration lock")
run(given)

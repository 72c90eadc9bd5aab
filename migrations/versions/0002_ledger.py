"""ledger: the tables, the one function that writes postings, and the rules nobody can get around.

The application's role may read everything and execute the doors; it may write nothing. The functions are SECURITY
DEFINER with a fixed search_path and belong to the role that migrates. Row locks are taken in one order everywhere:
balance rows by account id, then the hold, then the posting's key.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"

SQL = Path(__file__).parent.parent / "sql"
WRITTEN_ONCE = ("entries", "postings", "lot_uses", "snapshots")
KEPT = ("accounts", "balances", "holds", "lots")
DOORS = (
    "post(text, text, text, text, timestamptz, jsonb, bigint)",
    "post_many(jsonb, text, timestamptz)",
    "hold(text, text, text, text, bigint, text, text, timestamptz)",
    "release(text, bigint, timestamptz)",
    "take_snapshot(timestamptz)",
)


def upgrade() -> None:
    op.execute((SQL / "0002_ledger_tables.sql").read_text())
    for table in WRITTEN_ONCE + KEPT:
        forbidden = "UPDATE OR DELETE OR TRUNCATE" if table in WRITTEN_ONCE else "DELETE OR TRUNCATE"
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE {forbidden} ON ledger.{table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()"
        )
        # ALWAYS: also in a session that calls itself a replica.
        op.execute(f"ALTER TABLE ledger.{table} ENABLE ALWAYS TRIGGER {table}_append_only")
    op.execute((SQL / "0002_ledger_functions.sql").read_text())
    op.execute("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC")
    op.execute("GRANT USAGE ON SCHEMA ledger TO viralcore_app")
    op.execute("GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO viralcore_app")
    for door in DOORS:
        op.execute(f"GRANT EXECUTE ON FUNCTION ledger.{door} TO viralcore_app")


def downgrade() -> None:
    op.execute("DROP SCHEMA ledger CASCADE")

"""withdrawals: what a look at a transfer's reference found, and when old differences were looked up."""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.execute("""
    ALTER TABLE withdrawals.attempts
        ADD COLUMN missing_at timestamptz,
        ADD COLUMN seen text DEFAULT '' NOT NULL,
        ADD CONSTRAINT attempts_seen CHECK (
            seen IN ('', 'exists', 'approval', 'new', 'pending', 'successful', 'failed')
        ),
        ADD CONSTRAINT attempts_missing CHECK (missing_at >= missing_since)
    """)
    op.execute("ALTER TABLE withdrawals.differences ADD COLUMN looked_at timestamptz")
    op.execute("""
    COMMENT ON TABLE withdrawals.differences IS 'What the two books do not agree on: tasks. on_day: the day of the \
transfer. looked_at: when one of a day that is not listed any more was last looked up.'
    """)


def downgrade() -> None:
    op.execute("""
    COMMENT ON TABLE withdrawals.differences IS
        'What the two books do not agree on: tasks. on_day: the day of the transfer.'
    """)
    op.execute("ALTER TABLE withdrawals.differences DROP COLUMN looked_at")
    op.execute("ALTER TABLE withdrawals.attempts DROP COLUMN missing_at, DROP COLUMN seen")

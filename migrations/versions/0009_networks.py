"""payments: a pasted hash may belong to several networks, and one node alone is read twice."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"

_UP = """
ALTER TABLE payments.claims ADD COLUMN others jsonb NOT NULL DEFAULT '[]'::jsonb;
COMMENT ON COLUMN payments.claims.others IS 'Networks, and the hash there, that the pasted text can be on as well.';

ALTER TABLE payments.sightings
    ADD COLUMN read_at timestamptz,
    ADD COLUMN read_digest text;
COMMENT ON COLUMN payments.sightings.read_digest IS 'What the only node tells of it since read_at.';
"""

_DOWN = """
ALTER TABLE payments.sightings DROP COLUMN read_at, DROP COLUMN read_digest;
ALTER TABLE payments.claims DROP COLUMN others;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)

"""boosts: replies by verified accounts, what staff saw of a claim, and posts that go from the groups to the team."""

from __future__ import annotations

from typing import Any

from alembic import op

revision = "0024"
down_revision = "0023"

# Lines and posts that run already were sold before anybody counted these: nothing is asked of them.
_UP = """
ALTER TABLE boosts.lines
    ADD COLUMN verified bigint DEFAULT 0 NOT NULL,
    ADD COLUMN verified_done bigint DEFAULT 0 NOT NULL,
    ADD CONSTRAINT lines_verified CHECK (verified BETWEEN 0 AND quantity AND verified_done BETWEEN 0 AND verified);
ALTER TABLE boosts.crowd_parts
    ADD COLUMN verified bigint DEFAULT 0 NOT NULL,
    ADD CONSTRAINT crowd_parts_verified CHECK (verified BETWEEN 0 AND wanted);
ALTER TABLE boosts.crowd_claims
    ADD COLUMN verified boolean DEFAULT false NOT NULL,
    ADD COLUMN version integer DEFAULT 0 NOT NULL;
-- review, and when it ends the team gets what is missing
ALTER TABLE boosts.crowd_posts ADD COLUMN to_staff boolean DEFAULT false NOT NULL;
-- since when there is no comment group, as the clock saw it
ALTER TABLE boosts.crowd_pointer ADD COLUMN empty_since timestamptz;
-- a claim lets go of replies that are no longer its proof
GRANT DELETE ON boosts.reply_links TO viralcore_app;
"""
_DOWN = """
REVOKE DELETE ON boosts.reply_links FROM viralcore_app;
ALTER TABLE boosts.crowd_pointer DROP COLUMN empty_since;
ALTER TABLE boosts.crowd_posts DROP COLUMN to_staff;
ALTER TABLE boosts.crowd_claims DROP COLUMN version, DROP COLUMN verified;
ALTER TABLE boosts.crowd_parts DROP CONSTRAINT crowd_parts_verified, DROP COLUMN verified;
ALTER TABLE boosts.lines DROP CONSTRAINT lines_verified, DROP COLUMN verified_done, DROP COLUMN verified;
"""


def _script(sql: str) -> None:
    """Several statements as one simple query."""
    raw: Any = op.get_bind().connection.driver_connection
    raw.execute(sql)


def upgrade() -> None:
    _script(_UP)


def downgrade() -> None:
    _script(_DOWN)

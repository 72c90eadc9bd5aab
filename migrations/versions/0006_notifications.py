"""notifications: every message that is not an answer, with what became of it."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

TABLES = """
CREATE SCHEMA notifications;

CREATE TABLE notifications.notices (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_notices PRIMARY KEY,
    dedupe_key text NOT NULL CONSTRAINT uq_notices_dedupe_key UNIQUE,
    live_key text CONSTRAINT uq_notices_live_key UNIQUE,
    channel text NOT NULL,
    chat_id bigint NOT NULL,
    user_id bigint,
    template text NOT NULL,
    params jsonb NOT NULL,
    state text NOT NULL,
    wanted integer NOT NULL,
    busy boolean NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    error text NOT NULL DEFAULT '',
    message_id bigint,
    digest text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    sent_at timestamptz,
    CONSTRAINT ck_notices_channel CHECK (channel IN ('telegram', 'admin_group')),
    CONSTRAINT ck_notices_state CHECK (state IN ('queued', 'sent', 'dropped', 'failed', 'unreachable'))
);
CREATE INDEX ix_notices_user_id ON notifications.notices (user_id, id);
CREATE INDEX ix_notices_created_at ON notifications.notices (created_at);

-- a group that became a supergroup has another id from then on
CREATE TABLE notifications.moved_chats (
    old_id bigint CONSTRAINT pk_moved_chats PRIMARY KEY,
    new_id bigint NOT NULL,
    at timestamptz NOT NULL
);
"""

GRANTS = """
GRANT USAGE ON SCHEMA notifications TO viralcore_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON notifications.notices, notifications.moved_chats TO viralcore_app;
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(GRANTS)


def downgrade() -> None:
    op.execute("DROP SCHEMA notifications CASCADE")

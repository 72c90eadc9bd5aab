"""notifications: the topics of an admin group that is a forum, and what waits for one to be made."""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE notifications.topics (
            chat_id bigint NOT NULL,
            kind text NOT NULL,
            state text NOT NULL,
            thread_id bigint,
            generation integer NOT NULL,
            made integer DEFAULT 0 NOT NULL,
            reason text DEFAULT '' NOT NULL,
            at timestamptz NOT NULL,
            CONSTRAINT pk_topics PRIMARY KEY (chat_id, kind),
            CONSTRAINT ck_topics_state CHECK (state IN ('wanted', 'open', 'refused', 'unknown', 'lost')),
            CONSTRAINT ck_topics_thread CHECK ((state = 'open') = (thread_id IS NOT NULL))
        )
    """)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON notifications.topics TO viralcore_app")
    op.execute("ALTER TABLE notifications.notices ADD COLUMN waits_for text")
    op.execute("CREATE INDEX ix_notices_waits_for ON notifications.notices (waits_for) WHERE waits_for IS NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE notifications.notices DROP COLUMN waits_for")
    op.execute("DROP TABLE notifications.topics")

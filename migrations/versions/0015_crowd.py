"""boosts: groups, what they are asked to do, and who did it; notifications: messages to groups."""

from __future__ import annotations

from typing import Any

from alembic import op

revision = "0015"
down_revision = "0014"

_TABLES = """
CREATE TABLE boosts.crowd_groups (
    id bigint GENERATED ALWAYS AS IDENTITY,
    chat_id bigint NOT NULL,
    title text NOT NULL,
    role text DEFAULT 'none' NOT NULL,
    role_by bigint,
    state text NOT NULL,
    added_by bigint,
    added_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT crowd_groups_chat UNIQUE (chat_id),
    CONSTRAINT crowd_groups_role CHECK (role IN ('none', 'comments', 'likes')),
    CONSTRAINT crowd_groups_state CHECK (state IN ('in', 'left', 'kicked'))
);
CREATE UNIQUE INDEX crowd_groups_likes_once ON boosts.crowd_groups (role) WHERE role = 'likes';

CREATE TABLE boosts.crowd_moves (
    old_chat_id bigint NOT NULL,
    new_chat_id bigint NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (old_chat_id)
);

CREATE TABLE boosts.crowd_pointer (
    one boolean DEFAULT true NOT NULL,
    group_id bigint DEFAULT 0 NOT NULL,
    PRIMARY KEY (one),
    CONSTRAINT crowd_pointer_one CHECK (one)
);

CREATE TABLE boosts.crowd_posts (
    id bigint GENERATED ALWAYS AS IDENTITY,
    order_id bigint NOT NULL,
    state text NOT NULL,
    opened_at timestamptz NOT NULL,
    posted_at timestamptz,
    closes_at timestamptz NOT NULL,
    next_at timestamptz,
    closed_at timestamptz,
    told_at timestamptz,
    stale boolean DEFAULT false NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT crowd_posts_order UNIQUE (order_id),
    CONSTRAINT crowd_posts_state CHECK (state IN ('open', 'review', 'closed')),
    CONSTRAINT crowd_posts_closed CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    CONSTRAINT crowd_posts_next CHECK ((state = 'closed') = (next_at IS NULL)),
    FOREIGN KEY (order_id) REFERENCES boosts.orders (id)
);
CREATE INDEX crowd_posts_due ON boosts.crowd_posts (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX crowd_posts_stale ON boosts.crowd_posts (told_at) WHERE stale;

CREATE TABLE boosts.crowd_parts (
    line_id bigint NOT NULL,
    post_id bigint NOT NULL,
    metric text NOT NULL,
    wanted bigint NOT NULL,
    PRIMARY KEY (line_id),
    CONSTRAINT crowd_parts_metric UNIQUE (post_id, metric),
    CONSTRAINT crowd_parts_wanted CHECK (wanted > 0),
    FOREIGN KEY (line_id) REFERENCES boosts.lines (id),
    FOREIGN KEY (post_id) REFERENCES boosts.crowd_posts (id)
);

CREATE TABLE boosts.crowd_messages (
    id bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL,
    order_id bigint NOT NULL,
    post_id bigint,
    group_id bigint NOT NULL,
    share bigint NOT NULL,
    due_at timestamptz NOT NULL,
    state text NOT NULL,
    reason text DEFAULT '' NOT NULL,
    correlation_id text DEFAULT '' NOT NULL,
    message_id bigint,
    sent_at timestamptz,
    PRIMARY KEY (id),
    CONSTRAINT crowd_messages_kind CHECK (kind IN ('comments', 'likes')),
    CONSTRAINT crowd_messages_post CHECK ((kind = 'comments') = (post_id IS NOT NULL)),
    CONSTRAINT crowd_messages_state CHECK (
        state IN ('waiting', 'sending', 'sent', 'skipped', 'failed', 'cancelled')
    ),
    CONSTRAINT crowd_messages_sent CHECK (state <> 'sent' OR sent_at IS NOT NULL),
    CONSTRAINT crowd_messages_share CHECK (share >= 0),
    CONSTRAINT crowd_messages_once UNIQUE (post_id, group_id),
    FOREIGN KEY (order_id) REFERENCES boosts.orders (id),
    FOREIGN KEY (post_id) REFERENCES boosts.crowd_posts (id),
    FOREIGN KEY (group_id) REFERENCES boosts.crowd_groups (id)
);
CREATE INDEX crowd_messages_by_group ON boosts.crowd_messages (group_id);
CREATE INDEX crowd_messages_due ON boosts.crowd_messages (due_at) WHERE state = 'waiting';
CREATE UNIQUE INDEX crowd_messages_likes_once ON boosts.crowd_messages (order_id) WHERE kind = 'likes';

CREATE TABLE boosts.crowd_claims (
    id bigint GENERATED ALWAYS AS IDENTITY,
    post_id bigint NOT NULL,
    order_id bigint NOT NULL,
    user_id bigint NOT NULL,
    group_id bigint,
    metrics jsonb NOT NULL,
    state text NOT NULL,
    tries integer DEFAULT 1 NOT NULL,
    claimed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    submitted_at timestamptz,
    decided_at timestamptz,
    decided_by bigint,
    reason text DEFAULT '' NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT crowd_claims_once UNIQUE (post_id, user_id),
    CONSTRAINT crowd_claims_state CHECK (state IN ('claimed', 'submitted', 'approved', 'rejected', 'expired')),
    CONSTRAINT crowd_claims_decided CHECK (
        state NOT IN ('approved', 'rejected') OR (decided_at IS NOT NULL AND decided_by IS NOT NULL)
    ),
    CONSTRAINT crowd_claims_submitted CHECK (state <> 'submitted' OR submitted_at IS NOT NULL),
    CONSTRAINT crowd_claims_metrics CHECK (jsonb_array_length(metrics) > 0),
    FOREIGN KEY (post_id) REFERENCES boosts.crowd_posts (id),
    FOREIGN KEY (order_id) REFERENCES boosts.orders (id),
    FOREIGN KEY (group_id) REFERENCES boosts.crowd_groups (id)
);
CREATE INDEX crowd_claims_by_group ON boosts.crowd_claims (group_id);
CREATE INDEX crowd_claims_by_user ON boosts.crowd_claims (user_id, id);
CREATE INDEX crowd_claims_unproved ON boosts.crowd_claims (expires_at) WHERE state = 'claimed';
CREATE INDEX crowd_claims_waiting ON boosts.crowd_claims (submitted_at) WHERE state = 'submitted';

CREATE TABLE boosts.crowd_proofs (
    id bigint GENERATED ALWAYS AS IDENTITY,
    claim_id bigint NOT NULL,
    link text NOT NULL,
    name text NOT NULL,
    live boolean DEFAULT true NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (claim_id) REFERENCES boosts.crowd_claims (id)
);
CREATE INDEX crowd_proofs_by_claim ON boosts.crowd_proofs (claim_id, id);
CREATE UNIQUE INDEX crowd_proofs_once ON boosts.crowd_proofs (name) WHERE live;

INSERT INTO boosts.crowd_pointer (one) VALUES (true);

GRANT SELECT, INSERT, UPDATE ON boosts.crowd_groups, boosts.crowd_moves, boosts.crowd_pointer, boosts.crowd_posts,
    boosts.crowd_parts, boosts.crowd_messages, boosts.crowd_claims, boosts.crowd_proofs TO viralcore_app;
-- a group that is met again under its new id before we hear that it moved is one group
GRANT DELETE ON boosts.crowd_groups TO viralcore_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA boosts TO viralcore_app;

ALTER TABLE notifications.notices DROP CONSTRAINT ck_notices_channel;
ALTER TABLE notifications.notices ADD CONSTRAINT ck_notices_channel
    CHECK (channel IN ('telegram', 'admin_group', 'group', 'likes_group'));
"""

_DOWN = """
DELETE FROM notifications.notices WHERE channel IN ('group', 'likes_group');
ALTER TABLE notifications.notices DROP CONSTRAINT ck_notices_channel;
ALTER TABLE notifications.notices ADD CONSTRAINT ck_notices_channel CHECK (channel IN ('telegram', 'admin_group'));
DROP TABLE boosts.crowd_proofs, boosts.crowd_claims, boosts.crowd_messages, boosts.crowd_parts, boosts.crowd_posts,
    boosts.crowd_pointer, boosts.crowd_moves, boosts.crowd_groups;
"""


def _script(sql: str) -> None:
    """Several statements as one simple query."""
    raw: Any = op.get_bind().connection.driver_connection
    raw.execute(sql)


def upgrade() -> None:
    _script(_TABLES)


def downgrade() -> None:
    _script(_DOWN)

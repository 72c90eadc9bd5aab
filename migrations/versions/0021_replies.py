"""boosts: what reply guys hand in, which replies were counted, and what they were paid."""

from __future__ import annotations

from typing import Any

from alembic import op

revision = "0021"
down_revision = "0020"

_TABLES = """
CREATE TABLE boosts.reply_submissions (
    id bigint GENERATED ALWAYS AS IDENTITY,
    user_id bigint NOT NULL,
    kind text NOT NULL,
    count integer NOT NULL,
    day date NOT NULL,
    links jsonb NOT NULL,
    rate_kobo bigint NOT NULL,
    state text NOT NULL,
    approved integer DEFAULT 0 NOT NULL,
    reason text DEFAULT '' NOT NULL,
    actor bigint,
    created_at timestamptz NOT NULL,
    decided_at timestamptz,
    PRIMARY KEY (id),
    CONSTRAINT reply_submissions_kind CHECK (kind IN ('count', 'links')),
    CONSTRAINT reply_submissions_state CHECK (state IN ('pending', 'approved', 'rejected', 'withdrawn')),
    CONSTRAINT reply_submissions_sizes CHECK (count > 0 AND rate_kobo > 0),
    CONSTRAINT reply_submissions_links CHECK ((kind = 'links') = (jsonb_array_length(links) > 0)),
    CONSTRAINT reply_submissions_approved CHECK (
        CASE WHEN state = 'approved' THEN approved BETWEEN 1 AND count ELSE approved = 0 END
    ),
    CONSTRAINT reply_submissions_decided CHECK ((state = 'pending') = (decided_at IS NULL)),
    CONSTRAINT reply_submissions_actor CHECK ((state IN ('approved', 'rejected')) = (actor IS NOT NULL)),
    CONSTRAINT reply_submissions_reason CHECK (state <> 'rejected' OR reason <> '')
);
CREATE INDEX reply_submissions_by_user ON boosts.reply_submissions (user_id, id);
-- one pending submission for each person
CREATE UNIQUE INDEX reply_submissions_one ON boosts.reply_submissions (user_id) WHERE state = 'pending';
CREATE INDEX reply_submissions_queue ON boosts.reply_submissions (id) WHERE state = 'pending';

CREATE TABLE boosts.reply_links (
    name text NOT NULL,
    user_id bigint NOT NULL,
    submission_id bigint,
    claim_id bigint,
    PRIMARY KEY (name),
    CONSTRAINT reply_links_whose CHECK ((submission_id IS NULL) <> (claim_id IS NULL)),
    FOREIGN KEY (submission_id) REFERENCES boosts.reply_submissions (id)
);
CREATE INDEX reply_links_by_submission ON boosts.reply_links (submission_id);

CREATE TABLE boosts.reply_pays (
    id bigint GENERATED ALWAYS AS IDENTITY,
    user_id bigint NOT NULL,
    kind text NOT NULL,
    submission_id bigint,
    claim_id bigint,
    metric text DEFAULT '' NOT NULL,
    replies integer DEFAULT 0 NOT NULL,
    kobo bigint NOT NULL,
    day date NOT NULL,
    reason text DEFAULT '' NOT NULL,
    actor bigint NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (submission_id),
    CONSTRAINT reply_pays_claim UNIQUE (claim_id, metric),
    CONSTRAINT reply_pays_kind CHECK (
        CASE kind WHEN 'submission' THEN submission_id IS NOT NULL AND replies > 0 AND kobo > 0
        WHEN 'claim' THEN claim_id IS NOT NULL AND metric <> '' AND replies >= 0 AND kobo >= 0
        WHEN 'bonus' THEN kobo > 0 AND reason <> '' AND replies = 0
        WHEN 'correction' THEN kobo <> 0 AND reason <> '' AND replies = 0 ELSE false END
    ),
    CONSTRAINT reply_pays_submission CHECK ((submission_id IS NULL) OR (kind = 'submission')),
    CONSTRAINT reply_pays_of_claim CHECK ((claim_id IS NULL) OR (kind = 'claim')),
    FOREIGN KEY (submission_id) REFERENCES boosts.reply_submissions (id)
);
CREATE INDEX reply_pays_by_user ON boosts.reply_pays (user_id, day);

-- what was paid is never changed
GRANT SELECT, INSERT ON boosts.reply_pays TO viralcore_app;
GRANT SELECT, INSERT, UPDATE ON boosts.reply_submissions, boosts.reply_links TO viralcore_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA boosts TO viralcore_app;
"""

_DOWN = "DROP TABLE boosts.reply_pays, boosts.reply_links, boosts.reply_submissions;"


def _script(sql: str) -> None:
    """Several statements as one simple query."""
    raw: Any = op.get_bind().connection.driver_connection
    raw.execute(sql)


def upgrade() -> None:
    _script(_TABLES)


def downgrade() -> None:
    _script(_DOWN)

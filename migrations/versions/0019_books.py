"""withdrawals: comparisons with the provider's book, what does not agree, and what we owe against what we hold."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"

_UP = """
CREATE TABLE withdrawals.comparisons (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    day DATE,
    state TEXT NOT NULL,
    asked_by BIGINT NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    ours INTEGER DEFAULT 0 NOT NULL,
    theirs INTEGER DEFAULT 0 NOT NULL,
    found INTEGER DEFAULT 0 NOT NULL,
    open INTEGER DEFAULT 0 NOT NULL,
    balance BIGINT,
    spent BIGINT,
    note TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT comparisons_daily UNIQUE (day),
    CONSTRAINT comparisons_state CHECK (state IN ('asked', 'done', 'failed')),
    CONSTRAINT comparisons_ended CHECK ((ended_at IS NULL) = (state = 'asked'))
);
COMMENT ON TABLE withdrawals.comparisons IS
    'Our transfers against the provider''s. spent: kobo of all our transfers that had left by then.';

CREATE TABLE withdrawals.differences (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    kind TEXT NOT NULL,
    reference TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    ours BIGINT,
    ours_state TEXT NOT NULL,
    theirs BIGINT,
    theirs_asset TEXT NOT NULL,
    theirs_status TEXT NOT NULL,
    last4 TEXT NOT NULL,
    on_day DATE NOT NULL,
    state TEXT NOT NULL,
    found_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_by BIGINT,
    decided_at TIMESTAMP WITH TIME ZONE,
    reason TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT differences_once UNIQUE (kind, reference, provider_id),
    CONSTRAINT differences_kind CHECK (kind IN ('missing', 'extra', 'twice', 'amount', 'status', 'balance')),
    CONSTRAINT differences_state CHECK (state IN ('open', 'accepted', 'gone')),
    CONSTRAINT differences_decided CHECK ((decided_at IS NULL) = (state = 'open'))
);
CREATE INDEX differences_open ON withdrawals.differences (id) WHERE state = 'open';
COMMENT ON TABLE withdrawals.differences IS
    'What the two books do not agree on: tasks. on_day: the day of the transfer.';

CREATE TABLE withdrawals.solvency (
    id INTEGER NOT NULL,
    checked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    rate NUMERIC,
    owed JSONB NOT NULL,
    held JSONB NOT NULL,
    gap BIGINT NOT NULL,
    problem TEXT NOT NULL,
    unread JSONB NOT NULL,
    naira BIGINT,
    naira_at TIMESTAMP WITH TIME ZONE,
    told_gap BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT solvency_one CHECK (id = 1),
    CONSTRAINT solvency_gap CHECK (gap >= 0 AND told_gap >= 0)
);
COMMENT ON TABLE withdrawals.solvency IS
    'One row: what was owed and held at the last look, in cents. told_gap: the gap that was acted upon, 0 once '
    'everything was covered again.';

GRANT SELECT, INSERT, UPDATE ON withdrawals.comparisons, withdrawals.differences, withdrawals.solvency TO viralcore_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA withdrawals TO viralcore_app;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute("DROP TABLE withdrawals.comparisons, withdrawals.differences, withdrawals.solvency")

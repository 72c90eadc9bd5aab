"""withdrawals: accounts, questions to the bank, requests, approvals, findings, attempts, switches."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"

_UP = """
CREATE SCHEMA withdrawals;

CREATE TABLE withdrawals.accounts (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    user_id BIGINT NOT NULL,
    bank_id BIGINT NOT NULL,
    bank_code TEXT NOT NULL,
    bank_name TEXT NOT NULL,
    sealed TEXT NOT NULL,
    print TEXT NOT NULL,
    last4 TEXT NOT NULL,
    holder TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    forgotten BOOLEAN DEFAULT false NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT accounts_once UNIQUE (user_id, print)
);
CREATE INDEX accounts_by_print ON withdrawals.accounts (print);
COMMENT ON TABLE withdrawals.accounts IS
    'Bank accounts. print: HMAC of bank code and number, equal exactly when these are.';

CREATE TABLE withdrawals.banks (
    id BIGINT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (id)
);
COMMENT ON TABLE withdrawals.banks IS 'The provider''s list as it was last read, doubles included.';

CREATE TABLE withdrawals.desk (
    id INTEGER NOT NULL,
    mode TEXT,
    paused BOOLEAN DEFAULT false NOT NULL,
    stopped BOOLEAN DEFAULT false NOT NULL,
    stop_reason TEXT DEFAULT '' NOT NULL,
    banks_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT desk_one CHECK (id = 1),
    CONSTRAINT desk_mode CHECK (mode IN ('automatic', 'manual'))
);
COMMENT ON TABLE withdrawals.desk IS 'One row: the switches. Its lock is taken by whoever lets transfers go.';

CREATE TABLE withdrawals.checks (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    user_id BIGINT NOT NULL,
    source TEXT NOT NULL,
    amount BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    rate NUMERIC NOT NULL,
    gross BIGINT NOT NULL,
    fee BIGINT,
    account_id BIGINT NOT NULL,
    holder TEXT DEFAULT '' NOT NULL,
    withdrawal_id BIGINT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT checks_used UNIQUE (withdrawal_id),
    CONSTRAINT checks_source CHECK (source IN ('affiliate', 'reply', 'wallet')),
    CONSTRAINT checks_state CHECK (state IN ('asking', 'ready', 'failed')),
    CONSTRAINT checks_amounts CHECK (amount > 0 AND gross > 0 AND fee >= 0 AND fee < gross),
    CONSTRAINT checks_ready CHECK (state <> 'ready' OR fee IS NOT NULL),
    FOREIGN KEY(account_id) REFERENCES withdrawals.accounts (id)
);
CREATE INDEX checks_by_user ON withdrawals.checks (user_id, created_at);
COMMENT ON TABLE withdrawals.checks IS 'Questions to the bank: whose account, which fee.';

CREATE TABLE withdrawals.requests (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    user_id BIGINT NOT NULL,
    source TEXT NOT NULL,
    amount BIGINT NOT NULL,
    state TEXT NOT NULL,
    rate NUMERIC NOT NULL,
    gross BIGINT NOT NULL,
    fee BIGINT NOT NULL,
    terms_at TIMESTAMP WITH TIME ZONE NOT NULL,
    offered_rate NUMERIC,
    offered_gross BIGINT,
    offered_fee BIGINT,
    offered_at TIMESTAMP WITH TIME ZONE,
    asked_at TIMESTAMP WITH TIME ZONE,
    account_id BIGINT NOT NULL,
    hold_id BIGINT,
    mode TEXT,
    needed INTEGER NOT NULL,
    score INTEGER DEFAULT 0 NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    reference TEXT DEFAULT '' NOT NULL,
    decided_by BIGINT,
    round INTEGER DEFAULT 1 NOT NULL,
    next_attempt_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    approved_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT requests_source CHECK (source IN ('affiliate', 'reply', 'wallet')),
    CONSTRAINT requests_state CHECK (state IN ('pending', 'approved', 'processing', 'unconfirmed', 'completed',
        'failed', 'rejected', 'cancelled')),
    CONSTRAINT requests_mode CHECK (mode IN ('automatic', 'manual')),
    CONSTRAINT requests_amounts CHECK (amount > 0 AND fee >= 0 AND fee < gross AND rate > 0),
    CONSTRAINT requests_approvals CHECK (needed IN (1, 2) AND round > 0 AND score >= 0),
    CONSTRAINT requests_offered CHECK ((offered_at IS NULL) = (offered_rate IS NULL)
        AND (offered_at IS NULL) = (asked_at IS NULL)
        AND (offered_at IS NULL) =
        (offered_gross IS NULL) AND (offered_at IS NULL) = (offered_fee IS NULL) AND (offered_at IS NULL OR state
        IN ('pending', 'rejected', 'cancelled'))),
    CONSTRAINT requests_ended CHECK ((ended_at IS NULL) = (state IN ('pending', 'approved', 'processing',
        'unconfirmed'))),
    CONSTRAINT requests_approved CHECK ((approved_at IS NULL) = (state IN ('pending', 'rejected', 'cancelled')) AND
        (approved_at IS NULL) = (mode IS NULL)),
    CONSTRAINT requests_again CHECK (next_attempt_at IS NULL OR state = 'processing'),
    FOREIGN KEY(account_id) REFERENCES withdrawals.accounts (id)
);
CREATE INDEX requests_again_due ON withdrawals.requests (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX requests_by_day ON withdrawals.requests (created_at);
CREATE INDEX requests_by_user ON withdrawals.requests (user_id, id);
CREATE UNIQUE INDEX requests_one_open ON withdrawals.requests (user_id) WHERE state IN ('pending', 'approved',
    'processing', 'unconfirmed');
CREATE INDEX requests_open ON withdrawals.requests (state, id) WHERE state IN ('pending', 'approved', 'processing',
    'unconfirmed');
COMMENT ON TABLE withdrawals.requests IS
    'Withdrawals. amount: minor units of the source''s asset, held from the beginning; gross, fee: kobo.';

CREATE TABLE withdrawals.approvals (
    request_id BIGINT NOT NULL,
    round INTEGER NOT NULL,
    place INTEGER NOT NULL,
    actor BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (request_id, round, place),
    CONSTRAINT approvals_place CHECK (place IN (1, 2)),
    FOREIGN KEY(request_id) REFERENCES withdrawals.requests (id)
);
COMMENT ON TABLE withdrawals.approvals IS 'Who said yes. A new round begins when its owner confirms other terms.';

CREATE TABLE withdrawals.attempts (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    request_id BIGINT NOT NULL,
    n INTEGER NOT NULL,
    reference TEXT GENERATED ALWAYS AS ('vc-w' || request_id::text || '-a' || n::text) STORED NOT NULL,
    state TEXT NOT NULL,
    provider_id TEXT DEFAULT '' NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    words TEXT DEFAULT '' NOT NULL,
    fee BIGINT,
    sends INTEGER DEFAULT 0 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    asked_at TIMESTAMP WITH TIME ZONE,
    ask_due TIMESTAMP WITH TIME ZONE,
    asks INTEGER DEFAULT 0 NOT NULL,
    missing_since TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    alarm TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT attempts_in_turn UNIQUE (request_id, n),
    CONSTRAINT attempts_reference UNIQUE (reference),
    CONSTRAINT attempts_state CHECK (state IN ('sending', 'accepted', 'unknown', 'succeeded', 'failed')),
    CONSTRAINT attempts_counts CHECK (n > 0 AND sends >= 0 AND asks >= 0),
    CONSTRAINT attempts_ended CHECK ((ended_at IS NULL) = (state IN ('sending', 'accepted', 'unknown'))),
    FOREIGN KEY(request_id) REFERENCES withdrawals.requests (id)
);
CREATE INDEX attempts_due ON withdrawals.attempts (ask_due) WHERE ask_due IS NOT NULL;
CREATE UNIQUE INDEX attempts_one_alive ON withdrawals.attempts (request_id) WHERE state <> 'failed';
CREATE INDEX attempts_open ON withdrawals.attempts (sent_at) WHERE ended_at IS NULL;
COMMENT ON TABLE withdrawals.attempts IS
    'Transfers at the provider, each stored under its reference before it is sent.';

CREATE TABLE withdrawals.findings (
    request_id BIGINT NOT NULL,
    rule TEXT NOT NULL,
    score INTEGER NOT NULL,
    facts JSONB NOT NULL,
    PRIMARY KEY (request_id, rule),
    FOREIGN KEY(request_id) REFERENCES withdrawals.requests (id)
);
COMMENT ON TABLE withdrawals.findings IS 'Risk rules that hit when it was asked for.';
"""

_GRANTS = """
GRANT USAGE ON SCHEMA withdrawals TO viralcore_app;
GRANT SELECT, INSERT, UPDATE ON withdrawals.accounts, withdrawals.checks, withdrawals.requests, withdrawals.attempts,
    withdrawals.desk TO viralcore_app;
GRANT SELECT, INSERT ON withdrawals.approvals, withdrawals.findings TO viralcore_app;
GRANT SELECT, INSERT, DELETE ON withdrawals.banks TO viralcore_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA withdrawals TO viralcore_app;
"""


def upgrade() -> None:
    op.execute(_UP)
    op.execute(_GRANTS)


def downgrade() -> None:
    op.execute("DROP SCHEMA withdrawals CASCADE")

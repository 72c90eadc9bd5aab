"""referrals: who brought whom, what purchases paid for it, what was taken back."""

from __future__ import annotations

from typing import Any

from alembic import op

revision = "0020"
down_revision = "0019"

TABLES = """
CREATE SCHEMA referrals;

CREATE TABLE referrals.bindings (
    user_id bigint PRIMARY KEY,
    referrer_id bigint NOT NULL,
    bound_at timestamptz NOT NULL,
    bought_at timestamptz,
    CONSTRAINT bindings_not_oneself CHECK (user_id <> referrer_id)
);
CREATE INDEX bindings_by_referrer ON referrals.bindings (referrer_id, user_id);

CREATE TABLE referrals.purchases (
    invoice_id bigint PRIMARY KEY,
    user_id bigint NOT NULL,
    item_ref text DEFAULT '' NOT NULL,
    total_cents bigint,
    paid_cents bigint,
    percent numeric,
    bought_at timestamptz,
    booked_cents bigint DEFAULT 0 NOT NULL,
    CONSTRAINT purchases_booked CHECK (booked_cents >= 0),
    CONSTRAINT purchases_heard_of CHECK (
        (paid_cents IS NULL) = (percent IS NULL) AND (paid_cents IS NULL) = (total_cents IS NULL)
        AND (paid_cents IS NULL) = (bought_at IS NULL)),
    CONSTRAINT purchases_amounts CHECK (paid_cents >= 0 AND paid_cents <= total_cents)
);
CREATE INDEX purchases_by_user ON referrals.purchases (user_id, invoice_id);

CREATE TABLE referrals.returns (
    source text PRIMARY KEY,
    invoice_id bigint NOT NULL,
    cents bigint NOT NULL,
    known text NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT returns_amount CHECK (cents > 0),
    CONSTRAINT returns_known CHECK (known IN ('paid', 'all'))
);
CREATE INDEX returns_by_invoice ON referrals.returns (invoice_id);

CREATE TABLE referrals.affiliates (
    user_id bigint PRIMARY KEY,
    earned_cents bigint DEFAULT 0 NOT NULL,
    reversed_cents bigint DEFAULT 0 NOT NULL,
    receivable_cents bigint DEFAULT 0 NOT NULL,
    CONSTRAINT affiliates_earned CHECK (earned_cents >= reversed_cents),
    CONSTRAINT affiliates_receivable CHECK (receivable_cents BETWEEN 0 AND reversed_cents)
);

CREATE TABLE referrals.commissions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL,
    referrer_id bigint NOT NULL,
    buyer_id bigint NOT NULL,
    invoice_id bigint NOT NULL,
    item_ref text NOT NULL,
    cents bigint NOT NULL,
    to_balance_cents bigint NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT commissions_key UNIQUE (key),
    CONSTRAINT commissions_amounts CHECK (
        (cents > 0 AND to_balance_cents BETWEEN 0 AND cents) OR (cents < 0 AND to_balance_cents BETWEEN cents AND 0))
);
CREATE INDEX commissions_by_referrer ON referrals.commissions (referrer_id, id);

CREATE FUNCTION referrals.guard_commission() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'commissions are never changed or deleted';
END $$;
CREATE TRIGGER guard_commission BEFORE UPDATE OR DELETE ON referrals.commissions
    FOR EACH ROW EXECUTE FUNCTION referrals.guard_commission();

GRANT USAGE ON SCHEMA referrals TO viralcore_app;
GRANT SELECT, INSERT, UPDATE ON referrals.bindings, referrals.purchases, referrals.affiliates TO viralcore_app;
GRANT SELECT, INSERT ON referrals.returns, referrals.commissions TO viralcore_app;
"""

# People who came through a link before there were referrals: what they came with was kept. Whoever brought somebody was
# there before them, so these cannot form a loop.
_CAME_BEFORE = """
INSERT INTO referrals.bindings (user_id, referrer_id, bound_at)
SELECT came.id, brought.id, came.created_at
FROM (SELECT id, created_at, substring(first_payload FROM '^ref_([1-9][0-9]{0,15})$')::bigint AS referrer_id
      FROM users.people) came
JOIN users.people brought ON brought.id = came.referrer_id AND brought.created_at < came.created_at;
"""


def _script(sql: str) -> None:
    """Several statements as one simple query: op.execute would read colons and percent signs in them as parameters."""
    raw: Any = op.get_bind().connection.driver_connection
    raw.execute(sql)


def upgrade() -> None:
    _script(TABLES)
    _script(_CAME_BEFORE)


def downgrade() -> None:
    op.execute("DROP SCHEMA referrals CASCADE")

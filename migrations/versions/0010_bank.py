"""payments: naira by bank transfer: the exchange rate, accounts, webhooks, photographed receipts."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"

_UP = """
-- By bank a reference says whose money it is: two people may be asked for one amount.
DROP INDEX payments.quotes_reserved;
CREATE UNIQUE INDEX quotes_reserved ON payments.quotes (network, asset, amount_raw)
    WHERE released_at IS NULL AND network <> 'bank';

ALTER TABLE payments.receipts ADD COLUMN reference text NOT NULL DEFAULT '';
COMMENT ON COLUMN payments.receipts.reference IS 'Of a bank transfer: the reference it named.';

-- what a dollar costs; it outlives the process
CREATE TABLE payments.fx (
    currency text NOT NULL,
    state text NOT NULL,
    per_usd numeric,
    source_at timestamptz,
    good_at timestamptz,
    looked_at timestamptz NOT NULL,
    PRIMARY KEY (currency),
    CONSTRAINT fx_state CHECK (state IN ('ok', 'stale')),
    CONSTRAINT fx_positive CHECK (per_usd > 0),
    CONSTRAINT fx_good CHECK ((per_usd IS NULL) = (source_at IS NULL) AND (per_usd IS NULL) = (good_at IS NULL))
);

-- an account asked of the bank for one quote; its reference is stored before the bank is asked
CREATE TABLE payments.charges (
    id bigint GENERATED ALWAYS AS IDENTITY,
    quote_id bigint NOT NULL,
    reference text GENERATED ALWAYS AS ('vc-c' || id::text) STORED NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    account_number text NOT NULL,
    bank_name text NOT NULL,
    provider_reference text NOT NULL,
    transfer_raw numeric(78,0) NOT NULL,
    created_at timestamptz NOT NULL,
    decided_at timestamptz,
    expires_at timestamptz,
    polls integer NOT NULL DEFAULT 0,
    polled_at timestamptz,
    poll_due timestamptz,
    asked_at timestamptz,
    PRIMARY KEY (id),
    UNIQUE (reference),
    CONSTRAINT charges_state CHECK (state IN ('requested', 'open', 'failed')),
    CONSTRAINT charges_decided CHECK ((state = 'requested') = (decided_at IS NULL)),
    CONSTRAINT charges_account CHECK ((state = 'open') = (account_number <> '')),
    CONSTRAINT charges_amount CHECK (transfer_raw > 0),
    FOREIGN KEY (quote_id) REFERENCES payments.quotes (id)
);
CREATE INDEX charges_by_quote ON payments.charges (quote_id, id);
CREATE INDEX charges_due ON payments.charges (poll_due) WHERE poll_due IS NOT NULL;

-- what Flutterwave told us, encrypted, kept for some days
CREATE TABLE payments.webhooks (
    id bigint GENERATED ALWAYS AS IDENTITY,
    external_id text NOT NULL,
    event text NOT NULL,
    kind text NOT NULL,
    reference text NOT NULL,
    sealed text NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (external_id),
    CONSTRAINT webhooks_kind CHECK (kind IN ('charge', 'transfer', 'other'))
);
CREATE INDEX webhooks_old ON payments.webhooks (received_at);

-- photographed receipts of transfers to the shop's own account
CREATE TABLE payments.proofs (
    id bigint GENERATED ALWAYS AS IDENTITY,
    quote_id bigint NOT NULL,
    invoice_id bigint NOT NULL,
    user_id bigint NOT NULL,
    file_id text NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    actor bigint,
    created_at timestamptz NOT NULL,
    decided_at timestamptz,
    PRIMARY KEY (id),
    CONSTRAINT proofs_state CHECK (state IN ('waiting', 'approved', 'rejected')),
    CONSTRAINT proofs_decided CHECK ((state = 'waiting') = (decided_at IS NULL)),
    FOREIGN KEY (quote_id) REFERENCES payments.quotes (id),
    FOREIGN KEY (invoice_id) REFERENCES payments.invoices (id)
);
CREATE INDEX proofs_by_quote ON payments.proofs (quote_id, id);
CREATE UNIQUE INDEX proofs_one ON payments.proofs (quote_id) WHERE state <> 'rejected';
"""

_RULES = """
CREATE FUNCTION payments.guard_charge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.id, NEW.quote_id) IS DISTINCT FROM (OLD.id, OLD.quote_id)
       OR (OLD.state <> 'requested' AND NEW.state <> OLD.state) THEN
        RAISE EXCEPTION 'an account stays whose it is, and is decided once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_charge BEFORE UPDATE OR DELETE ON payments.charges
    FOR EACH ROW EXECUTE FUNCTION payments.guard_charge();

CREATE FUNCTION payments.guard_proof() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state <> 'waiting'
       OR (NEW.id, NEW.quote_id, NEW.user_id, NEW.file_id)
          IS DISTINCT FROM (OLD.id, OLD.quote_id, OLD.user_id, OLD.file_id) THEN
        RAISE EXCEPTION 'a receipt is decided once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_proof BEFORE UPDATE OR DELETE ON payments.proofs
    FOR EACH ROW EXECUTE FUNCTION payments.guard_proof();
"""

_GRANTS = """
GRANT SELECT, INSERT, UPDATE ON payments.fx, payments.charges, payments.proofs TO viralcore_app;
GRANT SELECT, INSERT, DELETE ON payments.webhooks TO viralcore_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA payments TO viralcore_app;
"""

# Bank quotes may ask for one amount twice, which the old index would refuse: they are not reserved any more.
_DOWN = """
DROP TABLE payments.proofs, payments.webhooks, payments.charges, payments.fx;
DROP FUNCTION payments.guard_charge(), payments.guard_proof();
ALTER TABLE payments.receipts DROP COLUMN reference;
DROP INDEX payments.quotes_reserved;
UPDATE payments.quotes SET released_at = expires_at WHERE network = 'bank' AND released_at IS NULL;
CREATE UNIQUE INDEX quotes_reserved ON payments.quotes (network, asset, amount_raw) WHERE released_at IS NULL;
"""


def upgrade() -> None:
    op.execute(_UP)
    op.execute(_RULES)
    op.execute(_GRANTS)


def downgrade() -> None:
    op.execute(_DOWN)

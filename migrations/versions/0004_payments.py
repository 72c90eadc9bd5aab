"""payments: invoices, quotes, sightings, receipts, claims, cursors and the price cache."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

TABLES = """
CREATE SCHEMA payments;

-- what is sold to whom at which locked total
CREATE TABLE payments.invoices (
    id bigint GENERATED ALWAYS AS IDENTITY,
    user_id bigint NOT NULL,
    item_kind text NOT NULL,
    item_ref text NOT NULL,
    item_title text NOT NULL,
    item_data jsonb NOT NULL,
    quantity bigint NOT NULL,
    unit_price numeric NOT NULL,
    total_cents bigint NOT NULL,
    grants jsonb NOT NULL,
    state text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    closed_at timestamptz,
    paid_at timestamptz,
    paid_with text,
    received_cents bigint DEFAULT 0 NOT NULL,
    notes text[] DEFAULT '{}'::text[] NOT NULL,
    quote_id bigint,
    PRIMARY KEY (id),
    CONSTRAINT invoices_item_kind CHECK (item_kind IN ('credits', 'goods', 'topup')),
    CONSTRAINT invoices_state CHECK (state IN ('open', 'paid', 'expired', 'cancelled')),
    CONSTRAINT invoices_amounts CHECK (quantity > 0 AND total_cents > 0 AND received_cents >= 0),
    CONSTRAINT invoices_closed CHECK ((state = 'open') = (closed_at IS NULL)),
    CONSTRAINT invoices_paid CHECK ((state = 'paid') = (paid_at IS NOT NULL))
);
CREATE INDEX invoices_by_user ON payments.invoices (user_id, id);
CREATE INDEX invoices_open ON payments.invoices (expires_at) WHERE state = 'open';

-- amounts asked for. The unique index is what makes an amount tell whose money it is, races included.
CREATE TABLE payments.quotes (
    id bigint GENERATED ALWAYS AS IDENTITY,
    invoice_id bigint NOT NULL,
    network text NOT NULL,
    asset text NOT NULL,
    amount_raw numeric(78, 0) NOT NULL,
    rate numeric NOT NULL,
    due_cents bigint NOT NULL,
    address text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    released_at timestamptz,
    PRIMARY KEY (id),
    CONSTRAINT quotes_amounts CHECK (amount_raw > 0 AND rate > 0 AND due_cents > 0),
    FOREIGN KEY (invoice_id) REFERENCES payments.invoices (id)
);
CREATE INDEX quotes_by_invoice ON payments.quotes (invoice_id);
CREATE UNIQUE INDEX quotes_reserved ON payments.quotes (network, asset, amount_raw) WHERE released_at IS NULL;

-- transactions with money for us: the list of the watcher and the lock of the verifier
CREATE TABLE payments.sightings (
    network text NOT NULL,
    hash text NOT NULL,
    state text NOT NULL,
    seen_at timestamptz NOT NULL,
    judged_at timestamptz,
    PRIMARY KEY (network, hash),
    CONSTRAINT sightings_state CHECK (state IN ('seen', 'found', 'judged')),
    CONSTRAINT sightings_judged CHECK ((state = 'judged') = (judged_at IS NOT NULL))
);
CREATE INDEX sightings_open ON payments.sightings (state, seen_at) WHERE state <> 'judged';

-- money that arrived, each (network, hash, position) once, written with the posting that books it
CREATE TABLE payments.receipts (
    id bigint GENERATED ALWAYS AS IDENTITY,
    network text NOT NULL,
    hash text NOT NULL,
    position integer NOT NULL,
    asset text NOT NULL,
    amount_raw numeric(78, 0) NOT NULL,
    usd_cents bigint NOT NULL,
    rate numeric NOT NULL,
    state text NOT NULL,
    outcome text NOT NULL,
    invoice_id bigint,
    user_id bigint,
    block bigint NOT NULL,
    block_time timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    credited_at timestamptz,
    PRIMARY KEY (id),
    CONSTRAINT receipts_identity UNIQUE (network, hash, position),
    CONSTRAINT receipts_state CHECK (state IN ('credited', 'suspense')),
    CONSTRAINT receipts_amounts CHECK (amount_raw > 0 AND usd_cents >= 0 AND position >= 0),
    CONSTRAINT receipts_credited CHECK (
        (state = 'credited') = (user_id IS NOT NULL AND invoice_id IS NOT NULL AND credited_at IS NOT NULL)),
    FOREIGN KEY (invoice_id) REFERENCES payments.invoices (id)
);
CREATE INDEX receipts_by_invoice ON payments.receipts (invoice_id);

-- hashes people pasted
CREATE TABLE payments.claims (
    id bigint GENERATED ALWAYS AS IDENTITY,
    user_id bigint NOT NULL,
    network text NOT NULL,
    hash text NOT NULL,
    invoice_id bigint,
    state text NOT NULL,
    reason text NOT NULL,
    round integer NOT NULL,
    checks integer NOT NULL,
    created_at timestamptz NOT NULL,
    opened_at timestamptz NOT NULL,
    decided_at timestamptz,
    PRIMARY KEY (id),
    CONSTRAINT claims_identity UNIQUE (network, hash, user_id),
    CONSTRAINT claims_state CHECK (state IN ('checking', 'credited', 'not_found', 'refused', 'suspense')),
    CONSTRAINT claims_decided CHECK ((state = 'checking') = (decided_at IS NULL)),
    FOREIGN KEY (invoice_id) REFERENCES payments.invoices (id)
);
CREATE INDEX claims_by_invoice ON payments.claims (invoice_id, id);
CREATE INDEX claims_by_user ON payments.claims (user_id, id);

-- the last final block read without a gap
CREATE TABLE payments.cursors (
    network text NOT NULL,
    first_block bigint NOT NULL,
    block bigint NOT NULL,
    moved_at timestamptz NOT NULL,
    PRIMARY KEY (network),
    CONSTRAINT cursors_forward CHECK (block >= first_block)
);

-- the price cache; it outlives the process
CREATE TABLE payments.prices (
    coin text NOT NULL,
    state text NOT NULL,
    usd numeric,
    good_at timestamptz,
    looked_at timestamptz NOT NULL,
    PRIMARY KEY (coin),
    CONSTRAINT prices_state CHECK (state IN ('ok', 'diverged', 'depegged', 'stale')),
    CONSTRAINT prices_positive CHECK (usd > 0),
    CONSTRAINT prices_good CHECK ((usd IS NULL) = (good_at IS NULL))
);
"""

# Nothing that says where money came from may be deleted by the application, whatever it does.
GRANTS = """
GRANT USAGE ON SCHEMA payments TO viralcore_app;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA payments TO viralcore_app;
GRANT DELETE ON payments.sightings TO viralcore_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA payments TO viralcore_app;
"""

# A receipt's facts never change; it may only go from suspense to credited, once. A judged sighting stays judged.
RULES = """
CREATE FUNCTION payments.guard_receipt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'receipts are never deleted';
    END IF;
    IF OLD.state <> 'suspense' OR NEW.state <> 'credited'
       OR (NEW.network, NEW.hash, NEW.position, NEW.asset, NEW.amount_raw, NEW.block)
          IS DISTINCT FROM (OLD.network, OLD.hash, OLD.position, OLD.asset, OLD.amount_raw, OLD.block) THEN
        RAISE EXCEPTION 'a receipt only ever goes from suspense to credited';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_receipt BEFORE UPDATE OR DELETE ON payments.receipts
    FOR EACH ROW EXECUTE FUNCTION payments.guard_receipt();

CREATE FUNCTION payments.guard_sighting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'judged' AND (TG_OP = 'DELETE' OR NEW.state <> 'judged') THEN
        RAISE EXCEPTION 'a judged transaction stays judged';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER guard_sighting BEFORE UPDATE OR DELETE ON payments.sightings
    FOR EACH ROW EXECUTE FUNCTION payments.guard_sighting();
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(RULES)
    op.execute(GRANTS)


def downgrade() -> None:
    op.execute("DROP SCHEMA payments CASCADE")

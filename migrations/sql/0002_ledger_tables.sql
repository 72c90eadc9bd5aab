-- No foreign keys from entries: a key check on the house's accounts would share-lock the same row in every posting, and the
-- function below is the only writer. `ledger check` looks for orphans every night instead.
CREATE SCHEMA ledger;

CREATE TABLE ledger.accounts (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_accounts PRIMARY KEY,
    owner text NOT NULL,
    name text NOT NULL,
    asset text NOT NULL,
    CONSTRAINT uq_accounts_owner_name_asset UNIQUE (owner, name, asset),
    CONSTRAINT ck_accounts_owner CHECK (owner = 'house' OR owner ~ '^user:[1-9][0-9]{0,18}$'),
    CONSTRAINT ck_accounts_asset CHECK (asset IN ('USD', 'NGN') OR asset ~ '^[a-z][a-z0-9_]{0,30}(-[0-9]{1,12})?$'),
    CONSTRAINT ck_accounts_name CHECK (
        CASE WHEN owner = 'house' THEN name ~ '^[A-Za-z][A-Za-z0-9_:.-]{0,60}$'
             WHEN name IN ('wallet', 'wallet_bonus', 'affiliate') THEN asset = 'USD'
             WHEN name = 'reply' THEN asset = 'NGN'
             WHEN name = 'credits' THEN asset NOT IN ('USD', 'NGN')
             ELSE false END)
);

CREATE TABLE ledger.balances (
    account_id bigint CONSTRAINT pk_balances PRIMARY KEY,
    balance bigint NOT NULL DEFAULT 0,
    held bigint NOT NULL DEFAULT 0,
    floor bigint NOT NULL DEFAULT 0,
    CONSTRAINT fk_balances_account FOREIGN KEY (account_id) REFERENCES ledger.accounts (id),
    CONSTRAINT ck_balances_held CHECK (held >= 0),
    CONSTRAINT ck_balances_floor CHECK (balance - held >= floor)
) WITH (fillfactor = 50);

CREATE TABLE ledger.postings (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_postings PRIMARY KEY,
    key text NOT NULL,
    inputs bytea NOT NULL,
    kind text NOT NULL,
    description text NOT NULL,
    correlation_id text NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT uq_postings_key UNIQUE (key),
    CONSTRAINT ck_postings_key CHECK (length(key) BETWEEN 1 AND 200),
    CONSTRAINT ck_postings_description CHECK (length(description) BETWEEN 1 AND 500),
    CONSTRAINT ck_postings_kind CHECK (kind IN ('deposit', 'purchase', 'boost', 'refund', 'commission', 'reply_pay',
                                                'withdrawal', 'fee', 'adjustment', 'import'))
);

CREATE TABLE ledger.entries (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_entries PRIMARY KEY,
    posting_id bigint NOT NULL,
    account_id bigint NOT NULL,
    amount bigint NOT NULL,
    before bigint,
    after bigint,
    CONSTRAINT ck_entries_amount CHECK (amount <> 0),
    CONSTRAINT ck_entries_running CHECK (before IS NULL AND after IS NULL OR before + amount = after)
);
CREATE INDEX ix_entries_account_id_id ON ledger.entries (account_id, id);
CREATE INDEX ix_entries_posting_id ON ledger.entries (posting_id);

CREATE TABLE ledger.holds (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_holds PRIMARY KEY,
    key text NOT NULL,
    account_id bigint NOT NULL,
    amount bigint NOT NULL,
    reason text NOT NULL,
    correlation_id text NOT NULL,
    state text NOT NULL DEFAULT 'held',
    at timestamptz NOT NULL,
    closed_at timestamptz,
    close_key text,
    posting_id bigint,
    CONSTRAINT uq_holds_key UNIQUE (key),
    CONSTRAINT fk_holds_account FOREIGN KEY (account_id) REFERENCES ledger.balances (account_id),
    CONSTRAINT ck_holds_amount CHECK (amount > 0),
    CONSTRAINT ck_holds_key CHECK (length(key) BETWEEN 1 AND 200),
    CONSTRAINT ck_holds_state CHECK (
        CASE state WHEN 'held' THEN closed_at IS NULL AND close_key IS NULL AND posting_id IS NULL
                   WHEN 'captured' THEN closed_at IS NOT NULL AND close_key IS NOT NULL AND posting_id IS NOT NULL
                   WHEN 'released' THEN closed_at IS NOT NULL AND close_key IS NOT NULL AND posting_id IS NULL
                   ELSE false END)
);
CREATE INDEX ix_holds_account_id_open ON ledger.holds (account_id) WHERE state = 'held';

CREATE TABLE ledger.lots (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_lots PRIMARY KEY,
    account_id bigint NOT NULL,
    posting_id bigint NOT NULL,
    quantity bigint NOT NULL,
    remaining bigint NOT NULL,
    unit_cost numeric NOT NULL,
    CONSTRAINT fk_lots_account FOREIGN KEY (account_id) REFERENCES ledger.balances (account_id),
    CONSTRAINT ck_lots_quantity CHECK (quantity > 0 AND remaining BETWEEN 0 AND quantity),
    CONSTRAINT ck_lots_unit_cost CHECK (unit_cost >= 0)
);
CREATE INDEX ix_lots_account_id_open ON ledger.lots (account_id, id) WHERE remaining > 0;

CREATE TABLE ledger.lot_uses (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_lot_uses PRIMARY KEY,
    lot_id bigint NOT NULL,
    posting_id bigint NOT NULL,
    quantity bigint NOT NULL,
    CONSTRAINT fk_lot_uses_lot FOREIGN KEY (lot_id) REFERENCES ledger.lots (id),
    CONSTRAINT ck_lot_uses_quantity CHECK (quantity > 0)
);
CREATE INDEX ix_lot_uses_posting_id ON ledger.lot_uses (posting_id);
CREATE INDEX ix_lot_uses_lot_id ON ledger.lot_uses (lot_id);

CREATE TABLE ledger.snapshots (
    account_id bigint NOT NULL,
    entry_id bigint NOT NULL,
    balance bigint NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT pk_snapshots PRIMARY KEY (account_id, entry_id),
    CONSTRAINT fk_snapshots_account FOREIGN KEY (account_id) REFERENCES ledger.accounts (id)
);

CREATE TABLE ledger.snapshot_marks (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_snapshot_marks PRIMARY KEY,
    entry_id bigint NOT NULL,
    next_xid bigint NOT NULL,
    at timestamptz NOT NULL
);

CREATE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

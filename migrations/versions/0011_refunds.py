"""payments: refunds, stray money given to a wallet, who was alerted; ledger: credits taken from one posting's lot."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from alembic import op

revision = "0011"
down_revision = "0010"

SQL = Path(__file__).parent.parent / "sql"

_TABLES = """
-- money of a paid invoice that was given back; written once, with its posting
CREATE TABLE payments.refunds (
    id bigint GENERATED ALWAYS AS IDENTITY,
    key text NOT NULL,
    invoice_id bigint NOT NULL,
    user_id bigint NOT NULL,
    kind text NOT NULL,
    state text DEFAULT 'done' NOT NULL,
    amount_cents bigint NOT NULL,
    bonus_cents bigint NOT NULL,
    credit_asset text DEFAULT '' NOT NULL,
    credits bigint NOT NULL,
    reason text NOT NULL,
    by bigint NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT refunds_key UNIQUE (key),
    CONSTRAINT refunds_kind CHECK (kind IN ('full', 'partial')),
    CONSTRAINT refunds_state CHECK (state = 'done'),
    CONSTRAINT refunds_amounts CHECK (amount_cents > 0 AND bonus_cents BETWEEN 0 AND amount_cents AND credits >= 0),
    CONSTRAINT refunds_reason CHECK (reason <> ''),
    FOREIGN KEY (invoice_id) REFERENCES payments.invoices (id)
);
CREATE INDEX refunds_by_invoice ON payments.refunds (invoice_id, id);

-- what owners were told of a stray receipt, each thing once
CREATE TABLE payments.stray_alerts (
    receipt_id bigint NOT NULL,
    why text NOT NULL,
    told_at timestamptz NOT NULL,
    PRIMARY KEY (receipt_id, why),
    CONSTRAINT stray_alerts_why CHECK (why IN ('large', 'old')),
    FOREIGN KEY (receipt_id) REFERENCES payments.receipts (id)
);

-- how an invoice was paid, and what went back of it; the database itself refuses to give back more than came
ALTER TABLE payments.invoices
    ADD COLUMN bonus_cents bigint DEFAULT 0 NOT NULL,
    ADD COLUMN forgiven_cents bigint DEFAULT 0 NOT NULL,
    ADD COLUMN refunded_cents bigint DEFAULT 0 NOT NULL;

ALTER TABLE payments.receipts ADD COLUMN assigned_by bigint;
ALTER TABLE payments.receipts DROP CONSTRAINT receipts_credited;
ALTER TABLE payments.receipts ADD CONSTRAINT receipts_credited CHECK (
    (state = 'credited') = (user_id IS NOT NULL AND credited_at IS NOT NULL)
    AND (state = 'suspense' OR invoice_id IS NOT NULL OR assigned_by IS NOT NULL));
CREATE INDEX receipts_suspense ON payments.receipts (id) WHERE state = 'suspense';

CREATE FUNCTION payments.guard_refund() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'refunds are never changed or deleted';
END $$;
CREATE TRIGGER guard_refund BEFORE UPDATE OR DELETE ON payments.refunds
    FOR EACH ROW EXECUTE FUNCTION payments.guard_refund();

GRANT SELECT, INSERT ON payments.refunds, payments.stray_alerts TO viralcore_app;
GRANT USAGE ON SEQUENCE payments.refunds_id_seq TO viralcore_app;
"""

# What was paid before this migration is in the books.
_PAID_BEFORE = """
UPDATE payments.invoices i SET bonus_cents = p.cents
FROM (SELECT post.key, -sum(e.amount) AS cents FROM ledger.postings post
      JOIN ledger.entries e ON e.posting_id = post.id
      JOIN ledger.accounts a ON a.id = e.account_id AND a.name = 'wallet_bonus'
      WHERE post.kind = 'purchase' GROUP BY post.key) p
WHERE i.state = 'paid' AND p.key = 'invoice:' || i.id || ':paid';

UPDATE payments.invoices i SET forgiven_cents = f.cents
FROM (SELECT r.invoice_id, -sum(e.amount) AS cents FROM payments.receipts r
      CROSS JOIN LATERAL (SELECT 'receipt:' || r.network || ':' || r.hash || ':' || r.position AS key) k
      JOIN ledger.postings post ON post.key IN (k.key, k.key || ':assigned')
      JOIN ledger.entries e ON e.posting_id = post.id
      JOIN ledger.accounts a ON a.id = e.account_id AND a.owner = 'house' AND a.name = 'tolerance'
      GROUP BY r.invoice_id) f
WHERE i.id = f.invoice_id AND i.state = 'paid';

ALTER TABLE payments.invoices ADD CONSTRAINT invoices_refunds CHECK (
    bonus_cents >= 0 AND forgiven_cents >= 0 AND refunded_cents >= 0
    AND bonus_cents + forgiven_cents <= total_cents AND refunded_cents <= total_cents - forgiven_cents
    AND (state = 'paid' OR bonus_cents + forgiven_cents + refunded_cents = 0));
"""

_DOWN = """
ALTER TABLE payments.invoices DROP CONSTRAINT invoices_refunds;
ALTER TABLE payments.invoices DROP COLUMN refunded_cents, DROP COLUMN forgiven_cents, DROP COLUMN bonus_cents;
DROP TABLE payments.stray_alerts;
DROP TABLE payments.refunds;
DROP FUNCTION payments.guard_refund();
DROP INDEX payments.receipts_suspense;
ALTER TABLE payments.receipts DROP CONSTRAINT receipts_credited;
ALTER TABLE payments.receipts DROP COLUMN assigned_by;
ALTER TABLE payments.receipts ADD CONSTRAINT receipts_credited CHECK (
    (state = 'credited') = (user_id IS NOT NULL AND invoice_id IS NOT NULL AND credited_at IS NOT NULL));
"""


def _script(sql: str) -> None:
    """Several statements as one simple query: op.execute would read colons and percent signs in them as parameters."""
    raw: Any = op.get_bind().connection.driver_connection
    raw.execute(sql)


def _as_before(function: str) -> str:
    """A function as migration 0002 made it."""
    made = (SQL / "0002_ledger_functions.sql").read_text()
    found = re.search(rf"^CREATE FUNCTION ledger\.{function}\(.*?^END \$\$;$", made, re.DOTALL | re.MULTILINE)
    if found is None:
        raise LookupError(function)
    return found.group(0).replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)


def upgrade() -> None:
    _script(_TABLES)
    _script(_PAID_BEFORE)
    _script((SQL / "0011_ledger_lots.sql").read_text())


def downgrade() -> None:
    _script(_DOWN)
    for function in ("move_lots", "post"):
        _script(_as_before(function))

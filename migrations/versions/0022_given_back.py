"""payments, boosts: how much of an invoice's price has gone back by now, and what that was made of."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"

# What finance gave back is money; `given_cents` counts the price. What orders gave back before is known to whoever
# takes commissions back. All of that went to the wallet; what is left of a price is split as it was paid.
_UP = """
ALTER TABLE payments.invoices ADD COLUMN given_cents bigint NOT NULL DEFAULT 0;
UPDATE payments.invoices SET given_cents =
    (refunded_cents * total_cents + total_cents - forgiven_cents - 1) / (total_cents - forgiven_cents)
WHERE refunded_cents > 0;
UPDATE payments.invoices i SET given_cents = least(i.total_cents, i.given_cents + r.cents)
FROM (SELECT invoice_id, sum(cents)::bigint AS cents FROM referrals.returns WHERE known = 'all' GROUP BY invoice_id) r
WHERE i.id = r.invoice_id AND i.state = 'paid';
ALTER TABLE payments.invoices ADD CONSTRAINT invoices_given CHECK (
    given_cents BETWEEN 0 AND total_cents AND given_cents >= refunded_cents AND (state = 'paid' OR given_cents = 0));

ALTER TABLE boosts.orders ADD COLUMN bonus_cents bigint NOT NULL DEFAULT 0,
    ADD COLUMN unpaid_cents bigint NOT NULL DEFAULT 0;
ALTER TABLE boosts.orders ADD CONSTRAINT orders_parts CHECK (
    bonus_cents >= 0 AND unpaid_cents >= 0 AND bonus_cents + unpaid_cents <= refunded_cents);
ALTER TABLE boosts.lines ADD COLUMN unpaid_cents bigint NOT NULL DEFAULT 0;
ALTER TABLE boosts.lines ADD CONSTRAINT lines_parts CHECK (unpaid_cents BETWEEN 0 AND refunded_cents);
"""

_DOWN = """
ALTER TABLE boosts.lines DROP CONSTRAINT lines_parts, DROP COLUMN unpaid_cents;
ALTER TABLE boosts.orders DROP CONSTRAINT orders_parts, DROP COLUMN unpaid_cents, DROP COLUMN bonus_cents;
ALTER TABLE payments.invoices DROP CONSTRAINT invoices_given, DROP COLUMN given_cents;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)

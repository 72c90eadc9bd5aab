"""boosts: orders that come from a paid invoice, and lines that somebody other than a panel works at."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"

UP = """
ALTER TABLE boosts.orders
    ALTER COLUMN draft_id DROP NOT NULL,
    ADD COLUMN invoice_id bigint,
    ADD COLUMN units bigint DEFAULT 1 NOT NULL,
    ADD COLUMN answers jsonb DEFAULT '{}'::jsonb NOT NULL,
    ADD CONSTRAINT orders_of_invoice UNIQUE (invoice_id),
    ADD CONSTRAINT orders_origin CHECK ((draft_id IS NULL) <> (invoice_id IS NULL)),
    ADD CONSTRAINT orders_paid_with CHECK ((asset = '') = (draft_id IS NULL)),
    ADD CONSTRAINT orders_money_back CHECK (asset <> '' OR NOT credit_returned),
    ADD CONSTRAINT orders_units CHECK (units > 0);
ALTER TABLE boosts.lines
    ADD COLUMN engine text,
    ADD CONSTRAINT lines_engine CHECK (engine IN ('crowd', 'staff'));
"""
DOWN = """
ALTER TABLE boosts.lines DROP COLUMN engine;
ALTER TABLE boosts.orders
    DROP CONSTRAINT orders_of_invoice,
    DROP CONSTRAINT orders_origin,
    DROP CONSTRAINT orders_paid_with,
    DROP CONSTRAINT orders_money_back,
    DROP CONSTRAINT orders_units,
    DROP COLUMN answers,
    DROP COLUMN units,
    DROP COLUMN invoice_id,
    ALTER COLUMN draft_id SET NOT NULL;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    """Fails where such orders exist: they were paid for."""
    op.execute(DOWN)

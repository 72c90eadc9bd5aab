"""boosts: what buyers of goods answered before they paid, and the cards that staff work at."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"

TABLES = """
-- goods that somebody is about to buy; once it has an invoice it is never deleted and its answers never change
CREATE TABLE boosts.goods_requests (
    id bigint GENERATED ALWAYS AS IDENTITY,
    user_id bigint NOT NULL,
    plan_id text NOT NULL,
    quantity bigint NOT NULL,
    answers jsonb DEFAULT '{}'::jsonb NOT NULL,
    state text NOT NULL,
    invoice_id bigint,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT goods_requests_of_invoice UNIQUE (invoice_id),
    CONSTRAINT goods_requests_state CHECK (state IN ('open', 'invoiced', 'ordered', 'returned', 'discarded')),
    CONSTRAINT goods_requests_invoiced CHECK (
        (invoice_id IS NOT NULL) = (state IN ('invoiced', 'ordered', 'returned'))
    ),
    CONSTRAINT goods_requests_quantity CHECK (quantity > 0)
);
CREATE INDEX goods_requests_open ON boosts.goods_requests (user_id, id) WHERE state = 'open';

-- one for each line that staff work at
CREATE TABLE boosts.staff_cards (
    id bigint GENERATED ALWAYS AS IDENTITY,
    order_id bigint NOT NULL,
    line_id bigint NOT NULL,
    state text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    taken_by bigint,
    taken_at timestamptz,
    decided_by bigint,
    decided_at timestamptz,
    reason text DEFAULT '' NOT NULL,
    created_at timestamptz NOT NULL,
    remind_at timestamptz,
    PRIMARY KEY (id),
    CONSTRAINT staff_cards_of_line UNIQUE (line_id),
    CONSTRAINT staff_cards_state CHECK (state IN ('open', 'taken', 'done', 'cannot', 'closed')),
    CONSTRAINT staff_cards_taken CHECK (
        (taken_by IS NULL) = (taken_at IS NULL) AND (state <> 'open' OR taken_by IS NULL)
        AND (state NOT IN ('taken', 'done', 'cannot') OR taken_by IS NOT NULL)
    ),
    CONSTRAINT staff_cards_decided CHECK (
        (decided_by IS NULL) = (decided_at IS NULL) AND (decided_by IS NOT NULL) = (state IN ('done', 'cannot'))
    ),
    CONSTRAINT staff_cards_reason CHECK ((reason <> '') = (state = 'cannot')),
    CONSTRAINT staff_cards_remind CHECK ((remind_at IS NOT NULL) = (state IN ('open', 'taken'))),
    FOREIGN KEY (order_id) REFERENCES boosts.orders (id),
    FOREIGN KEY (line_id) REFERENCES boosts.lines (id)
);
CREATE INDEX staff_cards_waiting ON boosts.staff_cards (id) WHERE state IN ('open', 'taken');
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON boosts.goods_requests TO viralcore_app")
    op.execute("GRANT SELECT, INSERT, UPDATE ON boosts.staff_cards TO viralcore_app")


def downgrade() -> None:
    op.execute("DROP TABLE boosts.staff_cards; DROP TABLE boosts.goods_requests;")

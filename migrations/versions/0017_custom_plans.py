"""boosts: plans made for one person, orders that are paused, and drafts that know what plan they showed."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"

UP = """
CREATE TABLE boosts.custom_plans (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL,
    title text NOT NULL,
    likes bigint NOT NULL,
    reposts bigint NOT NULL,
    comments bigint NOT NULL,
    views bigint NOT NULL,
    price numeric NOT NULL,
    preset bigint NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT custom_plans_sizes CHECK (
        likes >= 0 AND reposts >= 0 AND comments >= 0 AND views >= 0 AND likes + reposts + comments + views > 0
    ),
    CONSTRAINT custom_plans_price CHECK (price >= 0 AND preset >= 0)
);
CREATE INDEX custom_plans_by_user ON boosts.custom_plans (user_id, id);
ALTER TABLE boosts.drafts ADD COLUMN plan_version integer DEFAULT 0 NOT NULL;
ALTER TABLE boosts.orders
    ADD COLUMN paused_at timestamptz,
    ADD CONSTRAINT orders_paused CHECK (paused_at IS NULL OR finished_at IS NULL);
CREATE INDEX orders_history ON boosts.orders (plan_id, finished_at) WHERE finished_at IS NOT NULL;
GRANT SELECT, INSERT, UPDATE ON boosts.custom_plans TO viralcore_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA boosts TO viralcore_app;
"""
DOWN = """
DROP INDEX boosts.orders_history;
ALTER TABLE boosts.orders DROP COLUMN paused_at;
ALTER TABLE boosts.drafts DROP COLUMN plan_version;
DROP TABLE boosts.custom_plans;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    """What was sold of such plans stays in the ledger, and in the orders."""
    op.execute(DOWN)

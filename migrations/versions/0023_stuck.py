"""boosts: panel orders that do not end, who waits for a list, how long a balance lasts, and figures that stay cheap."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"

UP = """
ALTER TABLE boosts.phases
    ADD COLUMN placed_at timestamptz,
    ADD COLUMN strange_since timestamptz,
    ADD COLUMN said text,
    ADD CONSTRAINT phases_strange CHECK ((strange_since IS NULL) = (said IS NULL));
CREATE INDEX phases_ended ON boosts.phases (finished_at) WHERE finished_at IS NOT NULL;
DROP INDEX boosts.phases_completed;
CREATE INDEX phases_open ON boosts.phases (order_id) WHERE finished_at IS NULL;
ALTER TABLE boosts.attempts ADD COLUMN numbers text[] DEFAULT '{}'::text[] NOT NULL;
CREATE TABLE boosts.stuck (
    phase_id bigint PRIMARY KEY REFERENCES boosts.phases (id),
    told_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON boosts.stuck TO viralcore_app;
CREATE INDEX orders_ended ON boosts.orders (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX orders_open ON boosts.orders (id) WHERE finished_at IS NULL;
ALTER TABLE boosts.panels
    ADD COLUMN sync_asked_by bigint,
    ADD COLUMN short boolean DEFAULT false NOT NULL;
"""
# A number is kept, and where staff put it right the one before stays to be seen.
RULES = """
CREATE OR REPLACE FUNCTION boosts.guard_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.panel, NEW.service, NEW.link, NEW.quantity) IS DISTINCT FROM
       (OLD.panel, OLD.service, OLD.link, OLD.quantity)
       OR NEW.numbers IS DISTINCT FROM OLD.numbers AND NOT (
           OLD.state = 'sent' AND NEW.state = 'sent' AND NEW.numbers = array_append(OLD.numbers, OLD.panel_order)
       )
       OR NEW.numbers = OLD.numbers AND OLD.state NOT IN ('sending', 'unknown') THEN
        RAISE EXCEPTION 'attempt % of phase % is decided', OLD.number, OLD.phase_id;
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION boosts.guard_phase() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.finished_at IS NOT NULL AND NOT (
        OLD.state = 'completed' AND NEW.finished_at = OLD.finished_at AND NEW.quantity = OLD.quantity
        AND (
            (NEW.state = 'completed' AND NEW.delivered = OLD.delivered)
            OR (NEW.state IN ('partial', 'failed') AND NEW.delivered < OLD.delivered)
        )
    ) THEN
        RAISE EXCEPTION 'phase % has ended', OLD.id;
    END IF;
    IF OLD.panel_order IS NOT NULL AND NEW.panel_order IS DISTINCT FROM OLD.panel_order AND NOT (
        OLD.state = 'sent' AND NEW.state = 'sent' AND NEW.attempt = OLD.attempt AND NEW.delivered = 0 AND EXISTS (
            SELECT 1 FROM boosts.attempts a WHERE a.phase_id = NEW.id AND a.number = NEW.attempt
                AND a.panel_order = NEW.panel_order AND a.numbers[cardinality(a.numbers)] = OLD.panel_order
        )
    ) THEN
        RAISE EXCEPTION 'phase % keeps its panel order', OLD.id;
    END IF;
    RETURN NEW;
END $$;
"""
RULES_BEFORE = """
CREATE OR REPLACE FUNCTION boosts.guard_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.panel, NEW.service, NEW.link, NEW.quantity) IS DISTINCT FROM
       (OLD.panel, OLD.service, OLD.link, OLD.quantity) OR OLD.state NOT IN ('sending', 'unknown') THEN
        RAISE EXCEPTION 'attempt % of phase % is decided', OLD.number, OLD.phase_id;
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION boosts.guard_phase() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.finished_at IS NOT NULL AND NOT (
        OLD.state = 'completed' AND NEW.finished_at = OLD.finished_at AND NEW.quantity = OLD.quantity
        AND (
            (NEW.state = 'completed' AND NEW.delivered = OLD.delivered)
            OR (NEW.state IN ('partial', 'failed') AND NEW.delivered < OLD.delivered)
        )
    ) THEN
        RAISE EXCEPTION 'phase % has ended', OLD.id;
    END IF;
    IF OLD.panel_order IS NOT NULL AND NEW.panel_order IS DISTINCT FROM OLD.panel_order THEN
        RAISE EXCEPTION 'phase % keeps its panel order', OLD.id;
    END IF;
    RETURN NEW;
END $$;
"""
DOWN = """
ALTER TABLE boosts.panels
    DROP COLUMN short,
    DROP COLUMN sync_asked_by;
DROP INDEX boosts.orders_open;
DROP INDEX boosts.orders_ended;
CREATE INDEX phases_completed ON boosts.phases (finished_at) WHERE state = 'completed';
DROP TABLE boosts.stuck;
ALTER TABLE boosts.attempts DROP COLUMN numbers;
DROP INDEX boosts.phases_open;
DROP INDEX boosts.phases_ended;
ALTER TABLE boosts.phases
    DROP CONSTRAINT phases_strange,
    DROP COLUMN said,
    DROP COLUMN strange_since,
    DROP COLUMN placed_at;
"""


def upgrade() -> None:
    op.execute(UP)
    op.execute(RULES)


def downgrade() -> None:
    op.execute(RULES_BEFORE)
    op.execute(DOWN)

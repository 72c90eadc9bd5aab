"""boosts: rests that are ordered once more, services as panels list them, requests to panels, and their record."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"

UP = """
ALTER TABLE boosts.phases
    ADD COLUMN remainder_of bigint REFERENCES boosts.phases (id),
    ADD COLUMN avoid text,
    ADD COLUMN first_at timestamptz,
    ADD CONSTRAINT phases_remainder_once UNIQUE (remainder_of),
    ADD CONSTRAINT phases_remainder CHECK ((remainder_of IS NULL) = (avoid IS NULL));
CREATE INDEX phases_completed ON boosts.phases (finished_at) WHERE state = 'completed';
CREATE INDEX attempts_by_created ON boosts.attempts (created_at);
CREATE INDEX phases_by_sent ON boosts.phases (panel, sent_at) WHERE panel IS NOT NULL;
ALTER TABLE boosts.panels
    ADD COLUMN preferred boolean DEFAULT false NOT NULL,
    ADD COLUMN samples integer DEFAULT 0 NOT NULL,
    ADD COLUMN success numeric,
    ADD COLUMN cancelled numeric,
    ADD COLUMN first_seconds integer,
    ADD COLUMN spent_a_day numeric,
    ADD COLUMN rated_at timestamptz,
    ADD COLUMN synced_at timestamptz,
    ADD COLUMN sync_asked_at timestamptz;
CREATE UNIQUE INDEX panels_preferred ON boosts.panels (preferred) WHERE preferred;
CREATE TABLE boosts.balances (
    panel text NOT NULL,
    at timestamptz NOT NULL,
    balance numeric NOT NULL,
    currency text NOT NULL,
    PRIMARY KEY (panel, at)
);
CREATE TABLE boosts.offers (
    panel text NOT NULL,
    service text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    category text NOT NULL,
    rate numeric NOT NULL,
    minimum bigint NOT NULL,
    maximum bigint NOT NULL,
    refill boolean NOT NULL,
    cancel boolean NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (panel, service)
);
CREATE TABLE boosts.services (
    panel text NOT NULL,
    platform text NOT NULL,
    metric text NOT NULL,
    service text NOT NULL,
    name text DEFAULT '' NOT NULL,
    minimum bigint NOT NULL,
    maximum bigint NOT NULL,
    rate numeric NOT NULL,
    agreed_rate numeric NOT NULL,
    refill boolean DEFAULT false NOT NULL,
    cancel boolean DEFAULT false NOT NULL,
    state text DEFAULT 'ok' NOT NULL,
    reason text DEFAULT '' NOT NULL,
    chosen_by bigint,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (panel, platform, metric),
    CONSTRAINT services_state CHECK (state IN ('ok', 'quarantined')),
    CONSTRAINT services_reason CHECK ((state = 'ok') = (reason = '')),
    CONSTRAINT services_sizes CHECK (minimum > 0 AND minimum <= maximum AND rate >= 0 AND agreed_rate >= 0)
);
CREATE TABLE boosts.service_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    panel text NOT NULL,
    platform text NOT NULL,
    metric text NOT NULL,
    service text NOT NULL,
    what text NOT NULL,
    before text NOT NULL,
    after text NOT NULL,
    quarantined boolean NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX service_changes_by_panel ON boosts.service_changes (panel, id);
CREATE TABLE boosts.requests (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    phase_id bigint NOT NULL REFERENCES boosts.phases (id),
    order_id bigint NOT NULL REFERENCES boosts.orders (id),
    what text NOT NULL,
    state text NOT NULL,
    panel text NOT NULL,
    panel_order text NOT NULL,
    ticket text,
    words text DEFAULT '' NOT NULL,
    asked_by bigint NOT NULL,
    created_at timestamptz NOT NULL,
    polled_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT requests_what CHECK (what IN ('refill', 'cancel')),
    CONSTRAINT requests_state
        CHECK (state IN ('asking', 'accepted', 'refused', 'unknown', 'done', 'rejected', 'lapsed')),
    CONSTRAINT requests_ended CHECK ((ended_at IS NULL) = (state IN ('asking', 'accepted')))
);
CREATE UNIQUE INDEX requests_one_open ON boosts.requests (phase_id, what) WHERE state IN ('asking', 'accepted');
CREATE INDEX requests_by_order ON boosts.requests (order_id);
CREATE INDEX requests_accepted ON boosts.requests (polled_at) WHERE state = 'accepted';
GRANT SELECT, INSERT, UPDATE ON boosts.balances, boosts.offers, boosts.services, boosts.service_changes,
    boosts.requests TO viralcore_app;
GRANT DELETE ON boosts.balances, boosts.offers, boosts.service_changes TO viralcore_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA boosts TO viralcore_app;
"""
RULES = """
CREATE OR REPLACE FUNCTION boosts.guard_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.finished_at IS NOT NULL AND NOT (
        OLD.state IN ('completed', 'partial') AND NEW.state IN ('partial', 'failed') AND NOT OLD.credit_returned
        AND NEW.refunded_cents >= OLD.refunded_cents AND NEW.finished_at = OLD.finished_at
        AND (NEW.user_id, NEW.unit_cost, NEW.units, NEW.link) = (OLD.user_id, OLD.unit_cost, OLD.units, OLD.link)
    ) THEN
        RAISE EXCEPTION 'order % has ended', OLD.id;
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
RULES_BEFORE = """
CREATE OR REPLACE FUNCTION boosts.guard_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.finished_at IS NOT NULL THEN
        RAISE EXCEPTION 'order % has ended', OLD.id;
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION boosts.guard_phase() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.finished_at IS NOT NULL THEN
        RAISE EXCEPTION 'phase % has ended', OLD.id;
    END IF;
    IF OLD.panel_order IS NOT NULL AND NEW.panel_order IS DISTINCT FROM OLD.panel_order THEN
        RAISE EXCEPTION 'phase % keeps its panel order', OLD.id;
    END IF;
    RETURN NEW;
END $$;
"""
DOWN = """
DROP TABLE boosts.requests, boosts.service_changes, boosts.services, boosts.offers, boosts.balances;
ALTER TABLE boosts.panels
    DROP COLUMN preferred,
    DROP COLUMN samples,
    DROP COLUMN success,
    DROP COLUMN cancelled,
    DROP COLUMN first_seconds,
    DROP COLUMN spent_a_day,
    DROP COLUMN rated_at,
    DROP COLUMN synced_at,
    DROP COLUMN sync_asked_at;
DROP INDEX boosts.attempts_by_created, boosts.phases_by_sent, boosts.phases_completed;
ALTER TABLE boosts.phases DROP COLUMN remainder_of, DROP COLUMN avoid, DROP COLUMN first_at;
"""


def upgrade() -> None:
    op.execute(UP)
    op.execute(RULES)


def downgrade() -> None:
    op.execute(RULES_BEFORE)
    op.execute(DOWN)

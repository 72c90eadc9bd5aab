"""boosts: drafts, orders with their lines and phases, attempts at panels, and what was last known of each panel."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

TABLES = """
CREATE SCHEMA boosts;

CREATE TABLE boosts.drafts (
    id bigint GENERATED ALWAYS AS IDENTITY,
    user_id bigint NOT NULL,
    links jsonb NOT NULL,
    problems jsonb NOT NULL,
    plan_id text,
    unit_cost numeric,
    state text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT drafts_state CHECK (state IN ('open', 'confirmed', 'discarded')),
    CONSTRAINT drafts_plan CHECK ((plan_id IS NULL) = (unit_cost IS NULL))
);
CREATE INDEX drafts_old ON boosts.drafts (expires_at) WHERE state <> 'confirmed';

CREATE TABLE boosts.panels (
    name text NOT NULL,
    up boolean DEFAULT true NOT NULL,
    active boolean DEFAULT false NOT NULL,
    low boolean DEFAULT false NOT NULL,
    balance numeric,
    currency text,
    checked_at timestamptz,
    PRIMARY KEY (name)
);

CREATE TABLE boosts.troubles (
    panel text NOT NULL,
    what text NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (panel, what)
);

CREATE TABLE boosts.orders (
    id bigint GENERATED ALWAYS AS IDENTITY,
    user_id bigint NOT NULL,
    draft_id bigint NOT NULL,
    position integer NOT NULL,
    plan_id text NOT NULL,
    plan_title text NOT NULL,
    asset text NOT NULL,
    platform text NOT NULL,
    link text NOT NULL,
    handle text NOT NULL,
    post_id text NOT NULL,
    unit_cost numeric NOT NULL,
    state text NOT NULL,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    refunded_cents bigint DEFAULT 0 NOT NULL,
    credit_returned boolean DEFAULT false NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT orders_of_draft UNIQUE (draft_id, position),
    CONSTRAINT orders_state CHECK (state IN (
        'scheduled', 'sending', 'in_progress', 'completed', 'partial', 'failed', 'cancelled'
    )),
    CONSTRAINT orders_finished CHECK ((finished_at IS NULL) = (state IN ('scheduled', 'sending', 'in_progress'))),
    CONSTRAINT orders_amounts CHECK (unit_cost >= 0 AND refunded_cents >= 0),
    CONSTRAINT orders_returned_once CHECK (NOT (credit_returned AND refunded_cents > 0)),
    FOREIGN KEY(draft_id) REFERENCES boosts.drafts (id)
);
CREATE INDEX orders_by_user ON boosts.orders (user_id, id);

CREATE TABLE boosts.lines (
    id bigint GENERATED ALWAYS AS IDENTITY,
    order_id bigint NOT NULL,
    metric text NOT NULL,
    channel text NOT NULL,
    quantity bigint NOT NULL,
    share numeric NOT NULL,
    state text NOT NULL,
    delivered bigint DEFAULT 0 NOT NULL,
    refunded_cents bigint DEFAULT 0 NOT NULL,
    finished_at timestamptz,
    PRIMARY KEY (id),
    CONSTRAINT lines_of_order UNIQUE (order_id, metric, channel),
    CONSTRAINT lines_state CHECK (state IN (
        'scheduled', 'sending', 'in_progress', 'completed', 'partial', 'failed', 'cancelled', 'refunded'
    )),
    CONSTRAINT lines_sizes CHECK (quantity > 0 AND share > 0 AND share <= 1),
    CONSTRAINT lines_amounts CHECK (delivered >= 0 AND refunded_cents >= 0),
    FOREIGN KEY(order_id) REFERENCES boosts.orders (id)
);

CREATE TABLE boosts.phases (
    id bigint GENERATED ALWAYS AS IDENTITY,
    order_id bigint NOT NULL,
    line_id bigint NOT NULL,
    number integer NOT NULL,
    quantity bigint NOT NULL,
    due_at timestamptz NOT NULL,
    next_at timestamptz,
    state text NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    round integer DEFAULT 0 NOT NULL,
    tried jsonb DEFAULT '[]'::jsonb NOT NULL,
    troubled_since timestamptz,
    panel text,
    service text,
    panel_order text,
    sent_at timestamptz,
    polled_at timestamptz,
    start_count bigint,
    remains bigint,
    charge numeric,
    currency text,
    delivered bigint DEFAULT 0 NOT NULL,
    finished_at timestamptz,
    PRIMARY KEY (id),
    CONSTRAINT phases_of_line UNIQUE (line_id, number),
    CONSTRAINT phases_state CHECK (state IN (
        'waiting', 'sending', 'sent', 'unknown', 'completed', 'partial', 'failed', 'cancelled'
    )),
    CONSTRAINT phases_waiting CHECK ((state = 'waiting') = (next_at IS NOT NULL)),
    CONSTRAINT phases_tried CHECK (state NOT IN ('sending', 'unknown') OR (panel IS NOT NULL AND attempt > 0)),
    CONSTRAINT phases_panel_order CHECK (state NOT IN ('sent', 'completed', 'partial') OR panel_order IS NOT NULL),
    CONSTRAINT phases_finished CHECK ((finished_at IS NULL) = (state IN ('waiting', 'sending', 'sent', 'unknown'))),
    CONSTRAINT phases_amounts CHECK (quantity > 0 AND delivered >= 0 AND delivered <= quantity),
    FOREIGN KEY(order_id) REFERENCES boosts.orders (id),
    FOREIGN KEY(line_id) REFERENCES boosts.lines (id)
);
CREATE INDEX phases_by_order ON boosts.phases (order_id);
CREATE INDEX phases_due ON boosts.phases (next_at) WHERE state = 'waiting';
CREATE INDEX phases_running ON boosts.phases (polled_at) WHERE state = 'sent';
CREATE INDEX phases_unknown ON boosts.phases (id) WHERE state = 'unknown';

CREATE TABLE boosts.attempts (
    phase_id bigint NOT NULL,
    number integer NOT NULL,
    panel text NOT NULL,
    service text NOT NULL,
    link text NOT NULL,
    quantity bigint NOT NULL,
    state text NOT NULL,
    why text DEFAULT '' NOT NULL,
    words text DEFAULT '' NOT NULL,
    panel_order text,
    created_at timestamptz NOT NULL,
    decided_at timestamptz,
    PRIMARY KEY (phase_id, number),
    CONSTRAINT attempts_state CHECK (state IN ('sending', 'sent', 'refused', 'unknown', 'not_placed')),
    CONSTRAINT attempts_panel_order CHECK ((state = 'sent') = (panel_order IS NOT NULL)),
    FOREIGN KEY(phase_id) REFERENCES boosts.phases (id)
);
CREATE UNIQUE INDEX attempts_panel_order_once ON boosts.attempts (panel, panel_order) WHERE panel_order IS NOT NULL;
"""

# An accepted panel order is never forgotten, and an ended phase or order never comes back to life, whatever the
# application does: each could mean a second send or a second refund.
RULES = """
CREATE FUNCTION boosts.guard_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.finished_at IS NOT NULL THEN
        RAISE EXCEPTION 'order % has ended', OLD.id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_order BEFORE UPDATE ON boosts.orders FOR EACH ROW EXECUTE FUNCTION boosts.guard_order();

CREATE FUNCTION boosts.guard_phase() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.finished_at IS NOT NULL THEN
        RAISE EXCEPTION 'phase % has ended', OLD.id;
    END IF;
    IF OLD.panel_order IS NOT NULL AND NEW.panel_order IS DISTINCT FROM OLD.panel_order THEN
        RAISE EXCEPTION 'phase % keeps its panel order', OLD.id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_phase BEFORE UPDATE ON boosts.phases FOR EACH ROW EXECUTE FUNCTION boosts.guard_phase();

CREATE FUNCTION boosts.guard_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.panel, NEW.service, NEW.link, NEW.quantity) IS DISTINCT FROM
       (OLD.panel, OLD.service, OLD.link, OLD.quantity) OR OLD.state NOT IN ('sending', 'unknown') THEN
        RAISE EXCEPTION 'attempt % of phase % is decided', OLD.number, OLD.phase_id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_attempt BEFORE UPDATE ON boosts.attempts FOR EACH ROW EXECUTE FUNCTION boosts.guard_attempt();
"""

GRANTS = """
GRANT USAGE ON SCHEMA boosts TO viralcore_app;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA boosts TO viralcore_app;
GRANT DELETE ON boosts.drafts, boosts.troubles TO viralcore_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA boosts TO viralcore_app;
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(RULES)
    op.execute(GRANTS)


def downgrade() -> None:
    op.execute("DROP SCHEMA boosts CASCADE")

"""core: events, deliveries, effects, inbox, leases, idempotency, and the PgQueuer tables in schema `queue`."""

from __future__ import annotations

from typing import Any

from alembic import op
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from pgqueuer.domain.settings import DBSettings

revision = "0001"
down_revision = None

ROLE = """
DO $$
BEGIN
    CREATE ROLE viralcore_app NOLOGIN;
EXCEPTION
    -- roles belong to the cluster: another database may have made it already, even at this very moment
    WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$
BEGIN
    EXECUTE format('GRANT viralcore_app TO %I', current_user);
END $$;
"""

CORE = """
CREATE SCHEMA core;

-- facts about this database itself, e.g. which ENVIRONMENT it belongs to
CREATE TABLE core.meta (
    key text PRIMARY KEY,
    value text NOT NULL
);

CREATE TABLE core.idempotency (
    scope text NOT NULL,
    key text NOT NULL,
    inputs_hash text NOT NULL,
    result jsonb,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_created ON core.idempotency (created_at);

CREATE TABLE core.events (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    payload jsonb NOT NULL,
    correlation_id text NOT NULL DEFAULT '',
    recorded_at timestamptz NOT NULL
);
CREATE INDEX events_recorded ON core.events (recorded_at);

-- one row per event and subscriber, born with the event
-- retry_at set: waits for that business time; null: a job is queued
CREATE TABLE core.deliveries (
    event_id uuid NOT NULL REFERENCES core.events (id) ON DELETE CASCADE,
    subscriber text NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'held')),
    attempts integer NOT NULL DEFAULT 0,
    gen integer NOT NULL DEFAULT 1,
    retry_at timestamptz,
    error text NOT NULL DEFAULT '',
    done_at timestamptz,
    PRIMARY KEY (event_id, subscriber)
);
CREATE INDEX deliveries_pending ON core.deliveries (retry_at) WHERE state = 'pending';
CREATE INDEX deliveries_held ON core.deliveries (event_id) WHERE state = 'held';

-- processes that work the queue; each holds the advisory lock (28515, id) on its LISTEN connection while it lives
CREATE TABLE core.workers (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid uuid NOT NULL UNIQUE,
    identity text NOT NULL,
    server_started timestamptz NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now()
);

-- due set: waits for that business time; null: a job is queued (or it is being called, or over)
CREATE TABLE core.effects (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    key text NOT NULL,
    ref text NOT NULL DEFAULT '',
    payload jsonb,
    sealed text,
    state text NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'calling', 'answered', 'succeeded', 'refused', 'unknown', 'held')),
    attempts integer NOT NULL DEFAULT 0,
    gen integer NOT NULL DEFAULT 1,
    due timestamptz,
    claimed_by uuid,
    answer jsonb,
    error text NOT NULL DEFAULT '',
    record_failures integer NOT NULL DEFAULT 0,
    correlation_id text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    UNIQUE (kind, key)
);
CREATE INDEX effects_open ON core.effects (due) WHERE state IN ('queued', 'calling', 'answered');
CREATE INDEX effects_claimed ON core.effects (claimed_by) WHERE state = 'calling';
CREATE INDEX effects_ref ON core.effects (ref) WHERE ref <> '';
CREATE INDEX effects_stuck ON core.effects (state) WHERE state IN ('unknown', 'held');
CREATE INDEX effects_finished ON core.effects (finished_at);

CREATE TABLE core.inbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    external_id text NOT NULL,
    order_key text NOT NULL,
    payload jsonb,
    received_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'handled', 'held')),
    attempts integer NOT NULL DEFAULT 0,
    error text NOT NULL DEFAULT '',
    handled_at timestamptz,
    UNIQUE (source, external_id)
);
CREATE INDEX inbox_pending ON core.inbox (source, order_key, id) WHERE state = 'pending';
CREATE INDEX inbox_handled ON core.inbox (handled_at) WHERE state <> 'pending';

-- `until` is machine time (the database's clock), never business time
CREATE TABLE core.leases (
    name text PRIMARY KEY,
    holder text NOT NULL,
    until timestamptz NOT NULL,
    epoch bigint NOT NULL DEFAULT 1
);

CREATE TABLE core.job_runs (
    name text PRIMARY KEY,
    last_run timestamptz NOT NULL,
    last_ok boolean NOT NULL,
    error text NOT NULL DEFAULT ''
);
"""

GRANTS = """
GRANT USAGE ON SCHEMA core, queue TO viralcore_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA core, queue TO viralcore_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA core, queue TO viralcore_app;
"""


def _script(sql: str) -> None:
    """Several statements as one simple query: op.execute would read colons and percent signs in them as parameters."""
    raw: Any = op.get_bind().connection.driver_connection
    raw.execute(sql)


def _pgqueuer() -> QueryBuilderEnvironment:
    return QueryBuilderEnvironment(settings=DBSettings(db_schema="queue"))


def upgrade() -> None:
    _script(ROLE)
    _script(CORE)
    _script(_pgqueuer().build_install_query())
    _script(GRANTS)


def downgrade() -> None:
    # The role stays: it belongs to the cluster, and other databases on it may be using it.
    _script("DROP SCHEMA queue CASCADE; DROP SCHEMA core CASCADE;")

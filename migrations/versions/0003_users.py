"""users: people, terms they accepted, roles, staff sessions, blocks, and the audit log nobody can rewrite."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

TABLES = """
CREATE SCHEMA users;

CREATE TABLE users.people (
    id bigint CONSTRAINT pk_people PRIMARY KEY,
    first_name text NOT NULL,
    username text,
    language_code text,
    first_payload text,
    unreachable boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT ck_people_id CHECK (id > 0),
    CONSTRAINT ck_people_names CHECK (length(first_name) <= 256 AND length(username) BETWEEN 1 AND 64)
);
-- names move from person to person, but only one has a name at a time
CREATE UNIQUE INDEX uq_people_username ON users.people (lower(username));
CREATE INDEX ix_people_created_at ON users.people (created_at);

CREATE TABLE users.terms (
    user_id bigint NOT NULL,
    version text NOT NULL,
    accepted_at timestamptz NOT NULL,
    CONSTRAINT pk_terms PRIMARY KEY (user_id, version),
    CONSTRAINT fk_terms_person FOREIGN KEY (user_id) REFERENCES users.people (id)
);

-- no foreign key: an owner is named in ADMIN_IDS before the bot has met them
CREATE TABLE users.roles (
    user_id bigint NOT NULL,
    role text NOT NULL,
    granted_by bigint NOT NULL,
    granted_at timestamptz NOT NULL,
    CONSTRAINT pk_roles PRIMARY KEY (user_id, role),
    CONSTRAINT ck_roles_user_id CHECK (user_id > 0),
    CONSTRAINT ck_roles_role CHECK (role IN ('reply_guy', 'support', 'finance', 'owner'))
);
CREATE INDEX ix_roles_role ON users.roles (role);

CREATE TABLE users.sessions (
    user_id bigint CONSTRAINT pk_sessions PRIMARY KEY,
    until timestamptz NOT NULL
);

CREATE TABLE users.blocks (
    kind text NOT NULL,
    value text NOT NULL,
    reason text NOT NULL,
    blocked_by bigint NOT NULL,
    blocked_at timestamptz NOT NULL,
    CONSTRAINT pk_blocks PRIMARY KEY (kind, value),
    CONSTRAINT ck_blocks_kind CHECK (kind IN ('user', 'link', 'handle'))
);

CREATE TABLE users.audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_audit_log PRIMARY KEY,
    at timestamptz NOT NULL,
    actor bigint NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    before jsonb,
    after jsonb,
    reason text NOT NULL,
    correlation_id text NOT NULL
);
CREATE INDEX ix_audit_log_actor_id ON users.audit_log (actor, id);
CREATE INDEX ix_audit_log_subject_id ON users.audit_log (subject, id);

CREATE FUNCTION users.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON users.audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION users.refuse_change();
ALTER TABLE users.audit_log ENABLE ALWAYS TRIGGER audit_log_append_only;
"""

GRANTS = """
GRANT USAGE ON SCHEMA users TO viralcore_app;
GRANT SELECT, INSERT, UPDATE ON users.people, users.sessions TO viralcore_app;
GRANT SELECT, INSERT ON users.terms, users.audit_log TO viralcore_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON users.roles, users.blocks TO viralcore_app;
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(GRANTS)


def downgrade() -> None:
    op.execute("DROP SCHEMA users CASCADE")

"""The tables of users."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="users")

INSTANT = DateTime(timezone=True)

people = Table(
    "people",
    metadata,
    Column("id", BigInteger, autoincrement=False),
    Column("first_name", Text, nullable=False),
    Column("username", Text),
    Column("language_code", Text),
    Column("first_payload", Text),
    Column("unreachable", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("id", name="pk_people"),
    CheckConstraint("id > 0", name="ck_people_id"),
    Index("ix_people_created_at", "created_at"),
)
Index("uq_people_username", func.lower(people.c.username), unique=True)

terms = Table(
    "terms",
    metadata,
    Column("user_id", BigInteger),
    Column("version", Text),
    Column("accepted_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("user_id", "version", name="pk_terms"),
    ForeignKeyConstraint(["user_id"], ["users.people.id"], name="fk_terms_person"),
)

roles = Table(
    "roles",
    metadata,
    Column("user_id", BigInteger),
    Column("role", Text),
    Column("granted_by", BigInteger, nullable=False),
    Column("granted_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("user_id", "role", name="pk_roles"),
    CheckConstraint("user_id > 0", name="ck_roles_user_id"),
    Index("ix_roles_role", "role"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("user_id", BigInteger, autoincrement=False),
    Column("until", INSTANT, nullable=False),
    PrimaryKeyConstraint("user_id", name="pk_sessions"),
)

blocks = Table(
    "blocks",
    metadata,
    Column("kind", Text),
    Column("value", Text),
    Column("reason", Text, nullable=False),
    Column("blocked_by", BigInteger, nullable=False),
    Column("blocked_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("kind", "value", name="pk_blocks"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", BigInteger, Identity(always=True)),
    Column("at", INSTANT, nullable=False),
    Column("actor", BigInteger, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB(none_as_null=True)),
    Column("reason", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    PrimaryKeyConstraint("id", name="pk_audit_log"),
    Index("ix_audit_log_actor_id", "actor", "id"),
    Index("ix_audit_log_subject_id", "subject", "id"),
)

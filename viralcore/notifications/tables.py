"""The tables of notifications."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="notifications")

INSTANT = DateTime(timezone=True)

notices = Table(
    "notices",
    metadata,
    Column("id", BigInteger, Identity(always=True)),
    Column("dedupe_key", Text, nullable=False),
    Column("live_key", Text),
    Column("channel", Text, nullable=False),
    Column("chat_id", BigInteger, nullable=False),
    Column("user_id", BigInteger),
    Column("template", Text, nullable=False),
    Column("params", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("wanted", Integer, nullable=False),
    Column("busy", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("error", Text, nullable=False, server_default=text("''")),
    Column("message_id", BigInteger),
    Column("digest", Text, nullable=False, server_default=text("''")),
    Column("created_at", INSTANT, nullable=False),
    Column("sent_at", INSTANT),
    PrimaryKeyConstraint("id", name="pk_notices"),
    UniqueConstraint("dedupe_key", name="uq_notices_dedupe_key"),
    UniqueConstraint("live_key", name="uq_notices_live_key"),
    CheckConstraint("channel IN ('telegram', 'admin_group', 'group', 'likes_group')", name="ck_notices_channel"),
    CheckConstraint("state IN ('queued', 'sent', 'dropped', 'failed', 'unreachable')", name="ck_notices_state"),
    Index("ix_notices_user_id", "user_id", "id"),
    Index("ix_notices_created_at", "created_at"),
)
"""`wanted` counts the wishes to show it (again); `busy`: an effect for one of them is under way, there is never a
second; `digest`: of what is shown now."""

moved_chats = Table(
    "moved_chats",
    metadata,
    Column("old_id", BigInteger, autoincrement=False),
    Column("new_id", BigInteger, nullable=False),
    Column("at", INSTANT, nullable=False),
    PrimaryKeyConstraint("old_id", name="pk_moved_chats"),
)

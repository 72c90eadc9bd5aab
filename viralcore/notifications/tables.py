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
    Column("waits_for", Text),
    PrimaryKeyConstraint("id", name="pk_notices"),
    UniqueConstraint("dedupe_key", name="uq_notices_dedupe_key"),
    UniqueConstraint("live_key", name="uq_notices_live_key"),
    CheckConstraint("channel IN ('telegram', 'admin_group', 'group', 'likes_group')", name="ck_notices_channel"),
    CheckConstraint("state IN ('queued', 'sent', 'dropped', 'failed', 'unreachable')", name="ck_notices_state"),
    Index("ix_notices_user_id", "user_id", "id"),
    Index("ix_notices_created_at", "created_at"),
    Index("ix_notices_waits_for", "waits_for", postgresql_where=text("waits_for IS NOT NULL")),
)
"""`wanted` counts the wishes to show it (again); `busy`: an effect for one of them is under way, there is never a
second; `digest`: of what is shown now; `waits_for`: the topic it is to stand in is being made, and whoever hears what
became of that goes on with it (it is busy meanwhile, without an effect of its own)."""

topics = Table(
    "topics",
    metadata,
    Column("chat_id", BigInteger, autoincrement=False),
    Column("kind", Text),
    Column("state", Text, nullable=False),
    Column("thread_id", BigInteger),
    Column("generation", Integer, nullable=False),
    Column("made", Integer, nullable=False, server_default=text("0")),
    Column("reason", Text, nullable=False, server_default=text("''")),
    Column("at", INSTANT, nullable=False),
    PrimaryKeyConstraint("chat_id", "kind", name="pk_topics"),
    CheckConstraint("state IN ('wanted', 'open', 'refused', 'unknown', 'lost')", name="ck_topics_state"),
    CheckConstraint("(state = 'open') = (thread_id IS NOT NULL)", name="ck_topics_thread"),
)
"""`generation`: how often it was asked for, and part of the key it is asked for with; `made`: how often it was made."""

moved_chats = Table(
    "moved_chats",
    metadata,
    Column("old_id", BigInteger, autoincrement=False),
    Column("new_id", BigInteger, nullable=False),
    Column("at", INSTANT, nullable=False),
    PrimaryKeyConstraint("old_id", name="pk_moved_chats"),
)

"""The bot's own tables: what each chat shows and what it is being asked."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="bot")

homes = Table(
    "homes",
    metadata,
    Column("chat_id", BigInteger, primary_key=True, autoincrement=False),
    Column("message_id", BigInteger, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("prev_nonce", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("update_id", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("picture", Text, nullable=False),
)

dialogues = Table(
    "dialogues",
    metadata,
    Column("chat_id", BigInteger, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("question", Text, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("update_id", BigInteger, nullable=False),
    Column("before_question", Text, nullable=False),
    Column("before_data", JSONB, nullable=False),
)

pictures = Table(
    "pictures",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("data", Text, primary_key=True),
    Column("file_id", Text, nullable=False),
)

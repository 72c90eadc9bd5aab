"""What reply guys hand in, and what they are paid."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from viralcore.boosts.tables.orders import INSTANT, metadata, row_id

# What reply guys handed in: links of replies, or so many on a day. `rate_kobo`: what each one pays, as promised then.
reply_submissions = Table(
    "reply_submissions",
    metadata,
    row_id(),
    Column("user_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("day", Date, nullable=False),
    Column("links", JSONB, nullable=False),
    Column("rate_kobo", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("approved", Integer, nullable=False, server_default=text("0")),
    Column("reason", Text, nullable=False, server_default=text("''")),
    Column("actor", BigInteger),
    Column("created_at", INSTANT, nullable=False),
    Column("decided_at", INSTANT),
    CheckConstraint("kind IN ('count', 'links')", name="reply_submissions_kind"),
    CheckConstraint("state IN ('pending', 'approved', 'rejected', 'withdrawn')", name="reply_submissions_state"),
    CheckConstraint("count > 0 AND rate_kobo > 0", name="reply_submissions_sizes"),
    CheckConstraint("(kind = 'links') = (jsonb_array_length(links) > 0)", name="reply_submissions_links"),
    CheckConstraint(
        "CASE WHEN state = 'approved' THEN approved BETWEEN 1 AND count ELSE approved = 0 END",
        name="reply_submissions_approved",
    ),
    CheckConstraint("(state = 'pending') = (decided_at IS NULL)", name="reply_submissions_decided"),
    CheckConstraint("(state IN ('approved', 'rejected')) = (actor IS NOT NULL)", name="reply_submissions_actor"),
    CheckConstraint("state <> 'rejected' OR reason <> ''", name="reply_submissions_reason"),
    Index("reply_submissions_by_user", "user_id", "id"),
    Index("reply_submissions_one", "user_id", unique=True, postgresql_where=text("state = 'pending'")),
    Index("reply_submissions_queue", "id", postgresql_where=text("state = 'pending'")),
)

# A reply is counted once, for one person, whichever way it was handed in.
reply_links = Table(
    "reply_links",
    metadata,
    Column("name", Text, primary_key=True),
    Column("user_id", BigInteger, nullable=False),
    Column("submission_id", BigInteger, ForeignKey("boosts.reply_submissions.id")),
    Column("claim_id", BigInteger),
    CheckConstraint("(submission_id IS NULL) <> (claim_id IS NULL)", name="reply_links_whose"),
    Index("reply_links_by_submission", "submission_id"),
)

# Every movement of a reply balance that is pay, written once with its posting. A claim that paid nothing says why.
reply_pays = Table(
    "reply_pays",
    metadata,
    row_id(),
    Column("user_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("submission_id", BigInteger, ForeignKey("boosts.reply_submissions.id"), unique=True),
    Column("claim_id", BigInteger),
    Column("metric", Text, nullable=False, server_default=text("''")),
    Column("replies", Integer, nullable=False, server_default=text("0")),
    Column("kobo", BigInteger, nullable=False),
    Column("day", Date, nullable=False),
    Column("reason", Text, nullable=False, server_default=text("''")),
    Column("actor", BigInteger, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    UniqueConstraint("claim_id", "metric", name="reply_pays_claim"),
    CheckConstraint(
        "CASE kind WHEN 'submission' THEN submission_id IS NOT NULL AND replies > 0 AND kobo > 0"
        " WHEN 'claim' THEN claim_id IS NOT NULL AND metric <> '' AND replies >= 0 AND kobo >= 0"
        " WHEN 'bonus' THEN kobo > 0 AND reason <> '' AND replies = 0"
        " WHEN 'correction' THEN kobo <> 0 AND reason <> '' AND replies = 0 ELSE false END",
        name="reply_pays_kind",
    ),
    CheckConstraint("(submission_id IS NULL) OR (kind = 'submission')", name="reply_pays_submission"),
    CheckConstraint("(claim_id IS NULL) OR (kind = 'claim')", name="reply_pays_of_claim"),
    Index("reply_pays_by_user", "user_id", "day"),
)

"""Groups, what they are asked to do, and who did it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
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

# Telegram groups the bot is or was in. A row outlives a new title, a new chat id, and the bot's leaving.
crowd_groups = Table(
    "crowd_groups",
    metadata,
    row_id(),
    Column("chat_id", BigInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("role", Text, nullable=False, server_default=text("'none'")),
    # who in staff decided the role; the environment's likes group does not overrule them
    Column("role_by", BigInteger),
    Column("state", Text, nullable=False),
    Column("added_by", BigInteger),
    Column("added_at", INSTANT, nullable=False),
    # when Telegram last said where the bot stands: what was said before that comes too late
    Column("changed_at", INSTANT, nullable=False),
    UniqueConstraint("chat_id", name="crowd_groups_chat"),
    CheckConstraint("role IN ('none', 'comments', 'likes')", name="crowd_groups_role"),
    CheckConstraint("state IN ('in', 'left', 'kicked')", name="crowd_groups_state"),
    Index("crowd_groups_likes_once", "role", unique=True, postgresql_where=text("role = 'likes'")),
)

# Where a group was before it became a supergroup.
crowd_moves = Table(
    "crowd_moves",
    metadata,
    Column("old_chat_id", BigInteger, primary_key=True, autoincrement=False),
    Column("new_chat_id", BigInteger, nullable=False),
    Column("at", INSTANT, nullable=False),
)

# The rotation: the comment group that was given the last post. One row, locked by whoever gives out groups.
crowd_pointer = Table(
    "crowd_pointer",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("group_id", BigInteger, nullable=False, server_default=text("0")),
    # since when there is no comment group, as the clock saw it; null: there is one
    Column("empty_since", INSTANT),
    CheckConstraint("one", name="crowd_pointer_one"),
)

# What the groups are asked to do for one order.
crowd_posts = Table(
    "crowd_posts",
    metadata,
    row_id(),
    Column("order_id", BigInteger, ForeignKey("boosts.orders.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("opened_at", INSTANT, nullable=False),
    Column("posted_at", INSTANT),
    # when nobody can claim any longer; from opening at first, from posting later
    Column("closes_at", INSTANT, nullable=False),
    # when the job looks at it again; null once it is closed
    Column("next_at", INSTANT),
    Column("closed_at", INSTANT),
    # its messages say what they said at `told_at`; `stale`: there is more to say by now
    Column("told_at", INSTANT),
    Column("stale", Boolean, nullable=False, server_default=text("false")),
    # no group is left: when the last proof is decided, what is missing is the team's work
    Column("to_staff", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("order_id", name="crowd_posts_order"),
    CheckConstraint("state IN ('open', 'review', 'closed')", name="crowd_posts_state"),
    CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="crowd_posts_closed"),
    CheckConstraint("(state = 'closed') = (next_at IS NULL)", name="crowd_posts_next"),
    Index("crowd_posts_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),
    Index("crowd_posts_stale", "told_at", postgresql_where=text("stale")),
)

# What is wanted of a post, one row for each line of its order that the groups work at.
crowd_parts = Table(
    "crowd_parts",
    metadata,
    Column("line_id", BigInteger, ForeignKey("boosts.lines.id"), primary_key=True),
    Column("post_id", BigInteger, ForeignKey("boosts.crowd_posts.id"), nullable=False),
    Column("metric", Text, nullable=False),
    Column("wanted", BigInteger, nullable=False),
    # how many of them must come from verified accounts
    Column("verified", BigInteger, nullable=False, server_default=text("0")),
    UniqueConstraint("post_id", "metric", name="crowd_parts_metric"),
    CheckConstraint("wanted > 0", name="crowd_parts_wanted"),
    CheckConstraint("verified BETWEEN 0 AND wanted", name="crowd_parts_verified"),
)

# One message in one group: of a post in a comment group, or of an order in the likes group.
crowd_messages = Table(
    "crowd_messages",
    metadata,
    row_id(),
    Column("kind", Text, nullable=False),
    Column("order_id", BigInteger, ForeignKey("boosts.orders.id"), nullable=False),
    Column("post_id", BigInteger, ForeignKey("boosts.crowd_posts.id")),
    Column("group_id", BigInteger, ForeignKey("boosts.crowd_groups.id"), nullable=False),
    # how many comments this group is asked for; the likes group: likes
    Column("share", BigInteger, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=text("''")),
    Column("correlation_id", Text, nullable=False, server_default=text("''")),
    Column("message_id", BigInteger),
    Column("sent_at", INSTANT),
    CheckConstraint("kind IN ('comments', 'likes')", name="crowd_messages_kind"),
    CheckConstraint("(kind = 'comments') = (post_id IS NOT NULL)", name="crowd_messages_post"),
    CheckConstraint(
        "state IN ('waiting', 'sending', 'sent', 'skipped', 'failed', 'cancelled')", name="crowd_messages_state"
    ),
    CheckConstraint("state <> 'sent' OR sent_at IS NOT NULL", name="crowd_messages_sent"),
    CheckConstraint("share >= 0", name="crowd_messages_share"),
    UniqueConstraint("post_id", "group_id", name="crowd_messages_once"),
    Index("crowd_messages_likes_once", "order_id", unique=True, postgresql_where=text("kind = 'likes'")),
    Index("crowd_messages_due", "due_at", postgresql_where=text("state = 'waiting'")),
    Index("crowd_messages_by_group", "group_id"),
)

# Somebody does some of what is wanted of a post. One row for each person and post, for ever.
crowd_claims = Table(
    "crowd_claims",
    metadata,
    row_id(),
    Column("post_id", BigInteger, ForeignKey("boosts.crowd_posts.id"), nullable=False),
    Column("order_id", BigInteger, ForeignKey("boosts.orders.id"), nullable=False),
    Column("user_id", BigInteger, nullable=False),
    # where it was made; null: from the list of tasks
    Column("group_id", BigInteger, ForeignKey("boosts.crowd_groups.id")),
    # what it takes a slot of, one each: ["comments", "reposts"]
    Column("metrics", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("1")),
    Column("claimed_at", INSTANT, nullable=False),
    # until when the proof must be here
    Column("expires_at", INSTANT, nullable=False),
    Column("submitted_at", INSTANT),
    Column("decided_at", INSTANT),
    Column("decided_by", BigInteger),
    Column("reason", Text, nullable=False, server_default=text("''")),
    # from a verified account: as its person says, and once it is approved as staff say
    Column("verified", Boolean, nullable=False, server_default=text("false")),
    # rises when proof is handed in: a decision names what was seen
    Column("version", Integer, nullable=False, server_default=text("0")),
    UniqueConstraint("post_id", "user_id", name="crowd_claims_once"),
    CheckConstraint("state IN ('claimed', 'submitted', 'approved', 'rejected', 'expired')", name="crowd_claims_state"),
    CheckConstraint(
        "state NOT IN ('approved', 'rejected') OR (decided_at IS NOT NULL AND decided_by IS NOT NULL)",
        name="crowd_claims_decided",
    ),
    CheckConstraint("state <> 'submitted' OR submitted_at IS NOT NULL", name="crowd_claims_submitted"),
    CheckConstraint("jsonb_array_length(metrics) > 0", name="crowd_claims_metrics"),
    Index("crowd_claims_by_user", "user_id", "id"),
    Index("crowd_claims_by_group", "group_id"),
    Index("crowd_claims_waiting", "submitted_at", postgresql_where=text("state = 'submitted'")),
    Index("crowd_claims_unproved", "expires_at", postgresql_where=text("state = 'claimed'")),
)

# Links handed in as proof. A reply counts once, whoever hands it in, as long as its claim was not turned down.
crowd_proofs = Table(
    "crowd_proofs",
    metadata,
    row_id(),
    Column("claim_id", BigInteger, ForeignKey("boosts.crowd_claims.id"), nullable=False),
    Column("link", Text, nullable=False),
    # one name for the same reply, however its link was written; a profile's is of one post only
    Column("name", Text, nullable=False),
    Column("live", Boolean, nullable=False, server_default=text("true")),
    Index("crowd_proofs_once", "name", unique=True, postgresql_where=text("live")),
    Index("crowd_proofs_by_claim", "claim_id", "id"),
)

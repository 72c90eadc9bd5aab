"""The tables of boosts. Money is integers of cents; prices and charges are exact decimals."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="boosts")

INSTANT = DateTime(timezone=True)


def _id() -> Column[int]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


drafts = Table(
    "drafts",
    metadata,
    _id(),
    Column("user_id", BigInteger, nullable=False),
    Column("links", JSONB, nullable=False),
    Column("problems", JSONB, nullable=False),
    Column("plan_id", Text),
    Column("unit_cost", Numeric),
    Column("state", Text, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    CheckConstraint("state IN ('open', 'confirmed', 'discarded')", name="drafts_state"),
    CheckConstraint("(plan_id IS NULL) = (unit_cost IS NULL)", name="drafts_plan"),
    Index("drafts_old", "expires_at", postgresql_where=text("state <> 'confirmed'")),
)

orders = Table(
    "orders",
    metadata,
    _id(),
    Column("user_id", BigInteger, nullable=False),
    # what it came from: a confirmed draft (credits), or a paid invoice (goods)
    Column("draft_id", BigInteger, ForeignKey("boosts.drafts.id")),
    Column("invoice_id", BigInteger),
    Column("position", Integer, nullable=False),
    Column("plan_id", Text, nullable=False),
    Column("plan_title", Text, nullable=False),
    # the credits it was paid with; empty: money, and money comes back
    Column("asset", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("link", Text, nullable=False),
    Column("handle", Text, nullable=False),
    Column("post_id", Text, nullable=False),
    # the price paid for all of it
    Column("unit_cost", Numeric, nullable=False),
    Column("units", BigInteger, nullable=False, server_default=text("1")),
    # goods: what the buyer answered before paying
    Column("answers", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("state", Text, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("finished_at", INSTANT),
    Column("refunded_cents", BigInteger, nullable=False, server_default=text("0")),
    Column("credit_returned", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("draft_id", "position", name="orders_of_draft"),
    UniqueConstraint("invoice_id", name="orders_of_invoice"),
    CheckConstraint("(draft_id IS NULL) <> (invoice_id IS NULL)", name="orders_origin"),
    CheckConstraint("(asset = '') = (draft_id IS NULL)", name="orders_paid_with"),
    CheckConstraint("asset <> '' OR NOT credit_returned", name="orders_money_back"),
    CheckConstraint("units > 0", name="orders_units"),
    CheckConstraint(
        "state IN ('scheduled', 'sending', 'in_progress', 'completed', 'partial', 'failed', 'cancelled')",
        name="orders_state",
    ),
    CheckConstraint(
        "(finished_at IS NULL) = (state IN ('scheduled', 'sending', 'in_progress'))", name="orders_finished"
    ),
    CheckConstraint("unit_cost >= 0 AND refunded_cents >= 0", name="orders_amounts"),
    CheckConstraint("NOT (credit_returned AND refunded_cents > 0)", name="orders_returned_once"),
    Index("orders_by_user", "user_id", "id"),
)

lines = Table(
    "lines",
    metadata,
    _id(),
    Column("order_id", BigInteger, ForeignKey("boosts.orders.id"), nullable=False),
    Column("metric", Text, nullable=False),
    Column("channel", Text, nullable=False),
    # who works at a line that no panel delivers; empty: nobody, it is refunded when the others have ended
    Column("engine", Text),
    Column("quantity", BigInteger, nullable=False),
    Column("share", Numeric, nullable=False),
    Column("state", Text, nullable=False),
    Column("delivered", BigInteger, nullable=False, server_default=text("0")),
    Column("refunded_cents", BigInteger, nullable=False, server_default=text("0")),
    Column("finished_at", INSTANT),
    UniqueConstraint("order_id", "metric", "channel", name="lines_of_order"),
    CheckConstraint(
        "state IN ('scheduled', 'sending', 'in_progress', 'completed', 'partial', 'failed', 'cancelled', 'refunded')",
        name="lines_state",
    ),
    CheckConstraint("engine IN ('crowd', 'staff')", name="lines_engine"),
    CheckConstraint("quantity > 0 AND share > 0 AND share <= 1", name="lines_sizes"),
    CheckConstraint("delivered >= 0 AND refunded_cents >= 0", name="lines_amounts"),
)

phases = Table(
    "phases",
    metadata,
    _id(),
    Column("order_id", BigInteger, ForeignKey("boosts.orders.id"), nullable=False),
    Column("line_id", BigInteger, ForeignKey("boosts.lines.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    # when a waiting phase is looked at; due_at at first, later when another round is worth it
    Column("next_at", INSTANT),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("round", Integer, nullable=False, server_default=text("0")),
    # panels that did not take it in this round: [[panel, why], ...]
    Column("tried", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("troubled_since", INSTANT),
    Column("panel", Text),
    Column("service", Text),
    Column("panel_order", Text),
    Column("sent_at", INSTANT),
    Column("polled_at", INSTANT),
    Column("start_count", BigInteger),
    Column("remains", BigInteger),
    Column("charge", Numeric),
    Column("currency", Text),
    Column("delivered", BigInteger, nullable=False, server_default=text("0")),
    Column("finished_at", INSTANT),
    # the phase whose rest this one orders once more, and the panel it must not go to
    Column("remainder_of", BigInteger, ForeignKey("boosts.phases.id")),
    Column("avoid", Text),
    # when something was first seen to be delivered
    Column("first_at", INSTANT),
    UniqueConstraint("line_id", "number", name="phases_of_line"),
    UniqueConstraint("remainder_of", name="phases_remainder_once"),
    CheckConstraint("(remainder_of IS NULL) = (avoid IS NULL)", name="phases_remainder"),
    CheckConstraint(
        "state IN ('waiting', 'sending', 'sent', 'unknown', 'completed', 'partial', 'failed', 'cancelled')",
        name="phases_state",
    ),
    CheckConstraint("(state = 'waiting') = (next_at IS NOT NULL)", name="phases_waiting"),
    CheckConstraint("state NOT IN ('sending', 'unknown') OR (panel IS NOT NULL AND attempt > 0)", name="phases_tried"),
    CheckConstraint(
        "state NOT IN ('sent', 'completed', 'partial') OR panel_order IS NOT NULL", name="phases_panel_order"
    ),
    CheckConstraint(
        "(finished_at IS NULL) = (state IN ('waiting', 'sending', 'sent', 'unknown'))", name="phases_finished"
    ),
    CheckConstraint("quantity > 0 AND delivered >= 0 AND delivered <= quantity", name="phases_amounts"),
    Index("phases_by_order", "order_id"),
    Index("phases_due", "next_at", postgresql_where=text("state = 'waiting'")),
    Index("phases_running", "polled_at", postgresql_where=text("state = 'sent'")),
    Index("phases_unknown", "id", postgresql_where=text("state = 'unknown'")),
    Index("phases_completed", "finished_at", postgresql_where=text("state = 'completed'")),
    Index("phases_by_sent", "panel", "sent_at", postgresql_where=text("panel IS NOT NULL")),
)

# One try of one phase at one panel: what is sent is frozen here before it is sent.
attempts = Table(
    "attempts",
    metadata,
    Column("phase_id", BigInteger, ForeignKey("boosts.phases.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("panel", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("link", Text, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("why", Text, nullable=False, server_default=text("''")),
    Column("words", Text, nullable=False, server_default=text("''")),
    Column("panel_order", Text),
    Column("created_at", INSTANT, nullable=False),
    Column("decided_at", INSTANT),
    CheckConstraint("state IN ('sending', 'sent', 'refused', 'unknown', 'not_placed')", name="attempts_state"),
    CheckConstraint("(state = 'sent') = (panel_order IS NOT NULL)", name="attempts_panel_order"),
    Index("attempts_by_created", "created_at"),
    Index(
        "attempts_panel_order_once",
        "panel",
        "panel_order",
        unique=True,
        postgresql_where=text("panel_order IS NOT NULL"),
    ),
)

# What was last known of each panel, so that staff are told of a change once.
panels = Table(
    "panels",
    metadata,
    Column("name", Text, primary_key=True),
    Column("up", Boolean, nullable=False, server_default=text("true")),
    Column("active", Boolean, nullable=False, server_default=text("false")),
    Column("low", Boolean, nullable=False, server_default=text("false")),
    Column("balance", Numeric),
    Column("currency", Text),
    Column("checked_at", INSTANT),
    # asked first, before those that do better: an owner said so
    Column("preferred", Boolean, nullable=False, server_default=text("false")),
    # its record with us lately, and what we spend there a day
    Column("samples", Integer, nullable=False, server_default=text("0")),
    Column("success", Numeric),
    Column("cancelled", Numeric),
    Column("first_seconds", Integer),
    Column("spent_a_day", Numeric),
    Column("rated_at", INSTANT),
    # its list of services: when it was read, and since when somebody waits for it to be read
    Column("synced_at", INSTANT),
    Column("sync_asked_at", INSTANT),
    Index("panels_preferred", "preferred", unique=True, postgresql_where=text("preferred")),
)

troubles = Table(
    "troubles",
    metadata,
    Column("panel", Text, primary_key=True),
    Column("what", Text, primary_key=True),
    Column("since", INSTANT, nullable=False),
)

# Goods that somebody is about to buy: how many, and what they answered. With an invoice it is never changed again.
goods_requests = Table(
    "goods_requests",
    metadata,
    _id(),
    Column("user_id", BigInteger, nullable=False),
    Column("plan_id", Text, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("answers", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("state", Text, nullable=False),
    Column("invoice_id", BigInteger),
    Column("created_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    UniqueConstraint("invoice_id", name="goods_requests_of_invoice"),
    CheckConstraint("state IN ('open', 'invoiced', 'ordered', 'returned', 'discarded')", name="goods_requests_state"),
    CheckConstraint(
        "(invoice_id IS NOT NULL) = (state IN ('invoiced', 'ordered', 'returned'))", name="goods_requests_invoiced"
    ),
    CheckConstraint("quantity > 0", name="goods_requests_quantity"),
    Index("goods_requests_open", "user_id", "id", postgresql_where=text("state = 'open'")),
)

# One for each line that staff work at. How much is delivered stands in the line.
staff_cards = Table(
    "staff_cards",
    metadata,
    _id(),
    Column("order_id", BigInteger, ForeignKey("boosts.orders.id"), nullable=False),
    Column("line_id", BigInteger, ForeignKey("boosts.lines.id"), nullable=False),
    Column("state", Text, nullable=False),
    # rises with every change, so that a button pressed again later is another press
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("taken_by", BigInteger),
    Column("taken_at", INSTANT),
    Column("decided_by", BigInteger),
    Column("decided_at", INSTANT),
    # why it could not be done; the buyer reads it
    Column("reason", Text, nullable=False, server_default=text("''")),
    Column("created_at", INSTANT, nullable=False),
    Column("remind_at", INSTANT),
    UniqueConstraint("line_id", name="staff_cards_of_line"),
    CheckConstraint("state IN ('open', 'taken', 'done', 'cannot', 'closed')", name="staff_cards_state"),
    CheckConstraint(
        "(taken_by IS NULL) = (taken_at IS NULL) AND (state <> 'open' OR taken_by IS NULL)"
        " AND (state NOT IN ('taken', 'done', 'cannot') OR taken_by IS NOT NULL)",
        name="staff_cards_taken",
    ),
    CheckConstraint(
        "(decided_by IS NULL) = (decided_at IS NULL) AND (decided_by IS NOT NULL) = (state IN ('done', 'cannot'))",
        name="staff_cards_decided",
    ),
    CheckConstraint("(reason <> '') = (state = 'cannot')", name="staff_cards_reason"),
    CheckConstraint("(remind_at IS NOT NULL) = (state IN ('open', 'taken'))", name="staff_cards_remind"),
    Index("staff_cards_waiting", "id", postgresql_where=text("state IN ('open', 'taken')")),
)

# Telegram groups the bot is or was in. A row outlives a new title, a new chat id, and the bot's leaving.
crowd_groups = Table(
    "crowd_groups",
    metadata,
    _id(),
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
    CheckConstraint("one", name="crowd_pointer_one"),
)

# What the groups are asked to do for one order.
crowd_posts = Table(
    "crowd_posts",
    metadata,
    _id(),
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
    UniqueConstraint("post_id", "metric", name="crowd_parts_metric"),
    CheckConstraint("wanted > 0", name="crowd_parts_wanted"),
)

# One message in one group: of a post in a comment group, or of an order in the likes group.
crowd_messages = Table(
    "crowd_messages",
    metadata,
    _id(),
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
    _id(),
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
    _id(),
    Column("claim_id", BigInteger, ForeignKey("boosts.crowd_claims.id"), nullable=False),
    Column("link", Text, nullable=False),
    # one name for the same reply, however its link was written; a profile's is of one post only
    Column("name", Text, nullable=False),
    Column("live", Boolean, nullable=False, server_default=text("true")),
    Index("crowd_proofs_once", "name", unique=True, postgresql_where=text("live")),
    Index("crowd_proofs_by_claim", "claim_id", "id"),
)

# What reply guys handed in: links of replies, or so many on a day. `rate_kobo`: what each one pays, as promised then.
reply_submissions = Table(
    "reply_submissions",
    metadata,
    _id(),
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
    _id(),
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

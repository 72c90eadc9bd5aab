"""Orders and panels, and what the team does by hand. The schema all tables of boosts are in."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
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
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData(schema="boosts")

INSTANT = DateTime(timezone=True)


def row_id() -> Column[int]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


drafts = Table(
    "drafts",
    metadata,
    row_id(),
    Column("user_id", BigInteger, nullable=False),
    Column("links", JSONB, nullable=False),
    Column("problems", JSONB, nullable=False),
    Column("plan_id", Text),
    Column("unit_cost", Numeric),
    # which version of a custom plan the confirm screen showed; 0: no custom plan
    Column("plan_version", Integer, nullable=False, server_default=text("0")),
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
    row_id(),
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
    # of the price, what was not delivered; of it, what went back as bonus money, and what nobody had paid
    Column("refunded_cents", BigInteger, nullable=False, server_default=text("0")),
    Column("bonus_cents", BigInteger, nullable=False, server_default=text("0")),
    Column("unpaid_cents", BigInteger, nullable=False, server_default=text("0")),
    Column("credit_returned", Boolean, nullable=False, server_default=text("false")),
    # its waiting phases are not sent since then
    Column("paused_at", INSTANT),
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
    CheckConstraint(
        "bonus_cents >= 0 AND unpaid_cents >= 0 AND bonus_cents + unpaid_cents <= refunded_cents", name="orders_parts"
    ),
    CheckConstraint("NOT (credit_returned AND refunded_cents > 0)", name="orders_returned_once"),
    CheckConstraint("paused_at IS NULL OR finished_at IS NULL", name="orders_paused"),
    Index("orders_by_user", "user_id", "id"),
    Index("orders_history", "plan_id", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
    Index("orders_ended", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
    Index("orders_open", "id", postgresql_where=text("finished_at IS NULL")),
)

lines = Table(
    "lines",
    metadata,
    row_id(),
    Column("order_id", BigInteger, ForeignKey("boosts.orders.id"), nullable=False),
    Column("metric", Text, nullable=False),
    Column("channel", Text, nullable=False),
    # who works at a line that no panel delivers; empty: nobody, it is refunded when the others have ended
    Column("engine", Text),
    Column("quantity", BigInteger, nullable=False),
    Column("share", Numeric, nullable=False),
    Column("state", Text, nullable=False),
    Column("delivered", BigInteger, nullable=False, server_default=text("0")),
    # of the price, what was not delivered; of it, what nobody had paid
    Column("refunded_cents", BigInteger, nullable=False, server_default=text("0")),
    Column("unpaid_cents", BigInteger, nullable=False, server_default=text("0")),
    Column("finished_at", INSTANT),
    # how many must come from verified accounts, and how many did
    Column("verified", BigInteger, nullable=False, server_default=text("0")),
    Column("verified_done", BigInteger, nullable=False, server_default=text("0")),
    UniqueConstraint("order_id", "metric", "channel", name="lines_of_order"),
    CheckConstraint(
        "state IN ('scheduled', 'sending', 'in_progress', 'completed', 'partial', 'failed', 'cancelled', 'refunded')",
        name="lines_state",
    ),
    CheckConstraint("engine IN ('crowd', 'staff')", name="lines_engine"),
    CheckConstraint("quantity > 0 AND share > 0 AND share <= 1", name="lines_sizes"),
    CheckConstraint("delivered >= 0 AND refunded_cents >= 0", name="lines_amounts"),
    CheckConstraint("unpaid_cents BETWEEN 0 AND refunded_cents", name="lines_parts"),
    CheckConstraint("verified BETWEEN 0 AND quantity AND verified_done BETWEEN 0 AND verified", name="lines_verified"),
)

phases = Table(
    "phases",
    metadata,
    row_id(),
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
    # since when its number at the panel is known; a number that staff put right counts anew
    Column("placed_at", INSTANT),
    # since when the panel's answers about it are not understood, and its words
    Column("strange_since", INSTANT),
    Column("said", Text),
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
    CheckConstraint("(strange_since IS NULL) = (said IS NULL)", name="phases_strange"),
    Index("phases_by_order", "order_id"),
    Index("phases_due", "next_at", postgresql_where=text("state = 'waiting'")),
    Index("phases_running", "polled_at", postgresql_where=text("state = 'sent'")),
    Index("phases_unknown", "id", postgresql_where=text("state = 'unknown'")),
    Index("phases_ended", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
    Index("phases_open", "order_id", postgresql_where=text("finished_at IS NULL")),
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
    # numbers it had before, until staff put them right
    Column("numbers", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
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
    Column("sync_asked_by", BigInteger),
    # what is left there does not last for long, and staff were told
    Column("short", Boolean, nullable=False, server_default=text("false")),
    Index("panels_preferred", "preferred", unique=True, postgresql_where=text("preferred")),
)

troubles = Table(
    "troubles",
    metadata,
    Column("panel", Text, primary_key=True),
    Column("what", Text, primary_key=True),
    Column("since", INSTANT, nullable=False),
)

# Plans made for one person. Their credits are `custom-<id>`; orders keep what they were made of.
custom_plans = Table(
    "custom_plans",
    metadata,
    row_id(),
    Column("user_id", BigInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("likes", BigInteger, nullable=False),
    Column("reposts", BigInteger, nullable=False),
    Column("comments", BigInteger, nullable=False),
    Column("views", BigInteger, nullable=False),
    # USD for a post; 0: never sold, its posts were given
    Column("price", Numeric, nullable=False),
    # how many posts the shop offers at that price
    Column("preset", BigInteger, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("created_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT),
    Column("ended_at", INSTANT),
    CheckConstraint(
        "likes >= 0 AND reposts >= 0 AND comments >= 0 AND views >= 0 AND likes + reposts + comments + views > 0",
        name="custom_plans_sizes",
    ),
    CheckConstraint("price >= 0 AND preset >= 0", name="custom_plans_price"),
    Index("custom_plans_by_user", "user_id", "id"),
)

# Goods that somebody is about to buy: how many, and what they answered. With an invoice it is never changed again.
goods_requests = Table(
    "goods_requests",
    metadata,
    row_id(),
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
    row_id(),
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

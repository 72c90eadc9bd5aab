"""More tables of boosts: what panels list, what we use of it, and what we asked them for."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Numeric,
    Table,
    Text,
    text,
)

from viralcore.boosts.tables.orders import INSTANT, metadata, row_id

# Orders at panels that staff were told of because they do not end by themselves.
stuck = Table(
    "stuck",
    metadata,
    Column("phase_id", BigInteger, ForeignKey("boosts.phases.id"), primary_key=True),
    Column("told_at", INSTANT, nullable=False),
)

# What a panel said we have there, reading by reading: a hint for sends nobody knows the outcome of.
balances = Table(
    "balances",
    metadata,
    Column("panel", Text, primary_key=True),
    Column("at", INSTANT, primary_key=True),
    Column("balance", Numeric, nullable=False),
    Column("currency", Text, nullable=False),
)

# Everything a panel lists, as it was read last.
offers = Table(
    "offers",
    metadata,
    Column("panel", Text, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("rate", Numeric, nullable=False),
    Column("minimum", BigInteger, nullable=False),
    Column("maximum", BigInteger, nullable=False),
    Column("refill", Boolean, nullable=False),
    Column("cancel", Boolean, nullable=False),
    Column("seen_at", INSTANT, nullable=False),
)

# Which service of a panel delivers what: begun by settings/panels.toml, then changed by owners.
services = Table(
    "services",
    metadata,
    Column("panel", Text, primary_key=True),
    Column("platform", Text, primary_key=True),
    Column("metric", Text, primary_key=True),
    Column("service", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=text("''")),
    Column("minimum", BigInteger, nullable=False),
    Column("maximum", BigInteger, nullable=False),
    Column("rate", Numeric, nullable=False),
    # the price that was agreed to: what a jump is measured from
    Column("agreed_rate", Numeric, nullable=False),
    Column("refill", Boolean, nullable=False, server_default=text("false")),
    Column("cancel", Boolean, nullable=False, server_default=text("false")),
    Column("state", Text, nullable=False, server_default=text("'ok'")),
    # why it is not used: price | vanished | kind | owner
    Column("reason", Text, nullable=False, server_default=text("''")),
    # an owner chose it; else the settings did, and a new id there replaces it
    Column("chosen_by", BigInteger),
    Column("changed_at", INSTANT, nullable=False),
    CheckConstraint("state IN ('ok', 'quarantined')", name="services_state"),
    CheckConstraint("(state = 'ok') = (reason = '')", name="services_reason"),
    CheckConstraint("minimum > 0 AND minimum <= maximum AND rate >= 0 AND agreed_rate >= 0", name="services_sizes"),
)

# What the last readings of the lists changed in the services we use.
service_changes = Table(
    "service_changes",
    metadata,
    row_id(),
    Column("panel", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("quarantined", Boolean, nullable=False),
    Column("at", INSTANT, nullable=False),
    Index("service_changes_by_panel", "panel", "id"),
)

# A refill or a cancel we asked a panel for.
requests = Table(
    "requests",
    metadata,
    row_id(),
    Column("phase_id", BigInteger, ForeignKey("boosts.phases.id"), nullable=False),
    Column("order_id", BigInteger, ForeignKey("boosts.orders.id"), nullable=False),
    Column("what", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("panel", Text, nullable=False),
    Column("panel_order", Text, nullable=False),
    # the panel's number for it, where it gives one
    Column("ticket", Text),
    Column("words", Text, nullable=False, server_default=text("''")),
    Column("asked_by", BigInteger, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("polled_at", INSTANT),
    Column("ended_at", INSTANT),
    CheckConstraint("what IN ('refill', 'cancel')", name="requests_what"),
    CheckConstraint(
        "state IN ('asking', 'accepted', 'refused', 'unknown', 'done', 'rejected', 'lapsed')", name="requests_state"
    ),
    CheckConstraint("(ended_at IS NULL) = (state IN ('asking', 'accepted'))", name="requests_ended"),
    Index(
        "requests_one_open",
        "phase_id",
        "what",
        unique=True,
        postgresql_where=text("state IN ('asking', 'accepted')"),
    ),
    Index("requests_by_order", "order_id"),
    Index("requests_accepted", "polled_at", postgresql_where=text("state = 'accepted'")),
)

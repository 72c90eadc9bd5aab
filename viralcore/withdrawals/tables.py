"""The tables of withdrawals. Money is integers: cents and kobo. Account numbers are encrypted."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
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

metadata = MetaData(schema="withdrawals")
INSTANT = DateTime(timezone=True)

banks = Table(
    "banks",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    comment="The provider's list as it was last read, doubles included.",
)

desk = Table(
    "desk",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("mode", Text),
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    Column("stopped", Boolean, nullable=False, server_default=text("false")),
    Column("stop_reason", Text, nullable=False, server_default=text("''")),
    Column("banks_at", INSTANT),
    CheckConstraint("id = 1", name="desk_one"),
    CheckConstraint("mode IN ('automatic', 'manual')", name="desk_mode"),
    comment="One row: the switches. Its lock is taken by whoever lets transfers go.",
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("user_id", BigInteger, nullable=False),
    Column("bank_id", BigInteger, nullable=False),
    Column("bank_code", Text, nullable=False),
    Column("bank_name", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("print", Text, nullable=False),
    Column("last4", Text, nullable=False),
    Column("holder", Text, nullable=False, server_default=text("''")),
    Column("created_at", INSTANT, nullable=False),
    Column("used_at", INSTANT),
    Column("forgotten", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("user_id", "print", name="accounts_once"),
    Index("accounts_by_print", "print"),
    comment="Bank accounts. print: HMAC of bank code and number, equal exactly when these are.",
)

checks = Table(
    "checks",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("user_id", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=text("''")),
    Column("rate", Numeric, nullable=False),
    Column("gross", BigInteger, nullable=False),
    Column("fee", BigInteger),
    Column("account_id", BigInteger, ForeignKey("withdrawals.accounts.id"), nullable=False),
    Column("holder", Text, nullable=False, server_default=text("''")),
    Column("withdrawal_id", BigInteger),
    Column("created_at", INSTANT, nullable=False),
    Column("until", INSTANT, nullable=False),
    UniqueConstraint("withdrawal_id", name="checks_used"),
    CheckConstraint("source IN ('affiliate', 'reply', 'wallet')", name="checks_source"),
    CheckConstraint("state IN ('asking', 'ready', 'failed')", name="checks_state"),
    CheckConstraint("amount > 0 AND gross > 0 AND fee >= 0 AND fee < gross", name="checks_amounts"),
    CheckConstraint("state <> 'ready' OR fee IS NOT NULL", name="checks_ready"),
    Index("checks_by_user", "user_id", "created_at"),
    comment="Questions to the bank: whose account, which fee.",
)

STILL_OPEN = text("state IN ('pending', 'approved', 'processing', 'unconfirmed')")

requests = Table(
    "requests",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("user_id", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("rate", Numeric, nullable=False),
    Column("gross", BigInteger, nullable=False),
    Column("fee", BigInteger, nullable=False),
    Column("terms_at", INSTANT, nullable=False),
    Column("offered_rate", Numeric),
    Column("offered_gross", BigInteger),
    Column("offered_fee", BigInteger),
    Column("offered_at", INSTANT),
    Column("asked_at", INSTANT),
    Column("account_id", BigInteger, ForeignKey("withdrawals.accounts.id"), nullable=False),
    Column("hold_id", BigInteger),
    Column("mode", Text),
    Column("needed", Integer, nullable=False),
    Column("score", Integer, nullable=False, server_default=text("0")),
    Column("reason", Text, nullable=False, server_default=text("''")),
    Column("reference", Text, nullable=False, server_default=text("''")),
    Column("decided_by", BigInteger),
    Column("round", Integer, nullable=False, server_default=text("1")),
    Column("next_attempt_at", INSTANT),
    Column("created_at", INSTANT, nullable=False),
    Column("approved_at", INSTANT),
    Column("ended_at", INSTANT),
    CheckConstraint("source IN ('affiliate', 'reply', 'wallet')", name="requests_source"),
    CheckConstraint(
        "state IN ('pending', 'approved', 'processing', 'unconfirmed', 'completed', 'failed', 'rejected', 'cancelled')",
        name="requests_state",
    ),
    CheckConstraint("mode IN ('automatic', 'manual')", name="requests_mode"),
    CheckConstraint("amount > 0 AND fee >= 0 AND fee < gross AND rate > 0", name="requests_amounts"),
    CheckConstraint("needed IN (1, 2) AND round > 0 AND score >= 0", name="requests_approvals"),
    CheckConstraint(
        "(offered_at IS NULL) = (offered_rate IS NULL) AND (offered_at IS NULL) = (offered_gross IS NULL)"
        " AND (offered_at IS NULL) = (asked_at IS NULL)"
        " AND (offered_at IS NULL) = (offered_fee IS NULL) AND (offered_at IS NULL OR state IN ('pending', 'rejected',"
        " 'cancelled'))",
        name="requests_offered",
    ),
    CheckConstraint(
        "(ended_at IS NULL) = (state IN ('pending', 'approved', 'processing', 'unconfirmed'))", name="requests_ended"
    ),
    CheckConstraint(
        "(approved_at IS NULL) = (state IN ('pending', 'rejected', 'cancelled'))"
        " AND (approved_at IS NULL) = (mode IS NULL)",
        name="requests_approved",
    ),
    CheckConstraint("next_attempt_at IS NULL OR state = 'processing'", name="requests_again"),
    Index("requests_one_open", "user_id", unique=True, postgresql_where=STILL_OPEN),
    Index("requests_by_user", "user_id", "id"),
    Index("requests_open", "state", "id", postgresql_where=STILL_OPEN),
    Index("requests_again_due", "next_attempt_at", postgresql_where=text("next_attempt_at IS NOT NULL")),
    Index("requests_by_day", "created_at"),
    comment="Withdrawals. amount: minor units of the source's asset, held from the beginning; gross, fee: kobo.",
)

approvals = Table(
    "approvals",
    metadata,
    Column("request_id", BigInteger, ForeignKey("withdrawals.requests.id"), primary_key=True),
    Column("round", Integer, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("actor", BigInteger, nullable=False),
    Column("at", INSTANT, nullable=False),
    CheckConstraint("place IN (1, 2)", name="approvals_place"),
    comment="Who said yes. A new round begins when its owner confirms other terms.",
)

findings = Table(
    "findings",
    metadata,
    Column("request_id", BigInteger, ForeignKey("withdrawals.requests.id"), primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("score", Integer, nullable=False),
    Column("facts", JSONB, nullable=False),
    comment="Risk rules that hit when it was asked for.",
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("request_id", BigInteger, ForeignKey("withdrawals.requests.id"), nullable=False),
    Column("n", Integer, nullable=False),
    Column(
        "reference",
        Text,
        Computed("'vc-w' || request_id::text || '-a' || n::text", persisted=True),
        nullable=False,
    ),
    Column("state", Text, nullable=False),
    Column("provider_id", Text, nullable=False, server_default=text("''")),
    Column("reason", Text, nullable=False, server_default=text("''")),
    Column("words", Text, nullable=False, server_default=text("''")),
    Column("fee", BigInteger),
    Column("sends", Integer, nullable=False, server_default=text("0")),
    Column("created_at", INSTANT, nullable=False),
    Column("sent_at", INSTANT),
    Column("asked_at", INSTANT),
    Column("ask_due", INSTANT),
    Column("asks", Integer, nullable=False, server_default=text("0")),
    Column("missing_since", INSTANT),
    Column("missing_at", INSTANT),
    Column("seen", Text, nullable=False, server_default=text("''")),
    Column("ended_at", INSTANT),
    Column("alarm", Text, nullable=False, server_default=text("''")),
    UniqueConstraint("request_id", "n", name="attempts_in_turn"),
    UniqueConstraint("reference", name="attempts_reference"),
    CheckConstraint("state IN ('sending', 'accepted', 'unknown', 'succeeded', 'failed')", name="attempts_state"),
    CheckConstraint("n > 0 AND sends >= 0 AND asks >= 0", name="attempts_counts"),
    CheckConstraint(
        "seen IN ('', 'exists', 'approval', 'new', 'pending', 'successful', 'failed')", name="attempts_seen"
    ),
    CheckConstraint("missing_at >= missing_since", name="attempts_missing"),
    CheckConstraint("(ended_at IS NULL) = (state IN ('sending', 'accepted', 'unknown'))", name="attempts_ended"),
    # The last guard against paying twice: no second attempt while one may still be paid or was.
    Index("attempts_one_alive", "request_id", unique=True, postgresql_where=text("state <> 'failed'")),
    Index("attempts_due", "ask_due", postgresql_where=text("ask_due IS NOT NULL")),
    Index("attempts_open", "sent_at", postgresql_where=text("ended_at IS NULL")),
    comment="Transfers at the provider, each stored under its reference before it is sent.",
)

comparisons = Table(
    "comparisons",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("day", Date),
    Column("state", Text, nullable=False),
    Column("asked_by", BigInteger, nullable=False),
    Column("asked_at", INSTANT, nullable=False),
    Column("ended_at", INSTANT),
    Column("ours", Integer, nullable=False, server_default=text("0")),
    Column("theirs", Integer, nullable=False, server_default=text("0")),
    Column("found", Integer, nullable=False, server_default=text("0")),
    Column("open", Integer, nullable=False, server_default=text("0")),
    Column("balance", BigInteger),
    Column("spent", BigInteger),
    Column("note", Text, nullable=False, server_default=text("''")),
    UniqueConstraint("day", name="comparisons_daily"),
    CheckConstraint("state IN ('asked', 'done', 'failed')", name="comparisons_state"),
    CheckConstraint("(ended_at IS NULL) = (state = 'asked')", name="comparisons_ended"),
    comment="Our transfers against the provider's. spent: kobo of all our transfers that had left by then.",
)

differences = Table(
    "differences",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("provider_id", Text, nullable=False),
    Column("ours", BigInteger),
    Column("ours_state", Text, nullable=False),
    Column("theirs", BigInteger),
    Column("theirs_asset", Text, nullable=False),
    Column("theirs_status", Text, nullable=False),
    Column("last4", Text, nullable=False),
    Column("on_day", Date, nullable=False),
    Column("state", Text, nullable=False),
    Column("found_at", INSTANT, nullable=False),
    Column("looked_at", INSTANT),
    Column("decided_by", BigInteger),
    Column("decided_at", INSTANT),
    Column("reason", Text, nullable=False, server_default=text("''")),
    UniqueConstraint("kind", "reference", "provider_id", name="differences_once"),
    CheckConstraint("kind IN ('missing', 'extra', 'twice', 'amount', 'status', 'balance')", name="differences_kind"),
    CheckConstraint("state IN ('open', 'accepted', 'gone')", name="differences_state"),
    CheckConstraint("(decided_at IS NULL) = (state = 'open')", name="differences_decided"),
    Index("differences_open", "id", postgresql_where=text("state = 'open'")),
    comment="What the two books do not agree on: tasks. on_day: the day of the transfer. looked_at: when one of a day "
    "that is not listed any more was last looked up.",
)

solvency = Table(
    "solvency",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("checked_at", INSTANT, nullable=False),
    Column("rate", Numeric),
    Column("owed", JSONB, nullable=False),
    Column("held", JSONB, nullable=False),
    Column("gap", BigInteger, nullable=False),
    Column("problem", Text, nullable=False),
    Column("unread", JSONB, nullable=False),
    Column("naira", BigInteger),
    Column("naira_at", INSTANT),
    Column("told_gap", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint("id = 1", name="solvency_one"),
    CheckConstraint("gap >= 0 AND told_gap >= 0", name="solvency_gap"),
    comment="One row: what was owed and held at the last look, in cents. told_gap: the gap that was acted upon, 0 once "
    "everything was covered again.",
)

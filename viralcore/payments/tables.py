"""The tables of payments. Money is integers: cents, and raw chain amounts up to 78 digits."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.engine import Dialect

metadata = MetaData(schema="payments")


class Raw(TypeDecorator[int]):
    """A raw chain amount: an int here, NUMERIC(78,0) there. A plain int would be sent as a bigint: too small."""

    impl = Numeric(78, 0)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)

    def process_result_value(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value)


RAW = Raw()
INSTANT = DateTime(timezone=True)

invoices = Table(
    "invoices",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("user_id", BigInteger, nullable=False),
    Column("item_kind", Text, nullable=False),
    Column("item_ref", Text, nullable=False),
    Column("item_title", Text, nullable=False),
    Column("item_data", JSONB, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("unit_price", Numeric, nullable=False),
    Column("total_cents", BigInteger, nullable=False),
    Column("grants", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Column("closed_at", INSTANT),
    Column("paid_at", INSTANT),
    Column("paid_with", Text),
    Column("received_cents", BigInteger, nullable=False, server_default=text("0")),
    Column("notes", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    Column("quote_id", BigInteger),
    Column("bonus_cents", BigInteger, nullable=False, server_default=text("0")),
    Column("forgiven_cents", BigInteger, nullable=False, server_default=text("0")),
    Column("refunded_cents", BigInteger, nullable=False, server_default=text("0")),
    # of the price, how many cents have gone back by now: what each part of it was is worked out from this
    Column("given_cents", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint("item_kind IN ('credits', 'goods', 'topup')", name="invoices_item_kind"),
    CheckConstraint("state IN ('open', 'paid', 'expired', 'cancelled')", name="invoices_state"),
    CheckConstraint("quantity > 0 AND total_cents > 0 AND received_cents >= 0", name="invoices_amounts"),
    CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="invoices_closed"),
    CheckConstraint("(state = 'paid') = (paid_at IS NOT NULL)", name="invoices_paid"),
    CheckConstraint(
        "bonus_cents >= 0 AND forgiven_cents >= 0 AND refunded_cents >= 0"
        " AND bonus_cents + forgiven_cents <= total_cents AND refunded_cents <= total_cents - forgiven_cents"
        " AND (state = 'paid' OR bonus_cents + forgiven_cents + refunded_cents = 0)",
        name="invoices_refunds",
    ),
    CheckConstraint(
        "given_cents BETWEEN 0 AND total_cents AND given_cents >= refunded_cents"
        " AND (state = 'paid' OR given_cents = 0)",
        name="invoices_given",
    ),
    Index("invoices_by_user", "user_id", "id"),
    Index("invoices_open", "expires_at", postgresql_where=text("state = 'open'")),
)

quotes = Table(
    "quotes",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("invoice_id", BigInteger, ForeignKey("payments.invoices.id"), nullable=False),
    Column("network", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("amount_raw", RAW, nullable=False),
    Column("rate", Numeric, nullable=False),
    Column("due_cents", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Column("released_at", INSTANT),
    CheckConstraint("amount_raw > 0 AND rate > 0 AND due_cents > 0", name="quotes_amounts"),
    Index("quotes_by_invoice", "invoice_id"),
    # No two reserved quotes ask for one amount of one asset: the amount says whose money it is.
    # By bank a reference says it.
    Index(
        "quotes_reserved",
        "network",
        "asset",
        "amount_raw",
        unique=True,
        postgresql_where=text("released_at IS NULL AND network <> 'bank'"),
    ),
)

sightings = Table(
    "sightings",
    metadata,
    Column("network", Text, primary_key=True),
    Column("hash", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("seen_at", INSTANT, nullable=False),
    Column("judged_at", INSTANT),
    Column("read_at", INSTANT),
    Column("read_digest", Text),
    CheckConstraint("state IN ('seen', 'found', 'judged')", name="sightings_state"),
    CheckConstraint("(state = 'judged') = (judged_at IS NOT NULL)", name="sightings_judged"),
    Index("sightings_open", "state", "seen_at", postgresql_where=text("state <> 'judged'")),
)

receipts = Table(
    "receipts",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("network", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("asset", Text, nullable=False),
    Column("amount_raw", RAW, nullable=False),
    Column("usd_cents", BigInteger, nullable=False),
    Column("rate", Numeric, nullable=False),
    Column("state", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("invoice_id", BigInteger, ForeignKey("payments.invoices.id")),
    Column("user_id", BigInteger),
    Column("block", BigInteger, nullable=False),
    Column("block_time", INSTANT, nullable=False),
    Column("seen_at", INSTANT, nullable=False),
    Column("credited_at", INSTANT),
    Column("assigned_by", BigInteger),
    Column("reference", Text, nullable=False, server_default=text("''")),
    UniqueConstraint("network", "hash", "position", name="receipts_identity"),
    CheckConstraint("state IN ('credited', 'suspense')", name="receipts_state"),
    CheckConstraint("amount_raw > 0 AND usd_cents >= 0 AND position >= 0", name="receipts_amounts"),
    CheckConstraint(
        "(state = 'credited') = (user_id IS NOT NULL AND credited_at IS NOT NULL)"
        " AND (state = 'suspense' OR invoice_id IS NOT NULL OR assigned_by IS NOT NULL)",
        name="receipts_credited",
    ),
    Index("receipts_by_invoice", "invoice_id"),
    Index("receipts_suspense", "id", postgresql_where=text("state = 'suspense'")),
)

refunds = Table(
    "refunds",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("key", Text, nullable=False),
    Column("invoice_id", BigInteger, ForeignKey("payments.invoices.id"), nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'done'")),
    Column("amount_cents", BigInteger, nullable=False),
    Column("bonus_cents", BigInteger, nullable=False),
    Column("credit_asset", Text, nullable=False, server_default=text("''")),
    Column("credits", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", BigInteger, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    UniqueConstraint("key", name="refunds_key"),
    CheckConstraint("kind IN ('full', 'partial')", name="refunds_kind"),
    CheckConstraint("state = 'done'", name="refunds_state"),
    CheckConstraint(
        "amount_cents > 0 AND bonus_cents BETWEEN 0 AND amount_cents AND credits >= 0", name="refunds_amounts"
    ),
    CheckConstraint("reason <> ''", name="refunds_reason"),
    Index("refunds_by_invoice", "invoice_id", "id"),
)
"""Money given back. Written once; the posting is ``refund:<id>``."""

stray_alerts = Table(
    "stray_alerts",
    metadata,
    Column("receipt_id", BigInteger, ForeignKey("payments.receipts.id"), primary_key=True),
    Column("why", Text, primary_key=True),
    Column("told_at", INSTANT, nullable=False),
    CheckConstraint("why IN ('large', 'old')", name="stray_alerts_why"),
)

claims = Table(
    "claims",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("user_id", BigInteger, nullable=False),
    Column("network", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("invoice_id", BigInteger, ForeignKey("payments.invoices.id")),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("round", Integer, nullable=False),
    Column("checks", Integer, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("opened_at", INSTANT, nullable=False),
    Column("decided_at", INSTANT),
    Column("others", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    UniqueConstraint("network", "hash", "user_id", name="claims_identity"),
    CheckConstraint("state IN ('checking', 'credited', 'not_found', 'refused', 'suspense')", name="claims_state"),
    CheckConstraint("(state = 'checking') = (decided_at IS NULL)", name="claims_decided"),
    Index("claims_by_user", "user_id", "id"),
    Index("claims_by_invoice", "invoice_id", "id"),
)

cursors = Table(
    "cursors",
    metadata,
    Column("network", Text, primary_key=True),
    Column("first_block", BigInteger, nullable=False),
    Column("block", BigInteger, nullable=False),
    Column("moved_at", INSTANT, nullable=False),
    CheckConstraint("block >= first_block", name="cursors_forward"),
)

prices = Table(
    "prices",
    metadata,
    Column("coin", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("usd", Numeric),
    Column("good_at", INSTANT),
    Column("looked_at", INSTANT, nullable=False),
    CheckConstraint("state IN ('ok', 'diverged', 'depegged', 'stale')", name="prices_state"),
    CheckConstraint("usd > 0", name="prices_positive"),
    CheckConstraint("(usd IS NULL) = (good_at IS NULL)", name="prices_good"),
)

fx = Table(
    "fx",
    metadata,
    Column("currency", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("per_usd", Numeric),
    Column("source_at", INSTANT),
    Column("good_at", INSTANT),
    Column("looked_at", INSTANT, nullable=False),
    CheckConstraint("state IN ('ok', 'stale')", name="fx_state"),
    CheckConstraint("per_usd > 0", name="fx_positive"),
    CheckConstraint(
        "(per_usd IS NULL) = (source_at IS NULL) AND (per_usd IS NULL) = (good_at IS NULL)", name="fx_good"
    ),
)

charges = Table(
    "charges",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("quote_id", BigInteger, ForeignKey("payments.quotes.id"), nullable=False),
    Column("reference", Text, Computed("'vc-c' || id::text", persisted=True), nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("account_number", Text, nullable=False),
    Column("bank_name", Text, nullable=False),
    Column("provider_reference", Text, nullable=False),
    Column("transfer_raw", RAW, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("decided_at", INSTANT),
    Column("expires_at", INSTANT),
    Column("polls", Integer, nullable=False, server_default=text("0")),
    Column("polled_at", INSTANT),
    Column("poll_due", INSTANT),
    Column("asked_at", INSTANT),
    CheckConstraint("state IN ('requested', 'open', 'failed')", name="charges_state"),
    CheckConstraint("(state = 'requested') = (decided_at IS NULL)", name="charges_decided"),
    CheckConstraint("(state = 'open') = (account_number <> '')", name="charges_account"),
    CheckConstraint("transfer_raw > 0", name="charges_amount"),
    Index("charges_by_quote", "quote_id", "id"),
    Index("charges_due", "poll_due", postgresql_where=text("poll_due IS NOT NULL")),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("external_id", Text, nullable=False, unique=True),
    Column("event", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    CheckConstraint("kind IN ('charge', 'transfer', 'other')", name="webhooks_kind"),
    Index("webhooks_old", "received_at"),
)

proofs = Table(
    "proofs",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("quote_id", BigInteger, ForeignKey("payments.quotes.id"), nullable=False),
    Column("invoice_id", BigInteger, ForeignKey("payments.invoices.id"), nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("file_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", BigInteger),
    Column("created_at", INSTANT, nullable=False),
    Column("decided_at", INSTANT),
    CheckConstraint("state IN ('waiting', 'approved', 'rejected')", name="proofs_state"),
    CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name="proofs_decided"),
    Index("proofs_by_quote", "quote_id", "id"),
    # One decision at a time, and one acceptance for ever: what a quote asks for is credited once.
    Index("proofs_one", "quote_id", unique=True, postgresql_where=text("state <> 'rejected'")),
)

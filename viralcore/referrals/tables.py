"""The tables of referrals. Money is integers of cents."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    MetaData,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(schema="referrals")

INSTANT = DateTime(timezone=True)
_ZERO = text("0")

# Who brought whom; made at first contact, never changed. `bought_at`: their first purchase.
bindings = Table(
    "bindings",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("referrer_id", BigInteger, nullable=False),
    Column("bound_at", INSTANT, nullable=False),
    Column("bought_at", INSTANT),
    CheckConstraint("user_id <> referrer_id", name="bindings_not_oneself"),
    Index("bindings_by_referrer", "referrer_id", "user_id"),
)

# What is known of a purchase, in whatever order events tell it. `paid_cents`: of it, what pays commission; nothing
# until the payment is heard of. `booked_cents`: the commission that is in the books now.
purchases = Table(
    "purchases",
    metadata,
    Column("invoice_id", BigInteger, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, nullable=False),
    Column("item_ref", Text, nullable=False, server_default=text("''")),
    Column("total_cents", BigInteger),
    Column("paid_cents", BigInteger),
    Column("percent", Numeric),
    Column("bought_at", INSTANT),
    Column("booked_cents", BigInteger, nullable=False, server_default=_ZERO),
    CheckConstraint("booked_cents >= 0", name="purchases_booked"),
    CheckConstraint(
        "(paid_cents IS NULL) = (percent IS NULL) AND (paid_cents IS NULL) = (total_cents IS NULL)"
        " AND (paid_cents IS NULL) = (bought_at IS NULL)",
        name="purchases_heard_of",
    ),
    CheckConstraint("paid_cents >= 0 AND paid_cents <= total_cents", name="purchases_amounts"),
    Index("purchases_by_user", "user_id", "invoice_id"),
)

# Money of a purchase that went back, each once. `cents` had paid commission, or, where that is not `known`, is all that
# went back, of which a share had.
returns = Table(
    "returns",
    metadata,
    Column("source", Text, primary_key=True),
    Column("invoice_id", BigInteger, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("known", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    CheckConstraint("cents > 0", name="returns_amount"),
    CheckConstraint("known IN ('paid', 'all')", name="returns_known"),
    Index("returns_by_invoice", "invoice_id"),
)

# Sums of one affiliate, under the lock that every change of them takes.
affiliates = Table(
    "affiliates",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("earned_cents", BigInteger, nullable=False, server_default=_ZERO),
    Column("reversed_cents", BigInteger, nullable=False, server_default=_ZERO),
    Column("receivable_cents", BigInteger, nullable=False, server_default=_ZERO),
    CheckConstraint("earned_cents >= reversed_cents", name="affiliates_earned"),
    CheckConstraint("receivable_cents BETWEEN 0 AND reversed_cents", name="affiliates_receivable"),
)

# Every commission and reversal, written once with its posting.
commissions = Table(
    "commissions",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("key", Text, nullable=False),
    Column("referrer_id", BigInteger, nullable=False),
    Column("buyer_id", BigInteger, nullable=False),
    Column("invoice_id", BigInteger, nullable=False),
    Column("item_ref", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("to_balance_cents", BigInteger, nullable=False),
    Column("at", INSTANT, nullable=False),
    UniqueConstraint("key", name="commissions_key"),
    CheckConstraint(
        "(cents > 0 AND to_balance_cents BETWEEN 0 AND cents) OR (cents < 0 AND to_balance_cents BETWEEN cents AND 0)",
        name="commissions_amounts",
    ),
    Index("commissions_by_referrer", "referrer_id", "id"),
)

"""The tables of the ledger, for comparison with the database. Only the functions of migration 0002 write them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(schema="ledger")

INSTANT = DateTime(timezone=True)


def _id() -> Column[int]:
    return Column("id", BigInteger, Identity(always=True))


accounts = Table(
    "accounts",
    metadata,
    _id(),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("asset", Text, nullable=False),
    PrimaryKeyConstraint("id", name="pk_accounts"),
    UniqueConstraint("owner", "name", "asset", name="uq_accounts_owner_name_asset"),
)

balances = Table(
    "balances",
    metadata,
    Column("account_id", BigInteger, autoincrement=False),
    Column("balance", BigInteger, nullable=False, server_default=text("0")),
    Column("held", BigInteger, nullable=False, server_default=text("0")),
    Column("floor", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("account_id", name="pk_balances"),
    ForeignKeyConstraint(["account_id"], ["ledger.accounts.id"], name="fk_balances_account"),
    CheckConstraint("held >= 0", name="ck_balances_held"),
    CheckConstraint("balance - held >= floor", name="ck_balances_floor"),
)

postings = Table(
    "postings",
    metadata,
    _id(),
    Column("key", Text, nullable=False),
    Column("inputs", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    PrimaryKeyConstraint("id", name="pk_postings"),
    UniqueConstraint("key", name="uq_postings_key"),
)

entries = Table(
    "entries",
    metadata,
    _id(),
    Column("posting_id", BigInteger, nullable=False),
    Column("account_id", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("before", BigInteger),
    Column("after", BigInteger),
    PrimaryKeyConstraint("id", name="pk_entries"),
    CheckConstraint("amount <> 0", name="ck_entries_amount"),
    Index("ix_entries_account_id_id", "account_id", "id"),
    Index("ix_entries_posting_id", "posting_id"),
)

holds = Table(
    "holds",
    metadata,
    _id(),
    Column("key", Text, nullable=False),
    Column("account_id", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'held'")),
    Column("at", INSTANT, nullable=False),
    Column("closed_at", INSTANT),
    Column("close_key", Text),
    Column("posting_id", BigInteger),
    PrimaryKeyConstraint("id", name="pk_holds"),
    UniqueConstraint("key", name="uq_holds_key"),
    ForeignKeyConstraint(["account_id"], ["ledger.balances.account_id"], name="fk_holds_account"),
    CheckConstraint("amount > 0", name="ck_holds_amount"),
    Index("ix_holds_account_id_open", "account_id", postgresql_where=text("state = 'held'")),
)

lots = Table(
    "lots",
    metadata,
    _id(),
    Column("account_id", BigInteger, nullable=False),
    Column("posting_id", BigInteger, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("remaining", BigInteger, nullable=False),
    Column("unit_cost", Numeric, nullable=False),
    PrimaryKeyConstraint("id", name="pk_lots"),
    ForeignKeyConstraint(["account_id"], ["ledger.balances.account_id"], name="fk_lots_account"),
    CheckConstraint("unit_cost >= 0", name="ck_lots_unit_cost"),
    Index("ix_lots_account_id_open", "account_id", "id", postgresql_where=text("remaining > 0")),
)

lot_uses = Table(
    "lot_uses",
    metadata,
    _id(),
    Column("lot_id", BigInteger, nullable=False),
    Column("posting_id", BigInteger, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    PrimaryKeyConstraint("id", name="pk_lot_uses"),
    ForeignKeyConstraint(["lot_id"], ["ledger.lots.id"], name="fk_lot_uses_lot"),
    CheckConstraint("quantity > 0", name="ck_lot_uses_quantity"),
    Index("ix_lot_uses_posting_id", "posting_id"),
    Index("ix_lot_uses_lot_id", "lot_id"),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("account_id", BigInteger),
    Column("entry_id", BigInteger),
    Column("balance", BigInteger, nullable=False),
    Column("at", INSTANT, nullable=False),
    PrimaryKeyConstraint("account_id", "entry_id", name="pk_snapshots"),
    ForeignKeyConstraint(["account_id"], ["ledger.accounts.id"], name="fk_snapshots_account"),
)

snapshot_marks = Table(
    "snapshot_marks",
    metadata,
    _id(),
    Column("entry_id", BigInteger, nullable=False),
    Column("next_xid", BigInteger, nullable=False),
    Column("at", INSTANT, nullable=False),
    PrimaryKeyConstraint("id", name="pk_snapshot_marks"),
)

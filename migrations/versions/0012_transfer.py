"""ledger: a kind for money that moves between two accounts of one person."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"

_KINDS = (
    "'deposit', 'purchase', 'boost', 'refund', 'commission', 'reply_pay', 'withdrawal', 'fee', 'adjustment', 'import'"
)
_SET = """
ALTER TABLE ledger.postings
    DROP CONSTRAINT ck_postings_kind,
    ADD CONSTRAINT ck_postings_kind CHECK (kind IN ({kinds}))
"""


def upgrade() -> None:
    op.execute(_SET.format(kinds=f"{_KINDS}, 'transfer'"))


def downgrade() -> None:
    """Books are never rewritten: this fails where such postings exist."""
    op.execute(_SET.format(kinds=_KINDS))

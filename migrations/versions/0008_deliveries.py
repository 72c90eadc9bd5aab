"""core: a delivery is taken in one short statement, sent together with the BEGIN of its transaction."""

from __future__ import annotations

from typing import Any

from alembic import op

revision = "0008"
down_revision = "0007"

# A function, because its plan is kept: a plain statement sent with a BEGIN would be planned each time.
# The commit does not wait for the disk, unless it is told to later in the transaction (see core/deliveries.py).
TAKE = """
CREATE FUNCTION core.take_delivery(which uuid, who text, round integer, at timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE core.deliveries SET state = 'done', done_at = at, error = ''
    WHERE event_id = which AND subscriber = who AND state = 'pending' AND gen = round;
    RETURN FOUND;
END $$;
"""


def _script(sql: str) -> None:
    """Several statements as one simple query: op.execute would read colons and percent signs in them as parameters."""
    raw: Any = op.get_bind().connection.driver_connection
    raw.execute(sql)


def upgrade() -> None:
    _script(TAKE)


def downgrade() -> None:
    _script("DROP FUNCTION core.take_delivery(uuid, text, integer, timestamptz)")

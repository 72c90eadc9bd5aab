"""core: what is held, and what is to be cleared away, is found without reading everything that is over."""

from __future__ import annotations

from typing import Any

from alembic import op

revision = "0026"
down_revision = "0025"

_UP = """
CREATE INDEX inbox_held ON core.inbox (id) WHERE state = 'held';
-- a released item waits here until a process takes it in
CREATE INDEX inbox_again ON core.inbox (id) WHERE state = 'pending' AND error = 'asked for again';
CREATE INDEX effects_sealed ON core.effects (finished_at) WHERE sealed <> '';
-- the clean-up asks for final ones only: unknown ones are kept, and would be passed over every night
CREATE INDEX effects_final ON core.effects (finished_at) WHERE state IN ('succeeded', 'refused');
DROP INDEX core.effects_finished;
"""
_DOWN = """
CREATE INDEX effects_finished ON core.effects (finished_at);
DROP INDEX core.effects_final, core.effects_sealed, core.inbox_again, core.inbox_held;
"""


def _script(sql: str) -> None:
    """Several statements as one simple query."""
    raw: Any = op.get_bind().connection.driver_connection
    raw.execute(sql)


def upgrade() -> None:
    _script(_UP)


def downgrade() -> None:
    _script(_DOWN)

"""Running the migrations from code: `viralcore migrate`, the first start and the tests all come through here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from viralcore.core.db import conninfo, driver_url

if TYPE_CHECKING:  # Alembic is loaded when there is something to migrate: a start over a database that is up to date
    from alembic.config import Config  # has no use for it and should not wait for it

SCRIPTS = Path(__file__).resolve().parents[2] / "migrations"
LOCK = 0x76636D67  # "vcmg": two processes that start at once migrate one after the other


def _config(connection: Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _session(url: str, lock_timeout: str) -> Iterator[Connection]:
    engine = create_engine(driver_url(url), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
            connection.execute(text("SELECT set_config('lock_timeout', :value, false)"), {"value": lock_timeout})
            connection.commit()
            yield connection
    finally:
        engine.dispose()


def upgrade(url: str, target: str = "head", *, lock_timeout: str = "5s") -> None:
    """Bring the schema up to `target`. Waits at most `lock_timeout` for a table: the shop queues up behind it."""
    if target == "head" and current(url) == newest():
        return
    from alembic import command

    with _session(url, lock_timeout) as connection:
        command.upgrade(_config(connection), target)


def downgrade(url: str, target: str = "base", *, lock_timeout: str = "5s") -> None:
    """Take the schema back to `target`; the data of what is removed is gone."""
    from alembic import command

    with _session(url, lock_timeout) as connection:
        command.downgrade(_config(connection), target)


def revisions() -> tuple[str, ...]:
    """All revisions, oldest first."""
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(_config())
    return tuple(reversed([one.revision for one in script.walk_revisions()]))


def newest() -> str:
    """The last revision, by the names of the files: they begin with it and go up (a test sees to both)."""
    return max(path.name.partition("_")[0] for path in (SCRIPTS / "versions").glob("[0-9]*_*.py"))


def current(url: str) -> str | None:
    """The revision the database stands at, None when it is empty."""
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        if connection.execute("SELECT to_regclass('public.alembic_version')").fetchone() == (None,):
            return None
        row = connection.execute("SELECT version_num FROM public.alembic_version").fetchone()
        return None if row is None else str(row[0])


def is_current(url: str) -> bool:
    """Whether every migration has been applied."""
    return current(url) == newest()


def bound_environment(url: str) -> str | None:
    """The ENVIRONMENT this migrated database belongs to; None while nobody has opened it."""
    engine = create_engine(driver_url(url), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            value = connection.execute(text("SELECT value FROM core.meta WHERE key = 'environment'")).scalar()
            return None if value is None else str(value)
    finally:
        engine.dispose()

"""Database addresses, and what counts as having lost the database."""

from __future__ import annotations

import psycopg
import pytest

from viralcore.core.db import connection_lost, conninfo, driver_url


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_spelling_of_postgres_is_read(scheme: str) -> None:
    assert driver_url(f"{scheme}://u:p@host/db?x=1") == "postgresql+psycopg://u:p@host/db?x=1"
    assert conninfo(f"{scheme}://u:p@host/db?x=1") == "postgresql://u:p@host/db?x=1"


@pytest.mark.parametrize("url", ["mysql://host/db", "", "postgresql", "host/db"])
def test_anything_else_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"^DATABASE_URL must start with postgresql://$"):
        driver_url(url)


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (psycopg.OperationalError("server closed the connection"), True),
        (psycopg.errors.AdminShutdown(), True),
        (psycopg.errors.CannotConnectNow(), True),
        (psycopg.errors.QueryCanceled(), False),
        (psycopg.errors.LockNotAvailable(), False),
        (psycopg.errors.UniqueViolation(), False),
        (ConnectionRefusedError(), False),
        (ValueError(), False),
    ],
)
def test_losing_the_database_is_told_from_hearing_no(error: BaseException, lost: bool) -> None:
    assert connection_lost(error) is lost

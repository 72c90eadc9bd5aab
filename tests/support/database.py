"""Real Postgres for tests: one throw-away cluster per test process, migrated once into a template, cloned per test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.support.clock import FakeClock
from viralcore.core import migrate
from viralcore.core.db import Database
from viralcore.core.embedded import EmbeddedPostgres
from viralcore.core.registry import Registry

TUNING = {"shared_buffers": "64MB", "max_wal_senders": "0", "wal_level": "minimal", "autovacuum": "off"}


@dataclass
class Cluster:
    """A running server. `url`: its maintenance database. The template is made when the first clone is asked for."""

    server: EmbeddedPostgres
    url: str
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _template: str | None = None

    def execute(self, statement: str) -> None:
        """One statement outside any transaction, as the superuser."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)

    def empty(self) -> str:
        """A new empty database; returns its URL."""
        name = f"empty_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.of(name)

    def clone(self) -> str:
        """A new database with every migration applied; returns its URL."""
        if self._template is None:
            self.execute("CREATE DATABASE template_viralcore")
            migrate.upgrade(self.of("template_viralcore"))
            self._template = "template_viralcore"
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {self._template} STRATEGY file_copy")
        return self.of(name)

    def drop(self, url: str) -> None:
        """Drop a database, whoever is still connected."""
        self.execute(f"DROP DATABASE IF EXISTS {url.split('@/')[1].split('?')[0]} WITH (FORCE)")

    def of(self, name: str) -> str:
        """The URL of a database of this cluster."""
        return self.url.replace("@/postgres?", f"@/{name}?")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """The cluster of this test process."""
    folder = Path(tempfile.mkdtemp(prefix="viralcore-test-"))
    server = EmbeddedPostgres(folder, durable=False, tuning=TUNING, pg_bin=os.environ.get("PG_BIN"))
    try:
        yield Cluster(server, server.start())
    finally:
        server.stop()
        server.wipe()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database_url(postgres: Cluster) -> Iterator[str]:
    """A fresh, migrated database."""
    url = postgres.clone()
    yield url
    postgres.drop(url)


@pytest.fixture
def clock() -> FakeClock:
    """Business time, turned by hand."""
    return FakeClock()


@pytest.fixture
def registry() -> Registry:
    """Events, subscribers and effect kinds known to `database`; add to it before the code under test runs."""
    return Registry()


@pytest.fixture
async def database(database_url: str, clock: FakeClock, registry: Registry) -> AsyncIterator[Database]:
    """A started Database on a fresh clone."""
    opened = Database(database_url, clock, registry, size=6, read_size=3)
    await opened.start()
    yield opened
    await opened.stop()

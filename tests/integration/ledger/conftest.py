"""The ledger over a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integration.ledger.books import Books
from viralcore.core.db import Database
from viralcore.ledger.events import LedgerProblemFound
from viralcore.ledger.module import build


@pytest.fixture
async def books(database: Database, database_url: str) -> AsyncIterator[Books]:
    """The service with short ways to speak to it. Whatever a test did, the books agree at its end."""
    database.registry.know(LedgerProblemFound)
    books = Books(database, database_url, build(database).service)
    yield books
    if books.sound:
        assert await books.service.check() == ()
        assert (await books.service.trial_balance()).balanced

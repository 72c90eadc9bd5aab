"""The shop."""

from __future__ import annotations

import pytest

from tests.integration.payments.shop import Shop, settings
from tests.support.clock import FakeClock
from viralcore.core.db import Database
from viralcore.core.registry import Registry


@pytest.fixture
async def shop(database: Database, clock: FakeClock, registry: Registry) -> Shop:
    return await Shop(database, clock, registry).start()


@pytest.fixture
async def banked(database: Database, clock: FakeClock, registry: Registry) -> Shop:
    """A shop that takes naira as well."""
    return await Shop(database, clock, registry, config=settings(by_bank=True)).start()

"""The shop."""

from __future__ import annotations

import pytest

from tests.integration.payments.shop import Shop
from tests.support.clock import FakeClock
from viralcore.core.db import Database
from viralcore.core.registry import Registry


@pytest.fixture
async def shop(database: Database, clock: FakeClock, registry: Registry) -> Shop:
    return await Shop(database, clock, registry).start()

"""The village."""

from __future__ import annotations

import pytest

from tests.integration.referrals.village import Village
from tests.support.clock import FakeClock
from viralcore.core.db import Database
from viralcore.core.registry import Registry


@pytest.fixture
async def village(database: Database, clock: FakeClock, registry: Registry) -> Village:
    return await Village(database, clock, registry).settle_in(registry)

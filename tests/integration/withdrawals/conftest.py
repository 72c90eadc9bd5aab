"""The counter where people ask for their money."""

from __future__ import annotations

import pytest

from tests.integration.withdrawals.counter import Counter
from tests.support.clock import FakeClock
from viralcore.core.db import Database
from viralcore.core.registry import Registry


@pytest.fixture
async def counter(database: Database, clock: FakeClock, registry: Registry) -> Counter:
    return await Counter(database, clock, registry).open()

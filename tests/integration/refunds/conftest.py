"""The market."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from tests.integration.payments.office import ADA
from tests.integration.referrals.village import CARA
from tests.integration.refunds.market import Market
from tests.support.clock import FakeClock
from viralcore.core.db import Database
from viralcore.core.http import HttpClients
from viralcore.core.registry import Registry


@pytest.fixture
def engines() -> Sequence[Any] | None:
    """As the shop runs, unless a module overrides this."""
    return None


@pytest.fixture
async def market(
    database: Database, clock: FakeClock, registry: Registry, engines: Sequence[Any] | None
) -> AsyncIterator[Market]:
    """ADA brought CARA."""
    clients = HttpClients(clock)
    market = Market(database, clock, registry)
    await market.settle_in(registry)
    market.furnish(registry, clients, engines=engines)
    market.clock.advance(60)
    await market.comes(CARA, ADA)
    yield market
    await clients.close()

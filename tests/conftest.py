"""Fixtures for every test, and the order of the tests."""

from __future__ import annotations

from tests.support.database import clock, database, database_url, postgres, registry
from tests.support.loops import pytest_asyncio_loop_factories, pytest_collection_finish
from tests.support.memory import work_in_memory
from tests.support.order import pytest_collection_modifyitems
from tests.support.queueing import engine, nursery
from tests.support.sockets import stay_home

__all__ = [
    "clock",
    "database",
    "database_url",
    "engine",
    "nursery",
    "postgres",
    "pytest_asyncio_loop_factories",
    "pytest_collection_finish",
    "pytest_collection_modifyitems",
    "registry",
    "stay_home",
]

work_in_memory()

"""Fixtures for every test."""

from __future__ import annotations

from tests.support.database import clock, database, database_url, postgres, registry
from tests.support.queueing import engine, nursery
from tests.support.sockets import stay_home

__all__ = ["clock", "database", "database_url", "engine", "nursery", "postgres", "registry", "stay_home"]

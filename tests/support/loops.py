"""Tests run as the bot does: on its own event loop, and without looking for garbage among thousands of tests."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Mapping

import pytest

from viralcore.core.loop import Loop
from viralcore.core.runtime import COLLECTOR


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop of every asynchronous test and fixture."""
    return {"viralcore": Loop}


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was collected stays to the end: the collector need not walk over it for every test."""
    gc.set_threshold(*COLLECTOR)
    gc.collect()
    gc.freeze()

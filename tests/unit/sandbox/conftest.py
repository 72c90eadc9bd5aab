"""A line to a simulated Telegram."""

from __future__ import annotations

import pytest

from tests.support.telegram import Line, open_line


@pytest.fixture
async def line() -> Line:
    return open_line()

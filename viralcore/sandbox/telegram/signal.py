"""One thing happened, many may be waiting for it."""

from __future__ import annotations

import asyncio


class Signal:
    """Wakes everybody who waits; nobody's wait is lost between two checks when they re-check after waking."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def fire(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, seconds: float) -> bool:
        """True when it fired within `seconds`."""
        event = self._event
        try:
            await asyncio.wait_for(event.wait(), max(seconds, 0.0))
        except TimeoutError:
            return False
        return True

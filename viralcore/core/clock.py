"""The two clocks. Business time decides what is due and may be turned; machine time measures and never jumps."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Business time: due dates, expiry, price age, sessions, throttle windows, retry-at columns."""

    def now(self) -> datetime:
        """The current business time, timezone-aware UTC."""
        ...

    def offset(self) -> float:
        """Seconds business time runs ahead of the wall clock; 0.0 outside the sandbox."""
        ...


class SystemClock:
    """Business time equals the wall clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def offset(self) -> float:
        return 0.0


class FileClock:
    """Wall clock plus the offset (seconds, decimal text) written in a file; used through CLOCK_FILE in the sandbox.

    The file is replaced atomically by its writer and read again when its identity changes: the next call sees a turn.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._offset = 0.0

    def offset(self) -> float:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return self._offset
        seen = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if seen != self._seen:
            text = self._path.read_text().strip()
            self._offset = float(text) if text else 0.0
            self._seen = seen
        return self._offset

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.offset())


def monotonic() -> float:
    """Machine time in seconds: for time-outs, pacing and leases."""
    return time.monotonic()

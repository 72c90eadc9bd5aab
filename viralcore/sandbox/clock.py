"""The hands of the clock: writes the offset that CLOCK_FILE carries to the bot."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from viralcore.core.clock import SystemClock


class TurnedClock:
    """Business time of the sandbox. The file is replaced as a whole, so a reader never sees half a number."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._system = SystemClock()
        self._offset = 0.0
        self._write()

    def now(self) -> datetime:
        return self._system.now() + timedelta(seconds=self._offset)

    def offset(self) -> float:
        return self._offset

    def turn(self, seconds: float) -> None:
        """Move on by `seconds`; time never runs back. Raises ValueError."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        self._offset = round(self._offset + seconds, 6)
        self._write()

    def _write(self) -> None:
        draft = self.path.with_name(self.path.name + ".new")
        draft.write_text(f"{self._offset:.6f}")
        draft.replace(self.path)

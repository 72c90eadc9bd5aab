"""Whether Telegram is there, in plain words for /ready.

One failed call is weather; trouble that lasts is told. What cannot get better by itself is told at once: another
program that uses our token, a webhook that is not ours any more.
"""

from __future__ import annotations

from collections.abc import Callable

from viralcore.core.clock import monotonic

PATIENCE = 10.0
"""Machine seconds for which calls may fail before somebody is told."""
CONTEST = 30.0
"""Machine seconds for which a contest is told: two pollers take turns, so that every other call of ours goes well."""
CONTESTED = "another program asks for updates with this bot's token: stop one of the two"


class Pulse:
    """What the last calls to Telegram said. Begins not having heard of it."""

    def __init__(self, *, patience: float = PATIENCE, machine: Callable[[], float] = monotonic) -> None:
        self._patience = patience
        self._machine = machine
        self._reason = "Telegram has not answered yet"
        self._since: float | None = 0.0
        self._tells_at: float = 0.0
        self._contested: float | None = None

    def well(self) -> None:
        """A call went well."""
        self._since = None

    def ill(self, reason: str, *, at_once: bool = False) -> None:
        """A call failed. `reason`: a clause in plain words, without secrets."""
        now = self._machine()
        if self._since is None:
            self._since, self._tells_at = now, now + self._patience
        if at_once:
            self._tells_at = min(self._tells_at, now)
        self._reason = reason

    def contested(self) -> None:
        """Telegram told us that somebody else polls."""
        self._contested = self._machine()

    def trouble(self) -> str | None:
        """Why Telegram is not there, or None."""
        now = self._machine()
        if self._contested is not None and now - self._contested < CONTEST:
            return CONTESTED
        return self._reason if self._since is not None and now >= self._tells_at else None


def words(reason: str) -> str:
    """A machine word of the polling (``status_502``, ``TimedOut``) as a clause."""
    if reason.startswith("status_"):
        return f"Telegram answers with status {reason.removeprefix('status_')}"
    known = {
        "flood": "Telegram asks us to wait",
        "unreadable": "Telegram's answers cannot be read",
        "TimedOut": "Telegram does not answer in time",
        "NetworkError": "Telegram cannot be reached",
    }
    return known.get(reason, f"asking Telegram for updates fails ({reason})")

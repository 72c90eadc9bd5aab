"""The door of admin: what staff do about the shop itself. For now: work that was given up and waits for a retry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Queue = Literal["inbox", "delivery", "effect"]
PAGE = 20


@dataclass(frozen=True, slots=True)
class HeldView:
    """Something that failed in all its attempts and waits for somebody to mend the cause and let it go on.

    `token`: its short name. `queue`: a message from outside, news for a part of the shop, or something to be done
    outside. `what`, `about`: which, in the words of the machine. `error`: why; for owners, never for users.
    `answered`: the outside has answered, only the recording failed. `reference`: what log lines about it carry.
    """

    token: str
    queue: Queue
    what: str
    about: str
    attempts: int
    error: str
    since: datetime
    answered: bool
    reference: str


class HeldWork(Protocol):
    async def count(self) -> int: ...

    async def page(self, *, limit: int = PAGE, offset: int = 0) -> tuple[HeldView, ...]:
        """Oldest first; at most `PAGE`."""
        ...

    async def get(self, *, token: str) -> HeldView:
        """Raises core NotFound when it is not held (any more)."""
        ...

    async def retry(self, *, key: str, actor: int, token: str) -> None:
        """Let it go on, with fresh attempts. Right ``switches``; audited. What it has done already stays done, and a
        call outside whose outcome nobody knows is never repeated. Raises core NotFound (not held, or somebody was
        faster), users NotAllowed, SessionExpired, Blocked."""
        ...

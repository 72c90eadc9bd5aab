"""What happened to users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from viralcore.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRegistered(Event):
    """First contact. `payload`: what followed /start, e.g. ``ref_123``; referrals binds from it."""

    NAME: ClassVar[str] = "users.registered.v1"
    user_id: int
    payload: str | None

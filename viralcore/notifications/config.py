"""The frozen settings of notifications: settings/notifications.toml."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(gt=0)]


class NotificationsConfig(BaseModel):
    """Times are business time. `delays_seconds`: before the second, third ... attempt; the last one repeats."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempts: Annotated[int, Field(ge=1, le=10)]
    delays_seconds: Annotated[tuple[Positive, ...], Field(min_length=1)]
    unsent_seconds: Positive
    give_up_hours: Positive
    parallelism: Annotated[int, Field(ge=1, le=100)]
    group_parallelism: Annotated[int, Field(ge=1, le=20)]
    trouble_minutes: Positive
    keep_days: Positive
    topic_retry_minutes: Positive

    def delay(self, attempt: int) -> int:
        """Seconds after a failed attempt (from 1) until the next."""
        return self.delays_seconds[min(attempt, len(self.delays_seconds)) - 1]

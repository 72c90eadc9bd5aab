"""Everything that is on stage at once, for the control API and the page to act upon."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from viralcore.sandbox.clock import TurnedClock
from viralcore.sandbox.quiet import Quiet
from viralcore.sandbox.telegram.inbound import Inbound
from viralcore.sandbox.telegram.state import Telegram
from viralcore.sandbox.world import World

OWNER_ID, SECOND_ADMIN_ID, ADA_ID = 1000, 1001, 2001
ADMIN_GROUP, LIKES_GROUP = -1_001_000_000_001, -1_001_000_000_002


class OwnPostgres(Protocol):
    """The sandbox's database as the control API sees it."""

    async def restart(self, how: Literal["kill", "immediate", "fast"], down_seconds: float) -> None: ...


class BotProcess(Protocol):
    """The bot as the control API sees it."""

    starts: int

    @property
    def pid(self) -> int | None: ...

    def kill(self) -> int | None: ...

    async def ready(self, seconds: float) -> bool: ...

    def tail(self) -> list[str]: ...


@dataclass(slots=True)
class Stage:
    """`check`: compares all books and returns problems in words. `outbox`: mail and Slack messages, oldest first.
    `caption`: what the demo says on the page at the moment. `cluster` None: the database is somebody else's."""

    clock: TurnedClock
    telegram: Telegram
    inbound: Inbound
    worlds: Sequence[World]
    bot: BotProcess
    quiet: Quiet
    check: Callable[[], Awaitable[list[str]]]
    outbox: list[dict[str, Any]] = field(default_factory=list)
    caption: str = ""
    cluster: OwnPostgres | None = None

    def snapshot(self) -> dict[str, Any]:
        """All worlds' snapshots in one: what several tell under one key is put together, lists newest first."""
        merged: dict[str, Any] = {}
        for world in self.worlds:
            for key, told in world.snapshot().items():
                known = merged.get(key)
                if isinstance(known, dict) and isinstance(told, dict):
                    merged[key] = {**known, **told}
                elif isinstance(known, list) and isinstance(told, list):
                    merged[key] = sorted([*known, *told], key=lambda each: str(each["at"]), reverse=True)
                else:
                    merged[key] = told
        return merged

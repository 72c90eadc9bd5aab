"""What the queue and the clock call: the effect that shows a notice, and the nightly tidying."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from viralcore.core.db import Tx
from viralcore.core.effects import EffectCall, Later, Outcome, Silence
from viralcore.core.jobs import Job
from viralcore.notifications.service.courier import Courier
from viralcore.notifications.service.desk import Desk
from viralcore.notifications.service.groups import GroupReports

DAY = 86_400.0


class Showing:
    """Shows a notice. Implements `core.effects.EffectKind`: silence is simply sent again, so it may arrive twice."""

    silence: Silence = "repeat"

    def __init__(self, name: str, courier: Courier, *, attempts: int, parallelism: int) -> None:
        self.name = name
        self.max_attempts = attempts
        self.urgent = False
        self.parallelism = parallelism
        self._courier = courier

    def slot(self, payload: Mapping[str, Any]) -> AbstractAsyncContextManager[object]:
        """Telegram's pace is kept by the lanes, under the messenger."""
        return nullcontext()

    async def call(self, call: EffectCall) -> Outcome | Later:
        return await self._courier.carry(call)

    async def on_outcome(self, tx: Tx, call: EffectCall, outcome: Outcome) -> None:
        await self._courier.record(tx, call, outcome)


class ShowingInGroup(Showing):
    """The same in groups, and boosts hears what became of its posts."""

    def __init__(self, name: str, courier: Courier, reports: GroupReports, *, attempts: int, parallelism: int) -> None:
        super().__init__(name, courier, attempts=attempts, parallelism=parallelism)
        self._reports = reports

    async def on_outcome(self, tx: Tx, call: EffectCall, outcome: Outcome) -> None:
        await self._courier.record(tx, call, outcome)
        await self._reports.record(tx, call, outcome)


def jobs(desk: Desk) -> tuple[Job, ...]:
    return (Job("notifications.tidy", DAY, desk.tidy, order=210),)

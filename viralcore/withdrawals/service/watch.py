"""The door of the watch. Implements `withdrawals.api.Watch`."""

from __future__ import annotations

from viralcore.withdrawals.api import ComparisonView, DifferenceView, SolvencyView
from viralcore.withdrawals.service.reconciling import Reconciling
from viralcore.withdrawals.service.solvency import SolvencyWatch


class WatchService:
    def __init__(self, reconciling: Reconciling, solvency: SolvencyWatch) -> None:
        self._reconciling = reconciling
        self._solvency = solvency

    async def differences(
        self, *, state: str = "open", after_id: int = 0, limit: int = 10
    ) -> tuple[DifferenceView, ...]:
        return await self._reconciling.differences(state=state, after_id=after_id, limit=limit)

    async def difference(self, *, difference_id: int) -> DifferenceView:
        return await self._reconciling.difference(difference_id=difference_id)

    async def accept(self, *, key: str, actor: int, difference_id: int, reason: str) -> DifferenceView:
        return await self._reconciling.accept(key=key, actor=actor, difference_id=difference_id, reason=reason)

    async def compare_now(self, *, key: str, actor: int) -> ComparisonView:
        return await self._reconciling.compare_now(key=key, actor=actor)

    async def comparison(self, *, comparison_id: int | None = None) -> ComparisonView | None:
        return await self._reconciling.comparison(comparison_id)

    async def solvency(self) -> SolvencyView | None:
        return await self._solvency.view()

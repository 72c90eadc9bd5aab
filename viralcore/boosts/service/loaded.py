"""Orders under their locks with all that belongs to them, and what panels answered to their phases: sets of work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from viralcore.boosts.domain.panels import AddAnswer, Placed
from viralcore.boosts.domain.states import Line, Order, Phase
from viralcore.boosts.repository import orders, phases
from viralcore.core.db import Tx


@dataclass(slots=True)
class Loaded:
    """A locked order, and its lines and phases as they are in this transaction."""

    order: Order
    lines: Sequence[Line]
    phases: list[Phase]

    def metric(self, phase: Phase) -> str:
        return next(line.metric for line in self.lines if line.id == phase.line_id)

    def put(self, now: Phase) -> None:
        """A phase has been written: from now on it is this."""
        self.phases = [now if phase.id == now.id else phase for phase in self.phases]


@dataclass(frozen=True, slots=True)
class Answered:
    """What a panel answered to one attempt. `payload`: what the attempt's effect carried."""

    payload: Mapping[str, Any]
    answer: AddAnswer
    correlation_id: str

    @property
    def order_id(self) -> int:
        return int(self.payload["order_id"])

    @property
    def phase_id(self) -> int:
        return int(self.payload["phase_id"])

    @property
    def panel(self) -> str:
        return str(self.payload["panel"])

    @property
    def panel_order(self) -> str:
        """Raises TypeError where there is none."""
        if not isinstance(self.answer, Placed):
            raise TypeError("not placed")
        return self.answer.order

    @property
    def given(self) -> tuple[str, str] | None:
        """(panel, its order), when it took it."""
        return (self.panel, self.panel_order) if isinstance(self.answer, Placed) else None


async def load(tx: Tx, order_ids: Sequence[int]) -> list[Loaded]:
    """Lock orders, then read what belongs to them; those that are gone are left out."""
    found = await orders.lock_all(tx.conn, sorted(set(order_ids)))
    ids = [order.id for order in found]
    lines, parts = await orders.lines_of(tx.conn, ids), await phases.of_orders(tx.conn, ids)
    return [Loaded(order, lines.get(order.id, []), parts.get(order.id, [])) for order in found]

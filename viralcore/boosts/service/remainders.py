"""What is left of a phase that its panel ended early: ordered once more elsewhere, and refunded when that fails too.

The second order is a phase of its own. It is written in the transaction that ends the first one, names it, and may not
go to its panel; the database lets a phase be named once, and a second order has no third. From then on it is a phase
like any other: dispatched when due, refused, unknown, polled, and refunded with its line.
"""

from __future__ import annotations

import structlog

from viralcore.boosts.domain import states
from viralcore.boosts.domain.states import Phase
from viralcore.boosts.repository import phases, requests
from viralcore.boosts.service.loaded import Loaded
from viralcore.boosts.service.panels import PanelDesk
from viralcore.core.db import Tx

log = structlog.get_logger(__name__)


class Remainders:
    """Orders once more what a panel did not deliver."""

    def __init__(self, desk: PanelDesk) -> None:
        self._desk = desk

    async def order_again(self, tx: Tx, one: Loaded) -> None:
        """For every phase of a locked order that has ended early and was not followed yet."""
        if any(each.state == "cancelled" for each in one.phases) or any(
            each.state == "cancelled" for each in one.lines
        ):
            return  # its buyer wants no more of it
        followed = {phase.remainder_of for phase in one.phases}
        early = [phase for phase in one.phases if phase.id not in followed and self._left(one, phase)]
        if not early:
            return
        stopped = {
            each.phase_id
            for each in await requests.of_orders(tx.conn, [one.order.id])
            if each.what == "cancel" and each.state != "refused"
        }
        for phase in early:
            left = self._left(one, phase)
            if left and phase.id not in stopped:
                await self._follow(tx, one, phase, left)

    async def _follow(self, tx: Tx, one: Loaded, phase: Phase, left: int) -> None:
        metric = one.metric(phase)
        if not self._desk.could(one.order.platform, metric, left, avoid=phase.panel or ""):
            log.info("remainder_not_sold", phase_id=phase.id, left=left)
            return
        number = 1 + max(each.number for each in one.phases if each.line_id == phase.line_id)
        # Of a paused order, as if it had been due when the pause began: the pause's end moves it to that very moment.
        due = one.order.paused_at or tx.now
        added = await phases.add_remainder(tx.conn, phase, quantity=left, number=number, now=due)
        one.phases = [*one.phases, added]
        log.info("remainder_ordered_again", phase_id=phase.id, again=added.id, left=left)

    @staticmethod
    def _left(one: Loaded, phase: Phase) -> int:
        line = next(line for line in one.lines if line.id == phase.line_id)
        if line.finished_at is not None:
            return 0
        return states.remainder(line, [each for each in one.phases if each.line_id == line.id], phase)

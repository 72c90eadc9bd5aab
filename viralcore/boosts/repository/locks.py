"""Locks that take two steps: what is found first only says which order to lock."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.boosts.domain.states import Order, Phase
from viralcore.boosts.repository import orders, phases
from viralcore.core.errors import NotFound


async def phase(conn: AsyncConnection, phase_id: int) -> tuple[Order, Phase]:
    """The order's lock comes first, as everywhere; the phase is read again under it. Raises NotFound."""
    found = await phases.get(conn, phase_id)
    order = None if found is None else await orders.lock(conn, found.order_id)
    again = await phases.get(conn, phase_id)
    if order is None or again is None:
        raise NotFound(what="phase")
    return order, again

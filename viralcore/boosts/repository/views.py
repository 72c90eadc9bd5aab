"""Stored orders as the door shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.boosts.api import BalanceHint, LinkView, OrderLineView, OrderView, PhaseView, UnknownPhaseView
from viralcore.boosts.domain import states, steering
from viralcore.boosts.domain.states import Line, Order, Phase
from viralcore.boosts.repository import crowd, orders, phases, records, services, staff
from viralcore.core.errors import NotFound
from viralcore.core.money import USD, Money


async def order_views(conn: AsyncConnection, found: Sequence[Order]) -> tuple[OrderView, ...]:
    """Whole orders, in the order given."""
    ids = [order.id for order in found]
    lines, parts = await orders.lines_of(conn, ids), await phases.of_orders(conn, ids)
    by_hand = [line.id for some in lines.values() for line in some if line.engine == "staff" and line.finished_at]
    why = await staff.reasons(conn, by_hand)
    in_groups = [order for order, some in lines.items() if any(line.engine == "crowd" for line in some)]
    until = await crowd.closing(conn, in_groups) if in_groups else {}
    return tuple(
        _order(order, lines.get(order.id, []), parts.get(order.id, []), why, until.get(order.id)) for order in found
    )


async def unknown_view(conn: AsyncConnection, phase: Phase) -> UnknownPhaseView:
    """The staff card's worth. Raises NotFound when it was never sent."""
    order = await orders.get(conn, phase.order_id)
    lines = (await orders.lines_of(conn, [phase.order_id])).get(phase.order_id, [])
    line = next((one for one in lines if one.id == phase.line_id), None)
    if order is None or line is None or phase.panel is None or phase.sent_at is None:
        raise NotFound(what="phase")
    return UnknownPhaseView(
        phase_id=phase.id,
        order_id=order.id,
        panel=phase.panel,
        service=phase.service or "",
        link=order.link,
        metric=line.metric,
        quantity=phase.quantity,
        sent_at=phase.sent_at,
        state=phase.state,
        attempt=phase.attempt,
        hint=await _hint(conn, phase) if phase.state == "unknown" else None,
    )


async def _hint(conn: AsyncConnection, phase: Phase) -> BalanceHint | None:
    """What the panel's balance did around the send; None while it is not read, or its price is not known."""
    if phase.sent_at is None or phase.panel is None:
        return None
    around = await records.around(conn, phase.panel, phase.sent_at)
    offer = await services.offer(conn, phase.panel, phase.service or "")
    if around is None or offer is None:
        return None
    return BalanceHint(
        spent=around.before - around.after,
        others=around.cost,
        orders=around.others,
        cost=offer.rate * phase.quantity / 1000,
        before_at=around.before_at,
        after_at=around.after_at,
        currency=around.currency,
    )


def _order(
    order: Order, lines: Sequence[Line], parts: Sequence[Phase], why: Mapping[int, str], until: datetime | None
) -> OrderView:
    metrics = {line.id: line.metric for line in lines}
    cancels = states.can_cancel(order, parts, lines)
    platform = cast(Literal["x", "telegram"], order.platform)
    return OrderView(
        id=order.id,
        user_id=order.user_id,
        plan_id=order.plan_id,
        plan_title=order.plan_title,
        link=LinkView(platform, order.link, order.handle, order.post_id),
        state=order.state,
        created_at=order.created_at,
        finished_at=order.finished_at,
        lines=tuple(
            OrderLineView(
                metric=line.metric,
                channel=line.channel,
                quantity=line.quantity,
                delivered=line.delivered,
                state=line.state,
                refunded=Money(line.back_cents, USD),
                engine=line.engine,
                reason=why.get(line.id, ""),
                verified=line.verified,
                verified_done=line.verified_done,
                until=until if line.engine == "crowd" and line.finished_at is None else None,
            )
            for line in lines
        ),
        phases=tuple(
            PhaseView(
                id=phase.id,
                metric=metrics[phase.line_id],
                number=phase.number,
                quantity=phase.quantity,
                due_at=phase.due_at,
                state=phase.state,
                delivered=phase.delivered,
                panel=phase.panel,
                panel_order=phase.panel_order,
            )
            for phase in parts
        ),
        refunded=Money(order.back_cents, USD),
        to_bonus=Money(order.bonus_cents, USD),
        unpaid=Money(order.unpaid_cents, USD),
        credit_returned=order.credit_returned,
        can_cancel=cancels,
        invoice_id=order.invoice_id,
        units=order.units,
        answers=order.answers,
        paused_at=order.paused_at,
        can_pause=steering.can_pause(order, parts),
        can_cancel_rest=not cancels and steering.has_rest(order, parts, lines),
        can_reorder=order.asset != "",
    )

"""Staff: an order of somebody, as support looks at it when its buyer sends the link of it."""

from __future__ import annotations

from viralcore.boosts.api import OrderView
from viralcore.bot.admin.panels import ASKING, placement_text
from viralcore.bot.turn import Viewer, number, render, route
from viralcore.bot.user.views import order_text
from viralcore.core.errors import NotFound
from viralcore.core.screen import Screen
from viralcore.texts import staff_orders
from viralcore.texts.cards import PersonText
from viralcore.texts.steering import SlowText
from viralcore.users.api import NotAllowed

SEES = "orders.view"


@route("sorder")
async def page(viewer: Viewer, argument: str) -> Screen:
    if SEES not in viewer.user.rights:
        raise NotAllowed(right=SEES)
    seen = await viewer.doors.boosts.slow(order_id=number(argument))
    placed = await viewer.doors.boosts.panel_care.placements(order_id=seen.order.id)
    return staff_orders.page(
        order_text(seen.order),
        buyer=await _buyer(viewer, seen.order),
        created_at=seen.order.created_at,
        told=[SlowText(x.code, x.metric, x.quantity, x.done, x.at, x.asked_at, x.next_at) for x in seen.reasons],
        placed=[placement_text(one) for one in placed],
        may=ASKING in viewer.user.rights,
    )


async def from_link(viewer: Viewer, order_id: str) -> Screen:
    """Whoever bought it sees their order, staff see the team's page of it. Raises NotFound for all others."""
    try:
        return await render(viewer, f"order:{order_id}")
    except NotFound:
        if SEES not in viewer.user.rights:
            raise
        return await page(viewer, order_id)


async def _buyer(viewer: Viewer, order: OrderView) -> PersonText:
    try:
        found = await viewer.doors.users.get(user_id=order.user_id)
    except NotFound:
        return PersonText(order.user_id, "Somebody", None)
    return PersonText(found.id, found.first_name, found.username)

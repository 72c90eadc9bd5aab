"""Orders looked at and steered: the list, one order, its course, why it is slow, pause and the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from viralcore.boosts.api import BadLink, CannotCancel, CannotSteer, NoCredits, OrderFilter, OrderView, PlanEnded
from viralcore.bot.turn import Turn, Viewer, command, number, on, route
from viralcore.bot.user.boost import shown_draft
from viralcore.bot.user.goods import with_unfinished
from viralcore.bot.user.views import invoice_row, order_row, order_text
from viralcore.core.screen import Screen
from viralcore.texts import buttons, errors, home, orders, shop, steering, wording
from viralcore.texts.actions import CancelOrder
from viralcore.texts.order_actions import CancelRest, PauseOrder, Reorder, ResumeOrder
from viralcore.texts.pictures import timeline as picture


@route("orders")
async def my_orders(viewer: Viewer, argument: str) -> Screen:
    """``orders``, ``orders:<before>``, ``orders:problems``, ``orders:problems:<before>``."""
    which, _, before = argument.partition(":") if not argument.isdigit() else ("", "", argument)
    if which not in steering.FILTER_ROUTES:
        which = ""
    size = viewer.config.orders_per_page
    page = await viewer.doors.boosts.orders(
        user_id=viewer.user.id,
        before_id=number(before) if before else None,
        limit=size + 1,
        which=cast(OrderFilter, which or "all"),
    )
    unpaid = () if before or which else await viewer.doors.payments.invoices(user_id=viewer.user.id, open_only=True)
    older = f"{steering.FILTER_ROUTES[which]}:{page[size - 1].id}" if len(page) > size else None
    rows, waiting = [order_row(one) for one in page[:size]], [invoice_row(one) for one in unpaid]
    listed = steering.my_orders(orders=rows, unpaid=waiting, older=older, which=which)
    return listed if before or which else await with_unfinished(viewer, listed)


@command("orders")
async def orders_command(turn: Turn, _: str) -> Screen:
    return await my_orders(turn.viewer, "")


async def _shown(viewer: Viewer, one: OrderView) -> Screen:
    name = viewer.doors.bot_username()
    link = wording.order_link(name, one.id) if name else ""
    came = any(phase.state == "completed" for phase in one.phases)
    ways = steering.Ways(
        can_cancel=one.can_cancel,
        can_pause=one.can_pause,
        can_resume=one.paused_at is not None,
        can_cancel_rest=one.can_cancel_rest,
        can_reorder=one.can_reorder,
        can_refill=came and await viewer.doors.boosts.panel_care.can_refill(order_id=one.id),
        running=one.finished_at is None,
        link=link,
    )
    return steering.order(order_text(one), ways)


async def _mine(viewer: Viewer, argument: str) -> OrderView:
    return await viewer.doors.boosts.get_order(order_id=number(argument), user_id=viewer.user.id)


@route("order")
async def order(viewer: Viewer, argument: str) -> Screen:
    return await _shown(viewer, await _mine(viewer, argument))


@route("timeline")
async def timeline(viewer: Viewer, argument: str) -> Screen:
    one = await _mine(viewer, argument)
    text = order_text(one)
    return steering.timeline(text, picture.recipe(text, one.created_at, one.finished_at, viewer.clock.now()))


@route("slow")
async def slow(viewer: Viewer, argument: str) -> Screen:
    seen = await viewer.doors.boosts.slow(user_id=viewer.user.id, order_id=number(argument))
    told = [steering.SlowText(x.code, x.metric, x.quantity, x.done, x.at, x.asked_at, x.next_at) for x in seen.reasons]
    return steering.slow(order_text(seen.order), told, usual=seen.usual, longer=seen.longer)


@route("ocancel")
async def confirm_cancel(viewer: Viewer, argument: str) -> Screen:
    one = await _mine(viewer, argument)
    return orders.confirm_cancel(order_text(one)) if one.can_cancel else await _shown(viewer, one)


@on(CancelOrder)
async def cancel(turn: Turn, act: CancelOrder) -> Screen:
    try:
        one = await turn.doors.boosts.cancel(key=turn.key, user_id=turn.user.id, order_id=act.order)
    except CannotCancel as error:
        return await _said(turn, act.order, error)
    return await _shown(turn.viewer, one)


@route("orest")
async def confirm_rest(viewer: Viewer, argument: str) -> Screen:
    one = await _mine(viewer, argument)
    return steering.confirm_rest(order_text(one)) if one.can_cancel_rest else await _shown(viewer, one)


@on(CancelRest)
async def cancel_rest(turn: Turn, act: CancelRest) -> Screen:
    try:
        await turn.doors.boosts.cancel_rest(key=turn.key, user_id=turn.user.id, order_id=act.order)
    except CannotSteer as error:
        return await _said(turn, act.order, error)
    return await order(turn.viewer, str(act.order))


@on(PauseOrder)
async def pause(turn: Turn, act: PauseOrder) -> Screen:
    try:
        await turn.doors.boosts.pause(key=turn.key, user_id=turn.user.id, order_id=act.order)
    except CannotSteer as error:
        return await _said(turn, act.order, error)
    return await order(turn.viewer, str(act.order))


@on(ResumeOrder)
async def resume(turn: Turn, act: ResumeOrder) -> Screen:
    try:
        await turn.doors.boosts.resume(key=turn.key, user_id=turn.user.id, order_id=act.order)
    except CannotSteer as error:
        return await _said(turn, act.order, error)
    return await order(turn.viewer, str(act.order))


async def _said(turn: Turn, order_id: int, error: CannotCancel | CannotSteer) -> Screen:
    """The order as it is, with the reason above it; without a route, as a redraw would take the reason away."""
    return replace(shop.with_note(errors.words(error), await order(turn.viewer, str(order_id))), route="")


@on(Reorder)
async def reorder(turn: Turn, act: Reorder) -> Screen:
    try:
        draft = await turn.doors.boosts.reorder(key=turn.key, user_id=turn.user.id, order_id=act.order)
    except (NoCredits, PlanEnded, BadLink) as error:
        return home.refused(errors.words(error), back=f"order:{act.order}", more=(buttons.MENU,))
    return shown_draft(draft)

"""Links: reading them, choosing the plan, confirming, following and cancelling orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viralcore.boosts.api import BadLink, DraftView, NoCredits, TooManyLinks
from viralcore.bot import dialogue
from viralcore.bot.turn import Turn, Viewer, answer, command, number, on, route
from viralcore.bot.user.goods import with_unfinished
from viralcore.bot.user.views import invoice_row, line_text, order_row, order_text
from viralcore.core.screen import Screen
from viralcore.texts import buttons, errors, home, orders
from viralcore.texts.actions import AskLink, CancelOrder, ChoosePlan, ConfirmDraft, DiscardDraft


async def ask_for_link(turn: Turn) -> Screen:
    await turn.ask(dialogue.LINK)
    return orders.ask_link()


@on(AskLink)
async def ask_link(turn: Turn, _: AskLink) -> Screen:
    return await ask_for_link(turn)


@answer(dialogue.LINK)
async def link_typed(turn: Turn, _: Mapping[str, Any], text: str) -> Screen:
    screen = await links(turn, text)
    if not screen.route:  # nothing usable in it: the question stays open
        await turn.ask(dialogue.LINK)
    return screen


@command("submitlink")
async def submit_link(turn: Turn, arguments: str) -> Screen:
    return await links(turn, arguments) if arguments.strip() else await ask_for_link(turn)


async def links(turn: Turn, text: str) -> Screen:
    """From a message with links to the confirm screen; nothing is used before Confirm."""
    try:
        draft = await turn.doors.boosts.draft(key=turn.key, user_id=turn.user.id, text=text)
    except NoCredits as error:
        return home.refused(errors.words(error), more=(buttons.MENU,))
    except (BadLink, TooManyLinks) as error:
        return home.refused(errors.words(error), more=(buttons.SUBMIT,))
    return _draft(draft)


@route("draft")
async def draft(viewer: Viewer, argument: str) -> Screen:
    return _draft(await viewer.doors.boosts.get_draft(user_id=viewer.user.id, draft_id=number(argument)))


@route("plans")
async def plans(viewer: Viewer, argument: str) -> Screen:
    return _choose(await viewer.doors.boosts.get_draft(user_id=viewer.user.id, draft_id=number(argument)))


@on(ChoosePlan)
async def choose_plan(turn: Turn, act: ChoosePlan) -> Screen:
    return _draft(
        await turn.doors.boosts.choose_plan(key=turn.key, user_id=turn.user.id, draft_id=act.draft, plan_id=act.plan)
    )


@on(ConfirmDraft)
async def confirm(turn: Turn, act: ConfirmDraft) -> Screen:
    made = await turn.doors.boosts.confirm(key=turn.key, user_id=turn.user.id, draft_id=act.draft)
    return orders.placed([(order.id, order.link.canonical) for order in made])


@on(DiscardDraft)
async def discard(turn: Turn, act: DiscardDraft) -> Screen:
    await turn.doors.boosts.discard(key=turn.key, user_id=turn.user.id, draft_id=act.draft)
    return orders.discarded()


@route("orders")
async def my_orders(viewer: Viewer, before: str) -> Screen:
    size = viewer.config.orders_per_page
    page = await viewer.doors.boosts.orders(
        user_id=viewer.user.id, before_id=number(before) if before else None, limit=size + 1
    )
    unpaid = () if before else await viewer.doors.payments.invoices(user_id=viewer.user.id, open_only=True)
    older = f"orders:{page[size - 1].id}" if len(page) > size else None
    listed = orders.my_orders(
        orders=[order_row(one) for one in page[:size]], unpaid=[invoice_row(one) for one in unpaid], older=older
    )
    return listed if before else await with_unfinished(viewer, listed)


@command("orders")
async def orders_command(turn: Turn, _: str) -> Screen:
    return await my_orders(turn.viewer, "")


@route("order")
async def order(viewer: Viewer, argument: str) -> Screen:
    one = await viewer.doors.boosts.get_order(order_id=number(argument), user_id=viewer.user.id)
    came = any(phase.state == "completed" for phase in one.phases)
    refill = came and await viewer.doors.boosts.panel_care.can_refill(order_id=one.id)
    return orders.order(order_text(one), can_cancel=one.can_cancel, can_refill=refill)


@route("ocancel")
async def confirm_cancel(viewer: Viewer, argument: str) -> Screen:
    one = await viewer.doors.boosts.get_order(order_id=number(argument), user_id=viewer.user.id)
    text = order_text(one)
    return orders.confirm_cancel(text) if one.can_cancel else orders.order(text, can_cancel=False)


@on(CancelOrder)
async def cancel(turn: Turn, act: CancelOrder) -> Screen:
    one = await turn.doors.boosts.cancel(key=turn.key, user_id=turn.user.id, order_id=act.order)
    return orders.order(order_text(one), can_cancel=one.can_cancel)


def _draft(one: DraftView) -> Screen:
    if one.plan is None:
        return _choose(one)
    left = next((choice.available for choice in one.choices if choice.plan.id == one.plan.id), 0)
    return orders.confirm(
        draft_id=one.id,
        links=[link.canonical for link in one.links],
        problems=[(problem.text, problem.reason) for problem in one.problems],
        plan=one.plan.title,
        left=left,
        delivered=[line_text(line) for line in one.plan.lines],
        phases_minutes=one.phases_minutes,
        refund=one.refund_per_unit,
        choices=len(one.choices),
    )


def _choose(one: DraftView) -> Screen:
    return orders.choose_plan(
        draft_id=one.id,
        links=[link.canonical for link in one.links],
        problems=[(problem.text, problem.reason) for problem in one.problems],
        choices=[(choice.plan.id, choice.plan.title, choice.available) for choice in one.choices],
    )

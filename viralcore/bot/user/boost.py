"""Links: reading them, choosing the plan, confirming."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viralcore.boosts.api import BadLink, DraftView, NoCredits, PlanChanged, PlanEnded, TooManyLinks
from viralcore.bot import dialogue
from viralcore.bot.turn import Turn, Viewer, answer, command, number, on, route
from viralcore.bot.user.views import line_text
from viralcore.core.screen import Screen
from viralcore.texts import buttons, errors, home, orders, shop, steering
from viralcore.texts.actions import AskLink, ChoosePlan, ConfirmDraft, DiscardDraft
from viralcore.texts.ways import WayText


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
    except (NoCredits, PlanEnded) as error:
        more = (buttons.MENU, buttons.SUPPORT) if "ended_at" in error.fields else (buttons.MENU,)
        return home.refused(errors.words(error), more=more)
    except (BadLink, TooManyLinks) as error:
        return home.refused(errors.words(error), more=(buttons.SUBMIT,))
    return shown_draft(draft)


@route("draft")
async def draft(viewer: Viewer, argument: str) -> Screen:
    return shown_draft(await viewer.doors.boosts.get_draft(user_id=viewer.user.id, draft_id=number(argument)))


@route("plans")
async def plans(viewer: Viewer, argument: str) -> Screen:
    return _choose(await viewer.doors.boosts.get_draft(user_id=viewer.user.id, draft_id=number(argument)))


@on(ChoosePlan)
async def choose_plan(turn: Turn, act: ChoosePlan) -> Screen:
    return shown_draft(
        await turn.doors.boosts.choose_plan(key=turn.key, user_id=turn.user.id, draft_id=act.draft, plan_id=act.plan)
    )


@on(ConfirmDraft)
async def confirm(turn: Turn, act: ConfirmDraft) -> Screen:
    try:
        await turn.doors.boosts.confirm(key=turn.key, user_id=turn.user.id, draft_id=act.draft)
    except PlanChanged as error:
        changed = ChoosePlan(act.draft, str(error.fields["plan_id"]))
        return shop.with_note(errors.words(error), await choose_plan(turn, changed))
    return await placed(turn.viewer, str(act.draft))


@route("placed")
async def placed(viewer: Viewer, argument: str) -> Screen:
    """The summary of what was confirmed: orders, and links that were not taken."""
    draft_id = number(argument)
    one = await viewer.doors.boosts.placed(user_id=viewer.user.id, draft_id=draft_id)
    first = one.orders[0]
    mine = await viewer.doors.boosts.credits(user_id=viewer.user.id)
    left = next((credit.available for credit in mine if credit.plan.id == first.plan_id), 0)
    return steering.placed(
        draft_id=draft_id,
        orders=[(order.id, order.link.canonical, order.state) for order in one.orders],
        problems=[(problem.text, problem.reason) for problem in one.problems],
        left=orders.posts_left(first.plan_title, left),
    )


@on(DiscardDraft)
async def discard(turn: Turn, act: DiscardDraft) -> Screen:
    await turn.doors.boosts.discard(key=turn.key, user_id=turn.user.id, draft_id=act.draft)
    return orders.discarded()


def shown_draft(one: DraftView) -> Screen:
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
        ways=[WayText(way.metric, way.by, way.minutes, way.hours) for way in one.ways],
        refund=one.refund_per_unit,
        choices=len(one.choices),
    )


def _choose(one: DraftView) -> Screen:
    return orders.choose_plan(
        draft_id=one.id,
        links=[link.canonical for link in one.links],
        problems=[(problem.text, problem.reason) for problem in one.problems],
        choices=[(choice.plan.id, choice.plan.title, choice.available, choice.plan.until) for choice in one.choices],
    )

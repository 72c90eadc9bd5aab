"""A person's custom plans."""

from __future__ import annotations

from viralcore.boosts.api import CustomPlanView
from viralcore.bot.turn import Viewer, number, route
from viralcore.bot.user.views import line_text
from viralcore.core.errors import NotFound
from viralcore.core.screen import Screen
from viralcore.texts import custom


def custom_text(one: CustomPlanView) -> custom.CustomText:
    return custom.CustomText(
        id=one.id,
        title=one.spec.title,
        lines=tuple(line_text(line) for line in one.plan.lines),
        price=one.spec.price,
        preset=one.spec.preset,
        left=one.left,
        state=one.state,
        until=one.plan.until,
        paid_back=one.paid_back,
        worst_cost=one.worst_cost,
    )


@route("customs")
async def customs(viewer: Viewer, _: str) -> Screen:
    found = await viewer.doors.boosts.custom.of_user(user_id=viewer.user.id)
    return custom.mine([custom_text(one) for one in found], contact=viewer.config.support_contact)


@route("custom")
async def one_custom(viewer: Viewer, argument: str) -> Screen:
    one = await viewer.doors.boosts.custom.get(plan_id=number(argument))
    if one.user_id != viewer.user.id:
        raise NotFound(what="custom plan")
    return custom.one_of_mine(custom_text(one), contact=viewer.config.support_contact)


@route("customask")
async def ask_for_custom(viewer: Viewer, _: str) -> Screen:
    found = await viewer.doors.boosts.custom.of_user(user_id=viewer.user.id)
    return custom.ask(contact=viewer.config.support_contact, have=bool(found))

"""Custom plans for owners, in the private Admin Panel: whose, what, why, Confirm. What was typed is kept in the open
question, which the Confirm of another screen does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viralcore.boosts.api import BadCustomPlan, CustomPlanView, PlanChanged
from viralcore.bot import dialogue
from viralcore.bot.admin.custom_form import Form, FormProblems, read
from viralcore.bot.admin.finance_views import Faces
from viralcore.bot.admin.payments import person_typed
from viralcore.bot.turn import Turn, Viewer, answer, command, number, on, route
from viralcore.bot.user.custom import custom_text
from viralcore.bot.user.views import line_text
from viralcore.core.one_line import one_line
from viralcore.core.screen import Screen
from viralcore.texts import custom, errors, home, shop
from viralcore.texts.cards import PersonText
from viralcore.texts.order_actions import AskCustom, AskEndCustom, ConfirmCustom, ConfirmEndCustom, FindCustomUser
from viralcore.users.api import NotAllowed

RIGHT = "plans"
LONGEST_REASON = 300


def _owners_only(viewer: Viewer) -> None:
    """Looking. What is done is checked again inside each use case."""
    if RIGHT not in viewer.user.rights:
        raise NotAllowed(right=RIGHT)


async def _person(viewer: Viewer, user_id: int) -> PersonText:
    return (await Faces.of(viewer.doors.users, [user_id])).person(user_id)


@route("cadm")
async def menu(viewer: Viewer, _: str) -> Screen:
    _owners_only(viewer)
    return custom.admin()


@route("cuser")
async def of_user(viewer: Viewer, argument: str) -> Screen:
    _owners_only(viewer)
    user_id = number(argument)
    found = await viewer.doors.boosts.custom.of_user(user_id=user_id)
    return custom.of_user(await _person(viewer, user_id), [custom_text(one) for one in found])


@route("cplan")
async def detail(viewer: Viewer, argument: str) -> Screen:
    _owners_only(viewer)
    one = await viewer.doors.boosts.custom.get(plan_id=number(argument))
    return custom.detail(await _person(viewer, one.user_id), custom_text(one))


@on(FindCustomUser)
async def find(turn: Turn, _: FindCustomUser) -> Screen:
    _owners_only(turn.viewer)
    await turn.ask(dialogue.CUSTOM_USER)
    return custom.find()


@answer(dialogue.CUSTOM_USER)
async def user_typed(turn: Turn, _: Mapping[str, Any], text: str) -> Screen:
    _owners_only(turn.viewer)
    found = await person_typed(turn, text.strip())
    if found is None:
        await turn.ask(dialogue.CUSTOM_USER)
        return custom.find(text.strip() or "that")
    return await of_user(turn.viewer, str(found))


@command("custom")
async def custom_command(turn: Turn, arguments: str) -> Screen:
    """``/custom 2001``, ``/custom @ada``: that person's custom plans."""
    if not arguments.strip():
        return await menu(turn.viewer, "")
    return await user_typed(turn, {}, arguments)


# --- made and changed ------------------------------------------------------------------------------------------------


@on(AskCustom)
async def ask_form(turn: Turn, act: AskCustom) -> Screen:
    _owners_only(turn.viewer)
    one = await turn.doors.boosts.custom.get(plan_id=act.plan) if act.plan else None
    user_id = act.user if one is None else one.user_id
    who = await _person(turn.viewer, user_id)
    await turn.ask(dialogue.CUSTOM_FORM, user=user_id, plan=act.plan, text="")
    return custom.ask_form(who, None if one is None else custom_text(one))


@answer(dialogue.CUSTOM_FORM)
async def form_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen:
    """Typed again, it replaces what was typed."""
    user_id, plan_id = int(data["user"]), int(data["plan"])
    one = await turn.doors.boosts.custom.get(plan_id=plan_id) if plan_id else None
    who = await _person(turn.viewer, user_id)
    try:
        form = read(text, turn.viewer.clock.now(), None if one is None else one.spec)
        shown = _as_it_would_be(turn, form, one)
    except (FormProblems, BadCustomPlan) as error:
        await turn.ask(dialogue.CUSTOM_FORM, user=user_id, plan=plan_id, text="")
        told = error.problems if isinstance(error, FormProblems) else [(str(errors.words(error)), "")]
        return custom.ask_form(who, None if one is None else custom_text(one), told)
    version = 0 if one is None else one.plan.version
    await turn.ask(dialogue.CUSTOM_FORM, user=user_id, plan=plan_id, text=text, version=version)
    return custom.confirm(who, shown, new=one is None, give=form.give, reason=form.reason)


def _as_it_would_be(turn: Turn, form: Form, one: CustomPlanView | None) -> custom.CustomText:
    """Raises BadCustomPlan."""
    plan, worst = turn.doors.boosts.custom.preview(form.spec)
    return custom.CustomText(
        id=0 if one is None else one.id,
        title=form.spec.title,
        lines=tuple(line_text(line) for line in plan.lines),
        price=form.spec.price,
        preset=form.spec.preset,
        left=0 if one is None else one.left,
        state="live",
        until=form.spec.expires_at,
        worst_cost=worst,
    )


@on(ConfirmCustom)
async def confirm_form(turn: Turn, act: ConfirmCustom) -> Screen:
    _owners_only(turn.viewer)
    data = await _kept(turn, dialogue.CUSTOM_FORM, "text", user=act.user, plan=act.plan)
    if data is None:
        return shop.with_note(home.TOO_LATE, await of_user(turn.viewer, str(act.user)))
    door = turn.doors.boosts.custom
    one = await door.get(plan_id=act.plan) if act.plan else None
    try:
        form = read(str(data["text"]), turn.viewer.clock.now(), None if one is None else one.spec)
        made = await _changed(turn, act.user, one, form, int(data["version"]))
    except (BadCustomPlan, PlanChanged) as error:
        where = of_user(turn.viewer, str(act.user)) if one is None else detail(turn.viewer, str(act.plan))
        return shop.with_note(errors.words(error), await where)
    except FormProblems:  # its time has come, or another owner did the same
        return shop.with_note(home.TOO_LATE, await of_user(turn.viewer, str(act.user)))
    return await detail(turn.viewer, str(made.id))


async def _changed(turn: Turn, user_id: int, one: CustomPlanView | None, form: Form, version: int) -> CustomPlanView:
    door, reason = turn.doors.boosts.custom, form.reason[:LONGEST_REASON]
    if one is None:
        return await door.create(
            key=turn.key, actor=turn.user.id, user_id=user_id, spec=form.spec, give=form.give, reason=reason
        )
    return await door.edit(
        key=turn.key,
        actor=turn.user.id,
        plan_id=one.id,
        version=version,
        spec=form.spec,
        give=form.give,
        reason=reason,
    )


# --- ended -----------------------------------------------------------------------------------------------------------


@on(AskEndCustom)
async def ask_end(turn: Turn, act: AskEndCustom) -> Screen:
    _owners_only(turn.viewer)
    one = await turn.doors.boosts.custom.get(plan_id=act.plan)
    await turn.ask(dialogue.CUSTOM_END, plan=act.plan, reason="")
    return custom.ask_end(await _person(turn.viewer, one.user_id), custom_text(one))


@answer(dialogue.CUSTOM_END)
async def end_reason(turn: Turn, data: Mapping[str, Any], text: str) -> Screen:
    """Typed again, it replaces the reason."""
    reason = one_line(text, LONGEST_REASON)
    one = await turn.doors.boosts.custom.get(plan_id=int(data["plan"]))
    await turn.ask(dialogue.CUSTOM_END, plan=one.id, reason=reason)
    return custom.confirm_end(await _person(turn.viewer, one.user_id), custom_text(one), reason=reason)


@on(ConfirmEndCustom)
async def confirm_end(turn: Turn, act: ConfirmEndCustom) -> Screen:
    _owners_only(turn.viewer)
    data = await _kept(turn, dialogue.CUSTOM_END, "reason", plan=act.plan)
    one = await turn.doors.boosts.custom.get(plan_id=act.plan)
    if data is None:
        return shop.with_note(home.TOO_LATE, await detail(turn.viewer, str(act.plan)))
    if one.left != act.left:  # used or bought since: look again before it is taken
        await turn.ask(dialogue.CUSTOM_END, plan=one.id, reason=str(data["reason"]))
        return custom.confirm_end(await _person(turn.viewer, one.user_id), custom_text(one), reason=str(data["reason"]))
    await turn.doors.boosts.custom.end(key=turn.key, actor=turn.user.id, plan_id=act.plan, reason=str(data["reason"]))
    return await detail(turn.viewer, str(act.plan))


async def _kept(turn: Turn, name: str, typed: str, **facts: int) -> Mapping[str, Any] | None:
    """What was typed for this very decision; None when the question is over or was another."""
    asked = await turn.question()
    if asked is None or asked.name != name or not asked.data.get(typed):
        return None
    return asked.data if all(asked.data.get(fact) == value for fact, value in facts.items()) else None

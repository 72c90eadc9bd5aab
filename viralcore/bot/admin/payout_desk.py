"""Withdrawals in the private Admin Panel: the queue, the numbers, and the switches, asked for step by step."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast, get_args

from viralcore.bot import dialogue
from viralcore.bot.admin.finance_views import Faces
from viralcore.bot.admin.withdrawals import may_decide
from viralcore.bot.turn import Turn, UnknownRoute, Viewer, answer, number, on, route
from viralcore.core.one_line import one_line
from viralcore.core.screen import Screen
from viralcore.texts import errors, home
from viralcore.texts import withdrawal_desk as texts
from viralcore.texts.shop import with_note
from viralcore.texts.withdrawal_actions import AskSwitch, ConfirmSwitch
from viralcore.users.api import NotAllowed, SessionExpired
from viralcore.withdrawals.api import Mode, NoProvider, QueueFilter

PAGE = 20
LONGEST_REASON = 300
SWITCH = "switches"


@route("payouts")
async def payouts(viewer: Viewer, _: str) -> Screen:
    may_decide(viewer)
    desk = viewer.doors.withdrawals.desk
    return texts.menu(
        await desk.switches(),
        await desk.counts(),
        rate=await desk.live_rate(),
        owner=SWITCH in viewer.user.rights,
    )


@route("queue")
async def queue(viewer: Viewer, argument: str) -> Screen:
    may_decide(viewer)
    which, _, after = argument.partition(":")
    if which not in get_args(QueueFilter):
        raise UnknownRoute(argument[:40])
    desk, name = viewer.doors.withdrawals.desk, cast("QueueFilter", which)
    found = await desk.queue(which=name, after_id=number(after) if after else 0, limit=PAGE + 1)
    shown = found[:PAGE]
    faces = await Faces.of(viewer.doors.users, [one.user_id for one in shown])
    return texts.queue(
        [(one, faces.person(one.user_id)) for one in shown],
        which=which,
        total=(await desk.counts())[name],
        newer=shown[-1].id if len(found) > PAGE else None,
        first=not after,
    )


@route("payout_stats")
async def stats(viewer: Viewer, argument: str) -> Screen:
    may_decide(viewer)
    days = number(argument)
    if days not in texts.SPANS:
        raise UnknownRoute(argument[:40])
    now = viewer.clock.now()
    found = await viewer.doors.withdrawals.desk.stats(since=now - timedelta(days=days), until=now)
    return texts.stats(found, days=days)


# --- switches ---------------------------------------------------------------------------------------------------------


def _may_switch(viewer: Viewer) -> None:
    if SWITCH not in viewer.user.rights:
        raise NotAllowed(right=SWITCH)
    until = viewer.user.session_until
    if until is None or until <= viewer.clock.now():
        raise SessionExpired(right=SWITCH)


@on(AskSwitch)
async def ask_switch(turn: Turn, act: AskSwitch) -> Screen:
    _may_switch(turn.viewer)
    if not texts.known_switch(act.what, act.value):
        raise UnknownRoute(act.what[:40])
    await turn.ask(dialogue.PAYOUT_SWITCH, what=act.what, value=act.value, reason="")
    return texts.ask_switch(what=act.what, value=act.value)


@answer(dialogue.PAYOUT_SWITCH)
async def switch_reason(turn: Turn, data: Mapping[str, Any], text: str) -> Screen:
    """Typed again, it replaces the reason."""
    reason = one_line(text, LONGEST_REASON)
    what, value = str(data["what"]), str(data["value"])
    await turn.ask(dialogue.PAYOUT_SWITCH, what=what, value=value, reason=reason)
    return texts.confirm_switch(what=what, value=value, reason=reason)


@on(ConfirmSwitch)
async def confirm_switch(turn: Turn, act: ConfirmSwitch) -> Screen:
    _may_switch(turn.viewer)
    asked = await turn.question()
    data = asked.data if asked is not None and asked.name == dialogue.PAYOUT_SWITCH else {}
    if not data.get("reason") or (data["what"], data["value"]) != (act.what, act.value):
        return with_note(home.TOO_LATE, await payouts(turn.viewer, ""))
    desk, reason = turn.doors.withdrawals.desk, str(data["reason"])
    try:
        if act.what == "mode":
            await desk.set_mode(key=turn.key, actor=turn.user.id, mode=cast("Mode", act.value), reason=reason)
        else:
            await desk.pause(key=turn.key, actor=turn.user.id, paused=act.value == "true", reason=reason)
    except NoProvider as error:
        return home.refused(errors.words(error), back="payouts")
    return await payouts(turn.viewer, "")

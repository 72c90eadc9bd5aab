"""Staff: orders at panels that do not end by themselves. Who may end one is checked when they do.

In private what was typed is confirmed first; what is to be confirmed is kept in the open question, which the Confirm of
another screen does not fit. In the admin group the answer is the deed, as for all cards there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viralcore.boosts.api import BadPanelOrder, BadProgress, NotSent, StuckOrders, StuckView
from viralcore.bot import dialogue
from viralcore.bot.turn import Turn, Viewer, answer, number, on, route
from viralcore.bot.user.shop import whole
from viralcore.core.errors import DomainError
from viralcore.core.screen import Html, Screen
from viralcore.texts import errors, home, stuck
from viralcore.texts.stuck_actions import AskPhaseEnd, AskPhaseNumber, ConfirmPhaseEnd
from viralcore.users.api import NotAllowed

PAGE = 20
SEES, ENDS = "orders.view", "orders.retry"


def _may(viewer: Viewer, right: str) -> None:
    if right not in viewer.user.rights:
        raise NotAllowed(right=right)


def _door(viewer: Viewer) -> StuckOrders:
    return viewer.doors.boosts.panel_care.stuck


# --- looking ---------------------------------------------------------------------------------------------------------


@route("stuck")
async def listed(viewer: Viewer, argument: str) -> Screen:
    _may(viewer, SEES)
    after = number(argument) if argument else 0
    found = await _door(viewer).page(after=after, limit=PAGE + 1)
    newer = found[PAGE - 1].phase_id if len(found) > PAGE else None
    return stuck.listed(found[:PAGE], total=await _door(viewer).count(), newer=newer, first=not after)


@route("sphase")
async def page(viewer: Viewer, argument: str) -> Screen:
    _may(viewer, SEES)
    one = await _door(viewer).get(phase_id=number(argument))
    return stuck.page(one, may=ENDS in viewer.user.rights)


# --- it ended there --------------------------------------------------------------------------------------------------


@on(AskPhaseEnd)
async def ask_end(turn: Turn, act: AskPhaseEnd) -> Screen | None:
    return await _ask_end(turn, await _running(turn, act.phase))


async def _ask_end(turn: Turn, one: StuckView, problem: Html | None = None) -> Screen | None:
    await turn.ask(dialogue.PHASE_DELIVERED, phase=one.phase_id, number=one.panel_order)
    if turn.private:
        return stuck.ask_end_here(one, problem)
    turn.reply = problem or stuck.ask_end(one)
    return None


@answer(dialogue.PHASE_DELIVERED)
async def delivered_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen | None:
    one, delivered = await _running(turn, int(data["phase"]), str(data["number"])), whole(text)
    if delivered is None or not 0 <= delivered <= one.quantity:
        return await _ask_end(turn, one, errors.words(BadProgress(most=one.quantity)))
    if not turn.private:
        return await _end(turn, data, delivered)
    facts = {"phase": one.phase_id, "number": one.panel_order, "delivered": delivered}
    await turn.ask(dialogue.PHASE_END_OK, **facts)
    return stuck.confirm_end(one, delivered=delivered)


@answer(dialogue.PHASE_END_OK)
async def another_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen | None:
    """Typed instead of pressing Confirm: another number."""
    return await delivered_typed(turn, data, text)


@on(ConfirmPhaseEnd)
async def confirm_end(turn: Turn, act: ConfirmPhaseEnd) -> Screen | None:
    _may(turn.viewer, ENDS)
    asked = await turn.question()
    if asked is None or asked.name != dialogue.PHASE_END_OK or int(asked.data["phase"]) != act.phase:
        return await page(turn.viewer, str(act.phase))  # it took too long: begin again
    return await _end(turn, asked.data, int(asked.data["delivered"]))


async def _end(turn: Turn, data: Mapping[str, Any], delivered: int) -> Screen | None:
    phase_id, seen = int(data["phase"]), str(data["number"])
    try:
        one = await _door(turn.viewer).end(
            key=turn.key, actor=turn.user.id, phase_id=phase_id, panel_order=seen, delivered=delivered
        )
    except NotSent as error:
        return _refused(turn, error, phase_id)
    return _said(turn, stuck.ended(one), phase_id)


# --- its number is another -------------------------------------------------------------------------------------------


@on(AskPhaseNumber)
async def ask_number(turn: Turn, act: AskPhaseNumber) -> Screen | None:
    one = await _running(turn, act.phase)
    await turn.ask(dialogue.PHASE_NUMBER, phase=one.phase_id, number=one.panel_order)
    return _said(turn, stuck.ask_number(one), one.phase_id)


@answer(dialogue.PHASE_NUMBER)
async def number_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen | None:
    phase_id, seen = int(data["phase"]), str(data["number"])
    given = text.strip().lstrip("#")
    try:
        one = await _door(turn.viewer).renumber(
            key=turn.key, actor=turn.user.id, phase_id=phase_id, panel_order=seen, given=given
        )
    except BadPanelOrder as error:
        await turn.ask(dialogue.PHASE_NUMBER, phase=phase_id, number=seen)
        return _refused(turn, error, phase_id)
    except NotSent as error:
        return _refused(turn, error, phase_id)
    return _said(turn, stuck.renumbered(one), phase_id)


# --- what they share -------------------------------------------------------------------------------------------------


async def _running(turn: Turn, phase_id: int, seen: str | None = None) -> StuckView:
    """The order as it stands, for who may end it. Raises NotSent, also when its number is not the one they saw."""
    _may(turn.viewer, ENDS)
    one = await _door(turn.viewer).get(phase_id=phase_id)
    if one.state != "sent" or seen not in (None, one.panel_order):
        raise NotSent(phase_id=phase_id, state=one.state)
    return one


def _refused(turn: Turn, error: DomainError, phase_id: int) -> Screen | None:
    if turn.private:
        return home.refused(errors.words(error), back=f"sphase:{phase_id}")
    turn.reply = errors.words(error)
    return None


def _said(turn: Turn, told: Html, phase_id: int) -> Screen | None:
    if turn.private:
        return home.notice(told, back=f"sphase:{phase_id}")
    turn.reply = told
    return None

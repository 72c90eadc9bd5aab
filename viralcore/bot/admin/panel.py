"""Staff: the panel, the session, and the cards about sends nobody knows the outcome of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viralcore.boosts.api import BadPanelOrder, UnknownPhaseView
from viralcore.bot import dialogue
from viralcore.bot.admin.groups import APPROVE, GROUPS
from viralcore.bot.admin.held import RIGHT as HELD
from viralcore.bot.admin.payments import ASSIGN
from viralcore.bot.admin.reconciliation import DECIDE
from viralcore.bot.turn import Turn, Viewer, answer, command, number, on, render, route
from viralcore.core.screen import Screen
from viralcore.texts import errors, hints, home, staff
from viralcore.texts.actions import OpenSession, PhaseNotPlaced, PhasePlaced
from viralcore.users.api import NotAllowed

PAGE = 20


def staff_only(viewer: Viewer) -> None:
    """Looking is for staff too. What they do is checked again inside each use case."""
    if not viewer.user.staff:
        raise NotAllowed(right="orders.view")


@route("admin")
async def admin(viewer: Viewer, _: str) -> Screen:
    staff_only(viewer)
    until = viewer.user.session_until
    return staff.admin(
        roles=sorted(viewer.user.roles - {"user"}),
        session_until=until if until is not None and until > viewer.clock.now() else None,
        unknown=await viewer.doors.boosts.unknown_count(),
        stuck=await viewer.doors.boosts.panel_care.stuck.count(),
        cards=await viewer.doors.boosts.staff.count(),
        stray=await viewer.doors.payments.finance.stray_count() if ASSIGN in viewer.user.rights else None,
        plans="plans" in viewer.user.rights,
        claims=await viewer.doors.boosts.crowd.waiting_count() if APPROVE in viewer.user.rights else None,
        groups=GROUPS in viewer.user.rights,
        payouts=await _payouts(viewer) if DECIDE in viewer.user.rights else None,
        replies=await viewer.doors.boosts.replies.queue_size(),
        held=await viewer.doors.held.count() if HELD in viewer.user.rights else None,
    )


async def _payouts(viewer: Viewer) -> int:
    counts = await viewer.doors.withdrawals.desk.counts()
    return counts["waiting"] + counts["to_pay"]


@command("admin")
async def admin_command(turn: Turn, _: str) -> Screen | None:
    """Opens the session, as PRODUCT 1 says, and shows the panel (in a group: says until when)."""
    until = await turn.doors.users.open_session(key=turn.key, actor=turn.user.id)
    if not turn.private:
        turn.reply = staff.session_opened(until=until)
        return None
    user = await turn.doors.users.get(user_id=turn.user.id)
    return await admin(Viewer(turn.doors, turn.viewer.config, turn.viewer.clock, user), "")


@on(OpenSession)
async def open_session(turn: Turn, _: OpenSession) -> Screen | None:
    return await admin_command(turn, "")


@route("unknown")
async def unknown(viewer: Viewer, argument: str) -> Screen:
    staff_only(viewer)
    after = number(argument) if argument else 0
    found = await viewer.doors.boosts.unknown_phases(after=after, limit=PAGE + 1)
    return staff.unknown_list(
        [_unknown_text(one) for one in found[:PAGE]],
        total=await viewer.doors.boosts.unknown_count(),
        newer=found[PAGE - 1].phase_id if len(found) > PAGE else None,
        first=not after,
    )


def _unknown_text(one: UnknownPhaseView) -> staff.UnknownText:
    likely = "" if one.hint is None else hints.likely(one.hint.spent, one.hint.others, one.hint.cost)
    return staff.UnknownText(
        one.phase_id, one.attempt, one.order_id, one.panel, one.metric, one.quantity, one.link, likely
    )


@on(PhasePlaced)
async def phase_placed(turn: Turn, act: PhasePlaced) -> Screen | None:
    """Ask for the panel's order number. Who may answer is checked when they do."""
    staff_only(turn.viewer)
    phase = await turn.doors.boosts.unknown_phase(phase_id=act.phase)
    await turn.ask(dialogue.PANEL_ORDER, phase=act.phase, attempt=act.attempt)
    question = staff.ask_panel_order(phase=act.phase, panel=phase.panel)
    if turn.private:
        return home.notice(question, back="unknown")
    turn.reply = question
    return None


@answer(dialogue.PANEL_ORDER)
async def panel_order_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen | None:
    phase_id, attempt = int(data["phase"]), int(data["attempt"])
    try:
        phase = await turn.doors.boosts.resolve_placed(
            key=turn.key,
            actor=turn.user.id,
            phase_id=phase_id,
            panel_order=text.strip().lstrip("#"),
            attempt=attempt,
        )
    except BadPanelOrder as error:
        await turn.ask(dialogue.PANEL_ORDER, phase=phase_id, attempt=attempt)
        if turn.private:
            return home.refused(errors.words(error), back="unknown")
        turn.reply = errors.words(error)
        return None
    told = staff.placed(phase=phase_id, panel=phase.panel, panel_order=text.strip().lstrip("#"))
    if turn.private:
        return home.notice(told, back="unknown")
    turn.reply = told
    return None


@on(PhaseNotPlaced)
async def phase_not_placed(turn: Turn, act: PhaseNotPlaced) -> Screen | None:
    await turn.doors.boosts.resolve_not_placed(
        key=turn.key, actor=turn.user.id, phase_id=act.phase, attempt=act.attempt
    )
    turn.toast = staff.sent_again(phase=act.phase)
    return await render(turn.viewer, "unknown") if turn.private else None

"""The books for finance: comparisons, differences, and whether we can pay what we owe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viralcore.bot import dialogue
from viralcore.bot.turn import Turn, Viewer, answer, number, on, render, route
from viralcore.core.errors import NotFound
from viralcore.core.screen import Html, Screen
from viralcore.texts import home, reconciliation
from viralcore.texts.actions import AcceptDifference, CompareBooks, LetPayoutsGo
from viralcore.texts.cards import PersonText
from viralcore.texts.reconciliation import ComparisonText, DifferenceText, SolvencyText
from viralcore.users.api import NotAllowed
from viralcore.withdrawals.api import DifferenceView

PAGE = 20
DECIDE, SWITCH = "withdrawals.decide", "switches"


def _finance_only(viewer: Viewer, right: str = DECIDE) -> None:
    if right not in viewer.user.rights:
        raise NotAllowed(right=right)


@route("books")
async def books(viewer: Viewer, _: str) -> Screen:
    _finance_only(viewer)
    last = await viewer.doors.withdrawals.watch.comparison()
    shown = None
    if last is not None:
        shown = ComparisonText(
            state=last.state,
            asked_at=last.asked_at,
            ended_at=last.ended_at,
            ours=last.ours,
            theirs=last.theirs,
            found=last.found,
            open=last.open,
            balance=last.balance,
            note=last.note,
        )
    return reconciliation.books(shown, solvency=await _solvency(viewer))


@route("differences")
async def differences(viewer: Viewer, after: str) -> Screen:
    _finance_only(viewer)
    after_id = number(after) if after else 0
    found = await viewer.doors.withdrawals.watch.differences(after_id=after_id, limit=PAGE + 1)
    shown = [await _text(viewer, one) for one in found[:PAGE]]
    last = await viewer.doors.withdrawals.watch.comparison()
    total = len(shown) if last is None else last.open
    newer = shown[-1].id if len(found) > PAGE else None
    return reconciliation.differences(shown, total=total, newer=newer, first=not after)


@route("difference")
async def difference(viewer: Viewer, argument: str) -> Screen:
    _finance_only(viewer)
    found = await viewer.doors.withdrawals.watch.difference(difference_id=number(argument))
    return reconciliation.difference(await _text(viewer, found))


@route("solvency")
async def solvency(viewer: Viewer, _: str) -> Screen:
    _finance_only(viewer)
    return reconciliation.solvency(await _solvency(viewer), owner=SWITCH in viewer.user.rights)


@on(CompareBooks)
async def compare(turn: Turn, _: CompareBooks) -> Screen | None:
    await turn.doors.withdrawals.watch.compare_now(key=turn.key, actor=turn.user.id)
    turn.toast = reconciliation.comparing()
    return await render(turn.viewer, "books") if turn.private else None


@on(AcceptDifference)
async def accept(turn: Turn, act: AcceptDifference) -> Screen | None:
    """Ask why. Who may answer is checked when they do."""
    _finance_only(turn.viewer)
    await turn.ask(dialogue.DIFFERENCE_REASON, difference=act.difference)
    return _said(turn, reconciliation.ask_reason(difference=act.difference), back=f"difference:{act.difference}")


@answer(dialogue.DIFFERENCE_REASON)
async def reason_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen | None:
    difference_id = int(data["difference"])
    await turn.doors.withdrawals.watch.accept(
        key=turn.key, actor=turn.user.id, difference_id=difference_id, reason=text
    )
    return _said(turn, reconciliation.accepted(difference=difference_id), back="differences")


@on(LetPayoutsGo)
async def lift(turn: Turn, _: LetPayoutsGo) -> Screen | None:
    _finance_only(turn.viewer, SWITCH)
    await turn.ask(dialogue.LIFT_REASON)
    return _said(turn, reconciliation.ask_lift(), back="solvency")


@answer(dialogue.LIFT_REASON)
async def lift_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen | None:
    await turn.doors.withdrawals.desk.lift_stop(key=turn.key, actor=turn.user.id, reason=text)
    return _said(turn, reconciliation.lifted(), back="solvency")


def _said(turn: Turn, words: Html, *, back: str) -> Screen | None:
    if turn.private:
        return home.notice(words, back=back)
    turn.reply = words
    return None


async def _text(viewer: Viewer, one: DifferenceView) -> DifferenceText:
    by = None
    if one.decided_by:
        try:
            found = await viewer.doors.users.get(user_id=one.decided_by)
            by = PersonText(found.id, found.first_name, found.username)
        except NotFound:
            by = PersonText(one.decided_by, "Somebody", None)
    return DifferenceText(
        id=one.id,
        kind=one.kind,
        reference=one.reference,
        ours=one.ours,
        ours_state=one.ours_state,
        theirs=one.theirs,
        theirs_status=one.theirs_status,
        last4=one.last4,
        state=one.state,
        found_at=one.found_at,
        by=by,
        at=one.decided_at,
        reason=one.reason,
    )


async def _solvency(viewer: Viewer) -> SolvencyText | None:
    found = await viewer.doors.withdrawals.watch.solvency()
    if found is None:
        return None
    switches = await viewer.doors.withdrawals.desk.switches()
    return SolvencyText(
        checked_at=found.checked_at,
        rate=found.rate,
        owed=found.owed,
        held=found.held,
        gap=found.gap,
        problem=found.problem,
        unread=found.unread,
        stopped=switches.stopped,
        stop_reason=switches.stop_reason,
    )

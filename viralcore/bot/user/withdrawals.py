"""A person's withdrawals: where each stands, cancelling one, confirming new terms."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from viralcore.bot.turn import Turn, UnknownRoute, Viewer, number, on, render, route
from viralcore.core.screen import Screen
from viralcore.texts import errors, home
from viralcore.texts import withdrawals as texts
from viralcore.texts.withdrawal_actions import CancelWithdrawal, ConfirmTerms
from viralcore.withdrawals.api import NoRate, TermsChanged, WrongState


@route("withdrawals")
async def history(viewer: Viewer, before: str) -> Screen:
    size = viewer.config.history_per_page
    found = await viewer.doors.withdrawals.history(
        user_id=viewer.user.id, before_id=number(before) if before else None, limit=size + 1
    )
    shown = found[:size]
    return texts.history(shown, older=shown[-1].id if len(found) > size else None, first=not before)


@route("withdrawal")
async def withdrawal(viewer: Viewer, argument: str) -> Screen:
    one = await viewer.doors.withdrawals.get(user_id=viewer.user.id, withdrawal_id=number(argument))
    return texts.withdrawal(one)


@route("wcancel")
async def confirm_cancel(viewer: Viewer, argument: str) -> Screen:
    one = await viewer.doors.withdrawals.get(user_id=viewer.user.id, withdrawal_id=number(argument))
    return texts.confirm_cancel(one) if one.state == "pending" else texts.withdrawal(one)


@on(CancelWithdrawal)
async def cancel(turn: Turn, act: CancelWithdrawal) -> Screen:
    where = f"withdrawal:{act.withdrawal}"
    try:
        await turn.doors.withdrawals.cancel(key=turn.key, user_id=turn.user.id, withdrawal_id=act.withdrawal)
    except WrongState as error:
        return home.refused(errors.words(error), back=where)
    return await render(turn.viewer, where)


@on(ConfirmTerms)
async def confirm_terms(turn: Turn, act: ConfirmTerms) -> Screen:
    where = f"withdrawal:{act.withdrawal}"
    try:
        rate = Decimal(act.rate)
    except InvalidOperation:
        raise UnknownRoute(act.rate[:40]) from None
    if not rate.is_finite():
        raise UnknownRoute(act.rate[:40])
    try:
        await turn.doors.withdrawals.confirm_again(
            key=turn.key, user_id=turn.user.id, withdrawal_id=act.withdrawal, rate=rate
        )
    except (WrongState, TermsChanged, NoRate) as error:
        return home.refused(errors.words(error), back=where)
    return await render(turn.viewer, where)

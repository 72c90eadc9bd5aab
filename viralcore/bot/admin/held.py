"""Owners: work that was given up, and the press that lets it go on. Who may is checked again in the use case."""

from __future__ import annotations

from viralcore.admin.api import HeldView
from viralcore.bot.turn import Turn, UnknownRoute, Viewer, number, on, route
from viralcore.core.errors import NotFound
from viralcore.core.screen import Screen
from viralcore.texts import held as texts
from viralcore.texts.held import HeldText, RetryHeld
from viralcore.users.api import NotAllowed

RIGHT = "switches"


def owners_only(viewer: Viewer) -> None:
    if RIGHT not in viewer.user.rights:
        raise NotAllowed(right=RIGHT)


@route("held")
async def held(viewer: Viewer, argument: str) -> Screen:
    owners_only(viewer)
    offset = number(argument) if argument else 0
    if offset % texts.PAGE:
        raise UnknownRoute(argument)
    door = viewer.doors.held
    found = await door.page(limit=texts.PAGE, offset=offset)
    return texts.listed([_text(one) for one in found], total=await door.count(), offset=offset)


@route("held1")
async def one_held(viewer: Viewer, token: str) -> Screen:
    owners_only(viewer)
    return texts.page(_text(await viewer.doors.held.get(token=token)))


@on(RetryHeld)
async def retry(turn: Turn, act: RetryHeld) -> Screen | None:
    owners_only(turn.viewer)
    try:
        await turn.doors.held.retry(key=turn.key, actor=turn.user.id, token=act.token)
        turn.toast = texts.retried()
    except NotFound:
        turn.toast = texts.gone()
    return await held(turn.viewer, "")


def _text(one: HeldView) -> HeldText:
    return HeldText(
        token=one.token,
        queue=one.queue,
        what=one.what,
        about=one.about,
        attempts=one.attempts,
        error=one.error,
        since=one.since,
        answered=one.answered,
        reference=one.reference,
    )

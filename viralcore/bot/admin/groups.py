"""Staff: the groups and what they are for, and the work of their members to be checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, get_args

from viralcore.boosts.api import BadReason, ClaimChanged, ClaimClosed, ClaimView, GroupRole, GroupView
from viralcore.bot import dialogue
from viralcore.bot.admin.finance_views import Faces
from viralcore.bot.turn import Turn, UnknownRoute, Viewer, answer, number, on, render, route
from viralcore.core.screen import Html, Screen
from viralcore.texts import crowd as texts
from viralcore.texts import errors, home
from viralcore.texts.crowd_actions import ApproveClaim, RejectClaim, SetGroupRole
from viralcore.texts.shop import with_note
from viralcore.users.api import NotAllowed

GROUPS, APPROVE = "groups", "replies.approve"
PAGE = 20


def _may(viewer: Viewer, right: str) -> None:
    """Looking is for those who may do it. What they do is checked again inside each use case."""
    if right not in viewer.user.rights:
        raise NotAllowed(right=right)


# --- groups ----------------------------------------------------------------------------------------------------------


@route("groups")
async def groups(viewer: Viewer, offset: str) -> Screen:
    _may(viewer, GROUPS)
    first = number(offset) if offset else 0
    found = await viewer.doors.boosts.crowd.groups(limit=PAGE + 1, offset=first)
    older = first + PAGE if len(found) > PAGE else None
    return texts.groups([_text(one) for one in found[:PAGE]], older=older)


@route("group")
async def group(viewer: Viewer, argument: str) -> Screen:
    _may(viewer, GROUPS)
    return texts.group(_text(await viewer.doors.boosts.crowd.group(group_id=number(argument))))


@on(SetGroupRole)
async def set_role(turn: Turn, act: SetGroupRole) -> Screen:
    if act.role not in get_args(GroupRole):
        raise UnknownRoute(act.role[:40])
    one = await turn.doors.boosts.crowd.set_role(
        key=turn.key, actor=turn.user.id, group_id=act.group, role=cast(GroupRole, act.role)
    )
    turn.toast = texts.role_set(_text(one))
    return texts.group(_text(one))


def _text(one: GroupView) -> texts.GroupText:
    return texts.GroupText(
        id=one.id,
        chat_id=one.chat_id,
        title=one.title,
        role=one.role,
        state=one.state,
        posts=one.posts,
        claims=one.claims,
        approved=one.approved,
        last_sent=one.last_sent_at,
    )


# --- claims ----------------------------------------------------------------------------------------------------------


@route("claims")
async def claims(viewer: Viewer, after: str) -> Screen:
    """One at a time, the oldest first; `after`: those that were skipped."""
    _may(viewer, APPROVE)
    crowd = viewer.doors.boosts.crowd
    found = await crowd.waiting(after_id=number(after) if after else 0, limit=1)
    waiting = await crowd.waiting_count()
    if not found:
        return texts.claims(None, who=None, waiting=waiting, sent_at=None)
    one = found[0]
    faces = await Faces.of(viewer.doors.users, [one.user_id])
    return texts.claims(_claim(one), who=faces.person(one.user_id), waiting=waiting, sent_at=one.submitted_at)


@on(ApproveClaim)
async def approve(turn: Turn, act: ApproveClaim) -> Screen:
    try:
        await turn.doors.boosts.crowd.approve(
            key=turn.key, actor=turn.user.id, claim_id=act.claim, seen=act.version, verified=act.verified == 1
        )
    except ClaimChanged as error:
        return await _next(turn, errors.words(error))
    return await _next(turn, texts.decided(claim_id=act.claim, state="approved"))


@on(RejectClaim)
async def ask_reason(turn: Turn, act: RejectClaim) -> Screen:
    """Why: the person who did it reads it."""
    _may(turn.viewer, APPROVE)
    one = await turn.doors.boosts.crowd.claim(claim_id=act.claim)
    if one.state != "submitted":
        raise ClaimClosed(claim_id=one.id, state=one.state)
    if one.version != act.version:
        return await _next(turn, errors.words(ClaimChanged(claim_id=one.id)))
    await turn.ask(dialogue.CLAIM_REASON, claim=one.id, version=one.version)
    return home.notice(texts.ask_reason(claim_id=one.id), back="claims")


@answer(dialogue.CLAIM_REASON)
async def reason_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen:
    claim_id, seen = int(data["claim"]), int(data["version"])
    try:
        await turn.doors.boosts.crowd.reject(
            key=turn.key, actor=turn.user.id, claim_id=claim_id, seen=seen, reason=text
        )
    except ClaimChanged as error:
        return await _next(turn, errors.words(error))
    except BadReason as error:
        await turn.ask(dialogue.CLAIM_REASON, claim=claim_id, version=seen)
        return home.refused(errors.words(error), back="claims")
    return await _next(turn, texts.decided(claim_id=claim_id, state="rejected"))


async def _next(turn: Turn, words: Html) -> Screen:
    """What was done, over what waits now."""
    return with_note(words, await render(turn.viewer, "claims"))


def _claim(one: ClaimView) -> texts.ClaimText:
    return texts.ClaimText(
        id=one.id,
        post_id=one.post_id,
        order_id=one.order_id,
        link=one.link.canonical,
        metrics=one.metrics,
        links=one.proofs,
        state=one.state,
        reason=one.reason,
        again=one.again,
        verified=one.verified,
        version=one.version,
    )

"""Presses in groups, and the way from there into the private chat."""

from __future__ import annotations

import re
from typing import Any, cast

from viralcore.boosts.api import ClaimView, Metric
from viralcore.bot import dialogue
from viralcore.bot.turn import Turn, on, render
from viralcore.bot.user.replies import ask_claim_proof
from viralcore.core.errors import NotFound
from viralcore.core.screen import Screen
from viralcore.texts import crowd as texts
from viralcore.texts.crowd_actions import TakeSlot, TakeVerifiedSlot

_METRICS = ("comments", "reposts", "reactions")
_START = re.compile(rf"({texts.CLAIM_START}|{texts.TASK_START})([0-9]{{1,18}})")


@on(TakeSlot)
async def take(turn: Turn, act: TakeSlot) -> Screen | None:
    """I replied: the answer says what to do next."""
    return await _take(turn, act, verified=False)


@on(TakeVerifiedSlot)
async def take_verified(turn: Turn, act: TakeVerifiedSlot) -> Screen | None:
    return await _take(turn, act, verified=True)


async def _take(turn: Turn, act: TakeSlot | TakeVerifiedSlot, *, verified: bool) -> Screen | None:
    if act.metric not in _METRICS:
        raise NotFound(what="task")
    taken = await turn.doors.boosts.crowd.take(
        key=turn.key,
        user_id=turn.user.id,
        post_id=act.post,
        metric=cast(Metric, act.metric),
        chat_id=turn.chat_id,
        verified=verified,
    )
    claim, part, turn.alert = taken.claim, taken.part, True
    if not taken.new:
        turn.toast = texts.held_toast(state=claim.state, claim_id=claim.id, bot_username=turn.doors.bot_username())
        return None
    turn.toast = texts.taken_toast(
        metric=part.metric,
        taken=part.taken,
        wanted=part.wanted,
        claim_id=claim.id,
        bot_username=turn.doors.bot_username(),
        known=turn.user.terms_accepted and not turn.user.unreachable,
    )
    return None


async def from_group(turn: Turn, payload: str) -> Screen | None:
    """What ``/start claim_7`` and ``/start task_3`` lead to; None: an ordinary start."""
    found = _START.fullmatch(payload)
    if found is None:
        return None
    number, crowd = int(found.group(2)), turn.doors.boosts.crowd
    claim: ClaimView | None = None
    if found.group(1) == texts.TASK_START:
        claim = await crowd.claim_of(user_id=turn.user.id, post_id=number)
        if claim is None:
            return texts.no_claim()
    else:
        claim = await crowd.claim(claim_id=number, user_id=turn.user.id)
    return await open_claim(turn, claim)


async def open_claim(turn: Turn, claim: ClaimView) -> Screen:
    """Ask for the proof at once where one is wanted, else show how it stands."""
    if claim.state != "claimed":
        return await render(turn.viewer, f"work:{claim.id}")
    await turn.ask(dialogue.TASK_PROOF, claim=claim.id)
    return ask_claim_proof(claim)


async def waiting_claim(turn: Turn) -> Screen | None:
    """For somebody who came from a group and has just agreed to the terms: what they came for."""
    newest: Any = await turn.doors.boosts.crowd.claims(user_id=turn.user.id, limit=1)
    return await open_claim(turn, newest[0]) if newest and newest[0].state == "claimed" else None

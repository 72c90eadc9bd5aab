"""Staff: the cards of lines that somebody does by hand. Who may move one is checked when they do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viralcore.boosts.api import AlreadyDecided, BadProgress, CardNotYours, StaffCardView
from viralcore.bot import dialogue
from viralcore.bot.admin.finance_views import Faces
from viralcore.bot.admin.panel import staff_only
from viralcore.bot.turn import Turn, Viewer, answer, number, on, route
from viralcore.bot.user.shop import whole
from viralcore.core.screen import Html, Screen
from viralcore.texts import errors, home, staff_cards
from viralcore.texts.actions import CardCannot, CardDone, CardProgress, ReleaseCard, TakeCard
from viralcore.texts.staff_cards import StaffCardText

OWNERS_HAVE = "switches"
"""A right only owners have: they may move cards that others took."""
PAGE = 20


@route("cards")
async def cards(viewer: Viewer, after: str) -> Screen:
    staff_only(viewer)
    door = viewer.doors.boosts.staff
    found = await door.waiting(after_id=number(after) if after else 0, limit=PAGE + 1)
    newer = found[PAGE - 1].id if len(found) > PAGE else None
    faces = await Faces.of(viewer.doors.users, [who for one in found[:PAGE] for who in _people(one)])
    shown = [_with(faces, one) for one in found[:PAGE]]
    return staff_cards.listed(shown, total=await door.count(), newer=newer, first=not after)


@route("card")
async def card(viewer: Viewer, argument: str) -> Screen:
    staff_only(viewer)
    return staff_cards.page(await _text(viewer, await viewer.doors.boosts.staff.get(card_id=number(argument))))


@on(TakeCard)
async def take(turn: Turn, act: TakeCard) -> Screen | None:
    return await _pressed(turn, await turn.doors.boosts.staff.take(key=turn.key, actor=turn.user.id, card_id=act.card))


@on(ReleaseCard)
async def release(turn: Turn, act: ReleaseCard) -> Screen | None:
    door = turn.doors.boosts.staff
    return await _pressed(turn, await door.release(key=turn.key, actor=turn.user.id, card_id=act.card))


@on(CardDone)
async def done(turn: Turn, act: CardDone) -> Screen | None:
    return await _pressed(turn, await turn.doors.boosts.staff.done(key=turn.key, actor=turn.user.id, card_id=act.card))


@on(CardProgress)
async def ask_progress(turn: Turn, act: CardProgress) -> Screen | None:
    one = await _asking(turn, act.card)
    await turn.ask(dialogue.CARD_PROGRESS, card=act.card)
    return _said(turn, staff_cards.ask_progress(one), act.card)


@on(CardCannot)
async def ask_reason(turn: Turn, act: CardCannot) -> Screen | None:
    one = await _asking(turn, act.card)
    await turn.ask(dialogue.CARD_REASON, card=act.card)
    return _said(turn, staff_cards.ask_reason(one), act.card)


@answer(dialogue.CARD_PROGRESS)
async def progress_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen | None:
    card_id, delivered = int(data["card"]), whole(text)
    door = turn.doors.boosts.staff
    try:
        if delivered is None:
            raise BadProgress(most=(await door.get(card_id=card_id)).quantity)
        one = await door.progress(key=turn.key, actor=turn.user.id, card_id=card_id, delivered=delivered)
    except BadProgress as error:
        await turn.ask(dialogue.CARD_PROGRESS, card=card_id)
        return _said(turn, errors.words(error), card_id)
    return _said(turn, staff_cards.moved(await _text(turn.viewer, one)), card_id)


@answer(dialogue.CARD_REASON)
async def reason_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen | None:
    card_id = int(data["card"])
    if not text.strip():
        await turn.ask(dialogue.CARD_REASON, card=card_id)
        return _said(turn, staff_cards.ask_reason(await _asking(turn, card_id)), card_id)
    one = await turn.doors.boosts.staff.cannot(key=turn.key, actor=turn.user.id, card_id=card_id, reason=text)
    return _said(turn, staff_cards.moved(await _text(turn.viewer, one)), card_id)


async def _asking(turn: Turn, card_id: int) -> StaffCardText:
    """The card something is asked about: going on, and theirs. The use case checks both again."""
    staff_only(turn.viewer)
    one = await turn.doors.boosts.staff.get(card_id=card_id)
    if one.state not in ("open", "taken"):
        raise AlreadyDecided(card_id=card_id, state=one.state)
    if one.taken_by != turn.user.id and (one.taken_by is None or OWNERS_HAVE not in turn.user.rights):
        raise CardNotYours(card_id=card_id, taken=one.taken_by is not None)
    return await _text(turn.viewer, one)


async def _pressed(turn: Turn, one: StaffCardView) -> Screen | None:
    shown = await _text(turn.viewer, one)
    turn.toast = staff_cards.toast(shown)
    return staff_cards.page(shown) if turn.private else None


def _said(turn: Turn, words: Html, card_id: int) -> Screen | None:
    if turn.private:
        return home.notice(words, back=f"card:{card_id}")
    turn.reply = words
    return None


async def _text(viewer: Viewer, one: StaffCardView) -> StaffCardText:
    return _with(await Faces.of(viewer.doors.users, _people(one)), one)


def _people(one: StaffCardView) -> list[int]:
    """Its buyer, and who took it or decided on it."""
    by = _by(one)
    return [one.user_id] if by is None else [one.user_id, by]


def _by(one: StaffCardView) -> int | None:
    return one.taken_by if one.decided_by is None else one.decided_by


def _with(faces: Faces, one: StaffCardView) -> StaffCardText:
    by = _by(one)
    return StaffCardText(
        id=one.id,
        version=one.version,
        order_id=one.order_id,
        plan=one.plan_title,
        metric=one.metric,
        quantity=one.quantity,
        delivered=one.delivered,
        link=one.link,
        answers=one.answers,
        buyer=faces.person(one.user_id),
        state=one.state,
        by=None if by is None else faces.person(by),
        at=one.decided_at or one.taken_at,
        reason=one.reason,
        created_at=one.created_at,
        refunded=one.refunded,
        verified=one.verified,
    )

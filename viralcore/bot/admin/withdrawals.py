"""Staff: one withdrawal, on its card in the admin group or on its page in private. Each use case checks the right, the
session and the state again; here only nobody is asked for a reason who may not use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viralcore.bot import dialogue
from viralcore.bot.admin.finance_views import Faces
from viralcore.bot.turn import Turn, UnknownRoute, Viewer, answer, number, on, route
from viralcore.core.screen import Html, Screen, esc
from viralcore.texts import errors, home
from viralcore.texts import withdrawal_answers as answers
from viralcore.texts import withdrawal_cards as texts
from viralcore.texts.cards import PersonText
from viralcore.texts.withdrawal_actions import (
    ApproveWithdrawal,
    AskOwnerAgain,
    CannotPay,
    GiveBack,
    LookAgain,
    MarkPaid,
    PayByHand,
    RejectWithdrawal,
    ShowAccount,
)
from viralcore.users.api import NotAllowed, SessionExpired
from viralcore.withdrawals.api import CardView, OwnWithdrawal, ReasonMissing, WrongState

DECIDE = "withdrawals.decide"


def may_decide(viewer: Viewer, *, session: bool = False) -> None:
    """`session`: an open one, too. Raises NotAllowed, SessionExpired."""
    if DECIDE not in viewer.user.rights:
        raise NotAllowed(right=DECIDE)
    until = viewer.user.session_until
    if session and (until is None or until <= viewer.clock.now()):
        raise SessionExpired(right=DECIDE)


async def people_of(viewer: Viewer, one: CardView) -> Mapping[int, PersonText]:
    ids = sorted(texts.people_of(one))
    faces = await Faces.of(viewer.doors.users, ids)
    return {user_id: faces.person(user_id) for user_id in ids}


@route("payout")
async def payout(viewer: Viewer, argument: str) -> Screen:
    """``12``, or ``12:show`` with the account number, which is audited."""
    may_decide(viewer)
    withdrawal, _, show = argument.partition(":")
    if show not in ("", "show"):
        raise UnknownRoute(argument[:40])
    one = await _card(viewer, number(withdrawal), reveal=bool(show))
    return texts.page(one, await people_of(viewer, one))


async def _card(viewer: Viewer, withdrawal_id: int, *, reveal: bool = False) -> CardView:
    """Raises NotFound; where the number is wanted also NotAllowed, SessionExpired."""
    if reveal:
        may_decide(viewer, session=True)
    actor = viewer.user.id if reveal else None
    one = await viewer.doors.withdrawals.desk.card(withdrawal_id=withdrawal_id, actor=actor)
    if reveal and one.account_number is None:
        raise SessionExpired(right=DECIDE)
    return one


@on(ShowAccount)
async def show_account(turn: Turn, act: ShowAccount) -> Screen | None:
    one = await _card(turn.viewer, act.withdrawal, reveal=True)
    turn.toast, turn.alert = answers.account_shown(one), True
    return await payout(turn.viewer, str(act.withdrawal)) if turn.private else None


@on(ApproveWithdrawal)
async def approve(turn: Turn, act: ApproveWithdrawal) -> Screen | None:
    try:
        one = await turn.doors.withdrawals.desk.approve(key=turn.key, actor=turn.user.id, withdrawal_id=act.withdrawal)
    except WrongState:
        return await _late(turn, act.withdrawal)
    turn.toast = answers.approved(one)
    return texts.page(one, await people_of(turn.viewer, one)) if turn.private else None


@on(LookAgain)
async def look_again(turn: Turn, act: LookAgain) -> Screen | None:
    """Each press asks anew, so its key is its update and not the card's."""
    key = f"u{turn.update_id}"
    try:
        await turn.doors.withdrawals.desk.ask_now(key=key, actor=turn.user.id, withdrawal_id=act.withdrawal)
    except WrongState:
        return await _late(turn, act.withdrawal)
    turn.toast = answers.looking(act.withdrawal)
    return await payout(turn.viewer, str(act.withdrawal)) if turn.private else None


# --- what takes a sentence --------------------------------------------------------------------------------------------


@on(RejectWithdrawal)
async def ask_reject(turn: Turn, act: RejectWithdrawal) -> Screen | None:
    return await _ask(turn, act.withdrawal, dialogue.PAYOUT_REJECT, "pending")


@on(MarkPaid)
async def ask_paid(turn: Turn, act: MarkPaid) -> Screen | None:
    return await _ask(turn, act.withdrawal, dialogue.PAYOUT_PAID, "approved", "unconfirmed")


@on(CannotPay)
async def ask_fail(turn: Turn, act: CannotPay) -> Screen | None:
    return await _ask(turn, act.withdrawal, dialogue.PAYOUT_FAIL, "approved")


@on(GiveBack)
async def ask_give_back(turn: Turn, act: GiveBack) -> Screen | None:
    return await _ask(turn, act.withdrawal, dialogue.PAYOUT_BACK, "unconfirmed")


@on(PayByHand)
async def ask_by_hand(turn: Turn, act: PayByHand) -> Screen | None:
    return await _ask(turn, act.withdrawal, dialogue.PAYOUT_HAND, "approved", "processing", "unconfirmed")


@on(AskOwnerAgain)
async def ask_owner_again(turn: Turn, act: AskOwnerAgain) -> Screen | None:
    return await _ask(turn, act.withdrawal, dialogue.PAYOUT_AGAIN, "approved")


async def _ask(turn: Turn, withdrawal_id: int, question: str, *states: str) -> Screen | None:
    may_decide(turn.viewer, session=True)
    one = await _card(turn.viewer, withdrawal_id)
    if one.request.user_id == turn.user.id:
        raise OwnWithdrawal(withdrawal_id=withdrawal_id)
    if one.request.state not in states:
        return await _late(turn, withdrawal_id)
    await turn.ask(question, withdrawal=withdrawal_id, unconfirmed=one.request.state == "unconfirmed")
    return _said(turn, _question(question, one), withdrawal_id)


def _question(question: str, one: CardView) -> Html:
    if question == dialogue.PAYOUT_PAID:
        return answers.ask_paid(one)
    asks = {
        dialogue.PAYOUT_REJECT: answers.ask_reject,
        dialogue.PAYOUT_FAIL: answers.ask_fail,
        dialogue.PAYOUT_BACK: answers.ask_give_back,
        dialogue.PAYOUT_HAND: answers.ask_by_hand,
        dialogue.PAYOUT_AGAIN: answers.ask_owner_again,
    }
    return asks[question](one.request.id)


@answer(dialogue.PAYOUT_REJECT)
async def reject_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen | None:
    return await _typed(turn, dialogue.PAYOUT_REJECT, data, text)


@answer(dialogue.PAYOUT_PAID)
async def paid_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen | None:
    return await _typed(turn, dialogue.PAYOUT_PAID, data, text)


@answer(dialogue.PAYOUT_FAIL)
async def fail_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen | None:
    return await _typed(turn, dialogue.PAYOUT_FAIL, data, text)


@answer(dialogue.PAYOUT_BACK)
async def give_back_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen | None:
    return await _typed(turn, dialogue.PAYOUT_BACK, data, text)


@answer(dialogue.PAYOUT_HAND)
async def by_hand_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen | None:
    return await _typed(turn, dialogue.PAYOUT_HAND, data, text)


@answer(dialogue.PAYOUT_AGAIN)
async def owner_again_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen | None:
    return await _typed(turn, dialogue.PAYOUT_AGAIN, data, text)


async def _typed(turn: Turn, question: str, data: Mapping[str, Any], text: str) -> Screen | None:
    withdrawal_id, unconfirmed = int(data["withdrawal"]), bool(data["unconfirmed"])
    try:
        one = await _decide(turn, question, withdrawal_id, text, unconfirmed=unconfirmed)
    except WrongState:
        return await _late(turn, withdrawal_id)
    except ReasonMissing as missing:
        await turn.ask(question, **data)
        both = question == dialogue.PAYOUT_PAID and unconfirmed
        return _said(turn, answers.paid_needs_both() if both else errors.words(missing), withdrawal_id)
    return _said(turn, answers.moved(one), withdrawal_id)


async def _decide(turn: Turn, question: str, withdrawal_id: int, text: str, *, unconfirmed: bool) -> CardView:
    desk, actor = turn.doors.withdrawals.desk, turn.user.id
    who: Any = {"key": turn.key, "withdrawal_id": withdrawal_id}
    if question == dialogue.PAYOUT_REJECT:
        return await desk.reject(actor=actor, reason=text, **who)
    if question == dialogue.PAYOUT_FAIL:
        return await desk.mark_failed(actor=actor, reason=text, **who)
    if question == dialogue.PAYOUT_HAND:
        return await desk.pay_by_hand(actor=actor, reason=text, **who)
    if question == dialogue.PAYOUT_AGAIN:
        return await desk.ask_again(actor=actor, reason=text, **who)
    if question == dialogue.PAYOUT_BACK:
        return await desk.resolve(actor=actor, decision="not_paid", reference="", reason=text, **who)
    if not unconfirmed:
        return await desk.mark_paid(actor=actor, reference=text, **who)
    reference, _, reason = text.strip().partition(" ")
    return await desk.resolve(actor=actor, decision="paid", reference=reference, reason=reason, **who)


# --- answers ----------------------------------------------------------------------------------------------------------


async def _late(turn: Turn, withdrawal_id: int) -> Screen | None:
    """Somebody was faster, or it has ended meanwhile."""
    one = await _card(turn.viewer, withdrawal_id)
    words = answers.faster(one, await people_of(turn.viewer, one), you=turn.user.id)
    if turn.private:
        return home.refused(esc(words), back=f"payout:{withdrawal_id}")
    if turn.pressed is not None:
        turn.toast, turn.alert = words, True
    else:
        turn.reply = esc(words)
    return None


def _said(turn: Turn, words: Html, withdrawal_id: int) -> Screen | None:
    if turn.private:
        return home.notice(words, back=f"payout:{withdrawal_id}")
    turn.reply = words
    return None

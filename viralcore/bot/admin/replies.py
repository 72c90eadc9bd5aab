"""Staff: submissions of reply guys to decide, the people, their bonuses and corrections, the list as a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, cast

from viralcore.boosts.api import (
    BadApproval,
    BadPay,
    BelowZero,
    EarnerView,
    NoReason,
    RecordView,
    SubmissionClosed,
    SubmissionView,
)
from viralcore.bot import dialogue
from viralcore.bot.admin.finance_views import Faces
from viralcore.bot.turn import Turn, UnknownRoute, Viewer, answer, number, on, render, route
from viralcore.bot.user.replies import submission_text
from viralcore.bot.user.shop import whole
from viralcore.core.errors import DomainError, NotFound
from viralcore.core.money import NGN, Money, exact
from viralcore.core.screen import Html, Screen
from viralcore.texts import errors, home
from viralcore.texts import reply_staff as texts
from viralcore.texts.reply_actions import (
    ApproveFewer,
    ApproveReplies,
    AskGuy,
    AskReplyMoney,
    ConfirmReplyMoney,
    DemoteGuy,
    ExportGuys,
    PromoteGuy,
    RejectReplies,
)
from viralcore.texts.shop import with_note
from viralcore.users.api import NotAllowed, UserView

APPROVE, MANAGE, ADJUST, EXPORT = "replies.approve", "reply_guys.manage", "balances.adjust", "exports"
PAGE, GUYS_PAGE = 20, 20
_MONEY = re.compile(
    r"\s*([+\-\u2212\u2013]?)\s*(?:₦|NGN|N)?\s*([0-9]{1,3}(?:,[0-9]{3}){1,3}|[0-9]{1,12})(\.[0-9]{1,2})?"
    r"\s*(?:₦|NGN|naira)?[,:;]?\s+(\S.*)",
    re.IGNORECASE | re.DOTALL,
)
"""An amount, with its thousands apart by commas or not, and a reason behind it."""


def _may(viewer: Viewer, right: str) -> None:
    """Looking is for those who may do it. What they do is checked again inside each use case."""
    if right not in viewer.user.rights:
        raise NotAllowed(right=right)


# --- what waits -------------------------------------------------------------------------------------------------------


@route("rq")
async def queue(viewer: Viewer, after: str) -> Screen:
    _may(viewer, APPROVE)
    door = viewer.doors.boosts.replies
    found = await door.queue(after_id=number(after) if after else 0, limit=PAGE + 1)
    faces = await Faces.of(viewer.doors.users, [one.user_id for one in found])
    shown = [(submission_text(one), faces.person(one.user_id)) for one in found[:PAGE]]
    newer = shown[-1][0].id if len(found) > PAGE else None
    return texts.queue(shown, total=await door.queue_size(), newer=newer, first=not after)


@route("rs")
async def submission(viewer: Viewer, argument: str) -> Screen:
    _may(viewer, APPROVE)
    door = viewer.doors.boosts.replies
    one = await door.submission(submission_id=number(argument))
    record = await door.record(user_id=one.user_id, day=one.day)
    faces = await Faces.of(viewer.doors.users, [one.user_id, *([one.actor] if one.actor is not None else [])])
    by = None if one.actor is None else faces.person(one.actor)
    return texts.submission(submission_text(one), faces.person(one.user_id), record_text(record), by=by)


def record_text(record: RecordView) -> texts.RecordText:
    return texts.RecordText(record.approved, record.rejected, record.replies, record.same_day)


@on(ApproveReplies)
async def approve(turn: Turn, act: ApproveReplies) -> Screen | None:
    return await _approved(turn, act.submission, None)


async def _approved(turn: Turn, submission_id: int, count: int | None) -> Screen | None:
    one = await turn.doors.boosts.replies.approve(
        key=turn.key, actor=turn.user.id, submission_id=submission_id, count=count
    )
    words = texts.approved(submission_id=one.id, count=one.approved, money=one.paid)
    if turn.private:
        return await _next(turn, words)
    if count is None:
        turn.toast = str(words)
    else:
        turn.reply = words
    return None


async def _next(turn: Turn, words: Html) -> Screen:
    """What was done, over what waits now."""
    shown = await render(turn.viewer, "rq")
    return with_note(words, shown)


async def _undecided(turn: Turn, submission_id: int) -> SubmissionView:
    _may(turn.viewer, APPROVE)
    one = await turn.doors.boosts.replies.submission(submission_id=submission_id)
    if one.state != "pending":
        raise SubmissionClosed(submission_id=one.id, state=one.state)
    return one


@on(ApproveFewer)
async def ask_fewer(turn: Turn, act: ApproveFewer) -> Screen | None:
    one = await _undecided(turn, act.submission)
    await turn.ask(dialogue.REPLY_COUNT, submission=one.id)
    return _said(turn, texts.ask_fewer(submission_id=one.id, count=one.count), f"rs:{one.id}")


@answer(dialogue.REPLY_COUNT)
async def fewer_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen | None:
    submission_id = int(data["submission"])
    one = await _undecided(turn, submission_id)
    try:
        count = whole(text)
        if count is None:
            raise BadApproval(count=one.count)
        return await _approved(turn, submission_id, count)
    except BadApproval as error:
        await turn.ask(dialogue.REPLY_COUNT, submission=submission_id)
        words = texts.ask_fewer(submission_id=submission_id, count=one.count, problem=errors.words(error))
        return _said(turn, words, f"rs:{submission_id}")


@on(RejectReplies)
async def ask_reason(turn: Turn, act: RejectReplies) -> Screen | None:
    """Why: the person is to know what to do better."""
    one = await _undecided(turn, act.submission)
    await turn.ask(dialogue.REPLY_REASON, submission=one.id)
    return _said(turn, texts.ask_reason(submission_id=one.id), f"rs:{one.id}")


@answer(dialogue.REPLY_REASON)
async def reason_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen | None:
    submission_id = int(data["submission"])
    door = turn.doors.boosts.replies
    try:
        await door.reject(key=turn.key, actor=turn.user.id, submission_id=submission_id, reason=text)
    except NoReason as error:
        await turn.ask(dialogue.REPLY_REASON, submission=submission_id)
        return _said(turn, errors.words(error), f"rs:{submission_id}")
    words = texts.rejected(submission_id=submission_id)
    if turn.private:
        return await _next(turn, words)
    turn.reply = words
    return None


def _said(turn: Turn, words: Html, back: str) -> Screen | None:
    if turn.private:
        return home.notice(words, back=back)
    turn.reply = words
    return None


# --- people -----------------------------------------------------------------------------------------------------------


@route("rguys")
async def guys(viewer: Viewer, argument: str) -> Screen:
    _may(viewer, MANAGE)
    page = number(argument) if argument else 0
    found = await viewer.doors.boosts.replies.earners(offset=page * GUYS_PAGE, limit=GUYS_PAGE)
    faces = await Faces.of(viewer.doors.users, [one.user_id for one in found.rows])
    sums = texts.SumsText(found.people, found.active, found.replies, found.paid, found.bonus, found.corrected)
    return texts.guys(
        [guy_text(one, faces) for one in found.rows],
        sums,
        page=page,
        more=(page + 1) * GUYS_PAGE < found.people,
        may_export=EXPORT in viewer.user.rights,
    )


def guy_text(one: EarnerView, faces: Faces) -> texts.GuyText:
    return texts.GuyText(
        who=faces.person(one.user_id),
        active=one.active,
        replies=one.replies,
        paid=one.paid,
        bonus=one.bonus,
        corrected=one.corrected,
        balance=one.balance,
        last_at=one.last_at,
    )


@route("rguy")
async def guy(viewer: Viewer, argument: str) -> Screen:
    _may(viewer, MANAGE)
    return await _guy(viewer, number(argument))


async def _guy(viewer: Viewer, user_id: int) -> Screen:
    one = await viewer.doors.boosts.replies.earner(user_id=user_id)
    faces = await Faces.of(viewer.doors.users, [user_id])
    return texts.guy(guy_text(one, faces), may_pay=ADJUST in viewer.user.rights)


@on(AskGuy)
async def ask_guy(turn: Turn, _: AskGuy) -> Screen:
    _may(turn.viewer, MANAGE)
    await turn.ask(dialogue.REPLY_GUY)
    return texts.ask_guy()


@answer(dialogue.REPLY_GUY)
async def guy_typed(turn: Turn, _: Mapping[str, Any], text: str) -> Screen:
    found = await _person(turn, text.strip())
    if found is None:
        await turn.ask(dialogue.REPLY_GUY)
        return texts.ask_guy(problem=text.strip()[:40])
    return await guy(turn.viewer, str(found.id))


async def _person(turn: Turn, typed: str) -> UserView | None:
    """By id or @name, as the shop knows them."""
    if typed.isascii() and typed.isdigit() and len(typed) <= 18:
        try:
            return await turn.doors.users.get(user_id=int(typed))
        except NotFound:
            return None
    return await turn.doors.users.find(handle=typed[:64].replace("\x00", ""))


@on(PromoteGuy)
async def promote(turn: Turn, act: PromoteGuy) -> Screen:
    await turn.doors.boosts.replies.promote(key=turn.key, actor=turn.user.id, user_id=act.user)
    return await _guy(turn.viewer, act.user)


@on(DemoteGuy)
async def demote(turn: Turn, act: DemoteGuy) -> Screen:
    await turn.doors.boosts.replies.demote(key=turn.key, actor=turn.user.id, user_id=act.user)
    return await _guy(turn.viewer, act.user)


# --- by hand ----------------------------------------------------------------------------------------------------------


@on(AskReplyMoney)
async def ask_money(turn: Turn, act: AskReplyMoney) -> Screen:
    if act.kind not in ("bonus", "correction"):
        raise UnknownRoute(act.kind[:40])
    return await _ask_money(turn, act.user, act.kind)


async def _ask_money(turn: Turn, user_id: int, kind: str, problem: Html | None = None) -> Screen:
    _may(turn.viewer, ADJUST)
    one = await turn.doors.boosts.replies.earner(user_id=user_id)
    await turn.ask(dialogue.REPLY_MONEY, user=user_id, kind=kind, kobo=0, reason="")
    return texts.ask_money(user_id=user_id, kind=kind, balance=one.balance, problem=problem)


@answer(dialogue.REPLY_MONEY)
async def money_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen:
    """An amount and a reason in one line; shown before it counts. Typed again, it replaces them."""
    user_id, kind = int(data["user"]), str(data["kind"])
    _may(turn.viewer, ADJUST)
    most = turn.doors.boosts.replies.terms().largest_bonus
    amount, reason = read_money(text)
    if not amount.minor or abs(amount.minor) > most.minor or (kind == "bonus" and amount.minor < 0):
        return await _ask_money(turn, user_id, kind, errors.words(BadPay(most=most.minor)))
    if len(reason) > turn.doors.boosts.replies.terms().longest_reason:
        return await _ask_money(turn, user_id, kind, errors.words(_too_long(turn)))
    one = await turn.doors.boosts.replies.earner(user_id=user_id)
    if one.balance.minor + amount.minor < 0:
        return await _ask_money(turn, user_id, kind, errors.words(BelowZero(available=one.balance.minor)))
    await turn.ask(dialogue.REPLY_MONEY, user=user_id, kind=kind, kobo=amount.minor, reason=reason)
    faces = await Faces.of(turn.doors.users, [user_id])
    return texts.confirm_money(faces.person(user_id), kind=kind, amount=amount, reason=reason, balance=one.balance)


def _too_long(turn: Turn) -> NoReason:
    return NoReason(limit=turn.doors.boosts.replies.terms().longest_reason)


def read_money(text: str) -> tuple[Money, str]:
    """``-1,500.50 counted twice``: naira, and the reason on one line. Nothing and no reason when it is not that."""
    found = _MONEY.fullmatch(text)
    if found is None:
        return Money(0, NGN), ""
    size = exact(Decimal(found[2].replace(",", "") + (found[3] or "")), NGN)
    return (-size if found[1] in ("-", "\u2212", "\u2013") else size), " ".join(found[4].split())


@on(ConfirmReplyMoney)
async def money_confirmed(turn: Turn, act: ConfirmReplyMoney) -> Screen:
    asked = await turn.question()
    data = dict(asked.data) if asked is not None and asked.name == dialogue.REPLY_MONEY else {}
    if (data.get("user"), data.get("kind"), data.get("kobo")) != (act.user, act.kind, act.kobo):
        return with_note(home.TOO_LATE, await guy(turn.viewer, str(act.user)))
    door = turn.doors.boosts.replies
    give = door.bonus if act.kind == "bonus" else door.correct
    try:
        await give(
            key=turn.key,
            actor=turn.user.id,
            user_id=act.user,
            amount=Money(act.kobo, NGN),
            reason=str(data["reason"]),
        )
    except BelowZero as error:
        return home.refused(errors.words(cast("DomainError", error)), back=f"rguy:{act.user}")
    return await _guy(turn.viewer, act.user)


@on(ExportGuys)
async def export(turn: Turn, act: ExportGuys) -> Screen:
    if act.form not in ("csv", "xlsx"):
        raise UnknownRoute(act.form[:40])
    form = cast(Literal["csv", "xlsx"], act.form)
    await turn.doors.boosts.replies.ask_export(key=turn.key, actor=turn.user.id, form=form)
    return home.notice(texts.export_coming(), back="rguys")

"""Task 2 Earn and the Reply Guys Panel: tasks to take, replies to hand in, and what they brought."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from viralcore.boosts.api import (
    BadProof,
    BadReplies,
    BadReport,
    ClaimView,
    SubmissionPending,
    SubmissionView,
    TaskView,
)
from viralcore.bot import dialogue
from viralcore.bot.turn import ROUTES, Turn, UnknownRoute, Viewer, answer, command, number, on, route
from viralcore.core.errors import DomainError
from viralcore.core.money import Money
from viralcore.core.screen import Html, Screen
from viralcore.texts import errors
from viralcore.texts import replies as texts
from viralcore.texts.reply_actions import (
    AskProof,
    AskReplies,
    ConfirmReport,
    GiveUpTask,
    TakeBackReplies,
    TakeTask,
    TakeVerifiedTask,
)
from viralcore.users.api import NotAllowed

TASKS = "tasks"
PAGE = 10


def submission_text(one: SubmissionView) -> texts.SubmissionText:
    return texts.SubmissionText(
        id=one.id,
        kind=one.kind,
        count=one.count,
        day=one.day,
        links=one.links,
        rate=one.rate,
        state=one.state,
        approved=one.approved,
        paid=one.paid,
        reason=one.reason,
        sent_at=one.created_at,
    )


# --- Task 2 Earn ------------------------------------------------------------------------------------------------------


@route("tasks")
async def tasks(viewer: Viewer, offset: str) -> Screen:
    """What they are at, what wants proof before the rest, and then open posts: one list, in pages. For people who are
    no reply guys: what it is."""
    rate = viewer.doors.boosts.replies.terms().rate
    if TASKS not in viewer.user.rights:
        earned = (await viewer.doors.boosts.replies.earner(user_id=viewer.user.id)).last_at is not None
        return texts.newcomer(rate=rate, contact=viewer.config.support_contact, earned=earned)
    crowd, first = viewer.doors.boosts.crowd, number(offset) if offset else 0
    mine = await crowd.under_way(user_id=viewer.user.id)
    shown = mine[first : first + PAGE]
    room = PAGE - len(shown)
    found = await crowd.tasks(user_id=viewer.user.id, limit=room + 1, offset=max(0, first - len(mine)))
    return texts.tasks(
        rate=rate,
        open_ones=[_task_text(viewer, one) for one in found[:room]],
        mine=[_work_text(viewer, one) for one in shown],
        offset=first,
        more=first + PAGE if len(found) > room or len(mine) > first + PAGE else None,
    )


@command("tasks")
async def tasks_command(turn: Turn, _: str) -> Screen:
    return await tasks(turn.viewer, "")


@route("work")
async def work(viewer: Viewer, claim: str) -> Screen:
    return await _work(viewer, number(claim))


async def _work(viewer: Viewer, claim_id: int) -> Screen:
    one = await viewer.doors.boosts.crowd.claim(claim_id=claim_id, user_id=viewer.user.id)
    return texts.work(_work_text(viewer, one))


@on(TakeTask)
async def take(turn: Turn, act: TakeTask) -> Screen:
    taken = await turn.doors.boosts.crowd.take(key=turn.key, user_id=turn.user.id, post_id=act.post)
    return await _work(turn.viewer, taken.claim.id)


@on(TakeVerifiedTask)
async def take_verified(turn: Turn, act: TakeVerifiedTask) -> Screen:
    door = turn.doors.boosts.crowd
    taken = await door.take(key=turn.key, user_id=turn.user.id, post_id=act.post, verified=True)
    return await _work(turn.viewer, taken.claim.id)


@on(GiveUpTask)
async def give_up(turn: Turn, act: GiveUpTask) -> Screen:
    await turn.doors.boosts.crowd.give_up(key=turn.key, user_id=turn.user.id, claim_id=act.claim)
    return await tasks(turn.viewer, "")


@on(AskProof)
async def ask_proof(turn: Turn, act: AskProof) -> Screen:
    one = await turn.doors.boosts.crowd.claim(claim_id=act.claim, user_id=turn.user.id)
    await turn.ask(dialogue.TASK_PROOF, claim=act.claim)
    return ask_claim_proof(one)


def ask_claim_proof(one: ClaimView, problem: Html | None = None) -> Screen:
    return texts.ask_proof(link=one.link.canonical, claim_id=one.id, replied="comments" in one.metrics, problem=problem)


@answer(dialogue.TASK_PROOF)
async def proof_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen:
    claim_id = int(data["claim"])
    crowd = turn.doors.boosts.crowd
    try:
        await crowd.submit(key=turn.key, user_id=turn.user.id, claim_id=claim_id, text=text)
    except BadProof as error:
        one = await crowd.claim(claim_id=claim_id, user_id=turn.user.id)
        await turn.ask(dialogue.TASK_PROOF, claim=claim_id)
        return ask_claim_proof(one, errors.words(error))
    return await _work(turn.viewer, claim_id)


def _task_text(viewer: Viewer, one: TaskView) -> texts.TaskText:
    wanted = tuple((part.metric, part.free, part.free_verified) for part in one.parts)
    plain = any(part.free_plain for part in one.parts)
    return texts.TaskText(one.post_id, one.link.canonical, wanted, one.closes_at - viewer.clock.now(), plain)


def _work_text(viewer: Viewer, one: ClaimView) -> texts.WorkText:
    return texts.WorkText(
        claim_id=one.id,
        post_id=one.post_id,
        link=one.link.canonical,
        metrics=one.metrics,
        state=one.state,
        proofs=one.proofs,
        reason=one.reason,
        left=one.expires_at - viewer.clock.now(),
        pays=viewer.doors.boosts.replies.pays(one.metrics) if TASKS in viewer.user.rights else Money(0, "NGN"),
        verified=one.verified,
    )


# --- the panel --------------------------------------------------------------------------------------------------------


@route("replies")
async def panel(viewer: Viewer, _: str) -> Screen:
    """Also for who was one: their money is there."""
    found = await viewer.doors.boosts.replies.panel(user_id=viewer.user.id)
    if not found.active and not found.total and not found.earned.minor and found.pending is None:
        return texts.newcomer(rate=found.rate, contact=viewer.config.support_contact)
    told = texts.PanelText(
        active=found.active,
        rate=found.rate,
        today=found.today,
        week=found.week,
        total=found.total,
        earned=found.earned,
        balance=found.balance,
        held=found.held,
        days=tuple((one.day, one.replies) for one in found.days),
        pending=None if found.pending is None else submission_text(found.pending),
    )
    return texts.panel(told, shop=viewer.config.shop_name, withdraw="withdraw" in ROUTES)


@route("replylog")
async def submissions(viewer: Viewer, before: str) -> Screen:
    size = viewer.config.history_per_page
    found = await viewer.doors.boosts.replies.submissions(
        user_id=viewer.user.id, before_id=number(before) if before else None, limit=size + 1
    )
    older = found[size - 1].id if len(found) > size else None
    return texts.log([submission_text(one) for one in found[:size]], older=older)


# --- handing in -------------------------------------------------------------------------------------------------------


@on(AskReplies)
async def ask(turn: Turn, _: AskReplies) -> Screen:
    if TASKS not in turn.user.rights:
        raise NotAllowed(right=TASKS)
    pending = (await turn.doors.boosts.replies.panel(user_id=turn.user.id)).pending
    if pending is not None:
        return texts.waiting(submission_text(pending))
    return await _ask(turn)


async def _ask(turn: Turn, problem: Html | None = None) -> Screen:
    await turn.ask(dialogue.REPLIES)
    terms = turn.doors.boosts.replies.terms()
    return texts.ask(rate=terms.rate, most=terms.max_links, back=terms.days_back, problem=problem)


@answer(dialogue.REPLIES)
async def typed(turn: Turn, _: Mapping[str, Any], text: str) -> Screen:
    """Links are sent at once; a number and a day are read and shown first."""
    door = turn.doors.boosts.replies
    try:
        if "/" not in text:
            report = door.read_report(text)
            return texts.confirm_report(count=report.count, day=report.day, pays=report.pays)
        one = await door.submit_links(key=turn.key, user_id=turn.user.id, text=text)
    except (BadReport, BadReplies) as error:
        return await _ask(turn, errors.words(error))
    except SubmissionPending as error:
        return await _waiting(turn, error)
    return texts.sent(submission_text(one), problems=[(each.text, each.reason) for each in one.problems])


def unasked(turn: Turn, text: str) -> Screen | None:
    """``12, Wednesday`` out of the blue, as reply guys wrote it to the old bot; None when it is something else."""
    if TASKS not in turn.user.rights:
        return None
    try:
        report = turn.doors.boosts.replies.read_report(text)
    except BadReport:
        return None
    return texts.confirm_report(count=report.count, day=report.day, pays=report.pays)


@on(ConfirmReport)
async def confirmed(turn: Turn, act: ConfirmReport) -> Screen:
    try:
        day = date.fromisoformat(act.day)
    except ValueError:
        raise UnknownRoute(act.day[:40]) from None
    try:
        one = await turn.doors.boosts.replies.report(key=turn.key, user_id=turn.user.id, count=act.count, day=day)
    except SubmissionPending as error:
        return await _waiting(turn, error)
    return texts.sent(submission_text(one), problems=())


async def _waiting(turn: Turn, error: DomainError) -> Screen:
    one = await turn.doors.boosts.replies.submission(
        submission_id=int(error.fields["submission_id"]), user_id=turn.user.id
    )
    return texts.waiting(submission_text(one))


@on(TakeBackReplies)
async def take_back(turn: Turn, act: TakeBackReplies) -> Screen:
    one = await turn.doors.boosts.replies.take_back(key=turn.key, user_id=turn.user.id, submission_id=act.submission)
    return texts.taken_back(submission_text(one))

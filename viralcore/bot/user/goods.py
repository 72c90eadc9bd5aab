"""Buying goods: the plan's questions one after another, a summary, the invoice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viralcore.boosts.api import BadAnswer, RequestClosed, RequestView, UnknownPlan
from viralcore.bot import dialogue
from viralcore.bot.turn import Turn, Viewer, answer, number, on, render, route
from viralcore.bot.user.views import invoice_row
from viralcore.core.screen import Html, Screen
from viralcore.payments.api import InvoiceView, TooManyInvoices
from viralcore.texts import errors, goods, invoices, wording
from viralcore.texts.actions import AskAnswer, DiscardRequest, GiveAnswer, InvoiceRequest, OpenRequest
from viralcore.texts.goods import RequestText


async def begin(turn: Turn, plan_id: str, quantity: int) -> Screen:
    """From the quantity to the first question."""
    one = await turn.doors.boosts.goods.begin(key=turn.key, user_id=turn.user.id, plan_id=plan_id, quantity=quantity)
    return await _go_on(turn, one)


@on(OpenRequest)
async def go_on(turn: Turn, act: OpenRequest) -> Screen:
    return await _go_on(turn, await turn.doors.boosts.goods.get(user_id=turn.user.id, request_id=act.request))


@route("request")
async def summary(viewer: Viewer, argument: str) -> Screen:
    one = await viewer.doors.boosts.goods.get(user_id=viewer.user.id, request_id=number(argument))
    if one.invoice_id is not None:
        return await render(viewer, f"invoice:{one.invoice_id}")
    if one.state != "open":
        raise RequestClosed(request_id=one.id, state=one.state)
    return goods.summary(text(one))


@on(AskAnswer)
async def ask_again(turn: Turn, act: AskAnswer) -> Screen:
    one = await turn.doors.boosts.goods.get(user_id=turn.user.id, request_id=act.request)
    if one.state != "open" or act.question not in one.plan.questions:
        return await summary(turn.viewer, str(act.request))
    return await _ask(turn, one, act.question)


@on(GiveAnswer)
async def answer_pressed(turn: Turn, act: GiveAnswer) -> Screen:
    return await _answer(turn, act.request, act.question, act.value)


@answer(dialogue.ANSWER)
async def answer_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen:
    return await _answer(turn, int(data["request"]), str(data["about"]), text)


@answer(dialogue.ANSWER_LINK)
async def link_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen:
    return await _answer(turn, int(data["request"]), str(data["about"]), text)


@on(InvoiceRequest)
async def confirm(turn: Turn, act: InvoiceRequest) -> Screen:
    """Open the invoice; when something is in the way, the answers wait under My Orders."""
    try:
        invoice_id = await turn.doors.boosts.goods.invoice(key=turn.key, user_id=turn.user.id, request_id=act.request)
    except TooManyInvoices as error:
        open_ones = await turn.doors.payments.invoices(user_id=turn.user.id, open_only=True)
        limit = int(error.fields["limit"])
        shown = invoices.already_have(limit=limit, open_invoices=[invoice_row(one) for one in open_ones])
        return await with_unfinished(turn.viewer, shown)
    return await render(turn.viewer, f"invoice:{invoice_id}")


@on(DiscardRequest)
async def discard(turn: Turn, act: DiscardRequest) -> Screen:
    await turn.doors.boosts.goods.discard(key=turn.key, user_id=turn.user.id, request_id=act.request)
    return goods.discarded()


async def with_unfinished(viewer: Viewer, screen: Screen) -> Screen:
    """The same screen with what this person has begun to buy."""
    found = await viewer.doors.boosts.goods.unfinished(user_id=viewer.user.id)
    rows = [(one.id, one.plan.title, wording.count(one.quantity, one.plan.unit)) for one in found]
    return goods.with_unfinished(screen, rows)


async def about(viewer: Viewer, one: InvoiceView) -> Html | None:
    """What was answered for an invoice of goods."""
    if one.item.kind != "goods":
        return None
    try:
        request = await viewer.doors.boosts.goods.of_invoice(user_id=one.user_id, invoice_id=one.id)
    except UnknownPlan:
        return None
    return goods.facts(request.answers, request.quantity) if request is not None and request.answers else None


def text(one: RequestView) -> RequestText:
    return RequestText(
        id=one.id,
        title=one.plan.title,
        unit=one.plan.unit,
        quantity=one.quantity,
        total=one.total,
        questions=one.plan.questions,
        answers=one.answers,
        missing=one.missing,
        limits=one.limits,
    )


async def _go_on(turn: Turn, one: RequestView) -> Screen:
    if one.state == "open" and one.missing:
        return await _ask(turn, one, one.missing[0])
    return await summary(turn.viewer, str(one.id))


async def _answer(turn: Turn, request_id: int, question: str, given: str) -> Screen:
    door = turn.doors.boosts.goods
    try:
        one = await door.answer(
            key=turn.key, user_id=turn.user.id, request_id=request_id, question=question, text=given
        )
    except BadAnswer as error:
        one = await door.get(user_id=turn.user.id, request_id=request_id)
        return await _ask(turn, one, question, errors.words(error))
    return await _go_on(turn, one)


async def _ask(turn: Turn, one: RequestView, question: str, problem: Html | None = None) -> Screen:
    name = dialogue.ANSWER_LINK if question in goods.LINKS else dialogue.ANSWER
    await turn.ask(name, request=one.id, about=question)
    return goods.ask(text(one), question, problem=problem)

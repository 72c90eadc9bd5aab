"""Payments for finance, in the private Admin Panel: stray money, all money, invoices and refunds.

Who only looks needs the right; whoever moves money is checked again inside the use case. A decision is asked for step
by step: target, reason, then a screen with Confirm. What was typed is kept in the open question, which the Confirm of
another screen does not fit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast, get_args

from viralcore.bot import dialogue
from viralcore.bot.admin.finance_views import Faces, plan_text, receipt_text, refundable_text, sold_text
from viralcore.bot.dialogue import Question
from viralcore.bot.turn import Turn, UnknownRoute, Viewer, answer, number, on, route
from viralcore.core.errors import DomainError, NotFound
from viralcore.core.money import USD, Money, exact, parse_decimal
from viralcore.core.one_line import one_line
from viralcore.core.screen import Screen
from viralcore.payments.api import ReceiptFilter, RefundTooMuch, StaffReceiptView
from viralcore.texts import errors, finance, home, refunds
from viralcore.texts.actions import AskAssign, AskInvoice, AskRefund, AssignTo, ConfirmAssign, ConfirmRefund
from viralcore.texts.cards import PersonText
from viralcore.texts.finance_words import SoldText
from viralcore.texts.shop import with_note
from viralcore.users.api import NotAllowed, SessionExpired, UserView

PAGE = 20
LONGEST_REASON = 300
ASSIGN, REFUNDS = "payments.assign", "refunds"
_CARD = re.compile(r"receipt_([0-9]{1,18})")


def _finance_only(viewer: Viewer, right: str = ASSIGN) -> None:
    if right not in viewer.user.rights:
        raise NotAllowed(right=right)


def receipt_of_card(viewer: Viewer, payload: str) -> str | None:
    """The route behind ``/start receipt_7``, for those who may see it; to others it is an ordinary start."""
    found = _CARD.fullmatch(payload)
    return f"receipt:{found.group(1)}" if found and ASSIGN in viewer.user.rights else None


# --- looking ---------------------------------------------------------------------------------------------------------


@route("money")
async def menu(viewer: Viewer, _: str) -> Screen:
    _finance_only(viewer)
    return finance.menu(stray=await viewer.doors.payments.finance.stray_count())


@route("strays")
async def strays(viewer: Viewer, after: str) -> Screen:
    _finance_only(viewer)
    found = await viewer.doors.payments.finance.strays(after_id=number(after) if after else 0, limit=PAGE + 1)
    shown = found[:PAGE]
    newer = shown[-1].receipt.id if len(found) > PAGE else None
    return finance.strays(await _texts(viewer, shown), newer=newer, first=not after)


@route("receipts")
async def receipts(viewer: Viewer, argument: str) -> Screen:
    _finance_only(viewer)
    which, _, before = argument.partition(":")
    if which not in get_args(ReceiptFilter):
        raise UnknownRoute(argument[:40])
    found = await viewer.doors.payments.finance.list_receipts(
        which=cast("ReceiptFilter", which), before_id=number(before) if before else None, limit=PAGE + 1
    )
    shown = found[:PAGE]
    older = shown[-1].receipt.id if len(found) > PAGE else None
    return finance.receipts(await _texts(viewer, shown), which=which, older=older)


@route("receipt")
async def receipt(viewer: Viewer, argument: str) -> Screen:
    _finance_only(viewer)
    one = await viewer.doors.payments.finance.receipt(receipt_id=number(argument))
    faces = await _faces(viewer, [one], [each.user_id for each in one.candidates])
    near = [(sold_text(each, faces), each.asked) for each in one.candidates]
    return finance.receipt(receipt_text(one, faces), near=near)


@route("inv")
async def invoice(viewer: Viewer, argument: str) -> Screen:
    _finance_only(viewer, REFUNDS)
    one = await viewer.doors.payments.finance.invoice(invoice_id=number(argument))
    who = [one.invoice.user_id, *(refund.by for refund in one.refunds)]
    faces = await Faces.of(viewer.doors.users, who)
    return refunds.invoice(
        sold_text(one.invoice, faces),
        refundable_text(one, faces),
        paid_at=one.invoice.paid_at,
        paid_with=one.invoice.paid_with or "",
        came=[(r.id, r.network, r.asset, r.amount, r.usd or Money(0, USD)) for r in one.receipts],
    )


async def _texts(viewer: Viewer, found: Sequence[StaffReceiptView]) -> list[finance.ReceiptText]:
    faces = await _faces(viewer, found)
    return [receipt_text(one, faces) for one in found]


async def _faces(viewer: Viewer, found: Sequence[StaffReceiptView], more: Sequence[int] = ()) -> Faces:
    ids = [user_id for one in found for user_id in (*one.pasted_by[:5], one.receipt.user_id, one.assigned_by)]
    return await Faces.of(viewer.doors.users, [*(user_id for user_id in ids if user_id is not None), *more])


# --- whose it is -----------------------------------------------------------------------------------------------------


@on(AskAssign)
async def ask_assign(turn: Turn, act: AskAssign) -> Screen:
    _finance_only(turn.viewer)
    if act.kind not in ("i", "u"):
        raise UnknownRoute(act.kind[:40])
    await turn.doors.payments.finance.receipt(receipt_id=act.receipt)
    await turn.ask(dialogue.ASSIGN_TARGET, receipt=act.receipt, kind=act.kind)
    return finance.ask_target(receipt=act.receipt, kind=act.kind)


@answer(dialogue.ASSIGN_TARGET)
async def target_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen:
    receipt_id, kind = int(data["receipt"]), str(data["kind"])
    typed = text.strip()
    target = await _invoice_typed(turn, typed) if kind == "i" else await person_typed(turn, typed)
    if target is None:
        await turn.ask(dialogue.ASSIGN_TARGET, receipt=receipt_id, kind=kind)
        problem = refunds.no_invoice(typed) if kind == "i" else finance.no_person(typed)
        return finance.ask_target(receipt=receipt_id, kind=kind, problem=problem)
    return await _ask_why(turn, receipt_id, kind, target)


async def _invoice_typed(turn: Turn, typed: str) -> int | None:
    digits = typed.lstrip("#")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        return None
    try:
        found = await turn.doors.payments.finance.invoice(invoice_id=int(digits))
    except NotFound:
        return None
    return found.invoice.id


async def person_typed(turn: Turn, typed: str) -> int | None:
    """By id or @name, as the shop knows them."""
    found: UserView | None
    if typed.isascii() and typed.isdigit() and len(typed) <= 18:
        try:
            found = await turn.doors.users.get(user_id=int(typed))
        except NotFound:
            found = None
    else:
        found = await turn.doors.users.find(handle=typed[:64].replace("\x00", ""))
    return found.id if found is not None else None


@on(AssignTo)
async def assign_to(turn: Turn, act: AssignTo) -> Screen:
    _finance_only(turn.viewer)
    if act.kind not in ("i", "u"):
        raise UnknownRoute(act.kind[:40])
    return await _ask_why(turn, act.receipt, act.kind, act.target)


async def _ask_why(turn: Turn, receipt_id: int, kind: str, target: int) -> Screen:
    one, sold, who = await _assignment(turn, receipt_id, kind, target)
    await turn.ask(dialogue.ASSIGN_REASON, receipt=receipt_id, kind=kind, target=target, reason="")
    return finance.ask_assign_reason(one, sold=sold, who=who)


async def _assignment(
    turn: Turn, receipt_id: int, kind: str, target: int
) -> tuple[finance.ReceiptText, SoldText | None, PersonText]:
    """What is to be assigned, and to what and whom. Raises NotFound."""
    one = await turn.doors.payments.finance.receipt(receipt_id=receipt_id)
    if kind == "u":
        await turn.doors.users.get(user_id=target)
        faces = await _faces(turn.viewer, [one], [target])
        return receipt_text(one, faces), None, faces.person(target)
    found = (await turn.doors.payments.finance.invoice(invoice_id=target)).invoice
    faces = await _faces(turn.viewer, [one], [found.user_id])
    return receipt_text(one, faces), sold_text(found, faces), faces.person(found.user_id)


@answer(dialogue.ASSIGN_REASON)
async def assign_reason(turn: Turn, data: Mapping[str, Any], text: str) -> Screen:
    """Typed again, it replaces the reason."""
    reason = _reason(text)
    receipt_id, kind, target = int(data["receipt"]), str(data["kind"]), int(data["target"])
    one, sold, who = await _assignment(turn, receipt_id, kind, target)
    await turn.ask(dialogue.ASSIGN_REASON, receipt=receipt_id, kind=kind, target=target, reason=reason)
    return finance.confirm_assign(one, sold=sold, who=who, reason=reason)


@on(ConfirmAssign)
async def confirm_assign(turn: Turn, act: ConfirmAssign) -> Screen:
    _finance_only(turn.viewer)
    asked = await turn.question()
    data = _of(asked, dialogue.ASSIGN_REASON, receipt=act.receipt)
    if data is None or act.target != f"{data['kind']}{data['target']}":
        return with_note(home.TOO_LATE, await receipt(turn.viewer, str(act.receipt)))
    door, target, reason = turn.doors.payments.finance, int(data["target"]), str(data["reason"])
    who = {"actor": turn.user.id, "receipt_id": act.receipt}
    try:
        if data["kind"] == "i":
            await door.assign_to_invoice(key=turn.key, invoice_id=target, reason=reason, **who)
        else:
            await door.assign_to_wallet(key=turn.key, user_id=target, reason=reason, **who)
    except (NotAllowed, SessionExpired):
        raise
    except DomainError as error:
        return home.refused(errors.words(error), back=f"receipt:{act.receipt}")
    return await receipt(turn.viewer, str(act.receipt))


# --- what goes back --------------------------------------------------------------------------------------------------


@on(AskInvoice)
async def ask_invoice(turn: Turn, _: AskInvoice) -> Screen:
    _finance_only(turn.viewer, REFUNDS)
    await turn.ask(dialogue.FIND_INVOICE)
    return refunds.ask_invoice()


@answer(dialogue.FIND_INVOICE)
async def invoice_typed(turn: Turn, _: Mapping[str, Any], text: str) -> Screen:
    _finance_only(turn.viewer, REFUNDS)
    found = await _invoice_typed(turn, text.strip())
    if found is None:
        await turn.ask(dialogue.FIND_INVOICE)
        return refunds.ask_invoice(refunds.no_invoice(text.strip()))
    return await invoice(turn.viewer, str(found))


@on(AskRefund)
async def ask_refund(turn: Turn, act: AskRefund) -> Screen:
    _finance_only(turn.viewer, REFUNDS)
    one = await turn.doors.payments.finance.invoice(invoice_id=act.invoice)
    if one.problem:
        return await invoice(turn.viewer, str(act.invoice))
    if act.how == "part":
        await turn.ask(dialogue.REFUND_AMOUNT, invoice=act.invoice)
        return refunds.ask_refund_amount(invoice=act.invoice, most=one.most)
    return await _ask_refund_reason(turn, act.invoice, one.most)


@answer(dialogue.REFUND_AMOUNT)
async def amount_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen:
    invoice_id = int(data["invoice"])
    amount, problem = _dollars(text), refunds.not_an_amount()
    if amount is not None:
        try:
            return await _ask_refund_reason(turn, invoice_id, amount)
        except RefundTooMuch as error:
            problem = errors.words(error)
    one = await turn.doors.payments.finance.invoice(invoice_id=invoice_id)
    await turn.ask(dialogue.REFUND_AMOUNT, invoice=invoice_id)
    return refunds.ask_refund_amount(invoice=invoice_id, most=one.most, problem=problem)


async def _ask_refund_reason(turn: Turn, invoice_id: int, amount: Money) -> Screen:
    """Raises RefundTooMuch, NotRefundable."""
    plan = await turn.doors.payments.finance.plan_refund(invoice_id=invoice_id, amount=amount)
    sold = await _sold(turn, invoice_id)
    await turn.ask(
        dialogue.REFUND_REASON, invoice=invoice_id, cents=amount.minor, refunded=plan.refunded.minor, reason=""
    )
    return refunds.ask_refund_reason(sold, plan_text(plan))


async def _sold(turn: Turn, invoice_id: int) -> SoldText:
    found = (await turn.doors.payments.finance.invoice(invoice_id=invoice_id)).invoice
    return sold_text(found, await Faces.of(turn.doors.users, [found.user_id]))


@answer(dialogue.REFUND_REASON)
async def refund_reason(turn: Turn, data: Mapping[str, Any], text: str) -> Screen:
    """Typed again, it replaces the reason."""
    reason = _reason(text)
    invoice_id, cents = int(data["invoice"]), int(data["cents"])
    plan = await turn.doors.payments.finance.plan_refund(invoice_id=invoice_id, amount=Money(cents, USD))
    sold = await _sold(turn, invoice_id)
    await turn.ask(dialogue.REFUND_REASON, invoice=invoice_id, cents=cents, refunded=plan.refunded.minor, reason=reason)
    return refunds.confirm_refund(sold, plan_text(plan), reason=reason)


@on(ConfirmRefund)
async def confirm_refund(turn: Turn, act: ConfirmRefund) -> Screen:
    _finance_only(turn.viewer, REFUNDS)
    asked = await turn.question()
    data = _of(asked, dialogue.REFUND_REASON, invoice=act.invoice, cents=act.cents, refunded=act.refunded)
    if data is None:
        return with_note(home.TOO_LATE, await invoice(turn.viewer, str(act.invoice)))
    try:
        await turn.doors.payments.finance.refund(
            key=turn.key,
            actor=turn.user.id,
            invoice_id=act.invoice,
            amount=Money(act.cents, USD),
            seen=Money(act.refunded, USD),
            reason=str(data["reason"]),
        )
    except (NotAllowed, SessionExpired):
        raise
    except DomainError as error:
        return home.refused(errors.words(error), back=f"inv:{act.invoice}")
    return await invoice(turn.viewer, str(act.invoice))


def _of(asked: Question | None, name: str, **facts: int) -> Mapping[str, Any] | None:
    """What was typed for this very decision, with its reason; None when the question is over or was another."""
    if asked is None or asked.name != name or not asked.data.get("reason"):
        return None
    return asked.data if all(asked.data.get(fact) == value for fact, value in facts.items()) else None


def _reason(text: str) -> str:
    return one_line(text, LONGEST_REASON)


def _dollars(text: str) -> Money | None:
    try:
        return exact(parse_decimal(text.strip().lstrip("$").replace(",", "")), USD)
    except ValueError:
        return None

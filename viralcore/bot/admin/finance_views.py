"""From what the finance door returns to what its screens take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from viralcore.payments.api import CandidateView, InvoiceView, RefundPlan, StaffInvoiceView, StaffReceiptView
from viralcore.texts.cards import PersonText
from viralcore.texts.finance import ReceiptText
from viralcore.texts.finance_words import SoldText
from viralcore.texts.refunds import PlanText, RefundableText, RefundText
from viralcore.users.api import Users, UserView


@dataclass(frozen=True, slots=True)
class Faces:
    """People by id, read in one go; who has never met the bot has no name."""

    known: Mapping[int, UserView]

    @classmethod
    async def of(cls, users: Users, ids: Iterable[int]) -> Faces:
        wanted = sorted(set(ids))
        return cls(await users.get_many(user_ids=wanted) if wanted else {})

    def person(self, user_id: int) -> PersonText:
        found = self.known.get(user_id)
        if found is None:
            return PersonText(user_id, "Somebody" if user_id else "The command line", None)
        return PersonText(user_id, found.first_name, found.username)


def receipt_text(one: StaffReceiptView, faces: Faces) -> ReceiptText:
    money = one.receipt
    return ReceiptText(
        id=money.id,
        network=money.network,
        asset=money.asset,
        amount=money.amount,
        usd=money.usd,
        hash=money.hash,
        stray=money.state == "suspense",
        outcome=one.outcome,
        seen_at=money.seen_at,
        pasted_by=tuple(faces.person(user_id) for user_id in one.pasted_by),
        owner=None if money.user_id is None else faces.person(money.user_id),
        invoice=money.invoice_id,
        by=None if one.assigned_by is None else faces.person(one.assigned_by),
        credited_at=one.credited_at,
    )


def sold_text(one: InvoiceView | CandidateView, faces: Faces) -> SoldText:
    unit = str(one.item.data.get("unit", "post" if one.item.kind == "credits" else "unit"))
    number = one.invoice_id if isinstance(one, CandidateView) else one.id
    return SoldText(number, faces.person(one.user_id), one.item.title, one.quantity, unit, one.total, one.state)


def refundable_text(one: StaffInvoiceView, faces: Faces) -> RefundableText:
    return RefundableText(
        paid=one.paid,
        bonus=one.bonus,
        most=one.most,
        left=one.left,
        problem=one.problem,
        credits=one.credits,
        unused=one.unused,
        refunds=tuple(
            RefundText(each.amount, each.created_at, faces.person(each.by), each.reason) for each in one.refunds
        ),
        elsewhere=one.elsewhere,
    )


def plan_text(plan: RefundPlan) -> PlanText:
    return PlanText(
        amount=plan.amount,
        to_wallet=plan.to_wallet,
        to_bonus=plan.to_bonus,
        credits=plan.credits,
        refunded=plan.refunded,
        left=plan.left,
        most=plan.most,
    )

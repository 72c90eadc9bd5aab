"""Refunds: money of a paid invoice goes back, once, with its reason. The rule stands in domain/finance.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from viralcore.core.db import Tx
from viralcore.core.errors import NotFound
from viralcore.core.money import USD, Money
from viralcore.ledger.api import (
    BONUS,
    CREDITS,
    WALLET,
    Account,
    Entry,
    InsufficientFunds,
    Ledger,
    LotView,
    house_account,
    user_account,
)
from viralcore.payments.api import NotRefundable, RefundChanged, RefundPlan, RefundTooMuch, invoice_of, purchase_key
from viralcore.payments.domain.finance import Price, Purchase
from viralcore.payments.domain.states import Invoice, Refund
from viralcore.payments.events import RefundIssued
from viralcore.payments.repository import finance, invoices
from viralcore.users.api import NotYourself, Users

RIGHT = "refunds"
MOST_RETURNED = 90
"""Credits that came back one by one, taken in one posting; a refund of more is made in two."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A paid invoice with what can be given back of it now. `lots`: unused credits that belong to it, in the order they
    are taken. `problem`: why nothing can be given back; empty when something can."""

    invoice: Invoice
    purchase: Purchase
    lots: tuple[LotView, ...]
    refunds: tuple[Refund, ...]
    problem: str

    @property
    def unused(self) -> int:
        return min(sum(lot.remaining for lot in self.lots), self.purchase.credits - self.purchase.taken)

    @property
    def most(self) -> int:
        return 0 if self.problem in ("unpaid", "topup", "goods", "bundle") else self.purchase.most(self.unused)


class Refunding:
    def __init__(self, *, ledger: Ledger, users: Users) -> None:
        self._ledger = ledger
        self._users = users

    async def standing(self, tx: Tx, invoice: Invoice) -> Standing:
        """How an invoice stands as to refunds, as this transaction sees it."""
        given = tuple(await finance.refunds_of(tx.conn, invoice.id))
        price = price_of(invoice)
        paid = price.paid if invoice.state == "paid" else 0
        grant = invoice.grants[0] if len(invoice.grants) == 1 else None
        purchase = Purchase(
            paid=paid,
            bonus=invoice.bonus_cents,
            refunded=invoice.refunded_cents,
            credits=grant[1] if grant else 0,
            unit_cost=grant[2] if grant else invoice.unit_price,
            taken=sum(refund.credits for refund in given),
            elsewhere=price.money(invoice.given_cents) - invoice.refunded_cents,
        )
        lots = await self._lots(tx, invoice) if grant and paid else ()
        found = Standing(invoice, purchase, lots, given, "")
        return Standing(invoice, purchase, lots, given, _problem(found))

    async def plan(self, tx: Tx, invoice_id: int, cents: int) -> RefundPlan:
        """What a refund would do now. Raises NotFound, NotRefundable, RefundTooMuch."""
        invoice = await invoices.get_invoice(tx.conn, invoice_id)
        if invoice is None:
            raise NotFound(what="invoice")
        return _plan(await self.standing(tx, invoice), cents)

    async def refund(
        self, tx: Tx, *, key: str, actor: int, invoice_id: int, cents: int, seen_cents: int, reason: str
    ) -> int:
        """The refund's id. Raises NotAllowed, SessionExpired, Blocked, NotYourself, NotFound, NotRefundable,
        RefundTooMuch, RefundChanged."""
        await self._users.authorize(tx, actor=actor, right=RIGHT)

        async def run() -> dict[str, Any]:
            return {"refund_id": await self._refund(tx, key, actor, invoice_id, cents, seen_cents, reason)}

        inputs = {"actor": actor, "invoice_id": invoice_id, "cents": cents, "seen": seen_cents, "reason": reason}
        done = await tx.once(scope="payments.refund", key=key, inputs=inputs, run=run)
        return int(done["refund_id"])

    async def _refund(
        self, tx: Tx, key: str, actor: int, invoice_id: int, cents: int, seen_cents: int, reason: str
    ) -> int:
        if cents <= 0 or not reason.strip():
            raise ValueError("a refund has an amount and a reason")
        invoice = (await invoices.lock_invoices(tx.conn, [invoice_id])).get(invoice_id)
        if invoice is None:
            raise NotFound(what="invoice")
        if invoice.user_id == actor:
            raise NotYourself()
        if invoice.refunded_cents != seen_cents:
            raise RefundChanged(invoice_id=invoice_id, refunded=invoice.refunded_cents)
        now = await self.standing(tx, invoice)
        plan = _plan(now, cents)
        given = price_of(invoice).given(now.purchase.gone + cents)
        if not await finance.add_to_given(tx.conn, invoice, given, refunded=cents):
            raise RuntimeError("a held invoice was refunded by somebody else")
        asset = invoice.grants[0][0] if now.purchase.credits else ""
        refund = await finance.add_refund(
            tx.conn,
            key=key,
            invoice_id=invoice_id,
            user_id=invoice.user_id,
            kind=plan.kind,
            amount_cents=cents,
            bonus_cents=plan.to_bonus.minor,
            credit_asset=asset if plan.credits else "",
            credits=plan.credits,
            reason=reason,
            by=actor,
            created_at=tx.now,
        )
        await self._post(tx, now, refund)
        await self._tell(tx, now, refund)
        return refund.id

    async def _post(self, tx: Tx, now: Standing, refund: Refund) -> None:
        user_id = refund.user_id
        legs = [
            Entry(house_account("revenue"), -refund.amount_cents),
            Entry(user_account(user_id, WALLET), refund.amount_cents - refund.bonus_cents),
            Entry(user_account(user_id, BONUS), refund.bonus_cents),
        ]
        if refund.credits:
            account = user_account(user_id, CREDITS, refund.credit_asset)
            legs += _taken(account, now.lots, refund.credits)
            legs.append(Entry(house_account("grants", refund.credit_asset), refund.credits))
        try:
            await self._ledger.post(
                tx,
                key=f"refund:{refund.id}",
                kind="refund",
                entries=[leg for leg in legs if leg.amount],
                description=f"Refund {refund.id} of invoice {refund.invoice_id}",
            )
        except InsufficientFunds as error:
            if error.fields.get("account") != CREDITS:
                raise
            raise RefundChanged(invoice_id=refund.invoice_id, refunded=now.purchase.refunded) from error

    async def _tell(self, tx: Tx, now: Standing, refund: Refund) -> None:
        tx.record(
            RefundIssued(
                refund_id=refund.id,
                invoice_id=refund.invoice_id,
                user_id=refund.user_id,
                cents=refund.amount_cents,
                to_wallet=refund.amount_cents - refund.bonus_cents,
                to_bonus=refund.bonus_cents,
                credits=refund.credits,
                credit_asset=refund.credit_asset,
                refunded=now.purchase.gone + refund.amount_cents,
                paid=now.purchase.paid,
                kind=refund.kind,
                actor=refund.by,
            )
        )
        await self._users.audit(
            tx,
            actor=refund.by,
            action="refund.issued",
            subject=f"invoice:{refund.invoice_id}",
            before={"refunded_cents": now.purchase.refunded},
            after={
                "refunded_cents": now.purchase.refunded + refund.amount_cents,
                "refund_id": refund.id,
                "user_id": refund.user_id,
                "to_bonus_cents": refund.bonus_cents,
                "credits": refund.credits,
            },
            reason=refund.reason,
        )

    async def _lots(self, tx: Tx, invoice: Invoice) -> tuple[LotView, ...]:
        """The purchase's own lot, then its credits that orders gave back. Of those that do not say whose they are, any
        at the same price: one of them may have been this purchase's, and it is worth the same."""
        (asset, _, unit_cost) = invoice.grants[0]
        lots = await self._ledger.lots(tx, account=user_account(invoice.user_id, CREDITS, asset))
        own = [lot for lot in lots if lot.posting_key == purchase_key(invoice.id)]
        mine = (None, invoice.id)
        back = [
            lot
            for lot in lots
            if lot.kind == "refund" and lot.unit_cost == unit_cost and invoice_of(lot.posting_key) in mine
        ]
        return (*own, *back[:MOST_RETURNED])


def price_of(invoice: Invoice) -> Price:
    return Price(total=invoice.total_cents, bonus=invoice.bonus_cents, forgiven=invoice.forgiven_cents)


def _problem(now: Standing) -> str:
    invoice = now.invoice
    if invoice.state != "paid":
        return "unpaid"
    if invoice.item_kind == "topup":
        return "topup"
    if invoice.item_kind == "goods":
        # Its order gives back what it does not deliver. Two who give the same money back give it back twice.
        return "goods"
    if len(invoice.grants) > 1:
        return "bundle"
    if not now.purchase.left:
        return "nothing"
    return "" if now.most else "used"


def _plan(now: Standing, cents: int) -> RefundPlan:
    if now.problem:
        raise NotRefundable(invoice_id=now.invoice.id, reason=now.problem)
    if not 0 < cents <= now.most:
        raise RefundTooMuch(invoice_id=now.invoice.id, asked=cents, most=now.most, left=now.purchase.left)
    bonus = now.purchase.to_bonus(cents)
    return RefundPlan(
        invoice_id=now.invoice.id,
        user_id=now.invoice.user_id,
        amount=Money(cents, USD),
        to_wallet=Money(cents - bonus, USD),
        to_bonus=Money(bonus, USD),
        credits=now.purchase.takes(cents),
        refunded=Money(now.purchase.refunded, USD),
        most=Money(now.most, USD),
        left=Money(now.purchase.left, USD),
        kind="full" if cents == now.purchase.left else "partial",
    )


def _taken(account: Account, lots: Sequence[LotView], credits_: int) -> list[Entry]:
    legs = []
    for lot in lots:
        taken = min(lot.remaining, credits_)
        credits_ -= taken
        if taken:
            legs.append(Entry(account, -taken, lot=lot.posting_key))
    if credits_:
        raise RuntimeError("a refund was planned with credits that are not there")
    return legs

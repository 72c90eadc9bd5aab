"""The painter: a stored notice as a screen, from the facts of its event and what the doors say at this moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from viralcore.boosts.api import Boosts, OrderView, UnknownPhaseView, UnknownPlan
from viralcore.core.errors import NotFound
from viralcore.core.money import USD, Money
from viralcore.core.screen import Screen
from viralcore.notifications.domain import Notice
from viralcore.notifications.service import hand
from viralcore.notifications.service.groups import GroupPainter
from viralcore.notifications.service.hints import phase_card
from viralcore.notifications.service.replies import ReplyPainter
from viralcore.notifications.service.stuck import StuckPainter
from viralcore.payments.api import InvoiceView, Payments, ProofView
from viralcore.texts import cards, custom, goods, notices, order_notices, referrals, staff_cards, topics
from viralcore.texts.order_text import OrderLineText, OrderPartText, OrderText
from viralcore.texts.shop import LineText
from viralcore.users.api import Users

Paint = Callable[[Notice, Mapping[str, Any]], Awaitable[Screen | None]]


class Painter:
    """Knows every template by name. None: there is nothing (left) to say."""

    def __init__(
        self,
        *,
        users: Users,
        payments: Payments,
        boosts: Boosts,
        bot_username: Callable[[], str],
    ) -> None:
        """`bot_username`: our own name, for buttons that lead from a group into the private chat."""
        self._bot_username = bot_username
        self._users = users
        self._payments = payments
        self._boosts = boosts
        self.templates: Mapping[str, Paint] = {
            "transfer": self._transfer,
            "deposit": self._deposit,
            "paid_from_wallet": self._paid_from_wallet,
            "invoice_closed": self._invoice_closed,
            "claim_ended": self._claim_ended,
            "progress": self._progress,
            "lines_ended": self._lines_ended,
            "finished": self._finished,
            "corrected": self._corrected,
            "refill": self._refill,
            "custom_plan": self._custom_plan,
            "staff_deposit": self._staff_deposit,
            "staff_paid": self._staff_paid,
            "staff_stray": self._staff_stray,
            "owner_stray": self._owner_stray,
            "assigned": self._assigned,
            "refunded": self._refunded,
            "staff_refund": self._staff_refund,
            "staff_order": self._staff_order,
            "staff_finished": self._staff_finished,
            "panel_trouble": self._panel_trouble,
            "proof": self._proof,
            "proof_rejected": self._proof_rejected,
            "commission": self._commission,
            "commission_back": self._commission_back,
            "bank_trouble": self._bank_trouble,
            "prices": self._prices,
            "unknown_phase": self._unknown_phase,
            "goods_returned": self._goods_returned,
            "staff_card": self._staff_card,
            "stuck": StuckPainter(boosts, self._person, bot_username).paint,
            "topic_trouble": self._topic_trouble,
            **ReplyPainter(boosts, self._person).templates,
            **GroupPainter(boosts, bot_username).templates,
        }

    async def paint(self, notice: Notice) -> Screen | None:
        """Raises core NotFound when what it is about is not there, KeyError on a template of another build."""
        return await self.templates[notice.template](notice, notice.params)

    # --- money -------------------------------------------------------------------------------------------------------

    async def _transfer(self, notice: Notice, params: Mapping[str, Any]) -> Screen | None:
        stage, reason = ("credited" if params.get("credited") else "seen"), ""
        if stage == "seen" and params.get("claim_id") is not None:
            claim = await self._payments.get_claim(user_id=_user(notice), claim_id=params["claim_id"])
            stage = {"checking": "checking", "credited": "credited"}.get(claim.state, "ended")
            reason = claim.reason
        if params.get("moved"):
            stage = "moved"
        if stage in ("credited", "ended", "moved") and notice.message_id is None:
            return None
        return notices.transfer(
            stage=stage,
            reason=reason,
            network=params["network"],
            tx_hash=params["hash"],
            invoice_id=params.get("invoice_id"),
        )

    async def _deposit(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        return notices.deposit(_deposit_text(params), await self._sale(_user(notice), params["invoice_id"]))

    async def _paid_from_wallet(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        return notices.paid_from_wallet(await self._sale(_user(notice), params["invoice_id"]))

    async def _invoice_closed(self, notice: Notice, params: Mapping[str, Any]) -> Screen | None:
        sale = await self._sale(_user(notice), params["invoice_id"])
        return None if sale.state == "paid" else notices.invoice_closed(sale, state=params["state"])

    async def _claim_ended(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        claim = await self._payments.get_claim(user_id=_user(notice), claim_id=params["claim_id"])
        return notices.claim_ended(
            state=params["state"],
            reason=params["reason"],
            network=claim.network,
            tx_hash=claim.hash,
            invoice_id=params["invoice_id"],
        )

    async def _proof_rejected(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        proof = await self._payments.get_proof(proof_id=params["proof_id"])
        sale = await self._sale(proof.user_id, proof.invoice_id)
        return notices.proof_rejected(sale, amount=proof.amount, reason=proof.reason)

    # --- orders ------------------------------------------------------------------------------------------------------

    async def _progress(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        return order_notices.progress(await self._order(params["order_id"]))

    async def _corrected(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        order = await self._order(params["order_id"])
        return order_notices.corrected(
            order,
            metric=params["metric"],
            back=Money(params["refunded"], USD),
            to_bonus=_to_bonus(params),
            credit=params["credit"],
        )

    async def _refill(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        return order_notices.refill(await self._order(params["order_id"]), state=params["state"])

    async def _lines_ended(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        order = await self._order(params["order_id"])
        return order_notices.lines_ended(order, metrics=params["metrics"], state=params["state"])

    async def _finished(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        return order_notices.finished(await self._order(params["order_id"]))

    # --- the admin group ---------------------------------------------------------------------------------------------

    async def _staff_deposit(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        sale = await self._sale(params["user_id"], params["invoice_id"])
        return cards.deposit(_deposit_text(params), sale, await self._person(params["user_id"]))

    async def _staff_paid(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        sale = await self._sale(params["user_id"], params["invoice_id"])
        return cards.paid_from_wallet(sale, await self._person(params["user_id"]))

    async def _staff_stray(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        user_id = params["user_id"]
        return cards.stray(
            receipt_id=params["receipt_id"],
            network=params["network"],
            asset=params["asset"],
            amount=params["amount"],
            tx_hash=params["hash"],
            who=None if user_id is None else await self._person(user_id),
            bot_username=self._bot_username(),
            end=await self._stray_end(params["receipt_id"]),
            reference=params.get("reference", ""),
            reason=params.get("reason", ""),
        )

    async def _owner_stray(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        receipt = await self._payments.finance.receipt(receipt_id=params["receipt_id"])
        waited = notice.created_at - receipt.receipt.seen_at
        return cards.stray_for_owner(
            receipt_id=params["receipt_id"],
            network=params["network"],
            asset=params["asset"],
            amount=params["amount"],
            usd=Money(params["usd"], USD),
            tx_hash=params["hash"],
            why=params["why"],
            hours=int(waited.total_seconds() // 3600),
            end=await self._stray_end(params["receipt_id"]),
        )

    async def _stray_end(self, receipt_id: int) -> cards.StrayEnd | None:
        found = await self._payments.finance.receipt(receipt_id=receipt_id)
        if found.receipt.user_id is None or found.credited_at is None:
            return None
        return cards.StrayEnd(
            owner=await self._person(found.receipt.user_id),
            invoice=found.receipt.invoice_id,
            by=None if found.assigned_by is None else await self._person(found.assigned_by),
            at=found.credited_at,
        )

    async def _assigned(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        return notices.assigned(
            amount=params["amount"], asset=params["asset"], network=params["network"], usd=Money(params["usd"], USD)
        )

    async def _refunded(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        return notices.refunded(
            await self._sale(_user(notice), params["invoice_id"]),
            to_wallet=Money(params["to_wallet"], USD),
            to_bonus=Money(params["to_bonus"], USD),
            credits_back=params["credits"],
            left=params["left"],
        )

    async def _staff_refund(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        refund = await self._payments.finance.get_refund(refund_id=params["refund_id"])
        return cards.refund(
            amount=refund.amount,
            credits_back=refund.credits,
            sale=await self._sale(refund.user_id, refund.invoice_id),
            who=await self._person(refund.user_id),
            by=await self._person(refund.by),
            reason=refund.reason,
        )

    async def _commission(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        return referrals.commission(
            title=await self._title(params["item_ref"]),
            amount=Money(params["cents"], USD),
            owed_before=Money(params["to_receivable"], USD),
        )

    async def _commission_back(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        return referrals.commission_back(
            title=await self._title(params["item_ref"]),
            amount=Money(params["cents"], USD),
            receivable=Money(params["receivable"], USD),
        )

    async def _proof(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        proof = await self._payments.get_proof(proof_id=params["proof_id"])
        return cards.proof(
            _proof_text(proof),
            await self._sale(proof.user_id, proof.invoice_id),
            await self._person(proof.user_id),
            by=None if proof.actor is None else await self._person(proof.actor),
        )

    async def _bank_trouble(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        return cards.bank_trouble(what=params["what"], detail=params["detail"])

    async def _staff_order(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        who = await self._person(params["user_id"])
        return cards.order_created(await self._order(params["order_id"]), who)

    async def _staff_finished(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        who = await self._person(params["user_id"])
        return cards.order_finished(await self._order(params["order_id"]), who)

    async def _panel_trouble(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        return cards.panel_trouble(panel=params["panel"], what=params["what"], detail=params["detail"])

    async def _prices(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        return cards.prices(coin=params["coin"], reason=params["reason"])

    async def _unknown_phase(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        phase = await self._boosts.unknown_phase(phase_id=params["phase_id"])
        superseded = bool(params.get("superseded"))
        how = params.get("how", "elsewhere" if superseded else "")
        if phase.state == "unknown" and not superseded:
            return cards.unknown_phase(phase_card(phase))
        actor = params.get("actor")
        return cards.resolved_phase(
            phase_card(phase),
            who=None if actor is None else await self._person(actor),
            how=how,
            panel_order=await self._panel_order(phase) if how == "placed" else None,
        )

    async def _custom_plan(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        one = await self._boosts.custom.get(plan_id=params["plan_id"])
        shown = custom.CustomText(
            id=one.id,
            title=one.spec.title,
            lines=tuple(
                LineText(line.metric, line.quantity, later=not line.available, verified=line.verified)
                for line in one.plan.lines
            ),
            price=one.spec.price,
            preset=one.spec.preset,
            left=one.left,
            state=one.state,
            until=one.plan.until,
        )
        return custom.changed(
            shown,
            what=params["what"],
            given=params["given"],
            refunded=Money(params["refunded"], USD),
            to_bonus=_to_bonus(params),
            reason=params["reason"],
        )

    async def _goods_returned(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        money = Money(params["cents"], USD)
        return order_notices.returned(invoice_id=params["invoice_id"], money=money, to_bonus=_to_bonus(params))

    async def _staff_card(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        one = await self._boosts.staff.get(card_id=params["card_id"])
        who = one.taken_by if one.decided_by is None else one.decided_by
        shown = hand.card_text(
            one, buyer=await self._person(one.user_id), by=None if who is None else await self._person(who)
        )
        return staff_cards.card(shown, waits=bool(params.get("waits")), superseded=bool(params.get("superseded")))

    async def _topic_trouble(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        return topics.trouble(what=params["what"], kind=params["kind"])

    # --- facts -------------------------------------------------------------------------------------------------------

    async def _sale(self, user_id: int, invoice_id: int) -> notices.SaleText:
        invoice = await self._payments.get_invoice(user_id=user_id, invoice_id=invoice_id)
        unit, available = "unit", None
        try:
            plan = await self._boosts.find_plan(invoice.item.ref)
            unit = plan.unit
        except UnknownPlan:
            pass
        if invoice.item.kind == "credits":
            mine = await self._boosts.credits(user_id=user_id)
            available = next((one.available for one in mine if one.plan.id == invoice.item.ref), None)
        return _sale_text(invoice, unit, available)

    async def _title(self, item_ref: str) -> str:
        """For who referred the buyer: the name of a plan made for one person is not told."""
        if item_ref.startswith("custom-"):
            return referrals.PRIVATE
        try:
            return (await self._boosts.find_plan(item_ref)).title
        except UnknownPlan:
            return ""

    async def _order(self, order_id: int) -> OrderText:
        return _order_text(await self._boosts.get_order(order_id=order_id))

    async def _person(self, user_id: int) -> cards.PersonText:
        try:
            found = await self._users.get(user_id=user_id)
        except NotFound:
            return cards.PersonText(user_id, "Somebody", None)
        return cards.PersonText(user_id, found.first_name, found.username)

    async def _panel_order(self, phase: UnknownPhaseView) -> str | None:
        order = await self._boosts.get_order(order_id=phase.order_id)
        return next((one.panel_order for one in order.phases if one.id == phase.phase_id), None)


def _user(notice: Notice) -> int:
    if notice.user_id is None:
        raise ValueError(f"notice {notice.id} ({notice.template}) is nobody's")
    return notice.user_id


def _deposit_text(params: Mapping[str, Any]) -> notices.DepositText:
    usd, to_wallet = params["usd"], params["to_wallet"]
    return notices.DepositText(
        amount=params["amount"],
        asset=params["asset"],
        network=params["network"],
        usd=Money(usd, USD),
        to_wallet=Money(to_wallet, USD),
        outcome=params["outcome"],
        pays=params["pays"],
    )


def _proof_text(proof: ProofView) -> cards.ProofText:
    return cards.ProofText(
        id=proof.id,
        amount=proof.amount,
        usd=proof.usd,
        file_id=proof.file_id,
        state=proof.state,
        reason=proof.reason,
        sent_at=proof.created_at,
    )


def _sale_text(invoice: InvoiceView, unit: str, available: int | None) -> notices.SaleText:
    return notices.SaleText(
        id=invoice.id,
        kind=invoice.item.kind,
        title=invoice.item.title,
        unit=unit,
        quantity=invoice.quantity,
        total=invoice.total,
        state=invoice.state,
        received=invoice.received,
        rest=invoice.rest,
        available=available,
    )


def _to_bonus(params: Mapping[str, Any]) -> Money:
    """Notices of before bonus money was told apart say nothing of it."""
    return Money(params.get("to_bonus", 0), USD)


def _order_text(order: OrderView) -> OrderText:
    return OrderText(
        id=order.id,
        plan=order.plan_title,
        link=order.link.canonical,
        state=order.state,
        lines=tuple(
            OrderLineText(
                line.metric,
                line.quantity,
                line.delivered,
                line.state,
                line.refunded,
                line.engine or "",
                line.reason,
                line.verified,
                line.verified_done,
                line.until,
            )
            for line in order.lines
        ),
        parts=tuple(
            OrderPartText(phase.number, phase.metric, phase.quantity, phase.delivered, phase.due_at, phase.state)
            for phase in order.phases
        ),
        refunded=order.refunded,
        to_bonus=order.to_bonus,
        unpaid=order.unpaid,
        credit_returned=order.credit_returned,
        paused_at=order.paused_at,
        expected_at=order.expected_at,
        goods=order.invoice_id is not None,
        facts=goods.other_facts(order.answers, order.link.canonical, order.units),
    )

"""From what doors return to what screens take."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from viralcore.boosts.api import LineView, OrderView, PlanView
from viralcore.core.money import Money
from viralcore.payments.api import InvoiceView
from viralcore.texts import goods as goods_text
from viralcore.texts import orders as order_texts
from viralcore.texts.invoices import InvoiceText
from viralcore.texts.order_text import OrderLineText, OrderPartText, OrderText
from viralcore.texts.shop import LineText, PlanText


def line_text(line: LineView) -> LineText:
    return LineText(line.metric, line.quantity, later=not line.available, verified=line.verified)


def plan_text(plan: PlanView) -> PlanText:
    return PlanText(
        id=plan.id,
        title=plan.title,
        unit=plan.unit,
        price=plan.price,
        minimum=plan.minimum,
        step=plan.step,
        presets=plan.presets,
        lines=tuple(line_text(line) for line in plan.lines),
        back="customs" if plan.group == "custom" else f"g:{plan.platform}:{plan.group}",
    )


def outdated(invoice: InvoiceView) -> bool:
    """Whether its quote asks for less than is to be paid by now: what had come for it was spent elsewhere since."""
    quote, rest = invoice.quote, invoice.rest
    return quote is not None and quote.due is not None and rest is not None and quote.due < rest


def invoice_text(invoice: InvoiceView, now: datetime) -> InvoiceText:
    claim = invoice.claim
    return InvoiceText(
        id=invoice.id,
        title=invoice.item.title,
        quantity=invoice.quantity,
        unit=str(invoice.item.data.get("unit", "post")),
        unit_price=invoice.unit_price,
        total=invoice.total,
        state=invoice.state,
        left=invoice.expires_at - now,
        credits=invoice.item.kind == "credits",
        received=invoice.received,
        rest=invoice.rest,
        notes=invoice.notes,
        claim=(claim.state, claim.reason) if claim is not None else None,
        quoted=invoice.quote is not None and not outdated(invoice),
        topup=invoice.item.kind == "topup",
        refunded=invoice.refunded,
    )


def naira_per_dollar(rate: Decimal) -> Decimal:
    """What a dollar costs, to the kobo, from what one naira is worth."""
    return (1 / rate).quantize(Decimal("0.01"))


def order_text(order: OrderView) -> OrderText:
    return OrderText(
        id=order.id,
        plan=order.plan_title,
        link=order.link.canonical,
        state=order.state,
        lines=tuple(
            OrderLineText(
                x.metric,
                x.quantity,
                x.delivered,
                x.state,
                x.refunded,
                x.engine or "",
                x.reason,
                x.verified,
                x.verified_done,
                x.until,
            )
            for x in order.lines
        ),
        parts=tuple(
            OrderPartText(x.number, x.metric, x.quantity, x.delivered, x.due_at, x.state) for x in order.phases
        ),
        refunded=order.refunded,
        to_bonus=order.to_bonus,
        unpaid=order.unpaid,
        credit_returned=order.credit_returned,
        paused_at=order.paused_at,
        expected_at=order.expected_at,
        goods=order.invoice_id is not None,
        facts=goods_text.other_facts(order.answers, order.link.canonical, order.units),
    )


def order_row(order: OrderView) -> tuple[int, str, str, str, int]:
    """A line of the orders list. Lines that nobody delivers yet do not count against progress."""
    done = [(x.delivered, x.quantity) for x in order.lines if x.channel == "panel" or x.engine is not None]
    percent = 100 if order.state == "completed" else order_texts.percent(done)
    state = "paused" if order.paused_at is not None else order.state
    return order.id, order.plan_title, order.link.canonical, state, percent


def invoice_row(invoice: InvoiceView) -> tuple[int, str, Money]:
    return invoice.id, invoice.item.title, invoice.total

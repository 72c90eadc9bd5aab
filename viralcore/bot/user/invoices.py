"""Invoices looked back at: the list of all, how one was paid, its receipt; and giving one up."""

from __future__ import annotations

from dataclasses import replace

from viralcore.bot.turn import Turn, UnknownRoute, Viewer, number, on, render, route
from viralcore.core.screen import Picture, Screen
from viralcore.payments.api import InvoiceState, InvoiceView
from viralcore.texts import receipts
from viralcore.texts.actions import GiveUpInvoice
from viralcore.texts.pictures import receipt as picture

SHOWN: dict[str, tuple[InvoiceState, ...]] = {
    "": (),
    "open": ("open",),
    "paid": ("paid",),
    "closed": ("expired", "cancelled"),
}


def row_of(one: InvoiceView) -> receipts.InvoiceRow:
    return receipts.InvoiceRow(
        id=one.id,
        title=one.item.title,
        total=one.total,
        state=one.state,
        at=one.created_at,
        topup=one.item.kind == "topup",
        received=one.received,
        refunded=one.refunded,
    )


@route("invoices")
async def listed(viewer: Viewer, argument: str) -> Screen:
    """``invoices``, ``invoices:paid``, ``invoices:paid:120``: those before number 120."""
    shown, _, before = argument.partition(":")
    if shown not in SHOWN:
        raise UnknownRoute(argument[:40])
    size = viewer.config.invoices_per_page
    page = await viewer.doors.payments.invoices(
        user_id=viewer.user.id,
        states=SHOWN[shown],
        before_id=number(before) if before else None,
        limit=size + 1,
    )
    older = f"invoices:{shown}:{page[size - 1].id}" if len(page) > size else None
    return receipts.invoice_list([row_of(one) for one in page[:size]], shown=shown, older=older)


async def paid_text(viewer: Viewer, one: InvoiceView) -> receipts.PaidText:
    """How it was paid, with what came for it."""
    came = await viewer.doors.payments.receipts_of(user_id=one.user_id, invoice_id=one.id) if one.received.minor else ()
    return receipts.PaidText(
        parts=tuple(
            receipts.PartText(
                network=each.network,
                asset=each.asset,
                amount=f"{each.amount:f}",
                hash=each.hash,
                rate=each.rate,
                usd=each.usd if each.usd is not None else one.total - one.total,
                at=each.block_time or each.seen_at,
            )
            for each in came
        ),
        method=one.paid_with,
        at=one.paid_at,
        total=one.total,
        topup=one.item.kind == "topup",
    )


@route("details")
async def details(viewer: Viewer, argument: str) -> Screen:
    """The invoice without a picture: a receipt above it stays where it is."""
    screen = await render(viewer, f"invoice:{number(argument)}")
    return replace(screen, picture=None, route=f"details:{number(argument)}")


@route("slip")
async def receipt(viewer: Viewer, argument: str) -> Screen:
    one = await viewer.doors.payments.get_invoice(user_id=viewer.user.id, invoice_id=number(argument))
    if one.state != "paid" or one.paid_at is None:
        return receipts.no_receipt(one.id)
    sheet = picture.Sheet(
        shop=viewer.config.shop_name,
        number=one.id,
        at=one.paid_at,
        title=one.item.title,
        quantity=one.quantity,
        unit=str(one.item.data.get("unit", "post" if one.item.kind == "credits" else "unit")),
        unit_price=one.unit_price,
        paid=await paid_text(viewer, one),
    )
    return receipts.receipt(invoice_id=one.id, picture=Picture("receipt", picture.recipe(sheet)))


def under_way(one: InvoiceView) -> bool:
    """Whether money for it has come, or may be coming: then it is not given up by one press."""
    looked_at = one.claim is not None and one.claim.state in {"checking", "suspense"}
    return one.state == "open" and (seen(one) or one.received.minor > 0 or looked_at)


def seen(one: InvoiceView) -> bool:
    """Whether a payment is on its way that is not credited yet."""
    return one.notes[-1:] == ("seen",)


@route("icancel")
async def confirm_cancel(viewer: Viewer, argument: str) -> Screen:
    one = await viewer.doors.payments.get_invoice(user_id=viewer.user.id, invoice_id=number(argument))
    if one.state != "open":
        return await render(viewer, f"invoice:{one.id}")
    return receipts.confirm_cancel(invoice_id=one.id, title=one.item.title, seen=seen(one), received=one.received)


async def cancel_or_ask(turn: Turn, invoice_id: int) -> Screen:
    """Cancel at once, or ask first where money could be under way."""
    one = await turn.doors.payments.get_invoice(user_id=turn.user.id, invoice_id=invoice_id)
    if under_way(one):
        return await confirm_cancel(turn.viewer, str(invoice_id))
    return await _cancel(turn, invoice_id)


@on(GiveUpInvoice)
async def give_up(turn: Turn, act: GiveUpInvoice) -> Screen:
    return await _cancel(turn, act.invoice)


async def _cancel(turn: Turn, invoice_id: int) -> Screen:
    await turn.doors.payments.cancel_invoice(key=turn.key, user_id=turn.user.id, invoice_id=invoice_id)
    return await render(turn.viewer, f"invoice:{invoice_id}")

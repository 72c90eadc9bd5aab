"""Invoices: ways to pay, the payment screen, pasted hashes, the end of an invoice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from viralcore.bot import dialogue
from viralcore.bot.turn import Turn, UnknownRoute, Viewer, answer, number, on, other, photo, route
from viralcore.bot.user.goods import about
from viralcore.bot.user.invoices import cancel_or_ask, paid_text, seen
from viralcore.bot.user.start import wallet
from viralcore.bot.user.topup import missing
from viralcore.bot.user.views import invoice_row, invoice_text, naira_per_dollar, outdated
from viralcore.core.errors import DomainError
from viralcore.core.money import Money
from viralcore.core.screen import Screen
from viralcore.ledger.api import InsufficientFunds
from viralcore.payments.api import AccountView, BadHash, ClaimView, HashUsed, InvoiceView, Method, QuoteView
from viralcore.texts import bank, errors, home, invoices
from viralcore.texts.actions import CancelInvoice, IHavePaid, PayFromWallet, PayWith
from viralcore.texts.invoices import InvoiceText

WALLET, BANK = "wallet", "bank"
NETWORK_STEP = frozenset({"USDT"})
"""Coins that live on several networks: the network is always asked, even when one is offered."""


def _coin(method: Method) -> bool:
    return method.network not in ("", BANK)


async def _invoice(viewer: Viewer, argument: str) -> InvoiceView:
    return await viewer.doors.payments.get_invoice(user_id=viewer.user.id, invoice_id=number(argument))


async def _methods(viewer: Viewer) -> tuple[Method, ...]:
    return await viewer.doors.payments.methods()


@route("invoice")
async def invoice(viewer: Viewer, argument: str) -> Screen:
    one = await _invoice(viewer, argument)
    own, bonus = wallet(await viewer.doors.ledger.balances(user_id=viewer.user.id))
    if one.state != "open":
        return await _closed(viewer, one, own + bonus)
    methods = await _methods(viewer)
    return invoices.invoice(
        replace(invoice_text(one, viewer.clock.now()), about=await about(viewer, one)),
        balance=own + bonus,
        crypto=any(_coin(m) for m in methods),
        bank=next((m.code for m in methods if m.network == BANK), None),
        wallet=any(m.code == WALLET for m in methods),
    )


async def _closed(viewer: Viewer, one: InvoiceView, balance: Money) -> Screen:
    """What became of it; after a top-up also the open invoices that the wallet covers now."""
    waiting: list[tuple[int, str, Money]] = []
    if one.state == "paid" and one.item.kind == "topup":
        open_ones = await viewer.doors.payments.invoices(user_id=viewer.user.id, open_only=True)
        waiting = [invoice_row(each) for each in open_ones if each.item.kind != "topup" and each.total <= balance]
    text = replace(invoice_text(one, viewer.clock.now()), about=await about(viewer, one))
    return invoices.closed(text, await paid_text(viewer, one), waiting)


@route("crypto")
async def coins(viewer: Viewer, argument: str) -> Screen:
    one = await _invoice(viewer, argument)
    if one.state != "open":
        return await invoice(viewer, argument)
    offered: dict[str, list[str]] = {}
    for method in await _methods(viewer):
        if _coin(method):
            offered.setdefault(method.asset, []).append(method.code)
    ways = [
        (asset, codes[0] if len(codes) == 1 and asset not in NETWORK_STEP else None) for asset, codes in offered.items()
    ]
    return invoices.coins(invoice_text(one, viewer.clock.now()), ways=ways)


@route("coin")
async def networks(viewer: Viewer, argument: str) -> Screen:
    """The network step of a coin that lives on several."""
    invoice_id, _, asset = argument.partition(":")
    one = await _invoice(viewer, invoice_id)
    if one.state != "open":
        return await invoice(viewer, invoice_id)
    methods = [(m.code, m.network) for m in await _methods(viewer) if m.asset == asset and _coin(m)]
    return invoices.networks(invoice_text(one, viewer.clock.now()), asset=asset, methods=methods)


@route("pay")
async def payment(viewer: Viewer, argument: str) -> Screen:
    one = await _invoice(viewer, argument)
    if one.state != "open" or one.quote is None or outdated(one):
        return await invoice(viewer, argument)
    if one.quote.account is not None:
        return _bank(invoice_text(one, viewer.clock.now()), one.quote, one.quote.account)
    return invoices.payment(
        invoice_text(one, viewer.clock.now()),
        network=one.quote.network,
        asset=one.quote.asset,
        amount=one.quote.amount,
        address=one.quote.address,
        rate=one.quote.rate,
        seen=seen(one),
    )


def _bank(one: InvoiceText, quote: QuoteView, account: AccountView) -> Screen:
    if account.state == "asking":
        return bank.asking(one, amount=quote.amount)
    if account.state == "failed":
        return bank.failed(one, reason=account.reason, amount=quote.amount)
    if account.state == "open":
        return bank.account(
            one,
            number=account.number,
            bank=account.bank,
            amount=quote.amount,
            rate=naira_per_dollar(quote.rate),
            looking=account.looking,
        )
    return bank.by_hand(
        one,
        number=account.number,
        bank=account.bank,
        name=account.name,
        amount=quote.amount,
        reference=account.reference,
        proof=(account.proof.state, account.proof.reason) if account.proof is not None else None,
    )


@on(PayWith)
async def pay_with(turn: Turn, act: PayWith) -> Screen:
    await turn.doors.payments.choose_method(
        key=turn.key, user_id=turn.user.id, invoice_id=act.invoice, method=act.method
    )
    return await payment(turn.viewer, str(act.invoice))


@on(PayFromWallet)
async def pay_from_wallet(turn: Turn, act: PayFromWallet) -> Screen:
    try:
        await turn.doors.payments.pay_from_wallet(key=turn.key, user_id=turn.user.id, invoice_id=act.invoice)
    except InsufficientFunds as short:
        return await missing(turn, act.invoice, short)
    return await invoice(turn.viewer, str(act.invoice))


@on(IHavePaid)
async def i_have_paid(turn: Turn, act: IHavePaid) -> Screen:
    one = await _invoice(turn.viewer, str(act.invoice))
    if one.state == "paid":
        return await invoice(turn.viewer, str(act.invoice))
    if one.quote is not None and one.quote.account is not None:
        return await _paid_by_bank(turn, one, one.quote.account)
    await turn.ask(dialogue.HASH, invoice=act.invoice)
    return invoices.ask_hash(invoice_id=one.id, network=one.quote.network if one.quote else "")


async def _paid_by_bank(turn: Turn, one: InvoiceView, account: AccountView) -> Screen:
    """The bank is asked now; of the shop's own account a photo of the receipt is."""
    if account.state != "manual":
        await turn.doors.payments.look_for_transfer(key=turn.key, user_id=turn.user.id, invoice_id=one.id)
        turn.toast = bank.LOOKING
    elif account.proof is None or account.proof.state == "rejected":
        await turn.ask(dialogue.PROOF, invoice=one.id)
        return bank.ask_photo(invoice_id=one.id)
    return await payment(turn.viewer, str(one.id))


@photo(dialogue.PROOF)
async def proof_sent(turn: Turn, data: Mapping[str, Any], file_id: str) -> Screen:
    invoice_id = int(data["invoice"])
    await turn.doors.payments.submit_proof(key=turn.key, user_id=turn.user.id, invoice_id=invoice_id, file_id=file_id)
    return bank.photo_sent(invoice_id=invoice_id)


@other(dialogue.PROOF)
@answer(dialogue.PROOF)
async def proof_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen:
    await turn.ask(dialogue.PROOF, invoice=int(data["invoice"]))
    return bank.not_a_photo(invoice_id=int(data["invoice"]))


@on(CancelInvoice)
async def cancel(turn: Turn, act: CancelInvoice) -> Screen:
    return await cancel_or_ask(turn, act.invoice)


@answer(dialogue.HASH)
async def hash_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen:
    invoice_id = int(data["invoice"])
    try:
        return await paste(turn, text, invoice_id)
    except BadHash as error:
        await turn.ask(dialogue.HASH, invoice=invoice_id)
        return home.refused(errors.words(error), back=f"pay:{invoice_id}")


async def paste(turn: Turn, text: str, invoice_id: int | None = None) -> Screen:
    """Store a pasted hash and show that it is being checked; the outcome redraws the screen. Raises BadHash."""
    try:
        found = await turn.doors.payments.submit_hash(
            key=turn.key, user_id=turn.user.id, text=text, invoice_id=invoice_id
        )
    except HashUsed as error:
        back = f"invoice:{error.fields['invoice_id']}" if error.fields.get("invoice_id") else "history"
        return home.refused(errors.words(error), back=back)
    return _claim(found)


@route("claim")
async def claim(viewer: Viewer, argument: str) -> Screen:
    return _claim(await viewer.doors.payments.get_claim(user_id=viewer.user.id, claim_id=number(argument)))


def _claim(one: ClaimView) -> Screen:
    back = f"pay:{one.invoice_id}" if one.invoice_id else None
    return invoices.claim(state=one.state, reason=one.reason, tx_hash=one.hash, back=back, route=f"claim:{one.id}")


async def open_invoice_shown(turn: Turn, shown: str) -> int | None:
    """The invoice a home shows, when /cancel is typed on it."""
    name, _, argument = shown.partition(":")
    if name not in {"invoice", "pay", "crypto", "coin", "icancel"}:
        return None
    invoice_id = argument.partition(":")[0]
    try:
        one = await _invoice(turn.viewer, invoice_id)
    except (DomainError, UnknownRoute):
        return None
    # A cancelled one too: /cancel handled again after a crash must show what it has done, not that there is nothing.
    return one.id if one.state in {"open", "cancelled"} else None


async def cancel_shown(turn: Turn, invoice_id: int) -> Screen:
    return await cancel_or_ask(turn, invoice_id)

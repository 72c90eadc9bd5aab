"""Topping up the wallet, and moving affiliate money into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viralcore.bot import dialogue
from viralcore.bot.turn import Turn, UnknownRoute, Viewer, answer, number, on, render, route
from viralcore.bot.user.amounts import dollars
from viralcore.bot.user.start import wallet
from viralcore.bot.user.views import invoice_row
from viralcore.core.money import USD, Money
from viralcore.core.screen import Screen
from viralcore.ledger.api import AFFILIATE, InsufficientFunds
from viralcore.payments.api import BadAmount, TooManyInvoices
from viralcore.texts import errors, receipts
from viralcore.texts import topup as texts
from viralcore.texts.actions import AskMove, AskTopup, MoveToWallet, TopUp


@route("topup")
async def choose(viewer: Viewer, _: str) -> Screen:
    offer = viewer.doors.payments.wallet_offer()
    return texts.choose(presets=offer.presets, minimum=offer.minimum, maximum=offer.maximum)


@on(TopUp)
async def top_up_pressed(turn: Turn, act: TopUp) -> Screen:
    return await _top_up(turn, Money(act.cents, USD))


@on(AskTopup)
async def ask(turn: Turn, _: AskTopup) -> Screen:
    offer = turn.doors.payments.wallet_offer()
    await turn.ask(dialogue.TOPUP)
    return texts.ask_amount(minimum=offer.minimum, maximum=offer.maximum)


@answer(dialogue.TOPUP)
async def typed(turn: Turn, _: Mapping[str, Any], text: str) -> Screen:
    offer = turn.doors.payments.wallet_offer()
    try:
        amount = dollars(text)
        if amount is None:
            raise BadAmount(minimum=offer.minimum.minor, maximum=offer.maximum.minor)
        return await _top_up(turn, amount)
    except BadAmount as error:
        await turn.ask(dialogue.TOPUP)
        return texts.bad_amount(errors.words(error), back="topup")


async def _top_up(turn: Turn, amount: Money) -> Screen:
    """Open the invoice and show it. Raises BadAmount."""
    try:
        invoice = await turn.doors.payments.open_topup(key=turn.key, user_id=turn.user.id, amount=amount)
    except TooManyInvoices as error:
        open_ones = await turn.doors.payments.invoices(user_id=turn.user.id, open_only=True)
        return receipts.too_many(
            limit=int(error.fields["limit"]), open_invoices=[invoice_row(one) for one in open_ones], again="top up"
        )
    return await render(turn.viewer, f"invoice:{invoice.id}")


async def missing(turn: Turn, invoice_id: int, short: InsufficientFunds) -> Screen:
    """The wallet does not cover an invoice: offer to top up what is missing."""
    offer = turn.doors.payments.wallet_offer()
    one = await turn.doors.payments.get_invoice(user_id=turn.user.id, invoice_id=invoice_id)
    balance = Money(int(short.fields.get("available", 0)), USD)
    add = Money(max((one.total - balance).minor, offer.minimum.minor), USD)
    if add > offer.maximum:
        add = offer.maximum
    return texts.missing(invoice_id=invoice_id, total=one.total, balance=balance, add=add)


# --- from the affiliate balance ---------------------------------------------------------------------------------------


async def affiliate(viewer: Viewer) -> Money:
    """What can be moved."""
    found = await viewer.doors.ledger.balances(user_id=viewer.user.id)
    return Money(sum(one.available for one in found if one.account.name == AFFILIATE), USD)


@route("move")
async def move(viewer: Viewer, cents: str) -> Screen:
    """Which part of it; with an amount, the question before it is moved."""
    available = await affiliate(viewer)
    if cents:
        return _confirm(Money(number(cents), USD), available)
    parts = [
        (share, Money(available.minor * share // 100, USD)) for share in viewer.doors.payments.wallet_offer().shares
    ]
    return texts.move(available=available, shares=[(share, part) for share, part in parts if part.minor])


def _confirm(amount: Money, available: Money) -> Screen:
    """Raises UnknownRoute, InsufficientFunds."""
    if amount.minor <= 0:
        raise UnknownRoute("move:0")
    if amount > available:
        raise InsufficientFunds(account=AFFILIATE, asset=USD, available=available.minor, needed=amount.minor)
    return texts.confirm_move(amount=amount, available=available)


@on(AskMove)
async def ask_move(turn: Turn, _: AskMove) -> Screen:
    available = await affiliate(turn.viewer)
    if not available.minor:
        return await move(turn.viewer, "")
    await turn.ask(dialogue.MOVE)
    return texts.ask_move(available=available)


@answer(dialogue.MOVE)
async def move_typed(turn: Turn, _: Mapping[str, Any], text: str) -> Screen:
    available, amount = await affiliate(turn.viewer), dollars(text)
    try:
        if amount is None or not amount.minor:
            raise BadAmount(minimum=1, maximum=available.minor)
        return _confirm(amount, available)
    except (BadAmount, InsufficientFunds) as error:
        await turn.ask(dialogue.MOVE)
        return texts.bad_amount(errors.words(error), back="move")


@on(MoveToWallet)
async def move_confirmed(turn: Turn, act: MoveToWallet) -> Screen:
    moved = await turn.doors.payments.move_to_wallet(key=turn.key, user_id=turn.user.id, amount=Money(act.cents, USD))
    own, bonus = wallet(await turn.doors.ledger.balances(user_id=turn.user.id))
    return texts.moved(amount=moved, wallet=own + bonus)

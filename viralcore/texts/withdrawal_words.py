"""What all the screens of withdrawals share: the words for states, terms and ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from viralcore.core.money import USD
from viralcore.core.screen import Html, lines, markup
from viralcore.texts import wording
from viralcore.texts.withdrawal_shapes import Quote, Request

SOURCES: Mapping[str, tuple[str, str]] = {
    "affiliate": ("🤝", "affiliate balance"),
    "reply": ("💬", "reply balance"),
    "wallet": ("💰", "wallet"),
}
STATES: Mapping[str, tuple[str, str]] = {
    "pending": ("⏳", "waits for approval"),
    "approved": ("👍", "approved"),
    "processing": ("🏦", "sent to the bank"),
    "unconfirmed": ("❔", "not confirmed by the bank yet"),
    "completed": ("✅", "arrived"),
    "failed": ("⚠️", "failed, the money is back"),
    "rejected": ("✖️", "rejected, the money is back"),
    "cancelled": ("✖️", "cancelled, the money is back"),
}
FAILURES: Mapping[str, str] = {
    "account": "The bank says that this account cannot receive it. Check the account, or choose another one.",
    "declined": "The bank did not carry it out.",
    "bank": "The bank could not carry it out, although we tried several times.",
    "returned": "The receiving bank sent it back.",
    "by_hand": "Our team could not pay it.",
}
_NOW = {
    "pending": "waits for approval",
    "approved": "goes to the bank next",
    "processing": "waits for the bank",
    "unconfirmed": "the bank has not confirmed it yet",
}
_ENDS = {"completed": "arrived", "failed": "failed", "rejected": "rejected", "cancelled": "cancelled"}
SENT = frozenset({"processing", "unconfirmed", "completed", "failed"})


def source(name: str) -> str:
    """``affiliate balance``."""
    return SOURCES[name][1] if name in SOURCES else name


def source_icon(name: str) -> str:
    return SOURCES[name][0] if name in SOURCES else "💵"


def state(name: str) -> tuple[str, str]:
    """Its sign, and what it means to its owner."""
    return STATES.get(name, ("•", name))


def rate(value: Decimal) -> str:
    """``₦1,500 per dollar``."""
    return f"{wording.naira(value)} per dollar"


def worth(quote: Quote) -> Html:
    """``$25.00 (₦37,500.00)``: an amount, and in naira where it is in dollars."""
    if quote.amount.asset != USD:
        return markup("<b>{amount}</b>", amount=wording.money(quote.amount))
    return markup("<b>{amount}</b> ({gross})", amount=wording.money(quote.amount), gross=wording.money(quote.gross))


def terms(quote: Quote, *, paid: bool = False) -> Html:
    """Amount, rate, fee and net, a line each."""
    dollars = quote.amount.asset == USD
    return lines(
        markup("Amount: <b>{amount}</b>", amount=wording.money(quote.amount)),
        markup("Rate: {rate}", rate=rate(quote.rate)) if dollars else None,
        markup("In naira: {gross}", gross=wording.money(quote.gross)) if dollars else None,
        None if quote.fee is None else markup("Fee of the bank: {fee}", fee=wording.money(quote.fee)),
        None
        if quote.net is None
        else markup("{you}: <b>{net}</b>", you="You got" if paid else "You get", net=wording.money(quote.net)),
    )


def net(quote: Quote) -> str:
    return wording.money(quote.gross if quote.net is None else quote.net)


def account(one: Request) -> Html:
    """``GTBank PLC, ******1234, ADA OBI``."""
    name = f", {one.account_name}" if one.account_name else ""
    return markup("{bank}, {number}{name}", bank=one.bank_name, number=one.masked, name=name)


def stop(reason: str) -> Html:
    """Why payouts are stopped, of what was stored."""
    before, config, said = reason.partition("config: ")
    if not config or before:
        return markup("{reason}", reason=reason)
    return markup("Flutterwave does not accept our key, our address or our account. It says: <i>{said}</i>", said=said)


def later(at: datetime, after: datetime) -> str:
    """A moment beside an earlier one: the day only when it is another."""
    return f"{at:%H:%M}" if at.date() == after.date() else f"{at:%d %b, %H:%M}"


def timeline(one: Request) -> Html:
    """``asked 28 Nov 2026, 14:02 UTC · approved 14:20 · sent to the bank · arrived 14:31``."""
    steps = [f"asked {wording.moment(one.created_at)}"]
    if one.approved_at is not None:
        steps.append(f"approved {later(one.approved_at, one.created_at)}")
    if one.state in SENT and one.mode == "automatic":
        steps.append("sent to the bank")
    if one.ended_at is not None and one.state in _ENDS:
        steps.append(f"{_ENDS[one.state]} {later(one.ended_at, one.created_at)}")
    elif one.state == "approved" and one.mode == "manual":
        steps.append("our team pays it by hand")
    elif one.again is not None:
        steps.append("waits for you: the terms have changed")
    else:
        steps.append(_NOW.get(one.state, ""))
    return markup("{steps}", steps=" · ".join(step for step in steps if step))


def outcome(one: Request) -> Html:
    """What the state means for the person and their money, in a sentence or two."""
    money, where = wording.money(one.quote.amount), source(one.quote.source)
    back = markup("<b>{money}</b> is back in your {where}.", money=money, where=where)
    if one.state == "pending":
        return Html("Somebody in our team looks at it. Until then you can cancel it.")
    if one.state == "approved":
        by_hand = one.mode == "manual"
        return Html("It is approved. Our team pays it by hand." if by_hand else "It is approved and will be sent.")
    if one.state == "processing":
        return Html("The bank has it. It has arrived only when the bank says so; we tell you then.")
    if one.state == "unconfirmed":
        return markup(
            "We sent it, and the bank's answer was lost on the way. It may have arrived already, so we do not send it "
            "again: we ask the bank until we know. Your {money} stays reserved. Either it arrives, or it comes back to "
            "your {where}. You need not do anything.",
            money=money,
            where=where,
        )
    if one.state == "completed":
        return markup("{net} was paid to {account}.", net=net(one.quote), account=account(one))
    if one.state == "failed":
        return markup("{why} {back}", why=FAILURES.get(one.reason, FAILURES["declined"]), back=back)
    if one.state == "rejected":
        return markup("Our team wrote: <i>{reason}</i>\n{back}", reason=one.reason, back=back)
    if one.reason == "expired":
        return markup("Its new terms were not confirmed in time, so it was cancelled. {back}", back=back)
    return back

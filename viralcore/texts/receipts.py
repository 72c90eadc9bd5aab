"""Invoices looked back at: the list of all, how one was paid, its receipt; and the question before giving one up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from viralcore.core.money import NGN, USD, Money
from viralcore.core.screen import Button, Html, Picture, Screen, lines, markup
from viralcore.texts import buttons, hashes, wording
from viralcore.texts.actions import CancelInvoice, GiveUpInvoice, Go

STATES = {"open": "⏳ open", "paid": "✅ paid", "expired": "⌛ expired", "cancelled": "✖️ cancelled"}
FILTERS = (("", "All"), ("open", "Open"), ("paid", "Paid"), ("closed", "Closed"))
SHOWN_PARTS = 4
"""Transfers that are told one by one; a longer story is summed up."""
WALLET, BANK = "wallet", "bank"


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """A line of the list. `received`: for a top-up, what really came. `refunded`: what went back of it."""

    id: int
    title: str
    total: Money
    state: str
    at: datetime
    topup: bool = False
    received: Money | None = None
    refunded: Money | None = None

    @property
    def worth(self) -> Money:
        """What it was about: what a top-up brought, once it is paid."""
        return self.received if self.topup and self.state == "paid" and self.received is not None else self.total


@dataclass(frozen=True, slots=True)
class PartText:
    """One transfer that was credited. `amount`: whole coins; `rate`: USD for one; `hash`: as an explorer knows it."""

    network: str
    asset: str
    amount: str
    hash: str
    rate: Decimal
    usd: Money
    at: datetime


@dataclass(frozen=True, slots=True)
class PaidText:
    """How an invoice was paid. `method`: what paid it in the end, ``wallet`` or a coin's; None while it is not paid."""

    parts: tuple[PartText, ...]
    method: str | None
    at: datetime | None
    total: Money
    topup: bool

    @property
    def received(self) -> Money:
        return sum((part.usd for part in self.parts), Money(0, USD))

    @property
    def to_wallet(self) -> Money:
        """What of the money received stayed in the wallet: all that the invoice did not take."""
        if self.method is None or self.method == WALLET or self.topup:
            return self.received
        return max(self.received - self.total, Money(0, USD), key=lambda money: money.minor)

    @property
    def forgiven(self) -> Money:
        """What was missing and let pass."""
        if self.method is None or self.method == WALLET or self.topup:
            return Money(0, USD)
        return max(self.total - self.received, Money(0, USD), key=lambda money: money.minor)


def row(one: InvoiceRow) -> Html:
    """``#12 X Tier 3, $15.00, ✅ paid``."""
    return markup(
        "#{id} {title}, {total}, {state}{back}",
        id=one.id,
        title=one.title[:60],
        total=wording.money(one.worth),
        state=STATES[one.state],
        back=f", ↩️ {wording.money(one.refunded)} refunded" if one.refunded is not None else "",
    )


def invoice_list(rows_of: Sequence[InvoiceRow], *, shown: str, older: str | None) -> Screen:
    """`shown`: the filter in force, one of `FILTERS`."""
    names = dict(FILTERS)
    title = "Invoices" if not shown else f"{names[shown]} invoices"
    parts = [markup("🧾 <b>{title}</b>\n", title=title)]
    parts += [markup("{at} · {row}", at=f"{one.at:%d %b}", row=row(one)) for one in rows_of]
    if not rows_of:
        parts.append(
            Html("There are none." if shown else "There are none yet. Each purchase and each top-up makes one.")
        )
    ways = [Button(f"🧾 #{one.id}", Go(f"invoice:{one.id}")) for one in rows_of]
    rows = [tuple(ways[i : i + 3]) for i in range(0, len(ways), 3)]
    filters = tuple(
        Button(f"• {name}" if key == shown else name, Go(f"invoices:{key}" if key else "invoices"))
        for key, name in FILTERS
    )
    if older:
        rows.append((Button("⏬ Older", Go(older)),))
    route = f"invoices:{shown}" if shown else "invoices"
    return Screen(lines(*parts), (*rows, filters, wording.back_home("history")), route=route)


def rate(asset: str, usd: Decimal) -> str:
    """``1 BNB = $601.20``; of naira the other way round, ``₦1,600 per dollar``."""
    if asset == NGN and usd > 0:
        naira = (1 / usd).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
        return f"{wording.naira(naira)} per dollar"
    return f"1 {asset} = {wording.price(usd.quantize(Decimal('0.0001'), rounding=ROUND_HALF_UP))}"


def how(paid: PaidText) -> Html | None:
    """How an invoice was paid, transfer by transfer; None when nothing came and nothing was paid."""
    told = [_part(part) for part in paid.parts[-SHOWN_PARTS:]]
    if len(paid.parts) > SHOWN_PARTS:
        told.insert(0, Html(wording.count(len(paid.parts) - SHOWN_PARTS, "earlier transfer")))
    went = _where_it_went(paid)
    if went is not None:
        told.append(went)
    if paid.method == WALLET and paid.at is not None:
        told.append(
            markup("💰 {total} from your wallet, {at}", total=wording.money(paid.total), at=wording.moment(paid.at))
        )
    if not told:
        return None
    head = Html("<b>How it was paid</b>" if paid.method is not None else "<b>What arrived</b>")
    return lines(head, *told)


def _part(part: PartText) -> Html:
    return markup(
        "💳 {coins}, worth {usd}\n{at} · {rate}\n<code>{hash}</code>",
        coins=wording.coins(part.amount, part.asset, part.network),
        usd=wording.money(part.usd),
        at=wording.moment(part.at),
        rate=rate(part.asset, part.rate),
        hash=hashes.short(part.hash),
    )


def _where_it_went(paid: PaidText) -> Html | None:
    if paid.topup or not paid.parts:
        return None  # said already: it is in the wallet
    if paid.forgiven.minor:
        return markup("{money} was missing, which is fine with us.", money=wording.money(paid.forgiven))
    if paid.to_wallet == paid.received:
        return Html("All of it went to your wallet.") if paid.received.minor else None
    if paid.to_wallet.minor:
        return markup("{money} of it went to your wallet.", money=wording.money(paid.to_wallet))
    return None


def ways_on(invoice_id: int, paid: PaidText) -> tuple[tuple[Button, ...], ...]:
    """Under a paid invoice: its hashes to copy, its receipt."""
    shown = paid.parts[-SHOWN_PARTS:]
    copies = tuple(
        Button(
            f"📋 Copy {'transfer id' if part.network == BANK else 'hash'}{f' {number}' if len(shown) > 1 else ''}",
            copy=part.hash,
        )
        for number, part in enumerate(shown, 1)
        if part.hash and len(part.hash) <= 256
    )
    pairs = [copies[i : i + 2] for i in range(0, len(copies), 2)]
    return (*pairs, (Button("🧾 Receipt", Go(f"slip:{invoice_id}")),))


def receipt(*, invoice_id: int, picture: Picture) -> Screen:
    """The receipt as a picture to keep. Back leads to a screen without one, so that this one stays in the chat."""
    text = markup("🧾 Receipt for invoice #{id}. It stays here: save it or forward it.", id=invoice_id)
    return Screen(text, (wording.back_home(f"details:{invoice_id}"),), picture=picture, route=f"slip:{invoice_id}")


def no_receipt(invoice_id: int) -> Screen:
    return Screen(
        markup("There is no receipt for invoice #{id}: it is not paid.", id=invoice_id),
        ((buttons.invoice(invoice_id),), wording.back_home("invoices")),
    )


def confirm_cancel(*, invoice_id: int, title: str, seen: bool, received: Money) -> Screen:
    """Before an invoice is given up for which money has come or may be coming."""
    if received.minor > 0:
        why = markup("{money} has arrived for it and stays in your wallet.", money=wording.money(received))
    elif seen:
        why = Html("We see a payment for it that becomes final in a moment.")
    else:
        why = Html("A hash you sent for it is still being looked at.")
    text = lines(
        markup("✖️ Cancel invoice #{id} ({title})?\n", id=invoice_id, title=title),
        why,
        Html("What still arrives after you cancel goes to your wallet and does not pay this invoice."),
    )
    rows = (
        (Button("✅ Confirm", GiveUpInvoice(invoice_id)), Button("✖️ Cancel", Go(f"invoice:{invoice_id}"))),
        wording.back_home(f"invoice:{invoice_id}"),
    )
    return Screen(text, rows, route=f"icancel:{invoice_id}")


def too_many(*, limit: int, open_invoices: Sequence[tuple[int, str, Money]], again: str) -> Screen:
    """Too many open: the person chooses which one goes. `again`: what to do then, "buy" or "top up"."""
    text = lines(
        markup(
            "You already have {n}. Pay or cancel one, then {again} again:",
            n=wording.count(limit, "unpaid invoice"),
            again=again,
        ),
        *(markup("#{id} {title}, {total}", id=i, title=t, total=wording.money(m)) for i, t, m in open_invoices),
    )
    rows = [
        (Button(f"🧾 #{i}", Go(f"invoice:{i}")), Button(f"✖️ Cancel #{i}", CancelInvoice(i)))
        for i, _, _ in open_invoices
    ]
    return Screen(text, (*rows, wording.back_home("menu")))

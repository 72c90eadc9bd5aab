"""Payments for staff: stray money and whose it is, what came in, invoices and what goes back of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from viralcore.core.money import Money
from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import hashes, wording
from viralcore.texts.actions import AskAssign, AskInvoice, AssignTo, ConfirmAssign, Go
from viralcore.texts.cards import PersonText, person
from viralcore.texts.finance_words import LONGEST_REASON, SoldText, short, sold_line

FILTERS = {"all": "All", "suspense": "Stray", "late": "Late", "excess": "Too much"}
OUTCOMES = {
    "exact": "exact",
    "tolerated": "a little short, tolerated",
    "shortfall": "too little",
    "excess": "too much",
    "late": "late",
    "assigned": "assigned to a wallet",
    "stray": "nobody's yet",
}


@dataclass(frozen=True, slots=True)
class ReceiptText:
    """Money that came. `usd` None or zero: not worth a cent when it was booked. `owner`: whose it is; `by`: who in
    finance decided it."""

    id: int
    network: str
    asset: str
    amount: Decimal
    usd: Money | None
    hash: str
    stray: bool
    outcome: str
    seen_at: datetime
    pasted_by: tuple[PersonText, ...]
    owner: PersonText | None = None
    invoice: int | None = None
    by: PersonText | None = None
    credited_at: datetime | None = None


def menu(*, stray: int) -> Screen:
    text = markup(
        "💵 <b>Payments</b>\n\n❗ Stray receipts, money that nobody's invoice explains: <b>{n}</b>", n=f"{stray:,}"
    )
    rows = (
        (Button(f"❗ Stray money ({stray:,})", Go("strays")),),
        (Button("📋 All payments", Go("receipts:all")), Button("🧾 Find an invoice", AskInvoice())),
        wording.back_home("admin"),
    )
    return Screen(text, rows, route="money")


def strays(rows_of: Sequence[ReceiptText], *, newer: int | None, first: bool) -> Screen:
    """Oldest first. `newer`: the receipt the next page begins after."""
    if not rows_of:
        text = "❗ <b>Stray money</b>\n\n" + (
            "Nothing waits. All money has an owner." if first else "There is no more."
        )
        return Screen(Html(text), (wording.back_home("money"),), route="strays")
    text = lines(
        Html("❗ <b>Stray money</b>, oldest first\n"),
        *(_row(one) for one in rows_of),
    )
    rows = [
        (
            Button(f"#{one.id} · {_worth(one)}", Go(f"receipt:{one.id}")),
            Button(f"📋 Copy {_id_of(one)} of #{one.id}", copy=one.hash),
        )
        for one in rows_of
    ]
    more = [(Button("⏫ Newer", Go(f"strays:{newer}")),)] if newer is not None else []
    return Screen(text, (*rows, *more, wording.back_home("money")), route="strays")


def receipts(rows_of: Sequence[ReceiptText], *, which: str, older: int | None) -> Screen:
    """Newest first, of one filter."""
    told = [_row(one) for one in rows_of]
    text = lines(
        markup("📋 <b>Payments: {which}</b>, newest first\n", which=FILTERS[which].lower()),
        *told,
        None if told else Html("Nothing here."),
    )
    filters = tuple(
        Button(f"• {name}" if code == which else name, Go(f"receipts:{code}")) for code, name in FILTERS.items()
    )
    opens = [Button(f"#{one.id} · {_worth(one)}", Go(f"receipt:{one.id}")) for one in rows_of]
    rows = [tuple(opens[i : i + 3]) for i in range(0, len(opens), 3)]
    more = [(Button("⏬ Older", Go(f"receipts:{which}:{older}")),)] if older is not None else []
    return Screen(text, (filters, *rows, *more, wording.back_home("money")), route=f"receipts:{which}")


def receipt(one: ReceiptText, *, near: Sequence[tuple[SoldText, Decimal]] = ()) -> Screen:
    """`near`: invoices that asked for about this amount, with what they asked for, nearest first."""
    head = "❗ <b>Receipt #{id}: nobody's yet</b>" if one.stray else "💵 <b>Receipt #{id}</b>"
    facts = [
        markup(head, id=one.id),
        markup(
            "{coins}, worth <b>{usd}</b>{when}",
            coins=_coins(one),
            usd=_worth(one),
            when=" when it came" if one.stray else "",
        ),
        markup("Seen {at}", at=wording.moment(one.seen_at)),
        markup("<code>{hash}</code>", hash=one.hash),
        *([markup("Pasted by {people}", people=_people(one.pasted_by))] if one.pasted_by else _unpasted(one)),
    ]
    copy = (Button(f"📋 Copy {_id_of(one)}", copy=one.hash),)
    if not one.stray:
        return Screen(
            lines(*facts, Html(""), *_became(one)),
            (copy, *_open_invoice(one), wording.back_home("receipts:all")),
            route=f"receipt:{one.id}",
        )
    if one.usd is None or not one.usd.minor:
        facts.append(Html("\nIt is worth less than a cent, the least we can credit: there is nothing to assign."))
        return Screen(lines(*facts), (copy, wording.back_home("strays")), route=f"receipt:{one.id}")
    facts.append(
        Html(
            "\n<b>Invoices that asked for about this amount</b>"
            if near
            else "\nNo invoice asked for about this amount."
        )
    )
    facts += [
        markup("• {sold}; it asked for {n} {asset}", sold=sold_line(sold), n=f"{n:f}", asset=one.asset)
        for sold, n in near
    ]
    facts.append(Html("\nWhose is it? It is credited at the price of the moment you confirm."))
    choices = [Button(f"🧾 #{sold.id} · {short(sold.owner)}", AssignTo(one.id, "i", sold.id)) for sold, _ in near]
    choices += [Button(f"👛 Wallet of {short(who)}", AssignTo(one.id, "u", who.id)) for who in one.pasted_by[:4]]
    rows = (
        *(tuple(choices[i : i + 2]) for i in range(0, len(choices), 2)),
        (Button("🧾 An invoice…", AskAssign(one.id, "i")), Button("👛 A wallet…", AskAssign(one.id, "u"))),
        copy,
        (Button("🕓 Leave it", Go("strays")),),
        wording.back_home("strays"),
    )
    return Screen(lines(*facts), rows, route=f"receipt:{one.id}")


def ask_target(*, receipt: int, kind: str, problem: Html | None = None) -> Screen:
    """`kind`: i (an invoice) | u (a person). `problem`: what was wrong with the last answer."""
    question = (
        "For which invoice is receipt #{id}? Send its number."
        if kind == "i"
        else "Whose is receipt #{id}? Send the person's id or @name."
    )
    text = lines(problem, markup(question + " /cancel to stop.", id=receipt))
    return Screen(text, (wording.back_home(f"receipt:{receipt}"),))


def no_person(typed: str) -> Html:
    return markup("Nobody called {typed} has met the bot.\n", typed=typed[:40])


def ask_assign_reason(one: ReceiptText, *, sold: SoldText | None, who: PersonText) -> Screen:
    """`sold` None: to the wallet of `who`."""
    text = lines(
        markup("Receipt #{id}: {coins}, {usd}", id=one.id, coins=_coins(one), usd=_worth(one)),
        _target(sold, who),
        Html("\nWhy? Send the reason; it is kept in the audit log. /cancel to stop."),
    )
    return Screen(text, (wording.back_home(f"receipt:{one.id}"),))


def confirm_assign(one: ReceiptText, *, sold: SoldText | None, who: PersonText, reason: str) -> Screen:
    text = lines(
        markup("❓ <b>Assign receipt #{id}?</b>", id=one.id),
        markup("{coins}, worth {usd} when it came", coins=_coins(one), usd=_worth(one)),
        _target(sold, who),
        markup("Reason: <i>{reason}</i>", reason=reason[:LONGEST_REASON]),
        Html(
            "\nIt is credited at once, at the price of this moment, and the person is told. This cannot be taken back."
        ),
    )
    target = f"i{sold.id}" if sold else f"u{who.id}"
    rows = (
        (Button("✅ Confirm", ConfirmAssign(one.id, target)), Button("✖️ Cancel", Go(f"receipt:{one.id}"))),
        wording.back_home(f"receipt:{one.id}"),
    )
    return Screen(text, rows)


# --- words -----------------------------------------------------------------------------------------------------------


def _id_of(one: ReceiptText) -> str:
    """What a transfer is known by: a bank's has no hash."""
    return "transfer id" if one.network == wording.BANK else "hash"


def _unpasted(one: ReceiptText) -> list[Html]:
    return [] if one.network == wording.BANK else [Html("Nobody pasted its hash.")]


def _row(one: ReceiptText) -> Html:
    who = short(one.owner) if one.owner else ", ".join(short(each) for each in one.pasted_by[:2])
    return markup(
        "{mark} <b>#{id}</b> {coins}, {usd}\n{at} · {hash}{who}",
        mark="❗" if one.stray else "✅",
        id=one.id,
        coins=_coins(one),
        usd=_worth(one),
        at=f"{one.seen_at:%d %b %H:%M} UTC",
        hash=hashes.short(one.hash),
        who=f" · {who}" if who and not one.stray else f" · pasted by {who}" if who else "",
    )


def _became(one: ReceiptText) -> list[Html | None]:
    whose = person(one.owner) if one.owner else Html("somebody")
    where = f"for invoice #{one.invoice}" if one.invoice else "to the wallet"
    return [
        markup(
            "✅ Credited {where} of {who}: {word}.", where=where, who=whose, word=OUTCOMES.get(one.outcome, one.outcome)
        )
        if one.invoice
        else markup("✅ Credited {where} of {who}.", where=where, who=whose),
        markup("Assigned by {by}, {at}", by=person(one.by), at=wording.moment(one.credited_at))
        if one.by and one.credited_at
        else None,
    ]


def _open_invoice(one: ReceiptText) -> tuple[tuple[Button, ...], ...]:
    return ((Button(f"🧾 Invoice #{one.invoice}", Go(f"inv:{one.invoice}")),),) if one.invoice else ()


def _target(sold: SoldText | None, who: PersonText) -> Html:
    if sold is None:
        return markup("To the wallet of {who}", who=person(who))
    note = {
        "paid": "\nIt is paid already: all of the money goes to their wallet.",
        "cancelled": "\nIt was cancelled: all of the money goes to their wallet.",
        "expired": "\nIt has expired: it is paid if the money covers it now, else all goes to their wallet.",
    }.get(sold.state, "")
    return markup("To {sold}{note}", sold=sold_line(sold), note=note)


def _coins(one: ReceiptText) -> str:
    return wording.coins(f"{one.amount:f}", one.asset, one.network)


def _worth(one: ReceiptText) -> str:
    return wording.money(one.usd) if one.usd is not None and one.usd.minor else "under a cent"


def _people(people: Sequence[PersonText]) -> Html:
    told = Html(", ").join([person(one) for one in people[:5]])
    return Html(told + (f" and {len(people) - 5} more" if len(people) > 5 else ""))

"""Payments for staff: stray money and whose it is, what came in, invoices and what goes back of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from viralcore.core.money import Money
from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import hashes, wording
from viralcore.texts.actions import AskAssign, AskInvoice, AskRefund, AssignTo, ConfirmAssign, ConfirmRefund, Go
from viralcore.texts.cards import PersonText, person

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
STATES = {"open": "open", "paid": "paid", "expired": "expired", "cancelled": "cancelled"}
PROBLEMS = {
    "unpaid": "It is not paid, so there is nothing to give back. What came for it is in the wallet.",
    "topup": "It was a top-up: its money is in the wallet already.",
    "bundle": "It sold posts of several plans at once; such an invoice is settled by hand.",
    "nothing": "All that was paid has been given back.",
    "used": "Every post that was bought with it is in use, so nothing can be given back now.",
}
_LONGEST_NAME = 24
_LONGEST_REASON = 300


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


@dataclass(frozen=True, slots=True)
class SoldText:
    """An invoice as staff see it. `paid_with`: a method's code."""

    id: int
    owner: PersonText
    title: str
    quantity: int
    unit: str
    total: Money
    state: str


@dataclass(frozen=True, slots=True)
class RefundText:
    """A refund that was made."""

    amount: Money
    at: datetime
    by: PersonText
    reason: str


@dataclass(frozen=True, slots=True)
class RefundableText:
    """What of an invoice can go back. `credits` bought, of which `unused` can be taken back; `problem`: a machine word,
    empty when something can be given back."""

    paid: Money
    bonus: Money
    most: Money
    left: Money
    problem: str
    credits: int
    unused: int
    refunds: tuple[RefundText, ...]


@dataclass(frozen=True, slots=True)
class PlanText:
    """What a refund would do. `left`: of what was paid, not given back before it."""

    amount: Money
    to_wallet: Money
    to_bonus: Money
    credits: int
    refunded: Money
    left: Money


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
            Button(f"📋 Copy hash of #{one.id}", copy=one.hash),
        )
        for one in rows_of
    ]
    more = [(Button("⏬ More", Go(f"strays:{newer}")),)] if newer is not None else []
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
        markup("Pasted by {people}", people=_people(one.pasted_by))
        if one.pasted_by
        else Html("Nobody pasted its hash."),
    ]
    copy = (Button("📋 Copy hash", copy=one.hash),)
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
        markup("{sold}\nasked for {n} {asset}", sold=_sold(sold), n=f"{n:f}", asset=one.asset) for sold, n in near
    ]
    facts.append(Html("\nWhose is it? It is credited at the rate of the moment you confirm."))
    choices = [Button(f"🧾 #{sold.id} · {_short(sold.owner)}", AssignTo(one.id, "i", sold.id)) for sold, _ in near]
    choices += [Button(f"👛 Wallet of {_short(who)}", AssignTo(one.id, "u", who.id)) for who in one.pasted_by[:4]]
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


def no_invoice(typed: str) -> Html:
    return markup("There is no invoice {typed}.\n", typed=typed[:20])


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
        markup("Reason: <i>{reason}</i>", reason=reason[:_LONGEST_REASON]),
        Html("\nIt is credited at once, at the rate of now, and they are told. This cannot be taken back."),
    )
    target = f"i{sold.id}" if sold else f"u{who.id}"
    rows = (
        (Button("✅ Confirm", ConfirmAssign(one.id, target)), Button("✖️ Cancel", Go(f"receipt:{one.id}"))),
        wording.back_home(f"receipt:{one.id}"),
    )
    return Screen(text, rows)


def ask_invoice(problem: Html | None = None) -> Screen:
    text = lines(problem, Html("Which invoice? Send its number. /cancel to stop."))
    return Screen(text, (wording.back_home("money"),))


def invoice(
    sold: SoldText,
    back: RefundableText,
    *,
    paid_at: datetime | None,
    paid_with: str,
    came: Sequence[tuple[int, str, str, Decimal, Money]],
) -> Screen:
    """`came`: receipt, network, asset, whole coins, worth."""
    how = "the wallet" if paid_with == "wallet" else _method(paid_with)
    text = lines(
        markup("🧾 <b>Invoice #{id}</b> · {state}", id=sold.id, state=STATES[sold.state]),
        markup("{who}", who=person(sold.owner)),
        markup("{what}, {total}", what=_what(sold), total=wording.money(sold.total)),
        markup("Paid with {how}, {at}", how=how, at=wording.moment(paid_at)) if paid_at else None,
        markup("Of that bonus money: {bonus}", bonus=wording.money(back.bonus)) if back.bonus.minor else None,
        *(
            markup(
                "Receipt #{id}: {coins}, {usd}", id=i, coins=wording.coins(f"{n:f}", asset, net), usd=wording.money(usd)
            )
            for i, net, asset, n, usd in came
        ),
        markup("Posts of it that are unused: {n} of {all}", n=f"{back.unused:,}", all=f"{back.credits:,}")
        if back.credits and paid_at
        else None,
        *_refunds(back),
        markup("\n{words}", words=_refundable(back)),
    )
    rows: list[tuple[Button, ...]] = [
        tuple(Button(f"💵 Receipt #{i}", Go(f"receipt:{i}")) for i, *_ in came[:3]),
    ]
    if not back.problem:
        rows.append(
            (
                Button("↩️ Refund in full", AskRefund(sold.id, "full")),
                Button("✂️ Refund a part", AskRefund(sold.id, "part")),
            )
        )
    rows.append(wording.back_home("money"))
    return Screen(text, tuple(row for row in rows if row), route=f"inv:{sold.id}")


def ask_refund_amount(*, invoice: int, most: Money, problem: Html | None = None) -> Screen:
    text = lines(
        problem,
        markup(
            "How much of invoice #{id} goes back? Send dollars, like <code>2.50</code>; at most {most}. "
            "/cancel to stop.",
            id=invoice,
            most=wording.money(most),
        ),
    )
    return Screen(text, (wording.back_home(f"inv:{invoice}"),))


def not_an_amount() -> Html:
    return Html("That is not an amount in dollars and cents.\n")


def ask_refund_reason(sold: SoldText, plan: PlanText) -> Screen:
    text = lines(
        *_going_back(sold, plan),
        Html("\nWhy? Send the reason; it is kept in the audit log. /cancel to stop."),
    )
    return Screen(text, (wording.back_home(f"inv:{sold.id}"),))


def confirm_refund(sold: SoldText, plan: PlanText, *, reason: str) -> Screen:
    text = lines(
        markup("❓ <b>Give {money} back?</b>", money=wording.money(plan.amount)),
        *_going_back(sold, plan),
        markup("Reason: <i>{reason}</i>", reason=reason[:_LONGEST_REASON]),
        Html("\nThe money goes back at once, and they are told. This cannot be taken back."),
    )
    confirm = ConfirmRefund(sold.id, plan.amount.minor, plan.refunded.minor)
    rows = (
        (Button("✅ Confirm", confirm), Button("✖️ Cancel", Go(f"inv:{sold.id}"))),
        wording.back_home(f"inv:{sold.id}"),
    )
    return Screen(text, rows)


# --- words -----------------------------------------------------------------------------------------------------------


def _row(one: ReceiptText) -> Html:
    who = _short(one.owner) if one.owner else ", ".join(_short(each) for each in one.pasted_by[:2])
    return markup(
        "{mark} <b>#{id}</b> {coins}, {usd}\n{at} · {hash}{who}",
        mark="❗" if one.stray else "✅",
        id=one.id,
        coins=_coins(one),
        usd=_worth(one),
        at=f"{one.seen_at:%d %b %H:%M}",
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
    return markup("To {sold}{note}", sold=_sold(sold), note=note)


def _sold(sold: SoldText) -> Html:
    return markup(
        "invoice #{id} of {who}: {what}, {total}, {state}",
        id=sold.id,
        who=person(sold.owner),
        what=_what(sold),
        total=wording.money(sold.total),
        state=STATES[sold.state],
    )


def _refunds(back: RefundableText) -> list[Html]:
    return [
        markup(
            "↩️ {amount} given back {at} by {by}: <i>{reason}</i>",
            amount=wording.money(one.amount),
            at=wording.moment(one.at),
            by=_short(one.by),
            reason=one.reason[:100],
        )
        for one in back.refunds[-10:]
    ]


def _refundable(back: RefundableText) -> str:
    if back.problem:
        return PROBLEMS[back.problem]
    most = wording.money(back.most)
    if back.most < back.left:
        rest = wording.money(back.left - back.most)
        return f"Can be refunded now: {most}. The other {rest} paid for posts that are in use."
    return f"Can be refunded: {most}."


def _going_back(sold: SoldText, plan: PlanText) -> list[Html | None]:
    after = plan.left - plan.amount
    return [
        markup("From {sold}", sold=_sold(sold)),
        markup("To the wallet: <b>{money}</b>", money=wording.money(plan.to_wallet)) if plan.to_wallet.minor else None,
        markup("To bonus money: <b>{money}</b>", money=wording.money(plan.to_bonus)) if plan.to_bonus.minor else None,
        markup("Taken back: {posts}", posts=wording.count(plan.credits, "unused post")) if plan.credits else None,
        markup("Not given back: {money} of what was paid.", money=wording.money(after)) if after.minor else None,
    ]


def _what(sold: SoldText) -> str:
    return f"{sold.title}, {wording.count(sold.quantity, sold.unit)}"


def _method(code: str) -> str:
    network, _, asset = code.partition(":")
    return f"{asset} on {wording.network(network)}" if asset else code


def _coins(one: ReceiptText) -> str:
    return wording.coins(f"{one.amount:f}", one.asset, one.network)


def _worth(one: ReceiptText) -> str:
    return wording.money(one.usd) if one.usd is not None and one.usd.minor else "under a cent"


def _people(people: Sequence[PersonText]) -> Html:
    told = Html(", ").join([person(one) for one in people[:5]])
    return Html(told + (f" and {len(people) - 5} more" if len(people) > 5 else ""))


def _short(who: PersonText) -> str:
    return f"@{who.handle}" if who.handle else who.name[:_LONGEST_NAME] or str(who.id)

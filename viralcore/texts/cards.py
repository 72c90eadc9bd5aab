"""What the admin group reads: money, orders, trouble, and the card of a panel send that nobody knows the outcome of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from viralcore.core.money import NGN, Money
from viralcore.core.screen import Button, Html, Picture, Screen, lines, markup
from viralcore.texts import buttons, hints, panels, wording
from viralcore.texts.actions import ApproveProof, Go, PhaseNotPlaced, PhasePlaced, RejectProof
from viralcore.texts.hints import HintText
from viralcore.texts.notices import DepositText, SaleText
from viralcore.texts.order_text import STATES, OrderLineText, OrderText

_PRICE = {
    "diverged": "the two price sources are too far apart",
    "stale": "there is no fresh price",
    "depegged": "it is too far from one dollar",
}
_STRAY = {
    "unknown_reference": "We have asked for no payment under that name.",
    "currency": "It is not in naira, so it is counted as worth nothing until finance says otherwise.",
    "too_old": "It is older than the account we asked for under that name.",
}
_BANK = {
    "config": "It does not accept what we are set up with: its key, or our account there. Buyers cannot pay by bank "
    "transfer until that is put right.\nIt said: <i>{detail}</i>",
    "refused": "It refused to give a buyer an account.\nIt said: <i>{detail}</i>",
    "unconfirmed": "It told us of a payment that it does not confirm when asked, for days. Look for it there: "
    "<code>{detail}</code>",
}
_TROUBLE = {
    "low_balance": "The balance is low: <b>{detail}</b>. Top it up, or orders move to the next panel.",
    "not_enough_funds": "It refused an order: not enough funds. Orders go to the next panel until it is topped up.\n"
    "It said: <i>{detail}</i>",
    "config": "It does not accept what we are set up with (its key, or a service). Check its key, and its "
    "services under Panels in the Admin Panel.\n"
    "It said: <i>{detail}</i>",
    "refused": "It refused an order; the next panel was asked.\nIt said: <i>{detail}</i>",
    "strange_status": "It answered a status question with something we do not know. We will ask again. Please check "
    "the order at the panel.\nIt said: <i>{detail}</i>",
    "runway": "At what we spend there, what is left lasts for <b>{detail}</b>. Top it up, or orders move to the next "
    "panel.",
    "corrected": "It took back that it had completed an order. What was not delivered is ordered again or paid back; "
    "please check it at the panel.\nIt said: <i>{detail}</i>",
    "services": "Its list has changed. These services are not used until an owner accepts them, under Panels in the "
    "Admin Panel: <b>{detail}</b>",
}


@dataclass(frozen=True, slots=True)
class PersonText:
    """A person as staff know them."""

    id: int
    name: str
    handle: str | None


@dataclass(frozen=True, slots=True)
class ProofText:
    """A photographed bank receipt. `state`: waiting | approved | rejected."""

    id: int
    amount: Decimal
    usd: Money
    file_id: str
    state: str
    reason: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class PhaseCardText:
    """A send without an answer. `state`: of the phase now."""

    phase_id: int
    order_id: int
    panel: str
    service: str
    link: str
    what: str
    sent_at: datetime
    state: str
    attempt: int = 0
    hint: HintText | None = None


def person(one: PersonText) -> Html:
    """Name, handle and id: the id is what staff commands take."""
    handle = f"@{one.handle}, " if one.handle else ""
    return markup("{name} ({handle}<code>{id}</code>)", name=one.name, handle=handle, id=one.id)


def deposit(money: DepositText, sale: SaleText, who: PersonText) -> Screen:
    verdict = {
        "exact": "exact",
        "tolerated": "a little short, tolerated",
        "shortfall": "too little",
        "excess": "too much",
        "late": "late",
    }
    text = lines(
        Html("💵 <b>Payment received</b>"),
        markup(
            "{coins}, {usd} ({verdict})",
            coins=wording.coins(money.amount, money.asset, money.network),
            usd=wording.money(money.usd),
            verdict=verdict.get(money.outcome, money.outcome),
        ),
        _sale(sale, "paid" if money.pays else sale.state),
        markup("To the wallet: {money}", money=wording.money(money.to_wallet)) if money.to_wallet.minor else None,
        markup("From {who}", who=person(who)),
    )
    return Screen(text)


def paid_from_wallet(sale: SaleText, who: PersonText) -> Screen:
    text = lines(
        Html("🧾 <b>Invoice paid from the wallet</b>"), _sale(sale, "paid"), markup("By {who}", who=person(who))
    )
    return Screen(text)


@dataclass(frozen=True, slots=True)
class StrayEnd:
    """Whose stray money is now. `by` None: its hash explained it."""

    owner: PersonText
    invoice: int | None
    by: PersonText | None
    at: datetime


def stray(
    *,
    receipt_id: int,
    network: str,
    asset: str,
    amount: str,
    tx_hash: str,
    who: PersonText | None,
    bot_username: str = "",
    end: StrayEnd | None = None,
    reference: str = "",
    reason: str = "",
) -> Screen:
    """Money in suspense, and later what became of it. `bot_username`: whose private chat the button opens."""
    if end is not None:
        return Screen(
            lines(
                Html("☑️ <b>Money that nobody's invoice explained</b>"),
                markup("{coins}", coins=wording.coins(amount, asset, network)),
                markup("<code>{hash}</code>", hash=tx_hash),
                markup("\n{told}", told=_stray_end(end)),
            )
        )
    rows = (
        ((Button("💵 Open", url=wording.start_link(bot_username, f"receipt_{receipt_id}")),),) if bot_username else ()
    )
    waits = markup(
        "\nIt is in suspense as receipt #{id} until finance assigns it: Admin Panel, Payments, in a private chat "
        "with me.",
        id=receipt_id,
    )
    if network == wording.BANK:
        text = lines(
            Html("❗ <b>Money that nobody's invoice explains</b>"),
            markup("{coins}", coins=wording.coins(amount, asset, network)),
            markup("Flutterwave transaction <code>{id}</code>", id=tx_hash),
            markup("Reference <code>{reference}</code>", reference=reference) if reference else None,
            markup("{why}", why=_STRAY[reason]) if reason in _STRAY else None,
            waits,
        )
        return Screen(text, rows)
    text = lines(
        Html("❗ <b>Money that nobody's invoice explains</b>"),
        markup("{coins}", coins=wording.coins(amount, asset, network)),
        markup("<code>{hash}</code>", hash=tx_hash),
        markup("Pasted by {who}", who=person(who)) if who else Html("Nobody has pasted its hash."),
        waits,
    )
    return Screen(text, rows)


def stray_for_owner(
    *,
    receipt_id: int,
    network: str,
    asset: str,
    amount: str,
    usd: Money,
    tx_hash: str,
    why: str,
    hours: int,
    end: StrayEnd | None,
) -> Screen:
    """To each owner in private. `why`: large | old (has waited `hours`)."""
    if end is not None:
        head = "☑️ <b>Stray money has an owner now</b>"
        words = _stray_end(end)
    elif why == "large":
        head = "❗ <b>A large payment arrived, and nobody's invoice explains it</b>"
        words = Html("It is safe in suspense. Open it to see whose it may be.")
    else:
        head = "⏰ <b>Stray money has waited for {hours} hours</b>"
        words = Html("Nobody has assigned it. Somebody may be waiting for it: open it to see whose it may be.")
    text = lines(
        markup(head, hours=hours),
        markup("{coins}, worth <b>{usd}</b>", coins=wording.coins(amount, asset, network), usd=wording.money(usd)),
        markup("<code>{hash}</code>", hash=tx_hash),
        markup("\n{words}", words=words),
    )
    return Screen(text, ((Button(f"💵 Receipt #{receipt_id}", Go(f"receipt:{receipt_id}")), buttons.HOME),))


def refund(*, amount: Money, credits_back: int, sale: SaleText, who: PersonText, by: PersonText, reason: str) -> Screen:
    """Money that finance gave back."""
    text = lines(
        Html("↩️ <b>Refund</b>"),
        markup("{amount} back to {who}", amount=wording.money(amount), who=person(who)),
        _sale(sale, sale.state),
        markup("Taken back: {posts}", posts=wording.count(credits_back, "unused post")) if credits_back else None,
        markup("By {by}: <i>{reason}</i>", by=person(by), reason=reason[:300]),
    )
    return Screen(text)


def _stray_end(end: StrayEnd) -> Html:
    where = markup(", for invoice #{id}", id=end.invoice) if end.invoice is not None else Html("")
    if end.by is None:
        return markup("Credited to {who}{where}: the hash explained it.", who=person(end.owner), where=where)
    return markup(
        "Assigned to {who}{where} by {by}, {at}.",
        who=person(end.owner),
        where=where,
        by=person(end.by),
        at=wording.moment(end.at),
    )


def order_created(order: OrderText, who: PersonText) -> Screen:
    lines_of = wording.join([wording.metric(line.metric, line.quantity) for line in order.lines if order.planned(line)])
    text = lines(
        markup("📦 <b>Order #{id}</b> · {plan}", id=order.id, plan=order.plan),
        markup("{link}", link=order.link),
        markup("{what}", what=lines_of) if lines_of else None,
        markup("For {who}", who=person(who)),
    )
    return Screen(text)


def order_finished(order: OrderText, who: PersonText) -> Screen:
    icon, state = STATES[order.state]
    text = lines(
        markup("{icon} <b>Order #{id}: {state}</b> · {plan}", icon=icon, id=order.id, state=state, plan=order.plan),
        markup("{link}", link=order.link),
        *(
            markup("{icon} {n} of {what}", icon=wording.icon(one.metric), n=f"{one.delivered:,}", what=_whole(one))
            for one in order.lines
            if order.planned(one)
        ),
        markup("Refunded: {money}", money=wording.money(order.refunded)) if order.refunded.minor else None,
        Html("The post went back to the plan.") if order.credit_returned else None,
        markup("For {who}", who=person(who)),
    )
    return Screen(text)


def panel_trouble(*, panel: str, what: str, detail: str) -> Screen:
    if what == "active_changed":
        before = markup(" Before: {before}.", before=detail) if detail else Html("")
        text = lines(
            markup("🔌 <b>Panel {panel} is active again</b>", panel=panel),
            markup("Orders go there first.{before}", before=before),
        )
        return Screen(text)
    if what == "breaker_open":
        words = (
            markup("It does not answer, so it rests for a while. Orders go to <b>{active}</b>.", active=detail)
            if detail
            else Html("It does not answer, and <b>no panel is left</b>: orders wait until one is back.")
        )
    else:
        told = panels.waiting(detail) if what == "services" else detail
        words = markup(_TROUBLE.get(what, "{detail}"), detail=told or "nothing")
    return Screen(lines(markup("🔌 <b>Panel {panel}</b>", panel=panel), words))


def bank_trouble(*, what: str, detail: str) -> Screen:
    words = markup(_BANK.get(what, "{detail}"), detail=detail or "nothing")
    return Screen(lines(Html("🏦 <b>Flutterwave</b>"), words))


def proof(one: ProofText, sale: SaleText, who: PersonText, *, by: PersonText | None) -> Screen:
    """A photographed receipt for finance to judge; once decided, what became of it. `by`: who decided."""
    facts = lines(
        Html("🧾 <b>A bank receipt to check</b>") if one.state == "waiting" else Html("☑️ <b>A bank receipt</b>"),
        markup("<b>{amount}</b>, {usd}", amount=wording.naira(one.amount), usd=wording.money(one.usd)),
        _sale(sale, sale.state),
        markup("Remark <code>VC-{id}</code>, sent {at}", id=sale.id, at=wording.moment(one.sent_at)),
        markup("From {who}", who=person(who)),
    )
    name = person(by) if by is not None else Html("the team")
    if one.state == "approved":
        facts = lines(facts, markup("\n✅ Accepted and credited by {who}.", who=name))
    elif one.state == "rejected":
        facts = lines(facts, markup("\n✖️ Rejected by {who}: {reason}", who=name, reason=one.reason))
    else:
        facts = lines(facts, Html("\nIs exactly this amount in our account? What you approve is credited at once."))
    rows = ((Button("✅ Approve", ApproveProof(one.id)), Button("✖️ Reject", RejectProof(one.id))),)
    picture = Picture("file", one.file_id)
    return Screen(facts, rows if one.state == "waiting" else (), picture=picture)


def prices(*, coin: str, reason: str) -> Screen:
    if coin == NGN:
        return _naira(reason)
    if reason == "ok":
        return Screen(markup("📈 <b>{coin} is quoted again</b>\nBuyers can pay with it.", coin=coin))
    why = _PRICE.get(reason, reason)
    text = markup(
        "📉 <b>No quotes for {coin}</b>: {why}.\nBuyers cannot choose it until that is over; it ends by itself.",
        coin=coin,
        why=why,
    )
    return Screen(text)


def _naira(reason: str) -> Screen:
    if reason == "ok":
        return Screen(Html("📈 <b>There is a naira rate again</b>\nBuyers can pay by bank transfer."))
    return Screen(
        Html(
            "📉 <b>No naira rate</b>: the last one is too old.\nBuyers cannot choose bank transfer until there is a "
            "new one; it ends by itself. Check EXCHANGE_API_KEY if it does not."
        )
    )


def unknown_phase(card: PhaseCardText) -> Screen:
    """Staff decide: look into the panel's order list, then press."""
    text = lines(
        Html("❓ <b>A panel did not answer</b>"),
        *_facts(card),
        markup(
            "\nLook into {panel}'s order list for this link. Was it placed? If you send again although it was, we pay "
            "for it twice.",
            panel=card.panel,
        ),
    )
    if card.hint is not None:
        text = lines(text, hints.words(card.hint))
    rows = (
        (Button("✅ It was placed", PhasePlaced(card.phase_id, card.attempt)),),
        (Button("🔁 It was not: send again", PhaseNotPlaced(card.phase_id, card.attempt)),),
    )
    return Screen(text, rows)


def resolved_phase(card: PhaseCardText, *, who: PersonText | None, how: str, panel_order: str | None) -> Screen:
    """The same card, decided. `how`: placed | not_placed | elsewhere (a newer card took its place) | empty."""
    by = markup(" by {who}", who=person(who)) if who else Html("")
    if how == "placed":
        told = markup("Resolved{by}: placed as <code>{order}</code>.", by=by, order=panel_order or "?")
    elif how == "not_placed":
        told = markup("Resolved{by}: sent again.", by=by)
    elif how == "elsewhere":
        told = Html("It was sent again and is unknown again: see the newer card.")
    else:
        told = Html("It is decided.")
    return Screen(lines(Html("☑️ <b>A panel did not answer</b>"), *_facts(card), markup("\n{told}", told=told)))


def _facts(card: PhaseCardText) -> list[Html]:
    return [
        markup(
            "Order #{order}, phase {phase}: <b>{what}</b>", order=card.order_id, phase=card.phase_id, what=card.what
        ),
        markup("{panel}, service <code>{service}</code>", panel=card.panel, service=card.service),
        markup("{link}", link=card.link),
        markup("Sent {at}", at=wording.moment(card.sent_at)),
    ]


def _sale(sale: SaleText, state: str) -> Html:
    return markup(
        "Invoice #{id}: {what}, {total}, {state}",
        id=sale.id,
        what=f"{sale.title}, {wording.count(sale.quantity, sale.unit)}"
        if sale.kind == "goods"
        else wording.count(sale.quantity, f"{sale.title} {sale.unit}"),
        total=wording.money(sale.total),
        state=state,
    )


def _whole(line: OrderLineText) -> str:
    return wording.metric(line.metric, line.quantity)

"""Withdrawals in the Admin Panel: the switches, the queue, the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import withdrawal_words as words
from viralcore.texts import wording
from viralcore.texts.actions import Go, LetPayoutsGo
from viralcore.texts.cards import PersonText, person
from viralcore.texts.withdrawal_actions import AskSwitch, ConfirmSwitch
from viralcore.texts.withdrawal_shapes import Desk, Request, Stats

FILTERS: Mapping[str, tuple[str, str]] = {
    "waiting": ("⏳", "Waiting"),
    "to_pay": ("💸", "To pay by hand"),
    "under_way": ("🏦", "Under way"),
    "unconfirmed": ("❔", "Unconfirmed"),
    "completed": ("✅", "Paid"),
    "failed": ("⚠️", "Failed"),
    "ended": ("✖️", "Rejected or cancelled"),
    "all": ("📜", "All"),
}
OPEN = ("waiting", "to_pay", "under_way", "unconfirmed")
SPANS = (1, 7, 30)
_SWITCHES = {
    ("mode", "automatic"): (
        "Switch to automatic",
        "Requests approved from then on are sent through Flutterwave. Those approved before stay as they are.",
    ),
    ("mode", "manual"): (
        "Pay by hand from now on",
        "Requests approved from then on are paid by one of us, who presses Mark paid. Those approved before stay as "
        "they are.",
    ),
    ("paused", "true"): (
        "Pause payouts",
        "Nobody can ask for money and nothing is sent until the pause is lifted. What is with the bank already ends.",
    ),
    ("paused", "false"): ("Lift the pause", "People can ask again, and what is approved is sent."),
}


def menu(desk: Desk, counts: Mapping[Any, int], *, rate: Decimal | None, owner: bool) -> Screen:
    """`owner`: may turn the switches."""
    automatic = desk.mode == "automatic"
    text = lines(
        Html("🏧 <b>Withdrawals</b>\n"),
        Html("Payouts: automatic, through Flutterwave" if automatic else "Payouts: by hand, one of us pays"),
        Html("⏸ <b>Paused</b>: nobody can ask, and nothing is sent.") if desk.paused else None,
        markup("🔴 <b>Automatic payouts are stopped</b>. {why}", why=words.stop(desk.stop_reason))
        if desk.stopped
        else None,
        Html("There is no naira rate now; dollars cannot be withdrawn.")
        if rate is None
        else markup("Rate: {rate}", rate=words.rate(rate)),
        _by_itself(desk),
    )
    ways = [
        Button(f"{FILTERS[name][0]} {FILTERS[name][1]} ({counts.get(name, 0)})", Go(f"queue:{name}")) for name in OPEN
    ]
    switches = (
        (
            _switch("mode", "manual" if automatic else "automatic"),
            _switch("paused", "false" if desk.paused else "true"),
        ),
    )
    rows = (
        tuple(ways[:2]),
        tuple(ways[2:]),
        (Button("📜 All", Go("queue:all")), Button("📊 Statistics", Go("payout_stats:7"))),
        (Button("📚 Books", Go("books")), Button("🏦 Owed and held", Go("solvency"))),
        *(((Button("▶️ Let automatic payouts go on", LetPayoutsGo()),),) if owner and desk.stopped else ()),
        *(switches if owner else ()),
        wording.back_home("admin"),
    )
    return Screen(text, rows, route="payouts")


def _switch(what: str, value: str) -> Button:
    return Button(f"🔀 {_SWITCHES[what, value][0]}", AskSwitch(what, value))


def _by_itself(desk: Desk) -> Html:
    if not desk.by_itself:
        return Html("Every request needs one of us (DISABLE_ADMIN_APPROVAL is off).")
    if desk.completed < desk.by_itself_after:
        return markup(
            "DISABLE_ADMIN_APPROVAL is set, and not in force yet: {done} of the first {wanted} withdrawals are paid. "
            "Until then every request needs one of us.",
            done=f"{desk.completed:,}",
            wanted=f"{desk.by_itself_after:,}",
        )
    return Html(
        "⚡ DISABLE_ADMIN_APPROVAL is in force: small requests without a risk finding are approved by the shop itself."
    )


def queue(
    found: Sequence[tuple[Request, PersonText]], *, which: str, total: int, newer: int | None, first: bool
) -> Screen:
    """Oldest first. `newer`: the id after which there are more."""
    icon, name = FILTERS[which]
    told = [
        markup(
            "{icon} <b>#{id}</b> {amount} → {net}, {state}\n{who} · {at}",
            icon=words.state(one.state)[0],
            id=one.id,
            amount=wording.money(one.quote.amount),
            net=words.net(one.quote),
            state=_state(one),
            who=person(who),
            at=wording.moment(one.created_at),
        )
        for one, who in found
    ]
    text = lines(
        markup("{icon} <b>Withdrawals: {name}</b> ({n}), the oldest first\n", icon=icon, name=name.lower(), n=total),
        *told,
        None if found else Html("Nothing here."),
    )
    ways = [Button(f"{words.state(one.state)[0]} #{one.id}", Go(f"payout:{one.id}")) for one, _ in found]
    rows = [tuple(ways[i : i + 5]) for i in range(0, len(ways), 5)]
    pages = [
        *([] if first else [Button("⏮ Oldest", Go(f"queue:{which}"))]),
        *([] if newer is None else [Button("⏫ Newer", Go(f"queue:{which}:{newer}"))]),
    ]
    others = [
        Button(f"{FILTERS[other][0]} {FILTERS[other][1]}", Go(f"queue:{other}")) for other in FILTERS if other != which
    ]
    filters = [tuple(others[i : i + 3]) for i in range(0, len(others), 3)]
    moves = (tuple(pages),) if pages else ()
    return Screen(text, (*rows, *moves, *filters, wording.back_home("payouts")), route=f"queue:{which}")


def _state(one: Request) -> str:
    if one.state == "pending" and one.again is not None:
        return "the person must confirm new terms"
    if one.state == "pending" and one.needed > 1:
        return f"{one.approvals} of {one.needed} approvals"
    if one.state == "approved" and one.mode == "manual":
        return "to be paid by hand"
    return words.state(one.state)[1].split(",")[0]


def stats(one: Stats, *, days: int) -> Screen:
    states = [
        markup(
            "{icon} {state}: <b>{n}</b>", icon=words.state(name)[0], state=words.state(name)[1].split(",")[0], n=number
        )
        for name, number in one.counts.items()
        if number
    ]
    took = "nobody was paid yet" if one.median_seconds is None else wording.span(timedelta(seconds=one.median_seconds))
    text = lines(
        markup("📊 <b>Withdrawals of {span}</b>\n", span="the last day" if days == 1 else f"the last {days} days"),
        *states,
        None if states else Html("Nobody asked for money."),
        markup("\nPaid: <b>{paid}</b>, fees {fees}", paid=wording.money(one.paid), fees=wording.money(one.fees)),
        markup("From request to arrival, half of them within: {took}", took=took),
        markup("With a risk finding: {n}", n=one.flagged),
        markup(
            "\nReserved for open requests now: {usd} and {ngn}",
            usd=wording.money(one.open_usd),
            ngn=wording.money(one.open_ngn),
        ),
    )
    ways = tuple(Button("1 day" if n == 1 else f"{n} days", Go(f"payout_stats:{n}")) for n in SPANS if n != days)
    return Screen(text, (ways, wording.back_home("payouts")), route=f"payout_stats:{days}")


def known_switch(what: str, value: str) -> bool:
    return (what, value) in _SWITCHES


def ask_switch(*, what: str, value: str) -> Screen:
    name, means = _SWITCHES[what, value]
    text = markup(
        "🔀 <b>{name}</b>\n\n{means}\n\nWhy? Send a sentence; it is kept in the audit log and told to the admin group. "
        "/cancel to stop.",
        name=name,
        means=means,
    )
    return Screen(text, (wording.back_home("payouts"),))


def confirm_switch(*, what: str, value: str, reason: str) -> Screen:
    name, means = _SWITCHES[what, value]
    text = markup("🔀 <b>{name}?</b>\n\n{means}\n\nReason: <i>{reason}</i>", name=name, means=means, reason=reason)
    rows = (
        (Button("✅ Confirm", ConfirmSwitch(what, value)), Button("✖️ Cancel", Go("payouts"))),
        wording.back_home("payouts"),
    )
    return Screen(text, rows)

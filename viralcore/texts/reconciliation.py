"""The books for finance: our transfers against the bank's, what does not agree, and whether we can pay what we owe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from viralcore.core.money import NGN, USD, Money
from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import withdrawal_words as words
from viralcore.texts import wording
from viralcore.texts.actions import AcceptDifference, CompareBooks, Go, LetPayoutsGo
from viralcore.texts.cards import PersonText, person

KINDS = {
    "missing": "We sent it; the bank's list does not have it",
    "extra": "The bank's list has it; we did not send it",
    "twice": "The bank's list has it twice",
    "amount": "The amounts differ",
    "status": "We and the bank say different things about it",
    "balance": "More left the bank balance than our transfers explain",
}
_OURS = {
    "sending": "is being sent",
    "accepted": "is on its way",
    "unknown": "is unconfirmed",
    "succeeded": "arrived",
    "failed": "failed",
}
_THEIRS = {"new": "is queued", "pending": "is on its way", "successful": "arrived", "failed": "failed"}
_NOTES = {
    "partly": "There was no time for all of it, or no answer to some; the next comparison looks at the rest.",
    "first": "The balance is compared from the next time on.",
    "moving": "The balance was not compared: transfers were on their way.",
}
_OWED = {
    "wallet USD": "Wallets",
    "bonus USD": "Bonuses",
    "affiliate USD": "Affiliate balances",
    "reply NGN": "Reply balances",
    "suspense": "Money without an owner yet",
    "orders": "Open orders, at the panels",
}
_HELD = {"flutterwave": "Flutterwave"}


@dataclass(frozen=True, slots=True)
class DifferenceText:
    """See `withdrawals.api.DifferenceView`. `by` None: nobody, it agrees now."""

    id: int
    kind: str
    reference: str
    ours: Money | None
    ours_state: str
    theirs: Money | None
    theirs_status: str
    last4: str
    state: str
    found_at: datetime
    by: PersonText | None = None
    at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ComparisonText:
    """See `withdrawals.api.ComparisonView`."""

    state: str
    asked_at: datetime
    ended_at: datetime | None
    ours: int
    theirs: int
    found: int
    open: int
    balance: Money | None
    note: str


@dataclass(frozen=True, slots=True)
class SolvencyText:
    """See `withdrawals.api.SolvencyView`. `stopped`: automatic payouts are stopped now, because of `stop_reason`."""

    checked_at: datetime
    rate: Decimal | None
    owed: Mapping[str, Money]
    held: Mapping[str, Money]
    gap: Money
    problem: str
    unread: tuple[str, ...]
    stopped: bool
    stop_reason: str = ""


def books(last: ComparisonText | None, *, solvency: SolvencyText | None) -> Screen:
    """The menu."""
    opened = 0 if last is None else last.open
    text = lines(
        Html("📚 <b>Books</b>\n"),
        Html("Our transfers were never compared with the bank's.") if last is None else comparison(last),
        None if solvency is None else lines(Html(""), verdict(solvency)),
    )
    rows = (
        (Button(f"⚖️ Differences ({opened})", Go("differences")), Button("🔍 Compare now", CompareBooks())),
        (Button("🏦 Owed and held", Go("solvency")),),
        wording.back_home("admin"),
    )
    return Screen(text, rows, route="books")


def comparison(one: ComparisonText) -> Html:
    """One comparison in a few lines: what the admin group reads every day."""
    if one.state == "asked":
        return markup("🔍 Being compared since {at}.", at=wording.moment(one.asked_at))
    if one.state == "failed":
        return lines(
            markup("⚠️ Not compared at {at}: the bank did not answer.", at=wording.moment(one.ended_at or one.asked_at)),
            _open(one),
        )
    return lines(
        markup(
            "🔍 Compared at {at}: {ours} of ours, {theirs} at the bank.",
            at=wording.moment(one.ended_at or one.asked_at),
            ours=wording.count(one.ours, "transfer"),
            theirs=one.theirs,
        ),
        Html("✅ They agree.") if not one.open and one.note != "partly" else None,
        _open(one),
        None if one.balance is None else markup("Balance to pay with: {money}", money=wording.money(one.balance)),
        Html(_NOTES[one.note]) if one.note in _NOTES else None,
    )


def _open(one: ComparisonText) -> Html | None:
    if not one.open:
        return None
    new = markup(", <b>{n}</b> of them new", n=one.found) if 0 < one.found <= one.open else Html("")
    return markup("⚖️ Differences that wait for somebody: <b>{n}</b>{new}", n=one.open, new=new)


def comparing() -> str:
    return "The books are being compared."


def differences(rows_of: Sequence[DifferenceText], *, total: int, newer: int | None, first: bool) -> Screen:
    """Oldest first. `newer`: the id after which there are more."""
    if not rows_of:
        text = Html("⚖️ <b>Differences</b>\n\nNothing is open. Our book and the bank's agree.")
        return Screen(
            text, ((Button("🔍 Compare now", CompareBooks()),), wording.back_home("books")), route="differences"
        )
    told = [
        markup("#{id} {kind}: {what}", id=one.id, kind=KINDS.get(one.kind, one.kind), what=_short(one))
        for one in rows_of
    ]
    more = [] if newer is None else [Button("⏫ Newer", Go(f"differences:{newer}"))]
    back = [] if first else [Button("⏮ Oldest", Go("differences"))]
    ways = [Button(f"#{one.id}", Go(f"difference:{one.id}")) for one in rows_of]
    rows = [tuple(ways[i : i + 5]) for i in range(0, len(ways), 5)]
    moves = ((*back, *more),) if back or more else ()
    text = lines(
        markup("⚖️ <b>Differences</b> ({n}), the oldest first\n\nEach of these needs an explanation.\n", n=total), *told
    )
    return Screen(text, (*rows, *moves, wording.back_home("books")), route="differences")


def _short(one: DifferenceText) -> Html:
    """In a list: which transfer, and how much."""
    money = one.theirs if one.ours is None else one.ours
    what = one.reference or (f"account ending in {one.last4}" if one.last4 else "no reference")
    return markup("<code>{what}</code>, {money}", what=what[:40], money="nothing" if money is None else _money(money))


def difference(one: DifferenceText) -> Screen:
    opened = one.state == "open"
    rows = (
        (
            (Button("✅ Accept with a reason", AcceptDifference(one.id)),),
            (Button("🔍 Look again", CompareBooks()),),
        )
        if opened
        else ()
    )
    return Screen(told(one), (*rows, wording.back_home("differences")), route=f"difference:{one.id}")


def told(one: DifferenceText) -> Html:
    """A difference in full, for the screen and the card."""
    return lines(
        markup("⚖️ <b>Difference #{id}</b>", id=one.id),
        markup("{kind}.\n", kind=KINDS.get(one.kind, one.kind)),
        facts(one),
        _advice(one),
        _end(one),
    )


def facts(one: DifferenceText) -> Html:
    if one.kind == "balance":
        return markup(
            "There should be {ours}, there are {theirs}.",
            ours="?" if one.ours is None else wording.money(one.ours),
            theirs="?" if one.theirs is None else wording.money(one.theirs),
        )
    account = f", account ending in {one.last4}" if one.last4 else ""
    return lines(
        markup("<code>{reference}</code>{account}", reference=one.reference or "no reference", account=account),
        markup("Ours: {side}", side=_side(one.ours, _OURS.get(one.ours_state, one.ours_state))),
        markup("The bank's: {side}", side=_side(one.theirs, _THEIRS.get(one.theirs_status, one.theirs_status))),
    )


def _side(money: Money | None, state: str) -> str:
    return "nothing" if money is None else f"{_money(money)}, {state}"


def _money(money: Money) -> str:
    """The bank's list may hold what we never send: another currency."""
    return wording.money(money) if money.asset in (USD, NGN) else f"{money.decimal:f} {money.asset}"


def _advice(one: DifferenceText) -> Html | None:
    if one.state != "open":
        return None
    words = {
        "extra": "Find out who sent it: our key, or somebody in the bank's dashboard.",
        "missing": "Look for it in the bank's dashboard before anything is paid again.",
        "balance": "Look through the bank's statement for what left.",
    }
    return markup("\n{words}", words=words.get(one.kind, "Look at it in the bank's dashboard."))


def _end(one: DifferenceText) -> Html | None:
    at = "" if one.at is None else wording.moment(one.at)
    if one.state == "gone":
        return markup("\n☑️ It agrees since {at}.", at=at)
    if one.state == "accepted" and one.by is not None:
        return markup("\n✅ Accepted by {who} at {at}: <i>{reason}</i>", who=person(one.by), at=at, reason=one.reason)
    return None


def ask_reason(*, difference: int) -> Html:
    return markup(
        "Why is difference #{id} all right? Reply to this message with a sentence; it is kept. /cancel to stop.",
        id=difference,
    )


def accepted(*, difference: int) -> Html:
    return markup("✅ Difference #{id} is accepted. It is told again only if it changes.", id=difference)


def solvency(one: SolvencyText | None, *, owner: bool) -> Screen:
    """`owner`: may let payouts go on."""
    if one is None:
        text = Html("🏦 <b>Owed and held</b>\n\nNobody has added it up yet. Look again in half an hour.")
        return Screen(text, (wording.back_home("books"),), route="solvency")
    total = {name: sum(money.minor for money in part.values()) for name, part in (("o", one.owed), ("h", one.held))}
    text = lines(
        Html("🏦 <b>Owed and held</b>\n"),
        verdict(one),
        *([markup("\nWe owe <b>{sum}</b>:", sum=wording.money(Money(total["o"], "USD")))] if one.owed else []),
        *(_named(name, money, _OWED) for name, money in one.owed.items()),
        *([markup("\nWe hold <b>{sum}</b>:", sum=wording.money(Money(total["h"], "USD")))] if one.held else []),
        *(_named(name, money, _HELD) for name, money in one.held.items()),
        markup("\nNot read for hours, counted as nothing: {names}", names=wording.join(list(one.unread)))
        if one.unread
        else None,
        markup("\nAdded up at {at}{rate}.", at=wording.moment(one.checked_at), rate=_rate(one)),
    )
    lift = ((Button("▶️ Let automatic payouts go on", LetPayoutsGo()),),) if one.stopped and owner else ()
    return Screen(text, (*lift, wording.back_home("books")), route="solvency")


def _rate(one: SolvencyText) -> str:
    return "" if one.rate is None else f", {wording.naira(one.rate)} per dollar"


def _named(name: str, money: Money, names: Mapping[str, str]) -> Html:
    return markup("• {name}: {money}", name=names.get(name) or _of_network(name), money=wording.money(money))


def _of_network(name: str) -> str:
    """``bsc:USDT`` as people say it: ``USDT on BSC``; a panel has its own name."""
    network, found, asset = name.partition(":")
    return f"{asset} on {wording.network(network).partition(' (')[0]}" if found else name


def verdict(one: SolvencyText) -> Html:
    """Whether we can pay what we owe, in a line or two."""
    if one.problem:
        said = Html("❔ There is no naira rate to trust, so it cannot be judged now.")
    elif one.gap.minor:
        said = markup("🔴 We hold <b>{gap}</b> less than we owe.", gap=wording.money(one.gap))
    else:
        said = Html("🟢 We hold what we owe.")
    if not one.stopped:
        return lines(said)
    stopped = Html("⏸ Automatic payouts are stopped; requests wait.")
    return lines(said, stopped, words.stop(one.stop_reason) if one.stop_reason else None)


def ask_lift() -> Html:
    return Html(
        "Why may automatic payouts go on now? Reply to this message with a sentence; it is kept. /cancel to stop."
    )


def lifted() -> Html:
    return Html("▶️ Automatic payouts go on. They stop again if Flutterwave still refuses us, or the gap grows.")

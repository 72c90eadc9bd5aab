"""What staff see of one withdrawal: the card in the admin group and the same in private, and what they are told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from viralcore.core.money import USD, Money
from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import withdrawal_words as words
from viralcore.texts import wording
from viralcore.texts.actions import Go
from viralcore.texts.cards import PersonText, person
from viralcore.texts.withdrawal_actions import (
    ApproveWithdrawal,
    AskOwnerAgain,
    CannotPay,
    GiveBack,
    LookAgain,
    MarkPaid,
    PayByHand,
    RejectWithdrawal,
    ShowAccount,
)
from viralcore.texts.withdrawal_shapes import Approval, Attempt, Card, Finding, Record

_RISKS: Mapping[str, str] = {
    "velocity": "{requests} requests in {hours} hours",
    "new_user": "with us for only {days} days",
    "new_account": "nothing of theirs ever arrived at this account",
    "shared_account": "the same account was given by others: {people}",
    "ring": "the same account was given by people tied to them by referral: {people}",
    "just_below": "a little below the limit of ${limit_usd}",
    "reversed_earnings": "{percent}% of what they earned came from purchases that were refunded",
}
_ATTEMPTS = {
    "sending": "is being sent",
    "accepted": "the bank has it, not paid yet",
    "unknown": "its answer was lost",
    "succeeded": "paid",
    "failed": "failed",
}
_SEEN = {
    "approval": "waits for somebody to approve it in the bank's dashboard",
    "exists": "its answer was lost; the bank says that its reference is used, and does not show it",
    "new": "a transfer with its reference is queued, which is not ours: amount or account differ",
    "pending": "a transfer with its reference is under way, which is not ours: amount or account differ",
    "successful": "a transfer with its reference was PAID, which is not ours: amount or account differ",
    "failed": "a transfer with its reference failed, which was not ours: amount or account differ",
}
_TROUBLE = {
    "config": "Flutterwave does not accept our key, our address or our account. Nothing was sent, and automatic "
    "payouts are stopped. Put it right in its dashboard; then an owner lets them go on under Owed and held.",
    "unconfirmed": "The bank has not confirmed it, although we asked many times. Look for it in the bank's dashboard.",
    "approval": "It waits for somebody to approve it in Flutterwave's dashboard. Approve it or reject it there, and we "
    "see it. Payouts go by themselves only when transfers through the API need no approval there.",
    "slow": "The bank has had it for hours and says neither paid nor failed. Look at it in its dashboard.",
    "unsent": "It is approved and could not be sent for hours; nothing of it has left. It can be paid by hand: see its "
    "card.",
    "mismatch": "A transfer under our reference is not ours: its amount or its account differs. Look at it there.",
    "late_success": "It was PAID after it had been given back: the person has the money twice.",
    "twice": "The bank had said FAILED, says PAID now, and the next attempt is under way already. Stop that one in the "
    "bank's dashboard, or the person is paid twice.",
    "late_failure": "The bank says it FAILED after it had said paid: the person may not have the money.",
}


People = Mapping[int, PersonText]


def card(one: Card, people: People, *, superseded: bool = False) -> Screen:
    """In the group: the account is masked, and shown to the one who presses. `superseded`: see the newer card."""
    if superseded:
        return Screen(
            lines(_title(one), *_who(one, people), Html("\nIts terms were confirmed anew: see the newer card."))
        )
    return Screen(_text(one, people), _rows(one, private=False))


def page(one: Card, people: People) -> Screen:
    """The same in a private chat; the number in full where it was asked for."""
    where = f"payout:{one.request.id}"
    rows = _rows(one, private=True)
    return Screen(_text(one, people), (*rows, wording.back_home("queue:waiting")), route=where)


def people_of(one: Card) -> set[int]:
    """Whom the card names."""
    actors = {approval.actor for approval in one.approved_by} | ({one.decided_by} if one.decided_by else set())
    return {one.request.user_id, *(actor for actor in actors if actor)}


def _text(one: Card, people: People) -> Html:
    request, quote = one.request, one.request.quote
    number = request.masked if one.account_number is None else one.account_number
    return lines(
        _title(one),
        *_who(one, people),
        markup("\nFrom: {source}, {amount}", source=words.source(quote.source), amount=wording.money(quote.amount)),
        _rates(one) if quote.amount.asset == USD else None,
        markup(
            "{pay}: <b>{net}</b>{fee}",
            pay="Paid" if request.state == "completed" else "To pay",
            net=words.net(quote),
            fee=_fee(quote.fee),
        ),
        markup("{bank}, <code>{number}</code>", bank=request.bank_name, number=number),
        markup("Name at the bank: {name}", name=request.account_name)
        if request.account_name
        else Html("Nobody could ask the bank whose it is: see what your bank says when you pay."),
        _risk(one),
        _record(one.record),
        markup("\n{stands}", stands=_stands(one, people)),
    )


def _title(one: Card) -> Html:
    icon, _ = words.state(one.request.state)
    state = SHORT.get(one.request.state, one.request.state)
    if one.request.state == "approved" and one.request.mode == "manual":
        state = "to be paid by hand"
    return markup("{icon} <b>Withdrawal #{id}: {state}</b>", icon=icon, id=one.request.id, state=state)


SHORT = {
    "pending": "waits for approval",
    "approved": "approved, to be sent",
    "processing": "with the bank",
    "unconfirmed": "unconfirmed",
    "completed": "paid",
    "failed": "failed",
    "rejected": "rejected",
    "cancelled": "cancelled",
}


def _who(one: Card, people: People) -> list[Html]:
    return [markup("{who}", who=_name(people, one.request.user_id))]


def _name(people: People, user_id: int) -> Html:
    return person(people.get(user_id, PersonText(user_id, "Somebody", None)))


def _fee(fee: Money | None) -> str:
    return "" if fee is None else f" after a fee of {wording.money(fee)}"


def _rates(one: Card) -> Html:
    locked = one.request.quote.rate
    if one.request.state != "pending":
        return markup("Rate: {locked}", locked=words.rate(locked))
    if one.live_rate is None:
        return markup("Rate: {locked}, locked; there is no live rate", locked=words.rate(locked))
    change = (one.live_rate - locked) * 100 / locked
    return markup(
        "Rate: {locked}, locked; live {live} ({change})",
        locked=words.rate(locked),
        live=wording.naira(one.live_rate),
        change="the same" if not round(change, 1) else f"{change:+.1f}%",
    )


def _risk(one: Card) -> Html | None:
    if not one.findings:
        return None
    return lines(
        markup("\n🚩 <b>Look twice</b>, risk {score} of 100:", score=one.score),
        *(markup("• {why}", why=_finding(finding)) for finding in one.findings),
    )


def _finding(finding: Finding) -> str:
    facts = {name: str(value) for name, value in finding.facts.items()}
    if finding.rule == "new_account" and facts.get("paid_elsewhere", "0") != "0":
        return "they were paid before, but never to this account"
    if finding.rule == "new_user" and facts.get("days") in ("0", "1"):
        return "with us since today" if facts["days"] == "0" else "with us for only 1 day"
    if finding.rule not in _RISKS:
        return finding.rule
    try:
        return _RISKS[finding.rule].format(**facts)
    except KeyError:
        return finding.rule


def _record(record: Record) -> Html:
    since = "" if record.user_since is None else f", with us since {record.user_since:%d %b %Y}"
    if not record.requests:
        return markup("\n👤 Their first withdrawal{since}", since=since)
    bad = [f"{n} {name}" for n, name in ((record.rejected, "rejected"), (record.failed, "failed")) if n]
    return markup(
        "\n👤 Before: {n}, {done} paid ({paid}){bad}{since}",
        n=wording.count(record.requests, "request"),
        done=record.completed,
        paid=wording.money(record.paid),
        bad="".join(f", {one}" for one in bad),
        since=since,
    )


def _stands(one: Card, people: People) -> Html:
    request = one.request
    asked = markup("Asked {at}", at=wording.moment(request.created_at))
    given = [_approval(approval, people, request.created_at) for approval in one.approved_by]
    match request.state:
        case "pending":
            return lines(asked, *given, *_waiting(one))
        case "approved" if request.mode == "manual":
            ask = Html("Pay it by hand, then press Mark paid and write the reference of the payment.")
            return lines(asked, *given, *_attempts(one), _old_terms(one), markup("\n{ask}", ask=ask))
        case "approved":
            wait = Html("Nothing is sent now: see Withdrawals in the Admin Panel.") if one.can_take_over else None
            return lines(asked, *given, wait or Html("It is sent when its turn comes."))
        case "processing" | "unconfirmed":
            return lines(asked, *given, *_attempts(one))
        case _:
            return lines(asked, *given, *_attempts(one), _end(one, people))


def _old_terms(one: Card) -> Html | None:
    if not one.outdated:
        return None
    why = "its rate has moved too far" if one.outdated == "rate" else "they are too old"
    return markup("\n⚠️ Its terms no longer hold: {why}. If nobody has paid it yet, press Ask its owner again.", why=why)


def _approval(approval: Approval, people: People, asked: datetime) -> Html:
    if not approval.actor:
        return Html("👍 Approved by the shop itself (DISABLE_ADMIN_APPROVAL)")
    at = f"{words.later(approval.at, asked)} UTC"
    return markup("👍 approved by {who} at {at}", who=_name(people, approval.actor), at=at)


def _waiting(one: Card) -> list[Html]:
    request = one.request
    if request.again is not None:
        return [
            markup(
                "\n🔁 Its terms are out of date: the person is asked to confirm {net} at {rate}. It cannot be approved "
                "before.",
                net=words.net(request.again),
                rate=words.rate(request.again.rate),
            )
        ]
    left = request.needed - request.approvals
    told = [markup("\nTwo different people must approve it; {left} to go.", left=left)] if request.needed > 1 else []
    if one.waits_until is not None:
        told.append(markup("The only approver may give the second after {at}.", at=wording.moment(one.waits_until)))
    return told


def _attempts(one: Card) -> list[Html]:
    told = [
        markup(
            "🏦 <code>{reference}</code>: {state}{said}",
            reference=attempt.reference,
            state=_state_of(one, attempt),
            said=f" ({attempt.words[:150]})" if attempt.words and attempt.state == "failed" else "",
        )
        for attempt in one.attempts
    ]
    if one.can_take_over and one.attempts:
        told.append(Html("Nothing of it has left."))
    if one.request.state != "unconfirmed" or one.can_take_over:
        return told
    last = one.attempts[-1].asked_at if one.attempts else None
    when = f" Last asked {wording.moment(last)}." if last is not None else ""
    told.append(
        markup(
            "\nNobody knows yet whether it was paid. We keep asking the bank; the money is never sent again under "
            "another reference.{when}",
            when=when,
        )
    )
    if one.can_give_back:
        told.append(Html("Nothing was found of it for long, or what was found has failed: it can be given back."))
    return told


def _state_of(one: Card, attempt: Attempt) -> str:
    if one.can_take_over and attempt.state != "failed":
        return "was not sent"
    return _SEEN.get(attempt.seen) or _ATTEMPTS.get(attempt.state, attempt.state)


def _end(one: Card, people: People) -> Html:
    request = one.request
    at = "" if request.ended_at is None else f"{words.later(request.ended_at, request.created_at)} UTC"
    by = markup(" by {who}", who=_name(people, one.decided_by)) if one.decided_by else Html("")
    match request.state:
        case "completed":
            hand = by if request.mode == "manual" else Html("")
            return markup(
                "✅ paid{by} at {at}, reference <code>{reference}</code>", by=hand, at=at, reference=request.reference
            )
        case "rejected":
            return markup("✖️ rejected{by} at {at}: <i>{reason}</i>", by=by, at=at, reason=request.reason)
        case "failed":
            why = words.FAILURES.get(request.reason, request.reason)
            hand = by if request.reason == "by_hand" else Html("")
            return markup("⚠️ failed{by} at {at}. {why} The money went back.", by=hand, at=at, why=why)
        case _:
            why = ": its new terms were not confirmed in time" if request.reason == "expired" else " by the person"
            return markup("✖️ cancelled at {at}{why}. The money went back.", at=at, why=why)


def _rows(one: Card, *, private: bool) -> tuple[tuple[Button, ...], ...]:
    request = one.request
    show = Button("👁 Show account", Go(f"payout:{request.id}:show") if private else ShowAccount(request.id))
    seen = () if one.account_number is not None else (show,)
    if request.state == "pending":
        approve = () if request.again else (Button("✅ Approve", ApproveWithdrawal(request.id, request.approvals)),)
        decide = (*approve, Button("✖️ Reject", RejectWithdrawal(request.id)))
        return tuple(row for row in (decide, seen) if row)
    if request.state == "approved" and request.mode == "manual":
        pay = (Button("💸 Mark paid", MarkPaid(request.id)), Button("🚫 Cannot be paid", CannotPay(request.id)))
        again = (Button("🔁 Ask its owner again", AskOwnerAgain(request.id)),) if one.outdated else ()
        return tuple(row for row in (pay, again, seen) if row)
    hand = (Button("✋ Pay by hand", PayByHand(request.id)),) if one.can_take_over else ()
    if request.state == "approved":
        return (hand,) if hand else ()
    if request.state == "processing":
        return ((*hand, Button("🔍 Look again", LookAgain(request.id))),)
    if request.state == "unconfirmed" and hand:
        return ((*hand, Button("🔍 Look again", LookAgain(request.id))), *((seen,) if seen else ()))
    if request.state == "unconfirmed":
        back = (Button("↩️ Give back", GiveBack(request.id)),) if one.can_give_back else ()
        look = (Button("🔍 Look again", LookAgain(request.id)), Button("💸 Mark paid", MarkPaid(request.id)), *back)
        return tuple(row for row in (look, seen) if row)
    return ()


# --- told to the group ------------------------------------------------------------------------------------------------


def trouble(*, what: str, reference: str, detail: str, withdrawal: int) -> Screen:
    about = markup("Withdrawal #{id}, ", id=withdrawal) if withdrawal else Html("")
    text = lines(
        Html("🔴 <b>Payouts need somebody</b>"),
        markup("{about}<code>{reference}</code>", about=about, reference=reference) if reference else None,
        markup("{why}", why=_TROUBLE.get(what, what)),
        markup("The bank said: <i>{detail}</i>", detail=detail[:300]) if detail else None,
    )
    return Screen(text)


def switched(*, what: str, value: str, reason: str, by: PersonText | None) -> Screen:
    """A switch was turned. `by` None: the shop itself."""
    icon, words_of = _SWITCHED.get((what, value), ("🔀", f"{what}: {value}"))
    who = markup("By {who}", who=person(by)) if by is not None else Html("By the shop itself")
    text = lines(
        markup("{icon} <b>{words}</b>", icon=icon, words=words_of),
        markup("{who}: <i>{reason}</i>", who=who, reason=reason[:300]) if reason else who,
    )
    return Screen(text)


_SWITCHED = {
    ("mode", "automatic"): ("🏦", "Payouts are automatic now"),
    ("mode", "manual"): ("✋", "Payouts are made by hand now"),
    ("paused", "true"): ("⏸", "Payouts are paused"),
    ("paused", "false"): ("▶️", "Payouts go on"),
    ("stopped", "true"): ("🔴", "Automatic payouts are stopped"),
    ("stopped", "false"): ("▶️", "Automatic payouts go on"),
}

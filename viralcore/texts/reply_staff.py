"""What staff see of reply guys: submissions to decide, and the people with what they are paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from viralcore.core.money import Money
from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.core.spreadsheets import Cell
from viralcore.texts import wording
from viralcore.texts.actions import Go
from viralcore.texts.cards import PersonText, person
from viralcore.texts.replies import SubmissionText
from viralcore.texts.reply_actions import (
    ApproveFewer,
    ApproveReplies,
    AskGuy,
    AskReplyMoney,
    ConfirmReplyMoney,
    DemoteGuy,
    ExportGuys,
    PromoteGuy,
    RejectReplies,
)
from viralcore.texts.reply_words import on_day, replies

SHOWN_LINKS = 30


@dataclass(frozen=True, slots=True)
class RecordText:
    """What is known of who handed it in. `same_day`: replies of that day paid before."""

    approved: int
    rejected: int
    replies: int
    same_day: int


@dataclass(frozen=True, slots=True)
class GuyText:
    """`active`: with the role now. `balance`: what can be withdrawn."""

    who: PersonText
    active: bool
    replies: int
    paid: Money
    bonus: Money
    corrected: Money
    balance: Money
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class SumsText:
    people: int
    active: int
    replies: int
    paid: Money
    bonus: Money
    corrected: Money


def card(one: SubmissionText, who: PersonText, record: RecordText, *, by: PersonText | None) -> Screen:
    """The admin group's card. `by`: who decided."""
    return Screen(_facts(one, who, record, by), _buttons(one) if one.state == "pending" else ())


def submission(one: SubmissionText, who: PersonText, record: RecordText, *, by: PersonText | None) -> Screen:
    """The same in private, from the queue."""
    rows = _buttons(one) if one.state == "pending" else ()
    more = (Button("👤 The person", Go(f"rguy:{who.id}")),)
    return Screen(_facts(one, who, record, by), (*rows, more, wording.back_home("rq")), route=f"rs:{one.id}")


def _facts(one: SubmissionText, who: PersonText, record: RecordText, by: PersonText | None) -> Html:
    return lines(
        markup("💬 <b>Replies to check</b>, submission #{id}", id=one.id),
        markup("From {who}", who=person(who)),
        markup("Sent {at}\n", at=wording.moment(one.sent_at)),
        markup("<b>{what}</b>, pays {money}", what=one.what, money=wording.money(one.promised)),
        *(markup("{n}. {link}", n=n, link=link) for n, link in enumerate(one.links[:SHOWN_LINKS], start=1)),
        markup("and {n} more", n=len(one.links) - SHOWN_LINKS) if len(one.links) > SHOWN_LINKS else None,
        markup(
            "\nBefore: {approved} approved, {rejected} rejected, {paid} paid in all.",
            approved=wording.count(record.approved, "submission"),
            rejected=record.rejected,
            paid=replies(record.replies),
        ),
        _same_day(one, record),
        _end(one, by),
    )


def _same_day(one: SubmissionText, record: RecordText) -> Html | None:
    if not record.same_day or one.state != "pending":
        return None
    return markup(
        "⚠️ {paid} of {day} were paid before: is this more of them, or the same?",
        paid=replies(record.same_day),
        day=on_day(one.day),
    )


def _end(one: SubmissionText, by: PersonText | None) -> Html | None:
    name = person(by) if by is not None else Html("staff")
    if one.state == "approved":
        part = "all" if one.approved == one.count else f"{one.approved} of {one.count}"
        return markup("\n✅ Approved by {who}: {part}, {money}", who=name, part=part, money=wording.money(one.paid))
    if one.state == "rejected":
        return markup("\n✖️ Rejected by {who}: {reason}", who=name, reason=one.reason)
    return Html("\n↩️ Taken back by the sender") if one.state == "withdrawn" else None


def _buttons(one: SubmissionText) -> tuple[tuple[Button, ...], ...]:
    everything = Button("✅ Approve" if one.count == 1 else f"✅ Approve all {one.count}", ApproveReplies(one.id))
    fewer = (Button("✂️ Approve fewer", ApproveFewer(one.id)),) if one.count > 1 else ()
    return ((everything, *fewer), (Button("✖️ Reject", RejectReplies(one.id)),))


def queue(
    found: Sequence[tuple[SubmissionText, PersonText]], *, total: int, newer: int | None, first: bool = True
) -> Screen:
    """Oldest first. `first`: this is the first page; `newer`: the id after which there are more."""
    text = lines(
        markup("💬 <b>Replies to check</b>: {n}", n=total),
        None if found else Html("\nNothing waits."),
        *(
            markup(
                "\n#{id} {who}\n{what}, {at}", id=one.id, who=person(who), what=one.what, at=wording.moment(one.sent_at)
            )
            for one, who in found
        ),
    )
    ways = [Button(f"#{one.id} {one.what}"[:40], Go(f"rs:{one.id}")) for one, _ in found]
    rows = [tuple(ways[i : i + 2]) for i in range(0, len(ways), 2)]
    pages = [
        *([] if first else [Button("⏮ Oldest", Go("rq"))]),
        *([] if newer is None else [Button("⏫ Newer", Go(f"rq:{newer}"))]),
    ]
    moves = (tuple(pages),) if pages else ()
    return Screen(text, (*rows, *moves, (GUYS,), wording.back_home("admin")), route="rq")


GUYS = Button("🧑‍💻 Reply guys", Go("rguys"))
QUEUE = Button("💬 Replies to check", Go("rq"))


def ask_fewer(*, submission_id: int, count: int, problem: Html | None = None) -> Html:
    return lines(
        markup("⚠️ {problem}", problem=problem) if problem else None,
        markup("How many of the {count} in submission #{id} are good? Send a number.", count=count, id=submission_id),
    )


def ask_reason(*, submission_id: int) -> Html:
    return markup(
        "Why is submission #{id} rejected? Send the reason in one line, the person will read it.", id=submission_id
    )


def approved(*, submission_id: int, count: int, money: Money) -> Html:
    return markup(
        "✅ Submission #{id}: {n} approved, {money} paid.",
        id=submission_id,
        n=replies(count),
        money=wording.money(money),
    )


def rejected(*, submission_id: int) -> Html:
    return markup("✖️ Submission #{id} is rejected, and the person was told why.", id=submission_id)


# --- people -----------------------------------------------------------------------------------------------------------


def guys(found: Sequence[GuyText], sums: SumsText, *, page: int, more: bool, may_export: bool) -> Screen:
    """A page of them, numbered from 0, with the sums over all."""
    text = lines(
        markup("🧑‍💻 <b>Reply guys</b>: {active} active, {people} in all", active=sums.active, people=sums.people),
        markup(
            "{n} paid: {paid}. Bonuses {bonus}, corrections {corrected}.",
            n=replies(sums.replies),
            paid=wording.money(sums.paid),
            bonus=wording.money(sums.bonus),
            corrected=wording.money(sums.corrected),
        ),
        None if found else Html("\nNobody yet. Find a person and promote them."),
        *(
            markup(
                "\n{mark} {who}\n{n}, {paid} paid, balance {balance}",
                mark="🟢" if one.active else "⚪",
                who=person(one.who),
                n=replies(one.replies),
                paid=wording.money(one.paid),
                balance=wording.money(one.balance),
            )
            for one in found
        ),
    )
    ways = [Button(f"👤 {one.who.name}"[:30], Go(f"rguy:{one.who.id}")) for one in found]
    rows = [tuple(ways[i : i + 2]) for i in range(0, len(ways), 2)]
    turn = [Button("⬅️ Before", Go(f"rguys:{page - 1}"))] if page else []
    turn += [Button("Next ➡️", Go(f"rguys:{page + 1}"))] if more else []
    find = Button("🔎 Find a person", AskGuy())
    export = (
        (Button("📄 Export CSV", ExportGuys("csv")), Button("📊 Export XLSX", ExportGuys("xlsx"))) if may_export else ()
    )
    tail = tuple(row for row in (tuple(turn), (find,), export, (QUEUE,)) if row)
    return Screen(text, (*rows, *tail, wording.back_home("admin")), route="rguys")


def guy(one: GuyText, *, may_pay: bool) -> Screen:
    """One person. `may_pay`: whether who looks may give bonuses and correct."""
    text = lines(
        markup("👤 {who}", who=person(one.who)),
        Html("🟢 Reply guy\n") if one.active else Html("⚪ Not a reply guy\n"),
        markup("Paid: <b>{n}</b>, {money}", n=replies(one.replies), money=wording.money(one.paid)),
        markup(
            "Bonuses {bonus}, corrections {corrected}",
            bonus=wording.money(one.bonus),
            corrected=wording.money(one.corrected),
        ),
        markup("Reply balance: <b>{money}</b>", money=wording.money(one.balance)),
        markup("Last paid {at}", at=wording.moment(one.last_at)) if one.last_at else None,
    )
    change = Button("⛔ Demote", DemoteGuy(one.who.id)) if one.active else Button("🎉 Promote", PromoteGuy(one.who.id))
    give = (
        (
            Button("🎁 Bonus", AskReplyMoney(one.who.id, "bonus")),
            Button("🧮 Correct", AskReplyMoney(one.who.id, "correction")),
        )
        if may_pay
        else ()
    )
    return Screen(
        text, tuple(row for row in ((change,), give, wording.back_home("rguys")) if row), route=f"rguy:{one.who.id}"
    )


def ask_guy(*, problem: str = "") -> Screen:
    text = lines(
        markup("⚠️ I know nobody called {typed}. They must have started the bot once.\n", typed=problem)
        if problem
        else None,
        Html("Who? Send their Telegram id or @name."),
    )
    return Screen(text, (wording.back_home("rguys"),))


def ask_money(*, user_id: int, kind: str, balance: Money, problem: Html | None = None) -> Screen:
    what = (
        Html("🎁 <b>Bonus</b>\n\nSend the amount in naira and the reason, like <code>500 great week</code>.")
        if kind == "bonus"
        else Html(
            "🧮 <b>Correction</b>\n\nSend the amount in naira and the reason. With a minus it is taken away, like "
            "<code>-150 counted twice</code>."
        )
    )
    text = lines(
        markup("⚠️ {problem}\n", problem=problem) if problem else None,
        what,
        markup("\nTheir reply balance now: {money}. They will read the reason.", money=wording.money(balance)),
    )
    return Screen(text, (wording.back_home(f"rguy:{user_id}"),))


def confirm_money(who: PersonText, *, kind: str, amount: Money, reason: str, balance: Money) -> Screen:
    text = lines(
        markup(
            "<b>{what} of {amount} for {who}?</b>",
            what="Bonus" if kind == "bonus" else "Correction",
            amount=wording.money(amount),
            who=person(who),
        ),
        markup("Reason: {reason}", reason=reason),
        markup(
            "\nReply balance: {before} → {after}",
            before=wording.money(balance),
            after=wording.money(balance + amount),
        ),
    )
    yes = Button("✅ Confirm", ConfirmReplyMoney(who.id, kind, amount.minor))
    return Screen(text, ((yes, Button("✖️ Cancel", Go(f"rguy:{who.id}"))), wording.back_home(f"rguy:{who.id}")))


def export_coming() -> Html:
    return Html("📄 The list is being written. I send it to you here in a moment.")


def sheet(found: Sequence[GuyText]) -> list[list[Cell]]:
    """The rows of the export: a head, then one for each person. Amounts are naira, moments UTC."""
    head = ["id", "name", "username", "active", "replies", "paid_ngn", "bonus_ngn", "corrections_ngn", "balance_ngn"]
    return [
        [*head, "last_paid_utc"],
        *(
            [
                one.who.id,
                one.who.name,
                one.who.handle or "",
                "yes" if one.active else "no",
                one.replies,
                *(each.decimal for each in (one.paid, one.bonus, one.corrected, one.balance)),
                one.last_at,
            ]
            for one in found
        ),
    ]


def sheet_caption(*, people: int, at: date) -> Html:
    folk = "1 person" if people == 1 else f"{people:,} people"
    return markup("📄 Reply guys on {at}: {folk}.", at=on_day(at), folk=folk)

"""What reply guys see: Task 2 Earn, their panel, handing in, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from viralcore.core.money import Money
from viralcore.core.screen import Button, Html, Picture, Screen, lines, markup
from viralcore.texts import buttons, reply_errors, reply_words, wording
from viralcore.texts.actions import Go
from viralcore.texts.pictures import replies as chart
from viralcore.texts.reply_actions import (
    AskProof,
    AskReplies,
    ConfirmReport,
    GiveUpTask,
    TakeBackReplies,
    TakeTask,
    TakeVerifiedTask,
)

EARN, PANEL = buttons.EARN, buttons.REPLIES
HAND_IN = Button("✍️ Submit replies", AskReplies())
STATES = {
    "pending": "⏳ being checked",
    "approved": "✅ approved",
    "rejected": "✖️ rejected",
    "withdrawn": "↩️ taken back",
}
CLAIMS = {
    "claimed": "▶️ send your link",
    "submitted": "⏳ being checked",
    "approved": "✅ approved",
    "rejected": "✖️ rejected",
    "expired": "⌛ time is over",
}


@dataclass(frozen=True, slots=True)
class SubmissionText:
    """`kind`: count | links. `paid`: for what was approved."""

    id: int
    kind: str
    count: int
    day: date
    links: tuple[str, ...]
    rate: Money
    state: str
    approved: int
    paid: Money
    reason: str
    sent_at: datetime

    @property
    def what(self) -> str:
        """``12 replies on Wednesday 25 Nov``, ``3 links``."""
        return reply_words.reported(self.count, self.day) if self.kind == "count" else wording.count(self.count, "link")

    @property
    def promised(self) -> Money:
        return Money(self.rate.minor * self.count, self.rate.asset)


@dataclass(frozen=True, slots=True)
class PanelText:
    """`days`: oldest first, the last is today."""

    active: bool
    rate: Money
    today: int
    week: int
    total: int
    earned: Money
    balance: Money
    held: Money
    days: tuple[tuple[date, int], ...]
    pending: SubmissionText | None


@dataclass(frozen=True, slots=True)
class TaskText:
    """A post that still needs something. `wanted`: metric, how many are free, and how many of these are for verified
    accounts. `plain`: whether anything is for everybody."""

    post_id: int
    link: str
    wanted: tuple[tuple[str, int, int], ...]
    left: timedelta
    plain: bool = True

    @property
    def free(self) -> str:
        return wording.join(
            [wording.metric(name, free) + wording.verified(some, free) for name, free, some in self.wanted if free]
        )

    @property
    def verified(self) -> bool:
        return any(some for _, _, some in self.wanted)


@dataclass(frozen=True, slots=True)
class WorkText:
    """A task that somebody took. `metrics`: what they do, one of each; `pays`: for that, when it is approved."""

    claim_id: int
    post_id: int
    link: str
    metrics: tuple[str, ...]
    state: str
    proofs: tuple[str, ...]
    reason: str
    left: timedelta
    pays: Money
    verified: bool = False


# --- Task 2 Earn ------------------------------------------------------------------------------------------------------


def newcomer(*, rate: Money, contact: str, earned: bool = False) -> Screen:
    """For people who are not reply guys: what it is, and how one becomes one. `earned`: they were one, and have a
    panel."""
    text = markup(
        "🧑‍💻 <b>Task 2 Earn</b>\n\nOur reply guys write real replies under posts, from their own accounts, and are "
        "paid <b>{rate}</b> for each one that we approve. The money goes to a reply balance, which they withdraw to "
        "their bank.\n\nYou are not a reply guy {now}. To become one, write to {contact} and tell them which "
        "account you reply from.",
        rate=wording.money(rate),
        now="at the moment" if earned else "yet",
        contact=contact,
    )
    chat = Button("💬 Become a reply guy", url=f"https://t.me/{contact.lstrip('@')}")
    rows = ((chat,), (PANEL,)) if earned else ((chat,),)
    return Screen(text, (*rows, wording.back_home()), route="tasks")


def tasks(
    *,
    rate: Money,
    open_ones: Sequence[TaskText],
    mine: Sequence[WorkText],
    offset: int = 0,
    more: int | None = None,
) -> Screen:
    """`mine`: what this person took and has not finished. A page from `offset` on; `more`: where the next begins."""
    if open_ones:
        told = Html("These posts still need replies. Take one, reply under it from your own account, send me the link.")
    elif offset:
        told = Html("There are no more.")
    else:
        told = Html("No post needs replies at the moment. Look again later: new ones come all day.")
    text = lines(
        markup(
            "🧑‍💻 <b>Task 2 Earn</b>\n\nYou are paid <b>{rate}</b> for each approved reply.", rate=wording.money(rate)
        ),
        Html("\n<b>Yours</b>") if mine else None,
        *(markup("{link}\n{state}", link=one.link, state=CLAIMS.get(one.state, one.state)) for one in mine),
        None if mine and more is not None and not open_ones else markup("\n{told}", told=told),
        *(markup("\n{link}\nWanted: {free}, {left} left", link=t.link, free=t.free, left=_left(t)) for t in open_ones),
    )
    rows: list[tuple[Button, ...]] = [
        (Button(f"▶️ My task {_short(one.link)}", Go(f"work:{one.claim_id}")),) for one in mine
    ]
    rows += [_take(one) for one in open_ones]
    pages = [
        *([Button("⏮ First", Go("tasks"))] if offset else []),
        *([Button("More ▶️", Go(f"tasks:{more}"))] if more is not None else []),
    ]
    tail = tuple(row for row in (tuple(pages), (HAND_IN, PANEL), wording.back_home()) if row)
    return Screen(text, (*rows, *tail), route=f"tasks:{offset}" if offset else "tasks")


def _take(one: TaskText) -> tuple[Button, ...]:
    """One button for everybody, one for people with a verified account, as long as there is something for them."""
    short = _short(one.link)
    plain = (Button(f"✋ Take {short}", TakeTask(one.post_id)),) if one.plain else ()
    label = "☑️ Take, verified" if one.plain else f"☑️ Take, verified {short}"
    return (*plain, *((Button(label, TakeVerifiedTask(one.post_id)),) if one.verified else ()))


def work(one: WorkText) -> Screen:
    """One task that was taken."""
    what = wording.join([wording.metric(name, 1) for name in one.metrics])
    if one.verified:
        what += ", from a verified account"
    head = markup("🧑‍💻 <b>Your task</b>\n\n{link}\n\nYour task: {what}", link=one.link, what=what)
    rows: list[tuple[Button, ...]] = []
    pays: Html | None = None
    if one.state in ("claimed", "submitted") and one.pays.minor:
        pays = markup("It pays {money} when it is approved.", money=wording.money(one.pays))
    if one.state == "claimed":
        told = markup(
            "Open the post, do it from your own account, then send me the link of your {what}. You have {left}.",
            what="reply" if "comments" in one.metrics else "profile",
            left=wording.span(one.left),
        )
        rows.append((Button("✅ I did it: send the link", AskProof(one.claim_id)),))
        rows.append((Button("↩️ Give it back", GiveUpTask(one.claim_id)),))
    elif one.state == "submitted":
        told = lines(Html("Your proof is being checked. You will hear from us."), *_links(one.proofs))
        rows.append((Button("🔁 Send another link instead", AskProof(one.claim_id)),))
    elif one.state == "rejected":
        told = markup("It was rejected: {reason}", reason=one.reason)
    elif one.state == "expired":
        told = Html("Your time for it has run out. If the post still needs replies, take it again.")
    else:
        told = Html("It was approved. Thank you!")
    return Screen(
        lines(head, pays, markup("\n{told}", told=told)),
        (*rows, wording.back_home("tasks")),
        route=f"work:{one.claim_id}",
    )


def ask_proof(*, link: str, problem: Html | None = None, claim_id: int, replied: bool = True) -> Screen:
    """`replied` False: only reposted or reacted, which has no link of its own."""
    what = (
        "Send the link of <b>your reply</b> under" if replied else "Send the link of <b>your profile</b>. The post was"
    )
    text = lines(
        markup("⚠️ {problem}\n", problem=problem) if problem else None,
        markup("{what}\n{link}", what=Html(what), link=link),
    )
    return Screen(text, (wording.back_home(f"work:{claim_id}"),))


# --- the panel --------------------------------------------------------------------------------------------------------


def panel(one: PanelText, *, shop: str, withdraw: bool) -> Screen:
    """`withdraw`: whether money can be taken out here."""
    text = lines(
        Html("📊 <b>Reply Guys Panel</b>\n"),
        None if one.active else Html("You are not a reply guy at the moment. What you earned is yours.\n"),
        markup("Today: <b>{n}</b>", n=reply_words.replies(one.today)),
        markup("This week: <b>{n}</b>", n=reply_words.replies(one.week)),
        markup("Total: <b>{n}</b>, {money} earned", n=reply_words.replies(one.total), money=wording.money(one.earned)),
        markup("Balance: <b>{money}</b>", money=wording.money(one.balance)),
        markup("On its way to your bank: {money}", money=wording.money(one.held)) if one.held.minor else None,
        markup("\nEach approved reply pays {rate}.", rate=wording.money(one.rate)) if one.active else None,
        markup("\n⏳ Being checked: {what}", what=one.pending.what) if one.pending else None,
    )
    rows: list[tuple[Button, ...]] = []
    if one.pending is not None:
        rows.append((Button("↩️ Take it back", TakeBackReplies(one.pending.id)),))
    elif one.active:
        rows.append((HAND_IN,))
    out = (Button("🏦 Withdraw", Go("withdraw:reply")),) if withdraw else ()
    rows.append((*out, Button("🧾 Submissions", Go("replylog"))))
    if one.active:
        rows.append((EARN,))
    rows.append(wording.back_home("menu"))
    picture = Picture("replies", chart.recipe(shop=shop, days=one.days))
    return Screen(text, tuple(rows), picture=picture, route="replies")


def log(found: Sequence[SubmissionText], *, older: int | None) -> Screen:
    """What was handed in, newest first. `older`: the id to go on from."""
    told = [_told(one) for one in found]
    text = lines(
        Html("🧾 <b>Your submissions</b>"),
        *(markup("\n{told}", told=each) for each in told),
        None if told else Html("\nNothing yet. Send me the links of your replies, or their number and the day."),
    )
    more = ((Button("⏬ Older", Go(f"replylog:{older}")),),) if older is not None else ()
    return Screen(text, (*more, wording.back_home("replies")), route="replylog")


def _told(one: SubmissionText) -> Html:
    head = markup("<b>#{id}</b> {at}\n{what}", id=one.id, at=wording.moment(one.sent_at), what=one.what)
    state = STATES.get(one.state, one.state)
    if one.state == "approved":
        part = "" if one.approved == one.count else f" {one.approved} of {one.count}"
        end = markup("{state}{part}: {money}", state=state, part=part, money=wording.money(one.paid))
    elif one.state == "rejected":
        end = markup("{state}: {reason}", state=state, reason=one.reason)
    else:
        end = markup("{state}", state=state)
    return lines(head, end)


# --- handing in -------------------------------------------------------------------------------------------------------


def ask(*, rate: Money, most: int, back: int, problem: Html | None = None) -> Screen:
    """How replies are handed in; with what was wrong with the line before."""
    text = lines(
        markup("⚠️ {problem}\n", problem=problem) if problem else None,
        Html("✍️ <b>Submit replies</b>\n\nSend me one of these:\n"),
        markup("• the <b>links</b> of your replies, up to {most} in one message;", most=most),
        markup(
            "• or their <b>number and the day</b>, like <code>12, Wednesday</code> or <code>8 today</code>, at most "
            "{back} days back.",
            back=back,
        ),
        markup("\nEach approved reply pays {rate}.", rate=wording.money(rate)),
    )
    return Screen(text, (wording.back_home("replies"),))


def confirm_report(*, count: int, day: date, pays: Money) -> Screen:
    text = markup(
        "<b>{what}?</b>\n\nIf all of them are approved, you get {pays}. Is that right?",
        what=reply_words.reported(count, day),
        pays=wording.money(pays),
    )
    yes = Button("✅ Confirm", ConfirmReport(count, day.isoformat()))
    rows = (
        (yes, Button("✖️ Cancel", Go("replies"))),
        (Button("✍️ Change it", AskReplies()),),
        wording.back_home("replies"),
    )
    return Screen(text, rows)


def sent(one: SubmissionText, *, problems: Sequence[tuple[str, str]]) -> Screen:
    """Handed in. `problems`: links of the message that were not taken."""
    text = lines(
        markup("📨 <b>Submission #{id} is sent</b>\n\n{what}", id=one.id, what=one.what),
        *_links(one.links),
        markup(
            "\nOur team will look at it. If all of it is approved, you get {pays}. You will hear from me.",
            pays=wording.money(one.promised),
        ),
        markup("\nNot taken:\n{told}", told=reply_errors.problems(list(problems))) if problems else None,
    )
    rows = ((Button("↩️ Take it back", TakeBackReplies(one.id)),), (PANEL,), wording.back_home("replies"))
    return Screen(text, rows)


def waiting(one: SubmissionText) -> Screen:
    """The one before is not decided yet."""
    text = markup(
        "⏳ <b>One at a time</b>\n\nYour submission #{id} is still being checked: {what}, sent {at}.\n\nYou can send "
        "the next one when it is decided, or take that one back and send everything together.",
        id=one.id,
        what=one.what,
        at=wording.moment(one.sent_at),
    )
    return Screen(text, ((Button("↩️ Take it back", TakeBackReplies(one.id)),), (PANEL,), wording.back_home("replies")))


def taken_back(one: SubmissionText) -> Screen:
    text = markup("↩️ Submission #{id} is taken back: {what}. Nobody will check it.", id=one.id, what=one.what)
    return Screen(text, ((HAND_IN, PANEL), wording.back_home("replies")))


def _links(found: Sequence[str]) -> list[Html]:
    told = [markup("• {link}", link=link) for link in found[:10]]
    return [*told, *([markup("• and {n} more", n=len(found) - 10)] if len(found) > 10 else [])]


def _left(one: TaskText) -> str:
    return wording.span(one.left)


def _short(link: str) -> str:
    """``x.com/shop…123`` for a button."""
    bare = link.removeprefix("https://")
    return bare if len(bare) <= 28 else f"{bare[:16]}…{bare[-8:]}"

"""The affiliate program: the link, what it earns, and what is told of it. Nobody's name is ever in here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote

from viralcore.core.money import Money
from viralcore.core.screen import Button, Html, Picture, Screen, lines, markup
from viralcore.texts import buttons, wording
from viralcore.texts.actions import Go

INVITATION = "Likes, views and comments for your posts on X and Telegram. Start here:"
LATEST = 5
PRIVATE = "a custom plan"
"""In place of the name of a plan that was made for one person."""


@dataclass(frozen=True, slots=True)
class AffiliateText:
    """What a person's link has done. `earned`, `this_month`: less what was taken back."""

    link: str
    percent: Decimal
    people: int
    active: int
    earned: Money
    this_month: Money
    available: Money
    receivable: Money


@dataclass(frozen=True, slots=True)
class CommissionText:
    """A commission, or below zero one taken back. `title`: what was bought, empty when it is no longer sold."""

    amount: Money
    title: str
    at: datetime


def program(one: AffiliateText, *, withdraw: bool) -> Screen:
    """`withdraw`: there is a way to take the money out."""
    text = lines(
        markup(
            "🤝 <b>Affiliate Program</b>\n\nShare your link. Whenever somebody who first came through it buys "
            "something, you get <b>{percent}</b> of what they pay, at once. Bonus money does not count, and the "
            "commission of a refunded purchase is taken back.\n",
            percent=_percent(one.percent),
        ),
        markup("Your link:\n<code>{link}</code>\n", link=one.link),
        markup("👥 People who came: <b>{n}</b>", n=f"{one.people:,}"),
        markup("🛍 Of them, bought something: <b>{n}</b>", n=f"{one.active:,}"),
        markup("📈 Earned in total: <b>{money}</b>", money=wording.money(one.earned)),
        markup("🗓 This month: <b>{money}</b>", money=wording.money(one.this_month)),
        markup("💵 Affiliate balance: <b>{money}</b>", money=wording.money(one.available)),
        _owed(one.receivable),
    )
    share = Button("📣 Share", Go("share"))
    earnings = Button("📊 Earnings", Go("earnings"))
    move = Button("🔁 Move to wallet", Go("move"))
    out = (Button("🏧 Withdraw", Go("withdraw:affiliate")),) if withdraw else ()
    return Screen(text, ((share, earnings), (*out, move), wording.back_home()), route="affiliate")


def share(*, link: str, percent: Decimal) -> Screen:
    """The link as a picture to be scanned, to copy, and to send on."""
    text = markup(
        "📣 <b>Share your link</b>\n\n<code>{link}</code>\n\nSend it to friends, put it into your profile, or let "
        "somebody scan the code. It counts for people who have never used this bot before; you get {percent} of "
        "everything they pay for.",
        link=link,
        percent=_percent(percent),
    )
    on = f"https://t.me/share/url?url={quote(link, safe='')}&text={quote(INVITATION, safe='')}"
    rows = (
        (Button("📨 Send to friends", url=on), Button("📋 Copy link", copy=link)),
        wording.back_home("affiliate"),
    )
    return Screen(text, rows, picture=Picture("qr", link), route="share")


def earnings(
    *, chart: str, months: int, earned: Money, receivable: Money, latest: Sequence[CommissionText], more: bool
) -> Screen:
    """`chart`: the recipe of the picture. `earned`: in the months it shows. `more`: there are older commissions."""
    text = lines(
        Html("📊 <b>Earnings</b>\n"),
        markup("In the last {n} months: <b>{money}</b>", n=months, money=wording.money(earned)),
        _owed(receivable),
        Html("\n<b>Last commissions</b>")
        if latest
        else Html("\nNo commissions yet. Share your link to earn the first."),
        *(_line(one) for one in latest),
    )
    rows = ((Button("📜 All commissions", Go("commissions")),) if more else (), wording.back_home("affiliate"))
    return Screen(text, tuple(row for row in rows if row), picture=Picture("earnings", chart), route="earnings")


def commissions(*, shown: Sequence[CommissionText], older: str | None, first: bool) -> Screen:
    """`older`: the route of the next page."""
    text = lines(
        Html("📜 <b>All commissions</b>\n\nNewest first.\n"),
        *(_line(one) for one in shown),
        None if shown else Html("There are no more." if not first else "None yet. Share your link to earn the first."),
    )
    back = "earnings" if first else "commissions"
    rows = ((Button("⏬ Older", Go(older)),) if older else (), wording.back_home(back))
    return Screen(text, tuple(row for row in rows if row), route="commissions")


def _line(one: CommissionText) -> Html:
    what = f", {one.title}" if one.title else ""
    if one.amount.minor < 0:
        return markup(
            "↩️ -{money} taken back{what} · {at}", money=wording.money(-one.amount), what=what, at=wording.moment(one.at)
        )
    return markup("➕ {money}{what} · {at}", money=wording.money(one.amount), what=what, at=wording.moment(one.at))


def _owed(receivable: Money) -> Html | None:
    if receivable.minor <= 0:
        return None
    return markup(
        "↩️ Still to be taken from your next commissions: <b>{money}</b>, for purchases that were refunded.",
        money=wording.money(receivable),
    )


def _percent(percent: Decimal) -> str:
    return f"{percent.normalize():f}%"


# --- told without having asked ----------------------------------------------------------------------------------------


def commission(*, title: str, amount: Money, owed_before: Money) -> Screen:
    """`owed_before`: what of it paid back an earlier reversal."""
    text = lines(
        markup("🎉 <b>You earned {money}</b>", money=wording.money(amount)),
        markup("Somebody you referred bought {what}.", what=title or "something"),
        Html(""),
        _where(amount, owed_before),
    )
    return Screen(text, ((buttons.AFFILIATE, buttons.HOME),))


def _where(amount: Money, owed_before: Money) -> Html:
    if owed_before.minor <= 0:
        return Html("It is in your affiliate balance, ready to use.")
    if owed_before == amount:
        return Html("All of it makes up for refunded purchases whose commission you had used already.")
    return markup(
        "{owed} of it makes up for refunded purchases whose commission you had used already; {rest} is in your "
        "affiliate balance.",
        owed=wording.money(owed_before),
        rest=wording.money(amount - owed_before),
    )


def commission_back(*, title: str, amount: Money, receivable: Money) -> Screen:
    """`receivable`: what the balance did not have."""
    text = lines(
        markup("↩️ <b>A commission of {money} was taken back</b>", money=wording.money(amount)),
        markup("Somebody you referred got money back for {what}.", what=title or "a purchase"),
        Html(""),
        _whence(amount, receivable),
    )
    return Screen(text, ((buttons.AFFILIATE, buttons.SUPPORT), (buttons.HOME,)))


def _whence(amount: Money, receivable: Money) -> Html:
    if receivable.minor <= 0:
        return Html("It was taken from your affiliate balance.")
    if receivable == amount:
        return Html("Your affiliate balance has nothing free, so it will be taken from your next commissions.")
    return markup(
        "{taken} was taken from your affiliate balance; the rest, {rest}, will be taken from your next commissions.",
        taken=wording.money(amount - receivable),
        rest=wording.money(receivable),
    )

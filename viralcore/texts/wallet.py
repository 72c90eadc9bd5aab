"""Money and posts a person has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from viralcore.core.money import NGN, USD, Money
from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import buttons, wording
from viralcore.texts.actions import Go

_NOTHING = Money(0, USD)
_NO_PAY = Money(0, NGN)


def balance(
    *,
    wallet: Money,
    bonus: Money,
    posts: Sequence[tuple[str, int]],
    affiliate: Money = _NOTHING,
    reply: Money = _NO_PAY,
    open_invoices: int = 0,
) -> Screen:
    """One balance is shown; how much of it is bonus money is said, because bonus money is spent first."""
    text = lines(
        markup("💰 <b>My Balance</b>\n\nWallet: <b>{money}</b>", money=wording.money(wallet + bonus)),
        markup("of which bonus, spent first: {bonus}", bonus=wording.money(bonus)) if bonus.minor else None,
        markup("Affiliate balance: <b>{money}</b>", money=wording.money(affiliate)) if affiliate.minor > 0 else None,
        markup("Reply balance: <b>{money}</b>", money=wording.money(reply)) if reply.minor > 0 else None,
        Html("\n🎟 <b>Posts left</b>"),
        *(markup("{title}: <b>{n}</b>", title=title, n=f"{left:,}") for title, left in posts),
        None if posts else Html("None yet. You find the plans in the Service Menu."),
    )
    move = (Button("🔁 Move to wallet", Go("move")),) if affiliate.minor > 0 else ()
    waiting = (Button(f"🧾 Open invoices ({open_invoices})", Go("invoices:open")),) if open_invoices else ()
    rows = (
        (buttons.TOPUP, buttons.WITHDRAW),
        move,
        waiting,
        (Button("🧾 History", Go("history")), Button("🎟 Credits", Go("credits"))),
        (buttons.MENU,),
        wording.back_home(),
    )
    return Screen(text, tuple(row for row in rows if row), route="balance")


def credits_screen(rows_of: Sequence[tuple[str, str, int, datetime | None, bool]]) -> Screen:
    """`rows_of`: plan id, title, posts left, when it ends (most never do), whether it has."""
    if not rows_of:
        text = Html("🎟 <b>Credits: your posts left</b>\n\nYou have no posts left. Buy a plan, then send me links.")
        return Screen(text, ((buttons.MENU,), wording.back_home("balance")), route="credits")
    text = lines(
        Html(
            "🎟 <b>Credits: your posts left</b>\n\nEach one boosts one post. They do not expire, unless a date is "
            "said.\n"
        )
        if any(until for *_, until, _ in rows_of)
        else Html("🎟 <b>Credits: your posts left</b>\n\nEach one boosts one post. They do not expire.\n"),
        *(
            markup("{title}: <b>{n}</b>{end}", title=title, n=wording.count(left, "post"), end=_end(until, ended))
            for _, title, left, until, ended in rows_of
        ),
    )
    more = [
        Button(title if plan.startswith("custom-") else f"Buy more {title}", Go(f"plan:{plan}"))
        for plan, title, *_ in rows_of
    ]
    rows = [tuple(more[i : i + 2]) for i in range(0, len(more), 2)]
    return Screen(text, ((buttons.SUBMIT,), *rows, wording.back_home("balance")), route="credits")


def _end(until: datetime | None, ended: bool) -> str:
    if until is None:
        return ""
    return f", ended on {wording.moment(until)}" if ended else f", until {wording.moment(until)}"


MOVEMENTS = {
    "deposit": "payment received",
    "purchase": "purchase",
    "boost": "order placed",
    "refund": "refund",
    "commission": "commission",
    "reply_pay": "replies paid",
    "withdrawal": "withdrawal",
    "fee": "fee",
    "adjustment": "correction by staff",
    "import": "brought over from the old bot",
    "transfer": "moved from the affiliate balance to the wallet",
}


def movement(*, kind: str, amount: Money, plan: str | None) -> tuple[str, str]:
    """A line of the history: the signed amount (``+$5.25``, ``-1 post of X Tier 3``) and what it was."""
    if kind == "commission" and amount.minor < 0:
        return f"-{wording.money(-amount)}", "commission taken back"
    sign = "+" if amount.minor >= 0 else "-"
    size = Money(abs(amount.minor), amount.asset)
    shown = wording.money(size) if plan is None else f"{wording.count(size.minor, 'post')} of {plan}"
    return f"{sign}{shown}", MOVEMENTS.get(kind, "movement")

"""Messages to reply guys: what became of what they handed in, money by hand, and their role. Buttons only look."""

from __future__ import annotations

from viralcore.core.money import Money
from viralcore.core.screen import Html, Screen, lines, markup
from viralcore.texts import buttons, reply_words, wording
from viralcore.texts.replies import SubmissionText


def decided(one: SubmissionText) -> Screen:
    """The message to its person."""
    if one.state == "approved":
        less = one.count - one.approved
        text = lines(
            markup(
                "✅ <b>{n} approved</b>\n\nSubmission #{id}, {what}: <b>{money}</b> is in your reply balance.",
                n=reply_words.replies(one.approved),
                id=one.id,
                what=one.what,
                money=wording.money(one.paid),
            ),
            markup("{n} could not be counted.", n=reply_words.replies(less)) if less else None,
        )
        return Screen(text, ((buttons.REPLIES,), (buttons.HOME,)))
    text = markup(
        "✖️ <b>Not approved</b>\n\nSubmission #{id}, {what}.\nReason: {reason}\n\nNothing was paid for it. You can send "
        "it again when that is put right.",
        id=one.id,
        what=one.what,
        reason=one.reason,
    )
    return Screen(text, ((buttons.REPLIES,), (buttons.HOME,)))


def paid(*, kind: str, amount: Money, reason: str) -> Screen:
    """A bonus, a correction, or an approved task. `amount` zero: a task whose reply was counted before."""
    size = wording.money(Money(abs(amount.minor), amount.asset))
    if kind == "bonus":
        text = markup(
            "🎁 <b>A bonus of {size}</b>\n\n{reason}\n\nIt is in your reply balance.", size=size, reason=reason
        )
    elif kind == "correction":
        way = "added to" if amount.minor > 0 else "taken from"
        text = markup(
            "🧮 <b>A correction</b>\n\n{size} was {way} your reply balance.\nReason: {reason}",
            size=size,
            way=way,
            reason=reason,
        )
    elif amount.minor:
        text = markup("💰 <b>{size} for your task</b>\n\nIt is in your reply balance.", size=size)
    else:
        text = Html(
            "💰 <b>No second pay for your task</b>\n\nThe same reply is counted in a submission of yours or in another "
            "task. Every reply is paid once."
        )
    return Screen(text, ((buttons.REPLIES,), (buttons.HOME,)))


def role(*, active: bool, rate: Money) -> Screen:
    """Promoted or demoted."""
    if not active:
        text = Html(
            "You are no longer a reply guy here. What you earned stays yours, and what is being checked will still be "
            "decided."
        )
        return Screen(text, ((buttons.REPLIES,), (buttons.HOME,)))
    text = markup(
        "🎉 <b>You are a reply guy now</b>\n\nTake a post under Task 2 Earn, reply to it, send me the link. Each "
        "approved reply pays {rate}.",
        rate=wording.money(rate),
    )
    return Screen(text, ((buttons.EARN,), (buttons.REPLIES,), (buttons.HOME,)))

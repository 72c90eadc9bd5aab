"""The words for what is refused about replies and their pay, by code. Merged into `errors`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from viralcore.core.money import NGN, Money
from viralcore.core.screen import Html, lines, markup
from viralcore.texts import wording

Fields = Mapping[str, Any]
EXAMPLE = "Send for example <code>12, Wednesday</code>."
REPORTS: Mapping[str, str] = {
    "no_number": "How many replies? I found no number in that.",
    "numbers": "I found more than one number in that. Report one day at a time.",
    "count": "The number of replies must be a whole number from 1 to {most}.",
    "no_day": "For which day? I found the number, but no day.",
    "day": "I could not tell which day you mean.",
    "future": "That day has not come yet. Report replies after you made them.",
    "too_old": "That is too long ago. Replies can be reported for {back} days.",
}
PROBLEMS: Mapping[str, str] = {
    "used": "it was handed in before, and every reply counts once",
    "not_a_post": "that is not a reply",
    "profile": "that is a profile, not a reply",
    "not_supported": "only replies on X (Twitter) and Telegram count",
    "private": "it leads into a private chat",
    "malformed": "it is broken or incomplete",
    "duplicate": "it is in your message twice",
    "too_long": "it is too long",
}
_STATES: Mapping[str, str] = {
    "approved": "was approved already",
    "rejected": "was rejected already",
    "withdrawn": "was taken back by the sender",
}
SHOWN = 5


def problem(text: str, reason: str) -> Html:
    """Why one link was not taken."""
    return markup("• <code>{text}</code>: {why}.", text=text, why=PROBLEMS.get(reason, "it cannot be counted"))


def problems(found: list[tuple[str, str]]) -> Html:
    """The first few, and how many more."""
    told = [problem(text, reason) for text, reason in found[:SHOWN]]
    more = len(found) - SHOWN
    return lines(*told, markup("• and {n} more.", n=more) if more > 0 else None)


def _bad_report(fields: Fields) -> Html:
    words = REPORTS.get(str(fields.get("reason")), REPORTS["day"])
    told = markup(words, most=fields.get("most", ""), back=fields.get("back", ""))
    return markup("{told} {example}", told=told, example=Html(EXAMPLE))


def _bad_replies(fields: Fields) -> Html:
    found = [(one.text, one.reason) for one in fields.get("problems", ())]
    if not found:
        return markup(
            "There is no link of a reply in that, or there are more than {limit}. Open your reply, copy its link and "
            "send it here.",
            limit=fields.get("limit", 50),
        )
    return lines(Html("None of these can be counted. Nothing was handed in."), problems(found))


def _closed(fields: Fields) -> Html:
    state = _STATES.get(str(fields.get("state")), "is decided already")
    return markup("Submission #{id} {state}. Nothing was changed.", id=fields.get("submission_id", ""), state=state)


def _pending(fields: Fields) -> Html:
    return markup(
        "Your submission #{id} is still being checked. You can send the next one when it is decided, or take that one "
        "back and send everything together.",
        id=fields.get("submission_id", ""),
    )


def _bad_approval(fields: Fields) -> Html:
    return markup("Send a whole number from 1 to {count}: so many replies will be paid.", count=fields.get("count", ""))


def _no_reason(fields: Fields) -> Html:
    return markup(
        "A reason is needed, in at most {limit} letters. The person will read it.", limit=fields.get("limit", 300)
    )


def _bad_pay(fields: Fields) -> Html:
    most = wording.money(Money(int(fields.get("most", 0)), NGN))
    return markup(
        "Send an amount in naira and then the reason, for example <code>500 great week</code>. At most {most}; a bonus "
        "must be above zero, a correction may begin with a minus.",
        most=most,
    )


def _below_zero(fields: Fields) -> Html:
    there = wording.money(Money(int(fields.get("available", 0)), NGN))
    return markup(
        "Only {there} of that reply balance can be taken: it never goes below zero, and what waits in a withdrawal is "
        "spoken for. Nothing was changed.",
        there=there,
    )


WORDS: Mapping[str, Callable[[Fields], Html]] = {
    "boosts.bad_report": _bad_report,
    "boosts.bad_replies": _bad_replies,
    "boosts.submission_pending": _pending,
    "boosts.submission_closed": _closed,
    "boosts.bad_approval": _bad_approval,
    "boosts.no_reason": _no_reason,
    "boosts.bad_pay": _bad_pay,
    "boosts.below_zero": _below_zero,
}

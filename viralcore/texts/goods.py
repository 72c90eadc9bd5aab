"""Goods: the questions that come before the invoice, and what was answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from viralcore.core.money import Money
from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import buttons, wording
from viralcore.texts.actions import AskAnswer, DiscardRequest, GiveAnswer, InvoiceRequest, OpenRequest

NAMES: Mapping[str, tuple[str, str]] = {
    "poll_link": ("🔗", "Poll"),
    "poll_option": ("🗳", "Option"),
    "profile_link": ("🔗", "Profile"),
    "days": ("📅", "Days"),
    "channel": ("📣", "Channel"),
}
LINKS = frozenset({"poll_link", "profile_link", "channel"})
"""Questions that are answered with a link."""
_ASKED: Mapping[str, str] = {
    "poll_link": "Which poll? Send the link of its post, like <code>https://x.com/name/status/123</code>.",
    "poll_option": "Which option gets the votes? Count from the top: the first one is 1.",
    "profile_link": "Which profile? Send its link, like <code>https://x.com/name</code>, or <code>@name</code>.",
    "days": "Over how many days should they come? Choose, or send a number from 1 to {limit}.",
    "channel": "Which channel? Send its name, like <code>@channel</code>, or its link, like "
    "<code>https://t.me/channel</code>.",
}
_DAYS = (7, 14, 30, 60)


@dataclass(frozen=True, slots=True)
class RequestText:
    """Goods somebody is about to buy. `missing`: questions without an answer; `limits`: of those that have one."""

    id: int
    title: str
    unit: str
    quantity: int
    total: Money
    questions: tuple[str, ...]
    answers: Mapping[str, str]
    missing: tuple[str, ...]
    limits: Mapping[str, int]


def ask(one: RequestText, question: str, *, problem: Html | None = None) -> Screen:
    """One question. What is answered already stands above it."""
    limit = one.limits.get(question, 0)
    number = one.questions.index(question) + 1
    of = f" ({number} of {len(one.questions)})" if len(one.questions) > 1 else ""
    text = lines(
        markup("⚠️ {problem}\n", problem=problem) if problem is not None else None,
        _head(one),
        *_answered({name: given for name, given in one.answers.items() if name != question}, one.quantity),
        markup("\n❓ <b>{name}</b>{of}", name=NAMES[question][1], of=of),
        markup(_ASKED[question], limit=f"{limit:,}"),
        Html("/cancel to stop; what you have answered is kept."),
    )
    choices = range(1, limit + 1) if question == "poll_option" else [n for n in _DAYS if n <= limit]
    ways = tuple(Button(str(n), GiveAnswer(one.id, question, str(n))) for n in choices)
    rows = ((ways,) if ways else ()) + ((Button("✖️ Cancel", DiscardRequest(one.id)), *wording.back_home("menu")),)
    return Screen(text, rows)


def summary(one: RequestText) -> Screen:
    """Everything answered, before the invoice; with a question open, the way on."""
    text = lines(
        _head(one),
        *_answered(one.answers, one.quantity),
        markup("\n<b>Total: {total}</b>", total=wording.money(one.total)),
        Html(
            "\nIs all of this right? Confirm makes the invoice; after that the answers cannot be changed. Somebody of "
            "our team does the work by hand, and you see here how far it is."
        )
        if not one.missing
        else Html("\nA question is still open."),
    )
    first = Button("▶️ Go on", OpenRequest(one.id)) if one.missing else Button("✅ Confirm", InvoiceRequest(one.id))
    changes = [Button(f"✏️ {NAMES[name][1]}", AskAnswer(one.id, name)) for name in one.questions if name in one.answers]
    rows: list[tuple[Button, ...]] = [(first, Button("✖️ Cancel", DiscardRequest(one.id)))]
    rows += [tuple(changes)] if changes else []
    return Screen(text, (*rows, wording.back_home("menu")), route=f"request:{one.id}")


def discarded() -> Screen:
    return Screen(Html("All right, nothing was ordered and nothing was paid."), ((buttons.MENU,), wording.back_home()))


def facts(answers: Mapping[str, str], quantity: int) -> Html:
    """What was answered, one a line; empty when nothing was."""
    return Html("\n".join(_answered(answers, quantity)))


def other_facts(answers: Mapping[str, str], link: str, quantity: int) -> Html:
    """The same without the link, which stands above it."""
    return facts({question: given for question, given in answers.items() if given != link}, quantity)


def daily(quantity: int, days: int) -> str:
    """The plan of something that comes day by day: ``34 a day for 10 days, then 33 a day for 20 days``."""
    each, more = divmod(quantity, days)
    if not each:
        return f"{quantity:,} over {wording.count(days, 'day')}"
    if not more:
        return f"{each:,} a day for {wording.count(days, 'day')}"
    first = f"{each + 1:,} a day for {wording.count(more, 'day')}"
    return f"{first}, then {each:,} a day for {wording.count(days - more, 'day')}"


def with_unfinished(screen: Screen, waiting: Sequence[tuple[int, str, str]]) -> Screen:
    """The same screen with what somebody has begun to buy. `waiting`: request, title, how many."""
    if not waiting:
        return screen
    told = [markup("{title}: {what}", title=title, what=what) for _, title, what in waiting]
    rows = [(Button(f"▶️ Go on with {title}", OpenRequest(request)),) for request, title, _ in waiting]
    text = lines(screen.text, Html("\n<b>Started, not ordered yet</b>"), *told)
    return Screen(text, (*rows, *screen.rows), screen.picture, screen.route)


def _head(one: RequestText) -> Html:
    return markup(
        "🛒 <b>{title}</b>\n{n} for {total}",
        title=one.title,
        n=wording.count(one.quantity, one.unit),
        total=wording.money(one.total),
    )


def _answered(answers: Mapping[str, str], quantity: int) -> list[Html]:
    """In the order in which they are asked, whatever order they were kept in."""
    told = []
    order = list(NAMES)
    for name, given in sorted(answers.items(), key=lambda one: order.index(one[0]) if one[0] in NAMES else len(order)):
        icon, title = NAMES.get(name, ("•", name))
        plan = f" ({daily(quantity, int(given))})" if name == "days" else ""
        told.append(markup("{icon} {title}: {given}{plan}", icon=icon, title=title, given=given, plan=plan))
    return told

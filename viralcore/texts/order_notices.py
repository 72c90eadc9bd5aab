"""What people are told of their orders without having asked: one live message each, and the steps that matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from viralcore.core.money import Money
from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import wording
from viralcore.texts.actions import Go
from viralcore.texts.orders import STATES

_SUPPORT = Button("💬 Support", Go("support"))
_SUBMIT = Button("🔗 Submit Link", Go("submit"))
_BALANCE = Button("💰 My Balance", Go("balance"))
_HOME = Button("🏠 Home", Go("home"))


@dataclass(frozen=True, slots=True)
class LineText:
    """A line of an order. `planned`: it has parts; False while its channel does not deliver yet."""

    metric: str
    quantity: int
    delivered: int
    state: str
    refunded: Money
    planned: bool


@dataclass(frozen=True, slots=True)
class PartText:
    """One part of a line, as it was or will be sent."""

    number: int
    metric: str
    quantity: int
    delivered: int
    due_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class OrderText:
    id: int
    plan: str
    link: str
    state: str
    lines: tuple[LineText, ...]
    parts: tuple[PartText, ...]
    refunded: Money
    credit_returned: bool


def progress(order: OrderText) -> Screen:
    """The live message of an order: a bar for each line, its parts with their times, what comes next."""
    icon, state = STATES[order.state]
    text = lines(
        markup("{icon} <b>Order #{id}</b> · {plan}", icon=icon, id=order.id, plan=order.plan),
        markup("{link}\n", link=order.link),
        *(_bar(line, order.state) for line in order.lines),
        *_parts(order),
        markup("\n<b>{state}.</b> {next}", state=state.capitalize(), next=_what_next(order)),
    )
    return Screen(text, ((Button(f"📦 Order #{order.id}", Go(f"order:{order.id}")), _HOME),))


def lines_ended(order: OrderText, *, metrics: Sequence[str], state: str) -> Screen:
    """Lines that ended while the order goes on. `state`: completed | partial | failed."""
    mine = [line for line in order.lines if line.metric in metrics]
    names = wording.join([_noun(line.metric) for line in mine]).capitalize()
    told = wording.join([_delivered(line) for line in mine])
    if state == "completed":
        head = markup("✅ <b>{names} delivered</b>", names=names)
        words = markup("Order #{id}: {told}.", id=order.id, told=told)
        after = Html("The rest is on its way; the order's own message shows how far it is.")
    else:
        came = "not everything came" if state == "partial" else "nothing came"
        head = markup("🟡 <b>{names}: {came}</b>", names=names, came=came)
        words = markup("Order #{id}: {told} delivered.", id=order.id, told=told)
        after = Html("What is missing is paid back to your wallet when the order ends.")
    text = lines(head, words, markup("{link}\n", link=order.link), after)
    return Screen(text, ((Button(f"📦 Order #{order.id}", Go(f"order:{order.id}")), _HOME),))


def finished(order: OrderText) -> Screen:
    """The end of an order: completed, partial, or failed with the credit back."""
    first = (Button(f"📦 Order #{order.id}", Go(f"order:{order.id}")),)
    if order.state == "failed":
        text = lines(
            markup("⚠️ <b>Order #{id} could not be delivered</b>", id=order.id),
            markup("{link}\n", link=order.link),
            markup(
                "Nothing was delivered, so it cost you nothing: the post is back in your {plan} plan. You can use it "
                "for this link or another one.",
                plan=order.plan,
            )
            if order.credit_returned
            else Html("Nothing was delivered. Write to support and we look at it together."),
        )
        return Screen(text, ((_SUBMIT, *first), (_SUPPORT, _HOME)))
    done = [line for line in order.lines if line.state == "completed"]
    short = [line for line in order.lines if line.state in ("partial", "failed")]
    head = "🎉 <b>Order #{id} is complete</b>" if order.state == "completed" else "🟡 <b>Order #{id} has ended</b>"
    names = wording.join([_noun(line.metric) for line in done]).capitalize()
    text = lines(
        markup(head, id=order.id),
        markup("{link}\n", link=order.link),
        markup("✅ {names} delivered: {told}.", names=names, told=wording.join([_delivered(line) for line in done]))
        if done
        else None,
        markup("🟡 Not everything came: {told}.", told=wording.join([_delivered(line) for line in short]))
        if short
        else None,
        _refund(order),
        Html("\nThank you! Send me the next link whenever you like.")
        if order.state == "completed"
        else Html("\nWe are sorry that it was not all of it."),
    )
    second = (_BALANCE, _HOME) if order.refunded.minor else (_HOME,)
    return Screen(text, ((_SUBMIT, *first), second))


def _refund(order: OrderText) -> Html | None:
    back = [line for line in order.lines if line.refunded.minor]
    if not order.refunded.minor:
        return None
    what = wording.join([f"{wording.money(line.refunded)} for {_noun(line.metric)}" for line in back])
    return markup(
        "💰 <b>{money}</b> is back in your wallet for what was not delivered: {what}.",
        money=wording.money(order.refunded),
        what=what,
    )


def _bar(line: LineText, order_state: str) -> Html:
    icon, what = wording.icon(line.metric), wording.metric(line.metric, line.quantity)
    if line.state == "refunded":
        back = f", {wording.money(line.refunded)} is back in your wallet" if line.refunded.minor else ""
        return markup("{icon} {what}: not delivered{back}", icon=icon, what=what, back=back)
    if not line.planned and order_state not in ("failed", "cancelled"):
        return markup(
            "{icon} {what}: we cannot deliver these yet, their part is paid back at the end", icon=icon, what=what
        )
    ends = {"completed": " ✅", "partial": " 🟡", "failed": " ⚠️"}
    return markup(
        "{icon} {bar} {done} of {what}{end}",
        icon=icon,
        bar=wording.bar(line.delivered, line.quantity),
        done=f"{line.delivered:,}",
        what=what,
        end=ends.get(line.state, ""),
    )


_PART = {
    "waiting": ("🕐", "to be sent"),
    "sending": ("📤", "being sent"),
    "unknown": ("🔎", "being checked by our team"),
    "sent": ("🚚", "sent, on its way"),
    "completed": ("✅", "delivered"),
    "partial": ("🟡", "ended early"),
    "failed": ("⚠️", "not delivered"),
    "cancelled": ("✖️", "cancelled"),
}


def _parts(order: OrderText) -> list[Html]:
    """One line for each part and state: what belongs to it and when it was due."""
    groups: dict[tuple[int, datetime, str], list[str]] = {}
    for part in sorted(order.parts, key=lambda one: (one.number, one.due_at)):
        what = wording.metric(part.metric, part.quantity)
        groups.setdefault((part.number, part.due_at, part.state), []).append(what)
    told = [
        markup(
            "{icon} Part {number} at {at}: {what} ({words})",
            icon=_PART[state][0],
            number=number,
            at=wording.moment(due_at),
            what=wording.join(what),
            words=_PART[state][1],
        )
        for (number, due_at, state), what in groups.items()
    ]
    return [Html(""), *told] if told else []


def _what_next(order: OrderText) -> Html:
    if order.state in ("completed", "partial"):
        back = wording.money(order.refunded)
        return markup("{back} came back to your wallet.", back=back) if order.refunded.minor else Html("Thank you!")
    if order.state in ("failed", "cancelled"):
        return Html("The post is back in your plan.") if order.credit_returned else Html("")
    waiting = [part.due_at for part in order.parts if part.state == "waiting"]
    if not waiting:
        return Html("Everything is sent and arrives bit by bit. This message keeps itself up to date.")
    which = "first" if all(part.state == "waiting" for part in order.parts) else "next"
    return markup(
        "The {which} part is sent at {at}. This message keeps itself up to date.",
        which=which,
        at=wording.moment(min(waiting)),
    )


def _delivered(line: LineText) -> str:
    what = wording.metric(line.metric, line.quantity)
    return what if line.delivered >= line.quantity else f"{line.delivered:,} of {what}"


def _noun(metric: str) -> str:
    return f"{wording.METRICS[metric][1]}s"

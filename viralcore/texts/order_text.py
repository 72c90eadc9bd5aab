"""An order as it is drawn wherever it is shown: its live message, and its screen in the bot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from viralcore.core.money import USD, Money
from viralcore.core.screen import Html, lines, markup
from viralcore.texts import wording
from viralcore.texts.ways import CROWD, STAFF, by_people

NOTHING = Money(0, USD)
STATES = {
    "scheduled": ("🗓", "scheduled"),
    "sending": ("📤", "being sent"),
    "in_progress": ("🚚", "being delivered"),
    "completed": ("✅", "completed"),
    "partial": ("🟡", "partly delivered"),
    "failed": ("⚠️", "not delivered"),
    "cancelled": ("✖️", "cancelled"),
    "paused": ("⏸", "paused"),
}
_PART = {
    "waiting": ("🕐", "to be sent"),
    "paused": ("⏸", "held back by you"),
    "sending": ("📤", "being sent"),
    "unknown": ("🔎", "being checked by our team"),
    "sent": ("🚚", "sent, on its way"),
    "completed": ("✅", "delivered"),
    "partial": ("🟡", "ended early"),
    "failed": ("⚠️", "not delivered"),
    "cancelled": ("✖️", "cancelled"),
}
_RUNNING = ("sending", "unknown", "sent", "paused")
_ENDED = ("completed", "partial", "failed", "cancelled", "refunded")
_ASK_US = Html("Write to support and we look at it together.")


@dataclass(frozen=True, slots=True)
class OrderLineText:
    metric: str
    quantity: int
    delivered: int
    state: str
    refunded: Money
    engine: str = ""  # who works at it when no panel does
    reason: str = ""  # why not all of it came, as the team says
    verified: int = 0  # how many of them must come from verified accounts
    verified_done: int = 0
    until: datetime | None = None  # how long our groups work at it


@dataclass(frozen=True, slots=True)
class OrderPartText:
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
    lines: tuple[OrderLineText, ...]
    parts: tuple[OrderPartText, ...]
    refunded: Money
    credit_returned: bool
    to_bonus: Money = NOTHING  # of `refunded`, what is bonus money again
    unpaid: Money = NOTHING  # what does not come back, as it had never been paid
    paused_at: datetime | None = None
    expected_at: datetime | None = None  # when it is usually done
    goods: bool = False  # paid for as it is, not with a post of a plan
    facts: Html | None = None  # what its buyer answered besides the link

    def planned(self, line: OrderLineText) -> bool:
        """Whether anything is to be sent for it; not while its channel does not deliver yet."""
        return bool(line.engine) or any(part.metric == line.metric for part in self.parts)

    def reasons(self) -> tuple[str, ...]:
        """What the team says about lines that did not come whole."""
        return tuple(line.reason for line in self.lines if line.reason)


def body(order: OrderText) -> Html:
    """A bar for each line, the parts with their times, what comes next. Whoever shows it draws it again on changes."""
    icon, state = STATES["paused" if order.paused_at is not None else order.state]
    return lines(
        markup("{icon} <b>Order #{id}</b> · {plan}", icon=icon, id=order.id, plan=order.plan),
        markup("{link}\n", link=order.link)
        if not order.facts
        else markup("{link}\n{facts}\n", link=order.link, facts=order.facts),
        *(_bar(line, order) for line in order.lines),
        *(markup("🗒 Our team says: {reason}", reason=reason) for reason in order.reasons()),
        *_parts(order),
        markup("\n<b>{state}.</b> {next}", state=state.capitalize(), next=_what_next(order)),
    )


def _bar(line: OrderLineText, of: OrderText) -> Html:
    icon, what = wording.icon(line.metric), wording.metric(line.metric, line.quantity)
    if line.state == "refunded":
        back = f", {wording.money(line.refunded)} is back in your wallet" if line.refunded.minor else ""
        return markup("{icon} {what}: not delivered{back}", icon=icon, what=what, back=back)
    if of.state not in ("failed", "cancelled") and not of.planned(line):
        return markup(
            "{icon} {what}: we cannot deliver these yet; what you paid for them comes back at the end",
            icon=icon,
            what=what,
        )
    ends = {"completed": " ✅", "partial": " 🟡", "failed": " ⚠️"}
    return markup(
        "{icon} {bar} {done} of {what}{verified}{end}",
        icon=icon,
        bar=wording.bar(line.delivered, line.quantity),
        done=f"{line.delivered:,}",
        what=what,
        verified=f" (verified accounts: {line.verified_done:,} of {line.verified:,})" if line.verified else "",
        end=ends.get(line.state, ""),
    )


def _parts(order: OrderText) -> list[Html]:
    """One line for each part and state: what belongs to it and when it was due."""
    groups: dict[tuple[int, datetime, str], list[str]] = {}
    for part in sorted(order.parts, key=lambda one: (one.number, one.due_at)):
        what = wording.metric(part.metric, part.quantity)
        state = "paused" if part.state == "waiting" and order.paused_at is not None else part.state
        groups.setdefault((part.number, part.due_at, state), []).append(what)
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


def _came_back(order: OrderText, words: str) -> Html:
    return lines(
        markup(words, back=wording.money(order.refunded)) if order.refunded.minor else None,
        wording.bonus_again(order.to_bonus),
        wording.never_paid(order.unpaid),
    )


def _what_next(order: OrderText) -> Html:
    if order.state in ("completed", "partial"):
        if order.refunded.minor or order.unpaid.minor:
            return _came_back(order, "{back} came back to your wallet.")
        return Html("Thank you!")
    if order.state in ("failed", "cancelled"):
        if order.refunded.minor:
            return _came_back(order, "{back} is back in your wallet.")
        return Html("The post is back in your plan.") if order.credit_returned else _ASK_US
    if order.paused_at is not None:
        return markup(
            "You paused it at {at}. What is not sent yet waits until you press Resume; its times move by as "
            "long as the "
            "pause was. What has begun goes on.",
            at=wording.moment(order.paused_at),
        )
    return lines(_next_part(order), _usually(order))


def _usually(order: OrderText) -> Html | None:
    """When it will be done, as far as our own history tells."""
    if order.expected_at is None:
        return None
    return markup("⏱ Orders like this are usually done by {at}.", at=wording.moment(order.expected_at))


def _next_part(order: OrderText) -> Html:
    """What is still to come, from panels and from people."""
    waiting = [part.due_at for part in order.parts if part.state == "waiting"]
    told = []
    if waiting:
        which = "first" if all(part.state == "waiting" for part in order.parts) else "next"
        told.append(markup("The {which} part is sent at {at}.", which=which, at=wording.moment(min(waiting))))
    elif any(part.state in _RUNNING for part in order.parts):
        told.append(Html("Every part is sent and arrives bit by bit."))
    going = [line for line in order.lines if line.state not in _ENDED]
    crowd = [line for line in going if line.engine == CROWD]
    by_hand = [line for line in going if line.engine == STAFF]
    told += by_people(
        crowd=[line.metric for line in crowd],
        until=max((line.until for line in crowd if line.until is not None), default=None),
        staff=[line.metric for line in by_hand],
        begun=all(line.state != "scheduled" for line in by_hand),
    )
    if not told:
        told.append(Html("Everything is sent and arrives bit by bit."))
    return Html(" ".join([*told, "This message keeps itself up to date."]))

"""Work for the team: the card of a line that somebody does by hand, and the list of those that wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from viralcore.core.money import Money
from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import goods, wording
from viralcore.texts.actions import CardCannot, CardDone, CardProgress, Go, ReleaseCard, TakeCard
from viralcore.texts.cards import PersonText, person


@dataclass(frozen=True, slots=True)
class StaffCardText:
    """A card. `state`: open | taken | done | cannot | closed; `by`: who took or decided it, `at` when."""

    id: int
    version: int
    order_id: int
    plan: str
    metric: str
    quantity: int
    delivered: int
    link: str
    answers: Mapping[str, str]
    buyer: PersonText
    state: str
    by: PersonText | None
    at: datetime | None
    reason: str
    created_at: datetime
    refunded: Money
    verified: int = 0  # how many of `quantity` must come from verified accounts


def card(one: StaffCardText, *, waits: bool = False, superseded: bool = False) -> Screen:
    """In the group. `waits`: shown again because nobody moved it; `superseded`: a newer card took its place."""
    if superseded:
        return Screen(lines(_title(one, "☑️"), _what(one), Html("\nIt still waits: see the newer card below.")))
    head = _title(one, "⏰" if waits and one.state in ("open", "taken") else _ICONS[one.state])
    text = lines(head, _what(one), *_facts(one), markup("\n{stands}", stands=_stands(one)))
    return Screen(text, _rows(one))


def page(one: StaffCardText) -> Screen:
    """The same in a private chat."""
    shown = card(one)
    return Screen(shown.text, (*shown.rows, wording.back_home("cards")), route=f"card:{one.id}")


def listed(found: Sequence[StaffCardText], *, total: int, newer: int | None = None, first: bool = True) -> Screen:
    """Open and taken ones, oldest first. `first`: this is the first page; `newer`: the id after which there is more."""
    if not total:
        text = Html("🧰 <b>Team work</b>\n\nNothing waits. Every card is done.")
        return Screen(text, (wording.back_home("admin"),), route="cards")
    told = [
        markup(
            "\n{icon} <b>#{id}</b> {what} · {plan}, order #{order}, since {at}\n{stands}",
            icon=_ICONS[one.state],
            id=one.id,
            what=_wanted(one),
            plan=one.plan,
            order=one.order_id,
            at=wording.moment(one.created_at),
            stands=_stands(one),
        )
        for one in found
    ]
    pages = [
        *([] if first else [Button("⏮ Oldest", Go("cards"))]),
        *([] if newer is None else [Button("⏫ Newer", Go(f"cards:{newer}"))]),
    ]
    moves = (tuple(pages),) if pages else ()
    ways = [Button(f"{_ICONS[one.state]} #{one.id}", Go(f"card:{one.id}")) for one in found]
    rows = [tuple(ways[i : i + 5]) for i in range(0, len(ways), 5)]
    head = markup("🧰 <b>Team work</b>: {n}, the oldest first", n=wording.count(total, "card"))
    text = lines(head, *told, None if found else Html("\nNothing behind these."))
    return Screen(text, (*rows, *moves, wording.back_home("admin")), route="cards")


def ask_progress(one: StaffCardText) -> Html:
    return markup(
        "How many of the {what} of card #{id} are delivered in all? So far: {n}. Reply to this message with a number. "
        "/cancel to stop.",
        what=wording.metric(one.metric, one.quantity),
        id=one.id,
        n=f"{one.delivered:,}",
    )


def ask_reason(one: StaffCardText) -> Html:
    left = wording.metric(one.metric, one.quantity - one.delivered)
    return markup(
        "Why can card #{id} not be done? Reply to this message with a sentence; the buyer reads it, and the price of "
        "the missing {left} goes back to their wallet at once. /cancel to stop.",
        id=one.id,
        left=left,
    )


def moved(one: StaffCardText) -> Html:
    """In answer to a typed line."""
    return markup("🧰 Card #{id}: {stands}", id=one.id, stands=_stands(one))


def toast(one: StaffCardText) -> str:
    """In answer to a press."""
    words = {"open": "is free again", "taken": "is yours", "done": "is done", "cannot": "has ended"}
    return f"Card {one.id} {words.get(one.state, 'is closed')}."


_ICONS = {"open": "🧰", "taken": "✋", "done": "✅", "cannot": "🚫", "closed": "✖️"}


def _title(one: StaffCardText, icon: str) -> Html:
    return markup("{icon} <b>Team work</b> · card #{id}", icon=icon, id=one.id)


def _wanted(one: StaffCardText) -> str:
    return wording.metric(one.metric, one.quantity) + wording.verified(one.verified)


def _what(one: StaffCardText) -> Html:
    what = _wanted(one)
    return markup("<b>{what}</b> · {plan}, order #{order}", what=what, plan=one.plan, order=one.order_id)


def _facts(one: StaffCardText) -> list[Html]:
    told = goods.other_facts(one.answers, one.link, one.quantity)
    return [
        markup("🔗 {link}", link=one.link),
        *((told,) if told else ()),
        markup("For {who}", who=person(one.buyer)),
    ]


def _stands(one: StaffCardText) -> Html:
    who = person(one.by) if one.by is not None else Html("the team")
    at = wording.moment(one.at) if one.at is not None else ""
    done = markup("{n} of {all}", n=f"{one.delivered:,}", all=wording.metric(one.metric, one.quantity))
    if one.state == "open":
        so_far = markup(" {done} are delivered.", done=done) if one.delivered else Html("")
        return markup("Nobody has taken it yet.{so_far}", so_far=so_far)
    if one.state == "taken":
        bar = wording.bar(one.delivered, one.quantity)
        return markup("{bar} {done}\nTaken by {who}, {at}.", bar=bar, done=done, who=who, at=at)
    if one.state == "done":
        return markup("Done by {who}, {at}.", who=who, at=at)
    if one.state == "cannot":
        back = wording.money(one.refunded)
        return markup(
            "Ended by {who}, {at}: {reason}\n{done} delivered, {back} back to the buyer.",
            who=who,
            at=at,
            reason=one.reason,
            done=done,
            back=back if one.refunded.minor else "nothing",
        )
    return Html("The buyer has cancelled the order. There is nothing to do.")


def _rows(one: StaffCardText) -> tuple[tuple[Button, ...], ...]:
    if one.state == "open":
        return ((Button("✋ Take", TakeCard(one.id, one.version)),),)
    if one.state != "taken":
        return ()
    return (
        (
            Button("✅ Done", CardDone(one.id, one.version)),
            Button("📈 Progress", CardProgress(one.id, one.version)),
        ),
        (
            Button("🚫 Cannot", CardCannot(one.id, one.version)),
            Button("↩️ Release", ReleaseCard(one.id, one.version)),
        ),
    )

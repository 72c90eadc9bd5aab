"""Orders at panels that do not end by themselves: the card, the list, and what staff are asked when they end one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import wording
from viralcore.texts.actions import Go
from viralcore.texts.cards import PersonText, person
from viralcore.texts.stuck_actions import AskPhaseEnd, AskPhaseNumber, ConfirmPhaseEnd

_END, _NUMBER = "🏁 It ended there", "🔢 Its number is another"
_ENDED = {
    "completed": "all of it came",
    "partial": "a part of it came",
    "failed": "nothing came",
}


class StuckPhase(Protocol):
    """A phase at its panel: the shape of `boosts.api.StuckView`, of which texts knows nothing. `why`: strange | gone |
    long, or empty: nothing is odd about it; `said`: the panel's words, where they are strange; `since`: it is followed
    under this number since then."""

    @property
    def phase_id(self) -> int: ...
    @property
    def order_id(self) -> int: ...
    @property
    def link(self) -> str: ...
    @property
    def metric(self) -> str: ...
    @property
    def quantity(self) -> int: ...
    @property
    def delivered(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def panel(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def panel_order(self) -> str: ...
    @property
    def since(self) -> datetime: ...
    @property
    def why(self) -> str: ...
    @property
    def strange_since(self) -> datetime | None: ...
    @property
    def said(self) -> str: ...


# --- the card in the admin group -------------------------------------------------------------------------------------


def card(one: StuckPhase, *, others: int, bot_username: str) -> Screen:
    """`others`: how many more there are in the Admin Panel."""
    text = lines(
        Html("🧷 <b>An order at a panel does not end</b>"),
        *_facts(one),
        markup("\n{why}", why=_why(one)),
        markup(
            "\nLook for it in {panel}'s order list. If it has ended there, say how many came; if it stands there under "
            "another number, say which.",
            panel=one.panel,
        ),
        markup("\n{n} more: Admin Panel, Stuck orders.", n=others) if others else None,
    )
    link = wording.order_link(bot_username, one.order_id)
    rows = (
        (Button(_END, AskPhaseEnd(one.phase_id)),),
        (Button(_NUMBER, AskPhaseNumber(one.phase_id)),),
        *(((Button("🧾 Open the order", url=link),),) if bot_username else ()),
    )
    return Screen(text, rows)


def decided_card(one: StuckPhase, *, who: PersonText | None, how: str) -> Screen:
    """The same card, when nothing is left to do. `how`: ended | renumbered | over | elsewhere (a newer card took its
    place)."""
    by = markup(" by {who}", who=person(who)) if who else Html("")
    if how == "ended":
        told = markup("Ended{by}: {what}.", by=by, what=_came(one))
    elif how == "renumbered":
        told = markup("Put right{by}: its number there is <code>{number}</code>.", by=by, number=one.panel_order)
    elif how == "elsewhere":
        told = Html("It still does not end: see the newer card.")
    else:
        told = markup("{panel} says that it ended: {what}.", panel=one.panel, what=_came(one))
        if one.state == "sent":
            told = markup("{panel} answers as it should again. We follow it from here.", panel=one.panel)
    return Screen(lines(Html("☑️ <b>An order at a panel did not end</b>"), *_facts(one), markup("\n{told}", told=told)))


def _came(one: StuckPhase) -> str:
    part = f" ({one.delivered:,} of {one.quantity:,})" if one.state == "partial" else ""
    return _ENDED.get(one.state, "it goes on") + part


def _facts(one: StuckPhase) -> list[Html]:
    return [
        markup(
            "Order #{order}, phase {phase}: <b>{what}</b>",
            order=one.order_id,
            phase=one.phase_id,
            what=wording.metric(one.metric, one.quantity),
        ),
        markup(
            "{panel} <code>{number}</code>, service <code>{service}</code>",
            panel=one.panel,
            number=one.panel_order,
            service=one.service,
        ),
        markup("{link}", link=one.link),
        markup("Followed since {at}; {n} came so far", at=wording.moment(one.since), n=f"{one.delivered:,}"),
    ]


def _why(one: StuckPhase) -> Html:
    if one.why == "gone":
        return markup("⚠️ {panel} is not in use any more, so nobody can ask it how far this is.", panel=one.panel)
    if one.why == "strange":
        return markup(
            "⚠️ Since {at}, {panel} says of it: “{said}”. That tells us nothing to pay by.",
            at=wording.moment(one.strange_since) if one.strange_since else "long ago",
            panel=one.panel,
            said=one.said[:80],
        )
    return Html("⚠️ That is longer than orders should take.")


# --- in the Admin Panel ----------------------------------------------------------------------------------------------


def listed(found: Sequence[StuckPhase], *, total: int, newer: int | None, first: bool) -> Screen:
    """A page, oldest first. `newer`: the last phase on it, when more follow."""
    if not found:
        text = Html("🧷 <b>Stuck orders</b>\n\nNothing is stuck. Every order at a panel ends as it should.")
        return Screen(text, (wording.back_home("admin"),), route="stuck")
    text = lines(
        markup("🧷 <b>Stuck orders</b> ({n})\n\nThese do not end by themselves. Open one to look into it.\n", n=total),
        *(_row(one) for one in found),
    )
    ways = [Button(f"🧷 {one.phase_id}", Go(f"sphase:{one.phase_id}")) for one in found]
    rows = [tuple(ways[i : i + 4]) for i in range(0, len(ways), 4)]
    moves = (
        *(() if first else (Button("⏮ Oldest", Go("stuck")),)),
        *(() if newer is None else (Button("⏫ Newer", Go(f"stuck:{newer}")),)),
    )
    return Screen(text, (*rows, *((moves,) if moves else ()), wording.back_home("admin")), route="stuck")


def _row(one: StuckPhase) -> Html:
    why = {"gone": "not in use", "strange": f"“{one.said[:30]}”", "long": f"since {one.since:%d %b}"}
    return markup(
        "<b>{phase}</b>, order #{order}: {what} at {panel} <code>{number}</code>, {why}",
        phase=one.phase_id,
        order=one.order_id,
        what=wording.metric(one.metric, one.quantity),
        panel=one.panel,
        number=one.panel_order,
        why=why.get(one.why, "goes on"),
    )


def page(one: StuckPhase, *, may: bool) -> Screen:
    """One of them. `may`: whether they may end it."""
    running = one.state == "sent"
    text = lines(
        markup("🧷 <b>Phase {phase} at {panel}</b>", phase=one.phase_id, panel=one.panel),
        *_facts(one),
        markup("\n{why}", why=_why(one)) if one.why else None,
        None if running else markup("\n☑️ It has ended: {what}.", what=_came(one)),
        markup("\nIt runs there, and we keep asking about it.") if running and not one.why else None,
    )
    rows: list[tuple[Button, ...]] = []
    if running and may:
        rows.append((Button(_END, AskPhaseEnd(one.phase_id)), Button(_NUMBER, AskPhaseNumber(one.phase_id))))
    rows.append((Button("🧾 Open the order", Go(f"sorder:{one.order_id}")),))
    return Screen(text, (*rows, wording.back_home("stuck")), route=f"sphase:{one.phase_id}")


# --- asked, and answered ---------------------------------------------------------------------------------------------


def ask_end(one: StuckPhase) -> Html:
    """In a group the answer is the deed: it says so."""
    return markup(
        "How many of the {what} came from order <code>{number}</code> at <b>{panel}</b>? Reply to this message with a "
        "number from 0 to {most}. The order goes on by it at once: what did not come is ordered somewhere else, or "
        "paid back. /cancel to stop.",
        what=wording.metric(one.metric, one.quantity),
        number=one.panel_order,
        panel=one.panel,
        most=f"{one.quantity:,}",
    )


def ask_end_here(one: StuckPhase, problem: Html | None = None) -> Screen:
    """The same in private, where a confirmation follows."""
    text = lines(
        problem,
        markup(
            "How many of the {what} came from order <code>{number}</code> at <b>{panel}</b>? Send a number from 0 to "
            "{most}. /cancel to stop.",
            what=wording.metric(one.metric, one.quantity),
            number=one.panel_order,
            panel=one.panel,
            most=f"{one.quantity:,}",
        ),
    )
    rows = ((Button("✖️ Cancel", Go(f"sphase:{one.phase_id}")),), wording.back_home(f"sphase:{one.phase_id}"))
    return Screen(text, rows)


def confirm_end(one: StuckPhase, *, delivered: int) -> Screen:
    missing = one.quantity - delivered
    what = wording.metric(one.metric, one.quantity)
    rest = (
        markup(
            "The other {missing} are ordered somewhere else if they can be, and paid back if not.",
            missing=f"{missing:,}",
        )
        if missing
        else Html("Nothing is left to deliver of it.")
    )
    text = lines(
        markup(
            "Order <code>{number}</code> at <b>{panel}</b> ended with <b>{n} of {what}</b>?\n",
            number=one.panel_order,
            panel=one.panel,
            n=f"{delivered:,}",
            what=what,
        ),
        rest,
        markup("It counts as if {panel} had said so, and cannot be taken back.", panel=one.panel),
    )
    rows = (
        (Button("✅ Confirm", ConfirmPhaseEnd(one.phase_id)), Button("✖️ Cancel", Go(f"sphase:{one.phase_id}"))),
        wording.back_home(f"sphase:{one.phase_id}"),
    )
    return Screen(text, rows)


def ask_number(one: StuckPhase) -> Html:
    return markup(
        "Under which number does <b>{panel}</b> have it (order #{order}, {what})? So far we follow "
        "<code>{number}</code>. Reply to this message with the right number. /cancel to stop.",
        panel=one.panel,
        order=one.order_id,
        what=wording.metric(one.metric, one.quantity),
        number=one.panel_order,
    )


def ended(one: StuckPhase) -> Html:
    return markup("☑️ Phase {phase} has ended: {what}.", phase=one.phase_id, what=_came(one))


def renumbered(one: StuckPhase) -> Html:
    return markup(
        "✅ Phase {phase} is order <code>{number}</code> at {panel}. We follow it from here.",
        phase=one.phase_id,
        number=one.panel_order,
        panel=one.panel,
    )

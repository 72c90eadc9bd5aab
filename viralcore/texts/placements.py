"""An order at the panels, for staff: what each has of it, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import wording
from viralcore.texts.actions import Go
from viralcore.texts.panel_actions import AskPanel

STATES = {
    "sent": "running",
    "completed": "completed",
    "partial": "ended early",
    "failed": "not delivered",
}
_REQUEST = {
    "asking": "being asked",
    "accepted": "the panel works at it",
    "refused": "refused",
    "unknown": "the panel did not answer; look there, or ask again",
    "done": "done",
    "rejected": "rejected",
    "lapsed": "the panel never said that it was done",
}


@dataclass(frozen=True, slots=True)
class PlacementText:
    """A phase at its panel. `requests`: (refill | cancel, state, the panel's words)."""

    phase: int
    metric: str
    number: int
    quantity: int
    delivered: int
    state: str
    panel: str
    service: str
    panel_order: str
    charge: str | None
    rest_of: bool
    can_refill: bool
    can_cancel: bool
    requests: tuple[tuple[str, str, str], ...] = ()


def ask_order(problem: Html | None = None) -> Screen:
    text = lines(problem, Html("Which order? Send me its number, like <code>1234</code>. /cancel to stop."))
    return Screen(text, (wording.back_home("panels"),))


def no_order(typed: str) -> Html:
    return markup("There is no order <b>{typed}</b>.", typed=typed[:40])


def placements(order_id: int, found: Sequence[PlacementText], *, may: bool) -> Screen:
    """What panels have of an order."""
    text = lines(
        markup("📦 <b>Order #{id} at the panels</b>", id=order_id),
        *(_placement(one) for one in found),
        None if found else Html("\nNo panel has taken anything of it yet."),
    )
    rows: list[tuple[Button, ...]] = []
    for one in found if may else ():
        ways: list[Button] = []
        if one.can_refill:
            ways.append(Button(f"♻️ Refill {one.panel_order}", AskPanel(one.phase, "refill")))
        if one.can_cancel:
            ways.append(Button(f"✖️ Stop {one.panel_order}", Go(f"pcancel:{order_id}:{one.phase}")))
        if ways:
            rows.append(tuple(ways))
    rows.append((Button("🧾 Open the order", Go(f"sorder:{order_id}")),))
    return Screen(text, (*rows, wording.back_home("panels")), route=f"porder:{order_id}")


def _placement(one: PlacementText) -> Html:
    rest = " (a rest, ordered once more)" if one.rest_of else ""
    return lines(
        markup(
            "\n<b>{panel}</b> <code>{order}</code>, service <code>{service}</code>{rest}",
            panel=one.panel,
            order=one.panel_order,
            service=one.service,
            rest=rest,
        ),
        markup(
            "Part {number}: {done} of {what}, {state}{charge}",
            number=one.number,
            done=f"{one.delivered:,}",
            what=wording.metric(one.metric, one.quantity),
            state=STATES.get(one.state, one.state),
            charge=f", charged {one.charge}" if one.charge else "",
        ),
        *(
            markup(
                "{what}: {state}{words}",
                what="♻️ Refill" if what == "refill" else "✖️ Cancel",
                state=_REQUEST.get(state, state),
                words=f" (“{words[:80]}”)" if words and state == "refused" else "",
            )
            for what, state, words in one.requests
        ),
    )


def confirm_stop(order_id: int, one: PlacementText) -> Screen:
    """Cancel at the panel: what it has not delivered is paid back, not ordered elsewhere."""
    text = markup(
        "Ask <b>{panel}</b> to cancel its order <code>{order}</code>?\n\nWhat it does not deliver is paid back to the "
        "buyer and not ordered anywhere else. Delivered so far: {done} of {what}.",
        panel=one.panel,
        order=one.panel_order,
        done=f"{one.delivered:,}",
        what=wording.metric(one.metric, one.quantity),
    )
    rows = ((Button("✅ Confirm", AskPanel(one.phase, "cancel")), Button("✖️ Cancel", Go(f"porder:{order_id}"))),)
    return Screen(text, (*rows, wording.back_home(f"porder:{order_id}")))


def asked(*, what: str) -> str:
    return "The panel is being asked for a refill." if what == "refill" else "The panel is being asked to cancel it."

"""An order as the team looks at it: what its buyer reads, why it takes long, and what panels have of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import steering, wording
from viralcore.texts.actions import Go
from viralcore.texts.cards import PersonText, person
from viralcore.texts.order_text import OrderText, body
from viralcore.texts.placements import STATES, PlacementText
from viralcore.texts.steering import SlowText
from viralcore.texts.stuck_actions import AskPhaseEnd, AskPhaseNumber

MOST_REASONS, MOST_PLACED = 8, 10
"""So many fit into a message; the rest stands on screens of its own."""


def page(
    one: OrderText,
    *,
    buyer: PersonText,
    created_at: datetime,
    told: Sequence[SlowText],
    placed: Sequence[PlacementText],
    may: bool,
) -> Screen:
    """Read-only, but for those who may end what does not end by itself. `told`: what "Slow?" says."""
    waits = [reason for reason in told if reason.code != "done"]
    running = [each for each in placed if each.state == "sent"]
    text = lines(
        markup("🧾 <b>Order #{id}, for the team</b>", id=one.id),
        markup("Bought by {who}, {at}", who=person(buyer), at=wording.moment(created_at)),
        Html("\n<b>What the buyer reads</b>"),
        body(one),
        Html("\n<b>Why it is where it is</b> (“Slow?”)") if waits else None,
        *(steering.reason(each) for each in waits[:MOST_REASONS]),
        _more(len(waits) - MOST_REASONS),
        Html("\n<b>At panels</b>") if placed else Html("\nNo panel has taken anything of it."),
        *(_placed(each) for each in placed[:MOST_PLACED]),
        _more(len(placed) - MOST_PLACED),
    )
    rows: list[tuple[Button, ...]] = []
    for each in running[:MOST_PLACED] if may else ():
        ways = (AskPhaseEnd(each.phase), AskPhaseNumber(each.phase))
        labels = (f"🏁 {each.panel_order} ended", f"🔢 {each.panel_order} is another")
        rows.append(tuple(Button(label, act) for label, act in zip(labels, ways, strict=True)))
    if any(part.state == "unknown" for part in one.parts):
        rows.append((Button("❓ Unknown sends", Go("unknown")),))
    rows.append((Button("📦 At the panels", Go(f"porder:{one.id}")), Button("🔄 Look again", Go(f"sorder:{one.id}"))))
    return Screen(text, (*rows, wording.back_home("admin")), route=f"sorder:{one.id}")


def _placed(one: PlacementText) -> Html:
    return markup(
        "{panel} <code>{order}</code>: part {number}, {done} of {what}, {state}",
        panel=one.panel,
        order=one.panel_order,
        number=one.number,
        done=f"{one.delivered:,}",
        what=wording.metric(one.metric, one.quantity),
        state=STATES.get(one.state, one.state),
    )


def _more(number: int) -> Html | None:
    return markup("… and {n} more", n=number) if number > 0 else None

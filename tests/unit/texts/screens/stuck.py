"""Cases of `texts.stuck` and `texts.staff_orders`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.unit.texts.golden import Cases
from tests.unit.texts.screens import hostile, orders
from viralcore.boosts.api import BadProgress, StuckView
from viralcore.texts import errors, staff_orders, stuck
from viralcore.texts.cards import PersonText
from viralcore.texts.placements import PlacementText
from viralcore.texts.steering import SlowText

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LATER = AT + timedelta(hours=3)
OLU = PersonText(1000, hostile.NAME, "olu_x")
ODD = StuckView(
    phase_id=34, order_id=12, link=hostile.LINK, metric="likes", quantity=38, delivered=10, state="sent",
    panel="smmflare", service="101", panel_order="23501", since=AT, why="strange", strange_since=LATER,
    said="Incorrect <order> ID",
)  # fmt: skip
LONG = replace(ODD, link=hostile.LONGEST_LINK, why="long", said="", strange_since=None, metric="views", quantity=3500)
GONE = replace(LONG, why="gone", delivered=0)
FINE = replace(LONG, why="")
WHOLE = replace(ODD, state="completed", delivered=38, why="")
PART = replace(WHOLE, state="partial", delivered=20)
NOTHING = replace(WHOLE, state="failed", delivered=0)
MANY = [replace(LONG, phase_id=10**7 + i, order_id=10**7 + i, panel_order="9" * 12, said="y" * 80) for i in range(19)]
RUNNING = PlacementText(5, "likes", 1, 38, 30, "sent", "smmflare", "101", "23501", None, False, False, True)
PLACED = [replace(RUNNING, phase=i, panel_order=str(10**11 + i), panel="smmflare") for i in range(12)]
ORDER = orders.STATES["in progress"]
TOLD = [SlowText("accepted", "likes", 38, 30, AT, LATER)]

CASES: Cases = {
    "card": {
        "strange": stuck.card(ODD, others=0, bot_username="viralcore_bot"),
        "too long, and more": stuck.card(LONG, others=31, bot_username="viralcore_bot"),
        "panel gone, before we know our name": stuck.card(GONE, others=1, bot_username=""),
    },
    "decided_card": {
        "ended, all": stuck.decided_card(WHOLE, who=OLU, how="ended"),
        "ended, part": stuck.decided_card(PART, who=OLU, how="ended"),
        "ended, nothing": stuck.decided_card(NOTHING, who=None, how="ended"),
        "renumbered": stuck.decided_card(FINE, who=OLU, how="renumbered"),
        "over by itself": stuck.decided_card(WHOLE, who=None, how="over"),
        "answers again": stuck.decided_card(FINE, who=None, how="over"),
        "shown again": stuck.decided_card(LONG, who=None, how="elsewhere"),
    },
    "listed": {
        "none": stuck.listed([], total=0, newer=None, first=True),
        "some": stuck.listed([ODD, LONG, GONE], total=3, newer=None, first=True),
        "a page of twenty": stuck.listed([*MANY, ODD], total=61, newer=34, first=False),
    },
    "page": {
        "strange, with markup": stuck.page(ODD, may=True),
        "long, for who may only look": stuck.page(LONG, may=False),
        "nothing odd": stuck.page(FINE, may=True),
        "ended": stuck.page(PART, may=True),
    },
    "ask_end": {"in the group": stuck.ask_end(ODD)},
    "ask_end_here": {
        "asked": stuck.ask_end_here(LONG),
        "again": stuck.ask_end_here(LONG, errors.words(BadProgress(most=3500))),
    },
    "confirm_end": {
        "a part": stuck.confirm_end(ODD, delivered=20),
        "all": stuck.confirm_end(LONG, delivered=3500),
        "nothing": stuck.confirm_end(LONG, delivered=0),
    },
    "ask_number": {"asked": stuck.ask_number(ODD)},
    "ended": {"all": stuck.ended(WHOLE), "part": stuck.ended(PART), "nothing": stuck.ended(NOTHING)},
    "renumbered": {"told": stuck.renumbered(ODD)},
}
ORDERS: Cases = {
    "page": {
        "running": staff_orders.page(ORDER, buyer=OLU, created_at=AT, told=TOLD, placed=[RUNNING], may=True),
        "for who may only look": staff_orders.page(
            ORDER, buyer=OLU, created_at=AT, told=TOLD, placed=[RUNNING], may=False
        ),
        "nothing sent yet": staff_orders.page(ORDER, buyer=OLU, created_at=AT, told=[], placed=[], may=True),
        "very much": staff_orders.page(ORDER, buyer=OLU, created_at=AT, told=TOLD * 12, placed=PLACED, may=True),
    },
}

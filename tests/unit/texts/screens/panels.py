"""Cases of `texts.panels`, `texts.placements` and `texts.hints`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from tests.unit.texts.golden import Cases
from viralcore.texts import errors, hints, panels, placements
from viralcore.texts.hints import HintText
from viralcore.texts.panels import ChangeText, PanelText, RecordText, ServiceText
from viralcore.texts.placements import PlacementText

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
GOOD = PanelText("smmflare", True, True, "closed", "120.50 USD", AT, Decimal("14.0"), 0)
DOWN = PanelText("plugsmm", False, False, "open", None, None, None, 0)
ODD = PanelText("a<b>&", False, False, "half-open", "0.00 USD", AT, Decimal("0.4"), 2)
RECORD = RecordText(14, 140, Decimal("0.9833"), Decimal("0.0310"), 720, "8.61 USD")
LIKES = ServiceText(
    "x", "likes", "101", "X Likes | real", "0.90 USD", "0.90 USD", 10, 50_000, True, True, "ok", "", True
)
VIEWS = replace(LIKES, metric="views", service="102", name="Views <b>&", rate="0.03 USD", agreed="0.012 USD",
                refill=False, state="quarantined", reason="price")  # fmt: skip
GONE = replace(VIEWS, metric="comments", service="103", rate="6.50 USD", agreed="6.50 USD", reason="vanished")
KIND = replace(GONE, metric="reposts", reason="kind", cancel=False)
OUT = replace(LIKES, platform="telegram", metric="reactions", state="quarantined", reason="owner", read=False)
CHANGES = [
    ChangeText("x", "views", "102", "price", "0.012", "0.03", True),
    ChangeText("x", "comments", "103", "vanished", "X Comments", "", True),
    ChangeText("x", "comments", "103", "back", "", "X Comments", True),
    ChangeText("x", "likes", "101", "minimum", "10", "20", False),
    ChangeText("x", "reposts", "104", "kind", "", "Custom Comments", True),
]
RUNNING = PlacementText(5, "likes", 1, 38, 30, "sent", "smmflare", "101", "23501", None, False, False, True)
DONE = PlacementText(
    6, "views", 1, 3500, 3500, "completed", "smmflare", "102", "23502", "0.042 USD", False, True, False,
    (("refill", "refused", "Refill <days> are over"), ("refill", "accepted", "")),
)  # fmt: skip
REST = replace(RUNNING, phase=7, number=3, quantity=20, delivered=0, panel="plugsmm", rest_of=True, can_cancel=False,
               state="partial", requests=(("cancel", "unknown", "read_timeout"),))  # fmt: skip
HINT = HintText("0.08 USD", "0.042 USD", 1, "0.0342 USD", AT, AT.replace(minute=40), "placed")

CASES: Cases = {
    "listed": {"three": panels.listed([GOOD, DOWN, ODD]), "none": panels.listed([])},
    "panel": {
        "an owner's": panels.panel(
            GOOD, RECORD, [LIKES, VIEWS, GONE, KIND, OUT], CHANGES, read_at=AT, waiting=False, free=3, may=True
        ),
        "for support, new": panels.panel(
            replace(ODD, quarantined=0),
            RecordText(14, 0, None, None, None, None),
            [LIKES],
            [],
            read_at=None,
            waiting=True,
            free=3,
            may=False,
        ),
        "nothing delivered yet": panels.panel(
            DOWN,
            replace(RECORD, first_seconds=None, cancelled=None, spent=None, samples=1),
            [],
            [],
            read_at=AT,
            waiting=True,
            free=0,
            may=True,
        ),
    },
    "service": {
        "used": panels.service(LIKES, of="smmflare", may=True),
        "price jumped": panels.service(VIEWS, of="smmflare", may=True),
        "vanished": panels.service(GONE, of="smmflare", may=True),
        "left out": panels.service(OUT, of="smmflare", may=True),
        "for support": panels.service(KIND, of="smmflare", may=False),
    },
    "free": {"two": panels.free("smmflare", [("x", "followers"), ("telegram", "reactions")])},
    "ask_service": {
        "asked": panels.ask_service(of="smmflare", platform="x", metric="likes"),
        "again": panels.ask_service(
            of="smmflare", platform="x", metric="likes", problem=errors.words(errors.DomainError())
        ),
    },
    "confirm_service": {
        "another": panels.confirm_service(LIKES, of="smmflare", category="X <b>&", before=VIEWS),
        "for plans": panels.confirm_service(
            LIKES,
            of="smmflare",
            category="X",
            before=None,
            plans=["X followers, at once"],
            others=["X followers, daily"],
        ),
        "new": panels.confirm_service(
            replace(LIKES, refill=False, cancel=False), of="smmflare", category="X", before=None
        ),
    },
    "preferred": {"told": panels.preferred(of="smmflare")},
    "reading": {"told": panels.reading(of="smmflare")},
    "waiting": {
        "several": panels.waiting("x likes (101): price; telegram views (7): vanished; x reposts (9): kind"),
        "cut short, and a new reason": panels.waiting("x likes (101): mood; x vie"),
    },
}
PLACED: Cases = {
    "ask_order": {
        "asked": placements.ask_order(),
        "again": placements.ask_order(placements.no_order("12 <b>")),
    },
    "no_order": {"told": placements.no_order("12 <b>")},
    "placements": {
        "three": placements.placements(7, [RUNNING, DONE, REST], may=True),
        "for who may not": placements.placements(7, [RUNNING], may=False),
        "none": placements.placements(7, [], may=True),
    },
    "confirm_stop": {"asked": placements.confirm_stop(7, RUNNING)},
    "asked": {"refill": placements.asked(what="refill"), "cancel": placements.asked(what="cancel")},
}
HINTS: Cases = {
    "words": {likely: hints.words(replace(HINT, likely=likely)) for likely in ("placed", "not_placed", "open")}
}

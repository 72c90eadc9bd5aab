"""Cases of `texts.orders`: every state of an order and of its lines, long messages, links nobody should send."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.unit.texts.golden import Cases
from tests.unit.texts.screens import hostile
from tests.unit.texts.screens.shop import TIERS
from viralcore.core.money import usd
from viralcore.core.screen import Screen
from viralcore.texts import errors, goods, order_text, orders
from viralcore.texts.order_text import OrderLineText, OrderPartText, OrderText
from viralcore.texts.shop import LineText
from viralcore.texts.ways import WayText

LINK = "https://x.com/ada/status/123"
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LATER = AT + timedelta(minutes=30)
ZERO = usd(0)
WAITING = (
    OrderPartText(1, "likes", 38, 0, AT, "waiting"),
    OrderPartText(1, "views", 3500, 0, AT, "waiting"),
    OrderPartText(2, "likes", 37, 0, LATER, "waiting"),
    OrderPartText(2, "views", 3500, 0, LATER, "waiting"),
)
SCHEDULED = OrderText(
    id=7,
    plan="X Tier 3",
    link=LINK,
    state="scheduled",
    lines=(
        OrderLineText("likes", 75, 0, "scheduled", ZERO),
        OrderLineText("views", 7000, 0, "scheduled", ZERO),
        OrderLineText("comments", 30, 0, "scheduled", ZERO),
        OrderLineText("reposts", 15, 0, "scheduled", ZERO),
    ),
    parts=WAITING,
    refunded=ZERO,
    credit_returned=False,
)


def _at(state: str, likes: tuple[int, str], views: tuple[int, str], *, waiting: int = 0, back: str = "0") -> OrderText:
    """The order with its panel lines as given; comments and reposts refunded once `back` says so."""
    ended = state if state in ("failed", "cancelled") else "completed"
    crowd = "refunded" if back != "0" else "scheduled"
    return replace(
        SCHEDULED,
        state=state,
        lines=(
            OrderLineText("likes", 75, *likes, ZERO),
            OrderLineText("views", 7000, *views, ZERO),
            OrderLineText("comments", 30, 0, crowd, usd("0.75") if back != "0" else ZERO),
            OrderLineText("reposts", 15, 0, crowd, usd("0.30") if back != "0" else ZERO),
        ),
        parts=tuple(
            replace(part, state="waiting" if i >= len(WAITING) - waiting else ended) for i, part in enumerate(WAITING)
        ),
        refunded=usd(back),
    )


VOTES = OrderText(
    id=8,
    plan="X poll votes",
    link=LINK,
    state="scheduled",
    lines=(OrderLineText("votes", 50, 0, "scheduled", ZERO, "staff"),),
    parts=(),
    refunded=ZERO,
    credit_returned=False,
    goods=True,
    facts=goods.facts({"poll_option": "3"}, 50),
)


def _by_hand(state: str, line: str, delivered: int, back: str = "0", reason: str = "") -> OrderText:
    counted = OrderLineText("votes", 50, delivered, line, usd(back), "staff", reason)
    return replace(VOTES, state=state, lines=(counted,), refunded=usd(back))


BY_HAND = {
    "waits": VOTES,
    "begun": _by_hand("in_progress", "in_progress", 20),
    "done": _by_hand("completed", "completed", 50),
    "a part": _by_hand("partial", "partial", 20, "0.90", "The poll has <closed>."),
    "cannot": _by_hand("failed", "failed", 0, "1.50", "The poll has closed."),
    "cancelled": _by_hand("cancelled", "cancelled", 0, "1.50"),
    "by verified accounts": replace(
        SCHEDULED,
        plan="X Tier 5",
        state="in_progress",
        lines=(
            OrderLineText("comments", 60, 45, "in_progress", ZERO, "crowd", "", 20, 12),
            OrderLineText("reposts", 30, 30, "completed", ZERO, "crowd"),
        ),
    ),
    "comments of a tier": replace(
        SCHEDULED,
        state="in_progress",
        lines=(
            *SCHEDULED.lines[:2],
            OrderLineText("comments", 30, 10, "in_progress", ZERO, "staff"),
            OrderLineText("reposts", 15, 0, "scheduled", ZERO, "staff"),
        ),
    ),
}
STATES = {
    "scheduled": SCHEDULED,
    "sending": _at("sending", (0, "in_progress"), (0, "scheduled"), waiting=2),
    "in progress": _at("in_progress", (38, "in_progress"), (3210, "in_progress"), waiting=2),
    "completed": _at("completed", (75, "completed"), (7000, "completed"), back="1.05"),
    "more than asked": _at("completed", (80, "completed"), (7100, "completed"), back="1.05"),
    "partial": _at("partial", (74, "partial"), (7000, "completed"), back="1.06"),
    "completed, a gift": replace(
        _at("completed", (75, "completed"), (7000, "completed")),
        lines=(
            *_at("completed", (75, "completed"), (7000, "completed")).lines[:3],
            OrderLineText("reposts", 15, 0, "refunded", ZERO),
        ),
    ),
    "failed": replace(_at("failed", (0, "failed"), (0, "failed")), credit_returned=True),
    "cancelled": replace(_at("cancelled", (0, "cancelled"), (0, "cancelled")), credit_returned=True),
    "paused": replace(_at("in_progress", (38, "in_progress"), (3210, "in_progress"), waiting=2), paused_at=AT),
    "when it is usually done": replace(SCHEDULED, expected_at=LATER + timedelta(hours=2)),
    **{f"by hand, {name}": one for name, one in BY_HAND.items()},
    "in our groups and at panels": replace(
        SCHEDULED, lines=(*SCHEDULED.lines[:2], *(replace(x, engine="crowd", until=LATER) for x in SCHEDULED.lines[2:]))
    ),
    "in our groups alone": replace(
        SCHEDULED,
        parts=(),
        lines=tuple(replace(x, engine="crowd", until=LATER) for x in SCHEDULED.lines[2:]),
    ),
    "panels are done, the team is not": replace(
        _at("in_progress", (75, "completed"), (7000, "completed")),
        lines=(
            OrderLineText("likes", 75, 75, "completed", ZERO),
            OrderLineText("views", 7000, 7000, "completed", ZERO),
            OrderLineText("comments", 30, 10, "in_progress", ZERO, "staff"),
        ),
    ),
    "a title and a link with markup": replace(SCHEDULED, plan=hostile.TITLE, link=hostile.LINK),
}
PROBLEMS = [(hostile.LINK, reason) for reason in errors.LINK_PROBLEMS] + [("https://example.com/" + "a" * 60, "new")]
CHOICES = [("t3", "X Tier 3", 10, None), ("t1", "X Tier 1", 1234, None), ("custom-7", "VIP", 7, AT)]
MANY = [hostile.LONGEST_LINK] * 20


ALL = [replace(line, later=False) for line in TIERS[2].lines]
PANELS = [WayText(name, "panel", (30, 60)) for name in ("likes", "views")]


def _ways(by: str, *metrics: str, hours: int = 0) -> list[WayText]:
    return [WayText(name, by, hours=hours) for name in metrics or ("comments", "reposts")]


def _confirm(**changed: object) -> Screen:
    given = {
        "draft_id": 5,
        "links": [LINK],
        "problems": [],
        "plan": "X Tier 3",
        "left": 10,
        "delivered": TIERS[2].lines,
        "ways": PANELS,
        "refund": usd("1.05"),
        "choices": 1,
    }
    return orders.confirm(**{**given, **changed})  # type: ignore[arg-type]


DRAWN: Cases = {"body": {name: order_text.body(one) for name, one in STATES.items()}}
CASES: Cases = {
    "ask_link": {"asked": orders.ask_link()},
    "choose_plan": {
        "two plans": orders.choose_plan(
            draft_id=5,
            links=[LINK],
            problems=[],
            choices=CHOICES,
        ),
        "twenty links, every problem, a title with markup": orders.choose_plan(
            draft_id=10**12, links=MANY, problems=PROBLEMS, choices=[("custom-1234567890", hostile.TITLE, 25, None)]
        ),
    },
    "confirm": {
        "one link": _confirm(),
        "twenty links": _confirm(links=MANY, problems=PROBLEMS, left=25, choices=2),
        "all is delivered, in one part": _confirm(
            delivered=TIERS[2].lines[:2],
            refund=None,
            ways=[WayText(name, "panel", (30,)) for name in ("likes", "views")],
        ),
        "panels and our groups": _confirm(delivered=ALL, refund=None, ways=[*PANELS, *_ways("crowd", hours=48)]),
        "panels in their own time, and the team": _confirm(
            delivered=ALL, refund=None, ways=[WayText("likes", "panel", (60,)), PANELS[1], *_ways("staff")]
        ),
        "a post on Telegram for our groups": _confirm(
            plan="Telegram engagement, 15 comments",
            delivered=[LineText("comments", 15, later=False), LineText("reactions", 15, later=False)],
            refund=None,
            ways=_ways("crowd", "comments", "reactions", hours=48),
        ),
        "a gift: nothing was paid, nothing comes back": _confirm(refund=ZERO),
        "only views by panels": _confirm(delivered=TIERS[2].lines[1:3], refund=usd("0.75")),
        "posts for seven of ten": _confirm(
            links=[f"{LINK}{i}" for i in range(7)], problems=[(f"{LINK}{i}", "no_post_left") for i in (7, 8, 9)], left=7
        ),
        "markup everywhere": _confirm(links=[hostile.LINK], plan=hostile.TITLE, problems=[(hostile.LINK, "profile")]),
    },
    "discarded": {"discarded": orders.discarded()},
    "posts_left": {"some": orders.posts_left("X Tier 3", 7), "none": orders.posts_left(hostile.TITLE, 0)},
    "refill_asked": {"told": orders.refill_asked(7)},
    "confirm_cancel": {
        "asked": orders.confirm_cancel(SCHEDULED),
        "goods": orders.confirm_cancel(VOTES),
        "a link with markup": orders.confirm_cancel(STATES["a title and a link with markup"]),
    },
}

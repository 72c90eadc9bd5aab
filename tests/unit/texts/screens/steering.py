"""Cases of `texts.steering`: an order's own screen, why it takes long, its course, lists and the summary."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import cycle
from typing import get_args

from tests.unit.texts.golden import Cases
from tests.unit.texts.screens import hostile
from tests.unit.texts.screens.orders import AT, LATER, LINK, PROBLEMS, SCHEDULED, STATES
from viralcore.boosts.api import SlowCode
from viralcore.core.money import usd
from viralcore.texts import order_text, steering
from viralcore.texts.pictures.timeline import recipe
from viralcore.texts.steering import SlowText, Ways

RUNNING = STATES["in progress"]
EVERY_WAY = Ways(
    can_pause=True, can_cancel_rest=True, can_reorder=True, running=True, link="https://t.me/viralcore_bot?start=o_7"
)
REASONS = [
    SlowText(code, metric, 38, 12, AT, LATER, LATER)
    for code, metric in zip(get_args(SlowCode), cycle(("likes", "views", "comments", "reposts")))
]
LISTED = [
    (10 + i, "X Tier 3", LINK, state, percent)
    for i, (state, percent) in enumerate(zip(order_text.STATES, (0, 0, 45, 100, 99, 0, 0, 45), strict=True))
]
CASES: Cases = {
    "order": {
        "nothing is sent yet": steering.order(
            SCHEDULED, replace(EVERY_WAY, can_cancel=True, can_cancel_rest=False, link="")
        ),
        "on its way": steering.order(RUNNING, EVERY_WAY),
        "paused": steering.order(STATES["paused"], replace(EVERY_WAY, can_pause=False, can_resume=True)),
        "ended": steering.order(STATES["completed"], Ways(can_reorder=True, can_refill=True, link=EVERY_WAY.link)),
    },
    "confirm_rest": {
        "asked": steering.confirm_rest(RUNNING),
        "a link with markup": steering.confirm_rest(STATES["a title and a link with markup"]),
    },
    "slow": {
        "every reason": steering.slow(RUNNING, REASONS, usual=timedelta(minutes=95), longer=False),
        "nothing known of times": steering.slow(
            RUNNING, [replace(one, at=None, asked_at=None, next_at=None) for one in REASONS], usual=None, longer=False
        ),
        "longer than usual": steering.slow(RUNNING, REASONS[:1], usual=timedelta(hours=5), longer=True),
        "ended": steering.slow(STATES["completed"], [], usual=timedelta(hours=5), longer=True),
        "a link with markup": steering.slow(
            STATES["a title and a link with markup"], REASONS[1:2], usual=None, longer=False
        ),
    },
    "reason": {"accepted": steering.reason(REASONS[0])},
    "timeline": {
        "on its way": steering.timeline(RUNNING, recipe(RUNNING, AT - timedelta(minutes=30), None, LATER)),
        "over midnight": steering.timeline(
            replace(SCHEDULED, parts=(SCHEDULED.parts[0], replace(SCHEDULED.parts[2], due_at=AT + timedelta(days=1)))),
            recipe(SCHEDULED, AT - timedelta(minutes=30), None, AT),
        ),
    },
    "my_orders": {
        "none": steering.my_orders(orders=[], unpaid=[], older=None),
        **{
            f"none, {which}": steering.my_orders(orders=[], unpaid=[], older=None, which=which)
            for which in ("running", "finished", "problems")
        },
        "none, but an unpaid invoice": steering.my_orders(
            orders=[], unpaid=[(12, hostile.TITLE, usd("15.00"))], older=None
        ),
        "every state": steering.my_orders(orders=LISTED, unpaid=[(12, "X Tier 3", usd("15.00"))], older="orders:10"),
        "problems": steering.my_orders(orders=LISTED[4:6], unpaid=[], older="orders:problems:10", which="problems"),
        "a full page of long ones": steering.my_orders(
            orders=[(10**12 + i, hostile.TITLE, hostile.LONGEST_LINK, "in_progress", 45) for i in range(20)],
            unpaid=[(i, hostile.TITLE, usd("15.00")) for i in range(3)],
            older=f"orders:{10**12}",
        ),
    },
    "placed": {
        "one": steering.placed(
            draft_id=5, orders=[(7, LINK, "scheduled")], problems=[], left="9 posts left in X Tier 3."
        ),
        "two of four": steering.placed(
            draft_id=5,
            orders=[(7, LINK, "scheduled"), (8, LINK, "in_progress")],
            problems=[(LINK, "no_post_left"), ("https://x.com/ada", "not_a_post")],
            left="No posts left in X Tier 3.",
        ),
        "twenty, every problem": steering.placed(
            draft_id=10**12,
            orders=[(i, hostile.LONGEST_LINK, "scheduled") for i in range(7, 27)],
            problems=PROBLEMS,
            left="",
        ),
        "a link with markup": steering.placed(
            draft_id=5, orders=[(7, hostile.LINK, "scheduled")], problems=[], left=hostile.TITLE
        ),
    },
}

"""Cases of `texts.goods`: every question of every plan, good and bad answers, and what was answered."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.texts.golden import Cases
from tests.unit.texts.screens import hostile
from viralcore.boosts.api import BadAnswer
from viralcore.core.money import usd
from viralcore.core.screen import Html, Screen
from viralcore.texts import errors, goods
from viralcore.texts.goods import RequestText

POLL = "https://x.com/ada/status/123"
VOTES = RequestText(
    id=5,
    title="X poll votes",
    unit="vote",
    quantity=50,
    total=usd("1.50"),
    questions=("poll_link", "poll_option"),
    answers={},
    missing=("poll_link", "poll_option"),
    limits={"poll_link": 0, "poll_option": 4},
)
HALF = replace(VOTES, answers={"poll_link": POLL}, missing=("poll_option",))
WHOLE = replace(VOTES, answers={"poll_link": POLL, "poll_option": "3"}, missing=())
DAILY = replace(
    VOTES,
    title="X followers, daily",
    unit="follower",
    quantity=1000,
    total=usd("15.00"),
    questions=("profile_link", "days"),
    answers={"profile_link": "https://x.com/ada"},
    missing=("days",),
    limits={"days": 200},
)
MEMBERS = replace(
    VOTES, title="Telegram premium members", unit="member", questions=("channel",), missing=("channel",), limits={}
)
FOLLOWERS = replace(MEMBERS, title="X followers, at once", unit="follower", questions=("profile_link",))


def _bad(question: str, reason: str, limit: int = 0) -> Html:
    return errors.words(BadAnswer(question=question, reason=reason, limit=limit))


CASES: Cases = {
    "ask": {
        "the poll": goods.ask(VOTES, "poll_link"),
        "the option": goods.ask(HALF, "poll_option"),
        "the option again": goods.ask(WHOLE, "poll_option"),
        "not an option": goods.ask(HALF, "poll_option", problem=_bad("poll_option", "number", 4)),
        "a profile": goods.ask(FOLLOWERS, "profile_link"),
        "a post for a profile": goods.ask(FOLLOWERS, "profile_link", problem=_bad("profile_link", "post")),
        "days": goods.ask(DAILY, "days"),
        "few days": goods.ask(replace(DAILY, quantity=10, limits={"days": 10}), "days"),
        "a channel": goods.ask(MEMBERS, "channel"),
        "a title with markup": goods.ask(replace(MEMBERS, title=hostile.TITLE), "channel"),
    },
    "summary": {
        "votes": goods.summary(WHOLE),
        "days": goods.summary(replace(DAILY, answers={**DAILY.answers, "days": "30"}, missing=())),
        "a question is open": goods.summary(HALF),
        "kept in another order": goods.summary(
            replace(WHOLE, answers={"poll_option": "3", "poll_link": POLL}),
        ),
    },
    "discarded": {"told": goods.discarded()},
    "facts": {
        "votes": goods.facts(WHOLE.answers, 50),
        "a question of before": goods.facts({"colour": "<b>&"}, 1),
    },
    "other_facts": {"the link is not said again": goods.other_facts(WHOLE.answers, POLL, 50)},
    "daily": {
        "even": goods.daily(1000, 100),
        "uneven": goods.daily(1000, 30),
        "one day": goods.daily(10, 1),
        "slower than one a day": goods.daily(10, 30),
    },
    "with_unfinished": {
        "two": goods.with_unfinished(
            Screen(Html("📦 <b>My Orders</b>"), goods.discarded().rows, route="orders"),
            [(5, "X poll votes", "50 votes"), (6, "Telegram premium members", "50 members")],
        )
    },
}

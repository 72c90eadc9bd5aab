"""Answers to the questions of goods: what is taken, as what, and why the rest is not."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.support.boosts import config
from viralcore.boosts.api import BadAnswer, LinkView
from viralcore.boosts.config import Plan
from viralcore.boosts.domain import goods
from viralcore.boosts.domain.plans import Catalogue
from viralcore.texts.goods import LINKS, NAMES

POLL = "https://x.com/ada/status/123"


def read(question: str, text: str, limit: int = 0) -> str:
    return goods.read_answer(question, text, limit=limit, max_length=300)


@pytest.mark.parametrize(
    ("question", "text", "stored"),
    [
        ("poll_link", "https://twitter.com/ada/status/123?s=20", POLL),
        ("poll_link", "vote here: x.com/ada/status/123!", POLL),
        ("profile_link", "https://x.com/Ada_L?lang=en", "https://x.com/Ada_L"),
        ("profile_link", "@ada", "https://x.com/ada"),
        ("profile_link", "twitter.com/@ada/", "https://x.com/ada"),
        ("profile_link", "https://mobile.twitter.com/ada/with_replies", "https://x.com/ada"),
        ("channel", "@ada_news", "https://t.me/ada_news"),
        ("channel", "t.me/ada_news", "https://t.me/ada_news"),
        ("channel", "https://telegram.me/s/ada_news", "https://t.me/ada_news"),
        ("poll_option", " 3 ", "3"),
        ("days", "030", "30"),
    ],
)
def test_what_is_taken(question: str, text: str, stored: str) -> None:
    assert read(question, text, 200 if question == "days" else 4) == stored
    assert read(question, stored, 200 if question == "days" else 4) == stored, "what is stored reads the same again"


@pytest.mark.parametrize(
    ("question", "text", "reason"),
    [
        ("poll_link", "", "empty"),
        ("poll_link", "three", "link"),
        ("poll_link", "https://x.com/ada", "not_a_post"),
        ("poll_link", "https://t.me/ada_news/4", "not_x"),
        ("poll_link", "https://xx.com/ada/status/1", "not_x"),
        ("poll_link", f"{POLL} https://x.com/ada/status/124", "one_link"),
        ("poll_link", "https://x.com/ada/status/", "not_a_post"),
        ("poll_link", "https://x.com/" + "a" * 400, "too_long"),
        ("profile_link", POLL, "post"),
        ("profile_link", "https://x.com", "not_a_profile"),
        ("profile_link", "https://x.com/i/flow", "not_a_profile"),
        ("profile_link", "https://x.com/home", "not_a_profile"),
        ("profile_link", "@a-b", "not_a_profile"),
        ("profile_link", "ada", "link"),
        ("profile_link", "x.com/ada x.com/bob", "one_link"),
        ("profile_link", "https://t.me/ada_news", "not_x"),
        ("profile_link", "https://x.com.evil.com/ada", "not_supported"),
        ("channel", "@ab", "not_a_channel"),
        ("channel", "https://t.me/ada_news/4", "post"),
        ("channel", "https://t.me/+abcdef", "private"),
        ("channel", "https://t.me/joinchat/abc", "private"),
        ("channel", "https://t.me/c/123/4", "private"),
        ("channel", "https://x.com/ada", "not_telegram"),
        ("channel", "ada news", "one_link"),
        ("poll_option", "0", "number"),
        ("poll_option", "5", "number"),
        ("poll_option", "³", "number"),
        ("days", "201", "number"),
        ("days", "-1", "number"),
        ("days", "1.5", "number"),
    ],
)
def test_what_is_not_taken_says_why(question: str, text: str, reason: str) -> None:
    with pytest.raises(BadAnswer) as wrong:
        read(question, text, 200 if question == "days" else 4)
    assert wrong.value.fields["reason"] == reason


def test_what_an_order_is_about() -> None:
    about = goods.target({"profile_link": "https://x.com/ada", "days": "30"}, max_length=300)
    assert about == LinkView("x", "https://x.com/ada", "ada", "")
    assert about.post == "https://x.com/ada", "a profile is no post: two of them are not one"
    with pytest.raises(LookupError):
        goods.target({"days": "30"}, max_length=300)


def test_every_question_of_the_catalogue_has_words() -> None:
    asked = {question for plan in Catalogue(config(), frozenset({"staff"})).all() for question in plan.questions}
    assert asked == set(NAMES)
    assert goods.LINKS == LINKS


def _plan(**changes: object) -> Plan:
    given = {
        "id": "votes",
        "title": "Votes",
        "platform": "x",
        "group": "poll",
        "kind": "goods",
        "unit": "vote",
        "price": "0.03",
        "questions": ("profile_link",),
        "lines": ({"metric": "followers", "quantity": 1, "channel": "staff", "share": "1"},),
    }
    return Plan.model_validate({**given, **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"questions": ("days",)}, "one link"),
        ({"questions": ()}, "one link"),
        ({"questions": ("poll_link", "channel")}, "one link"),
        ({"questions": ("colour",)}, "questions"),
        ({"kind": "credits"}, "only goods"),
        (
            {
                "questions": ("poll_link", "poll_option"),
                "lines": ({"metric": "votes", "quantity": 1, "channel": "staff", "share": "1", "panel": True},),
            },
            "a panel is told",
        ),
    ],
)
def test_plans_that_could_not_be_ordered_are_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        _plan(**changes)


def test_a_line_moves_to_the_panels_when_one_sells_it() -> None:
    """Comments of the groups, moved by a word in the plan and a service id at a panel; without the id nothing moves."""
    shipped = config()
    tgt = next(plan for plan in shipped.plans if plan.id == "tgt")
    lines = tuple(line.model_copy(update={"panel": True}) for line in tgt.lines)
    moved = tgt.model_copy(update={"lines": lines})
    first, *rest = shipped.panels
    service = first.services[0].model_copy(
        update={"platform": "telegram", "metric": "reactions", "id": "900", "minimum": 1, "maximum": 10_000}
    )
    selling = first.model_copy(update={"services": (*first.services, service)})
    changed = shipped.model_copy(update={"plans": (moved,), "panels": (selling, *rest)})
    plan = Catalogue(changed, frozenset({"crowd"})).get("tgt-15")
    assert [(line.metric, line.channel, line.available) for line in plan.lines] == [
        ("comments", "crowd", True),
        ("reactions", "panel", True),
    ]
    assert [phase.quantity for phase in Catalogue(changed).phases(plan, plan.lines[1])] == [8, 7]


def test_goods_at_a_panel_are_sent_for_all_their_units() -> None:
    shipped = config()
    first, *rest = shipped.panels
    service = first.services[0].model_copy(
        update={"metric": "followers", "id": "901", "minimum": 100, "maximum": 100_000, "rate": "1"}
    )
    selling = first.model_copy(update={"services": (*first.services, service)})
    line = {"metric": "followers", "quantity": 1, "channel": "staff", "share": "1", "panel": True}
    plan = _plan(id="followers", minimum=1000, lines=(line,))
    catalogue = Catalogue(shipped.model_copy(update={"plans": (plan,), "panels": (selling, *rest)}))
    view = catalogue.get("followers")
    assert (view.on_sale, view.lines[0].channel) == (True, "panel")
    assert [phase.quantity for phase in catalogue.phases(view, view.lines[0], 1000)] == [500, 500]

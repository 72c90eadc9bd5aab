"""The fraud rules: each hits at its edge, and not before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.withdrawals import settings
from viralcore.withdrawals.api import FindingView
from viralcore.withdrawals.domain import risk

CONFIG = settings()
RULES = risk.Rules(CONFIG.risk, CONFIG.approval, CONFIG.limits)
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CLEAN = risk.Facts(
    cents=10_000,
    recent=0,
    user_since=NOW - timedelta(days=7),
    paid_to_account=1,
    paid_elsewhere=0,
    others_with_account=0,
    linked_with_account=0,
    earned=100_000,
    reversed=0,
)


def rules_for(**facts: Any) -> list[str]:
    return [finding.rule for finding in risk.judge(replace(CLEAN, **facts), RULES, NOW)]


def test_a_known_person_worries_nobody() -> None:
    assert rules_for() == []
    assert risk.total(()) == 0


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"recent": 2}, "velocity"),
        ({"user_since": NOW - timedelta(days=7) + timedelta(seconds=1)}, "new_user"),
        ({"paid_to_account": 0}, "new_account"),
        ({"paid_to_account": 0, "cents": 100, "paid_elsewhere": 1}, "new_account"),
        ({"others_with_account": 1}, "shared_account"),
        ({"linked_with_account": 1}, "ring"),
        ({"cents": 19_000}, "just_below"),
        ({"cents": 20_000}, "just_below"),
        ({"cents": 47_500}, "just_below"),
        ({"cents": 50_000}, "just_below"),
        ({"reversed": 30_000}, "reversed_earnings"),
    ],
)
def test_hits(facts: dict[str, Any], rule: str) -> None:
    assert rules_for(**facts) == [rule]


@pytest.mark.parametrize(
    "facts",
    [
        {"recent": 1},
        {"user_since": NOW, "cents": 5_000},
        {"user_since": None},
        {"paid_to_account": 0, "cents": 5_000},
        {"cents": 18_999},
        {"cents": 20_001},
        {"cents": 47_499},
        {"reversed": 29_999},
        {"earned": 0, "reversed": 5},
    ],
)
def test_near_misses(facts: dict[str, Any]) -> None:
    assert rules_for(**facts) == []


def test_the_heaviest_come_first_and_the_sum_is_bounded() -> None:
    found = risk.judge(
        replace(CLEAN, recent=9, others_with_account=3, linked_with_account=2, reversed=99_000, cents=19_500),
        RULES,
        NOW,
    )
    assert [one.rule for one in found] == ["ring", "reversed_earnings", "shared_account", "velocity", "just_below"]
    assert risk.total(found) == 100
    assert dict(found[1].facts) == {"percent": "99"}
    assert dict(found[3].facts) == {"requests": "10", "hours": "24"}
    assert dict(found[4].facts) == {"limit_usd": "200"}


@pytest.mark.parametrize(
    ("facts", "rule", "score", "told"),
    [
        ({"recent": 2}, "velocity", CONFIG.risk.score_velocity, {"requests": "3", "hours": "24"}),
        ({"user_since": NOW - timedelta(days=3, hours=5)}, "new_user", CONFIG.risk.score_new_user, {"days": "3"}),
        (
            {"paid_to_account": 0, "paid_elsewhere": 2},
            "new_account",
            CONFIG.risk.score_new_account,
            {"paid_elsewhere": "2"},
        ),
        ({"others_with_account": 2}, "shared_account", CONFIG.risk.score_shared_account, {"people": "2"}),
        ({"linked_with_account": 3}, "ring", CONFIG.risk.score_ring, {"people": "3"}),
        ({"cents": 48_000}, "just_below", CONFIG.risk.score_just_below, {"limit_usd": "500"}),
        ({"reversed": 45_400}, "reversed_earnings", CONFIG.risk.score_reversed_earnings, {"percent": "45"}),
    ],
)
def test_what_a_hit_says(facts: dict[str, Any], rule: str, score: int, told: dict[str, str]) -> None:
    (found,) = risk.judge(replace(CLEAN, **facts), RULES, NOW)
    assert (found.rule, found.score, dict(found.facts)) == (rule, score, told)


@pytest.mark.parametrize(
    ("facts", "rules"),
    [
        ({"user_since": NOW, "cents": 5_001}, ["new_user"]),
        ({"paid_to_account": 0, "cents": 5_001}, ["new_account"]),
        ({"paid_to_account": 2, "paid_elsewhere": 5}, []),
        ({"paid_to_account": 1, "paid_elsewhere": 1}, []),
        ({"others_with_account": 0, "linked_with_account": 0}, []),
        ({"earned": 3, "reversed": 1}, ["reversed_earnings"]),
        ({"earned": 1, "reversed": 1}, ["reversed_earnings"]),
        ({"earned": 100, "reversed": -50}, []),
        ({"cents": 50_001}, []),
    ],
)
def test_edges(facts: dict[str, Any], rules: list[str]) -> None:
    assert rules_for(**facts) == rules


def test_equal_scores_come_by_name_and_a_hundred_is_the_most() -> None:
    def finding(rule: str, score: int) -> FindingView:
        return FindingView(rule, score, {})

    assert risk.total((finding("a", 60), finding("b", 39))) == 99
    assert risk.total((finding("a", 60), finding("b", 41))) == 100
    found = risk.judge(replace(CLEAN, recent=9, linked_with_account=1, others_with_account=1), RULES, NOW)
    assert [one.rule for one in found] == [one.rule for one in sorted(found, key=lambda one: (-one.score, one.rule))]

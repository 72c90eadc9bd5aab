"""The fraud rules: each hits at its edge, and not before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.withdrawals import settings
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

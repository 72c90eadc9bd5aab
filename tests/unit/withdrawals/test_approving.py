"""Who may say yes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.support.withdrawals import settings
from viralcore.withdrawals.api import OwnWithdrawal, SecondApprover
from viralcore.withdrawals.domain.approving import Given, by_itself, lone_from, needed, percent, require_may

RULES = settings().approval
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(hours=24)


def allow(
    given: list[Given], actor: int, approvers: tuple[int, ...] = (1, 2), now: datetime = NOW, want: int = 2
) -> None:
    require_may(given, withdrawal_id=5, actor=actor, owner=9, approvers=approvers, needed=want, now=now, rules=RULES)


def test_how_many() -> None:
    assert [needed(cents=cents, flagged=False, rules=RULES) for cents in (1, 20_000, 20_001)] == [1, 1, 2]
    assert needed(cents=1, flagged=True, rules=RULES) == 2


def test_by_itself() -> None:
    assert by_itself(allowed=True, needed=1, completed=1000, rules=RULES)
    assert not by_itself(allowed=True, needed=1, completed=999, rules=RULES)
    assert not by_itself(allowed=True, needed=2, completed=5000, rules=RULES)
    assert not by_itself(allowed=False, needed=1, completed=5000, rules=RULES)


def test_nobody_twice_and_never_ones_own() -> None:
    allow([], 1)
    allow([Given(1, NOW)], 2)
    with pytest.raises(OwnWithdrawal):
        allow([], 9, approvers=(9,))
    with pytest.raises(SecondApprover) as refusal:
        allow([Given(1, NOW)], 1, now=NOW + 9 * DAY)
    assert refusal.value.fields["again_at"] is None


def test_the_only_approver_waits_a_day() -> None:
    for approvers in ((1,), (1, 9)):  # whose money it is does not count
        with pytest.raises(SecondApprover) as refusal:
            allow([Given(1, NOW)], 1, approvers, NOW + DAY - timedelta(seconds=1))
        assert refusal.value.fields["again_at"] == NOW + DAY
        allow([Given(1, NOW)], 1, approvers, NOW + DAY)
    two = [Given(1, NOW), Given(1, NOW)]
    assert lone_from(two, approvers=(1,), owner=9, needed=2, rules=RULES) is None
    assert lone_from([Given(1, NOW)], approvers=(1,), owner=9, needed=1, rules=RULES) is None
    assert lone_from([], approvers=(1,), owner=9, needed=2, rules=RULES) is None


def test_percent() -> None:
    assert percent(1, 0) == 0
    assert percent(1, 8) == Decimal("12.5")

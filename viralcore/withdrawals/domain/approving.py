"""Who may say yes, and when that is enough (PRODUCT 1 and 9)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from viralcore.core.money import USD, exact
from viralcore.withdrawals.api import OwnWithdrawal, SecondApprover
from viralcore.withdrawals.config import Approval

BY_ITSELF = 0
"""The actor of an approval nobody had to give."""


@dataclass(frozen=True, slots=True)
class Given:
    """An approval of the present round."""

    actor: int
    at: datetime


def needed(*, cents: int, flagged: bool, rules: Approval) -> int:
    """How many approvals. `cents`: its value in USD."""
    return 2 if flagged or cents > exact(rules.second_over_usd, USD).minor else 1


def by_itself(*, allowed: bool, needed: int, completed: int, rules: Approval) -> bool:
    """DISABLE_ADMIN_APPROVAL: only what one admin could approve alone, and only in a shop that has seen enough."""
    return allowed and needed == 1 and completed >= rules.self_after_completed


def lone_from(
    given: Sequence[Given], *, approvers: Collection[int], owner: int, needed: int, rules: Approval
) -> datetime | None:
    """When the only approver there is may give the second approval as well; None where there are others, or none is
    wanted. `approvers`: everybody who may decide; `owner`: whose money it is."""
    if needed < 2 or len(given) != 1 or any(other not in (owner, given[0].actor) for other in approvers):
        return None
    return given[0].at + timedelta(hours=rules.lone_second_hours)


def require_may(
    given: Sequence[Given],
    *,
    withdrawal_id: int,
    actor: int,
    owner: int,
    approvers: Collection[int],
    needed: int,
    now: datetime,
    rules: Approval,
) -> None:
    """Whether `actor` may give the next approval. Raises OwnWithdrawal, SecondApprover."""
    if actor == owner:
        raise OwnWithdrawal(withdrawal_id=withdrawal_id)
    if all(one.actor != actor for one in given):
        return
    again = lone_from(given, approvers=approvers, owner=owner, needed=needed, rules=rules)
    if again is None or now < again:
        raise SecondApprover(withdrawal_id=withdrawal_id, again_at=again)


def percent(part: int, whole: int) -> Decimal:
    """0 of nothing."""
    return Decimal(part) * 100 / whole if whole > 0 else Decimal(0)

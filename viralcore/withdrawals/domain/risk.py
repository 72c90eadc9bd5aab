"""Fraud rules (PRODUCT 9): facts in, findings with a score and reasons out. A hit never refuses; it asks for a second
approver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from viralcore.core.money import USD, exact
from viralcore.withdrawals.api import FindingView
from viralcore.withdrawals.config import Approval, Limits, Risk
from viralcore.withdrawals.domain.approving import percent

HIGHEST = 100


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a request the moment it is made.

    `cents`: its value in USD. `recent`: this person's other requests within velocity_hours. `user_since`: first
    contact. `paid_to_account`: completed withdrawals of this person to this very account; `paid_elsewhere`: to others.
    `others_with_account`: other people who gave the same account. `linked_with_account`: of these, people it has a
    referral tie with. `earned`, `reversed`: what this balance ever earned, and what of it was taken back because the
    purchase was refunded, in its minor units.
    """

    cents: int
    recent: int
    user_since: datetime | None
    paid_to_account: int
    paid_elsewhere: int
    others_with_account: int
    linked_with_account: int
    earned: int
    reversed: int


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers of settings/withdrawals.toml the rules need."""

    risk: Risk
    approval: Approval
    limits: Limits


Rule = Callable[[Facts, Rules, datetime], FindingView | None]


def judge(facts: Facts, rules: Rules, now: datetime) -> tuple[FindingView, ...]:
    """Every rule that hits, the heaviest first."""
    found = [finding for rule in RULES if (finding := rule(facts, rules, now)) is not None]
    return tuple(sorted(found, key=lambda finding: (-finding.score, finding.rule)))


def total(findings: tuple[FindingView, ...]) -> int:
    """The score of all, at most 100."""
    return min(sum(finding.score for finding in findings), HIGHEST)


def _noteworthy(facts: Facts, rules: Rules) -> bool:
    return facts.cents > exact(rules.risk.small_usd, USD).minor


def velocity(facts: Facts, rules: Rules, now: datetime) -> FindingView | None:
    """Many requests in a short time, this one counted."""
    number = facts.recent + 1
    if number < rules.risk.velocity_requests:
        return None
    words = {"requests": str(number), "hours": str(rules.risk.velocity_hours)}
    return FindingView("velocity", rules.risk.score_velocity, words)


def new_user(facts: Facts, rules: Rules, now: datetime) -> FindingView | None:
    """Somebody who came lately takes out more than a little."""
    if facts.user_since is None or not _noteworthy(facts, rules):
        return None
    age = now - facts.user_since
    if age >= timedelta(days=rules.risk.new_user_days):
        return None
    return FindingView("new_user", rules.risk.score_new_user, {"days": str(age.days)})


def new_account(facts: Facts, rules: Rules, now: datetime) -> FindingView | None:
    """Nothing ever arrived at this account: more than a little goes there, or the person was paid elsewhere before,
    which is what a stolen account looks like."""
    if facts.paid_to_account > 0 or not (_noteworthy(facts, rules) or facts.paid_elsewhere > 0):
        return None
    return FindingView("new_account", rules.risk.score_new_account, {"paid_elsewhere": str(facts.paid_elsewhere)})


def shared_account(facts: Facts, rules: Rules, now: datetime) -> FindingView | None:
    """Several people, one bank account."""
    if facts.others_with_account < rules.risk.shared_users:
        return None
    return FindingView("shared_account", rules.risk.score_shared_account, {"people": str(facts.others_with_account)})


def ring(facts: Facts, rules: Rules, now: datetime) -> FindingView | None:
    """Who was referred and who referred have one bank account: somebody earns from themselves."""
    if facts.linked_with_account < 1:
        return None
    return FindingView("ring", rules.risk.score_ring, {"people": str(facts.linked_with_account)})


def just_below(facts: Facts, rules: Rules, now: datetime) -> FindingView | None:
    """An amount a little below where a second approver, or a refusal, would begin."""
    for limit in (rules.approval.second_over_usd, rules.limits.maximum_usd):
        edge = exact(limit, USD).minor
        lowest = Decimal(edge) * (100 - rules.risk.just_below_percent) / 100
        if lowest <= facts.cents <= edge:
            return FindingView("just_below", rules.risk.score_just_below, {"limit_usd": str(limit)})
    return None


def reversed_earnings(facts: Facts, rules: Rules, now: datetime) -> FindingView | None:
    """Much of what this balance earned came from purchases that were refunded."""
    share = percent(facts.reversed, facts.earned)
    if facts.reversed <= 0 or share < rules.risk.reversed_percent:
        return None
    return FindingView("reversed_earnings", rules.risk.score_reversed_earnings, {"percent": f"{share:.0f}"})


RULES: tuple[Rule, ...] = (velocity, new_user, new_account, shared_account, ring, just_below, reversed_earnings)

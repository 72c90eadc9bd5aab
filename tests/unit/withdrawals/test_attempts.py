"""What a record at the provider means, and when a reference is sent again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from tests.support.withdrawals import settings
from tests.unit.withdrawals.rows import NOW, account, attempt, check, request
from viralcore.core.money import Money
from viralcore.withdrawals.domain import attempts as rules

SENDING = settings().sending


@pytest.mark.parametrize(
    ("state", "status", "why", "n", "verdict"),
    [
        ("sending", "successful", None, 1, "paid"),
        ("unknown", "successful", None, 1, "paid"),
        ("succeeded", "successful", None, 1, "nothing"),
        ("failed", "successful", None, 1, "late_success"),
        ("accepted", "failed", "passing", 3, "again"),
        ("accepted", "failed", "config", 1, "again"),
        ("accepted", "failed", "passing", 4, "fail"),
        ("accepted", "failed", "account", 1, "fail"),
        ("unknown", "failed", "final", 1, "fail"),
        ("sending", "failed", None, 1, "fail"),
        ("failed", "failed", "passing", 1, "nothing"),
        ("succeeded", "failed", "passing", 1, "late_failure"),
        ("unknown", "new", None, 1, "queued"),
        ("accepted", "pending", None, 1, "queued"),
        ("succeeded", "pending", None, 1, "nothing"),
        ("failed", "new", None, 1, "nothing"),
    ],
)
def test_read(state: str, status: Any, why: Any, n: int, verdict: str) -> None:
    assert rules.read(request(), attempt(state=state, n=n), status, why, retries=3) == verdict


def test_paid_after_all_while_the_next_attempt_waits() -> None:
    failed = attempt(state="failed")
    assert rules.read(request(next_attempt_at=NOW), failed, "successful", None, retries=3) == "paid"
    assert rules.read(request(state="failed"), failed, "successful", None, retries=3) == "late_success"


@pytest.mark.parametrize(
    ("why", "reason"),
    [("account", "account"), ("passing", "bank"), ("config", "bank"), ("final", "declined"), (None, "declined")],
)
def test_reasons(why: Any, reason: str) -> None:
    assert rules.reason_of(why) == reason


def test_resend_only_after_ten_minutes_of_not_found() -> None:
    def decide(sends: int, seconds: int | None) -> str:
        since = None if seconds is None else NOW - timedelta(seconds=seconds)
        asked = attempt(state="unknown", sends=sends, missing_since=since, provider_id="")
        return rules.resend(asked, now=NOW, rules=SENDING)

    assert decide(1, None) == "wait"
    assert decide(1, 599) == "wait"
    assert decide(1, 600) == "send"
    assert decide(3, 600) == "send"
    assert decide(4, 600) == "leave"


def test_asking_becomes_seldom() -> None:
    waits = [rules.ask_delay(n, SENDING).total_seconds() for n in (0, 1, 2, 20, 10_000)]
    assert waits == [60, 91, 137, 1800, 1800]


def test_giving_back() -> None:
    day = timedelta(hours=24)
    assert not rules.may_give_back(None, now=NOW, rules=SENDING)
    assert not rules.may_give_back(attempt(), now=NOW, rules=SENDING)
    late = attempt(missing_since=NOW - day + timedelta(seconds=1), missing_at=NOW)
    assert not rules.may_give_back(late, now=NOW, rules=SENDING)
    gone = attempt(missing_since=NOW - day, missing_at=NOW)
    assert rules.may_give_back(gone, now=NOW, rules=SENDING)
    assert rules.may_give_back(gone, now=NOW + timedelta(hours=1), rules=SENDING)
    assert not rules.may_give_back(gone, now=NOW + timedelta(hours=1, seconds=1), rules=SENDING)  # look again first
    assert not rules.may_give_back(replace(gone, missing_at=None), now=NOW, rules=SENDING)
    for state in ("failed", "succeeded"):
        assert not rules.may_give_back(replace(gone, state=state), now=NOW, rules=SENDING)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "dead"),
    [("failed", True), ("new", False), ("pending", False), ("successful", False), ("exists", False)],
)
def test_while_anything_carries_the_reference_only_failed_is_given_back(seen: str, dead: bool) -> None:
    day = timedelta(hours=24)
    looked = attempt(seen=seen, asked_at=NOW)
    assert rules.may_give_back(looked, now=NOW, rules=SENDING) is dead
    assert not rules.may_give_back(looked, now=NOW + day, rules=SENDING)
    missed = attempt(seen=seen, missing_since=NOW - 2 * day, missing_at=NOW, asked_at=NOW)
    assert rules.may_give_back(missed, now=NOW, rules=SENDING) is dead


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        (["failed", "failed"], "failed"),
        (["failed", "new"], "new"),
        (["new", "pending"], "pending"),
        (["failed", "successful", "pending"], "successful"),
    ],
)
def test_several_records_are_failed_only_when_each_is(statuses: list[Any], worst: str) -> None:
    assert rules.seen_in(statuses) == worst


@pytest.mark.parametrize(
    ("values", "proven"),
    [
        ({}, True),
        ({"state": "unknown"}, True),
        ({"sends": 1}, False),
        ({"provider_id": "7"}, False),
        ({"seen": "exists"}, False),
        ({"state": "failed"}, False),
    ],
)
def test_what_never_left(values: dict[str, Any], proven: bool) -> None:
    assert rules.never_sent(attempt(**({"state": "sending", "sends": 0, "provider_id": ""} | values))) is proven


def test_what_was_taken_is_never_sent_again() -> None:
    gone = attempt(state="unknown", provider_id="7", missing_since=NOW - timedelta(days=1))
    assert rules.resend(gone, now=NOW, rules=SENDING) == "leave"


def test_paid_after_all_while_another_attempt_is_open() -> None:
    failed = attempt(state="failed")
    unsent, sent = attempt(id=2, state="sending", sends=0, provider_id=""), attempt(id=2, state="unknown")
    read = partial(rules.read, request(), failed, "successful", None, retries=3)
    assert (read(other=unsent), read(other=sent), read()) == ("instead", "twice", "late_success")
    assert rules.read(request(state="approved"), failed, "successful", None, retries=3) == "paid"


def test_naira_leave_the_books_once() -> None:
    assert rules.booked(gross=1000, net=990, fee=None) == rules.Booked(1000, 0)
    assert rules.booked(gross=1000, net=990, fee=4) == rules.Booked(994, 6)
    assert rules.booked(gross=1000, net=990, fee=15) == rules.Booked(1005, -5)


def test_money_of_a_request() -> None:
    assert (request().asset, str(request().money.decimal)) == ("USD", "20.00")
    assert attempt().open
    assert not attempt(state="failed").open


@pytest.mark.parametrize(
    ("state", "is_open"),
    [("sending", True), ("accepted", True), ("unknown", True), ("succeeded", False), ("failed", False)],
)
def test_what_may_still_pay(state: str, is_open: bool) -> None:
    assert attempt(state=state).open is is_open


def test_money_of_a_request_in_naira_and_of_a_question() -> None:
    assert request(source="reply").money == Money(2000, "NGN")
    assert request(source="wallet").money == Money(2000, "USD")
    assert check(source="reply").money == Money(2000, "NGN")
    assert check().money == Money(2000, "USD")
    assert account().masked == "******0032"
    assert request().terms.net == 2_998_925


def test_paid_after_all_only_while_it_waits_in_processing() -> None:
    failed = attempt(state="failed")
    for state in ("unconfirmed", "completed", "failed"):
        verdict = rules.read(request(state=state, next_attempt_at=NOW), failed, "successful", None, retries=3)
        assert verdict == "late_success"
    assert rules.read(request(), attempt(state="sending"), "new", None, retries=0) == "queued"
    assert rules.read(request(), attempt(n=1), "failed", "passing", retries=1) == "again"
    assert rules.read(request(), attempt(n=2), "failed", "passing", retries=1) == "fail"


def test_asking_becomes_seldom_step_by_step() -> None:
    few = settings(sending={"first_ask_seconds": 10, "longest_ask_seconds": 24}).sending
    assert [rules.ask_delay(n, few).total_seconds() for n in range(4)] == [10, 16, 24, 24]

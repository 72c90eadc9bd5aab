"""How orders move and what comes back, as rules without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.boosts import config
from viralcore.boosts.domain import states
from viralcore.boosts.domain.panels import StatusReading
from viralcore.boosts.domain.states import Line, Order, Phase

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SCHEDULE = config().schedule


def order(cost: str = "1.50") -> Order:
    return Order(
        id=1,
        user_id=42,
        draft_id=1,
        invoice_id=None,
        position=0,
        plan_id="t3",
        plan_title="X Tier 3",
        asset="t3",
        platform="x",
        link="l",
        handle="h",
        post_id="1",
        unit_cost=Decimal(cost),
        units=1,
        answers={},
        state="in_progress",
        created_at=NOW,
        finished_at=None,
        refunded_cents=0,
        credit_returned=False,
    )


def line(number: int, share: str, quantity: int, delivered: int, state: Any = None) -> Line:
    ended = state or ("completed" if delivered >= quantity else "partial" if delivered else "failed")
    return Line(number, 1, "likes", "panel", None, quantity, Decimal(share), ended, delivered, 0, NOW)


def phase(state: Any = "waiting", *, quantity: int = 38, delivered: int = 0, **changes: Any) -> Phase:
    final = state in states.FINAL_PHASE
    plain = Phase(
        id=1,
        order_id=1,
        line_id=1,
        number=1,
        quantity=quantity,
        due_at=NOW,
        next_at=NOW if state == "waiting" else None,
        state=state,
        attempt=0,
        round=0,
        tried=[],
        troubled_since=None,
        panel=None,
        service=None,
        panel_order="5" if state in {"sent", "completed", "partial"} else None,
        sent_at=None,
        polled_at=None,
        start_count=None,
        remains=None,
        charge=None,
        currency=None,
        delivered=delivered,
        finished_at=NOW if final else None,
    )
    return replace(plain, **changes)


@pytest.mark.parametrize(
    ("phases", "state", "cancellable"),
    [
        (["waiting", "waiting"], "scheduled", True),
        (["sending", "waiting"], "sending", False),
        (["unknown", "waiting"], "sending", False),
        (["sent", "waiting"], "in_progress", False),
        (["completed", "waiting"], "in_progress", False),
        (["failed", "waiting"], "in_progress", False),
        (["unknown", "sent"], "in_progress", False),
    ],
)
def test_the_state_of_a_running_order(phases: list[str], state: str, cancellable: bool) -> None:
    found = [phase(one) for one in phases]
    assert states.running_state(found) == state
    assert states.can_cancel(order(), found, []) is cancellable


def test_an_ended_order_cannot_be_cancelled() -> None:
    assert not states.can_cancel(replace(order(), state="cancelled"), [phase("waiting")], [])


def test_a_line_raised_to_a_minimum_delivers_what_was_sold() -> None:
    sold = line(1, "0.15", 8, 0)
    assert states.shown_delivered(sold, [phase("completed", quantity=10, delivered=10)]) == 8
    assert states.ended_line(sold, [phase("partial", quantity=10, delivered=9)]) == "completed"


@given(
    cost=st.decimals(0, 1000, places=4),
    weights=st.lists(st.integers(1, 50), min_size=1, max_size=6),
    data=st.data(),
)
def test_what_comes_back_is_never_more_than_was_paid_and_never_both_kinds(
    cost: Decimal, weights: list[int], data: st.DataObject
) -> None:
    shares = [Decimal(weight) / sum(weights) for weight in weights]
    lines = []
    for number, share in enumerate(shares, start=1):
        quantity = data.draw(st.integers(1, 20_000))
        lines.append(line(number, str(share), quantity, data.draw(st.integers(0, quantity))))
    end = states.settle(order(str(cost)), lines)
    assert end.refunded_cents <= cost * 100
    assert all(cents > 0 for cents in end.refunds.values())
    nothing = all(one.delivered == 0 for one in lines)
    assert end.credit_returned is nothing
    assert (end.state == "failed") is nothing
    if nothing:
        assert end.refunds == {}
    if all(one.delivered == one.quantity for one in lines):
        assert (end.state, end.refunded_cents) == ("completed", 0)


def test_a_reading_ends_a_phase_only_when_it_says_enough() -> None:
    sent = phase("sent", delivered=10)
    assert states.apply_reading(sent, StatusReading("completed", "Completed")).state == "completed"
    assert states.apply_reading(sent, StatusReading("partial", "Partial", remains=8)).delivered == 30
    assert states.apply_reading(sent, StatusReading("canceled", "Canceled")).state == "failed"
    silent = states.apply_reading(sent, StatusReading("partial", "Partial"))
    assert (silent.state, silent.delivered, silent.strange, silent.changed) == ("sent", 10, True, False)
    assert states.apply_reading(sent, StatusReading("strange", "Moon")).strange
    assert not states.apply_reading(sent, StatusReading("pending", "Pending")).changed


def test_waiting_grows_and_is_bounded_by_what_can_be_cured() -> None:
    def wait(why: Any, since_hours: float = 0, round_: int = 0) -> timedelta | None:
        one = phase(round=round_, troubled_since=NOW - timedelta(hours=since_hours))
        found = states.next_look(one, [("smmflare", why)], NOW, SCHEDULE)
        return None if found is None else found - NOW

    assert [wait("link", round_=one) for one in (0, 1, 5, 99)] == [timedelta(minutes=one) for one in (1, 5, 60, 60)]
    assert wait("link", since_hours=2) is None
    assert wait("outage", since_hours=2) is not None
    assert wait("funds", since_hours=24) is None
    assert wait("busy", since_hours=24) == timedelta(minutes=5)
    assert wait("busy", since_hours=48) is None


def worked_line(state: Any, *, delivered: int = 0) -> Line:
    """A line that staff work at."""
    return replace(line(1, "1", 10, delivered, state), channel="staff", engine="staff", finished_at=None)


def test_what_somebody_began_cannot_be_cancelled() -> None:
    assert states.can_cancel(order(), [], [worked_line("scheduled")])
    assert not states.can_cancel(order(), [phase("waiting")], [worked_line("in_progress")])


def test_a_line_that_is_worked_at_says_itself_how_far_the_order_is() -> None:
    assert states.running_state([], [worked_line("scheduled")]) == "scheduled"
    assert states.running_state([phase("waiting")], [worked_line("in_progress")]) == "in_progress"


@pytest.mark.parametrize(("delivered", "ended"), [(10, "completed"), (4, "partial"), (0, "failed")])
def test_how_a_worked_line_ends(delivered: int, ended: str) -> None:
    assert states.ended_worked(worked_line("in_progress", delivered=delivered)) == ended


def test_goods_of_which_nothing_came_give_the_money_back() -> None:
    goods = replace(order("12.00"), asset="", invoice_id=5, draft_id=None)
    settled = states.settle(goods, [worked_line("failed")])
    assert (settled.state, settled.credit_returned, settled.refunds) == ("failed", False, {1: 1200})

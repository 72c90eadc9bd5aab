"""What a panel's answer means, held to every recorded one."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.boosts import config
from viralcore.boosts.domain.panels import (
    Declined,
    Placed,
    Silent,
    StatusReading,
    delivered_at_end,
    delivered_so_far,
    order_id,
    read_add,
    read_balance,
    read_status,
)

RECORDED = Path(__file__).parents[2] / "fixtures" / "smm"
CONFIG = config()
PERFECT, SMART = CONFIG.dialects["perfectpanel"], CONFIG.dialects["smartpanel"]
WORDS = CONFIG.statuses
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def recorded(name: str) -> Any:
    return json.loads((RECORDED / name).read_text(), parse_float=Decimal)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("error_not_enough_funds_code.json", "funds"),
        ("error_not_enough_funds_text.json", "funds"),
        ("error_active_order_text.json", "busy"),
        ("error_incorrect_service_id_code.json", "service"),
        ("error_incorrect_service_id_text.json", "service"),
        ("error_smartpanel_service.json", "service"),
        ("error_link_code.json", "link"),
        ("error_link_text.json", "link"),
        ("error_min_quantity_code.json", "quantity"),
        ("error_min_quantity_text.json", "quantity"),
        ("error_max_quantity_code.json", "quantity"),
        ("error_max_quantity_text.json", "quantity"),
        ("error_smartpanel_max.json", "quantity"),
        ("error_invalid_api_key.json", "config"),
        ("error_incorrect_request.json", "other"),
        ("error_smartpanel_action.json", "other"),
    ],
)
@pytest.mark.parametrize("dialect", [PERFECT, SMART])
def test_recorded_refusals_are_understood_in_every_dialect(name: str, why: str, dialect: Any) -> None:
    body = recorded(name)
    assert read_add(body, dialect) == Declined(why, body["error"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("neworder.error.link_duplicate", "busy"),
        ("API is Disable for this user or User Not Found! Contact the Support", "config"),
        ("Invalid Link", "link"),
        ("Quantity must to be greater than or equal to minimum amount", "quantity"),
        ("NOT ENOUGH FUNDS", "funds"),
        ("Something else entirely", "other"),
    ],
)
@pytest.mark.parametrize("dialect", [PERFECT, SMART])
def test_refusals_known_without_a_recording(text: str, why: str, dialect: Any) -> None:
    assert read_add({"error": text}, dialect) == Declined(why, text)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["add_200.json", "add_200_smartpanel_variant.json"])
def test_recorded_orders_are_orders(name: str) -> None:
    assert read_add(recorded(name), PERFECT) == Placed("23501")


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        None,
        "ok",
        "<html></html>",
        {"order": None},
        {"order": ""},
        {"order": 0},
        {"order": True},
        {"error": ""},
        {"order": "a b"},
        {"order": {"id": 1}},
        {"order": 5, "error": "Bad link"},
        {"status": "success"},
    ],
)
def test_an_answer_that_says_neither_yes_nor_no_is_unknown(body: Any) -> None:
    assert isinstance(read_add(body, PERFECT), Silent)


def test_a_closed_door_is_a_no() -> None:
    assert read_add("<html>forbidden</html>", PERFECT, 403) == Declined("config", "HTTP 403")
    assert read_add({"error": "Too Many Requests"}, PERFECT, 429) == Declined("outage", "Too Many Requests")
    assert read_add("slow down", PERFECT, 429) == Declined("outage", "429")
    assert read_add({"error": "Invalid API key"}, PERFECT, 401) == Declined("config", "Invalid API key")


@given(JSON, st.sampled_from([200, 201, 400, 429]))
def test_no_answer_breaks_the_reader(body: Any, status: int) -> None:
    read_add(body, PERFECT, status)
    read_status(body, WORDS)
    read_balance(body)


def test_the_recorded_statuses() -> None:
    partial = read_status(recorded("status_200.json"), WORDS)
    assert (partial.word, partial.start_count, partial.remains) == ("partial", 3572, 157)
    assert partial.charge == Decimal("0.27819")
    assert read_status(recorded("status_completed_200_live.json"), WORDS).word == "completed"
    many = recorded("status_multi_200.json")
    assert [read_status(row, WORDS).word for row in many.values()] == ["partial", "strange", "running"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Pending", "pending"),
        ("AWAITING", "pending"),
        ("In progress", "running"),
        ("In Progress", "running"),
        ("processing", "running"),
        ("COMPLETED", "completed"),
        ("Partial", "partial"),
        ("Canceled", "canceled"),
        ("cancelled", "canceled"),
        ("Refunded", "canceled"),
        ("Fail", "canceled"),
        ("Failed", "canceled"),
        ("Error", "strange"),
        ("", "strange"),
        ("Moon", "strange"),
    ],
)
def test_status_words_whatever_their_case(text: str, word: str) -> None:
    assert read_status({"status": text}, WORDS).word == word


@pytest.mark.parametrize(
    ("remains", "read"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        ("157", 157),
        (12, 12),
        ("-3", -3),
        ("1,200", 1200),
        ("x", None),
        ("1.5", None),
        (True, None),
        ("1e400000000", None),
        ("NaN", None),
        ({}, None),
    ],
)
def test_remains_as_panels_write_them(remains: Any, read: int | None) -> None:
    assert read_status({"status": "Partial", "remains": remains}, WORDS).remains == read


def test_what_was_delivered_at_the_end() -> None:
    def end(word: Any, remains: int | None, charge: str | None = "1") -> int | None:
        price = None if charge is None else Decimal(charge)
        return delivered_at_end(StatusReading(word, "", remains=remains, charge=price), 100)

    assert end("completed", 40) == 100
    assert end("partial", 40) == 60
    assert end("partial", -5) == 100
    assert end("partial", 400) == 0
    assert end("partial", None) is None  # not enough to pay by: asked again
    assert end("canceled", 100) == 0
    assert end("canceled", 30) == 70
    assert end("canceled", None) == 0
    assert end("canceled", 0, charge="0") == 0  # it cost nothing, so it delivered nothing
    # It was cancelled and nothing is left of it: some panels write 0 where they mean "nobody began". Asked again.
    assert end("canceled", 0) is None
    assert end("canceled", 0, charge=None) is None
    assert end("canceled", -3, charge="0.5") is None
    assert end("running", 0) is None


def test_progress_never_runs_ahead_or_back() -> None:
    def so_far(word: Any, remains: int | None, before: int) -> int:
        return delivered_so_far(StatusReading(word, "", remains=remains), 100, before)

    assert so_far("pending", 0, 0) == 0  # panels write 0 before they start
    assert so_far("running", 0, 10) == 10
    assert so_far("running", 60, 10) == 40
    assert so_far("running", 95, 40) == 40
    assert so_far("running", -1, 40) == 40
    assert so_far("running", 900, 40) == 40


def test_balances() -> None:
    reading = read_balance(recorded("balance_200.json"))
    assert reading is not None
    assert (reading.amount, reading.currency) == (Decimal("100.84292"), "USD")
    assert read_balance({"error": "Invalid API key"}) is None


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (23501, "23501"),
        ("23501", "23501"),
        (" 23501 ", "23501"),
        ("abc-1", "abc-1"),
        ("0", ""),
        (-5, ""),
        (None, ""),
        ("1 2", ""),
        ("<b>", ""),
        ("9" * 41, ""),
        (False, ""),
        (1.5, ""),
        ("é", ""),
    ],
)
def test_order_ids(value: Any, read: str) -> None:
    assert order_id(value) == read

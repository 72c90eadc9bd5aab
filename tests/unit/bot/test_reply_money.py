"""What finance types for a bonus or a correction: an amount in naira and why."""

from __future__ import annotations

import pytest

from viralcore.bot.admin.replies import read_money
from viralcore.core.money import ngn


@pytest.mark.parametrize(
    ("line", "amount", "reason"),
    [
        ("500 a great week", "500", "a great week"),
        ("-150 counted twice", "-150", "counted twice"),
        ("\u2212150.50, counted  twice", "-150.50", "counted twice"),
        ("+20: forgotten", "20", "forgotten"),
        ("1,500.5 ngn for\nthe launch", "1500.5", "for the launch"),
        ("₦2,000,000 too much", "2000000", "too much"),
        ("N500 thanks", "500", "thanks"),
        ("500 naira 3 replies more", "500", "3 replies more"),
        ("500, week 48", "500", "week 48"),
    ],
)
def test_an_amount_and_why(line: str, amount: str, reason: str) -> None:
    assert read_money(line) == (ngn(amount), reason)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "500",
        "500 ",
        "a great week",
        "5oo great",
        "1.234 thousandths",
        "1,50 half",
        "--5 twice",
        "1e5 big",
        "9" * 13 + " x",
    ],
)
def test_anything_else_is_nothing(line: str) -> None:
    assert read_money(line) == (ngn(0), "")

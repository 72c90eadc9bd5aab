"""Amounts as people type them: read strictly, or not at all."""

from __future__ import annotations

import pytest

from viralcore.bot.user.amounts import dollars

READ = {
    "12": 1200, "12.50": 1250, "$12.5": 1250, "1,000": 100_000, " $ 7 ": 700, "12$": 1200, "12 usd": 1200,
    "5 USDT": 500, "1,234,567.89": 123_456_789,
    "0.01": 1, "0": 0, "007": 700, "20 dollars": 2000, "\u00a025\u202f": 2500,
}  # fmt: skip
REFUSED = (
    "", "$", "9.999", "ten", "-5", "+5", "1e3", "12,50", "1,5", "1,00", "1.000,50", "1.000", "12.", ".5", "1 000",
    "12 50",
    "5-10", "NaN", "inf", "0x10", "²", "\u0661\u0662", "1_000", "12 euros", "€12", "<b>5</b>", "1234567890", "$$5",
    "5\n6",
    "\x005",
)  # fmt: skip


@pytest.mark.parametrize(("text", "cents"), READ.items())
def test_an_amount_is_read_to_the_cent(text: str, cents: int) -> None:
    found = dollars(text)
    assert found is not None
    assert (found.minor, found.asset) == (cents, "USD")


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_amount_or_could_be_two_is_not_guessed(text: str) -> None:
    assert dollars(text) is None

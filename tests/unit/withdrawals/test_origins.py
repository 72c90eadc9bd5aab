"""Where earnings came from, asked of referrals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from viralcore.core.money import usd
from viralcore.withdrawals.ports import Origin
from viralcore.withdrawals.service.origins import MOST, ReferralOrigins


class FakeReferrals:
    def __init__(self, *ties: tuple[int, int]) -> None:
        self.known = ties
        self.asked: list[Sequence[int]] = []
        self.facts: dict[int, Any] = {7: SimpleNamespace(earned=usd("50.00"), reversed=usd("12.34"))}

    async def ties(self, *, user_ids: Sequence[int]) -> tuple[tuple[int, int], ...]:
        self.asked.append(user_ids)
        return tuple(tie for tie in self.known if set(tie) <= set(user_ids))

    async def get_many(self, *, user_ids: Sequence[int]) -> Mapping[int, Any]:
        return {one: self.facts[one] for one in user_ids if one in self.facts}


async def origin(referrals: FakeReferrals, *sharing: int, source: Any = "affiliate", user_id: int = 7) -> Origin:
    return await ReferralOrigins(referrals).origin(user_id=user_id, source=source, sharing=sharing)  # type: ignore[arg-type]


async def test_who_shares_the_account_and_is_tied_in_either_direction() -> None:
    referrals = FakeReferrals((7, 8), (9, 7), (8, 10), (7, 11))
    found = await origin(referrals, 8, 9, 10)
    assert found.tied == {8, 9}  # 8 and 10 are tied to each other, which is not about 7; 11 shares nothing
    assert referrals.asked == [[7, 8, 9, 10]]


async def test_nobody_shares_it_so_nobody_is_asked_about() -> None:
    referrals = FakeReferrals((7, 8))
    assert await origin(referrals) == Origin(frozenset(), 5000, 1234)
    assert referrals.asked == []


async def test_never_more_than_referrals_answers_at_once() -> None:
    referrals = FakeReferrals()
    await origin(referrals, *range(100, 1100))
    assert len(referrals.asked[0]) == MOST


@pytest.mark.parametrize(("source", "user_id"), [("reply", 7), ("affiliate", 8)])
async def test_reply_money_and_people_nothing_is_known_of_have_no_earnings(source: str, user_id: int) -> None:
    assert await origin(FakeReferrals((8, 7)), 8, 7, source=source, user_id=user_id) == Origin(
        frozenset({15 - user_id}), 0, 0
    )

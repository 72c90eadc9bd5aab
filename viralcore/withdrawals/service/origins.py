"""Where earnings came from, asked of referrals: the port `Origins` over its door."""

from __future__ import annotations

from collections.abc import Sequence

from viralcore.referrals.api import Referrals
from viralcore.withdrawals.api import Source
from viralcore.withdrawals.ports import Origin

MOST = 500


class ReferralOrigins:
    """Reply money is approved reply by reply and never taken back: of it only the ties are told."""

    def __init__(self, referrals: Referrals) -> None:
        self._referrals = referrals

    async def origin(self, *, user_id: int, source: Source, sharing: Sequence[int]) -> Origin:
        tied: set[int] = set()
        if sharing:
            ties = await self._referrals.ties(user_ids=[user_id, *sharing[: MOST - 1]])
            tied = {other for tie in ties if user_id in tie for other in tie if other != user_id}
        if source != "affiliate":
            return Origin(frozenset(tied), 0, 0)
        facts = (await self._referrals.get_many(user_ids=[user_id])).get(user_id)
        if facts is None:
            return Origin(frozenset(tied), 0, 0)
        return Origin(frozenset(tied), facts.earned.minor, facts.reversed.minor)

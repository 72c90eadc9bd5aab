"""What people, staff and fraud rules read of referrals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal

from viralcore.core.clock import Clock
from viralcore.core.db import Database
from viralcore.core.figures import Figure
from viralcore.core.money import USD, Money
from viralcore.ledger.api import AFFILIATE, Ledger, user_account
from viralcore.referrals import domain, repository
from viralcore.referrals.api import CommissionView, MonthEarnings, ReferralFacts, ReferralStats
from viralcore.referrals.config import ReferralsConfig
from viralcore.referrals.repository import Sums

MOST_IDS = 500
MOST_ROWS = 100
_PEOPLE = "People who came through a referral link, by whether they have bought"
_MONEY = "Commissions in cents: earned, taken back, and still to be taken from later ones"
_NOTHING = Sums(0, 0, 0)


class ReferralsService:
    """Implements `referrals.api.Referrals`."""

    def __init__(self, *, db: Database, clock: Clock, ledger: Ledger, config: ReferralsConfig) -> None:
        self._db = db
        self._clock = clock
        self._ledger = ledger
        self._config = config

    def percent(self) -> Decimal:
        return self._config.commission_percent

    def link(self, *, user_id: int, bot_username: str) -> str:
        return f"https://t.me/{bot_username}?start={domain.PREFIX}{user_id}"

    async def stats(self, *, user_id: int) -> ReferralStats:
        balance = await self._ledger.balance(account=user_account(user_id, AFFILIATE))
        month = self._clock.now().astimezone(UTC).date().replace(day=1)
        async with self._db.read() as conn:
            people, active = (await repository.brought(conn, [user_id])).get(user_id, (0, 0))
            sums = (await repository.sums_of(conn, [user_id])).get(user_id, _NOTHING)
            now = (await repository.by_month(conn, user_id, since=_midnight(month))).get(month, (0, 0))
        return ReferralStats(
            people=people,
            active=active,
            earned=Money(sums.earned - sums.reversed, USD),
            this_month=Money(now[0] - now[1], USD),
            available=Money(balance.available, USD),
            receivable=Money(sums.receivable, USD),
        )

    async def by_month(self, *, user_id: int) -> tuple[MonthEarnings, ...]:
        shown = domain.months(self._clock.now().astimezone(UTC).date(), self._config.months_shown)
        async with self._db.read() as conn:
            found = await repository.by_month(conn, user_id, since=_midnight(shown[0]))
        made = ((month, *found.get(month, (0, 0))) for month in shown)
        return tuple(MonthEarnings(month, Money(up, USD), Money(down, USD)) for month, up, down in made)

    async def commissions(
        self, *, user_id: int, before_id: int | None = None, limit: int = 20
    ) -> tuple[CommissionView, ...]:
        async with self._db.read() as conn:
            return await repository.page(conn, user_id, before_id=before_id, limit=max(1, min(limit, MOST_ROWS)))

    async def get_many(self, *, user_ids: Sequence[int]) -> Mapping[int, ReferralFacts]:
        _bounded(user_ids)
        async with self._db.read() as conn:
            referrers = await repository.referrers_of(conn, user_ids)
            brought = await repository.brought(conn, user_ids)
            sums = await repository.sums_of(conn, user_ids)
            days = await repository.busiest_days(conn, user_ids)
            tops = await repository.top_buyers(conn, user_ids)
        made: dict[int, ReferralFacts] = {}
        for user_id in user_ids:
            of = sums.get(user_id, _NOTHING)
            people, active = brought.get(user_id, (0, 0))
            made[user_id] = ReferralFacts(
                user_id=user_id,
                referrer_id=referrers.get(user_id),
                people=people,
                active=active,
                busiest_day=days.get(user_id, 0),
                earned=Money(of.earned, USD),
                reversed=Money(of.reversed, USD),
                receivable=Money(of.receivable, USD),
                top_buyer_share=_share(tops.get(user_id, 0), of.earned),
                reversed_share=_share(of.reversed, of.earned),
            )
        return made

    async def ties(self, *, user_ids: Sequence[int]) -> tuple[tuple[int, int], ...]:
        _bounded(user_ids)
        async with self._db.read() as conn:
            return tuple(await repository.ties(conn, user_ids))

    async def figures(self) -> tuple[Figure, ...]:
        """For /metrics."""
        async with self._db.read() as conn:
            people, active, earned, back, owed = await repository.totals(conn)
        return (
            Figure("viralcore_referred_people", _PEOPLE, active, {"bought": "yes"}),
            Figure("viralcore_referred_people", _PEOPLE, people - active, {"bought": "no"}),
            Figure("viralcore_commission_cents", _MONEY, earned, {"what": "earned"}),
            Figure("viralcore_commission_cents", _MONEY, back, {"what": "reversed"}),
            Figure("viralcore_commission_cents", _MONEY, owed, {"what": "receivable"}),
        )


def _bounded(user_ids: Sequence[int]) -> None:
    if len(user_ids) > MOST_IDS:
        raise ValueError(f"at most {MOST_IDS} people at once")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _share(part: int, whole: int) -> Decimal:
    return (Decimal(part) / whole).quantize(Decimal("0.0001"), ROUND_HALF_UP) if whole else Decimal(0)

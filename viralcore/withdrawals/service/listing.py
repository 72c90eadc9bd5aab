"""What the provider lists, within the time a comparison has: its days one by one, and single transfers looked up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import structlog

from viralcore.withdrawals.domain.comparing import Difference, Theirs, compare
from viralcore.withdrawals.ports import Payouts, PayoutsDown, TransferRecord
from viralcore.withdrawals.repository import attempts
from viralcore.withdrawals.service.house import House
from viralcore.withdrawals.service.views import transfer_view

log = structlog.get_logger(__name__)
MOST = 200  # differences one comparison looks at; what is beyond is left for the next
FEWEST_DAYS = 3  # tomorrow's, today's and yesterday's list: less is no comparison
FAILURES = 3  # of looking one up in a row, after which nobody is asked any more
GRACE = 30.0  # seconds a question that is under way may still take
DAY = timedelta(days=1)


class _Budget:
    """The machine's seconds a comparison may take: the effect's call is cut off at its own end."""

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._until = self._loop.time() + seconds

    @property
    def spent(self) -> bool:
        return self._loop.time() >= self._until

    def limit(self) -> asyncio.Timeout:
        """For one question."""
        return asyncio.timeout_at(self._until + GRACE)


@dataclass(slots=True)
class Lookups:
    """What was looked up one by one: what is sure, and what nobody could say anything of."""

    sure: dict[tuple[str, str, str], Difference] = field(default_factory=dict)
    looked: set[tuple[str, str]] = field(default_factory=set)
    left: set[tuple[str, str]] = field(default_factory=set)


class Listing:
    """One comparison's questions; its time runs from here."""

    def __init__(self, house: House, payouts: Payouts) -> None:
        self._house = house
        self._payouts = payouts
        self._rules = house.config.reconciliation
        self._budget = _Budget(self._rules.at_most_seconds)
        self.settle = timedelta(minutes=self._rules.settle_minutes)

    async def theirs(self, today: date) -> tuple[date, list[Theirs]]:
        """The provider's lists from tomorrow's back, each day whole, and the first day that is known on both of its
        edges. A transfer that is made meanwhile pushes others onto the next page: each counts once."""
        found: dict[str, Theirs] = {}
        pages, days = 0, 0
        for days in range(self._rules.days + 3):
            read = None if self._budget.spent else await self._day(today + DAY - days * DAY, found, pages)
            if read is None:
                break
            pages += read
        else:
            days = self._rules.days + 3
        if days < FEWEST_DAYS:
            raise PayoutsDown("too_slow")
        return today + DAY - (days - 2) * DAY, list(found.values())

    async def _day(self, day: date, found: dict[str, Theirs], before: int) -> int | None:
        """All of one day's pages, and how many they were; None when there was no time for all of them."""
        number = 1
        while True:
            try:
                async with self._budget.limit():
                    page = await self._payouts.page(since=day, until=day, page=number)
            except TimeoutError:
                return None
            if page.unread:
                log.warning("transfers_unread", rows=page.unread)
            found |= {record.id: theirs_of(record) for record in page.records}
            if number >= page.pages:
                return number
            if before + number >= self._rules.most_pages:
                raise PayoutsDown("too_many_pages")
            if self._budget.spent:
                return None
            number += 1

    async def looked_up(self, asked: Sequence[tuple[str, str]]) -> Lookups:
        """Both sides of every difference once more, now that the lists are read. What there is no time for, or no
        answer to, is left."""
        done, failed = Lookups(), 0
        for number, one in enumerate(dict.fromkeys(asked)):
            if number >= MOST or self._budget.spent:
                done.left.add(one)
                continue
            try:
                async with self._budget.limit():
                    again = await self._look_up(*one)
            except (PayoutsDown, TimeoutError):
                failed += 1
                if failed >= FAILURES:
                    raise PayoutsDown("no_answer") from None
                done.left.add(one)
                continue
            failed = 0
            done.looked.add(one)
            done.sure |= {again_one.place: again_one for again_one in again}
        return done

    async def _look_up(self, reference: str, provider_id: str) -> Sequence[Difference]:
        """By its reference; by the provider's id where it has none, which is never ours."""
        row: Any = None
        if reference:
            records = await self._payouts.by_reference(reference)
            async with self._house.db.read() as conn:
                row = await attempts.one_with_net(conn, reference)
        else:
            one = await self._payouts.by_id(provider_id)
            records = () if one is None else (one,)
        ours = [] if row is None else [transfer_view(row)]
        theirs = [theirs_of(record) for record in records]
        return compare(ours, theirs, now=self._house.clock.now(), settle=self.settle)


def who(one: Any) -> tuple[str, str]:
    """What a difference is looked up by: its reference, else the provider's id."""
    return one.reference, "" if one.reference else one.provider_id


def theirs_of(record: TransferRecord) -> Theirs:
    return Theirs(record.id, record.reference, record.status, record.amount, record.account_last4, record.created_at)

"""The daily comparison ends in its time, and closes only what it looked at."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from tests.integration.withdrawals.test_books import DAY, House, Ledgered
from tests.integration.withdrawals.test_books import house as house
from tests.support.withdrawals import settings
from viralcore.core.money import ngn
from viralcore.withdrawals.ports import PayoutsDown, TransferPage, TransferRecord
from viralcore.withdrawals.service import listing


async def states(house: House) -> dict[str, str]:
    async with house.db.read() as conn:
        rows = await conn.execute(text("SELECT reference, state FROM withdrawals.differences"))
        return {row.reference: row.state for row in rows}


async def note(house: House) -> str:
    last = await house.door.watch.comparison()
    assert last is not None
    return last.note if last.state == "done" else last.state


async def test_days_far_back_are_not_listed_and_old_differences_are_looked_up(house: House) -> None:
    listed: list[tuple[date, date]] = []
    whole = house.payouts.page

    async def page(*, since: date, until: date, page: int) -> TransferPage:
        listed.append((since, until))
        return await whole(since=since, until=until, page=page)

    house.payouts.page = page  # type: ignore[method-assign]
    for name in ("old-1", "old-2", "old-3"):
        house.made(name)
    await house.compare(hours=2)
    assert len(await house.open_ones()) == 3
    listed.clear()
    house.clock.advance(60 * DAY)
    del house.payouts.book["old-2"]
    house.payouts.book["old-3"].amount = ngn(6000)
    await house.compare()
    days = house.config.reconciliation.days
    assert min(since for since, _ in listed) >= house.clock.now().date() - (days + 2) * listing.DAY
    assert all(since == until for since, until in listed)
    assert await states(house) == {"old-1": "open", "old-2": "gone", "old-3": "open"}


async def test_old_ones_take_turns(house: House) -> None:
    house.config = settings(reconciliation={"look_ups": 1})
    house.build()
    for name in ("old-1", "old-2", "old-3"):
        house.made(name)
    await house.compare(hours=2)
    house.clock.advance(30 * DAY)
    house.payouts.book.clear()
    for done in (1, 2, 3):
        await house.compare(hours=1)
        assert list((await states(house)).values()).count("gone") == done


async def test_only_what_was_looked_at_is_closed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """More differences than one comparison looks at: none of the rest is closed, or told twice, and it is said."""
    for name in ("a", "b", "c"):
        house.made(name)
    await house.compare(hours=2)
    assert await note(house) == "first"
    monkeypatch.setattr(listing, "MOST", 2)
    await house.compare()
    assert (set((await states(house)).values()), await note(house)) == ({"open"}, "partly")
    assert len(await house.events("difference_found")) == 3


async def test_one_that_cannot_be_looked_up_is_left_and_stops_none_of_the_others(house: House) -> None:
    for name in ("a", "b", "c"):
        house.made(name)
    await house.compare(hours=2)
    whole = house.payouts.by_reference
    broken = {"a"}

    async def by_reference(reference: str) -> tuple[TransferRecord, ...]:
        if reference in broken:
            raise PayoutsDown("unreadable")
        return await whole(reference)

    house.payouts.by_reference = by_reference  # type: ignore[method-assign]
    house.clock.advance(30 * DAY)
    house.payouts.book.clear()
    await house.compare()
    assert (await states(house), await note(house)) == ({"a": "open", "b": "gone", "c": "gone"}, "partly")
    broken |= {"b", "c"}
    for name in ("b", "c"):
        house.made(name)
    house.clock.advance(7200)
    await house.awake()
    await house.door.watch.compare_now(key="k", actor=1000)
    for _ in range(3):
        await house.work("withdrawals.compare")
        house.clock.advance(601)
    assert await note(house) == "failed"  # nobody answers: that is no comparison


async def test_a_difference_without_a_reference_is_looked_up_by_its_id(house: House) -> None:
    house.made("")
    await house.compare(hours=2)
    assert [kind for kind, _ in await house.open_ones()] == ["extra"]
    house.payouts.book.clear()
    await house.compare()
    assert await house.open_ones() == []


@pytest.mark.parametrize(("days_read", "enough"), [(3, True), (2, False)])
async def test_no_more_time(house: House, monkeypatch: pytest.MonkeyPatch, days_read: int, enough: bool) -> None:
    """A list that takes too long: from today on it is a comparison, with less than that it is none."""
    house.made("yesterday")
    await house.compare(hours=2)
    house.clock.advance(DAY)
    house.made("today")
    house.payouts.book.pop("yesterday")
    read = 0
    whole = Ledgered.page

    async def page(self: Any, **asked: Any) -> TransferPage:
        nonlocal read
        read += 1
        if read > days_read:
            await asyncio.sleep(60)
        return await whole(self, **asked)

    monkeypatch.setattr(Ledgered, "page", page)
    monkeypatch.setattr(listing, "GRACE", -199.8)
    house.clock.advance(7200)
    await house.awake()
    await house.door.watch.compare_now(key="k", actor=1000)
    await house.work("withdrawals.compare")
    if not enough:
        assert await note(house) == "asked"  # later
        return
    # There was no time to look anything up: nothing is closed, nothing is told, and it says so.
    assert (await states(house), await note(house)) == ({"yesterday": "open"}, "partly")

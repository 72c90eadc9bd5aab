"""The time left keeps itself up to date, at the moments that were settled and at no other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from tests.integration.bot.town import Person, Town
from tests.support.clock import FakeClock
from viralcore.bot.config import Countdown
from viralcore.bot.countdown import Ticker
from viralcore.bot.lanes import current_lane
from viralcore.core.db import Database
from viralcore.core.effects import EffectCall, Succeeded
from viralcore.core.registry import Registry


@pytest.fixture
async def town(database: Database, clock: FakeClock, registry: Registry) -> AsyncIterator[Town]:
    here = await Town(database, clock, registry).start()
    yield here
    await here.stop()


class Watch:
    """Runs the job as the clock does, and what it stored as the queue does."""

    def __init__(self, town: Town, config: Countdown | None = None) -> None:
        self.town = town
        self.ticker = Ticker(town.db, town.clock, town.doors.payments, config or town_config(town))

    async def pass_time(self, seconds: float, *, step: float = 10) -> list[str]:
        """The keys of what was stored meanwhile, in order."""
        before = set(await self.keys())
        while seconds > 0:
            self.town.clock.advance(min(step, seconds))
            seconds -= step
            await self.ticker.run()
        return [key for key in await self.keys() if key not in before]

    async def keys(self) -> list[str]:
        query = "SELECT key FROM core.effects WHERE kind = 'bot.refresh' AND key LIKE 'countdown:%' ORDER BY id"
        async with self.town.db.read() as conn:
            return [row.key for row in await conn.execute(text(query))]

    async def draw(self, key: str) -> bool:
        """Whether the redraw changed anything."""
        query = text("SELECT id, payload FROM core.effects WHERE kind = 'bot.refresh' AND key = :key")
        async with self.town.db.read() as conn:
            row = (await conn.execute(query, {"key": key})).one()
        outcome = await self.town.bot.effects[0].call(EffectCall(row.id, key, 1, row.payload))
        assert isinstance(outcome, Succeeded)
        return bool(outcome.data["redrawn"])


def town_config(town: Town) -> Countdown:
    return town.bot.dispatcher._config.countdown


async def _pays(town: Town) -> tuple[Person, int]:
    """Somebody in front of a payment screen, and the number of their invoice."""
    ada = await town.person()
    await ada.says("/buy t3 10")
    await ada.presses("Crypto", "USDT", "BSC")
    found = await town.one("SELECT max(id) FROM payments.invoices WHERE user_id = :id", id=ada.id)
    return ada, int(found)


async def _text(person: Person) -> str:
    return (await person.home())[1].text


async def test_a_payment_screen_is_redrawn_at_round_moments_and_never_else(town: Town) -> None:
    ada, invoice = await _pays(town)
    watch = Watch(town)
    assert "20 min left" in await _text(ada)
    seen = []
    for _ in range(20 * 6 + 6):
        for key in await watch.pass_time(10):
            assert await watch.draw(key)
            seen.append(key)
            minutes = key.rpartition(":")[2]
            assert f"⏳ {minutes} min left" in await _text(ada)
            assert not await watch.draw(key), "a redraw that changes nothing sends nothing"
    assert seen == [f"countdown:{invoice}:{minutes}" for minutes in (15, 10, 5, 4, 3, 2, 1)]


async def test_the_invoice_screen_counts_too_and_others_do_not(town: Town) -> None:
    ada, bola = await town.person(), await town.person()
    for person in (ada, bola):
        await person.says("/buy t3 10")
    await bola.presses("Crypto")
    chidi, _ = await _pays(town)
    await chidi.says("/menu")
    watch = Watch(town)
    (key,) = await watch.pass_time(5 * 60)
    assert await watch.draw(key)
    assert "holds for 15 min" in await _text(ada)


async def test_who_moves_on_before_the_redraw_is_left_alone(town: Town) -> None:
    ada, _ = await _pays(town)
    watch = Watch(town)
    (key,) = await watch.pass_time(5 * 60)
    await ada.says("/menu")
    before = await ada.home()
    assert not await watch.draw(key)
    assert await ada.home() == before


async def test_a_leap_of_the_clock_is_one_redraw(town: Town) -> None:
    ada, invoice = await _pays(town)
    watch = Watch(town)
    await watch.ticker.run()
    assert await watch.pass_time(17 * 60 + 30, step=3600) == [f"countdown:{invoice}:3"]
    assert await watch.draw(f"countdown:{invoice}:3")
    assert "3 min left" in await _text(ada)


async def test_a_new_process_does_not_redraw_what_was_drawn(town: Town) -> None:
    _, invoice = await _pays(town)
    watch = Watch(town)
    assert await watch.pass_time(5 * 60) == [f"countdown:{invoice}:15"]
    again = Watch(town)
    await again.ticker.run()
    await again.ticker.run()
    assert await again.pass_time(60) == []


async def test_paid_and_cancelled_invoices_do_not_count(town: Town) -> None:
    ada, invoice = await _pays(town)
    await ada.presses("Cancel")
    assert await town.one("SELECT state FROM payments.invoices WHERE id = :id", id=invoice) == "cancelled"
    assert await Watch(town).pass_time(21 * 60) == []


async def test_it_stands_behind_everybodys_answers(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    await _pays(town)
    watch = Watch(town)
    (key,) = await watch.pass_time(5 * 60)
    lanes = []
    does = town.phone._does

    def noted(name: str, given: dict[str, Any]) -> tuple[int, Any]:
        lanes.append((name, current_lane()))
        return does(name, given)

    monkeypatch.setattr(town.phone, "_does", noted)
    assert await watch.draw(key)
    assert lanes == [("editMessageCaption", "bulk")]


async def test_one_look_redraws_no_more_than_settled_and_the_next_to_end_first(town: Town) -> None:
    people = []
    for _ in range(4):
        people.append(await _pays(town))
        town.clock.advance(1)
    watch = Watch(town, Countdown(minutes=(10,), per_run=2))
    await watch.ticker.run()
    assert await watch.pass_time(601, step=601) == [f"countdown:{invoice}:10" for _, invoice in people[:2]]

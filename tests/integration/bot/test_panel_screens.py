"""Panels in the Admin Panel: looked at by staff, changed by owners alone, step by step; a buyer asks for a refill."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, cast

import pytest

from tests.integration.bot.town import OWNER, Person, Town
from tests.support.boosts import FakePanel
from tests.support.clock import FakeClock
from viralcore.boosts.domain.services import Offer
from viralcore.core.db import Database
from viralcore.core.effect_runner import EffectRunner
from viralcore.core.registry import Registry
from viralcore.core.screen import Action, encode
from viralcore.core.workers import Worker
from viralcore.texts.actions import Go
from viralcore.texts.panel_actions import (
    AcceptService,
    AskPanel,
    AskPlacements,
    AskService,
    ConfirmService,
    LeaveOutService,
    PreferPanel,
    ReadServices,
)


@pytest.fixture
async def town(database: Database, clock: FakeClock, registry: Registry) -> AsyncIterator[Town]:
    here = await Town(database, clock, registry).start()
    yield here
    await here.stop()


def panel_of(town: Town) -> FakePanel:
    return cast(FakePanel, cast(Any, town.boosts.effects[0])._panel)


async def job(town: Town, name: str) -> None:
    await next(one for one in town.boosts.jobs if one.name == name).run()


async def sent(town: Town) -> None:
    async with town.db.read() as conn:
        found = await conn.exec_driver_sql("SELECT id, gen FROM core.effects WHERE kind LIKE 'boosts.%%' AND state"
                                           " = 'queued' ORDER BY id")  # fmt: skip
        rows = list(found)
    for row in rows:
        await EffectRunner(town.db, Worker()).run(row.id, row.gen)


async def listed(town: Town, rate: str = "0.90") -> None:
    """The panel lists its services; likes at this price."""
    shelf = (
        Offer("101", "X Likes", "Default", "X", Decimal(rate), 10, 50_000, refill=True, cancel=True),
        Offer("102", "X Views", "Default", "X", Decimal("0.012"), 100, 50_000, refill=False, cancel=True),
        Offer("105", "X Likes <b>cheap", "Default", "X", Decimal("0.7"), 10, 50_000, refill=False, cancel=True),
        Offer("106", "X Custom", "Custom Comments", "X", Decimal(9), 10, 50_000, refill=False, cancel=True),
    )
    panel_of(town).listed = {one.service: one for one in shelf}
    town.clock.advance(25 * 3600)
    await job(town, "boosts.services")


async def boss_of(town: Town) -> Person:
    boss = Person(town, OWNER)
    await boss.says("/start")
    await boss.presses("I agree")
    await boss.says("/admin")
    return boss


async def shown(person: Person) -> str:
    return (await person.home())[1].text


async def forged(person: Person, act: Action) -> str:
    number, _ = await person.home()
    await person.town.handle(person.press(encode(act, "00000000"), number))
    return await shown(person)


async def test_a_price_that_jumped_is_accepted_and_a_service_changed_step_by_step(town: Town) -> None:
    boss = await boss_of(town)
    await listed(town)
    await listed(town, "1.50")
    await boss.presses("Panels")
    assert "not used until accepted" in await shown(boss)
    await boss.presses("smmflare", "X likes")
    assert "its price jumped" in await shown(boss)
    await boss.presses("Accept the change")
    assert "From now on: <code>101</code>" in await shown(boss)
    assert "So far: <code>101</code> at 0.90 USD" in await shown(boss)
    await boss.presses("Confirm")
    assert "its price jumped" not in await shown(boss)
    await boss.presses("X likes", "Change service id")
    for typed, words in (("999", "lists no service <b>999</b>"), ("106", "more than a link"), ("x<i>", "x&lt;i&gt;")):
        await boss.says(typed)
        assert words in await shown(boss)
    await boss.says("#105")
    assert "X Likes &lt;b&gt;cheap" in await shown(boss)
    await boss.presses("Confirm")
    assert "<code>105</code>" in await shown(boss)
    await boss.presses("X likes", "Leave out")
    assert "an owner left it out" in await shown(boss)
    assert await town.one("SELECT count(*) FROM users.audit_log WHERE action LIKE 'boosts.service%'") == 3
    await boss.presses("Back", "Refresh services")
    assert "read again in a moment" in await shown(boss)
    await job(town, "boosts.services")
    await boss.presses("Make active")
    assert "An owner made it active" in await shown(boss)


async def test_a_confirm_that_comes_too_late_or_for_another_service_changes_nothing(town: Town) -> None:
    boss = await boss_of(town)
    await listed(town)
    await boss.presses("Panels", "smmflare", "X likes", "Change service id")
    await boss.says("105")
    await forged(boss, ConfirmService("smmflare", "x:views"))
    assert await town.one("SELECT service FROM boosts.services WHERE metric = 'likes'") == "101"
    await forged(boss, AskService("smmflare", "x:likes"))
    await boss.says("105")
    panel_of(town).listed["105"] = Offer("105", "Other", "Default", "X", Decimal("0.8"), 10, 50, False, True)
    town.clock.advance(60)
    await town.doors.boosts.panel_care.ask_services(key="k", actor=OWNER, panel="smmflare")
    await job(town, "boosts.services")
    await boss.presses("Confirm")
    assert "The list has changed" in await shown(boss)
    assert await town.one("SELECT service FROM boosts.services WHERE metric = 'likes'") == "101"


async def test_who_may_not_is_refused_whatever_they_press(town: Town) -> None:
    ada = await town.person()
    await listed(town)
    acts: tuple[Action, ...] = (
        *(Go(where) for where in ("panels", "panel:smmflare", "psvc:smmflare:x:likes", "pfree:smmflare", "porder:1")),
        PreferPanel("smmflare"),
        ReadServices("smmflare"),
        AskService("smmflare", "x:likes"),
        AcceptService("smmflare", "x:likes"),
        ConfirmService("smmflare", "x:likes"),
        LeaveOutService("smmflare", "x:likes"),
        AskPlacements(),
        AskPanel(1, "cancel"),
    )
    for act in acts:
        assert "not allowed" in await forged(ada, act), act
    assert await town.one("SELECT count(*) FROM users.audit_log WHERE action = 'refused'") >= 5
    assert await town.one("SELECT count(*) FROM users.audit_log WHERE action LIKE 'boosts.%'") == 0


async def test_an_order_is_stopped_at_its_panel_and_refilled_by_its_buyer(town: Town) -> None:
    boss, ada = await boss_of(town), await town.person()
    await listed(town)
    await ada.gets_credits(1)
    await ada.says(ada.link())
    await ada.presses("Confirm")
    order = await town.one("SELECT max(id) FROM boosts.orders")
    town.clock.advance(31 * 60)
    await job(town, "boosts.dispatch")
    await sent(town)
    await boss.says("/admin")
    await boss.presses("Panels", "An order at the panels")
    await boss.says("nonsense")
    assert "no order <b>nonsense</b>" in await shown(boss)
    await boss.says(f"#{order}")
    assert f"Order #{order} at the panels" in await shown(boss)
    likes = next(one for one, (service, _, _) in panel_of(town).orders.items() if service == "101")
    await boss.presses(f"Stop {likes}")
    assert "not ordered anywhere else" in await shown(boss)
    await boss.presses("Confirm")
    assert "being asked" in await shown(boss)
    await sent(town)
    assert panel_of(town).requests == [("cancel", likes)]
    town.clock.advance(31 * 60)
    await job(town, "boosts.dispatch")
    await sent(town)
    panel_of(town).complete()
    panel_of(town).end(likes, "canceled", 38)
    await job(town, "boosts.poll")
    assert len(panel_of(town).orders) == 4
    town.clock.advance(25 * 3600)
    await forged(ada, Go(f"order:{order}"))
    await ada.presses("Ask for a refill")
    assert f"refill of order #{order}" in await shown(ada)
    await sent(town)
    assert panel_of(town).requests[1][0] == "refill"
    await forged(ada, Go(f"order:{order}"))
    assert "Ask for a refill" not in str((await ada.home())[1].buttons)

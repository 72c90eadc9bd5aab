"""Orders at panels that do not end: found, ended and renumbered step by step; and an order as the team looks at it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from tests.integration.bot.test_panel_screens import boss_of, forged, job, listed, panel_of, sent, shown
from tests.integration.bot.town import ADMINS, Person, Town
from tests.support.clock import FakeClock
from viralcore.boosts.domain.panels import StatusReading
from viralcore.boosts.events import PanelListRead
from viralcore.bot.refresh import redraw
from viralcore.core.db import Database
from viralcore.core.registry import Registry
from viralcore.core.screen import Action, encode
from viralcore.texts.actions import Go
from viralcore.texts.stuck_actions import AskPhaseEnd, AskPhaseNumber, ConfirmPhaseEnd


@pytest.fixture
async def town(database: Database, clock: FakeClock, registry: Registry) -> AsyncIterator[Town]:
    here = await Town(database, clock, registry).start()
    yield here
    await here.stop()


async def stuck_order(town: Town, ada: Person) -> tuple[int, int]:
    """An order whose likes the panel says nothing sensible of. Returns it and the phase."""
    await ada.gets_credits(1)
    await ada.says(ada.link())
    await ada.presses("Confirm")
    order = int(await town.one("SELECT max(id) FROM boosts.orders"))
    town.clock.advance(31 * 60)
    await job(town, "boosts.dispatch")
    await sent(town)
    likes = next(one for one, (service, _, _) in panel_of(town).orders.items() if service == "101")
    panel_of(town).readings[likes] = StatusReading("strange", "Incorrect <b>order</b> ID")
    await job(town, "boosts.poll")
    town.clock.advance(61 * 60)
    phase = await town.one("SELECT phase_id FROM boosts.attempts WHERE panel_order = :number", number=likes)
    return order, int(phase)


async def state_of(town: Town, phase: int) -> tuple[str, int, str]:
    async with town.db.read() as conn:
        statement = text("SELECT state, delivered, panel_order FROM boosts.phases WHERE id = :id")
        row = (await conn.execute(statement, {"id": phase})).one()
    return row.state, row.delivered, row.panel_order


async def test_an_order_is_ended_from_the_list_step_by_step(town: Town) -> None:
    boss, ada = await boss_of(town), await town.person()
    order, phase = await stuck_order(town, ada)
    await boss.says("/admin")
    await boss.presses("Stuck orders (1)")
    assert "Incorrect &lt;b&gt;order" in await shown(boss)
    await boss.presses(f"🧷 {phase}", "It ended there")
    for typed in ("many", "-1", "39", "1.5"):
        await boss.says(typed)
        assert "a whole number from 0 to 38" in await shown(boss)
    await boss.says("20")
    assert "<b>20 of 38 likes</b>" in await shown(boss)
    await boss.presses("Cancel")
    await forged(boss, Go(f"sphase:{phase}"))
    assert f"Phase {phase} at smmflare" in await forged(boss, ConfirmPhaseEnd(phase))  # nothing is asked any more
    assert (await state_of(town, phase))[0] == "sent"
    await boss.presses("It ended there")
    await boss.says("20")
    await boss.says("21")  # instead of Confirm: another number
    await boss.presses("Confirm")
    assert "a part of it came (21 of 38)" in await shown(boss)
    assert (await state_of(town, phase))[:2] == ("partial", 21)
    await boss.presses("Back")
    assert "It has ended" in await shown(boss)
    assert await town.one("SELECT count(*) FROM users.audit_log WHERE action = 'boosts.phase_ended'") == 1
    await boss.presses("Home", "Admin Panel", "Stuck orders (0)")
    assert "Nothing is stuck" in await shown(boss)
    await boss.says(f"/start o_{order}")
    assert f"Order #{order}, for the team" in await shown(boss)


async def test_a_number_is_put_right_from_the_page_of_the_order(town: Town) -> None:
    boss, ada = await boss_of(town), await town.person()
    order, phase = await stuck_order(town, ada)
    before = (await state_of(town, phase))[2]
    await boss.says(f"/start o_{order}")
    page = await shown(boss)
    assert "What the buyer reads" in page
    assert str(ada.id) in page
    assert f"<code>{before}</code>: part 1, 0 of 38 likes, running" in page
    await boss.presses(f"{before} is another")
    await boss.says("a word")
    assert "cannot be the panel's order number" in await shown(boss)
    await boss.says("#424242")
    assert "<code>424242</code>" in await shown(boss)
    assert await state_of(town, phase) == ("sent", 0, "424242")
    await boss.presses("Back", "Open the order", "At the panels", "Open the order", "Look again")
    assert "<code>424242</code>: part 1" in await shown(boss)


async def test_from_its_card_in_the_admin_group_the_answer_is_the_deed(town: Town) -> None:
    boss, ada = await boss_of(town), await town.person()
    _, phase = await stuck_order(town, ada)
    await town.handle(boss.press(encode(AskPhaseEnd(phase), "group001"), 7, ADMINS))
    await town.handle(boss.reply("all", ADMINS))
    assert (await state_of(town, phase))[0] == "sent"
    await town.handle(boss.reply("38", ADMINS))
    assert (await state_of(town, phase))[:2] == ("completed", 38)
    await town.handle(boss.press(encode(AskPhaseEnd(phase), "group002"), 7, ADMINS))
    assert await town.bot.dialogues.current(ADMINS, boss.id, 10**9) is None  # there is nothing to ask any more


async def test_an_answer_about_a_number_that_was_put_right_meanwhile_ends_nothing(town: Town) -> None:
    boss, ada = await boss_of(town), await town.person()
    _, phase = await stuck_order(town, ada)
    await town.handle(boss.press(encode(AskPhaseEnd(phase), "group001"), 7, ADMINS))
    seen = (await state_of(town, phase))[2]
    await town.doors.boosts.panel_care.stuck.renumber(
        key="k", actor=boss.id, phase_id=phase, panel_order=seen, given="424242"
    )
    await town.handle(boss.reply("0", ADMINS))
    assert await state_of(town, phase) == ("sent", 0, "424242")


async def test_who_may_not_is_refused_and_strangers_see_nothing_by_a_link(town: Town) -> None:
    ada, bob = await town.person(), await town.person()
    order, phase = await stuck_order(town, ada)
    acts: tuple[Action, ...] = (
        *(Go(where) for where in ("stuck", f"sphase:{phase}", f"sorder:{order}", "unknown")),
        AskPhaseEnd(phase),
        AskPhaseNumber(phase),
        ConfirmPhaseEnd(phase),
    )
    for act in acts:
        assert "not allowed" in await forged(bob, act), act
    await bob.says(f"/start o_{order}")
    assert f"Order #{order}" not in await shown(bob)
    await ada.says(f"/start o_{order}")
    assert "for the team" not in await shown(ada)
    assert f"Order #{order}" in await shown(ada)
    assert await state_of(town, phase) == ("sent", 0, (await state_of(town, phase))[2])


async def test_the_page_of_a_panel_is_drawn_again_when_its_list_was_read(town: Town) -> None:
    boss = await boss_of(town)
    await listed(town)
    await boss.presses("Panels", "smmflare", "Refresh services")
    assert "read again in a moment" in await shown(boss)
    await listed(town)
    async with town.db.transaction() as tx:
        statement = text("SELECT payload FROM core.events WHERE name = 'boosts.panel_list_read.v1'")
        (told,) = (await tx.conn.execute(statement)).scalars()
        await redraw(tx, "event", PanelListRead(**told))
    query = text("SELECT id, payload FROM core.effects WHERE kind = 'bot.refresh'")
    async with town.db.read() as conn:
        (row,) = await conn.execute(query)
    assert row.payload == {"chat_id": boss.id, "route": "panel:smmflare"}
    await listed(town)  # nobody asked for this one
    assert await town.one("SELECT count(*) FROM core.events WHERE name = 'boosts.panel_list_read.v1'") == 1

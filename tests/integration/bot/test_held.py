"""Held work in the Admin Panel: what it is, since when, why; Retry for owners, once, and written down."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from tests.integration.bot.test_withdrawals import acts, looks, refusals, shown, staff
from tests.integration.bot.town import Town
from tests.support.clock import FakeClock
from viralcore.core.db import Database
from viralcore.core.registry import Registry
from viralcore.texts.held import RetryHeld

EVENT = "11111111-2222-3333-4444-555555555555"
INBOX = """
INSERT INTO core.inbox (source, external_id, order_key, payload, received_at, state, attempts, error, handled_at)
VALUES ('telegram', :about, 'k', '{}', :at, 'held', 3, 'KeyError: <b>x', :at)
"""
DELIVERY = """
INSERT INTO core.deliveries (event_id, subscriber, state, attempts, error)
VALUES (:event, 'notifications.withdrawal_confirmed_again', 'held', 5, 'TypeError: no')
"""
EFFECT = """
INSERT INTO core.effects (kind, key, ref, payload, state, attempts, error, created_at, answer, correlation_id)
VALUES ('boosts.panel_add.smmflare', :key, 'phase:7', '{}', 'held', 1, 'LookupError: bug', :at,
    CAST(:answer AS jsonb), 'telegram-77')
"""
ANSWER = '{"outcome": "succeeded", "reason": "", "data": {}}'
STATES = """
SELECT (SELECT string_agg(state, ',' ORDER BY id) FROM core.inbox) || ' ' ||
    (SELECT string_agg(state, ',') FROM core.deliveries WHERE event_id = :event) || ' ' ||
    (SELECT string_agg(state, ',' ORDER BY id) FROM core.effects WHERE error = 'LookupError: bug')
"""
JOBS = "SELECT count(*) FROM queue.pgqueuer WHERE dedupe_key = :key"


@pytest.fixture
async def town(database: Database, clock: FakeClock, registry: Registry) -> AsyncIterator[Town]:
    here = await Town(database, clock, registry).start()
    async with here.db.transaction() as tx:
        await tx.conn.execute(text(INBOX), {"about": "4711", "at": tx.now})
        event = {"event": EVENT, "at": tx.now}
        await tx.conn.execute(
            text("INSERT INTO core.events (id, name, payload, recorded_at) VALUES (:event, 'a.b.v1', '{}', :at)"), event
        )
        await tx.conn.execute(text(DELIVERY), {"event": EVENT})
        await tx.conn.execute(text(EFFECT), {"key": "a", "at": tx.now, "answer": ANSWER})
        await tx.conn.execute(text(EFFECT), {"key": "b", "at": tx.now, "answer": None})
    yield here
    await here.stop()


async def test_an_owner_sees_what_is_held_and_lets_each_go_on_once(town: Town) -> None:
    boss = await staff(town)
    await boss.presses("Held (4)")
    page = await shown(boss)
    assert "Held</b> (4)" in page
    assert "KeyError: &lt;b&gt;x" in page
    for number in range(1, 5):
        await looks(boss, "held")
        await boss.presses("1")
        one = await shown(boss)
        if "panel_add" in one:
            assert "<code>telegram-77</code>" in one
        await boss.presses("Retry")
        assert "It is tried again" in town.phone.toasts[-1], number
    assert "Nothing is held" in await shown(boss)
    assert await town.one(STATES, event=EVENT) == "pending pending answered,queued"
    assert await town.one(JOBS, key=f"d:{EVENT}:notifications.withdrawal_confirmed_again:2") == 1
    assert await town.one("SELECT count(*) FROM users.audit_log WHERE action = 'held.retried'") == 4


async def test_a_second_press_and_two_owners_do_it_once(town: Town) -> None:
    boss, second = await staff(town), 1001
    await town.doors.users.ensure_owners([second])
    other = await staff(town, second)
    await looks(boss, "held")
    await boss.presses("1")
    press = await boss.button("Retry")
    token = re.search(r"\|([0-9a-f]{16})$", str(press.payload["callback_query"]["data"]))
    assert token is not None
    await town.handle(press)
    await town.handle(press)
    await acts(other, RetryHeld(token[1]))
    assert "not held any more" in town.phone.toasts[-1]
    assert await town.one("SELECT count(*) FROM users.audit_log WHERE action = 'held.retried'") == 1


async def test_others_see_no_button_and_are_refused(town: Town) -> None:
    boss = await staff(town)
    ada, fay = await town.person(), await town.person()
    await town.doors.users.grant_role(key="g", actor=boss.id, user_id=fay.id, role="finance", reason="t")
    await fay.says("/admin")
    assert not [name for name in (await fay.home())[1].buttons if "Held" in name]
    before = await refusals(town)
    for person in (ada, fay):
        assert "not allowed" in await looks(person, "held")
        assert "not allowed" in await looks(person, "held1:0000000000000000")
        await acts(person, RetryHeld("0" * 16))
    assert await refusals(town) == before + 6
    assert "not found" in await looks(boss, "held1:0000000000000000")


async def test_there_are_twenty_a_page(town: Town) -> None:
    async with town.db.transaction() as tx:
        for number in range(41):
            await tx.conn.execute(text(INBOX), {"about": f"m{number}", "at": tx.now})
    boss = await staff(town)
    assert "Held</b> (45)" in await looks(boss, "held")
    assert "20" in (await boss.home())[1].buttons
    await boss.presses("More")
    assert {"21", "40"} <= set((await boss.home())[1].buttons)
    await boss.presses("More")
    _, last = await boss.home()
    assert "45" in last.buttons
    assert not [name for name in last.buttons if "More" in name]
    await boss.presses("Earlier", "Earlier")
    assert "1" in (await boss.home())[1].buttons

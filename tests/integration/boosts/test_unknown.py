"""Silence of a panel: never sent again by itself, decided by staff once."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.boosts.conftest import Shop
from viralcore.boosts.api import AlreadyDecided, BadPanelOrder
from viralcore.boosts.domain.panels import Placed, Silent
from viralcore.core.effect_runner import EffectRunner
from viralcore.core.errors import NotFound
from viralcore.core.workers import Worker
from viralcore.users.api import NotAllowed

STAFF = 1000
LINK = "https://x.com/shop/status/1990000000000000001"


class Killed(BaseException):
    """The process dies here."""


async def one_unknown(shop: Shop) -> int:
    """An order whose likes were accepted by the panel, which then lost its answer. Returns the phase."""
    await shop.grant(10)
    await shop.order()
    panel = shop.panels["smmflare"]

    def swallow() -> Silent:
        panel.accept("101", LINK, 38)
        return Silent("read_timeout")

    panel.script = [swallow]
    await shop.turn(30)
    (view,) = await shop.door.unknown_phases()
    return int(view.phase_id)


async def test_a_time_out_after_sending_is_unknown_and_never_sent_again(shop: Shop) -> None:
    phase_id = await one_unknown(shop)
    for _ in range(5):
        await shop.turn(60)
    panel = shop.panels["smmflare"]
    assert panel.adds == 4
    assert [quantity for _, quantity in panel.quantities].count(38) == 1
    (told,) = await shop.events("phase_unknown")
    assert (told["phase_id"], told["panel"]) == (phase_id, "smmflare")
    view = await shop.door.unknown_phase(phase_id=phase_id)
    assert (view.panel, view.service, view.link, view.metric, view.quantity) == ("smmflare", "101", LINK, "likes", 38)
    assert view.state == "unknown"
    panel.complete()
    await shop.turn(1)
    (order,) = await shop.door.orders(user_id=42)
    assert order.state == "in_progress"  # it waits for staff, and nothing is refunded before


async def test_it_was_placed_takes_the_order_id_and_follows_it(shop: Shop) -> None:
    phase_id = await one_unknown(shop)
    panel = shop.panels["smmflare"]
    view = await shop.door.resolve_placed(key="k1", actor=STAFF, phase_id=phase_id, panel_order=" 1000 ")
    assert view.state == "sent"
    await shop.turn(30)
    panel.complete()
    await shop.turn(1)
    (order,) = await shop.door.orders(user_id=42)
    assert order.state == "completed"
    (resolved,) = await shop.events("phase_resolved")
    assert (resolved["how"], resolved["actor"]) == ("placed", STAFF)
    (audit,) = shop.users.audited
    assert (audit["actor"], audit["subject"]) == (STAFF, f"phase:{phase_id}")
    orders = await shop.door.panel_orders(after=0, limit=10)
    assert "1000" in {one.panel_order for one in orders}
    await shop.sound()


async def test_it_was_not_placed_sends_it_again_at_once(shop: Shop) -> None:
    phase_id = await one_unknown(shop)
    panel = shop.panels["smmflare"]
    panel.orders.clear()
    view = await shop.door.resolve_not_placed(key="k1", actor=STAFF, phase_id=phase_id)
    assert view.state == "sending"
    await shop.send()
    assert panel.quantities == [("101", 38)]
    attempts = await shop.rows(f"SELECT number, state FROM boosts.attempts WHERE phase_id = {phase_id} ORDER BY 1")
    assert [(row.number, row.state) for row in attempts] == [(1, "not_placed"), (2, "sent")]
    keys = await shop.rows("SELECT key FROM core.effects WHERE key LIKE 'phase:%' ORDER BY id")
    assert f"phase:{phase_id}:a2" in {row.key for row in keys}


async def test_two_staff_at_once_one_decision(shop: Shop) -> None:
    phase_id = await one_unknown(shop)
    done = await asyncio.gather(
        shop.door.resolve_placed(key="k1", actor=1000, phase_id=phase_id, panel_order="777"),
        shop.door.resolve_not_placed(key="k2", actor=1001, phase_id=phase_id),
        shop.door.resolve_placed(key="k3", actor=1001, phase_id=phase_id, panel_order="778"),
        return_exceptions=True,
    )
    assert [isinstance(one, AlreadyDecided) for one in done].count(True) == 2
    assert len(await shop.events("phase_resolved")) == 1
    assert len(shop.users.audited) == 1


async def test_a_double_tap_of_one_button_is_one_decision(shop: Shop) -> None:
    phase_id = await one_unknown(shop)
    first = await shop.door.resolve_not_placed(key="k1", actor=STAFF, phase_id=phase_id)
    again = await shop.door.resolve_not_placed(key="k1", actor=STAFF, phase_id=phase_id)
    assert (first.state, again.state) == ("sending", "sending")
    assert len(await shop.events("phase_resolved")) == 1


async def test_admin_actions_with_no_check_strangers_decide_nothing(shop: Shop) -> None:
    """PRODUCT 13: admin actions with no check."""
    phase_id = await one_unknown(shop)
    with pytest.raises(NotAllowed):
        await shop.door.resolve_placed(key="k1", actor=42, phase_id=phase_id, panel_order="777")
    with pytest.raises(NotAllowed):
        await shop.door.resolve_not_placed(key="k1", actor=42, phase_id=phase_id)
    assert (await shop.door.unknown_phase(phase_id=phase_id)).state == "unknown"


@pytest.mark.parametrize("given", ["", "abc def", "<b>1</b>", "0", "9" * 60])
async def test_order_ids_no_panel_gives_are_refused(shop: Shop, given: str) -> None:
    phase_id = await one_unknown(shop)
    with pytest.raises(BadPanelOrder):
        await shop.door.resolve_placed(key="k1", actor=STAFF, phase_id=phase_id, panel_order=given)
    assert (await shop.door.unknown_phase(phase_id=phase_id)).state == "unknown"


async def test_an_order_id_of_another_phase_is_refused(shop: Shop) -> None:
    phase_id = await one_unknown(shop)
    (known,) = await shop.door.panel_orders(after=0, limit=10)
    with pytest.raises(BadPanelOrder):
        await shop.door.resolve_placed(key="k1", actor=STAFF, phase_id=phase_id, panel_order=known.panel_order)


async def test_two_phases_given_one_order_id_at_one_moment_have_one_winner(shop: Shop) -> None:
    await shop.grant(10)
    await shop.order()
    shop.panels["smmflare"].always = Silent("read_timeout")
    await shop.turn(30)
    views = await shop.door.unknown_phases()
    assert len(views) == 2
    done = await asyncio.gather(
        *(
            shop.door.resolve_placed(key=f"k{one.phase_id}", actor=STAFF, phase_id=one.phase_id, panel_order="777")
            for one in views
        ),
        return_exceptions=True,
    )
    assert [isinstance(one, BadPanelOrder) for one in done].count(True) == 1


async def test_an_order_id_a_panel_gave_before_is_no_second_order(shop: Shop) -> None:
    await shop.grant(10)
    await shop.order()
    shop.panels["smmflare"].script = [Placed("5"), Placed("5")]
    await shop.turn(30)
    assert len(await shop.events("phase_unknown")) == 1


async def test_phases_nobody_sent_have_no_card(shop: Shop) -> None:
    await shop.grant(10)
    (order,) = await shop.order()
    for phase_id in (order.phases[0].id, 10**9):
        with pytest.raises(NotFound):
            await shop.door.unknown_phase(phase_id=phase_id)
    with pytest.raises(NotFound):
        await shop.door.resolve_not_placed(key="k", actor=STAFF, phase_id=10**9)


async def test_killed_between_claim_and_record_is_unknown_once(shop: Shop) -> None:
    """PRODUCT 13: half-finished work after a restart. The panel has the order; nobody here knows."""
    await shop.grant(10)
    await shop.order()
    panel = shop.panels["smmflare"]

    def die() -> Placed:
        panel.accept("101", LINK, 38)
        raise Killed

    panel.script = [die]
    shop.clock.advance(1800)
    await shop.job("boosts.dispatch")
    with pytest.raises(Killed):
        await shop.send()
    shop.runner = EffectRunner(shop.database, Worker())  # the next process
    await shop.runner.recover(own_jobs=True)
    await shop.send()
    await shop.runner.recover(own_jobs=True)
    await shop.turn(0)
    assert [quantity for _, quantity in panel.quantities].count(38) == 1
    assert len(await shop.events("phase_unknown")) == 1
    (view,) = await shop.door.unknown_phases()
    assert (view.metric, view.quantity) == ("likes", 38)
    await shop.door.resolve_placed(key="k", actor=STAFF, phase_id=view.phase_id, panel_order="1000")
    await shop.turn(30)
    panel.complete()
    await shop.turn(1)
    (order,) = await shop.door.orders(user_id=42)
    assert (order.state, order.refunded.minor) == ("completed", 105)
    await shop.sound()


async def test_killed_after_the_dispatch_commit_sends_once(shop: Shop) -> None:
    await shop.grant(10)
    await shop.order()
    shop.clock.advance(1800)
    await shop.job("boosts.dispatch")
    shop.runner = EffectRunner(shop.database, Worker())
    await shop.turn(0)
    assert len(shop.panels["smmflare"].quantities) == 2
    assert await shop.events("phase_unknown") == []

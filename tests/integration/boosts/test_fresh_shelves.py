"""What owners changed in another process counts here too, and an order nobody could deliver is never made, or ends."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from tests.integration.boosts.conftest import ADA, Shop
from tests.support.boosts import config
from viralcore.boosts.api import NoCredits, PlanChanged
from viralcore.boosts.domain.panels import Declined, Silent
from viralcore.boosts.service.shelves import OLD_AFTER, Shelves
from viralcore.core.clock import monotonic

STAFF = 1000
LINK = "https://x.com/shop/status/1990000000000000001"


async def changed_elsewhere(shop: Shop, *panels: str, minimum: int = 10, state: str = "quarantined") -> None:
    """Another process says otherwise of how likes and views are bought at these panels, a while ago."""
    ids = {panel.name: panel for panel in config().panels}
    for name in panels:
        for metric in ("likes", "views"):
            told = ids[name].service("x", metric)
            assert told is not None
            async with shop.database.transaction() as tx:
                await tx.conn.execute(
                    text(
                        "INSERT INTO boosts.services (panel, platform, metric, service, minimum, maximum, rate,"
                        " agreed_rate, state, reason, chosen_by, changed_at) VALUES (:panel, 'x', :metric, :service,"
                        " :minimum, 5000000, :rate, :rate, :state, :reason, 1000, :now)"
                    ),
                    {
                        "panel": name,
                        "metric": metric,
                        "service": told.id,
                        "minimum": minimum,
                        "rate": told.rate,
                        "state": state,
                        "reason": "owner" if state == "quarantined" else "",
                        "now": tx.now,
                    },
                )
    shelves = shop.door.panel_care._desk.shelves
    assert isinstance(shelves, Shelves)
    shelves._read_at = monotonic() - OLD_AFTER - 1


async def test_a_refusal_goes_on_to_a_panel_that_is_used_today(shop: Shop) -> None:
    """With several processes, the one that hears an answer is not the one whose clock reads the lists."""
    await shop.grant(10)
    await shop.order()
    shop.clock.advance(30 * 60)
    await shop.job("boosts.dispatch")
    await changed_elsewhere(shop, "plugsmm")
    shop.panels["smmflare"].always = Declined("other", "No")
    await shop.send()
    assert shop.panels["plugsmm"].orders == {}
    assert len(shop.panels["smmstone"].orders) == 2


async def test_sent_again_goes_to_a_panel_that_is_used_today(shop: Shop) -> None:
    await shop.grant(10)
    await shop.order()
    shop.panels["smmflare"].always = Silent("read_timeout")
    await shop.turn(30)
    await changed_elsewhere(shop, "smmflare")
    for one in await shop.door.unknown_phases():
        await shop.door.resolve_not_placed(key=f"n{one.phase_id}", actor=STAFF, phase_id=one.phase_id)
    shop.panels["smmflare"].always = None
    await shop.send()
    assert len(shop.panels["plugsmm"].orders) == 2


async def test_a_confirm_screen_that_promises_what_nobody_sells_any_more_takes_no_credit(shop: Shop) -> None:
    await shop.grant(10)
    draft = await shop.door.draft(key="d", user_id=ADA, text=LINK)
    await changed_elsewhere(shop, *shop.panels, minimum=1_000_000, state="ok")
    with pytest.raises(PlanChanged):
        await shop.door.confirm(key="c", user_id=ADA, draft_id=draft.id)
    assert await shop.credits() == 10
    with pytest.raises(NoCredits):
        await shop.door.draft(key="e", user_id=ADA, text=LINK)


async def test_an_order_of_which_nothing_can_begin_ends_at_once_with_its_credit(shop: Shop, monkeypatch: Any) -> None:
    """Whatever slips through: neither phases nor anybody who works at it means nobody would ever end it."""
    await shop.grant(10)
    draft = await shop.door.draft(key="d", user_id=ADA, text=LINK)
    monkeypatch.setattr("viralcore.boosts.domain.plans.Catalogue.phases", lambda *_: ())
    (order,) = await shop.door.confirm(key="c", user_id=ADA, draft_id=draft.id)
    assert (order.state, order.credit_returned) == ("failed", True)
    assert await shop.credits() == 10
    await shop.sound()


async def test_more_unknown_sends_than_one_page_are_all_listed_and_counted(shop: Shop) -> None:
    await shop.grant(60)
    links = [f"https://x.com/shop/status/{1000 + number}" for number in range(60)]
    for first in range(0, 60, 20):
        await shop.order(*links[first : first + 20])
    for panel in shop.panels.values():
        panel.always = Silent("read_timeout")
    await shop.turn(30)
    assert await shop.door.unknown_count() == 120
    found: list[int] = []
    while page := await shop.door.unknown_phases(after=found[-1] if found else 0, limit=50):
        found += [one.phase_id for one in page]
    assert (len(found), found) == (120, sorted(set(found)))

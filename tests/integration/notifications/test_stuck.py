"""The card of an order at a panel that does not end: shown, shown again, decided, or over by itself."""

from __future__ import annotations

from tests.integration.notifications.conftest import House
from tests.integration.notifications.doors import GROUP, OLU
from viralcore.boosts.events import PhaseStuck, StuckDecided

STUCK = PhaseStuck(phase_id=51, order_id=7, panel="smmflare")
BUTTONS = ["🏁 It ended there", "🔢 Its number is another", "🧾 Open the order"]


def decided(how: str, actor: int = OLU) -> StuckDecided:
    return StuckDecided(phase_id=51, order_id=7, actor=actor, how=how)


async def test_a_stuck_order_is_a_card_until_somebody_decides(house: House) -> None:
    house.boosts.panel_care.others = 4
    await house.happens(STUCK)
    assert house.chat.labels(GROUP) == [BUTTONS]
    assert "4 more: Admin Panel" in house.group()[0]
    house.boosts.panel_care.state = "partial"
    await house.happens(decided("ended"))
    assert "Ended by Olu (@olu_owner, <code>1000</code>): a part of it came (20 of 38)." in house.group()[0]
    assert house.chat.labels(GROUP) == [[]]


async def test_stuck_again_is_a_new_card_and_the_old_one_keeps_its_answer(house: House) -> None:
    await house.happens(STUCK)
    await house.happens(decided("renumbered"))
    await house.happens(STUCK)
    assert ["Put right by Olu" in house.group()[0], len(house.group())] == [True, 2]
    assert house.chat.labels(GROUP) == [[], BUTTONS]


async def test_nobody_moved_it_the_old_card_points_to_the_new_one(house: House) -> None:
    await house.happens(STUCK)
    await house.happens(STUCK)
    assert "see the newer card" in house.group()[0]
    assert house.chat.labels(GROUP) == [[], BUTTONS]


async def test_over_by_itself_takes_the_buttons_away(house: House) -> None:
    await house.happens(STUCK)
    house.boosts.panel_care.why = ""
    await house.happens(decided("over", actor=0))
    assert "answers as it should again" in house.group()[0]
    assert house.chat.labels(GROUP) == [[]]

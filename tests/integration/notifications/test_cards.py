"""Work for the team: one card for each line, edited into what became of it, shown again when it waits."""

from __future__ import annotations

from dataclasses import replace

from tests.integration.notifications.conftest import House
from tests.integration.notifications.doors import ADA, OLU, ZERO, order
from viralcore.boosts.api import OrderLineView
from viralcore.boosts.events import (
    GoodsReturned,
    OrderCreated,
    OrderFinished,
    StaffCardMoved,
    StaffCardOpened,
    StaffCardWaits,
)
from viralcore.core.money import usd


def moved(state: str, actor: int = OLU) -> StaffCardMoved:
    return StaffCardMoved(card_id=5, order_id=7, state=state, actor=actor)


def votes(state: str = "scheduled", delivered: int = 0, reason: str = "") -> OrderLineView:
    return OrderLineView("votes", "staff", 50, delivered, state, ZERO, "staff", reason)  # type: ignore[arg-type]


async def test_an_order_by_hand_is_a_card_and_not_two_messages(house: House) -> None:
    house.boosts.orders[7] = replace(order(), lines=(votes(),), phases=(), invoice_id=12, answers={"poll_option": "3"})
    await house.happens(OrderCreated(order_id=7, user_id=ADA), StaffCardOpened(card_id=5, order_id=7))
    (card,) = house.group()
    assert "50 votes" in card
    assert "Nobody has taken it yet" in card
    (mine,) = house.ada()
    assert "by hand" in mine
    assert "Option: 3" in mine


async def test_the_card_is_edited_into_what_became_of_it(house: House) -> None:
    await house.happens(StaffCardOpened(card_id=5, order_id=7))
    house.boosts.staff.state, house.boosts.staff.by = "taken", OLU
    await house.happens(moved("taken"))
    house.boosts.staff.delivered = 20
    await house.happens(moved("taken"))
    assert "20 of 50 votes" in house.group()[0]
    house.boosts.staff.state = "done"
    await house.happens(moved("done"))
    (card,) = house.group()
    assert "Done by Olu (@olu_owner" in card
    assert [screen.rows for _, _, screen in house.chat.calls][-1] == ()


async def test_one_that_waits_is_shown_again_and_only_the_new_one_goes_on(house: House) -> None:
    await house.happens(StaffCardOpened(card_id=5, order_id=7))
    await house.happens(StaffCardWaits(card_id=5, order_id=7))
    old, new = house.group()
    assert "see the newer card" in old
    assert "\u23f0" in new
    house.boosts.staff.state, house.boosts.staff.by = "taken", OLU
    await house.happens(moved("taken"))
    old, new = house.group()
    assert "see the newer card" in old
    assert "Taken by Olu" in new


async def test_the_buyer_reads_why_and_what_came_back(house: House) -> None:
    ended = replace(votes("failed", reason="The poll has closed."), refunded=usd("1.50"))
    house.boosts.orders[7] = replace(
        order("failed"), lines=(ended,), phases=(), invoice_id=12, refunded=usd("1.50"), finished_at=order().created_at
    )
    await house.happens(OrderFinished(order_id=7, user_id=ADA, state="failed", refunded=150, credit_returned=False))
    (told,) = house.ada()
    assert "The poll has closed." in told
    assert "<b>$1.50</b> is back in your wallet" in told


async def test_goods_that_could_not_be_ordered_are_told(house: House) -> None:
    await house.happens(GoodsReturned(invoice_id=12, user_id=ADA, cents=150, to_wallet=90, to_bonus=60))
    (told,) = house.ada()
    assert "<b>$1.50</b>, all that you paid, is back in your wallet" in told
    assert "$0.60 of it had been paid with bonus money" in told

"""Lines worked at by hand: cards, who may move them, and the money of what could not be done."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.integration.boosts.conftest import ADA, Shop
from viralcore.boosts.api import AlreadyDecided, BadProgress, CannotCancel, CardNotYours, CardTaken, OrderView
from viralcore.users.api import NotAllowed, NotYourself

BOB, CLEO, OWNER = 1000, 1001, 1
POLL = "https://x.com/shop/status/1990000000000000001"


@pytest.fixture
def engines() -> None:
    """The engines of the settings."""


@pytest.fixture(autouse=True)
def _owner(shop: Shop) -> None:
    shop.users.staff.add(OWNER)
    shop.users.owners.add(OWNER)


async def votes(shop: Shop, quantity: int = 50, cents: int = 150, invoice_id: int = 7) -> OrderView:
    return await shop.goods("x_poll", quantity, cents, {"poll_link": POLL, "poll_option": "3"}, invoice_id=invoice_id)


async def card_of(shop: Shop, order_id: int) -> Any:
    return next(one for one in await shop.door.staff.waiting() if one.order_id == order_id)


async def test_a_line_waits_as_a_card_is_taken_worked_at_and_done(shop: Shop) -> None:
    order = await votes(shop)
    card = await card_of(shop, order.id)
    assert (card.state, card.metric, card.quantity, card.link, card.goods) == ("open", "votes", 50, POLL, True)
    assert card.answers == {"poll_link": POLL, "poll_option": "3"}
    assert order.can_cancel

    staff = shop.door.staff
    taken = await staff.take(key="a", actor=BOB, card_id=card.id)
    assert (taken.state, taken.taken_by, taken.version) == ("taken", BOB, 2)
    assert (await shop.see(order.id)).state == "in_progress"
    with pytest.raises(CannotCancel):
        await shop.door.cancel(key="c", user_id=ADA, order_id=order.id)

    assert (await staff.progress(key="b", actor=BOB, card_id=card.id, delivered=20)).delivered == 20
    assert (await shop.see(order.id)).lines[0].delivered == 20
    done = await staff.done(key="d", actor=BOB, card_id=card.id)
    assert (done.state, done.decided_by, done.delivered) == ("done", BOB, 50)
    after = await shop.see(order.id)
    assert (after.state, after.refunded.minor) == ("completed", 0)
    assert await shop.wallet() == 0
    assert [row["action"] for row in shop.users.audited] == [
        "boosts.card_taken",
        "boosts.card_progress",
        "boosts.card_done",
    ]
    assert await staff.count() == 0
    await shop.sound()


async def test_what_cannot_be_done_goes_back_to_the_cent(shop: Shop) -> None:
    """17 of 50 votes for 1.55: 33/50 of it is 1.023, and the third part of a cent stays with the shop."""
    order = await votes(shop, cents=155)
    card, staff = await card_of(shop, order.id), shop.door.staff
    await staff.take(key="a", actor=BOB, card_id=card.id)
    await staff.progress(key="b", actor=BOB, card_id=card.id, delivered=17)
    after = await staff.cannot(key="c", actor=BOB, card_id=card.id, reason="  The poll\nhas closed. ")
    assert (after.state, after.reason, after.refunded.minor) == ("cannot", "The poll has closed.", 102)
    seen = await shop.see(order.id)
    assert (seen.state, seen.refunded.minor, seen.lines[0].reason) == ("partial", 102, "The poll has closed.")
    assert await shop.wallet() == 102
    await shop.sound()


async def test_nothing_done_gives_everything_back_once(shop: Shop) -> None:
    order = await votes(shop)
    card, staff = await card_of(shop, order.id), shop.door.staff
    await staff.take(key="a", actor=BOB, card_id=card.id)
    for _ in range(2):
        await staff.cannot(key="c", actor=BOB, card_id=card.id, reason="no")
    with pytest.raises(AlreadyDecided):
        await staff.cannot(key="other", actor=BOB, card_id=card.id, reason="no")
    with pytest.raises(AlreadyDecided):
        await staff.done(key="d", actor=BOB, card_id=card.id)
    seen = await shop.see(order.id)
    assert (seen.state, seen.refunded.minor, seen.credit_returned) == ("failed", 150, False)
    assert await shop.wallet() == 150
    await shop.sound()


async def test_two_who_take_at_once_are_one_taker(shop: Shop) -> None:
    card = await card_of(shop, (await votes(shop)).id)
    staff = shop.door.staff
    told = await asyncio.gather(
        staff.take(key="a", actor=BOB, card_id=card.id),
        staff.take(key="b", actor=CLEO, card_id=card.id),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in told) == ["CardTaken", "StaffCardView"]
    mine = (await staff.get(card_id=card.id)).taken_by
    assert (await staff.take(key="again", actor=mine, card_id=card.id)).taken_by == mine
    with pytest.raises(CardTaken):
        await staff.take(key="c", actor=BOB if mine == CLEO else CLEO, card_id=card.id)


async def test_done_and_cannot_at_once_are_one_decision(shop: Shop) -> None:
    order = await votes(shop)
    card, staff = await card_of(shop, order.id), shop.door.staff
    await staff.take(key="a", actor=BOB, card_id=card.id)
    told = await asyncio.gather(
        staff.done(key="d", actor=BOB, card_id=card.id),
        staff.cannot(key="c", actor=OWNER, card_id=card.id, reason="no"),
        return_exceptions=True,
    )
    assert sum(isinstance(one, AlreadyDecided) for one in told) == 1
    seen = await shop.see(order.id)
    assert await shop.wallet() == seen.refunded.minor == (150 if seen.state == "failed" else 0)


async def test_only_the_taker_or_an_owner_moves_a_card(shop: Shop) -> None:
    card = await card_of(shop, (await votes(shop)).id)
    staff = shop.door.staff
    with pytest.raises(NotAllowed):
        await staff.take(key="x", actor=ADA, card_id=card.id)
    with pytest.raises(CardNotYours) as free:
        await staff.done(key="y", actor=BOB, card_id=card.id)
    assert free.value.fields["taken"] is False
    await staff.take(key="a", actor=BOB, card_id=card.id)
    for act in (
        staff.done(key="1", actor=CLEO, card_id=card.id),
        staff.release(key="2", actor=CLEO, card_id=card.id),
        staff.progress(key="3", actor=CLEO, card_id=card.id, delivered=1),
        staff.cannot(key="4", actor=CLEO, card_id=card.id, reason="no"),
    ):
        with pytest.raises(CardNotYours):
            await act
    freed = await staff.release(key="5", actor=OWNER, card_id=card.id)
    assert (freed.state, freed.taken_by) == ("open", None)
    # the same button in the same message, pressed by the same person once more: its version makes it another press
    assert (await staff.take(key="6", actor=CLEO, card_id=card.id)).taken_by == CLEO


async def test_nobody_gives_money_back_to_themselves(shop: Shop) -> None:
    shop.users.staff.add(ADA)
    card = await card_of(shop, (await votes(shop)).id)
    await shop.door.staff.take(key="a", actor=ADA, card_id=card.id)
    with pytest.raises(NotYourself):
        await shop.door.staff.cannot(key="b", actor=ADA, card_id=card.id, reason="no")
    assert await shop.wallet() == 0


async def test_a_count_is_between_nothing_and_all(shop: Shop) -> None:
    card = await card_of(shop, (await votes(shop)).id)
    staff = shop.door.staff
    await staff.take(key="a", actor=BOB, card_id=card.id)
    for wrong in (-1, 51):
        with pytest.raises(BadProgress):
            await staff.progress(key=f"p{wrong}", actor=BOB, card_id=card.id, delivered=wrong)
    await staff.progress(key="b", actor=BOB, card_id=card.id, delivered=30)
    assert (await staff.progress(key="c", actor=BOB, card_id=card.id, delivered=10)).delivered == 10
    assert (await staff.progress(key="d", actor=BOB, card_id=card.id, delivered=50)).state == "done"


async def test_a_cancelled_order_closes_its_card(shop: Shop) -> None:
    order = await votes(shop)
    card = await card_of(shop, order.id)
    cancelled = await shop.door.cancel(key="c", user_id=ADA, order_id=order.id)
    assert (cancelled.state, cancelled.refunded.minor) == ("cancelled", 150)
    assert (await shop.door.staff.get(card_id=card.id)).state == "closed"
    with pytest.raises(AlreadyDecided):
        await shop.door.staff.take(key="a", actor=BOB, card_id=card.id)
    assert await shop.wallet() == 150


async def test_lines_of_the_crowd_fall_to_staff_and_the_order_ends_with_the_last(shop: Shop) -> None:
    await shop.grant()
    (order,) = await shop.order()
    cards = await shop.door.staff.waiting()
    assert [(one.metric, one.quantity) for one in cards] == [("comments", 30), ("reposts", 15)]
    await shop.turn(61)
    for panel in shop.panels.values():
        panel.complete()
    await shop.turn(2)
    assert (await shop.see(order.id)).state == "in_progress"
    staff = shop.door.staff
    await staff.take(key="a", actor=BOB, card_id=cards[0].id)
    await staff.done(key="b", actor=BOB, card_id=cards[0].id)
    await staff.take(key="c", actor=BOB, card_id=cards[1].id)
    await staff.cannot(key="d", actor=BOB, card_id=cards[1].id, reason="nobody had time")
    seen = await shop.see(order.id)
    assert (seen.state, seen.refunded.minor, seen.credit_returned) == ("partial", 30, False)
    await shop.sound()


async def test_a_card_that_waits_is_shown_again_once_in_a_while(shop: Shop) -> None:
    card = await card_of(shop, (await votes(shop)).id)
    await shop.job("boosts.staff")
    assert await shop.events("staff_card_waits") == []
    shop.clock.advance(6 * 3600)
    await shop.job("boosts.staff")
    await shop.job("boosts.staff")
    assert [row["card_id"] for row in await shop.events("staff_card_waits")] == [card.id]
    await shop.door.staff.take(key="a", actor=BOB, card_id=card.id)
    shop.clock.advance(6 * 3600 - 1)
    await shop.job("boosts.staff")
    assert len(await shop.events("staff_card_waits")) == 1

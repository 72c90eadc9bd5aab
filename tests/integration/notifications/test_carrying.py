"""How a message gets there: attempts, silence, floods, blocks, chats that move, and many wishes at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.integration.notifications.conftest import House
from tests.integration.notifications.doors import ADA, GROUP, order
from tests.support.queueing import settled, until
from viralcore.boosts.events import OrderCreated, OrderProgressed, PhaseUnknown
from viralcore.core.screen import Screen
from viralcore.notifications.ports import Answer, Blocked, Gone, Moved, Rejected, Silent, Unsent, Wait
from viralcore.payments.events import InvoicePaid, PricesStopped

PAID = InvoicePaid(
    invoice_id=12,
    user_id=ADA,
    item_kind="credits",
    item_ref="t3",
    quantity=10,
    total=1500,
    paid_cents=1500,
    method="wallet",
)
CREATED = OrderCreated(order_id=7, user_id=ADA)
MOVED = OrderProgressed(order_id=7, user_id=ADA, state="in_progress")
UNKNOWN = PhaseUnknown(phase_id=51, order_id=7, panel="smmflare")
STOPPED = PricesStopped(coin="BNB", reason="stale")


@pytest.fixture
async def quiet(bare_house: House) -> House:
    """A shop where staff are told nothing."""
    bare_house.staff_told = False
    return await bare_house.build().start()


async def test_silence_is_asked_again_three_times_with_growing_delay(quiet: House) -> None:
    quiet.chat.script = [Silent("timed_out")] * 3
    await quiet.happens(PAID)
    assert len(quiet.chat.calls) == 1
    await quiet.later(seconds=10)
    assert len(quiet.chat.calls) == 2
    await quiet.later(seconds=60)
    assert len(quiet.chat.calls) == 2
    await quiet.later(seconds=60)
    assert len(quiet.chat.calls) == 3
    (row,) = await quiet.rows()
    assert (row["state"], row["attempts"], row["error"], row["busy"]) == ("failed", 3, "gave_up: timed_out", False)


async def test_an_attempt_after_silence_gets_through(quiet: House) -> None:
    quiet.chat.script = [Silent("timed_out")]
    await quiet.happens(PAID)
    await quiet.later(seconds=10)
    (row,) = await quiet.rows()
    assert (row["state"], row["attempts"], row["error"]) == ("sent", 2, "")


async def test_a_flood_and_a_closed_door_are_no_attempts(quiet: House) -> None:
    quiet.chat.script = [Wait(35), Unsent("not_connected"), Unsent("not_connected"), Wait(5)]
    await quiet.happens(PAID)
    await quiet.later(seconds=34)
    assert len(quiet.chat.calls) == 1
    for seconds in (1, 30, 30, 5):
        await quiet.later(seconds=seconds)
    (row,) = await quiet.rows()
    assert (row["state"], row["attempts"]) == ("sent", 1)


async def test_what_could_not_go_for_a_day_is_too_old(quiet: House) -> None:
    quiet.chat.script = [Unsent("not_connected")] * 2
    await quiet.happens(PAID)
    await quiet.later(hours=25)
    (row,) = await quiet.rows()
    assert (row["state"], row["error"], len(quiet.chat.calls)) == ("failed", "too_old", 1)


async def test_whoever_blocks_the_bot_is_unreachable_and_left_alone(quiet: House) -> None:
    quiet.chat.script = [Blocked("Forbidden: bot was blocked by the user")]
    await quiet.happens(CREATED)
    assert quiet.users.people[ADA].unreachable
    await quiet.happens(PAID, MOVED)
    assert len(quiet.chat.calls) == 1
    assert await quiet.states() == ["unreachable", "unreachable"]


async def test_whoever_comes_back_is_told_again(quiet: House) -> None:
    quiet.chat.script = [Blocked("Forbidden: bot was blocked by the user")]
    await quiet.happens(CREATED)
    quiet.users.people[ADA] = replace(quiet.users.people[ADA], unreachable=False)
    await quiet.happens(MOVED)
    assert await quiet.states() == ["sent"]


async def test_what_telegram_never_takes_is_kept_as_failed(quiet: House) -> None:
    quiet.chat.script = [Rejected("Bad Request: can't parse entities")]
    await quiet.happens(PAID)
    (row,) = await quiet.rows()
    assert (row["state"], row["error"], len(quiet.chat.calls)) == ("failed", "Bad Request: can't parse entities", 1)


async def test_a_failed_live_message_is_sent_with_the_next_change(quiet: House) -> None:
    quiet.chat.script = [Rejected("odd")]
    await quiet.happens(CREATED)
    await quiet.happens(MOVED)
    assert quiet.chat.verbs() == ["send", "send"]
    assert await quiet.states() == ["sent"]


async def test_a_live_message_its_owner_deleted_stays_deleted(quiet: House) -> None:
    await quiet.happens(CREATED)
    quiet.boosts.orders[7] = order("in_progress", 20)
    quiet.chat.script = [Gone()]
    await quiet.happens(MOVED)
    quiet.boosts.orders[7] = order("in_progress", 40)
    await quiet.happens(MOVED)
    assert quiet.chat.verbs() == ["send", "edit"]


async def test_a_card_somebody_deleted_comes_back_when_it_changes(house: House) -> None:
    house.boosts.silence(51)
    await house.happens(UNKNOWN)
    house.boosts.silence(51, "sent")
    house.chat.script = [Gone()]
    async with house.db.transaction() as tx:
        await house.module.service.refresh(tx, live_key="phase:51")
    await settled(house.engine)
    assert house.chat.verbs(GROUP) == ["send", "edit", "send"]


async def test_a_group_that_became_a_supergroup_is_followed(house: House) -> None:
    house.chat.script = [Moved(-100900)]
    await house.happens(STOPPED)
    await house.happens(replace(STOPPED, coin="BTC"))
    assert [chat for _, chat, _ in house.chat.calls] == [GROUP, -100900, -100900]
    assert await house.states() == ["sent", "sent"]


async def test_a_group_the_bot_was_thrown_out_of_makes_nobody_unreachable(house: House) -> None:
    house.chat.script = [Blocked("Forbidden: bot was kicked from the group chat")]
    await house.happens(STOPPED)
    (row,) = await house.rows()
    assert row["state"] == "failed"
    assert not any(person.unreachable for person in house.users.people.values())


async def test_an_exception_is_silence(quiet: House) -> None:
    quiet.chat.script = [RuntimeError("odd")]
    await quiet.happens(PAID)
    await quiet.later(seconds=10)
    assert await quiet.states() == ["sent"]


async def test_something_that_is_not_there_is_not_told(quiet: House) -> None:
    await quiet.happens(replace(PAID, invoice_id=99))
    (row,) = await quiet.rows()
    assert (row["state"], row["error"]) == ("failed", "nothing_there:invoice")


class SlowChat:
    """Holds every call until it is let go, and counts how many are under way for one message."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.go = asyncio.Event()
        self.now = self.most = 0

    async def send(self, *, chat_id: int, screen: Screen, nonce: str, thread_id: int | None = None) -> Answer:
        await self._wait()
        return await self.house.chat.send(chat_id=chat_id, screen=screen, nonce=nonce)

    async def edit(self, *, chat_id: int, message_id: int, screen: Screen, nonce: str) -> Answer:
        await self._wait()
        return await self.house.chat.edit(chat_id=chat_id, message_id=message_id, screen=screen, nonce=nonce)

    async def _wait(self) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        await self.go.wait()
        self.now -= 1


async def test_many_changes_while_one_is_shown_become_one_edit(bare_house: House) -> None:
    bare_house.staff_told = False
    slow = SlowChat(bare_house)
    house = await bare_house.build(slow).start()
    await house.record(CREATED)

    async def sending() -> bool:
        return slow.now == 1

    await until(sending)
    for done in range(1, 21):
        house.boosts.orders[7] = order("in_progress", done)
        await house.record(MOVED)

    async def heard() -> bool:
        return await house.engine.deliveries.backlog() == 0

    await until(heard)
    assert slow.most == 1
    slow.go.set()
    await settled(house.engine)
    assert house.chat.verbs() == ["send", "edit"]
    assert "20 of 75 likes" in house.ada()[0]
    (row,) = await house.rows()
    assert (row["wanted"], row["busy"]) == (21, False)

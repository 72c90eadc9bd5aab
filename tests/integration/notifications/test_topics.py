"""A topic per kind when the admin group is a forum: made once, made anew when it is gone, General when it cannot be."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.integration.notifications.conftest import House
from tests.integration.notifications.doors import ADA, GROUP
from tests.support.queueing import settled
from viralcore.boosts.events import PanelTrouble, StaffCardMoved, StaffCardOpened
from viralcore.core.db import Tx
from viralcore.core.effects import EffectCall, Unknown
from viralcore.core.nursery import Nursery
from viralcore.core.queue import QueueEngine
from viralcore.notifications.domain import Notice
from viralcore.notifications.ports import NoTopic, Rejected, Silent, Unsent, Wait
from viralcore.notifications.service.topics import MakingTopic, Topics
from viralcore.payments.events import InvoicePaid, PricesStopped

CARD = StaffCardOpened(card_id=5, order_id=7)
PANEL = PanelTrouble(panel="smmflare", what="down", detail="")
STOPPED = PricesStopped(coin="BNB", reason="stale")
TEAM, PANELS, ALERTS, PAYMENTS = "🛠 Team work", "🧩 Panels", "🚨 Alerts", "💰 Payments"
NO_RIGHT = Rejected("Not enough rights to create a topic")


class Killed(BaseException):
    """The process dies here."""


def paid(invoice_id: int = 12) -> InvoicePaid:
    return InvoicePaid(
        invoice_id=invoice_id,
        user_id=ADA,
        item_kind="credits",
        item_ref="t3",
        quantity=10,
        total=1500,
        paid_cents=1500,
        method="wallet",
    )


@pytest.fixture
async def forum(house: House) -> House:
    house.chat.forums.add(GROUP)
    return house


async def topics(house: House) -> list[tuple[Any, ...]]:
    async with house.db.read() as conn:
        found = await conn.execute(
            text("SELECT kind, state, generation, made FROM notifications.topics ORDER BY kind, generation")
        )
        return [tuple(row) for row in found]


def where(house: House) -> list[str]:
    return [topic for topic, _ in house.chat.in_topics()]


async def test_each_kind_has_a_topic_of_its_own_made_once(forum: House) -> None:
    await forum.happens(CARD, PANEL, STOPPED)
    await forum.happens(paid(), PricesStopped(coin="SOL", reason="stale"))
    assert sorted(where(forum)) == sorted([TEAM, PANELS, ALERTS, PAYMENTS, ALERTS])
    assert sorted(forum.chat.topics.values()) == sorted([TEAM, PANELS, ALERTS, PAYMENTS])
    assert {row["state"] for row in await forum.rows()} == {"sent"}
    assert [row["waits_for"] for row in await forum.rows() if row["waits_for"]] == []


async def test_cards_that_come_while_it_is_made_wait_for_it_together(forum: House) -> None:
    forum.chat.topic_script = [Unsent("not_connected"), Wait(5)]
    await forum.happens(*(PricesStopped(coin=coin, reason="stale") for coin in ("BNB", "SOL", "TRX")))
    assert forum.group() == []
    assert [row["waits_for"] for row in await forum.rows()] == ["alerts"] * 3
    await forum.later(seconds=31)
    await forum.later(seconds=6)
    assert where(forum) == [ALERTS] * 3
    assert await topics(forum) == [("alerts", "open", 1, 1)]


async def test_a_card_that_changes_while_it_waits_stands_there_as_it_is_by_then(forum: House) -> None:
    forum.chat.topic_script = [Unsent("not_connected")]
    await forum.happens(CARD)
    forum.boosts.staff.state, forum.boosts.staff.by = "taken", ADA
    await forum.happens(StaffCardMoved(card_id=5, order_id=7, state="taken", actor=ADA))
    await forum.later(seconds=31)
    assert where(forum) == [TEAM]
    assert "Taken by" in forum.group()[0]
    assert forum.chat.verbs(GROUP) == ["send"]
    forum.boosts.staff.state = "done"
    await forum.happens(StaffCardMoved(card_id=5, order_id=7, state="done", actor=ADA))
    assert forum.chat.verbs(GROUP) == ["send", "edit"]


async def test_a_group_without_topics_is_as_it_was_and_becomes_a_forum_later(house: House) -> None:
    await house.happens(STOPPED)
    house.chat.forums.add(GROUP)
    await house.happens(PricesStopped(coin="SOL", reason="stale"))
    house.chat.forums.discard(GROUP)
    await house.happens(PricesStopped(coin="TRX", reason="stale"))
    assert where(house) == ["", ALERTS, ""]
    assert await topics(house) == [("alerts", "lost", 1, 1)]


async def test_a_topic_that_was_deleted_is_made_anew(forum: House) -> None:
    await forum.happens(STOPPED)
    forum.chat.topics.clear()
    await forum.happens(PricesStopped(coin="SOL", reason="stale"))
    assert where(forum)[-1] == ALERTS
    assert await topics(forum) == [("alerts", "open", 2, 2)]
    assert {row["state"] for row in await forum.rows()} == {"sent"}


async def test_a_closed_topic_sends_its_cards_to_general_and_says_so_once(forum: House) -> None:
    await forum.happens(STOPPED)
    for coin in ("SOL", "TRX"):
        forum.chat.script = [NoTopic(closed=True)]
        await forum.happens(PricesStopped(coin=coin, reason="stale"))
    shown = forum.chat.in_topics()
    assert [topic for topic, _ in shown] == [ALERTS, "", "", ""]
    assert [line for _, line in shown if "is closed" in line] == ["🧵 <b>The topic 🚨 Alerts is closed</b>"]


async def test_without_the_right_everything_goes_to_general_and_staff_are_told_once(forum: House) -> None:
    forum.chat.topic_script = [NO_RIGHT] * 9
    await forum.happens(CARD, PANEL, STOPPED)
    await forum.later(minutes=11)
    await forum.happens(PricesStopped(coin="SOL", reason="stale"))
    shown = forum.chat.in_topics()
    assert [topic for topic, _ in shown] == [""] * 5
    assert len([line for _, line in shown if "I may not make topics here" in line]) == 1
    # not asked for each card: again after a while only
    before = len(forum.chat.topic_script)
    await forum.happens(PricesStopped(coin="TRX", reason="stale"))
    assert len(forum.chat.topic_script) == before
    forum.chat.topic_script.clear()
    await forum.later(minutes=11)
    await forum.happens(PricesStopped(coin="APT", reason="stale"))
    assert where(forum)[-1] == ALERTS
    # taken away again, it is told again
    forum.chat.topic_script = [NO_RIGHT]
    await forum.happens(paid())
    assert len([line for _, line in forum.chat.in_topics() if "I may not make topics here" in line]) == 2


@pytest.mark.parametrize("how", [Silent("timed_out"), RuntimeError("the line broke")])
async def test_silence_is_told_and_not_asked_again_at_once(forum: House, how: Any) -> None:
    forum.chat.topic_script = [how]
    await forum.happens(STOPPED)
    shown = forum.chat.in_topics()
    assert [topic for topic, _ in shown] == ["", ""]
    assert any("There may be a topic 🚨 Alerts that I do not know" in line for _, line in shown)
    await forum.happens(PricesStopped(coin="SOL", reason="stale"))
    assert forum.chat.topics == {}
    await forum.later(minutes=11)
    await forum.happens(PricesStopped(coin="TRX", reason="stale"))
    assert where(forum)[-1] == ALERTS
    assert await topics(forum) == [("alerts", "open", 2, 1)]


async def test_killed_between_asking_and_record_it_is_told_and_no_card_is_lost(
    bare_house: House, nursery: Nursery
) -> None:
    """Telegram has made it; nobody here knows its number. It is not asked for again at once."""
    house = bare_house.build()
    house.chat.forums.add(GROUP)
    house.chat.topics[77], house.chat.topic_script = ALERTS, [Killed()]
    await house.record(STOPPED)
    with pytest.raises(Killed):
        await all_there_is(house, QueueEngine(house.db, nursery))
    assert await topics(house) == [("alerts", "wanted", 1, 0)]
    assert house.group() == []
    await house.start()  # the next process
    await settled(house.engine)
    shown = house.chat.in_topics()
    assert [topic for topic, _ in shown] == ["", ""]
    assert any("There may be a topic 🚨 Alerts that I do not know" in line for _, line in shown)
    assert house.chat.topics == {77: ALERTS}
    await house.later(minutes=11)
    await house.happens(PricesStopped(coin="TRX", reason="stale"))
    assert where(house)[-1] == ALERTS
    assert await topics(house) == [("alerts", "open", 2, 1)]


async def all_there_is(house: House, engine: QueueEngine) -> None:
    """What the queue would run, one after another in this task: nobody catches a death in it."""
    for _ in range(6):
        async with house.db.read() as conn:
            told = text("SELECT event_id::text, subscriber, gen FROM core.deliveries WHERE state = 'pending'")
            deliveries = (await conn.execute(told)).all()
            effects = (await conn.execute(text("SELECT id, gen FROM core.effects WHERE state = 'queued'"))).all()
        for event_id, subscriber, gen in deliveries:
            await engine.deliveries.deliver(event_id, subscriber, gen)
        for effect_id, gen in effects:
            await engine.effects.run(effect_id, gen)


async def test_an_answer_to_an_asking_that_was_given_up_changes_nothing(forum: House) -> None:
    await forum.happens(STOPPED)
    kind = next(one for one in forum.module.effects if isinstance(one, MakingTopic))
    facts = {"chat_id": GROUP, "kind": "alerts", "generation": 1}
    async with forum.db.transaction() as tx:
        await kind.on_outcome(tx, EffectCall(1, "x", 1, facts), Unknown("late"))
    await settled(forum.engine)
    assert await topics(forum) == [("alerts", "open", 1, 1)]
    assert len(forum.group()) == 1


async def test_a_topic_that_was_made_between_the_look_and_the_wait_is_used_at_once(forum: House) -> None:
    """The card saw that it is being made; by the time it is to wait, it is there and nobody would wake it."""
    await forum.happens(STOPPED)
    async with forum.db.transaction() as tx:
        await tx.conn.execute(text("UPDATE notifications.topics SET state = 'wanted', thread_id = NULL"))
    (thread,) = forum.chat.topics
    hold = Topics.hold

    async def late(self: Topics, tx: Tx, notice: Notice, kind: str) -> None:
        await tx.conn.execute(text(f"UPDATE notifications.topics SET state = 'open', thread_id = {thread}"))
        await hold(self, tx, notice, kind)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Topics, "hold", late)
        await forum.happens(PricesStopped(coin="SOL", reason="stale"))
    assert where(forum) == [ALERTS, ALERTS]
    assert [row["waits_for"] for row in await forum.rows()] == [None, None]


async def test_an_old_card_is_not_sent_after_a_day_of_waiting(forum: House) -> None:
    forum.chat.topic_script = [Unsent("not_connected")]
    await forum.happens(STOPPED)
    forum.clock.advance(timedelta(hours=25).total_seconds())
    await forum.later(seconds=1)
    (row,) = await forum.rows()
    assert (row["state"], row["error"], row["busy"]) == ("failed", "too_old", False)

"""Buying goods through the real Application, and the cards of the team in their group."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integration.bot.town import ADMINS, OWNER, Message, Person, Town
from tests.support.clock import FakeClock
from viralcore.boosts.api import StaffCardView
from viralcore.core.db import Database
from viralcore.core.registry import Registry
from viralcore.payments.events import InvoicePaid

POLL = "https://x.com/shop/status/123"


@pytest.fixture
async def town(database: Database, clock: FakeClock, registry: Registry) -> AsyncIterator[Town]:
    here = await Town(database, clock, registry).start()
    yield here
    await here.stop()


async def _sees(person: Person, *words: str) -> Message:
    _, shown = await person.home()
    assert not [each for each in words if each not in shown.text], shown.text
    return shown


async def _answered(person: Person) -> None:
    await person.says("/buy x_poll 50")
    await person.says(POLL)
    await person.presses("3")


async def _ordered(town: Town) -> StaffCardView:
    """Votes paid for from a wallet, and their card."""
    ada = await town.person()
    await ada.gets_money(5000)
    await _answered(ada)
    await ada.presses("Confirm", "Wallet")
    invoice_id = await town.one("SELECT max(id) FROM payments.invoices")
    event = InvoicePaid(
        invoice_id=invoice_id,
        user_id=ada.id,
        item_kind="goods",
        item_ref="x_poll",
        quantity=50,
        total=150,
        paid_cents=150,
        method="wallet",
    )
    async with town.db.transaction() as tx:
        await town.boosts.subscriptions[0].handler(tx, "e", event)
    return (await town.doors.boosts.staff.waiting())[-1]


async def test_answers_outlive_three_open_invoices(town: Town) -> None:
    ada = await town.person()
    await _answered(ada)
    for quantity in (10, 11, 12):
        await ada.says(f"/buy t3 {quantity}")
    await ada.says("/orders")
    await ada.presses("Go on with X poll votes")
    await _sees(ada, "Option: 3", "Is all of this right?")
    await ada.presses("Confirm")
    await _sees(ada, "3 unpaid invoices", "Started, not ordered yet", "X poll votes: 50 votes")
    await ada.presses("#1")
    await ada.presses("Cancel")
    await ada.says("/orders")
    await ada.presses("Go on with X poll votes", "Confirm")
    await _sees(ada, "50 votes at $0.03", "Option: 3", POLL)
    await ada.says("/orders")
    assert "Started" not in (await ada.home())[1].text


async def test_an_old_summary_leads_to_the_invoice(town: Town) -> None:
    ada = await town.person()
    await _answered(ada)
    await ada.presses("Confirm")
    await ada.says("/menu")
    number, shown = await ada.home()
    nonce = next(iter(shown.buttons.values()))[1:9]
    await town.handle(ada.press(f"A{nonce}rq_go|1", number))
    await _sees(ada, "Invoice #", "Option: 3")


async def test_a_boost_link_is_no_answer_to_a_number(town: Town) -> None:
    ada = await town.person()
    await ada.gets_credits(1)
    await ada.says("/buy slow_push 100")
    await ada.says("@ada")
    await _sees(ada, "Over how many days")
    await ada.says("101")
    await _sees(ada, "from 1 to 100")
    await ada.says(ada.link())
    await _sees(ada, "75 likes")
    await ada.says("/orders")
    await ada.presses("Go on with X followers, daily", "14")
    await _sees(ada, "8 a day for 2 days, then 7 a day for 12 days")


async def test_one_card_is_taken_released_and_taken_again(town: Town) -> None:
    """The buttons of a card in the group keep their nonce: its version makes a second press another one."""
    card, owner = await _ordered(town), Person(town, OWNER)

    async def press(code: str, version: int) -> str:
        await town.handle(owner.press(f"A00000000{code}|{card.id}|{version}", 7, chat=ADMINS))
        return town.phone.toasts[-1]

    door = town.doors.boosts.staff
    assert "is yours" in await press("cd_take", 1)
    assert "is free again" in await press("cd_free", 2)
    assert (await door.get(card_id=card.id)).state == "open"
    assert "is yours" in await press("cd_take", 3)
    assert (await door.get(card_id=card.id)).state == "taken"
    await press("cd_part", 4)
    await town.handle(owner.reply("lots", ADMINS))
    await town.handle(owner.reply("20", ADMINS))
    assert (await door.get(card_id=card.id)).delivered == 20
    await press("cd_no", 5)
    await town.handle(owner.reply("closed, see https://x.com/shop/status/5", ADMINS))
    ended = await door.get(card_id=card.id)
    assert (ended.state, ended.reason) == ("cannot", "closed, see https://x.com/shop/status/5")
    assert ended.refunded.minor == 90
    assert "decided that already" in await press("cd_done", 6)
    said = " ".join(message.text for message in town.phone.chats[ADMINS].values())
    assert "How many of the 50 votes" in said
    assert "a whole number from 0 to 50" in said
    assert "$0.90 back to the buyer" in said
    actions = "SELECT array_agg(action ORDER BY id) FROM users.audit_log WHERE subject = :id"
    assert await town.one(actions, id=f"card:{card.id}") == [
        f"boosts.card_{how}" for how in ("taken", "released", "taken", "progress", "cannot")
    ]

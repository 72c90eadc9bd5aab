"""Staff cards in an owner's private chat are pressed as in the group; the same presses by others are refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import fields
from typing import Any

import pytest

from tests.integration.bot.test_withdrawals import on_card as group_card
from tests.integration.bot.test_withdrawals import refusals, requested, rich, staff, state
from tests.integration.bot.town import ADMINS, OWNER, Person, Town
from tests.support.clock import FakeClock
from viralcore.bot.turn import ON_ACTION
from viralcore.core.db import Database
from viralcore.core.registry import Registry
from viralcore.core.screen import Action, encode
from viralcore.texts.actions import PhaseNotPlaced, PhasePlaced
from viralcore.texts.withdrawal_actions import ApproveWithdrawal, RejectWithdrawal

CARD, NONCE = 900, "k" * 8
"""A staff card, which is a message of its own with a nonce of its own."""
STAFFS = sorted(
    (action for action, handler in ON_ACTION.items() if ".bot.admin." in handler.__module__), key=lambda one: one.CODE
)


@pytest.fixture
async def town(database: Database, clock: FakeClock, registry: Registry) -> AsyncIterator[Town]:
    here = await Town(database, clock, registry).start()
    await here.withdrawals.parts.banks.refresh()
    yield here
    await here.stop()


async def on_card(person: Person, action: Action) -> str:
    """Press a button of a staff card in their private chat; the answer to the press, and what was said to it."""
    phone = person.town.phone
    toasts, known = len(phone.toasts), set(phone.chats[person.id])
    await person.town.handle(person.press(encode(action, NONCE), CARD))
    said = [message.text for number, message in phone.chats[person.id].items() if number not in known]
    return "\n".join([*phone.toasts[toasts:], *said])


def example(kind: type[Action]) -> Action:
    values: dict[str, Any] = {one.name: 1 if one.type in ("int", int) else "1" for one in fields(kind)}  # type: ignore[arg-type]
    return kind(**values)


async def test_an_owner_decides_on_a_card_in_private_and_the_home_stays(town: Town) -> None:
    ada = await rich(town)
    number = await requested(ada)
    boss = await staff(town)
    home = await boss.home()
    assert "is approved" in await on_card(boss, ApproveWithdrawal(number, 1))
    assert await state(town, number) != "pending"
    assert await boss.home() == home
    again = await on_card(boss, ApproveWithdrawal(number, 1))
    assert "out of date" not in again


async def test_a_reason_is_asked_beside_the_card_and_typed_in_private(town: Town) -> None:
    ada = await rich(town)
    number = await requested(ada)
    boss = await staff(town)
    assert "reads it" in await on_card(boss, RejectWithdrawal(number))
    await boss.says("Wrong account name")
    assert await state(town, number) == "rejected"


async def test_a_card_of_an_unknown_send_in_private(town: Town) -> None:
    phase = await town.unknown_phase()
    boss = Person(town, OWNER)
    await boss.says("/start")
    await boss.presses("I agree")
    assert "number" in await on_card(boss, PhasePlaced(phase, 1))
    await boss.says("/cancel")
    assert "again" in await on_card(boss, PhaseNotPlaced(phase, 1))


async def test_the_session_rules_are_the_same_in_private(town: Town) -> None:
    number = await requested(await rich(town))
    boss = await staff(town)
    town.clock.advance(61 * 60)
    before = await refusals(town)
    assert "staff session has ended" in await on_card(boss, ApproveWithdrawal(number, 1))
    assert await refusals(town) == before + 1
    assert await state(town, number) == "pending"


async def test_whatever_of_staff_others_press_is_refused_and_kept_whatever_its_nonce(town: Town) -> None:
    ada = await town.person()
    home = await ada.home()
    for kind in STAFFS:
        before = await refusals(town)
        answer = await on_card(ada, example(kind))
        assert "not allowed" in answer, (kind, answer)
        assert await refusals(town) == before + 1, kind
    assert await ada.home() == home


async def test_a_long_reason_in_the_group_is_taken_whole_or_asked_again(town: Town) -> None:
    number = await requested(await rich(town))
    boss = await staff(town)
    await group_card(boss, RejectWithdrawal(number))
    question = max(town.phone.chats[ADMINS])

    async def answers(words: str) -> str:
        item = boss.reply(words, ADMINS)
        item.payload["message"]["reply_to_message"]["message_id"] = question
        await town.handle(item)
        return town.phone.chats[ADMINS][max(town.phone.chats[ADMINS])].text

    assert "too long" in await answers("x" * 2500)
    reason = "The name on the account is not the name you gave us. " * 5
    await answers(reason)
    assert await town.one("SELECT reason FROM withdrawals.requests WHERE id = :id", id=number) == reason.strip()


async def test_who_writes_to_us_can_be_written_to(town: Town) -> None:
    """The update that says they are back may never have come."""
    ada = await town.person()

    async def lost() -> None:
        async with town.db.transaction() as tx:
            await town.doors.users.set_unreachable(tx, user_id=ada.id, unreachable=True)

    await lost()
    await ada.says("/balance")
    assert not (await town.doors.users.get(user_id=ada.id)).unreachable
    await lost()
    await ada.presses("Home")
    assert not (await town.doors.users.get(user_id=ada.id)).unreachable
    await lost()
    await town.handle(ada.line("/admin", ADMINS))
    assert (await town.doors.users.get(user_id=ada.id)).unreachable

"""Every kind of update, handled twice: the process dies before each of its steps, and comes back. One effect, the right
screen, the right question."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import text

from tests.integration.bot.town import ADMINS, OWNER, Killed, Person, Town
from tests.support.clock import FakeClock
from viralcore.core.db import Database
from viralcore.core.inbox import InboxItem
from viralcore.core.registry import Registry
from viralcore.core.screen import encode
from viralcore.texts.actions import PhaseNotPlaced, PhasePlaced


@pytest.fixture
async def town(database: Database, clock: FakeClock, registry: Registry) -> AsyncIterator[Town]:
    here = await Town(database, clock, registry).start()
    yield here
    await here.stop()


Scene = Callable[[Person], Awaitable[InboxItem]]
"""Brings somebody to where something is about to happen, and returns the update that is it."""
POLL = "https://x.com/shop/status/123"
SCENES: dict[str, Scene] = {}


def scene(made: Scene) -> Scene:
    SCENES[made.__name__] = made
    return made


async def invoice(person: Person) -> None:
    await person.says("/buy t3 10")


async def payment(person: Person) -> None:
    await invoice(person)
    await person.presses("Crypto", "USDT", "BSC")


@scene
async def a_command(person: Person) -> InboxItem:
    return person.line("/balance")


@scene
async def a_command_that_buys(person: Person) -> InboxItem:
    return person.line("/buy t3 10")


@scene
async def a_look(person: Person) -> InboxItem:
    return await person.button("Service Menu")


@scene
async def a_preset(person: Person) -> InboxItem:
    await person.says("/buy t3")
    return await person.button("25")


@scene
async def a_question_asked(person: Person) -> InboxItem:
    await person.says("/buy t3")
    return await person.button("Other amount")


@scene
async def a_quantity(person: Person) -> InboxItem:
    await person.says("/buy t3")
    await person.presses("Other amount")
    return person.line("12")


@scene
async def no_quantity(person: Person) -> InboxItem:
    await a_quantity(person)
    return person.line("a lot")


@scene
async def too_small_a_quantity(person: Person) -> InboxItem:
    await a_quantity(person)
    return person.line("3")


@scene
async def goods_begun(person: Person) -> InboxItem:
    return person.line("/buy x_poll 50")


@scene
async def a_link_for_goods(person: Person) -> InboxItem:
    await person.says("/buy x_poll 50")
    return person.line(POLL)


@scene
async def another_link_for_goods(person: Person) -> InboxItem:
    await person.says("/buy x_poll 50")
    return person.line("https://x.com/ada")


@scene
async def an_option_of_goods(person: Person) -> InboxItem:
    await person.says("/buy x_poll 50")
    await person.says(POLL)
    return await person.button("3")


@scene
async def an_answer_changed(person: Person) -> InboxItem:
    await an_option_of_goods(person)
    await person.presses("3", "Option")
    return person.line("2")


@scene
async def goods_confirmed(person: Person) -> InboxItem:
    await an_option_of_goods(person)
    await person.presses("3")
    return await person.button("Confirm")


@scene
async def goods_given_up(person: Person) -> InboxItem:
    await person.says("/buy x_poll 50")
    return await person.button("Cancel")


@scene
async def a_way_to_pay(person: Person) -> InboxItem:
    """From words to a picture: a message of its own."""
    await invoice(person)
    await person.presses("Crypto", "USDT")
    return await person.button("BSC")


@scene
async def paying_from_the_wallet(person: Person) -> InboxItem:
    await person.gets_money(5000)
    await invoice(person)
    return await person.button("Wallet")


@scene
async def i_have_paid(person: Person) -> InboxItem:
    await payment(person)
    return await person.button("I have paid")


@scene
async def the_hash_of_it(person: Person) -> InboxItem:
    await payment(person)
    await person.presses("I have paid")
    return person.line(f"0x{person.id:064d}")


@scene
async def a_hash_that_is_none(person: Person) -> InboxItem:
    await payment(person)
    await person.presses("I have paid")
    return person.line("paid it!")


@scene
async def a_hash_unasked(person: Person) -> InboxItem:
    return person.line(f"0x{person.id:064d}")


@scene
async def cancelling_a_question(person: Person) -> InboxItem:
    """The invoice under the question must live."""
    await payment(person)
    await person.presses("I have paid")
    return person.line("/cancel")


@scene
async def cancelling_the_invoice_shown(person: Person) -> InboxItem:
    await payment(person)
    return person.line("/cancel")


@scene
async def cancelling_by_button(person: Person) -> InboxItem:
    await payment(person)
    return await person.button("Cancel")


@scene
async def a_link(person: Person) -> InboxItem:
    await person.gets_credits(2)
    return person.line(person.link())


@scene
async def a_link_asked_for(person: Person) -> InboxItem:
    await person.gets_credits(2)
    await person.says("/submitlink")
    return person.line(person.link())


@scene
async def no_link(person: Person) -> InboxItem:
    await person.says("/submitlink")
    return person.line("here it is")


@scene
async def a_confirmation(person: Person) -> InboxItem:
    await a_link(person)
    await person.says(person.link())
    return await person.button("Confirm")


@scene
async def a_change_of_mind(person: Person) -> InboxItem:
    await a_link(person)
    await person.says(person.link())
    return await person.button("Cancel")


@scene
async def a_top_up(person: Person) -> InboxItem:
    await person.says("/balance")
    await person.presses("Top up")
    return await person.button("$25")


@scene
async def a_top_up_typed(person: Person) -> InboxItem:
    await person.says("/balance")
    await person.presses("Top up", "Other amount")
    return person.line("$12.50")


@scene
async def no_amount(person: Person) -> InboxItem:
    await a_top_up_typed(person)
    return person.line("9.999")


@scene
async def a_wallet_that_is_short(person: Person) -> InboxItem:
    await person.gets_money(500)
    await invoice(person)
    return await person.button("Wallet")


@scene
async def moving_affiliate_money(person: Person) -> InboxItem:
    await person.gets_money(1000, "affiliate")
    await person.says("/balance")
    await person.presses("Move to wallet", "50%")
    return await person.button("Confirm")


@scene
async def moving_an_own_amount(person: Person) -> InboxItem:
    await person.gets_money(1000, "affiliate")
    await person.says("/balance")
    await person.presses("Move to wallet", "Other amount")
    return person.line("7.50")


@scene
async def a_receipt(person: Person) -> InboxItem:
    await person.gets_money(5000)
    await invoice(person)
    await person.presses("Wallet")
    return await person.button("Receipt")


async def money_on_its_way(person: Person) -> None:
    await payment(person)
    async with person.town.db.transaction() as tx:
        statement = text("UPDATE payments.invoices SET notes = array_append(notes, 'seen') WHERE user_id = :id")
        await tx.conn.execute(statement, {"id": person.id})


@scene
async def cancelling_what_may_be_coming(person: Person) -> InboxItem:
    await money_on_its_way(person)
    return person.line("/cancel")


@scene
async def giving_it_up(person: Person) -> InboxItem:
    await money_on_its_way(person)
    await person.presses("Cancel")
    return await person.button("Confirm")


@scene
async def a_line_that_means_nothing(person: Person) -> InboxItem:
    return person.line("hello?")


async def die(town: Town, item: InboxItem, steps: int) -> bool:
    """Handle until so many steps are done; False when that was all of it."""
    town.plug.rest(steps)
    try:
        await town.handle(item)
    except Killed:
        return True
    finally:
        town.plug.rest()
    return False


@pytest.mark.parametrize("name", SCENES)
async def test_killed_before_every_step(town: Town, name: str) -> None:
    undisturbed = await town.person()
    await town.handle(await SCENES[name](undisturbed))
    right = await undisturbed.facts()
    for steps in range(60):
        person = await town.person()
        item = await SCENES[name](person)
        died = await die(town, item, steps)
        await town.restart()
        await town.handle(item)
        assert await person.facts() == right, f"killed after {steps} steps"
        if not died:
            return
    raise AssertionError("it never ends")


@pytest.mark.parametrize("name", ["a_quantity", "a_way_to_pay", "the_hash_of_it", "cancelling_the_invoice_shown"])
async def test_killed_again_and_again(town: Town, name: str) -> None:
    undisturbed = await town.person()
    await town.handle(await SCENES[name](undisturbed))
    right = await undisturbed.facts()
    person = await town.person()
    item = await SCENES[name](person)
    for steps in (3, 4, 2):
        await die(town, item, steps)
        await town.restart()
    await town.handle(item)
    assert await person.facts() == right


@pytest.mark.parametrize("first", [True, False])
async def test_terms_and_agreement(town: Town, first: bool) -> None:
    for steps in range(30):
        person = Person(town, 9000 + steps)
        if not first:
            await person.says("/start")
        item = person.line("/start ref_5") if first else await person.button("I agree")
        died = await die(town, item, steps)
        await town.restart()
        await town.handle(item)
        _, shown = await person.home()
        assert any(("agree" if first else "Service Menu") in label for label in shown.buttons), steps
        if not died:
            return


# --- staff ------------------------------------------------------------------------------------------------------------


async def state_of(town: Town, phase_id: int) -> str:
    return str(await town.one("SELECT state FROM boosts.phases WHERE id = :id", id=phase_id))


@pytest.mark.parametrize("placed", [True, False])
async def test_staff_cards(town: Town, placed: bool) -> None:
    owner = Person(town, OWNER)
    await owner.says("/start")
    await town.handle(owner.line("/admin", ADMINS))
    for steps in range(40):
        phase = await town.unknown_phase()
        act = PhasePlaced(phase, 1) if placed else PhaseNotPlaced(phase, 1)
        item = owner.press(encode(act, f"{steps:08d}"), 7, ADMINS)
        if placed:
            await town.handle(item)
            item = owner.reply(str(777000 + steps), ADMINS)
        died = await die(town, item, steps)
        await town.restart()
        await town.handle(item)
        assert await state_of(town, phase) == ("sent" if placed else "sending")
        attempts = await town.one("SELECT count(*) FROM boosts.attempts WHERE phase_id = :id", id=phase)
        assert attempts == (1 if placed else 2)
        assert await town.bot.dialogues.current(ADMINS, OWNER, 10**9) is None
        if not died:
            return


async def test_a_button_about_one_send_does_not_decide_a_later_one(town: Town) -> None:
    """Somebody looked at the panel for the first attempt and presses when the second has gone silent as well."""
    owner = Person(town, OWNER)
    await owner.says("/start")
    await town.handle(owner.line("/admin", ADMINS))
    phase = await town.unknown_phase()
    await town.handle(owner.press(encode(PhasePlaced(phase, 1), "asked001"), 7, ADMINS))
    await town.handle(owner.press(encode(PhaseNotPlaced(phase, 1), "first001"), 7, ADMINS))
    assert await town.silence(attempt=2) == phase
    await town.handle(owner.press(encode(PhaseNotPlaced(phase, 1), "other001"), 8, ADMINS))
    await town.handle(owner.reply("778899", ADMINS))  # the answer to what was asked about the first
    assert await state_of(town, phase) == "unknown"
    assert await town.one("SELECT count(*) FROM boosts.attempts WHERE phase_id = :id", id=phase) == 2


# --- twice without a crash --------------------------------------------------------------------------------------------


async def test_a_double_tap_on_a_way_to_pay_leaves_the_picture_alone(town: Town) -> None:
    """The first tap answers with a message of its own; the second comes from the old one."""
    person = await town.person()
    first = await a_way_to_pay(person)
    second = town.item({"callback_query": first.payload["callback_query"]})
    await town.handle(first)
    right, sent = await person.facts(), len(town.phone.chats[person.id])
    await town.handle(second)
    assert await person.facts() == right
    assert len(town.phone.chats[person.id]) == sent


async def test_a_button_of_an_older_message_is_out_of_date(town: Town) -> None:
    """Nobody pressed it before: it must not be told to be done already."""
    person = await town.person()
    await person.says("/buy t3")
    late = await person.button("25")
    await person.says("/balance")
    await town.handle(late)
    assert (await person.facts())["invoices"] is None
    assert "out of date" in town.phone.toasts[-1]


async def test_an_old_press_stays_old_when_it_is_handled_again(town: Town) -> None:
    person = await town.person()
    await person.says("/buy t3")
    late = await person.button("25")
    await person.says("/balance")
    for steps in range(30):
        died = await die(town, late, steps)
        await town.restart()
        await town.handle(late)
        assert (await person.facts())["invoices"] is None
        if not died:
            return


async def test_what_happens_while_a_screen_is_being_sent_is_seen_on_it(town: Town) -> None:
    """The invoice expires between reading it and showing it: no home shows it yet, so nothing else redraws it."""
    person = await town.person()
    await invoice(person)
    item = await person.button("Crypto")
    send = town.phone.do_request

    async def slowly(url: str, *args: object, **kwargs: object) -> tuple[int, bytes]:
        if url.endswith("answerCallbackQuery"):
            town.clock.advance(21 * 60)
        return await send(url, *args, **kwargs)  # type: ignore[arg-type]

    town.phone.do_request = slowly  # type: ignore[method-assign]
    await town.handle(item)
    assert "USDT" not in str((await person.facts())["buttons"])

"""Finance in the Admin Panel: lists, decisions step by step, forged presses, and a process that dies on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integration.bot.town import OWNER, Killed, Person, Town
from tests.integration.payments.shop import OURS, PAYER, USDT, raw
from tests.support.clock import FakeClock
from viralcore.core.db import Database
from viralcore.core.registry import Registry
from viralcore.core.screen import Action, encode
from viralcore.payments.domain.chain import Movement
from viralcore.texts.actions import (
    AskAssign,
    AskInvoice,
    AskRefund,
    AssignTo,
    ConfirmAssign,
    ConfirmRefund,
    Go,
)


@pytest.fixture
async def town(database: Database, clock: FakeClock, registry: Registry) -> AsyncIterator[Town]:
    here = await Town(database, clock, registry).start()
    yield here
    await here.stop()


async def boss_of(town: Town) -> Person:
    boss = Person(town, OWNER)
    await boss.says("/start")
    await boss.presses("I agree")
    await boss.says("/admin")
    return boss


async def stray(town: Town, amount: str = "20") -> int:
    town.chain.mine(Movement(0, USDT, PAYER, OURS.lower(), raw(amount)))
    await town.money.parts.watcher.run()
    return int(await town.one("SELECT max(id) FROM payments.receipts"))


async def paid(person: Person) -> int:
    """An invoice of 10 posts, paid from the wallet."""
    await person.gets_money(1500)
    await person.says("/buy t3 10")
    await person.presses("Wallet")
    return int(await person.town.one("SELECT max(id) FROM payments.invoices"))


async def shown(person: Person) -> str:
    return (await person.home())[1].text


async def wallet(person: Person) -> int:
    found = await person.town.doors.ledger.balances(user_id=person.id)
    return sum(one.balance for one in found if one.account.name == "wallet")


async def refusals(town: Town) -> int:
    return int(await town.one("SELECT count(*) FROM users.audit_log WHERE action = 'refused'"))


async def test_stray_money_is_assigned_to_a_wallet_step_by_step(town: Town) -> None:
    boss, ada = await boss_of(town), await town.person()
    receipt = await stray(town)
    assert "Stray receipts: <b>0</b>" in await shown(boss)
    await boss.presses("Payments", "Stray money")
    assert "20.000000 USDT on BSC" in await shown(boss)
    await boss.presses(f"#{receipt}", "A wallet")
    await boss.says("@nobody_here")
    assert "Nobody called @nobody_here" in await shown(boss)
    await boss.says("0x" + "ab" * 20 + " is no person")
    assert "Nobody called" in await shown(boss)
    await boss.says(str(ada.id))
    assert f"To the wallet of Ada (<code>{ada.id}</code>)" in await shown(boss)
    await boss.says("she wrote: https://bscscan.com/tx/0x" + "ab" * 32)
    assert "Assign receipt" in await shown(boss)
    assert "she wrote: https://bscscan.com" in await shown(boss)
    await boss.says("she wrote  to us")
    assert "Reason: <i>she wrote to us</i>" in await shown(boss)
    await boss.presses("Confirm")
    assert f"Credited to the wallet of Ada (<code>{ada.id}</code>)" in await shown(boss)
    assert await wallet(ada) == 2000


async def test_stray_money_is_assigned_to_an_invoice_that_was_near_or_typed(town: Town) -> None:
    boss, ada = await boss_of(town), await town.person()
    await ada.says("/buy t3 10")
    await ada.presses("Crypto", "USDT", "BSC")
    number = int(await town.one("SELECT max(id) FROM payments.invoices"))
    receipt = await stray(town, "14.5")
    await boss.says(f"/start receipt_{receipt}")
    assert f"#{number} · Ada" in str((await boss.home())[1].buttons)
    await boss.presses("An invoice")
    for wrong in ("999999", "twelve", "9" * 30):
        await boss.says(wrong)
        assert "There is no invoice" in await shown(boss)
    await boss.says(f"#{number}")
    assert "X Tier 3, 10 posts, $15.00, open" in await shown(boss)
    await boss.says("it is hers")
    await boss.presses("Cancel")
    assert "nobody's yet" in await shown(boss)
    await boss.presses(f"#{number}")
    await boss.says("it is hers")
    await boss.presses("Confirm")
    assert f"Credited for invoice #{number} of Ada" in await shown(boss)
    assert "too little" in await shown(boss)
    await boss.presses(f"Invoice #{number}")
    assert "It is not paid" in await shown(boss)


async def test_a_part_then_the_rest_is_refunded(town: Town) -> None:
    boss, ada = await boss_of(town), await town.person()
    number = await paid(ada)
    await boss.presses("Payments", "Find an invoice")
    await boss.says("nonsense")
    await boss.says(str(number))
    assert "Can be refunded: $15.00" in await shown(boss)
    await boss.presses("Refund a part")
    for wrong in ("many", "0", "-1", "0.001", "15.01", "1e3"):
        await boss.says(wrong)
        assert "How much of invoice" in await shown(boss)
    await boss.says("$4.50")
    assert "Taken back: 3 unused posts" in await shown(boss)
    await boss.says("three were too many")
    await boss.presses("Confirm")
    assert "$4.50 given back" in await shown(boss)
    assert "Can be refunded: $10.50" in await shown(boss)
    await boss.presses("Refund in full")
    await boss.says("not happy")
    assert "Give $10.50 back?" in await shown(boss)
    await boss.presses("Confirm")
    assert "All that was paid has been given back" in await shown(boss)
    assert await wallet(ada) == 1500
    await ada.says("/history")
    assert "$15.00 refunded" in await shown(ada)
    await ada.town.handle(ada.press(encode(Go(f"invoice:{number}"), "whatever"), 1))
    assert "was refunded to your wallet" in await shown(ada)


async def test_a_refund_after_use_says_what_is_left_before_it_asks(town: Town) -> None:
    boss, ada = await boss_of(town), await town.person()
    number = await paid(ada)
    await ada.says(ada.link())
    await ada.presses("Confirm")
    await boss.presses("Payments", "Find an invoice")
    await boss.says(str(number))
    assert "Can be refunded now: $13.50. The other $1.50 paid for posts that were used." in await shown(boss)
    await boss.presses("Refund in full")
    assert "Not given back: $1.50, which paid for posts that were used." in await shown(boss)
    await boss.says("not happy")
    await boss.presses("Confirm")
    assert await wallet(ada) == 1350


async def test_lists_and_filters_are_drawn(town: Town) -> None:
    boss = await boss_of(town)
    for amount in range(1, 23):
        await stray(town, str(amount))
    await boss.presses("Payments", "Stray money")
    assert "#1<" in await shown(boss)
    await boss.presses("Newer")
    assert "#22<" in await shown(boss)
    await boss.presses("Back", "All payments", "Older")
    assert "#1<" in await shown(boss)
    await boss.presses("Late")
    assert "Nothing here" in await shown(boss)


ROUTES = ("money", "strays", "strays:1", "receipts:all", "receipt:1", "inv:1")


@pytest.mark.parametrize("act", [
    *(Go(where) for where in ROUTES), AskInvoice(), AskAssign(1, "u"), AssignTo(1, "u", 5000),
    ConfirmAssign(1, "u5000"), AskRefund(1, "full"), ConfirmRefund(1, 1500, 0),
])  # fmt: skip
@pytest.mark.parametrize("role", ["", "support"])
async def test_a_forged_press_is_not_allowed_and_noted(town: Town, act: Action, role: str) -> None:
    ada, thief = await town.person(), await town.person()
    await paid(ada)
    await stray(town)
    if role:
        await town.doors.users.grant_role(key="g", actor=0, user_id=thief.id, role="support", reason="test")
        await thief.says("/admin")
        assert "Payments" not in str((await thief.home())[1].buttons)
    number, home = await thief.home()
    nonce = next(data for data in home.buttons.values() if data)[1:9]
    await town.handle(thief.press(encode(act, nonce), number))
    assert "not allowed" in await shown(thief)
    assert await refusals(town) == 1
    assert (await wallet(ada), await wallet(thief)) == (0, 0)


async def test_a_link_of_a_card_is_an_ordinary_start_to_others(town: Town) -> None:
    thief = await town.person()
    receipt = await stray(town)
    await thief.says(f"/start receipt_{receipt}")
    assert "nobody" not in await shown(thief)


async def test_a_session_that_ended_meanwhile_moves_nothing_and_is_noted(town: Town) -> None:
    boss, ada = await boss_of(town), await town.person()
    number = await paid(ada)
    town.clock.advance(59 * 60)
    await boss.presses("Payments", "Find an invoice")
    await boss.says(str(number))
    await boss.presses("Refund in full")
    await boss.says("not happy")
    town.clock.advance(2 * 60)
    await boss.presses("Confirm")
    assert "session has ended" in await shown(boss)
    assert (await wallet(ada), await refusals(town)) == (0, 1)


@pytest.mark.parametrize("forged", ["another receipt", "another person", "an invoice", "a refund", "right"])
async def test_a_confirm_of_another_decision_decides_nothing(town: Town, forged: str) -> None:
    """What is confirmed must be what was typed for: neither another sum nor another receipt."""
    boss, ada, ben = await boss_of(town), await town.person(), await town.person()
    number = await paid(ada)
    first, second = await stray(town), await stray(town, "30")
    await boss.town.handle(boss.press(encode(Go(f"receipt:{first}"), "whatever"), 1))
    await boss.presses("A wallet")
    await boss.says(str(ada.id))
    await boss.says("hers")
    acts = {
        "another receipt": ConfirmAssign(second, f"u{ada.id}"),
        "another person": ConfirmAssign(first, f"u{ben.id}"),
        "an invoice": ConfirmAssign(first, f"i{ada.id}"),
        "a refund": ConfirmRefund(number, 1500, 0),
        "right": ConfirmAssign(first, f"u{ada.id}"),
    }
    home, screen = await boss.home()
    nonce = next(data for data in screen.buttons.values() if data)[1:9]
    await town.handle(boss.press(encode(acts[forged], nonce), home))
    assert await wallet(ada) == (2000 if forged == "right" else 0)
    assert (await wallet(ben), await town.one("SELECT count(*) FROM payments.refunds")) == (0, 0)


@pytest.mark.parametrize("what", ["assign", "refund"])
async def test_a_process_that_dies_at_any_step_of_a_confirm_decides_once(town: Town, what: str) -> None:
    boss, ada = await boss_of(town), await town.person()
    for steps in range(40):
        before = await wallet(ada)
        if what == "assign":
            await boss.town.handle(boss.press(encode(Go(f"receipt:{await stray(town)}"), "whatever"), 1))
            await boss.presses("A wallet")
            await boss.says(str(ada.id))
        else:
            await boss.town.handle(boss.press(encode(Go(f"inv:{await paid_by(ada, steps)}"), "whatever"), 1))
            await boss.presses("Refund in full")
        await boss.says("because")
        item = await boss.button("Confirm")
        died = False
        town.plug.rest(steps)
        try:
            await town.handle(item)
        except Killed:
            died = True
        await town.restart()
        await town.handle(item)
        assert await wallet(ada) - before == (2000 if what == "assign" else 1500)
        assert "given back" in await shown(boss) or "Credited to the wallet" in await shown(boss)
        if not died:
            return
    raise AssertionError("it never ends")


async def paid_by(person: Person, number: int) -> int:
    """An invoice paid with money from elsewhere."""
    from viralcore.ledger.api import Entry, house_account, user_account

    town = person.town
    legs = (Entry(user_account(person.id, "wallet"), 1500), Entry(house_account("fees"), -1500))
    async with town.db.transaction() as tx:
        await town.doors.ledger.post(tx, key=f"b{number}", kind="adjustment", entries=legs, description="test")
    invoice = await town.doors.boosts.buy(key=f"buy{number}", user_id=person.id, plan_id="t3", quantity=10)
    await town.doors.payments.pay_from_wallet(key=f"pay{number}", user_id=person.id, invoice_id=invoice.id)
    return invoice.id

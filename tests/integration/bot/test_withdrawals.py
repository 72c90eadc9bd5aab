"""Taking money out, through the real dispatcher: bad input, restarts, forged presses, two staff at once, and every way
a request may end as staff decide it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from sqlalchemy import text

from tests.integration.bot.town import ADMINS, OWNER, Person, Town
from tests.support.clock import FakeClock
from tests.support.withdrawals import FakePayouts
from viralcore.core.db import Database
from viralcore.core.effect_runner import EffectRunner
from viralcore.core.registry import Registry
from viralcore.core.screen import Action, encode
from viralcore.core.workers import Worker
from viralcore.texts.actions import Go
from viralcore.texts.withdrawal_actions import (
    CARDS,
    ApproveWithdrawal,
    AskOwnerAgain,
    AskSwitch,
    CancelWithdrawal,
    CannotPay,
    ConfirmSwitch,
    ConfirmTerms,
    ConfirmWithdrawal,
    ForgetAccount,
    GiveBack,
    LookAgain,
    MarkPaid,
    PayByHand,
    RejectWithdrawal,
    ShowAccount,
    WithdrawTo,
)

SECOND = 1001
NUMBER = "0123456781"
CARD = "c" * 8


@pytest.fixture
async def town(database: Database, clock: FakeClock, registry: Registry) -> AsyncIterator[Town]:
    here = await Town(database, clock, registry).start()
    await here.withdrawals.parts.banks.refresh()
    await here.doors.users.ensure_owners([OWNER, SECOND])
    yield here
    await here.stop()


def bank(town: Town) -> FakePayouts:
    found = town.withdrawals.payouts
    assert isinstance(found, FakePayouts)
    return found


async def work(town: Town) -> None:
    """Whatever is to be asked of the bank, or sent to it."""
    runner = EffectRunner(town.db, Worker())
    query = text(
        "SELECT id, gen FROM core.effects WHERE state IN ('queued', 'answered') AND due IS NULL"
        " AND kind LIKE 'withdrawals.%' ORDER BY id"
    )
    while True:
        await runner.release_due()
        async with town.db.read() as conn:
            rows = [(row.id, row.gen) for row in await conn.execute(query)]
        if not rows:
            return
        await asyncio.gather(*(runner.run(number, gen) for number, gen in rows))


async def shown(person: Person) -> str:
    return (await person.home())[1].text


async def acts(person: Person, action: Action) -> str:
    """Press something that may not stand there, with the nonce of the home; the screen afterwards."""
    number, screen = await person.home()
    nonce = next(data[1:9] for data in screen.buttons.values() if data)
    await person.town.handle(person.press(encode(action, nonce), number))
    return await shown(person)


async def looks(person: Person, route: str) -> str:
    return await acts(person, Go(route))


async def on_card(person: Person, action: Action, *, nonce: str = CARD) -> str:
    """Press a button of a card in the admin group; the answer to the press, or the question that follows it."""
    town = person.town
    toasts, said = len(town.phone.toasts), len(town.phone.chats.get(ADMINS, {}))
    await town.handle(person.press(encode(action, nonce), 500, ADMINS))
    told = list(town.phone.chats.get(ADMINS, {}).values())[said:]
    return "\n".join([*town.phone.toasts[toasts:], *(message.text for message in told)])


async def says_in_group(person: Person, words: str) -> str:
    said = len(person.town.phone.chats.get(ADMINS, {}))
    line = person.line if words.startswith("/") else person.reply
    await person.town.handle(line(words, ADMINS))
    return "\n".join(message.text for message in list(person.town.phone.chats.get(ADMINS, {}).values())[said:])


async def rich(town: Town, cents: int = 4000) -> Person:
    person = await town.person()
    await person.gets_money(cents, "affiliate")
    return person


async def staff(town: Town, user_id: int = OWNER) -> Person:
    boss = Person(town, user_id)
    await boss.says("/start")
    await boss.presses("I agree")
    await boss.says("/admin")
    return boss


async def checked(person: Person, amount: str = "20", number: str = NUMBER) -> str:
    """As far as the bank's answer."""
    for words in ("/withdraw", amount, "access"):
        await person.says(words)
    await person.presses("Access Bank")
    await person.says(number)
    assert "Checking the account" in await shown(person)
    await work(person.town)
    check = await person.town.one("SELECT max(id) FROM withdrawals.checks WHERE user_id = :id", id=person.id)
    return await looks(person, f"wcheck:{check}")


async def requested(person: Person, amount: str = "20") -> int:
    assert "Please check this withdrawal" in await checked(person, amount)
    await person.presses("Confirm")
    assert "waits for approval" in await shown(person)
    return int(await person.town.one("SELECT max(id) FROM withdrawals.requests WHERE user_id = :id", id=person.id))


async def state(town: Town, number: int) -> str:
    return str(await town.one("SELECT state FROM withdrawals.requests WHERE id = :id", id=number))


async def free(person: Person) -> int:
    found = await person.town.doors.ledger.balances(user_id=person.id)
    return sum(one.available for one in found if one.account.name == "affiliate")


async def refusals(town: Town) -> int:
    return int(await town.one("SELECT count(*) FROM users.audit_log WHERE action = 'refused'"))


# --- asking ----------------------------------------------------------------------------------------------------------

AMOUNTS = {
    "all of it": "above zero",
    "-5": "above zero",
    "0": "above zero",
    "1,5": "above zero",
    "12.345": "above zero",
    "9" * 30: "above zero",
    "0.10": "The smallest withdrawal is $0.67 (that is ₦1,000)",
    "1,200": "The largest withdrawal is $500.00 at a time",
    "450": "You have $400.00 to withdraw",
}


async def test_an_amount_that_cannot_be_is_said_and_asked_again(town: Town) -> None:
    ada = await rich(town, 40_000)
    await ada.says("/withdraw")
    assert "You have <b>$400.00</b>, about ₦600,000 at ₦1,500 per dollar" in await shown(ada)
    for typed, words in AMOUNTS.items():
        await ada.says(typed)
        assert words in await shown(ada), typed
        assert "How much?" in await shown(ada), typed
    await town.restart()
    await ada.says("$20.50")
    assert "$20.50</b> (₦30,750)" in await shown(ada)
    assert await free(ada) == 40_000


async def test_an_account_that_cannot_be_is_said_and_asked_again(town: Town) -> None:
    ada = await rich(town)
    bank(town).holders["0000000000"] = ""
    await ada.says("/withdraw")
    await ada.presses("50%")
    assert "To which bank account?" in await shown(ada)
    await ada.says(NUMBER)
    assert "Send the name of the bank first" in await shown(ada)
    await ada.says("Hogwarts Savings")
    assert "No bank is called <i>Hogwarts Savings</i>" in await shown(ada)
    await ada.says("acces")
    assert "Which of these is your bank?" in await shown(ada)
    await looks(ada, "withdraw:affiliate:2000:987654")
    assert "not on the list" in await shown(ada)
    await town.restart()
    await ada.says("acces")
    await ada.presses("Access Bank")
    for typed, words in (("123456789", "9 digits"), ("12345678901", "11 digits"), ("my account", "no account number")):
        await ada.says(typed)
        assert words in await shown(ada), typed
    await town.restart()
    await ada.says("0000 000 000")
    await work(town)
    assert "knows no account" in await looks(ada, "wcheck:1")
    bank(town).down = lambda: True
    await checked(ada, "20", "0123456789")
    for _ in range(3):
        town.clock.advance(10)
        await work(town)
    assert "does not answer" in await looks(ada, "wcheck:2")
    assert await free(ada) == 4000
    assert int(await town.one("SELECT count(*) FROM withdrawals.requests")) == 0


async def test_a_number_that_is_handled_twice_is_asked_about_once(town: Town) -> None:
    ada = await rich(town)
    for words in ("/withdraw", "20", "access"):
        await ada.says(words)
    await ada.presses("Access Bank")
    line = ada.line(NUMBER)
    await town.handle(line)
    await town.restart()
    await town.handle(line)
    assert "Checking the account" in await shown(ada)
    assert int(await town.one("SELECT count(*) FROM withdrawals.checks")) == 1
    await work(town)
    await looks(ada, "wcheck:1")
    press = await ada.button("Confirm")
    await town.handle(press)
    await town.restart()
    await town.handle(press)
    assert int(await town.one("SELECT count(*) FROM withdrawals.requests")) == 1
    assert await free(ada) == 2000


async def test_one_at_a_time_and_a_used_or_old_answer_asks_for_nothing(town: Town) -> None:
    ada = await rich(town)
    number = await requested(ada)
    await ada.says("/withdraw")
    assert f"withdrawal #{number} is still open" in await shown(ada)
    for route in ("withdraw:affiliate:1000", "withdraw:affiliate:1000:1"):
        assert "is still open" in await looks(ada, route)
    assert "is still open" in await acts(ada, WithdrawTo("affiliate", 1000, 1))
    assert "was asked for as withdrawal" in await looks(ada, "wcheck:1")
    assert "used already" in await acts(ada, ConfirmWithdrawal(1))
    await looks(ada, f"wcancel:{number}")
    await ada.presses("Confirm")
    assert "cancelled, the money is back" in await shown(ada)
    assert await free(ada) == 4000
    await checked(ada)
    town.clock.advance(31 * 60)
    await town.money.parts.pricing.refresh()
    assert "This took too long" in await looks(ada, "wcheck:2")
    assert "too old" in await acts(ada, ConfirmWithdrawal(2))
    assert await free(ada) == 4000


async def test_what_is_somebody_elses_is_not_found(town: Town) -> None:
    ada, eve = await rich(town), await rich(town)
    number = await requested(ada)
    await eve.says("/balance")
    for route in (f"withdrawal:{number}", f"wcancel:{number}", "wcheck:1"):
        assert "not found" in await looks(eve, route), route
    await eve.says("/balance")
    forged: tuple[Action, ...] = (
        CancelWithdrawal(number),
        ConfirmTerms(number, "1500"),
        ConfirmWithdrawal(1),
        WithdrawTo("affiliate", 1000, 1),
        ForgetAccount(1),
    )
    for action in forged:
        assert "not found" in await acts(eve, action), action
    for nonsense in ("withdraw:gold", "withdraw:affiliate:x", "withdraw:affiliate:1:2:3", "withdrawals:x"):
        assert "Hello" in await looks(eve, nonsense), nonsense
    assert "Hello" in await acts(eve, ConfirmTerms(number, "NaN"))
    assert await state(town, number) == "pending"


async def test_paused_or_without_a_rate_nothing_is_asked(town: Town) -> None:
    ada, boss = await rich(town), await staff(town)
    await ada.says("/withdraw")
    town.naira = None
    await ada.says("20")
    assert "no naira rate" in await shown(ada)
    town.naira = Decimal(1500)
    await switch(boss, "paused", "true")
    await ada.says("/withdraw")
    assert "paused" in await shown(ada)
    assert "paused" in await looks(ada, "withdraw:affiliate:2000")


async def test_saved_accounts_are_offered_and_forgotten(town: Town) -> None:
    ada = await rich(town)
    number = await requested(ada)
    await acts(ada, CancelWithdrawal(number))
    await looks(ada, "withdraw:affiliate:1000")
    await ada.presses("****6781, ADA OBI")
    assert "Checking the account" in await shown(ada)
    await looks(ada, "accounts")
    await ada.presses("Forget Access Bank")
    assert "none yet" in await shown(ada)
    assert "send the name of your bank" not in await looks(ada, "withdraw:affiliate:1000")


# --- deciding --------------------------------------------------------------------------------------------------------


async def test_who_is_no_staff_may_press_nothing(town: Town) -> None:
    ada, eve = await rich(town), await town.person()
    number = await requested(ada)
    before = await refusals(town)
    for kind in CARDS:
        action = kind(number, 0) if kind is ApproveWithdrawal else kind(number)
        assert "not allowed" in await on_card(eve, action), kind
    for route in ("payouts", "queue:waiting", f"payout:{number}", f"payout:{number}:show", "payout_stats:7"):
        assert "not allowed" in await looks(eve, route), route
        await eve.says("/balance")
    for forged in (AskSwitch("mode", "manual"), ConfirmSwitch("paused", "true")):
        assert "not allowed" in await acts(eve, forged)
        await eve.says("/balance")
    assert await refusals(town) == before + len(CARDS) + 7
    assert await state(town, number) == "pending"
    assert not any(NUMBER in toast for toast in town.phone.toasts)


async def test_a_closed_session_is_said_and_opened_again(town: Town) -> None:
    ada, boss = await rich(town), await staff(town)
    number = await requested(ada)
    town.clock.advance(61 * 60)
    for action in (ApproveWithdrawal(number, 0), RejectWithdrawal(number), ShowAccount(number), LookAgain(number)):
        assert "/admin" in await on_card(boss, action), action
    assert "session is open" in await says_in_group(boss, "/admin")
    revealed = await on_card(boss, ShowAccount(number))
    assert NUMBER in revealed
    assert "Access Bank" in revealed
    await says_in_group(boss, "/admin")
    assert "will be sent" in await on_card(boss, ApproveWithdrawal(number, 0))
    assert await state(town, number) == "processing"
    assert int(await town.one("SELECT count(*) FROM users.audit_log WHERE action = 'withdrawals.reveal'")) == 1


async def test_nobody_decides_about_their_own(town: Town) -> None:
    boss = await staff(town)
    await boss.gets_money(4000, "affiliate")
    number = await requested(boss)
    for action in (ApproveWithdrawal(number, 0), RejectWithdrawal(number)):
        assert "your own withdrawal" in await on_card(boss, action), action
    assert await state(town, number) == "pending"


async def test_of_two_at_once_one_decides_and_the_other_hears_who_was_faster(town: Town) -> None:
    ada, boss, second = await rich(town), await staff(town), await staff(town, SECOND)
    number = await requested(ada)
    answers = await asyncio.gather(
        on_card(boss, ApproveWithdrawal(number, 0)), on_card(second, ApproveWithdrawal(number, 0))
    )
    assert sum("was faster" in answer for answer in answers) >= 1
    assert int(await town.one("SELECT count(*) FROM withdrawals.approvals")) == 1
    # asked of the table: the words of two presses at one moment cannot be told apart
    first = int(await town.one("SELECT actor FROM withdrawals.approvals"))
    winner, loser = (boss, second) if first == boss.id else (second, boss)
    assert "Ada was faster" in await on_card(loser, RejectWithdrawal(number))
    assert "You have decided that already" in await on_card(winner, RejectWithdrawal(number))
    assert "was faster" not in await on_card(winner, ApproveWithdrawal(number, 0)), "a double tap is one press"
    assert len(bank(town).sent) == 0
    await work(town)
    assert bank(town).sent == [f"vc-w{number}-a1"]


async def test_two_approvers_where_they_are_wanted(town: Town) -> None:
    ada, boss, second = await rich(town, 40_000), await staff(town), await staff(town, SECOND)
    number = await requested(ada, "300")
    assert "Somebody else has to give the second" in await on_card(boss, ApproveWithdrawal(number, 0))
    assert "approved this one already" in await on_card(boss, ApproveWithdrawal(number, 1))
    assert "will be sent" in await on_card(second, ApproveWithdrawal(number, 1))


async def test_a_reason_is_asked_for_and_reaches_its_reader(town: Town) -> None:
    ada, boss = await rich(town), await staff(town)
    number = await requested(ada)
    assert "Why is withdrawal" in await on_card(boss, RejectWithdrawal(number))
    await town.restart()
    assert "is rejected" in await says_in_group(boss, "Look at https://example.com/rules <first>")
    text_ = await looks(ada, f"withdrawal:{number}")
    assert "Look at https://example.com/rules &lt;first&gt;" in text_
    assert "$40.00" in await looks(ada, "withdraw:affiliate")
    assert await free(ada) == 4000


async def switch(boss: Person, what: str, value: str) -> None:
    await acts(boss, AskSwitch(what, value))
    await boss.says("the bank is slow today")
    assert "the bank is slow today" in await shown(boss)
    await boss.presses("Confirm")


async def test_by_hand_it_is_paid_with_a_reference_or_given_back(town: Town) -> None:
    ada, boss = await rich(town), await staff(town)
    await switch(boss, "mode", "manual")
    assert "Payouts: by hand" in await shown(boss)
    number = await requested(ada)
    assert "Pay it by hand" in await on_card(boss, ApproveWithdrawal(number, 0))
    assert "Our team pays it by hand" in await looks(ada, f"withdrawal:{number}")
    assert "What is the reference" in await on_card(boss, MarkPaid(number))
    assert "is paid. The person is told" in await says_in_group(boss, "GTB/2026/77")
    assert "GTB/2026/77" in await looks(ada, f"withdrawal:{number}")
    assert bank(town).sent == []
    other = await requested(ada)
    assert "Pay it by hand" in await on_card(boss, ApproveWithdrawal(other, 0), nonce="d" * 8)
    assert "Why can withdrawal" in await on_card(boss, CannotPay(other))
    assert "closed without payment" in await says_in_group(boss, "the account is closed")
    assert "Our team could not pay it. <b>$20.00</b> is back" in await looks(ada, f"withdrawal:{other}")
    assert await free(ada) == 2000
    audited = "SELECT count(*) FROM users.audit_log WHERE action = 'withdrawals.mode' AND reason LIKE '%slow today'"
    assert int(await town.one(audited)) == 1


async def test_what_cannot_be_sent_is_paid_by_hand_or_asked_about_again(town: Town) -> None:
    """The bank does not accept us: the panel says why, and finance pays; a day later its owner is asked first."""
    ada, boss = await rich(town), await staff(town)
    number = await requested(ada)
    bank(town).fault = lambda reference: "config"
    await on_card(boss, ApproveWithdrawal(number, 0))
    await work(town)
    assert "does not accept our key" in await looks(boss, "payouts")
    assert "Nothing of it has left" in await looks(boss, f"payout:{number}")
    assert "Why does one of us pay" in await on_card(boss, PayByHand(number))
    assert "yours to pay by hand" in await says_in_group(boss, "the key is being renewed")
    assert await state(town, number) == "approved"
    town.clock.advance(24 * 3600)
    await says_in_group(boss, "/admin")
    assert "Its terms no longer hold: they are too old" in await looks(boss, f"payout:{number}")
    assert "Has nobody paid" in await on_card(boss, AskOwnerAgain(number))
    assert "waits for the person" in await says_in_group(boss, "nobody paid it")
    assert await state(town, number) == "pending"
    assert bank(town).book == {}


async def test_a_lost_answer_is_honest_and_ended_by_somebody_who_knows(town: Town) -> None:
    ada, boss = await rich(town), await staff(town)
    number = await requested(ada)
    bank(town).fault = lambda reference: "lost"
    bank(town).hidden.add(f"vc-w{number}-a1")
    await on_card(boss, ApproveWithdrawal(number, 0))
    await work(town)
    assert await state(town, number) == "unconfirmed"
    assert "It may have arrived already" in await looks(ada, f"withdrawal:{number}")
    assert f"#{number}" in await looks(boss, "queue:unconfirmed")
    for _ in range(2):
        assert "The bank is asked" in await on_card(boss, LookAgain(number))
    assert int(await town.one("SELECT count(*) FROM core.effects WHERE key LIKE '%now:u%'")) == 2
    assert "may still arrive" in await give_back(boss, number)
    assert "bank's reference, a space, and how" in await on_card(boss, MarkPaid(number))
    assert "Send both in one line" in await says_in_group(boss, "7001")
    assert "is paid" in await says_in_group(boss, "7001 it stands in their dashboard as successful")
    assert await state(town, number) == "completed"


async def give_back(boss: Person, number: int) -> str:
    assert "How do you know" in await on_card(boss, GiveBack(number))
    return await says_in_group(boss, "it is not in their dashboard")


async def test_new_terms_are_confirmed_before_anybody_approves(town: Town) -> None:
    ada, boss = await rich(town), await staff(town)
    number = await requested(ada)
    town.naira = Decimal(1600)
    assert "asked to confirm the new ones first" in await on_card(boss, ApproveWithdrawal(number, 0))
    assert "please confirm the new terms" in await looks(ada, f"withdrawal:{number}")
    assert "₦31,989.25</b> at ₦1,600" in await shown(ada)
    assert "Look at the new terms" in await acts(ada, ConfirmTerms(number, "1500"))
    await looks(ada, f"withdrawal:{number}")
    await ada.presses("Confirm")
    assert "waits for approval" in await shown(ada)
    assert "will be sent" in await on_card(boss, ApproveWithdrawal(number, 0), nonce="d" * 8)  # on the newer card
    await work(town)
    assert bank(town).book[f"vc-w{number}-a1"].amount.minor == 3_198_925


# --- the panel -------------------------------------------------------------------------------------------------------


async def test_the_panel_shows_the_queue_and_what_is_in_it(town: Town) -> None:
    ada, ben, boss = await rich(town), await rich(town), await staff(town)
    first, later = await requested(ada), await requested(ben)
    await boss.says("/admin")
    await boss.presses("Withdrawals (2)", "Waiting (2)")
    assert (await shown(boss)).index(f"#{first}<") < (await shown(boss)).index(f"#{later}<")
    await boss.presses(f"#{first}")
    assert "******6781" in await shown(boss)
    await boss.presses("Show account")
    assert f"<code>{NUMBER}</code>" in await shown(boss)
    await boss.presses("Approve")
    assert "with the bank" in await shown(boss)
    await acts(boss, RejectWithdrawal(first))
    assert "You have decided that already" in await shown(boss)
    await work(town)
    bank(town).decide(f"vc-w{first}-a1", "successful")
    await acts(boss, LookAgain(first))
    await work(town)
    assert "✅ paid at" in await looks(boss, f"payout:{first}")
    assert "Nothing here" in await looks(boss, "queue:unconfirmed")
    assert f"#{first}" in await looks(boss, "queue:completed")
    town.clock.advance(60)
    assert "arrived: <b>1</b>" in await looks(boss, "payout_stats:7")
    for nonsense in ("queue:gold", "payout:x", f"payout:{first}:x", "payout_stats:8"):
        assert "Hello" in await looks(boss, nonsense), nonsense


async def test_a_switch_needs_its_reason_and_the_screen_that_asked(town: Town) -> None:
    boss = await staff(town)
    await acts(boss, ConfirmSwitch("paused", "true"))
    assert "Paused" not in await shown(boss)
    await acts(boss, AskSwitch("paused", "true"))
    await boss.says("because")
    await acts(boss, ConfirmSwitch("mode", "manual"))
    assert "Payouts: automatic" in await shown(boss)
    await switch(boss, "paused", "true")
    assert "Paused" in await shown(boss)
    await switch(boss, "paused", "false")
    assert "Paused" not in await shown(boss)
    assert "Hello" in await acts(boss, AskSwitch("gold", "true"))

"""Topping up, paying the rest, moving affiliate money and looking back at invoices, through the real Application."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from tests.integration.bot.town import Message, Person, Town
from tests.integration.payments.shop import OURS, PAYER, USDT, raw
from tests.support.clock import FakeClock
from viralcore.core.db import Database
from viralcore.core.registry import Registry
from viralcore.ledger.api import user_account
from viralcore.payments.domain.chain import Movement
from viralcore.sandbox.telegram.markup import parse_html

WRONG = ("9.999", "ten", "-5", "0", "0.99", "5000.01", "99999999", "1,5", "<b>5</b>", "\x00", "1e3")


@pytest.fixture
async def town(database: Database, clock: FakeClock, registry: Registry) -> AsyncIterator[Town]:
    here = await Town(database, clock, registry).start()
    yield here
    await here.stop()


async def _shown(person: Person) -> Message:
    _, shown = await person.home()
    parse_html(shown.text)
    assert shown.buttons, shown.text
    return shown


async def _sees(person: Person, *words: str) -> Message:
    shown = await _shown(person)
    assert not [each for each in words if each not in shown.text], shown.text
    return shown


async def _sends(town: Town, person: Person, amount: str = "", *, final: bool = True) -> str:
    """Money arrives: the amount on the payment screen, or another one whose hash is pasted."""
    text = (await _shown(person)).text
    found = re.search(r"<code>([0-9.]+)</code>", text)
    assert found, text
    sent = town.chain.mine(Movement(0, USDT, PAYER, OURS.lower(), raw(amount or found[1])), final=final)
    if amount:
        claim = await town.doors.payments.submit_hash(key=sent, user_id=person.id, text=sent)
        await town.money.parts.claiming.check(claim.id)
    else:
        await town.money.parts.watcher.run()
    return sent


async def _buys(person: Person, quantity: int = 10) -> int:
    await person.says(f"/buy t3 {quantity}")
    return int(await person.town.one("SELECT max(id) FROM payments.invoices WHERE user_id = :id", id=person.id))


async def test_a_preset_becomes_an_invoice_that_crypto_pays(town: Town) -> None:
    ada = await town.person()
    await ada.says("/balance")
    await ada.presses("Top up")
    shown = await _sees(ada, "How much do you want to add", "$1.00 to $5,000.00")
    assert {"$5", "$10", "$25", "$50", "$100"} <= set(shown.buttons)
    await ada.presses("$25")
    shown = await _sees(ada, "Wallet top-up", "Total: $25.00")
    assert not any("Wallet" in label for label in shown.buttons), "the wallet cannot top itself up"
    await ada.presses("Crypto", "USDT", "BSC")
    await _sends(town, ada)
    invoice = await town.one("SELECT max(id) FROM payments.invoices WHERE user_id = :id", id=ada.id)
    await ada.says("/history")
    await _sees(ada, f"#{invoice} Wallet top-up, $25.00, ✅ paid", "+$25.00")
    await ada.presses("All invoices", f"#{invoice}")
    await _sees(ada, "$25.00 is in your wallet", "How it was paid", "1 USDT = $1.00")


async def test_an_own_amount_is_read_strictly_and_the_question_stays_open(town: Town) -> None:
    ada = await town.person()
    await ada.says("/balance")
    await ada.presses("Top up", "Other amount")
    for text in WRONG:
        await ada.says(text)
        await _sees(ada, "from $1.00 to $5,000.00")
        assert town.bot.dialogues.asked(ada.id, ada.id), text
    await ada.says("$12.5")
    await _sees(ada, "Wallet top-up", "Total: $12.50")
    assert not town.bot.dialogues.asked(ada.id, ada.id)
    assert await town.one("SELECT count(*) FROM payments.invoices") == 1


async def test_a_forged_amount_is_refused_in_words(town: Town) -> None:
    ada = await town.person()
    await ada.gets_money(500, "affiliate")
    for data, words in (
        ("topup|1", "from $1.00"), ("topup|-500", "from $1.00"), ("topup|999999999999", "$5,000.00"),
        ("move|501", "cannot be moved"), ("move|0", "Send an amount"), ("move|-1", "Send an amount"),
        ("go|move:501", "cannot be moved"), ("go|move:0", "Hello"), ("go|move:x", "Hello"), ("go|invoices:zz", "Hello"),
        ("go|invoices:paid:zz", "Hello"), ("go|slip:99999", "not found"), ("go|details:99999", "not found"),
        ("igiveup|99999", "not found"), ("go|icancel:99999", "not found"),
    ):  # fmt: skip
        await ada.says("/menu")
        number, shown = await ada.home()
        nonce = next(iter(shown.buttons.values()))[1:9]
        await town.handle(ada.press(f"A{nonce}{data}", number))
        await _sees(ada, words)
    assert await town.one("SELECT count(*) FROM payments.invoices") == 0
    assert (await town.doors.ledger.balance(account=user_account(ada.id, "affiliate"))).balance == 500


async def test_a_fourth_invoice_offers_to_cancel_one(town: Town) -> None:
    ada = await town.person()
    for _ in range(3):
        await _buys(ada)
    await ada.says("/balance")
    await ada.presses("Open invoices (3)")
    shown = await _sees(ada, "Open invoices")
    assert sum("🧾 #" in label for label in shown.buttons) == 3
    await ada.says("/balance")
    await ada.presses("Top up", "$10")
    await _sees(ada, "3 unpaid invoices", "then top up again")
    await ada.presses("✖️ Cancel #")
    await _sees(ada, "was cancelled")
    await ada.says("/balance")
    await ada.presses("Top up", "$10")
    await _sees(ada, "Total: $10.00")


async def test_a_wallet_that_is_short_offers_what_is_missing(town: Town) -> None:
    ada = await town.person()
    await ada.gets_money(325)
    bought = await _buys(ada)
    await ada.presses("Wallet ($3.25)")
    await _sees(ada, f"does not cover invoice #{bought}", "$3.25", "$15.00", "Nothing was taken")
    await ada.presses("Top up $11.75")
    await _sees(ada, "Total: $11.75")
    await ada.presses("Crypto", "USDT", "BSC")
    await _sends(town, ada)
    topup = await town.one("SELECT max(id) FROM payments.invoices WHERE user_id = :id", id=ada.id)
    await ada.says("/history")
    await ada.presses("All invoices", f"#{topup}", f"Pay invoice #{bought}", "Wallet ($15.00)")
    await _sees(ada, "Paid", "10 posts are ready", "$15.00 from your wallet")


async def test_at_least_the_smallest_top_up_is_offered(town: Town) -> None:
    ada = await town.person()
    await ada.gets_money(1490)
    await _buys(ada)
    await ada.presses("Wallet ($14.90)", "Top up $1.00")
    await _sees(ada, "Total: $1.00")


async def test_affiliate_money_is_moved_by_share_or_by_hand(town: Town) -> None:
    ada = await town.person()
    await ada.says("/balance")
    assert not any("Move" in label for label in (await _shown(ada)).buttons)
    await ada.gets_money(1234, "affiliate")
    await ada.says("/balance")
    await _sees(ada, "Affiliate balance: <b>$12.34</b>")
    await ada.presses("Move to wallet", "50% ($6.17)")
    await _sees(ada, "Move <b>$6.17</b>", "$6.17 stays")
    await ada.presses("Cancel")
    await _sees(ada, "Affiliate balance: <b>$12.34</b>")
    await ada.presses("50%")
    confirm = await ada.button("Confirm")
    await town.handle(confirm)
    await _sees(ada, "$6.17 was moved", "<b>$6.17</b>")
    await town.handle(confirm)  # a double tap
    await ada.says("/balance")
    await ada.presses("Move to wallet", "Other amount")
    for text in ("6.18", "0", "nothing", "6.999"):
        await ada.says(text)
        assert town.bot.dialogues.asked(ada.id, ada.id), text
    await _sees(ada, "from $0.01 to $6.17")
    await ada.says("6.17")
    await _sees(ada, "Nothing stays where it is")
    await ada.presses("Confirm")
    await ada.says("/balance")
    await _sees(ada, "Wallet: <b>$12.34</b>", "of which bonus, spent first: $12.34")
    await ada.says("/history")
    await _sees(ada, "moved from the affiliate balance to the wallet")


async def test_a_short_payment_and_its_rest(town: Town) -> None:
    ada = await town.person()
    invoice = await _buys(ada)
    await ada.presses("Crypto", "USDT", "BSC")
    await _sends(town, ada, "13.6")
    await ada.says("/orders")
    await ada.presses(f"Pay invoice #{invoice}")
    await _sees(ada, "$13.60 has arrived and waits in your wallet. <b>$1.40</b> is still to be paid")
    await ada.presses("Crypto", "USDT", "BSC")
    await _sees(ada, "<code>1.40", "is still to be paid")
    await _sends(town, ada)
    await ada.says("/orders")
    await ada.says("/history")
    await ada.presses("All invoices", f"#{invoice}")
    shown = await _sees(ada, "Paid", "10 posts are ready", "worth $13.60", "worth $1.40")
    assert {"📋 Copy hash 1", "📋 Copy hash 2"} <= set(shown.buttons)


async def test_a_rest_asked_for_before_the_wallet_was_spent_is_asked_anew(town: Town) -> None:
    ada = await town.person()
    invoice = await _buys(ada)
    await ada.presses("Crypto", "USDT", "BSC")
    await _sends(town, ada, "13.6")
    await ada.says("/orders")
    await ada.presses(f"Pay invoice #{invoice}", "Crypto", "USDT", "BSC")
    await _sees(ada, "$1.40")
    await ada.says("/buy t1 10")
    await ada.presses("Wallet ($13.60)")
    await ada.says("/orders")
    await ada.presses(f"Pay invoice #{invoice}")
    shown = await _sees(ada, "$5.00 of it you have spent since", "<b>$6.40</b> is still to be paid")
    assert not any("Continue payment" in label for label in shown.buttons), "that amount no longer covers it"
    await ada.presses("Crypto", "USDT", "BSC")
    await _sees(ada, "<b>$6.40</b> is still to be paid")
    await _sends(town, ada)
    assert await town.one("SELECT state FROM payments.invoices WHERE id = :id", id=invoice) == "paid"


async def test_an_invoice_is_cancelled_at_once_unless_money_may_be_coming(town: Town) -> None:
    ada = await town.person()
    state = "SELECT state FROM payments.invoices WHERE id = :id"
    plain = await _buys(ada)
    await ada.presses("Cancel")
    assert await town.one(state, id=plain) == "cancelled"

    seen = await _buys(ada)
    await ada.presses("Crypto", "USDT", "BSC")
    await _sends(town, ada, final=False)
    for _ in range(2):
        await ada.says("/orders")
        await ada.presses(f"Pay invoice #{seen}", "✖️ Cancel")
        await _sees(ada, f"Cancel invoice #{seen}", "We see a payment for it")
        assert await town.one(state, id=seen) == "open"
    await ada.presses("Cancel")
    await _sees(ada, f"Invoice #{seen}", "How do you want to pay?")
    await ada.says("/cancel")
    await _sees(ada, f"Cancel invoice #{seen}")
    await ada.presses("Confirm")
    await _sees(ada, "This invoice was cancelled")
    assert await town.one(state, id=seen) == "cancelled"
    town.chain.finalize()
    await town.money.parts.watcher.run()
    await ada.says("/balance")
    await _sees(ada, "Wallet: <b>$15.00</b>")


async def test_the_list_is_paged_and_filtered(town: Town) -> None:
    ada = await town.person()
    for _ in range(22):
        await _buys(ada)
        await ada.says("/cancel")
    paid = await _buys(ada)
    await ada.gets_money(1500)
    await ada.says("/orders")
    await ada.presses(f"Pay invoice #{paid}", "Wallet ($15.00)")
    await ada.says("/history")
    await ada.presses("All invoices")
    shown = await _sees(ada, "Invoices", f"#{paid}")
    assert sum(line.count("#") for line in shown.text.splitlines()) == 20
    await ada.presses("Older")
    shown = await _shown(ada)
    assert shown.text.count("#") == 3
    await ada.presses("Paid")
    shown = await _sees(ada, "Paid invoices", f"#{paid}")
    assert shown.text.count("#") == 1
    await ada.presses("Closed")
    assert (await _shown(ada)).text.count("cancelled") == 20
    await ada.presses("• Closed", "Older")
    assert (await _shown(ada)).text.count("cancelled") == 2


async def test_a_receipt_is_a_picture_that_stays_in_the_chat(town: Town) -> None:
    ada = await town.person()
    await ada.gets_money(1500)
    invoice = await _buys(ada)
    await ada.presses("Wallet ($15.00)", "Receipt")
    number, shown = await ada.home()
    assert shown.photo
    assert f"Receipt for invoice #{invoice}" in shown.text
    await ada.presses("Back")
    after, shown = await ada.home()
    assert after != number
    assert not shown.photo
    await _sees(ada, "10 posts are ready", "$15.00 from your wallet")
    assert town.phone.chats[ada.id][number].photo, "it was not drawn over"


async def test_there_is_no_receipt_for_what_is_not_paid_and_none_for_others(town: Town) -> None:
    ada, bola = await town.person(), await town.person()
    invoice = await _buys(ada)
    for person, words in ((ada, "it is not paid"), (bola, "not found")):
        await person.says("/menu")
        number, shown = await person.home()
        nonce = next(iter(shown.buttons.values()))[1:9]
        await town.handle(person.press(f"A{nonce}go|slip:{invoice}", number))
        await _sees(person, words)


async def test_a_blocked_person_tops_up_nothing(town: Town) -> None:
    ada = await town.person()
    await ada.says("/balance")
    await ada.presses("Top up")
    press = await ada.button("$25")
    await town.doors.users.open_session(key="s", actor=1000)
    await town.doors.users.block(key="b", actor=1000, kind="user", value=str(ada.id), reason="test")
    await town.handle(press)
    await _sees(ada, "blocked")
    assert await town.one("SELECT count(*) FROM payments.invoices") == 0

"""Naira by bank transfer: exact, short, over, late, twice, to the wrong name, in the wrong currency, and in silence."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.integration.payments.shop import FakeBank, Shop, settings
from tests.support.clock import FakeClock
from viralcore.core.db import Database
from viralcore.core.effects import Succeeded, Unknown
from viralcore.core.registry import Registry
from viralcore.payments.api import AccountView, InvoiceClosed, InvoiceView, MethodUnavailable, QuoteView
from viralcore.payments.ports import NoAccount


@pytest.fixture
def shop(banked: Shop) -> Shop:
    return banked


def quote(invoice: InvoiceView) -> QuoteView:
    assert invoice.quote is not None
    return invoice.quote


def account(invoice: InvoiceView) -> AccountView:
    found = quote(invoice).account
    assert found is not None
    return found


async def charges(shop: Shop) -> list[Any]:
    async with shop.db.read() as conn:
        return list(await conn.execute(text("SELECT * FROM payments.charges ORDER BY id")))


async def test_an_account_is_asked_for_and_shown(shop: Shop) -> None:
    invoice = await shop.choose(await shop.open(), "bank:NGN")
    assert (quote(invoice).method, account(invoice).state) == ("bank:NGN", "asking")
    assert quote(invoice).amount == Decimal("24000.00")  # 15 dollars at 1,500 and 100 on top
    await shop.ask_bank()
    invoice = await shop.see(invoice)
    assert account(invoice) == AccountView("open", number="0000000001", bank="Mock Bank", reference="vc-c1")
    assert shop.bank.asked_for == [
        {
            "reference": "vc-c1",
            "amount_raw": 2_400_000,
            "email": "7@customers.viralcore.example",
            "seconds": 80 * 60,
        }
    ]
    (told,) = await shop.events("account_decided")
    assert (told["user_id"], told["invoice_id"], told["state"]) == (7, invoice.id, "open")


async def test_the_same_method_again_is_the_same_account(shop: Shop) -> None:
    invoice = await shop.by_bank()
    await shop.choose(invoice, "bsc:USDT")
    again = await shop.choose_bank(invoice)
    assert account(again).number == account(invoice).number
    assert len(await charges(shop)) == 1


async def test_two_people_may_be_asked_for_one_amount(shop: Shop) -> None:
    one, two = await shop.by_bank(7), await shop.by_bank(8)
    assert quote(one).amount == quote(two).amount
    shop.bank.pay(account(two).number, quote(two).amount)
    await shop.tick(31)
    assert ((await shop.see(one)).state, (await shop.see(two)).state) == ("open", "paid")
    await shop.sound()


async def test_the_exact_amount_buys_when_a_webhook_tells_of_it(shop: Shop) -> None:
    invoice = await shop.by_bank()
    paid = shop.bank.pay(account(invoice).number, "24000")
    assert await shop.told(paid) is None
    seen = await shop.see(invoice)
    assert (seen.state, seen.paid_with, seen.received.minor, seen.notes) == ("paid", "bank:NGN", 1500, ())
    assert (await shop.credits(), await shop.wallet(), await shop.house("revenue")) == (10, 0, 1500)
    (told,) = await shop.events("deposit_confirmed")
    assert (told["network"], told["asset"], told["amount"]) == ("bank", "NGN", "24000.00")
    assert (told["outcome"], told["usd"]) == ("exact", 1500)
    (receipt,) = await shop.door.receipts()
    assert (receipt.network, receipt.hash, receipt.position, receipt.reference) == ("bank", paid.id, 0, "vc-c1")
    assert (receipt.amount, receipt.state) == (Decimal("24000.00"), "credited")
    await shop.sound()


async def test_polling_finds_it_without_any_webhook(shop: Shop) -> None:
    invoice = await shop.by_bank()
    shop.bank.pay(account(invoice).number, "24000")
    await shop.tick(29)
    assert (await shop.see(invoice)).state == "open"
    await shop.tick(1)
    assert (await shop.see(invoice)).state == "paid"
    calls = shop.bank.calls
    await shop.tick(3600)
    assert shop.bank.calls == calls  # after the money only one last look
    await shop.sound()


async def test_a_bank_fee_is_shown_and_not_credited_twice(shop: Shop) -> None:
    shop.bank.fee_raw = 10_000
    invoice = await shop.by_bank()
    assert quote(invoice).amount == Decimal("24100.00")
    await shop.told(shop.bank.pay(account(invoice).number, "24000"))
    assert (await shop.see(invoice)).state == "paid"


@pytest.mark.parametrize(
    ("paid", "state", "wallet", "outcome", "tolerance"),
    [
        ("23888.00", "paid", 0, "tolerated", -7),
        ("23887.99", "open", 1492, "shortfall", 0),
        ("100", "open", 6, "shortfall", 0),
        ("24016", "paid", 1, "excess", 0),
        ("48000", "paid", 1500, "excess", 0),
        ("24000.01", "paid", 0, "exact", 0),
    ],
)
async def test_short_and_over(shop: Shop, paid: str, state: str, wallet: int, outcome: str, tolerance: int) -> None:
    invoice = await shop.by_bank()
    await shop.told(shop.bank.pay(account(invoice).number, paid))
    assert ((await shop.see(invoice)).state, await shop.wallet()) == (state, wallet)
    assert [event["outcome"] for event in await shop.events("deposit_confirmed")] == [outcome]
    assert await shop.house("tolerance") == tolerance
    await shop.sound()


async def test_less_than_a_cent_is_in_the_books_as_naira(shop: Shop) -> None:
    invoice = await shop.by_bank()
    await shop.told(shop.bank.pay(account(invoice).number, "1"))
    assert ((await shop.see(invoice)).state, await shop.wallet()) == ("open", 0)
    assert await shop.house("fx", "NGN") == 100
    await shop.sound()


async def test_short_then_the_rest_on_another_account(shop: Shop) -> None:
    invoice = await shop.by_bank()
    await shop.told(shop.bank.pay(account(invoice).number, "16000"))
    short = await shop.see(invoice)
    assert (short.state, short.quote, short.received.minor, await shop.wallet()) == ("open", None, 1000, 1000)
    rest = await shop.choose_bank(invoice)
    assert (quote(rest).amount, account(rest).reference) == (Decimal("8000.00"), "vc-c2")
    await shop.told(shop.bank.pay(account(rest).number, "8000"))
    assert ((await shop.see(invoice)).state, await shop.wallet(), await shop.credits()) == ("paid", 0, 10)
    await shop.sound()


async def test_the_rest_on_the_first_account_counts_too(shop: Shop) -> None:
    """Whoever was short pays again where they paid before: it is theirs, and buys as soon as it is enough."""
    invoice = await shop.by_bank()
    number = account(invoice).number
    await shop.told(shop.bank.pay(number, "16000"))
    await shop.told(shop.bank.pay(number, "8000"))
    assert await shop.wallet() == 1500
    await shop.door.pay_from_wallet(key="w", user_id=7, invoice_id=invoice.id)
    assert ((await shop.see(invoice)).state, await shop.wallet()) == ("paid", 0)
    await shop.sound()


async def test_paid_twice_the_second_is_in_the_wallet(shop: Shop) -> None:
    invoice = await shop.by_bank()
    for _ in range(2):
        await shop.told(shop.bank.pay(account(invoice).number, "24000"))
    assert ((await shop.see(invoice)).state, await shop.wallet(), await shop.credits()) == ("paid", 1500, 10)
    await shop.sound()


@pytest.mark.parametrize("listed", [True, False])
async def test_paid_in_two_parts_and_told_of_none_of_them(shop: Shop, listed: bool) -> None:
    """By reference the API tells the newest alone; without its list the other one needs its webhook."""
    shop.bank.unlisted = not listed
    invoice = await shop.by_bank()
    first = shop.bank.pay(account(invoice).number, "16000")
    shop.bank.pay(account(invoice).number, "24000")
    await shop.tick(30)
    assert ((await shop.see(invoice)).state, await shop.wallet()) == ("paid", 1000 if listed else 0)
    await shop.told(first)
    assert await shop.wallet() == 1000
    await shop.sound()


async def test_late_money_counts_at_the_rate_of_its_moment(shop: Shop) -> None:
    invoice = await shop.by_bank()
    shop.fx.per_usd = Decimal(1900)
    await shop.tick(25 * 60)
    assert (await shop.see(invoice)).state == "expired"
    shop.clock.advance(3600)
    await shop.parts.exchange.refresh()
    await shop.told(shop.bank.pay(account(invoice).number, "24000"))
    seen = await shop.see(invoice)
    assert (seen.state, await shop.wallet(), seen.notes) == ("expired", 1200, ("late",))
    await shop.told(shop.bank.pay(account(invoice).number, "30000"))
    assert ((await shop.see(invoice)).state, await shop.wallet()) == ("paid", 1200)
    await shop.sound()


async def test_sent_in_time_and_seen_late_counts_as_in_time(shop: Shop) -> None:
    invoice = await shop.by_bank()
    shop.clock.advance(19 * 60)
    paid = shop.bank.pay(account(invoice).number, "24000")
    shop.fx.per_usd = Decimal(3000)
    await shop.tick(3600)
    await shop.told(paid)
    assert (await shop.see(invoice)).state == "paid"
    await shop.sound()


async def test_money_for_a_cancelled_invoice_is_in_the_wallet(shop: Shop) -> None:
    invoice = await shop.by_bank()
    await shop.door.cancel_invoice(key="c", user_id=7, invoice_id=invoice.id)
    shop.bank.pay(account(invoice).number, "24000")
    await shop.tick(60)
    assert ((await shop.see(invoice)).state, await shop.wallet()) == ("cancelled", 1500)
    await shop.sound()


async def test_a_name_nobody_gave_is_kept_for_finance(shop: Shop) -> None:
    paid = shop.bank.pay("PSA-y04qd5as2dhcjrpo", "1600")
    await shop.told(paid)
    await shop.told(paid)
    (receipt,) = await shop.door.receipts()
    assert (receipt.state, receipt.usd and receipt.usd.minor, receipt.reference) == ("suspense", 100, paid.reference)
    (told,) = await shop.events("stray_money")
    assert (told["reference"], told["reason"], told["asset"]) == (paid.reference, "unknown_reference", "NGN")
    await shop.sound()


@pytest.mark.parametrize("currency", ["GHS", "USD", "XAF", "ngn"])
async def test_another_currency_is_never_taken_for_naira(shop: Shop, currency: str) -> None:
    invoice = await shop.by_bank()
    await shop.told(shop.bank.pay(account(invoice).number, "24000", currency=currency))
    assert ((await shop.see(invoice)).state, await shop.wallet()) == ("open", 0)
    (receipt,) = await shop.door.receipts()
    assert (receipt.state, receipt.asset, receipt.usd and receipt.usd.minor) == ("suspense", currency, 0)
    (told,) = await shop.events("stray_money")
    assert (told["reason"], told["amount"]) == ("currency", "24000")
    await shop.sound()


async def test_money_from_before_the_account_is_not_taken_for_it(shop: Shop) -> None:
    """Another database may have asked the same bank under the same names before."""
    invoice = await shop.by_bank()
    old = shop.bank.pay(account(invoice).number, "24000", at=shop.clock.now() - timedelta(days=3))
    await shop.told(old)
    assert (await shop.see(invoice)).state == "open"
    assert [told["reason"] for told in await shop.events("stray_money")] == ["too_old"]
    await shop.sound()


async def test_what_the_api_does_not_confirm_is_never_credited_and_asked_again(shop: Shop) -> None:
    invoice = await shop.by_bank()
    paid = shop.bank.pay(account(invoice).number, "24000")
    shop.bank.hide.add(paid.id)
    assert await shop.told(paid) == (30, "not_found")
    shop.bank.hide.clear()
    shop.bank.pending.add(paid.id)
    assert await shop.told(paid) == (30, "pending")
    shop.bank.pending.clear()
    shop.bank.down = True
    assert await shop.told(paid) == (30, "server_error")
    await shop.tick(600)
    assert (await shop.see(invoice)).state == "open"
    assert await shop.count("receipts") == 0
    shop.bank.down = False
    await shop.tick(40)
    assert (await shop.see(invoice)).state == "paid"


async def test_waits_grow_and_end_with_a_word_to_staff(shop: Shop) -> None:
    paid = shop.bank.pay("vc-c9", "1")
    shop.bank.hide.add(paid.id)
    payload = {"id": paid.id, "reference": "vc-c9", "since": shop.clock.now().isoformat(), "once": False}
    waits = []
    for _ in range(12):
        said = await shop.parts.naira.watcher.check(payload)
        assert said is not None
        waits.append(said[0])
        shop.clock.advance(said[0])
    assert waits == [30, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600]
    shop.clock.advance(72 * 3600)
    assert await shop.parts.naira.watcher.check(payload) is None
    assert [told["what"] for told in await shop.events("bank_trouble")] == ["unconfirmed"]


async def test_a_failed_payment_is_no_money(shop: Shop) -> None:
    invoice = await shop.by_bank()
    paid = shop.bank.pay(account(invoice).number, "24000")
    shop.bank.failed.add(paid.id)
    assert await shop.told(paid) is None
    assert (await shop.see(invoice)).state == "open"
    assert await shop.count("receipts") == 0


async def test_the_api_says_whose_it_is_not_the_webhook(shop: Shop) -> None:
    mine, theirs = await shop.by_bank(7), await shop.by_bank(8)
    paid = shop.bank.pay(account(theirs).number, "24000")
    await shop.told(paid, reference=account(mine).reference)
    assert ((await shop.see(mine)).state, (await shop.see(theirs)).state) == ("open", "paid")


async def test_no_rate_no_quote_and_money_waits(shop: Shop) -> None:
    invoice = await shop.by_bank()
    other = await shop.open(8)
    shop.fx.silent = True
    await shop.tick(49 * 3600)
    assert "bank:NGN" not in {method.code for method in await shop.door.methods()}
    fresh = await shop.open(9)
    with pytest.raises(MethodUnavailable) as refused:
        await shop.choose(fresh, "bank:NGN")
    assert refused.value.fields["reason"] == "rate"
    assert (await shop.see(other)).state == "expired"
    paid = shop.bank.pay(account(invoice).number, "24000")
    assert await shop.told(paid) == (30, "price")
    assert await shop.count("receipts") == 0
    shop.fx.silent = False
    await shop.tick(600)
    assert await shop.told(paid) is None
    assert (await shop.see(invoice)).state == "paid"
    assert [told["reason"] for told in await shop.events("prices_stopped") if told["coin"] == "NGN"] == ["stale", "ok"]


@pytest.mark.parametrize(
    ("said", "reason", "trouble"),
    [
        (NoAccount("down", "breaker_open"), "down", []),
        (NoAccount("silent", "read_timeout"), "silent", []),
        (NoAccount("refused", "amount too small"), "refused", ["refused"]),
        (NoAccount("config", "Invalid authorization key"), "config", ["config"]),
    ],
)
async def test_no_account_says_why_and_another_can_be_asked_for(
    shop: Shop, said: NoAccount, reason: str, trouble: list[str]
) -> None:
    shop.bank.refuses = said
    invoice = await shop.by_bank()
    assert (account(invoice).state, account(invoice).reason) == ("failed", reason)
    assert [told["what"] for told in await shop.events("bank_trouble")] == trouble
    shop.bank.refuses = None
    again = await shop.choose_bank(invoice)
    assert (account(again).state, account(again).reference) == ("open", "vc-c2")
    assert quote(again).amount == quote(invoice).amount
    await shop.told(shop.bank.pay(account(again).number, "24000"))
    assert (await shop.see(invoice)).state == "paid"
    await shop.sound()


async def test_money_to_an_account_whose_answer_was_lost_is_credited(shop: Shop) -> None:
    shop.bank.refuses = NoAccount("silent", "read_timeout")
    invoice = await shop.by_bank()
    await shop.told(shop.bank.pay("vc-c1", "24000"))
    assert (await shop.see(invoice)).state == "paid"
    await shop.sound()


async def test_an_account_that_takes_no_more_money_is_not_shown(shop: Shop) -> None:
    invoice = await shop.by_bank()
    async with shop.db.transaction() as tx:
        soon = {"at": tx.now + timedelta(minutes=5)}
        await tx.conn.execute(text("UPDATE payments.charges SET expires_at = :at"), soon)
    shop.clock.advance(5 * 60)
    assert (account(await shop.see(invoice)).state, account(await shop.see(invoice)).reason) == ("failed", "expired")
    assert account(await shop.choose_bank(invoice)).reference == "vc-c2"


async def test_an_invoice_that_ended_is_not_asked_an_account_for(shop: Shop) -> None:
    invoice = await shop.choose(await shop.open(), "bank:NGN")
    shop.clock.advance(20 * 60)
    await shop.ask_bank()
    assert (account(await shop.see(invoice)).reason, shop.bank.asked_for) == ("closed", [])
    with pytest.raises(InvoiceClosed):
        await shop.choose(invoice, "bank:NGN")


async def test_what_is_not_offered_is_refused(database: Database, clock: FakeClock, registry: Registry) -> None:
    shop = await Shop(database, clock, registry, config=settings(by_bank=True, bank__enabled=False)).start()
    invoice = await shop.open()
    for method, reason in (("bank:NGN", "switched_off"), ("bank:manual", "switched_off"), ("bank:GHS", "unknown")):
        with pytest.raises(MethodUnavailable) as refused:
            await shop.choose(invoice, method)
        assert refused.value.fields["reason"] == reason


async def test_i_have_paid_asks_now_and_often(shop: Shop) -> None:
    invoice = await shop.by_bank()
    await shop.tick(600)
    seen = await shop.door.look_for_transfer(key="p", user_id=7, invoice_id=invoice.id)
    assert account(seen).looking
    for key in ("q", "r"):
        await shop.door.look_for_transfer(key=key, user_id=7, invoice_id=invoice.id)
    async with shop.db.read() as conn:
        rows = await conn.execute(text("SELECT key, payload FROM core.effects WHERE kind = 'payments.bank_verify'"))
        (asked,) = list(rows)
    assert (asked.payload["reference"], asked.payload["once"]) == ("vc-c1", True)
    assert await shop.parts.naira.watcher.check(asked.payload) is None  # not there: the job goes on
    shop.bank.pay(account(invoice).number, "24000")
    await shop.tick(30)
    assert (await shop.see(invoice)).state == "paid"


async def test_polls_grow_apart_and_end_a_day_after_the_invoice(shop: Shop) -> None:
    invoice = await shop.by_bank()
    calls = shop.bank.calls
    for _ in range(26 * 6):
        await shop.tick(600)
    asked = shop.bank.calls - calls
    assert 24 <= asked <= 36
    (charge,) = await charges(shop)
    assert charge.poll_due is None
    await shop.tick(86400)
    assert shop.bank.calls - calls == asked
    await shop.told(shop.bank.pay(account(invoice).number, "24000"))  # a webhook still counts
    assert (await shop.see(invoice)).state == "paid"


async def test_a_run_asks_about_a_bounded_number_of_accounts(shop: Shop) -> None:
    for user in range(1, 31):
        await shop.by_bank(user)
    calls = shop.bank.calls
    await shop.tick(30)
    assert shop.bank.calls - calls == 20
    await shop.tick(10)
    assert shop.bank.calls - calls == 30


async def test_webhook_and_poll_and_presses_at_once_credit_once(
    database: Database, clock: FakeClock, registry: Registry
) -> None:
    bank = FakeBank(clock)
    one = await Shop(database, clock, registry, bank=bank, config=settings(by_bank=True)).start()
    two = await Shop(database, clock, registry, bank=bank, config=settings(by_bank=True)).start()
    invoices = [await one.by_bank(user) for user in range(1, 9)]
    paid = [bank.pay(account(invoice).number, "24000") for invoice in invoices]
    clock.advance(30)
    await asyncio.gather(
        *(shop.told(each) for shop in (one, two) for each in paid),
        one.parts.naira.watcher.poll(),
        two.parts.naira.watcher.poll(),
    )
    assert [(await one.see(invoice)).state for invoice in invoices] == ["paid"] * 8
    assert await one.count("receipts") == 8
    assert len(await one.events("deposit_confirmed")) == 8
    await one.sound()


async def test_a_crash_inside_the_crediting_transaction_leaves_nothing_behind(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Die before each statement of it in turn, then once let it live."""
    invoice = await shop.by_bank()
    paid = shop.bank.pay(account(invoice).number, "24000")
    whole = AsyncConnection.execute

    def dying_at(which: int) -> Any:
        calls = 0

        async def execute(self: Any, *args: Any, **named: Any) -> Any:
            nonlocal calls
            calls += "payments" in str(args[0]) or "ledger" in str(args[0])
            if calls == which:
                raise KeyboardInterrupt
            return await whole(self, *args, **named)

        return execute

    die_at = 0
    while True:
        die_at += 1
        monkeypatch.setattr(AsyncConnection, "execute", dying_at(die_at))
        try:
            await shop.parts.naira.crediting.settle(paid)
        except KeyboardInterrupt:
            monkeypatch.undo()
            assert await shop.count("receipts") == 0
            assert ((await shop.see(invoice)).state, await shop.wallet()) == ("open", 0)
            assert await shop.house("fx", "NGN") == 0
            continue
        monkeypatch.undo()
        break
    assert die_at > 8
    assert ((await shop.see(invoice)).state, await shop.credits(), await shop.count("receipts")) == ("paid", 10, 1)
    await shop.sound()


async def test_a_crash_between_the_banks_answer_and_its_record(shop: Shop) -> None:
    """The runner takes a call somebody died in for silence: nobody saw the number. What is paid to it is credited."""
    invoice = await shop.choose(await shop.open(), "bank:NGN")
    (charge,) = await charges(shop)
    assert isinstance(await shop.parts.naira.charging.request(charge.id), Succeeded)
    async with shop.db.transaction() as tx:
        await shop.parts.naira.charging.record(tx, charge.id, Unknown("crashed"))
    assert account(await shop.see(invoice)).reason == "silent"
    async with shop.db.transaction() as tx:  # a late record changes nothing
        await shop.parts.naira.charging.record(tx, charge.id, Succeeded({"number": "1"}))
    await shop.told(shop.bank.pay("vc-c1", "24000"))
    assert (await shop.see(invoice)).state == "paid"
    await shop.sound()


async def test_a_charge_is_decided_once_by_the_database_too(shop: Shop) -> None:
    await shop.by_bank()
    for change in ("state = 'failed', account_number = ''", "quote_id = quote_id + 1"):
        with pytest.raises(Exception, match=r"decided once|foreign key"):
            async with shop.db.transaction() as tx:
                await tx.conn.execute(text(f"UPDATE payments.charges SET {change}"))

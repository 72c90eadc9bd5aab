"""Stray money is given to somebody once, by who may, and everybody who pasted its hash gets an answer."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from sqlalchemy import text

from tests.integration.payments.office import ADA, BEN, BOSS, CLERK, HELPER, Office
from tests.integration.payments.test_races import quietly
from tests.support.clock import FakeClock
from viralcore.core.db import Database
from viralcore.core.errors import KeyReused, NotFound
from viralcore.core.registry import Registry
from viralcore.payments.api import BadHash, CannotAssign, HashUsed, ReceiptTaken, StaffReceiptView
from viralcore.users.api import NotAllowed, NotYourself, SessionExpired


@pytest.fixture
async def office(database: Database, clock: FakeClock, registry: Registry) -> Office:
    return await Office(database, clock, registry).start()


async def test_stray_money_goes_to_a_wallet_with_a_reason(office: Office) -> None:
    receipt = await office.stray("20.5")
    given = await office.give_wallet(receipt)
    assert (given.receipt.state, given.receipt.user_id, given.receipt.invoice_id) == ("credited", ADA, None)
    assert (given.outcome, given.assigned_by, given.credited_at) == ("assigned", CLERK, office.clock.now())
    assert (await office.wallet(ADA), await office.house("suspense")) == (2050, 0)
    (told,) = await office.events("receipt_assigned")
    assert (told["user_id"], told["invoice_id"], told["usd"], told["actor"]) == (ADA, None, 2050, CLERK)
    (line,) = await office.audit("payment.assigned")
    assert (line["actor"], line["subject"], line["reason"]) == (CLERK, f"receipt:{receipt}", "she wrote to us")
    assert await office.events("deposit_confirmed") == []
    await office.sound()


async def test_stray_money_pays_an_open_invoice_that_asked_in_another_coin(office: Office) -> None:
    invoice = await office.quoted(ADA, "bsc:BNB")
    receipt = await office.stray("20")
    given = await office.give_invoice(receipt, invoice.id)
    assert (given.outcome, given.receipt.invoice_id) == ("excess", invoice.id)
    paid = await office.see(invoice)
    assert (paid.state, paid.paid_with) == ("paid", "bsc:USDT")
    assert (await office.credits(ADA), await office.wallet(ADA)) == (10, 500)
    (told,) = await office.events("deposit_confirmed")
    assert (told["usd"], told["to_wallet"], told["outcome"]) == (2000, 500, "excess")
    await office.sound()


async def test_an_expired_invoice_is_paid_late_when_it_is_covered(office: Office) -> None:
    invoice = await office.open(ADA)
    receipt = await office.stray("14.99")
    await office.tick(21 * 60)
    given = await office.give_invoice(receipt, invoice.id)
    assert (given.outcome, (await office.see(invoice)).state, await office.credits(ADA)) == ("late", "paid", 10)
    await office.sound()


@pytest.mark.parametrize(("end", "outcome"), [("cancelled", "late"), ("paid", "excess"), ("short", "shortfall")])
async def test_what_an_invoice_does_not_need_goes_to_its_owner(office: Office, end: str, outcome: str) -> None:
    invoice = await office.open(ADA)
    receipt = await office.stray("12" if end == "short" else "15")
    if end == "cancelled":
        await office.door.cancel_invoice(key="c", user_id=ADA, invoice_id=invoice.id)
    elif end == "paid":
        await office.give(ADA, 1500)
        await office.door.pay_from_wallet(key="p", user_id=ADA, invoice_id=invoice.id)
    assert (await office.give_invoice(receipt, invoice.id)).outcome == outcome
    assert await office.wallet(ADA) == (1200 if end == "short" else 1500)
    await office.sound()


async def test_the_rest_of_a_short_payment_may_be_assigned(office: Office) -> None:
    invoice = await office.quoted(ADA)
    await office.paste(ADA, office.send("14"), invoice.id)
    receipt = await office.stray("1")
    await office.give_invoice(receipt, invoice.id)
    assert ((await office.see(invoice)).state, await office.wallet(ADA)) == ("paid", 0)
    await office.sound()


async def test_it_counts_at_the_rate_of_the_crediting_moment(office: Office) -> None:
    receipt = await office.stray("0.5", "BNB")
    assert await office.house("suspense") == 30000
    office.coingecko.quotes["binancecoin"] = office.binance.quotes["BNBUSDT"] = Decimal(500)
    await office.tick(301)
    await office.give_wallet(receipt)
    assert (await office.wallet(ADA), await office.house("suspense")) == (25000, 0)
    await office.sound()


# who may


@pytest.mark.parametrize(
    ("actor", "refusal"), [(ADA, NotAllowed), (BEN, NotAllowed), (HELPER, NotAllowed), (404, NotAllowed)]
)
async def test_nobody_without_the_right_assigns(office: Office, actor: int, refusal: type[Exception]) -> None:
    receipt = await office.stray()
    with pytest.raises(refusal):
        await office.give_wallet(receipt, actor=actor)
    invoice = await office.open(ADA)
    with pytest.raises(refusal):
        await office.give_invoice(receipt, invoice.id, actor=actor)
    assert (await office.house("suspense"), await office.wallet(ADA)) == (2000, 0)


async def test_an_expired_session_assigns_nothing(office: Office) -> None:
    receipt = await office.stray()
    await office.tick(61 * 60)
    with pytest.raises(SessionExpired):
        await office.give_wallet(receipt)
    await office.sessions()
    await office.give_wallet(receipt)


async def test_nobody_decides_that_money_is_their_own(office: Office) -> None:
    receipt = await office.stray()
    with pytest.raises(NotYourself):
        await office.give_wallet(receipt, CLERK)
    invoice = await office.open(BOSS)
    with pytest.raises(NotYourself):
        await office.give_invoice(receipt, invoice.id, actor=BOSS)
    assert await office.house("suspense") == 2000


async def test_a_blocked_person_still_gets_their_money(office: Office) -> None:
    receipt = await office.stray()
    await office.people.block(key="b", actor=0, kind="user", value=str(ADA), reason="rude")
    await office.give_wallet(receipt)
    assert await office.wallet(ADA) == 2000


async def test_what_is_not_there_is_not_found(office: Office) -> None:
    receipt = await office.stray()
    for call in (office.give_wallet(404), office.give_wallet(receipt, 404404), office.give_invoice(receipt, 404)):
        with pytest.raises(NotFound):
            await call
    with pytest.raises(ValueError, match="reason"):
        await office.give_wallet(receipt, reason="  ")
    assert await office.house("suspense") == 2000


# once


async def test_a_second_decision_is_told_who_was_first(office: Office) -> None:
    receipt = await office.stray()
    await office.give_wallet(receipt, ADA)
    with pytest.raises(ReceiptTaken) as refused:
        await office.give_wallet(receipt, BEN, actor=BOSS)
    assert (refused.value.fields["user_id"], refused.value.fields["by"]) == (ADA, CLERK)
    assert await office.wallet(BEN) == 0


async def test_one_key_is_one_decision(office: Office) -> None:
    receipt = await office.stray()
    said = await asyncio.gather(*(office.give_wallet(receipt, key="one") for _ in range(8)))
    assert {each.receipt.user_id for each in said} == {ADA}
    with pytest.raises(KeyReused):
        await office.give_wallet(receipt, BEN, key="one")
    assert (await office.wallet(ADA), len(await office.audit("payment.assigned"))) == (2000, 1)


async def test_two_admins_at_once_are_one_decision(office: Office) -> None:
    receipt = await office.stray()
    invoice = await office.open(BEN)
    said = await quietly(
        *(office.give_wallet(receipt, ADA, actor=CLERK) for _ in range(5)),
        *(office.give_invoice(receipt, invoice.id, actor=BOSS) for _ in range(5)),
    )
    assert sum(isinstance(each, StaffReceiptView) for each in said) == 1
    assert all(isinstance(each, StaffReceiptView | ReceiptTaken) for each in said)
    assert await office.wallet(ADA) + await office.wallet(BEN) in (2000, 500)
    assert len(await office.events("receipt_assigned")) == 1
    await office.sound()


@pytest.mark.parametrize("order", [0, 1])
async def test_a_paste_and_an_assignment_at_once_credit_once(office: Office, order: int) -> None:
    """The hash explains the money at the moment somebody in finance gives it to another person."""
    invoice = await office.quoted(BEN)
    sent = office.send("14.99")
    await office.watch()
    receipt = (await office.door.finance.strays())[0].receipt.id
    things = [office.paste(BEN, sent, invoice.id), office.give_wallet(receipt, ADA)]
    await quietly(*(things if order else reversed(things)))
    for claim in range(1, await office.count("claims") + 1):
        await office.parts.claiming.check(claim)
    one = (await office.door.receipts())[0]
    assert one.state == "credited"
    assert await office.wallet(ADA) == (1499 if one.user_id == ADA else 0)
    assert (await office.see(invoice)).state == ("open" if one.user_id == ADA else "paid")
    await office.sound()


# claims


async def test_everybody_who_pasted_it_is_answered(office: Office) -> None:
    sent = office.send("20")
    await office.watch()
    mine, theirs = await office.paste(ADA, sent), await office.paste(BEN, sent)
    assert {mine.state, theirs.state} == {"suspense"}
    seen = await office.door.finance.receipt(receipt_id=1)
    assert seen.pasted_by == (ADA, BEN)
    await office.give_wallet(1, ADA)
    mine = await office.door.get_claim(user_id=ADA, claim_id=mine.id)
    theirs = await office.door.get_claim(user_id=BEN, claim_id=theirs.id)
    assert (mine.state, mine.credited.minor if mine.credited else 0) == ("credited", 2000)
    assert (theirs.state, theirs.reason) == ("refused", "used")
    for user, yours in ((ADA, True), (BEN, False)):
        with pytest.raises(HashUsed) as used:
            await office.paste(user, sent)
        assert used.value.fields["yours"] is yours


async def test_a_claim_waits_while_another_part_of_its_transaction_does(office: Office) -> None:
    from tests.integration.payments.shop import OURS, PAYER, USDT, raw
    from viralcore.payments.domain.chain import NATIVE, Movement

    sent = office.chain.mine(
        Movement(0, NATIVE, PAYER, OURS.lower(), raw("0.1")),
        Movement(3, USDT, PAYER, OURS.lower(), raw("20")),
    )
    await office.watch()
    theirs = await office.paste(BEN, sent)
    await office.give_wallet(1, ADA)
    assert (await office.door.get_claim(user_id=BEN, claim_id=theirs.id)).state == "suspense"
    await office.give_wallet(2, BEN)
    assert (await office.door.get_claim(user_id=BEN, claim_id=theirs.id)).state == "credited"
    await office.sound()


async def test_candidates_are_invoices_near_it_nearest_first(office: Office) -> None:
    near, nearer = await office.quoted(ADA), await office.quoted(BEN, price="1.52")
    await office.quoted(9, quantity=100)
    await office.quoted(10, "bsc:BNB")
    gone = await office.quoted(11, price="1.51")
    await office.give(11, 1510)
    await office.door.pay_from_wallet(key="w", user_id=11, invoice_id=gone.id)
    await office.tick(21 * 60)
    seen = await office.door.finance.receipt(receipt_id=await office.stray("15.3"))
    assert [each.invoice_id for each in seen.candidates] == [nearer.id, near.id]
    assert {each.state for each in seen.candidates} == {"expired"}


# what cannot be credited


async def test_money_without_a_price_waits_and_says_so(office: Office) -> None:
    receipt = await office.stray("0.5", "BNB")
    office.binance.quotes["BNBUSDT"] = Decimal(100)
    await office.tick(301)
    with pytest.raises(CannotAssign) as refused:
        await office.give_wallet(receipt)
    assert refused.value.fields["reason"] == "price"
    assert (await office.door.finance.receipt(receipt_id=receipt)).receipt.state == "suspense"


async def test_what_is_worth_less_than_a_cent_is_explained(office: Office) -> None:
    receipt = await office.stray("0.001")
    invoice = await office.open(ADA)
    for call in (office.give_wallet(receipt), office.give_invoice(receipt, invoice.id)):
        with pytest.raises(CannotAssign) as refused:
            await call
        assert refused.value.fields["reason"] == "dust"


async def test_what_was_worth_nothing_may_be_worth_something_later(office: Office) -> None:
    receipt = await office.stray("0.00001", "BNB")
    office.coingecko.quotes["binancecoin"] = office.binance.quotes["BNBUSDT"] = Decimal(6000)
    await office.tick(301)
    await office.give_wallet(receipt)
    assert await office.wallet(ADA) == 6
    await office.sound()


# crashes


class Died(BaseException):
    """The process is gone."""


STEPS = ("lock_claims_on", "credit_receipt", "decide_claim")


@pytest.mark.parametrize("target", ["wallet", "invoice"])
@pytest.mark.parametrize("step", [*STEPS, "post", "audit", "record"])
async def test_a_death_before_any_step_leaves_nothing_and_the_press_is_handled_again(
    office: Office, monkeypatch: pytest.MonkeyPatch, step: str, target: str
) -> None:
    from viralcore.core import db
    from viralcore.payments.repository import money

    invoice = await office.open(ADA)
    sent = office.send("15")
    await office.watch()
    await office.paste(BEN, sent)

    async def act() -> StaffReceiptView:
        if target == "wallet":
            return await office.give_wallet(1, key="one")
        return await office.give_invoice(1, invoice.id, key="one")

    def dies(*_: object, **__: object) -> None:
        raise Died

    where: object = money if step in STEPS else {"post": office.ledger, "audit": office.people, "record": db.Tx}[step]
    with monkeypatch.context() as patch:
        patch.setattr(where, step, dies)
        with pytest.raises(Died):
            await act()
    assert (await office.house("suspense"), await office.wallet(ADA), await office.credits(ADA)) == (1500, 0, 0)
    assert await office.audit("payment.assigned") == []
    assert (await office.see(invoice)).state == "open"
    await act()
    await act()
    assert await office.wallet(ADA) == (1500 if target == "wallet" else 0)
    assert (await office.see(invoice)).state == ("open" if target == "wallet" else "paid")
    assert len(await office.events("receipt_assigned")) == 1
    await office.sound()


# owners


async def test_owners_hear_once_of_much_money_and_once_of_money_that_lies(office: Office) -> None:
    small, large = await office.stray("49.99"), await office.stray("50")
    await office.stray("0.001")
    await office.tick(30)
    await office.tick(30)
    assert [(e["receipt_id"], e["why"], e["usd"]) for e in await office.events("stray_needs_owner")] == [
        (large, "large", 5000)
    ]
    jobs = {job.name: job for job in office.module.jobs}
    due = await jobs["payments.strays"].next_due()  # type: ignore[misc]
    assert due is not None
    assert 23.9 * 3600 < (due - office.clock.now()).total_seconds() <= 24 * 3600
    await office.sessions()
    await office.give_wallet(large)
    await office.tick(24 * 3600)
    await office.tick(24 * 3600)
    told = {(e["receipt_id"], e["why"]) for e in await office.events("stray_needs_owner")}
    assert told == {(large, "large"), (small, "old")}
    assert len(await office.events("stray_needs_owner")) == 2


async def test_two_watches_at_once_tell_it_once(office: Office) -> None:
    for _ in range(5):
        await office.stray("60")
    job = next(job for job in office.module.jobs if job.name == "payments.strays")
    await asyncio.gather(*(job.run() for _ in range(6)))
    assert len(await office.events("stray_needs_owner")) == 5


# lists


async def test_lists_are_paged_and_filtered(office: Office) -> None:
    for amount in range(1, 26):
        office.send(str(amount))
    await office.watch()
    finance = office.door.finance
    first = await finance.strays()
    rest = await finance.strays(after_id=first[-1].receipt.id)
    assert [len(first), len(rest), await finance.stray_count()] == [20, 5, 25]
    assert [one.receipt.id for one in (*first, *rest)] == list(range(1, 26))
    invoice = await office.quoted(ADA)
    assert invoice.quote is not None
    office.send(invoice.quote.amount)
    await office.watch()
    again = await office.open(ADA)
    await office.give(ADA, 1500)
    await office.door.pay_from_wallet(key="w", user_id=ADA, invoice_id=again.id)
    await office.give_invoice(3, again.id)
    newest = await finance.list_receipts(limit=3)
    assert [one.receipt.id for one in newest] == [26, 25, 24]
    assert [one.receipt.id for one in await finance.list_receipts(before_id=24, limit=2)] == [23, 22]
    assert [one.receipt.id for one in await finance.list_receipts(which="excess")] == [3]
    assert len(await finance.list_receipts(which="suspense", limit=100)) == 24
    assert await finance.list_receipts(which="late") == ()


async def test_the_database_wants_to_know_who_gave_money_away_without_an_invoice(office: Office) -> None:
    from sqlalchemy.exc import DBAPIError

    await office.stray()
    with pytest.raises(DBAPIError, match="receipts_credited"):
        async with office.db.transaction() as tx:
            await tx.conn.execute(
                text("UPDATE payments.receipts SET state = 'credited', user_id = 7, credited_at = seen_at")
            )


async def test_garbage_is_still_garbage(office: Office) -> None:
    with pytest.raises(BadHash):
        await office.paste(ADA, "the money is mine")

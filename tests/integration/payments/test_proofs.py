"""Manual bank mode: photographed receipts, decided once by somebody who may, and never by the payer."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from sqlalchemy import text

from tests.integration.payments.shop import Shop, settings
from tests.integration.payments.test_races import quietly
from tests.support.clock import FakeClock
from viralcore.core.db import Database
from viralcore.core.errors import DomainError, NotFound
from viralcore.core.registry import Registry
from viralcore.payments.api import (
    InvoiceView,
    MethodUnavailable,
    NoProofWanted,
    OwnReceipt,
    ProofClosed,
    ProofView,
)
from viralcore.users.api import NotAllowed

MANUAL = {
    "bank__manual": True,
    "bank__manual_account_number": "0123456789",
    "bank__manual_bank_name": "GTBank",
    "bank__manual_account_name": "Viral Ltd",
}


@pytest.fixture
async def shop(database: Database, clock: FakeClock, registry: Registry) -> Shop:
    return await Shop(database, clock, registry, config=settings(**MANUAL)).start()


async def asked(shop: Shop, user: int = 7) -> InvoiceView:
    return await shop.choose(await shop.open(user), "bank:manual")


async def send(shop: Shop, invoice: InvoiceView, photo: str = "AgAC") -> ProofView:
    return await shop.door.submit_proof(key=shop.key(), user_id=invoice.user_id, invoice_id=invoice.id, file_id=photo)


async def approve(shop: Shop, proof: ProofView, actor: int = 1000) -> ProofView:
    return await shop.door.approve_proof(key=shop.key(), actor=actor, proof_id=proof.id)


async def test_the_shops_account_is_shown_and_no_other_way_by_bank_is_offered(shop: Shop) -> None:
    assert {m.code for m in await shop.door.methods() if m.network == "bank"} == {"bank:manual"}
    invoice = await asked(shop)
    assert invoice.quote is not None
    account = invoice.quote.account
    assert account is not None
    assert (invoice.quote.method, invoice.quote.amount, invoice.quote.address) == (
        "bank:manual",
        Decimal("24000.00"),
        "",
    )
    assert (account.state, account.number, account.bank, account.name, account.reference) == (
        "manual",
        "0123456789",
        "GTBank",
        "Viral Ltd",
        f"VC-{invoice.id}",
    )
    with pytest.raises(MethodUnavailable):
        await shop.choose(invoice, "bank:NGN")
    assert shop.bank.asked_for == []


async def test_an_approved_receipt_buys_once(shop: Shop) -> None:
    invoice = await asked(shop)
    proof = await send(shop, invoice)
    assert (proof.state, proof.amount, proof.usd.minor, proof.file_id) == ("waiting", Decimal("24000.00"), 1500, "AgAC")
    assert await send(shop, invoice, "another") == proof
    assert await shop.count("receipts") == 0
    decided = await approve(shop, proof)
    assert (decided.state, decided.actor) == ("approved", 1000)
    paid = await shop.see(invoice)
    assert (paid.state, paid.paid_with, await shop.credits(), await shop.wallet()) == ("paid", "bank:manual", 10, 0)
    (receipt,) = await shop.door.receipts()
    assert (receipt.hash, receipt.reference) == (f"manual:{1}", f"VC-{invoice.id}")
    for again in (approve(shop, proof), approve(shop, proof, 1001)):
        with pytest.raises(ProofClosed):
            await again
    with pytest.raises(NoProofWanted):
        await send(shop, invoice)
    assert [event["state"] for event in await shop.events("proof_decided")] == ["approved"]
    assert [(row["actor"], row["action"]) for row in shop.users.audited] == [(1000, "payments.proof_approved")]
    await shop.sound()


async def test_the_same_press_again_is_the_first_answer(shop: Shop) -> None:
    proof = await send(shop, await asked(shop))
    for _ in range(3):
        decided = await shop.door.approve_proof(key="one", actor=1000, proof_id=proof.id)
        assert decided.state == "approved"
    assert await shop.count("receipts") == 1


async def test_two_admins_at_once_make_one_decision(shop: Shop) -> None:
    for user in range(1, 7):
        invoice = await asked(shop, user)
        proof = await send(shop, invoice)
        said = await quietly(
            *(approve(shop, proof, actor) for actor in (1000, 1001)),
            shop.door.reject_proof(key=shop.key(), actor=1000, proof_id=proof.id, reason="no"),
            shop.door.reject_proof(key=shop.key(), actor=1001, proof_id=proof.id, reason="no"),
        )
        assert sum(isinstance(each, ProofClosed) for each in said) == 3
        accepted = (await shop.door.get_proof(proof_id=proof.id)).state == "approved"
        assert (await shop.see(invoice)).state == ("paid" if accepted else "open")
        assert await shop.credits(user) == (10 if accepted else 0)
    await shop.sound()


async def test_a_rejected_one_says_why_and_another_may_be_sent(shop: Shop) -> None:
    invoice = await asked(shop)
    proof = await send(shop, invoice)
    decided = await shop.door.reject_proof(key="r", actor=1000, proof_id=proof.id, reason="  No date on it. ")
    assert (decided.state, decided.reason) == ("rejected", "No date on it.")
    seen = await shop.see(invoice)
    assert seen.state == "open"
    assert seen.quote is not None
    assert seen.quote.account is not None
    assert seen.quote.account.proof == decided
    with pytest.raises(ProofClosed):
        await approve(shop, proof)
    again = await send(shop, invoice, "BgAC")
    assert again.id != proof.id
    await approve(shop, again)
    assert (await shop.see(invoice)).state == "paid"
    await shop.sound()


async def test_only_finance_decides_and_nobody_for_themselves(shop: Shop) -> None:
    proof = await send(shop, await asked(shop))
    with pytest.raises(NotAllowed):
        await approve(shop, proof, actor=7)
    with pytest.raises(NotAllowed):
        await shop.door.reject_proof(key="r", actor=5, proof_id=proof.id, reason="x")
    mine = await send(shop, await asked(shop, 1000))
    with pytest.raises(OwnReceipt):
        await approve(shop, mine)
    assert (await shop.door.get_proof(proof_id=mine.id)).state == "waiting"
    await approve(shop, mine, actor=1001)
    await shop.sound()


async def test_it_is_sent_for_ones_own_invoice_that_is_paid_by_hand(shop: Shop) -> None:
    invoice = await asked(shop)
    with pytest.raises(NotFound):
        await shop.door.submit_proof(key="a", user_id=8, invoice_id=invoice.id, file_id="x")
    other = await shop.quoted(8)
    with pytest.raises(NoProofWanted):
        await send(shop, other)
    with pytest.raises(NotFound):
        await shop.door.approve_proof(key="b", actor=1000, proof_id=99)


async def test_a_receipt_for_an_expired_invoice_counts_at_the_rate_of_the_decision(shop: Shop) -> None:
    invoice = await asked(shop)
    await shop.tick(21 * 60)
    shop.fx.per_usd = Decimal(1400)
    await shop.tick(3600)
    await approve(shop, await send(shop, invoice))
    seen = await shop.see(invoice)
    assert (seen.state, seen.notes, await shop.wallet()) == ("paid", ("late",), 100)
    await shop.sound()


async def test_sent_in_time_and_decided_late_counts_as_in_time(shop: Shop) -> None:
    invoice = await asked(shop)
    proof = await send(shop, invoice)
    shop.fx.per_usd = Decimal(3000)
    await shop.tick(3 * 3600)
    await approve(shop, proof)
    assert (await shop.see(invoice)).state == "paid"
    await shop.sound()


async def test_without_a_rate_a_late_one_waits(shop: Shop) -> None:
    invoice = await asked(shop)
    shop.fx.silent = True
    await shop.tick(49 * 3600)
    proof = await send(shop, invoice)
    with pytest.raises(MethodUnavailable) as refused:
        await approve(shop, proof)
    assert refused.value.fields["reason"] == "rate"
    assert (await shop.door.get_proof(proof_id=proof.id)).state == "waiting"
    assert await shop.count("receipts") == 0


async def test_money_for_what_was_paid_otherwise_is_in_the_wallet(shop: Shop) -> None:
    invoice = await asked(shop)
    proof = await send(shop, invoice)
    await shop.give(7, 1500)
    await shop.door.pay_from_wallet(key="w", user_id=7, invoice_id=invoice.id)
    await approve(shop, proof)
    assert (await shop.wallet(), await shop.credits()) == (1500, 10)
    await shop.sound()


async def test_the_database_lets_nobody_undo_a_decision(shop: Shop) -> None:
    proof = await send(shop, await asked(shop))
    await approve(shop, proof)
    for change in ("state = 'waiting', decided_at = NULL", "user_id = 8"):
        with pytest.raises(Exception, match="decided once"):
            async with shop.db.transaction() as tx:
                await tx.conn.execute(text(f"UPDATE payments.proofs SET {change}"))


async def test_many_photos_at_once_are_one(shop: Shop) -> None:
    invoice = await asked(shop)
    said = await asyncio.gather(*(send(shop, invoice, f"photo{n}") for n in range(8)), return_exceptions=True)
    assert not [each for each in said if isinstance(each, BaseException) and not isinstance(each, DomainError)]
    assert len({each.id for each in said if isinstance(each, ProofView)}) == 1
    assert await shop.count("proofs") == 1

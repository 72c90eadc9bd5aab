"""Pasted hashes over the real effect engine: stored, looked at on the turned clock, decided, in spite of deaths."""

from __future__ import annotations

from typing import Any

from tests.integration.payments.shop import Shop
from tests.support.clock import FakeClock
from tests.support.queueing import engine, nursery, settled
from viralcore.core.queue import QueueEngine

__all__ = ["engine", "nursery"]


async def turn(engine: QueueEngine, clock: FakeClock) -> None:
    due = await engine.next_due()
    assert due is not None
    clock.set(max(due, clock.now()))
    await engine.release_due()
    await settled(engine)


async def test_a_hash_pasted_too_early_is_looked_at_until_its_money_is_final(
    shop: Shop, engine: QueueEngine, clock: FakeClock
) -> None:
    await engine.start()
    invoice = await shop.quoted()
    assert invoice.quote is not None
    claim = await shop.door.submit_hash(key="k", user_id=7, text=f"{1:064x}", invoice_id=invoice.id)
    await settled(engine)
    assert (await shop.door.get_claim(user_id=7, claim_id=claim.id)).reason == "unknown_tx"
    await turn(engine, clock)
    shop.send("14.95", final=False)
    await turn(engine, clock)
    assert (await shop.door.get_claim(user_id=7, claim_id=claim.id)).reason == "not_final"
    shop.chain.finalize()
    await turn(engine, clock)
    assert (await shop.door.get_claim(user_id=7, claim_id=claim.id)).state == "credited"
    assert (await shop.see(invoice)).state == "paid"
    assert await engine.next_due() is None
    told: list[Any] = [(event["state"], event["reason"]) for event in await shop.events("claim_decided")]
    assert told == [("checking", "unknown_tx"), ("checking", "not_final"), ("credited", "")]
    await shop.sound()

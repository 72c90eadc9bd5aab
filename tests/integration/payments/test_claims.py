"""Pasted hashes: asked about again and again, told only what is new, given up only for good reason."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tests.integration.payments.shop import Shop, bought
from viralcore.core.effects import EffectCall, Later, Succeeded, Unknown
from viralcore.core.errors import KeyReused, NotFound
from viralcore.payments.api import BadHash

UNKNOWN = "0x" + "d" * 64


async def effects(shop: Shop) -> list[str]:
    async with shop.db.read() as conn:
        rows = await conn.execute(text("SELECT key FROM core.effects WHERE kind = 'payments.verify' ORDER BY id"))
        return [row.key for row in rows]


async def test_a_hash_is_stored_with_its_effect_before_a_node_is_asked(shop: Shop) -> None:
    before = shop.chain.calls
    claim = await shop.door.submit_hash(key="k1", user_id=7, text=UNKNOWN)
    assert (claim.state, claim.reason, claim.hash, claim.network) == ("checking", "", UNKNOWN, "bsc")
    assert shop.chain.calls == before
    assert await effects(shop) == [f"claim:{claim.id}:1"]


async def test_pasting_again_while_it_is_checked_is_the_same_claim(shop: Shop) -> None:
    first = await shop.door.submit_hash(key="k1", user_id=7, text=UNKNOWN)
    assert await shop.door.submit_hash(key="k1", user_id=7, text=UNKNOWN) == first
    assert await shop.door.submit_hash(key="k2", user_id=7, text=UNKNOWN.upper()) == first
    assert len(await effects(shop)) == 1
    other = await shop.door.submit_hash(key="k3", user_id=8, text=UNKNOWN)
    assert other.id != first.id
    with pytest.raises(KeyReused):
        await shop.door.submit_hash(key="k1", user_id=7, text="0x" + "e" * 64)


async def test_a_claim_is_only_its_owners(shop: Shop) -> None:
    claim = await shop.door.submit_hash(key="k1", user_id=7, text=UNKNOWN)
    with pytest.raises(NotFound):
        await shop.door.get_claim(user_id=8, claim_id=claim.id)
    invoice = await shop.open()
    with pytest.raises(NotFound):
        await shop.door.submit_hash(key="k2", user_id=8, text="0x" + "1" * 64, invoice_id=invoice.id)


async def test_looks_grow_rarer_and_a_reason_is_told_once(shop: Shop) -> None:
    claim = await shop.door.submit_hash(key="k1", user_id=7, text=UNKNOWN)
    delays = [await shop.parts.claiming.check(claim.id) for _ in range(7)]
    assert delays == [5, 10, 20, 40, 80, 120, 120]
    shop.chain.down = True
    await shop.parts.claiming.check(claim.id)
    told = [(event["state"], event["reason"]) for event in await shop.events("claim_decided")]
    assert told == [("checking", "unknown_tx"), ("checking", "node_down")]


async def test_not_found_needs_half_an_hour_and_two_nodes(shop: Shop) -> None:
    claim = await shop.door.submit_hash(key="k1", user_id=7, text=UNKNOWN)
    shop.clock.advance(1799)
    assert await shop.parts.claiming.check(claim.id) is not None
    shop.clock.advance(1)
    shop.chain.down = True
    assert await shop.parts.claiming.check(claim.id) is not None
    shop.chain.down = False
    assert await shop.parts.claiming.check(claim.id) is None
    decided = await shop.door.get_claim(user_id=7, claim_id=claim.id)
    assert (decided.state, decided.reason) == ("not_found", "unknown_tx")


async def test_a_hash_that_was_not_found_can_be_pasted_again(shop: Shop) -> None:
    claim = await shop.door.submit_hash(key="k1", user_id=7, text=UNKNOWN)
    shop.clock.advance(1800)
    await shop.parts.claiming.check(claim.id)
    again = await shop.door.submit_hash(key="k2", user_id=7, text=UNKNOWN)
    assert (again.id, again.state, again.reason) == (claim.id, "checking", "")
    assert await effects(shop) == [f"claim:{claim.id}:1", f"claim:{claim.id}:2"]
    assert await shop.parts.claiming.check(claim.id) == 5


async def test_money_that_comes_after_not_found_still_reaches_its_claim(shop: Shop) -> None:
    invoice = await shop.quoted()
    claim = await shop.door.submit_hash(key="k1", user_id=7, text="0x" + f"{1:064x}", invoice_id=invoice.id)
    shop.clock.advance(1800)
    await shop.parts.claiming.check(claim.id)
    shop.clock.advance(-1700)
    sent = shop.send("14.95")
    assert sent == claim.hash
    await shop.watch()
    assert (await shop.door.get_claim(user_id=7, claim_id=claim.id)).state == "credited"
    assert (await shop.see(invoice)).state == "paid"


async def test_unanswered_hashes_are_bounded_per_person(shop: Shop) -> None:
    for number in range(20):
        await shop.door.submit_hash(key=f"k{number}", user_id=7, text=f"0x{number + 500:064x}")
    with pytest.raises(BadHash) as caught:
        await shop.door.submit_hash(key="one more", user_id=7, text=UNKNOWN)
    assert caught.value.fields == {"reason": "too_many"}
    await shop.door.submit_hash(key="x", user_id=8, text=UNKNOWN)


async def test_the_latest_claim_shows_on_its_invoice(shop: Shop) -> None:
    invoice = await shop.quoted()
    await shop.paste(7, UNKNOWN, invoice.id)
    shown = (await shop.see(invoice)).claim
    assert shown is not None
    assert (shown.state, shown.reason) == ("checking", "unknown_tx")


async def test_the_effect_waits_looks_and_ends(shop: Shop) -> None:
    kind, *_ = shop.module.effects
    invoice = await shop.quoted()
    assert invoice.quote is not None
    claim = await shop.door.submit_hash(key="k1", user_id=7, text=f"{1:064x}", invoice_id=invoice.id)
    call = EffectCall(1, f"claim:{claim.id}:1", 1, {"claim_id": claim.id})
    async with kind.slot(call.payload):
        assert await kind.call(call) == Later(5, "still_checking")
    shop.send(invoice.quote.amount)
    assert await kind.call(call) == Succeeded()
    assert await kind.call(call) == Succeeded()
    assert (await shop.see(invoice)).state == "paid"


async def test_a_broken_effect_is_replaced_while_its_claim_is_open(shop: Shop) -> None:
    kind, *_ = shop.module.effects
    _, sent = await bought(shop)
    claim = await shop.door.submit_hash(key="k1", user_id=7, text=sent)
    call = EffectCall(5, f"claim:{claim.id}:1", 5, {"claim_id": claim.id})
    async with shop.db.transaction() as tx:
        await kind.on_outcome(tx, call, Unknown("exception"))
    assert await effects(shop) == [f"claim:{claim.id}:1", f"claim:{claim.id}:1:after5"]
    await shop.parts.claiming.check(claim.id)
    async with shop.db.transaction() as tx:
        await kind.on_outcome(tx, EffectCall(6, "x", 5, {"claim_id": claim.id}), Unknown("exception"))
    assert len(await effects(shop)) == 2

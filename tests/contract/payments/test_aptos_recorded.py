"""The Aptos adapter against what real nodes were recorded to say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.contract.payments.aptos_nodes import Script, Story, fixture, node
from viralcore.core.http import Answer
from viralcore.payments.adapters import aptos_reading as reading
from viralcore.payments.domain.chain import NATIVE, Movement, incoming, why_nothing
from viralcore.payments.ports import Found, Missing, NodeFailed, Pending

PAYEE = "0x2a5ddd8e5ac5e30f61e42e4dc54a2d6a904412810767fa2e1674b08ca3b04365"
SENDER = "0xf08819a2ca002c1da8c6242040607617093f519eb2525201efaba47b0841f682"


def test_apt_sent_in_the_older_way_is_read() -> None:
    body = fixture("txn_by_hash_apt_transfer_coin_events_2023.json")
    found = reading.read_transaction("aptos", body["hash"], body, ours=PAYEE, contracts=())
    assert found is not None
    assert (found.block, found.success, found.final) == (3509309, True, True)
    assert found.block_time == datetime(2023, 5, 2, 19, 29, 19, 739669, tzinfo=UTC)
    assert found.movements == (
        Movement(1, NATIVE, SENDER, "", 123_400_000),
        Movement(2, NATIVE, "", PAYEE, 123_400_000),
    )
    (money,) = incoming(found, ours=PAYEE, contracts={NATIVE: "APT"})
    assert (money.asset, money.amount, money.position) == ("APT", 123_400_000, 2)
    assert why_nothing(found, ours=SENDER, contracts={NATIVE: "APT"}) == "self_transfer"
    assert why_nothing(found, ours="0x99", contracts={NATIVE: "APT"}) == "wrong_recipient"


async def test_a_failed_transfer_moved_nothing_whatever_its_payload_says() -> None:
    script = Script(last=10)
    body = {**fixture("txn_by_hash_failed_fa_insufficient_balance.json"), "hash": "0x" + "5" * 64}
    script.bodies[5] = body
    found = await node(script).transaction(body["hash"])
    assert isinstance(found, Found)
    assert not found.transaction.success
    assert incoming(found.transaction, ours="0x1", contracts={NATIVE: "APT"}) == ()
    assert why_nothing(found.transaction, ours="0x1", contracts={NATIVE: "APT"}) == "failed"


async def test_what_is_pending_or_unknown_is_told_apart() -> None:
    script = Script(last=10)
    pending = fixture("txn_by_hash_pending.json")
    script.bodies[1] = pending
    assert await node(script).transaction(pending["hash"]) == Pending()
    assert await node(script).transaction("0x" + "9" * 64) == Missing(1)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(400, fixture("error_400_invalid_hash.json"), {}),
        Answer(404, {"message": "no route"}, {}),
        Answer(404, fixture("error_404_account_not_found.json"), {}),
        Answer(429, "<html>Too Many Requests</html>", {}),
        Answer(403, "<html></html>", {}),
        Answer(200, "<html></html>", {}),
        Answer(200, [], {}),
        Answer(200, {"type": "user_transaction"}, {}),
    ],
)
async def test_an_error_is_never_an_answer(answer: Answer) -> None:
    script = Script(last=10)
    asked = node(script)
    await asked.finalized()
    script.whole = answer
    with pytest.raises(NodeFailed):
        await asked.transaction("0x" + "9" * 64)


async def test_a_node_of_another_chain_is_left() -> None:
    script = Script(last=10)
    script.whole = fixture("ledger_info.json")  # recorded on a test network
    with pytest.raises(NodeFailed, match="another_chain"):
        await node(script).finalized()


TEST_COIN = "0x971225a0feba8d24b7658bc2e2e3155ccdb17eff3e2ef320d1428879f10ebf20"
PAYER_2025 = "0x5249a0f1ccb427e6595343ef001ec18765fd325beb70fbea0a9c25807167e60d"
PAYEE_2025 = "0xb7c348a3253a8102e354b21972319600f0933dd454db12d3e2fc81623ffa49be"
STORES_2025 = [
    (PAYER_2025, reading.APT_METADATA, "0x9b1be2b34453eeefaf428a1e50b6ca8f1b333c01a523a0b093ef61ea4777eeb"),
    (PAYER_2025, TEST_COIN, "0x7a4842208fb122689ca0f33bdb43a6a6d1fc9af24fedff2f38646a5a95eb442e"),
    (PAYEE_2025, TEST_COIN, "0xf739abb65036bfbc1d12653549394392eeaa9f67f24eeb22f69d81f5c053702a"),
]
"""Holder, asset and store of the three stores in the transfer of version 6717630095 (2025), as its node printed them:
the first one without its leading zero."""


@pytest.mark.parametrize(("holder", "metadata", "store"), STORES_2025)
def test_the_stores_of_a_recorded_transfer_are_what_we_compute(holder: str, metadata: str, store: str) -> None:
    assert reading.primary_store(holder, metadata) == reading.address(store)


def test_a_recorded_transfer_of_2025_is_told_by_its_stores() -> None:
    (_, _, gas), (_, _, out), (_, _, into) = STORES_2025
    story = Story().fa("Withdraw", PAYER_2025, TEST_COIN, 10000, store=reading.address(out))
    story.fa("Deposit", PAYEE_2025, TEST_COIN, 10000, store=reading.address(into))
    story.wrote(reading.address(gas), "0x1::fungible_asset::FungibleStore", {"metadata": {"inner": "0xa"}})
    story.wrote(reading.address(gas), "0x1::object::ObjectCore", {"owner": PAYER_2025})
    found = reading.read_transaction("aptos", "", story.body(6717630095), ours=PAYEE_2025, contracts=(TEST_COIN,))
    assert found is not None
    assert found.movements == (
        Movement(1, TEST_COIN, PAYER_2025, "", 10000),
        Movement(2, TEST_COIN, "", PAYEE_2025, 10000),
    )

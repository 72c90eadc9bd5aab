"""The Aptos adapter against what real nodes were recorded to say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.contract.payments.aptos_nodes import Script, fixture, node
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


def test_the_stores_of_a_recorded_transfer_are_what_we_compute() -> None:
    """Of the transfer recorded in 2025 (APIS 6) only its formula is known here: sha3-256 of holder, asset, 0xFC."""
    one = reading.primary_store("0x" + "1".rjust(64, "0"), reading.APT_METADATA)
    assert one != reading.primary_store("0x" + "2".rjust(64, "0"), reading.APT_METADATA)
    assert len(one) == 66

"""The BSC adapter against what real nodes (and Etherscan in their place) were recorded to say."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.contract.payments.nodes import HASH, OURS, USDT, Book, Scripted, chain, fixture, paid_2026, result
from viralcore.core.http import Answer, BreakerOpen, HttpFailure, NoAnswer, NotSent
from viralcore.payments.adapters.bsc_reading import chain_id, quantity, token_movements
from viralcore.payments.adapters.json_rpc import read_batch, read_result
from viralcore.payments.domain.chain import NATIVE, ChainTransaction, incoming, why_nothing
from viralcore.payments.ports import ChainUnavailable, Found, Missing, NodeFailed, Pending

CONTRACTS = {USDT: "USDT", NATIVE: "BNB"}
NATIVE_RECIPIENT = "0x2895242927bd11deb802f3b50b7eace9f2f26eb2"


def book(tx: dict[str, Any], receipt: dict[str, Any], **more: Any) -> Book:
    made = Book(final=int(receipt["blockNumber"], 16), **more)
    made.add(tx, receipt)
    return made


async def told(made: Book, canonical: str, ours: str = OURS) -> ChainTransaction:
    found = await chain(Scripted(made), ours=ours).transaction(canonical)
    assert isinstance(found, Found)
    return found.transaction


async def test_the_recorded_usdt_transfer_is_read_from_its_log() -> None:
    found = await told(book(*paid_2026()), HASH)
    assert (found.success, found.final, found.block) == (True, True, 0x6BEF771)
    (amount,) = incoming(found, ours=OURS, contracts=CONTRACTS)
    assert (amount.asset, amount.position, amount.amount) == ("USDT", 0, 0x347547A83401A4000)


async def test_the_recorded_native_transfer_is_read_from_its_value() -> None:
    tx = fixture("bsc_rpc/getTransactionByHash_native_bnb.json")["result"]
    receipt = fixture("bsc_rpc/getTransactionReceipt_native_bnb.json")["result"]
    found = await told(book(tx, receipt), tx["hash"], NATIVE_RECIPIENT)
    (amount,) = incoming(found, ours=NATIVE_RECIPIENT, contracts=CONTRACTS)
    assert (amount.asset, amount.position, amount.amount) == ("BNB", 0, 0x670758AA7C8000)
    assert not found.contract_call


async def test_the_recorded_failed_transfer_brings_nothing_although_its_input_decodes() -> None:
    receipt = fixture("bsc_rpc/getTransactionReceipt_failed_usdt_transfer.json")["result"]
    tx, _ = paid_2026()
    tx |= {"hash": receipt["transactionHash"], "blockNumber": receipt["blockNumber"], "blockHash": receipt["blockHash"]}
    found = await told(book(tx, receipt), receipt["transactionHash"])
    assert not found.success
    assert incoming(found, ours=OURS, contracts=CONTRACTS) == ()
    assert why_nothing(found, ours=OURS, contracts=CONTRACTS) == "failed"


async def test_the_recorded_contract_call_with_bnb_is_not_a_payment_to_us() -> None:
    tx = fixture("etherscan/v2_proxy_bsc_bnb_to_contract_no_usdt_tx.json")["result"]
    receipt = fixture("etherscan/v2_proxy_bsc_bnb_to_contract_no_usdt_receipt.json")["result"]
    found = await told(book(tx, receipt), tx["hash"])
    assert found.contract_call
    assert incoming(found, ours=OURS, contracts=CONTRACTS) == ()
    assert why_nothing(found, ours=OURS, contracts=CONTRACTS) == "internal"
    (value,) = incoming(found, ours=tx["to"], contracts=CONTRACTS)
    assert (value.asset, value.amount) == ("BNB", 0x38D7EA4C68000)


async def test_the_recorded_block_gives_its_native_transfers() -> None:
    block = fixture("etherscan/v2_proxy_bsc_getBlockByNumber_trimmed.json")["result"]
    number = quantity(block["number"])
    made = Book(final=number, logs=True)
    made.changes["eth_getBlockByNumber"] = result(block)
    scan = await chain(Scripted(made), ours=NATIVE_RECIPIENT).scan(after=number - 1, limit=5, fresh=0)
    assert scan.hashes == ("0xcf86cbcd08acc225e1212df17bfea572aa9d9c2a9a42e7a51fde3f04fd767dc2",)
    assert (scan.upto, scan.behind) == (number, 0)


def test_recorded_numbers() -> None:
    assert quantity(read_result(fixture("bsc_rpc/blockNumber.json"))) == 0x43AA4F6
    assert chain_id(read_result(fixture("bsc_rpc/net_version_decimal.json"))) == 56
    assert chain_id("0x38") == 56


ERRORS = [
    "bsc_rpc/error_limit_exceeded.json",
    "bsc_rpc/getTransactionReceipt_error_publicnode_archive_gate.json",
    "etherscan/v1_deprecated.json",
    "etherscan/v2_error_free_tier_chain56.json",
    "etherscan/v2_error_free_tier_temporarily_unavailable.json",
    "etherscan/v2_error_invalid_action.json",
    "etherscan/v2_error_invalid_key.json",
    "etherscan/v2_error_max_calls_per_sec.json",
    "etherscan/v2_error_max_rate.json",
    "etherscan/v2_error_missing_chainid.json",
    "etherscan/v2_error_missing_key.json",
    "etherscan/v2_tokentx_empty.json",
    "etherscan/v2_tokentx_ok_eth.json",
    "etherscan/v2_txlist_ok_eth.json",
    "etherscan/v2_txlistinternal_ok.json",
    "etherscan/v1_bscscan_tokentx_bsc_usdt_2022.json",
]
BROKEN: list[Any] = [
    *[fixture(name) for name in ERRORS],
    "<html>rate limited</html>",
    [],
    {},
    {"jsonrpc": "2.0", "id": 1},
    {"result": None},
    [{"jsonrpc": "2.0", "id": 1, "result": None}] * 3,
    Answer(403, {"jsonrpc": "2.0", "id": 1, "result": None}, {}),
    Answer(429, "slow down", {}),
    NoAnswer("bsc", "server_error", status=503),
    NotSent("bsc", "connect_error"),
    BreakerOpen("bsc"),
]


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
async def test_an_error_rotates_to_another_node_and_never_means_not_found(body: Any) -> None:
    broken, sound = Scripted(lambda *_: {}, whole=body), Scripted(book(*paid_2026()))
    asked = chain(broken, sound)
    assert isinstance(await asked.transaction(HASH), Found)
    assert (await asked.scan(after=0x6BEF770, limit=1, fresh=0)).hashes == (HASH,)
    assert await asked.finalized() == 0x6BEF771
    alone = chain(Scripted(lambda *_: {}, whole=body))
    with pytest.raises(ChainUnavailable):
        await alone.transaction(HASH)
    with pytest.raises(ChainUnavailable):
        await alone.scan(after=0, limit=1, fresh=0)
    with pytest.raises(ChainUnavailable):
        await alone.finalized()


async def test_a_null_of_one_node_asks_the_other() -> None:
    empty = Book(final=0x6BEF771)
    assert fixture("bsc_rpc/result_null_unknown_tx.json") == empty("eth_getTransactionByHash", [HASH])
    assert isinstance(await chain(Scripted(empty), Scripted(book(*paid_2026()))).transaction(HASH), Found)
    assert await chain(Scripted(empty), Scripted(empty)).transaction(HASH) == Missing(2)
    assert await chain(Scripted(empty)).transaction(HASH) == Missing(1)


async def test_one_null_and_one_error_is_one_null() -> None:
    empty, broken = Scripted(Book(final=1)), Scripted(lambda *_: {}, whole=NotSent("bsc", "connect_error"))
    assert await chain(broken, empty).transaction(HASH) == Missing(1)


async def test_a_transaction_without_a_receipt_is_pending() -> None:
    tx, receipt = paid_2026()
    made = book(tx, receipt)
    made.changes["eth_getTransactionReceipt"] = result(None)
    assert await chain(Scripted(made)).transaction(HASH) == Pending()


async def test_a_block_above_the_finalized_one_is_not_final() -> None:
    made = book(*paid_2026())
    made.final -= 1
    assert not (await told(made, HASH)).final


async def test_a_receipt_whose_block_is_another_by_now_is_no_answer() -> None:
    tx, receipt = paid_2026()
    receipt["blockHash"] = "0x" + "9" * 64
    with pytest.raises(ChainUnavailable):
        await chain(Scripted(book(tx, receipt))).transaction(HASH)


def several(receipt: dict[str, Any], *changes: dict[str, Any]) -> dict[str, Any]:
    """The receipt with one log per change, each a variation of its own."""
    made = copy.deepcopy(receipt)
    made["logs"] = [{**receipt["logs"][0], "logIndex": hex(at), **change} for at, change in enumerate(changes)]
    return made


def topics(receipt: dict[str, Any], **changed: str) -> list[str]:
    old = receipt["logs"][0]["topics"]
    return [changed.get("zero", old[0]), changed.get("sender", old[1]), changed.get("recipient", old[2])]


async def test_a_receipt_with_several_logs_is_summed_by_contract_and_recipient() -> None:
    tx, receipt = paid_2026()
    tx["to"] = "0x" + "7" * 40  # a router, not the token
    ten = "0x" + f"{10:064x}"
    other = "0x" + "0" * 24 + "8" * 40
    made = several(
        receipt,
        {"address": "0x" + "6" * 40},  # another token with the same shape: its symbol is never asked
        {"data": ten},
        {"topics": topics(receipt, recipient=other)},
        {"data": ten, "address": USDT.upper().replace("X", "x")},
        {"removed": True},
        {"topics": receipt["logs"][0]["topics"][:2]},
        {"topics": [*receipt["logs"][0]["topics"], other]},
        {"topics": topics(receipt, zero="0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925")},
        {"topics": []},
        {"data": "0x" + "0" * 64},
    )
    (amount,) = incoming(await told(book(tx, made), HASH), ours=OURS, contracts=CONTRACTS)
    assert (amount.asset, amount.position, amount.amount, amount.parts) == ("USDT", 1, 20, ((1, 10), (3, 10)))


async def test_only_a_fake_token_is_the_wrong_token() -> None:
    tx, receipt = paid_2026()
    found = await told(book(tx, several(receipt, {"address": "0x" + "6" * 40})), HASH)
    assert incoming(found, ours=OURS, contracts=CONTRACTS) == ()
    assert why_nothing(found, ours=OURS, contracts=CONTRACTS) == "wrong_token"


ODD_DATA: list[Any] = ["0x1", "0xzz", None, 5, "0x" + "0" * 128, "0x" + "f" * 62]


@pytest.mark.parametrize("data", ODD_DATA)
def test_a_log_of_our_token_that_cannot_be_read_is_a_nodes_failure(data: Any) -> None:
    _, receipt = paid_2026()
    with pytest.raises(NodeFailed):
        token_movements(several(receipt, {"data": data})["logs"], {USDT})


@pytest.mark.parametrize("data", ODD_DATA)
async def test_a_strangers_odd_log_beside_it_does_not_hide_our_money(data: Any) -> None:
    """Any contract may log the same topic with whatever it likes in its data."""
    tx, receipt = paid_2026()
    made = several(receipt, {"address": "0x" + "6" * 40, "data": data}, {})
    (amount,) = incoming(await told(book(tx, made), HASH), ours=OURS, contracts=CONTRACTS)
    assert (amount.position, amount.amount) == (1, 0x347547A83401A4000)


@pytest.mark.parametrize("logs", [True, False])
async def test_blocks_are_read_with_logs_or_with_receipts(logs: bool) -> None:
    tx, receipt = paid_2026()
    native = fixture("bsc_rpc/getTransactionByHash_native_bnb.json")["result"]
    native |= {"to": OURS.upper().replace("X", "x"), "blockNumber": "0x6bef773", "blockHash": "0x" + "3" * 64}
    native_receipt = fixture("bsc_rpc/getTransactionReceipt_native_bnb.json")["result"]
    native_receipt |= {"blockNumber": "0x6bef773", "blockHash": "0x" + "3" * 64}
    made = Book(final=0x6BEF773, latest=0x6BEF779, logs=logs)
    made.add(tx, receipt)
    made.add(native, native_receipt)
    client = Scripted(made)
    asked = chain(client)
    scan = await asked.scan(after=0x6BEF76A, limit=100, fresh=10)
    assert set(scan.hashes) == {HASH, native["hash"]}
    assert (scan.upto, scan.behind) == (0x6BEF773, 0)
    before = len(client.asked)
    await asked.scan(after=0x6BEF76A, limit=100, fresh=0)
    assert [name for name, _ in client.asked[before:]].count("eth_getLogs") == int(logs)


async def test_a_limit_leaves_the_rest_for_the_next_time() -> None:
    scan = await chain(Scripted(Book(final=100))).scan(after=10, limit=20, fresh=5)
    assert (scan.upto, scan.behind, scan.fresh) == (30, 70, ())


async def test_a_node_that_misses_a_block_it_named_is_no_use() -> None:
    made = Book(final=100)
    made.latest = 95
    made.changes["eth_blockNumber"] = result(hex(100))
    with pytest.raises(ChainUnavailable):
        await chain(Scripted(made)).scan(after=90, limit=20, fresh=0)


async def test_a_lagging_node_does_not_hold_the_watch() -> None:
    lagging, sound = Scripted(Book(final=50)), Scripted(Book(final=100))
    assert (await chain(lagging, sound).scan(after=60, limit=100, fresh=0)).upto == 100
    assert (await chain(lagging).scan(after=60, limit=100, fresh=0)).upto == 60


async def test_a_node_that_hides_a_transfer_is_not_enough_to_miss_it() -> None:
    liar = Book(final=0x6BEF771)
    scan = await chain(Scripted(liar), Scripted(book(*paid_2026()))).scan(after=0x6BEF770, limit=5, fresh=0)
    assert scan.hashes == (HASH,)


async def test_a_node_of_another_chain_is_never_believed() -> None:
    made = book(*paid_2026())
    made.changes["eth_chainId"] = result("0x1")
    with pytest.raises(ChainUnavailable):
        await chain(Scripted(made)).transaction(HASH)


async def test_a_token_that_counts_otherwise_than_we_think_stops_its_node() -> None:
    made = book(*paid_2026())
    made.changes["eth_call"] = result("0x" + f"{6:064x}")
    with pytest.raises(ChainUnavailable):
        await chain(Scripted(made)).transaction(HASH)
    made.changes["eth_call"] = result("0x" + f"{18:064x}")
    assert isinstance(await chain(Scripted(made)).transaction(HASH), Found)


class TooLarge(Scripted):
    """Answers at most two calls at once."""

    async def read_json(self, method: str, path: str = "", *, json: Any = None, **more: Any) -> Answer:
        if isinstance(json, list) and len(json) > 2:
            raise NoAnswer("bsc", "body_too_large", status=200)
        return await super().read_json(method, path, json=json, **more)


async def test_an_answer_too_large_to_take_is_asked_for_in_halves() -> None:
    made = book(*paid_2026())
    scan = await chain(TooLarge(made)).scan(after=0x6BEF764, limit=50, fresh=0)
    assert (scan.hashes, scan.upto) == ((HASH,), 0x6BEF771)


async def confirmed(second: Any) -> str:
    one = chain(Scripted(book(*paid_2026())), second)
    found = await one.transaction(HASH)
    assert isinstance(found, Found)
    assert found.node == "n0"
    return await one.confirm(found)


async def test_the_other_node_agrees_differs_lags_or_is_silent() -> None:
    assert await confirmed(Scripted(book(*paid_2026()))) == "agrees"
    tx, receipt = paid_2026()
    assert await confirmed(Scripted(book(tx, several(receipt, {"data": "0x" + f"{1:064x}"})))) == "differs"
    behind = book(*paid_2026())
    behind.final -= 1
    assert await confirmed(Scripted(behind)) == "not_final"
    assert await confirmed(Scripted(Book(final=0x6BEF771))) == "silent"
    failing: HttpFailure = NotSent("bsc", "connect_error")
    assert await confirmed(Scripted(lambda *_: {}, whole=failing)) == "silent"


def test_a_batch_is_read_by_id_whatever_its_order() -> None:
    body = [{"jsonrpc": "2.0", "id": 2, "result": "b"}, {"jsonrpc": "2.0", "id": 1, "result": "a"}]
    assert read_batch(body, 2) == ["a", "b"]
    for broken in (body[:1], [*body, body[0]], [body[0], {**body[1], "id": "1"}], fixture(ERRORS[0])):
        with pytest.raises(NodeFailed):
            read_batch(broken, 2)

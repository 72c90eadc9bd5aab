"""The simulated BSC node answers in the shapes recorded from mainnet, and misbehaves when told to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.clock import FakeClock
from tests.support.worlds import client, control_client, seeded, served, shape
from viralcore.sandbox.worlds.bsc import BscWorld
from viralcore.sandbox.worlds.bsc_chain import TRANSFER_TOPIC, USDT, word

RECORDED = Path(__file__).parents[1] / "fixtures"
STRANGER = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
FAKE = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"


def recorded(name: str) -> Any:
    return json.loads((RECORDED / name).read_text())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> BscWorld:
    return BscWorld(clock.now, seeded())


async def rpc(world: BscWorld, method: str, *params: Any, node: int = 0) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
    async with client(world.app) as http:
        answer = await http.post(f"/node{node}", json=body)
    return answer.json()


async def send(world: BscWorld, **fields: Any) -> str:
    body = {"asset": "USDT", "to": world.address, "amount": "15.0042"} | fields
    async with control_client(world) as http:
        answer = await http.post("/sandbox/chains/bsc/transfers", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["hash"])


async def set_faults(world: BscWorld, **fields: Any) -> httpx.Response:
    async with control_client(world) as http:
        return await http.post("/sandbox/chains/bsc", json=fields)


async def final_height(world: BscWorld, node: int = 0) -> int:
    answer = await rpc(world, "eth_getBlockByNumber", "finalized", False, node=node)
    return int(answer["result"]["number"], 16)


async def test_a_usdt_transfer_has_the_recorded_shapes(world: BscWorld) -> None:
    sent = await send(world)
    told = await rpc(world, "eth_getTransactionByHash", sent)
    receipt = await rpc(world, "eth_getTransactionReceipt", sent)
    assert shape(told) == shape(recorded("bsc_rpc/getTransactionByHash_usdt_transfer_2026.json"))
    assert shape(receipt) == shape(recorded("bsc_rpc/getTransactionReceipt_usdt_transfer_2026.json"))
    log = receipt["result"]["logs"][0]
    assert log["address"] == USDT
    assert log["topics"][0] == TRANSFER_TOPIC
    assert log["topics"][2] == "0x" + word(world.address.lower())
    assert int(log["data"], 16) == 15_004_200_000_000_000_000
    assert receipt["result"]["logsBloom"] != "0x" + "0" * 512


async def test_a_native_transfer_has_the_recorded_shapes(world: BscWorld) -> None:
    sent = await send(world, asset="BNB", amount="0.05")
    told = await rpc(world, "eth_getTransactionByHash", sent)
    receipt = await rpc(world, "eth_getTransactionReceipt", sent)
    assert shape(told) == shape(recorded("bsc_rpc/getTransactionByHash_native_bnb.json"))
    assert shape(receipt) == shape(recorded("bsc_rpc/getTransactionReceipt_native_bnb.json"))
    assert int(told["result"]["value"], 16) == 5 * 10**16
    balance = await rpc(world, "eth_getBalance", world.address, "latest")
    assert int(balance["result"], 16) == 5 * 10**16


async def test_a_failed_transfer_has_the_recorded_shape(world: BscWorld) -> None:
    receipt = await rpc(world, "eth_getTransactionReceipt", await send(world, failed=True))
    assert shape(receipt) == shape(recorded("bsc_rpc/getTransactionReceipt_failed_usdt_transfer.json"))
    assert (receipt["result"]["status"], receipt["result"]["logs"]) == ("0x0", [])


async def test_a_block_has_the_recorded_shape(world: BscWorld) -> None:
    sent = await send(world, asset="BNB", final=True)
    block = await rpc(world, "eth_getBlockByNumber", "finalized", True)
    wanted = recorded("etherscan/v2_proxy_bsc_getBlockByNumber_trimmed.json")
    assert set(block["result"]) == set(wanted["result"])
    native = {item["hash"]: item for item in block["result"]["transactions"]}[sent]
    assert shape(native) == shape(wanted["result"]["transactions"][0])
    receipts = await rpc(world, "eth_getBlockReceipts", block["result"]["number"])
    assert [item["transactionHash"] for item in receipts["result"]] == [
        item["hash"] for item in block["result"]["transactions"]
    ]
    before = await rpc(world, "eth_getBlockByNumber", hex(int(block["result"]["number"], 16) - 1), False)
    assert before["result"]["hash"] == block["result"]["parentHash"]


async def test_small_answers(world: BscWorld) -> None:
    assert shape(await rpc(world, "eth_blockNumber")) == shape(recorded("bsc_rpc/blockNumber.json"))
    assert (await rpc(world, "eth_chainId"))["result"] == "0x38"
    assert await rpc(world, "net_version") == recorded("bsc_rpc/net_version_decimal.json")
    unknown = "0x" + "ab" * 32
    assert await rpc(world, "eth_getTransactionByHash", unknown) == recorded("bsc_rpc/result_null_unknown_tx.json")
    assert await rpc(world, "eth_getTransactionReceipt", unknown) == recorded("bsc_rpc/result_null_unknown_tx.json")
    decimals = await rpc(world, "eth_call", {"to": USDT, "data": "0x313ce567"}, "latest")
    assert int(decimals["result"], 16) == 18
    assert (await rpc(world, "eth_mystery"))["error"]["code"] == -32601
    assert (await rpc(world, "eth_getTransactionByHash", "0x12"))["error"]["code"] == -32602


async def test_batches_answer_in_order(world: BscWorld) -> None:
    calls = [{"jsonrpc": "2.0", "id": number, "method": "eth_blockNumber"} for number in (7, 3)]
    async with client(world.app) as http:
        answer = (await http.post("/node1", json=[*calls, 5])).json()
    assert [item["id"] for item in answer] == [7, 3, None]
    assert answer[2]["error"]["code"] == -32600


async def test_logs_are_refused_as_public_nodes_do_unless_allowed(world: BscWorld) -> None:
    sent = await send(world, final=True)
    wish = {"fromBlock": "finalized", "address": USDT, "topics": [TRANSFER_TOPIC, None, "0x" + word(world.address)]}
    wish["topics"][2] = str(wish["topics"][2]).lower()
    assert await rpc(world, "eth_getLogs", wish) == recorded("bsc_rpc/error_limit_exceeded.json")
    await set_faults(world, logs=True, node=1)
    found = (await rpc(world, "eth_getLogs", wish, node=1))["result"]
    assert [item["transactionHash"] for item in found] == [sent]
    receipt = await rpc(world, "eth_getTransactionReceipt", sent)
    assert found == receipt["result"]["logs"]
    everything = await rpc(world, "eth_getLogs", {"fromBlock": "0x1"}, node=1)
    assert everything["error"]["code"] == -32005


async def test_a_contract_call_pays_with_several_logs(world: BscWorld) -> None:
    sent = await send(world, via_contract=True, parts=3, amount="10", change="1")
    receipt = (await rpc(world, "eth_getTransactionReceipt", sent))["result"]
    assert receipt["to"] != USDT
    assert len({item["logIndex"] for item in receipt["logs"]}) == len(receipt["logs"]) == 7
    rows = world.books().transfers
    assert sum(row.amount for row in rows) == 9
    assert all(row.asset == "USDT" and row.hash == sent for row in rows)


async def test_a_fake_token_says_the_same_symbol_from_another_contract(world: BscWorld) -> None:
    sent = await send(world, contract=FAKE)
    receipt = (await rpc(world, "eth_getTransactionReceipt", sent))["result"]
    assert receipt["logs"][0]["address"] == FAKE.lower()
    symbols = [await rpc(world, "eth_call", {"to": token, "data": "0x95d89b41"}) for token in (USDT, FAKE)]
    assert symbols[0]["result"] == symbols[1]["result"]
    assert [row.asset for row in world.books().transfers] == [""]


async def test_native_money_from_a_contract_is_invisible(world: BscWorld) -> None:
    sent = await send(world, asset="BNB", via_contract=True)
    told = (await rpc(world, "eth_getTransactionByHash", sent))["result"]
    assert told["to"] != world.address.lower()
    assert world.books().transfers == []


async def test_an_unmined_transfer_has_no_receipt(world: BscWorld) -> None:
    sent = await send(world, unmined=True)
    assert (await rpc(world, "eth_getTransactionByHash", sent))["result"]["blockNumber"] is None
    assert (await rpc(world, "eth_getTransactionReceipt", sent))["result"] is None
    assert world.books().transfers == []


async def test_lag_hides_the_newest_blocks(world: BscWorld) -> None:
    await set_faults(world, node=1, lag_blocks=2)
    sent = await send(world, final=True)
    assert (await rpc(world, "eth_getTransactionReceipt", sent))["result"]["status"] == "0x1"
    assert (await rpc(world, "eth_getTransactionReceipt", sent, node=1))["result"] is None
    assert await final_height(world) - await final_height(world, node=1) == 2


async def test_lies_can_be_told_apart_by_asking_the_other_node(world: BscWorld) -> None:
    sent = await send(world, final=False)
    height = world.chain.height
    await set_faults(world, node=0, lie=True)
    assert (await rpc(world, "eth_getTransactionReceipt", sent))["result"] is None
    block = await rpc(world, "eth_getBlockByNumber", hex(height), False)
    assert sent not in block["result"]["transactions"]
    await set_faults(world, node=0, lie="inflated")
    honest = await rpc(world, "eth_getTransactionReceipt", sent, node=1)
    inflated = await rpc(world, "eth_getTransactionReceipt", sent)
    amounts = [int(item["result"]["logs"][0]["data"], 16) for item in (honest, inflated)]
    assert amounts[1] == amounts[0] * 10
    await set_faults(world, node=0, lie="early")
    assert await final_height(world) >= height > await final_height(world, node=1)


async def test_outages(world: BscWorld) -> None:
    sent = await send(world)
    await set_faults(world, outage="rate_limit")
    assert await rpc(world, "eth_chainId") == recorded("bsc_rpc/error_limit_exceeded.json")
    await set_faults(world, outage="archive")
    gate = recorded("bsc_rpc/getTransactionReceipt_error_publicnode_archive_gate.json")
    assert await rpc(world, "eth_getTransactionReceipt", sent) == gate
    assert "result" in await rpc(world, "eth_blockNumber")
    body = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    async with client(world.app) as http:
        for kind, status in ((True, 503), ("html", 200), ("429", 429), ("bad_json", 200)):
            await set_faults(world, outage=kind)
            answer = await http.post("/node0", json=body)
            assert answer.status_code == status
            assert not answer.text.endswith("}") or "result" not in answer.json()
        await set_faults(world, outage=False)
        assert (await http.post("/node0", json=body)).json()["result"] == "0x38"


async def test_a_dropped_connection_carries_no_answer(world: BscWorld) -> None:
    await set_faults(world, outage="drop", node=0)
    body = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    async with served(world.app) as url, httpx.AsyncClient() as http:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await http.post(f"{url}/node0", json=body)
        urls = world.environment(url)["BSC_RPC_URL"].split(",")
        assert len(urls) == 2
        assert (await http.post(urls[1], json=body)).json()["result"] == "0x38"

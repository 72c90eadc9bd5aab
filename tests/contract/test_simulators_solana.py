"""The simulated Solana nodes answer in the shapes recorded from mainnet, and misbehave when told to."""

from __future__ import annotations

from typing import Any

import base58
import httpx
import pytest

from tests.support.chains import recorded, send, set_faults
from tests.support.clock import FakeClock
from tests.support.worlds import client, seeded, served, shape
from viralcore.sandbox.worlds.solana import SolanaWorld
from viralcore.sandbox.worlds.solana_keys import TOKEN, USDT, new_wallet, token_account

FAKE = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
CONFIRMED = {"commitment": "confirmed", "maxSupportedTransactionVersion": 0}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> SolanaWorld:
    return SolanaWorld(clock.now, seeded())


async def rpc(world: SolanaWorld, method: str, *params: Any, node: int = 0) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
    async with client(world.app) as http:
        return (await http.post(f"/node{node}", json=body)).json()


async def told(world: SolanaWorld, sent: str, node: int = 0, **options: Any) -> Any:
    return (await rpc(world, "getTransaction", sent, {**CONFIRMED, **options}, node=node))["result"]


async def many(world: SolanaWorld, count: int = 30, **fields: Any) -> list[Any]:
    """Transactions in ``json`` as they come, of all the forms there are."""
    return [await told(world, await send(world, **fields)) for _ in range(count)]


def rows(meta: Any, when: str, owner: str) -> list[Any]:
    return [row for row in meta[f"{when}TokenBalances"] if row["owner"] == owner]


def net(one: Any, owner: str) -> int:
    after, before = (
        sum(int(r["uiTokenAmount"]["amount"]) for r in rows(one["meta"], w, owner)) for w in ("post", "pre")
    )
    return after - before


async def test_token_transfers_have_the_recorded_shapes(world: SolanaWorld) -> None:
    wanted = recorded("solana/getTransaction_json_spl_transferChecked.json")["result"]
    wanted["meta"]["costUnits"] = 1785  # newer nodes tell it, as the other recordings do
    await send(world)
    legacy = [one for one in await many(world) if one["version"] == "legacy"]
    assert legacy
    for one in legacy:
        assert shape(one) == shape(wanted)
        assert net(one, world.address) == 15_004_200


async def test_versioned_transactions_with_lookup_tables(world: SolanaWorld) -> None:
    wanted = recorded("solana/getTransaction_json_v0_swap_with_lookup_tables.json")["result"]
    versioned = [one for one in await many(world) if one["version"] == 0]
    assert all(set(one["transaction"]["message"]) == set(wanted["transaction"]["message"]) for one in versioned)
    through = [one for one in versioned if one["transaction"]["message"]["addressTableLookups"]]
    assert through
    for one in through:
        loaded = one["meta"]["loadedAddresses"]
        keys = [*one["transaction"]["message"]["accountKeys"], *loaded["writable"], *loaded["readonly"]]
        assert len(keys) == len(one["meta"]["preBalances"]) == len(one["meta"]["postBalances"]) == len(set(keys))
        (row,) = rows(one["meta"], "post", world.address)
        assert keys[row["accountIndex"]] == token_account(world.address, USDT)
        parsed = await told(world, one["transaction"]["signatures"][0], encoding="jsonParsed")
        assert [key["pubkey"] for key in parsed["transaction"]["message"]["accountKeys"]] == keys
        assert "loadedAddresses" not in parsed["meta"]
    refused = await rpc(
        world, "getTransaction", through[0]["transaction"]["signatures"][0], {"commitment": "confirmed"}
    )
    assert refused == recorded("solana/error_32015_unsupported_version.json")


async def test_coin_transfers_have_the_recorded_shapes(world: SolanaWorld) -> None:
    wanted = recorded("solana/getTransaction_json_native_sol.json")["result"]
    for one in await many(world, asset="SOL", amount="0.718759267"):
        if one["version"] == "legacy":
            assert shape(one) == shape(wanted)
        meta = one["meta"]
        loaded = meta["loadedAddresses"]
        keys = [*one["transaction"]["message"]["accountKeys"], *loaded["writable"], *loaded["readonly"]]
        at = keys.index(world.address)
        assert meta["postBalances"][at] - meta["preBalances"][at] == 718_759_267
        assert sum(meta["preBalances"]) - sum(meta["postBalances"]) == meta["fee"]


async def test_memos_are_parsed_as_recorded(world: SolanaWorld) -> None:
    wanted = recorded("solana/getTransaction_jsonParsed_native_sol_with_memo.json")["result"]
    for _ in range(40):
        one = await told(world, await send(world, asset="SOL"), encoding="jsonParsed")
        programs = {each.get("program"): each for each in one["transaction"]["message"]["instructions"]}
        if "spl-memo" in programs:
            break
    assert set(wanted) - set(one) == set()
    assert set(wanted["meta"]) - set(one["meta"]) == set()
    assert shape(one["transaction"]["message"]["accountKeys"]) == shape(wanted["transaction"]["message"]["accountKeys"])
    for each in wanted["transaction"]["message"]["instructions"]:
        assert shape(programs[each["program"]]) == shape(each) | {"stackHeight": "int"}
    listed = (await rpc(world, "getSignaturesForAddress", world.address, CONFIRMED))["result"]
    memo = programs["spl-memo"]["parsed"]
    assert listed[0]["memo"] == f"[{len(memo)}] {memo}"


async def test_our_token_account_is_opened_by_the_first_payment(world: SolanaWorld) -> None:
    ours = token_account(world.address, USDT)

    async def accounts(**wanted: str) -> list[str]:
        options = {"encoding": "jsonParsed", "commitment": "confirmed"}
        answer = await rpc(world, "getTokenAccountsByOwner", world.address, wanted, options)
        return [each["pubkey"] for each in answer["result"]["value"]]

    assert await accounts(mint=USDT) == []
    first, second = [await told(world, await send(world)) for _ in range(2)]
    assert rows(first["meta"], "pre", world.address) == []
    assert len(rows(second["meta"], "pre", world.address)) == 1
    assert [net(one, world.address) for one in (first, second)] == [15_004_200] * 2
    assert await accounts(mint=USDT) == [ours]
    assert ours in await accounts(programId=TOKEN)
    of_wallet, of_account = [
        [each["signature"] for each in (await rpc(world, "getSignaturesForAddress", who, CONFIRMED))["result"]]
        for who in (world.address, ours)
    ]
    hashes = [one["transaction"]["signatures"][0] for one in (second, first)]
    assert of_account == hashes
    assert hashes[1] in of_wallet  # it named the wallet to open the account
    assert hashes[0] not in of_wallet


async def test_a_fake_token_and_a_failed_transfer(world: SolanaWorld) -> None:
    fake = await told(world, await send(world, contract=FAKE))
    assert {row["mint"] for row in rows(fake["meta"], "post", world.address)} == {FAKE}
    failed = await told(world, await send(world, failed=True))
    assert failed["meta"]["err"] is not None
    assert failed["meta"]["status"] == {"Err": failed["meta"]["err"]}
    assert net(failed, world.address) == 0
    assert [(row.asset, row.failed) for row in world.books().transfers] == [("", False), ("USDT", True)]


async def test_transfers_hidden_in_a_program(world: SolanaWorld) -> None:
    one = await told(world, await send(world, via_contract=True, parts=3, amount="10", change="1"))
    assert sum(len(each["instructions"]) for each in one["meta"]["innerInstructions"]) >= 4
    assert net(one, world.address) == 9_000_000
    await send(world, asset="SOL", via_contract=True, amount="2")
    assert sum(row.amount for row in world.books().transfers) == 11


async def test_finality_and_commitments(world: SolanaWorld, clock: FakeClock) -> None:
    unknown = base58.b58encode(bytes(range(64))).decode()
    sent = await send(world, asset="SOL")
    null = recorded("solana/getTransaction_null_unknown.json")
    finalized = {"maxSupportedTransactionVersion": 0}
    assert await rpc(world, "getTransaction", unknown, finalized) == null
    assert await rpc(world, "getTransaction", sent, finalized) == null
    statuses = (await rpc(world, "getSignatureStatuses", [sent, unknown]))["result"]["value"]
    assert (statuses[0]["confirmationStatus"], statuses[1]) == ("confirmed", None)
    clock.advance(13)
    assert (await rpc(world, "getTransaction", sent, finalized))["result"]["slot"] > 0
    statuses = (await rpc(world, "getSignatureStatuses", [sent, unknown]))["result"]["value"]
    assert shape(statuses) == shape(recorded("solana/getSignatureStatuses_200.json")["result"]["value"])
    assert (statuses[0]["confirmations"], statuses[0]["status"]) == (None, {"Ok": None})
    slots = [(await rpc(world, "getSlot", {"commitment": each}))["result"] for each in ("finalized", "confirmed")]
    assert slots[0] <= slots[1]
    late = await rpc(world, "getSlot", {"minContextSlot": slots[1] + 5})
    assert late["error"]["code"] == -32016


async def test_lists_are_paged_newest_first(world: SolanaWorld) -> None:
    sent = [await send(world, asset="SOL", final=True) for _ in range(5)]

    async def page(**options: Any) -> list[str]:
        answer = await rpc(world, "getSignaturesForAddress", world.address, {"commitment": "finalized", **options})
        wanted = shape(recorded("solana/getSignaturesForAddress_trimmed.json"))["result"]
        assert all(shape([{**each, "memo": None}]) == wanted for each in answer["result"])
        return [each["signature"] for each in answer["result"]]

    whole = await page()
    assert [each for each in whole if each in sent] == sent[::-1]
    first = await page(limit=2)
    assert first == whole[:2]
    assert await page(limit=2, before=first[-1]) == whole[2:4]
    assert await page(until=whole[3]) == whole[:3]
    assert (await rpc(world, "getSignaturesForAddress", world.address, {"limit": 1001}))["error"]["code"] == -32602


async def test_small_answers(world: SolanaWorld) -> None:
    assert (await rpc(world, "getGenesisHash"))["result"] == "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"
    assert shape(await rpc(world, "getHealth")) == shape(recorded("solana/getHealth.json"))
    assert (await rpc(world, "getMystery"))["error"] == {"code": -32601, "message": "Method not found"}
    assert await rpc(world, "getTransaction", "1234") == recorded("solana/error_32602_wrong_size.json")
    slot = (await rpc(world, "getSlot"))["result"]
    assert (await rpc(world, "getBlockTime", slot))["result"] <= world.chain.now().timestamp()
    away = await rpc(world, "getBlockTime", slot + 500)
    assert shape(away) == shape(recorded("solana/error_32004_block_not_available.json"))
    async with client(world.app) as http:
        calls = [{"jsonrpc": "2.0", "id": number, "method": "getSlot"} for number in (7, 3)]
        assert [each["id"] for each in (await http.post("/node1", json=calls)).json()] == [7, 3]
        assert (await http.post("/node1", content=b"{")).json()["error"]["code"] == -32700


async def test_lag_and_lies(world: SolanaWorld) -> None:
    sent, held = await send(world, asset="SOL", final=True), await send(world, asset="SOL", final=False)
    await set_faults(world, node=1, lag_blocks=2)
    assert await told(world, sent, node=1) is None
    behind = await rpc(world, "getHealth", node=1)
    assert shape(behind) == shape(recorded("solana/error_32005_node_behind.json"))
    await set_faults(world, node=1, lag_blocks=0, lie=True)
    assert await told(world, sent, node=1) is None
    await set_faults(world, node=1, lie="inflated")

    async def gained(node: int) -> int:
        one = await told(world, sent, node=node, encoding="jsonParsed")
        keys = [each["pubkey"] for each in one["transaction"]["message"]["accountKeys"]]
        at = keys.index(world.address)
        return int(one["meta"]["postBalances"][at] - one["meta"]["preBalances"][at])

    assert await gained(1) == 10 * await gained(0)
    await set_faults(world, node=1, lie="early")
    assert await told(world, held, commitment="finalized") is None
    assert (await told(world, held, commitment="finalized", node=1))["slot"] > 0


async def test_outages(world: SolanaWorld) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "getTransaction", "params": [await send(world)]}
    async with client(world.app) as http:
        for kind, status, name in (
            ("rate_limit", 429, "error_429_http.json"),
            ("behind", 200, "error_32005_node_behind.json"),
            ("no_history", 200, "error_32011_history_not_available.json"),
            ("storage", 200, "error_32019_long_term_storage_unreachable.json"),
        ):
            await set_faults(world, outage=kind)
            answer = await http.post("/node0", json=body)
            assert (answer.status_code, answer.json()) == (status, recorded(f"solana/{name}"))
        await set_faults(world, outage=True)
        assert (await http.post("/node0", json=body)).status_code == 503
        await set_faults(world, outage=False)
        assert "result" in (await http.post("/node0", json=body)).json()


async def test_two_nodes_of_one_server(world: SolanaWorld) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "getSlot"}
    async with served(world.app) as url, httpx.AsyncClient() as http:
        given = world.environment(url)
        assert given["SOL_DEPOSIT_ADDRESS"] == world.address
        one, two = given["SOLANA_RPC_URL"].split(",")
        await set_faults(world, outage="drop", node=0)
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await http.post(one, json=body)
        assert (await http.post(two, json=body)).json()["result"] > 0


def test_derived_accounts_are_the_recorded_ones() -> None:
    """Three accounts of mainnet, with their owners, as their transactions tell them."""
    for name in ("getTransaction_json_spl_transferChecked.json", "getTransaction_json_v0_swap_with_lookup_tables.json"):
        one = recorded(f"solana/{name}")["result"]
        loaded = one["meta"]["loadedAddresses"]
        keys = [*one["transaction"]["message"]["accountKeys"], *loaded["writable"], *loaded["readonly"]]
        derived = [
            row
            for row in one["meta"]["postTokenBalances"]
            if token_account(row["owner"], row["mint"]) == keys[row["accountIndex"]]
        ]
        assert derived
    assert token_account(new_wallet(seeded()), USDT) == token_account(new_wallet(seeded()), USDT)

"""The simulated Tron hosts answer in the shapes recorded from mainnet, and misbehave when told to."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx
import pytest

from tests.support.chains import recorded, send, set_faults
from tests.support.clock import FakeClock
from tests.support.worlds import client, seeded, served, shape
from viralcore.sandbox.worlds.tron import TronWorld
from viralcore.sandbox.worlds.tron_chain import TRANSFER_TOPIC, USDT, word
from viralcore.sandbox.worlds.tron_raw import Raw, base58_of, hex_of

USDT_SHOWN = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
FAKE = "TEkxiTehnzSmSe2XqrBj4w32RUN966rdz8"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> TronWorld:
    return TronWorld(clock.now, seeded())


async def call(world: TronWorld, path: str, node: int = 0, **asked: Any) -> Any:
    async with client(world.apps[node]) as http:
        return (await http.post(f"/{path}", json=asked)).json()


async def pair(world: TronWorld, sent: str, where: str = "wallet", node: int = 0) -> tuple[Any, Any]:
    """A transaction and its info."""
    body = await call(world, f"{where}/gettransactionbyid", node, value=sent)
    return body, await call(world, f"{where}/gettransactioninfobyid", node, value=sent)


async def listed(world: TronWorld, kind: str = "", node: int = 0, **params: Any) -> Any:
    async with client(world.apps[node]) as http:
        answer = await http.get(f"/v1/accounts/{world.address}/transactions{kind}", params=params)
    return answer.json()


@pytest.mark.parametrize(
    "name",
    [
        "gettransactionbyid_trx_transfer_150_466320.json",
        "gettransactionbyid_trx_transfer_dust_1_sun.json",
        "gettransactionbyid_trc20_usdt_41_prefixed_word.json",
        "gettransactionbyid_trc20_usdt_plain_word.json",
        "v1_account_transactions_dust_and_trc10_live_2025.json",
        "v1_account_transactions_trx_transfer.json",
    ],
)
def test_our_bytes_are_the_recorded_ones(name: str) -> None:
    told = recorded(f"tron/{name}")
    for one in told.get("data", [told]):
        raw, contract = one["raw_data"], one["raw_data"]["contract"][0]
        value = contract["parameter"]["value"]
        ours = Raw(
            kind=contract["type"],
            owner=value["owner_address"],
            to=value.get("to_address") or value["contract_address"],
            amount=value.get("amount", 0),
            timestamp=raw["timestamp"],
            expiration=raw["expiration"],
            ref_block_bytes=raw["ref_block_bytes"],
            ref_block_hash=raw["ref_block_hash"],
            data=value.get("data", ""),
            asset_name=value.get("asset_name", ""),
            fee_limit=raw.get("fee_limit", 0),
        )
        assert (ours.encoded.hex(), ours.id) == (one["raw_data_hex"], one["txID"])


async def test_a_usdt_transfer_has_the_recorded_shapes(world: TronWorld) -> None:
    sent = await send(world)
    body, info = await pair(world, sent)
    assert shape(body) == shape(recorded("tron/gettransactionbyid_trc20_usdt_plain_word.json"))
    assert shape(info) == shape(recorded("tron/gettransactioninfobyid_trc20_usdt_success.json"))
    assert hashlib.sha256(bytes.fromhex(body["raw_data_hex"])).hexdigest() == sent == body["txID"] == info["id"]
    ours = hex_of(world.address) or ""
    assert info["log"] == [
        {
            "address": USDT[2:],
            "topics": [TRANSFER_TOPIC, info["log"][0]["topics"][1], word(ours)],
            "data": f"{15_004_200:064x}",
        }
    ]


async def test_both_spellings_of_an_address_in_a_call(world: TronWorld) -> None:
    datas = []
    for _ in range(20):
        body, _ = await pair(world, await send(world))
        datas.append(body["raw_data"]["contract"][0]["parameter"]["value"]["data"])
    assert {data[30:32] for data in datas} == {"00", "41"}
    assert {len(data) for data in datas} == {136}


async def test_a_trx_transfer_has_the_recorded_shapes(world: TronWorld) -> None:
    recordings = [
        recorded(f"tron/gettransactioninfobyid_trx_transfer_{name}.json")
        for name in ("activating_account", "free_bandwidth")
    ]
    seen = []
    for _ in range(12):
        body, info = await pair(world, await send(world, asset="TRX", amount="150.46632"))
        assert shape(body) == shape(recorded("tron/gettransactionbyid_trx_transfer_150_466320.json"))
        assert body["raw_data"]["contract"][0]["parameter"]["value"]["amount"] == 150_466_320
        seen.append(shape(info))
    assert all(any(one == shape(each) for each in recordings) for one in seen)
    assert all(shape(each) in seen for each in recordings)


async def test_a_failed_call_has_the_recorded_shape(world: TronWorld) -> None:
    body, info = await pair(world, await send(world, failed=True))
    assert shape(info) == shape(recorded("tron/gettransactioninfobyid_failed_revert_shape.json"))
    assert (body["ret"], info["result"], info["receipt"]["result"]) == (
        [{"contractRet": "REVERT"}],
        "FAILED",
        "REVERT",
    )
    body, info = await pair(world, await send(world, asset="TRX", failed=True))
    assert body["ret"] != [{"contractRet": "SUCCESS"}]
    assert info["result"] == "FAILED"


async def test_unknown_and_malformed_questions(world: TronWorld) -> None:
    for where in ("wallet", "walletsolidity"):
        assert await pair(world, "ab" * 32, where) == (recorded("tron/wallet_unknown_tx.json"),) * 2
        assert (await pair(world, "zz", where))[0] == recorded("tron/wallet_error_bad_hex_get.json")
    async with client(world.app) as http:
        assert (await http.post("/wallet/getmystery", json={})).status_code == 404
        assert (await http.get("/v1/accounts/T1/transactions")).status_code == 400
        assert (await http.get(f"/v1/accounts/{world.address}/transactions?limit=201")).status_code == 400
        got = await http.get("/wallet/gettransactionbyid", params={"value": await send(world), "visible": "true"})
    assert got.json()["raw_data"]["contract"][0]["parameter"]["value"]["contract_address"] == USDT_SHOWN


async def test_solid_after_its_time_only(world: TronWorld, clock: FakeClock) -> None:
    sent = await send(world)
    head, solid = await call(world, "wallet/getnowblock"), await call(world, "walletsolidity/getnowblock")
    wanted = recorded("tron/getnowblock_trimmed.json")
    assert shape(head["block_header"]) == shape(solid["block_header"]) == shape(wanted["block_header"])
    assert int(head["blockID"][:16], 16) == head["block_header"]["raw_data"]["number"]
    assert await pair(world, sent, "walletsolidity") == ({}, {})
    clock.advance(56)
    assert await pair(world, sent, "walletsolidity") == ({}, {})
    clock.advance(1)
    assert await pair(world, sent, "walletsolidity") == await pair(world, sent)
    solid = await call(world, "walletsolidity/getnowblock")
    _, info = await pair(world, sent)
    assert solid["block_header"]["raw_data"]["timestamp"] == info["blockTimeStamp"]
    genesis = await call(world, "wallet/getblockbynum", num=0)
    assert int(genesis["blockID"][-8:], 16) == 728126428


async def test_the_list_of_tokens_has_the_recorded_shape(world: TronWorld, clock: FakeClock) -> None:
    sent = await send(world, final=True)
    fake = await send(world, contract=FAKE, final=True)
    page = await listed(world, "/trc20", only_to="true", limit=200)
    assert shape(page) == shape(recorded("tron/v1_account_transactions_trc20_live_2025.json"))
    rows = {row["transaction_id"]: row for row in page["data"]}
    assert rows[sent]["value"] == "15004200"
    assert (rows[sent]["to"], rows[sent]["token_info"]["address"]) == (world.address, USDT_SHOWN)
    assert rows[fake]["token_info"]["symbol"] == "USDT"
    page = await listed(world, "/trc20", contract_address=USDT_SHOWN)
    assert {sent} <= {row["transaction_id"] for row in page["data"]} <= {row for row in rows if row != fake}
    nobody = await listed(world, "/trc20", min_timestamp=1, max_timestamp=2)
    assert shape(nobody) == shape(recorded("tron/v1_empty_page.json"))


async def test_the_list_of_coins_has_the_recorded_shape_and_spam_in_it(world: TronWorld) -> None:
    sent = await send(world, asset="TRX", amount="40", final=True)
    page = await listed(world)
    wanted = recorded("tron/v1_account_transactions_dust_and_trc10_live_2025.json")
    rows = {row["raw_data"]["contract"][0]["type"]: row for row in page["data"]}
    for row in wanted["data"]:
        assert shape(rows[row["raw_data"]["contract"][0]["type"]]) == shape(row)
    amounts = [row["raw_data"]["contract"][0]["parameter"]["value"]["amount"] for row in page["data"]]
    assert {1, 8_888_880_000, 40_000_000} <= set(amounts)
    assert [row.hash for row in world.books().transfers] == [sent]


async def test_what_is_solid_and_what_is_not_are_two_lists(world: TronWorld, clock: FakeClock) -> None:
    first = await send(world)
    clock.advance(57)
    second = await send(world)

    async def hashes(**params: Any) -> list[str]:
        rows = (await listed(world, "/trc20", only_to="true", contract_address=USDT_SHOWN, **params))["data"]
        return [row["transaction_id"] for row in rows if row["value"] != "0"]

    assert await hashes(only_confirmed="true") == [first]
    assert await hashes(only_unconfirmed="true") == [second]
    assert await hashes() == [second, first]
    assert await hashes(order_by="block_timestamp,asc") == [first, second]
    _, info = await pair(world, second)
    at = info["blockTimeStamp"]
    assert await hashes(min_timestamp=at) == [second]
    assert await hashes(max_timestamp=at - 1) == [first]


async def test_pages_follow_each_other(world: TronWorld) -> None:
    sent = [await send(world, asset="TRX", amount="2", final=True) for _ in range(7)]
    params = {"only_to": "true", "limit": "3", "order_by": "block_timestamp,asc"}
    found: list[str] = []
    for _ in range(20):
        page = await listed(world, **params)
        assert page["meta"]["page_size"] == len(page["data"]) <= 3
        found += [row["txID"] for row in page["data"]]
        if "fingerprint" not in page["meta"]:
            break
        assert f"fingerprint={page['meta']['fingerprint']}" in page["meta"]["links"]["next"]
        params["fingerprint"] = page["meta"]["fingerprint"]
    whole = [row["txID"] for row in (await listed(world, limit=200, order_by="block_timestamp,asc"))["data"]]
    assert found == whole
    assert [each for each in found if each in sent] == sent


async def test_a_contract_pays_with_several_logs(world: TronWorld) -> None:
    sent = await send(world, via_contract=True, parts=3, amount="10", change="1")
    body, info = await pair(world, sent)
    assert body["raw_data"]["contract"][0]["parameter"]["value"]["contract_address"] != USDT
    assert len(info["log"]) == 6
    assert sum(row.amount for row in world.books().transfers) == 9
    hidden = await send(world, via_contract=True, asset="TRX")
    assert "internal_transactions" in (await pair(world, hidden))[1]
    assert hidden not in {row.hash for row in world.books().transfers}


async def test_lag_and_lies(world: TronWorld) -> None:
    sent, held = await send(world, final=True), await send(world, final=False)
    await set_faults(world, node=1, lag_blocks=2)
    assert await pair(world, sent, node=1) == ({}, {})
    await set_faults(world, node=1, lag_blocks=0, lie="missing")
    assert await pair(world, sent, node=1) == ({}, {})
    assert all(row["transaction_id"] != sent for row in (await listed(world, "/trc20", node=1))["data"])
    await set_faults(world, node=1, lie="inflated")
    (_, honest), (_, inflated) = await pair(world, sent), await pair(world, sent, node=1)
    assert int(inflated["log"][0]["data"], 16) == 10 * int(honest["log"][0]["data"], 16)
    await set_faults(world, node=1, lie="early")
    assert await pair(world, held, "walletsolidity") == ({}, {})
    assert (await pair(world, held, "walletsolidity", node=1))[0]["txID"] == held


async def test_outages(world: TronWorld) -> None:
    lists = f"/v1/accounts/{world.address}/transactions"
    async with client(world.app) as http:
        for kind, path, status, name in (
            ("rate_limit", "/wallet/getnowblock", 429, "error_429_keyless_rps.json"),
            ("rate_limit_200", "/wallet/getnowblock", 200, "error_429_keyless_rps.json"),
            ("suspended", "/wallet/getnowblock", 403, "error_403_key_frequency.json"),
            ("suspended", lists, 403, "error_403_v1_frequency.json"),
            ("bad_key", "/wallet/getnowblock", 403, "error_403_bad_key.json"),
        ):
            await set_faults(world, outage=kind)
            answer = await http.get(path)
            assert (answer.status_code, answer.json()) == (status, recorded(f"tron/{name}"))
        await set_faults(world, outage=True)
        assert (await http.get("/wallet/getnowblock")).status_code == 503
        await set_faults(world, outage=False)
        assert "blockID" in (await http.get("/wallet/getnowblock")).json()


async def test_two_hosts_without_a_path(world: TronWorld) -> None:
    async with served(world.apps[0]) as one, served(world.apps[1]) as two, httpx.AsyncClient() as http:
        told = world.environment_of([one, two])
        assert told == {"TRON_API_URL": f"{one},{two}", "TRX_DEPOSIT_ADDRESS": world.address}
        await set_faults(world, outage="drop", node=0)
        with pytest.raises(httpx.RemoteProtocolError):
            await http.post(f"{one}/wallet/getnowblock")
        assert "blockID" in (await http.post(f"{two}/wallet/getnowblock")).json()
    assert base58_of(hex_of(world.address) or "") == world.address

"""The simulated Aptos nodes answer in the shapes recorded from real ones, and misbehave when told to."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx
import pytest

from tests.support.chains import post, recorded, send, set_faults
from tests.support.clock import FakeClock
from tests.support.worlds import client, seeded, served, shape
from viralcore.sandbox.worlds.aptos import AptosWorld
from viralcore.sandbox.worlds.aptos_chain import APT, COIN, USDT, read_address, short, store_of

FAKE = "0xbae207659db88bea0cbead6da0ed00aac12edcdda169e591cd41c94180b46f3b"
UNKNOWN = "0x15940935f6317d7a42085855aa8167106aff03aeff5528bed51da015940d3221"
DEPOSIT = "0x1::fungible_asset::Deposit"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> AptosWorld:
    return AptosWorld(clock.now, seeded())


async def asked(world: AptosWorld, path: str, node: int = 0, **params: Any) -> httpx.Response:
    async with client(world.app) as http:
        return await http.get(f"/node{node}/v1{path}", params=params or None)


async def get(world: AptosWorld, path: str, node: int = 0, **params: Any) -> Any:
    return (await asked(world, path, node, **params)).json()


async def told(world: AptosWorld, sent: str, node: int = 0) -> Any:
    return await get(world, f"/transactions/by_hash/{sent}", node)


def form(one: Any) -> str:
    return next(each["type"] for each in one["events"] if "Deposit" in each["type"])


def credited(one: Any, owner: str, asset: str) -> int:
    """What a reader that resolves stores finds."""
    data: dict[str, dict[str, Any]] = {}
    for change in one["changes"]:
        data.setdefault(str(read_address(change["address"])), {})[change["data"]["type"]] = change["data"]["data"]
    total = 0
    for event in one["events"]:
        sign = {DEPOSIT: 1, "0x1::fungible_asset::Withdraw": -1}.get(event["type"], 0)
        if sign:
            store = data[str(read_address(event["data"]["store"]))]
            inner = store["0x1::fungible_asset::FungibleStore"]["metadata"]["inner"]
            if store["0x1::object::ObjectCore"]["owner"] == owner and read_address(inner) == asset:
                total += sign * int(event["data"]["amount"])
    return total


async def test_old_coin_events_have_the_recorded_shape(world: AptosWorld) -> None:
    wanted = recorded("aptos/txn_by_hash_apt_transfer_coin_events_2023.json")
    seen = {}
    for _ in range(30):
        one = await told(world, await send(world, asset="APT", amount="1.234"))
        seen[form(one)] = one
    assert set(seen) == {"0x1::coin::DepositEvent", "0x1::coin::CoinDeposit", DEPOSIT}
    one = seen["0x1::coin::DepositEvent"]
    assert shape(one) == shape(wanted) | {"replay_protection_nonce": "NoneType"}
    assert [shape(each) for each in one["events"]] == [shape(each) for each in wanted["events"]]
    assert (one["events"][1]["guid"]["account_address"], one["events"][1]["data"]) == (
        world.address,
        {"amount": "123400000"},
    )
    kinds = {change["data"]["type"]: shape(change) for change in one["changes"]}
    for change in wanted["changes"]:
        if change["type"] == "write_resource":
            assert kinds[change["data"]["type"]] == shape(change)
    assert credited(seen[DEPOSIT], world.address, APT) == 123_400_000


async def test_usdt_is_told_by_stores_that_the_changes_explain(world: AptosWorld) -> None:
    store = store_of(world.address, USDT)
    spelled = set()
    for _ in range(20):
        one = await told(world, await send(world))
        assert credited(one, world.address, USDT) == 15_004_200
        spelled |= {event["data"]["store"] for event in one["events"] if event["type"] == DEPOSIT}
        assert one["vm_status"] == "Executed successfully"
        assert one["type"] == "user_transaction"
    assert {read_address(each) for each in spelled} == {store}


async def test_our_stores_are_sometimes_printed_without_leading_zeros(world: AptosWorld) -> None:
    asset, name = next((a, b) for a, b in ((APT, "APT"), (USDT, "USDT")) if store_of(world.address, a)[2] == "0")
    store = store_of(world.address, asset)
    spelled: set[str] = set()
    for _ in range(30):
        one = await told(world, await send(world, asset=name))
        told_of = {event["data"].get("store") for event in one["events"]} & {store, short(store)}
        assert told_of <= {change.get("address") for change in one["changes"]}
        spelled |= told_of
    assert spelled == {store, short(store)}
    assert len(short(store)) < len(store)


def test_a_primary_store_is_derived_from_owner_and_asset() -> None:
    owner = "0x" + "01" * 32
    rule = hashlib.sha3_256(bytes([1]) * 32 + bytes.fromhex(USDT[2:]) + bytes([0xFC])).hexdigest()
    assert store_of(owner, USDT) == f"0x{rule}"
    assert store_of(owner, APT) != store_of(owner, USDT)
    assert read_address("0xa") == APT


async def test_a_failed_transfer_has_the_recorded_shape(world: AptosWorld) -> None:
    one = await told(world, await send(world, failed=True))
    wanted = recorded("aptos/txn_by_hash_failed_fa_insufficient_balance.json")
    assert shape({**one, "payload": 0}) == shape({**wanted, "payload": 0})
    assert set(one["payload"]) == set(wanted["payload"])
    assert (one["success"], one["vm_status"]) == (False, wanted["vm_status"])
    assert {change["data"]["type"] for change in one["changes"]} == {"0x1::account::Account"}
    assert [row.failed for row in world.books().transfers] == [True]


async def test_what_waits_is_pending_and_then_committed_at_once(world: AptosWorld) -> None:
    wanted = recorded("aptos/txn_by_hash_pending.json")
    for fields in ({"final": False}, {"unmined": True}):
        sent = await send(world, asset="APT", **fields)
        one = await told(world, sent)
        assert set(one) == set(wanted)
        assert one["type"] == "pending_transaction"
        assert sent not in {row.hash for row in world.books().transfers}
        assert (await post(world, f"/transfers/{sent}", {"final": True})).json() == {"hash": sent, "final": True}
        assert (await told(world, sent))["success"] is True
    sent = await send(world)
    assert (await told(world, sent))["success"] is True
    assert {row.final for row in world.books().transfers} == {True}


async def test_errors_are_the_recorded_ones(world: AptosWorld) -> None:
    unknown = await asked(world, f"/transactions/by_hash/{UNKNOWN}")
    assert (unknown.status_code, unknown.json()) == (404, recorded("aptos/error_404_transaction_not_found.json"))
    short_hash = await asked(world, "/transactions/by_hash/0x123")
    assert (short_hash.status_code, short_hash.json()) == (400, recorded("aptos/error_400_invalid_hash.json"))
    nobody = await asked(world, f"/accounts/{UNKNOWN}")
    wanted = recorded("aptos/error_404_account_not_found.json")
    assert (nobody.status_code, nobody.json()["error_code"]) == (404, wanted["error_code"])
    assert nobody.json()["message"].startswith(f"Account not found by Address({UNKNOWN}) and Ledger version(")
    for path, status in (
        ("/mystery", 404),
        ("/accounts/0xzz", 400),
        ("/transactions/by_version/x", 400),
        ("/transactions/by_version/1", 410),
        ("/transactions/by_version/99999999999", 404),
        ("/transactions?start=99999999999", 404),
        (f"/accounts/{world.address}?ledger_version=99999999999", 404),
    ):
        assert (await asked(world, path)).status_code == status, path


async def test_the_ledger_and_its_headers(world: AptosWorld, clock: FakeClock) -> None:
    answer = await asked(world, "/")
    assert shape(answer.json()) == shape(recorded("aptos/ledger_info.json"))
    wanted = set(recorded("aptos/response_headers.json")) - {"x-aptos-gas-used"}
    assert wanted <= set(answer.headers)
    assert answer.headers["x-aptos-ledger-version"] == answer.json()["ledger_version"]
    assert wanted <= set((await asked(world, "/transactions/by_hash/0x1")).headers)
    before = int(answer.json()["ledger_version"])
    clock.advance(3)
    assert int((await get(world, ""))["ledger_version"]) > before


async def test_versions_have_no_gaps(world: AptosWorld, clock: FakeClock) -> None:
    start = int((await get(world, "/"))["ledger_version"]) + 1
    sent = [await send(world) for _ in range(3)]
    clock.advance(4)
    page = await get(world, "/transactions", start=start, limit=500)
    assert [int(one["version"]) for one in page] == list(range(start, start + len(page)))
    assert [one["hash"] for one in page if one["hash"] in sent] == sent
    assert {one["type"] for one in page} == {
        "block_metadata_transaction",
        "user_transaction",
        "block_epilogue_transaction",
    }
    assert page[0]["type"] == "block_metadata_transaction"
    for one in page:
        assert await get(world, f"/transactions/by_version/{one['version']}") == one
    assert len(await get(world, "/transactions", start=start, limit=2)) == 2
    many = await get(world, "/transactions")
    assert int(many[-1]["version"]) == int((await get(world, "/"))["ledger_version"])


async def test_balances_as_they_were(world: AptosWorld) -> None:
    path = f"/accounts/{world.address}/balance/{USDT}"
    assert await get(world, path) == 0
    first, second = [await told(world, await send(world, amount=amount)) for amount in ("2", "3")]
    at = [int(one["version"]) for one in (first, second)]
    assert await get(world, path) == 5_000_000
    assert await get(world, path, ledger_version=at[1] - 1) == 2_000_000
    assert await get(world, path, ledger_version=at[0] - 1) == 0
    await send(world, asset="APT", amount="1")
    for asset in ("0xa", COIN):
        assert await get(world, f"/accounts/{world.address}/balance/{asset}") == 100_000_000
    store = await get(world, f"/accounts/{store_of(world.address, USDT)}/resource/0x1::fungible_asset::FungibleStore")
    assert store["data"] == {"balance": "5000000", "frozen": False, "metadata": {"inner": USDT}}
    about = await get(world, f"/accounts/{USDT}/resource/0x1::fungible_asset::Metadata")
    assert about["data"]["decimals"] == 6
    assert (await get(world, f"/accounts/{world.address}"))["sequence_number"] == "0"
    assert await get(world, f"/accounts/{world.address}/transactions") == []
    payer = first["sender"]
    assert [one["hash"] for one in await get(world, f"/accounts/{payer}/transactions")] == [first["hash"]]


async def test_what_we_send_is_numbered_and_listed_by_its_numbers(world: AptosWorld) -> None:
    await send(world, amount="9")
    sent = [await told(world, await send(world, amount="1", **{"from": world.address})) for _ in range(3)]
    assert [one["sequence_number"] for one in sent] == ["0", "1", "2"]
    account, before = f"/accounts/{world.address}", int(sent[1]["version"]) - 1
    assert (await get(world, account))["sequence_number"] == "3"
    assert (await get(world, account, ledger_version=before))["sequence_number"] == "1"
    listed = await get(world, f"{account}/transactions", start=1, limit=100)
    assert [one["hash"] for one in listed] == [sent[1]["hash"], sent[2]["hash"]]
    assert len(await get(world, f"{account}/transactions", start=1, limit=1)) == 1


async def test_odd_transfers(world: AptosWorld) -> None:
    one = await told(world, await send(world, via_contract=True, parts=3, amount="10", change="1"))
    assert credited(one, world.address, USDT) == 9_000_000
    assert sum(row.amount for row in world.books().transfers) == 9
    fake = await told(world, await send(world, contract=FAKE))
    assert credited(fake, world.address, USDT) == 0
    assert credited(fake, world.address, FAKE) == 15_004_200
    assert [row.asset for row in world.books().transfers if row.hash == fake["hash"]] == [""]
    old = await told(world, await send(world, age_seconds=3600))
    assert world.chain.now().timestamp() - int(old["timestamp"]) / 1_000_000 == 3600


async def test_lag_and_lies(world: AptosWorld) -> None:
    sent, held = await send(world), await send(world, final=False)
    version = (await told(world, sent))["version"]
    await set_faults(world, node=1, lag_blocks=1)
    assert (await told(world, sent, node=1))["error_code"] == "transaction_not_found"
    await set_faults(world, node=1, lag_blocks=0, lie=True)
    assert (await told(world, sent, node=1))["error_code"] == "transaction_not_found"
    instead = await get(world, f"/transactions/by_version/{version}", node=1)
    assert (instead["version"], instead["type"]) == (version, "user_transaction")
    assert sent not in str(instead)
    assert await get(world, f"/accounts/{world.address}/balance/{USDT}", node=1) == 0
    await set_faults(world, node=1, lie="inflated")
    assert credited(await told(world, sent, node=1), world.address, USDT) == 150_042_000
    await set_faults(world, node=1, lie="early")
    assert (await told(world, held))["type"] == "pending_transaction"
    early = await told(world, held, node=1)
    assert early["success"] is True
    assert int((await get(world, "/", node=1))["ledger_version"]) > int((await get(world, "/"))["ledger_version"])
    assert await get(world, f"/transactions/by_version/{early['version']}", node=1) == early


async def test_outages(world: AptosWorld) -> None:
    await set_faults(world, outage="rate_limit")
    assert (await asked(world, "/")).status_code == 429
    await set_faults(world, outage=True)
    assert (await asked(world, "/")).status_code == 503
    await set_faults(world, outage="html")
    assert (await asked(world, "/")).headers["content-type"].startswith("text/html")
    await set_faults(world, outage=False)
    assert (await get(world, "/"))["chain_id"] == 1


async def test_two_nodes_of_one_server(world: AptosWorld) -> None:
    async with served(world.app) as url, httpx.AsyncClient() as http:
        given = world.environment(url)
        assert given["APTOS_DEPOSIT_ADDRESS"] == world.address
        one, two = given["APTOS_API_URL"].split(",")
        assert one.endswith("/v1")
        assert two.endswith("/v1")
        await set_faults(world, outage="drop", node=0)
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get(one)
        assert (await http.get(two)).json()["chain_id"] == 1

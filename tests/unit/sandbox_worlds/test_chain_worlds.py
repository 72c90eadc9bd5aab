"""What Solana, Tron and Aptos have in common as worlds: when money is final, what is quiet, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from tests.support.chains import post, send, set_faults
from tests.support.clock import FakeClock
from tests.support.worlds import client, seeded
from viralcore.sandbox.world import HostsWorld
from viralcore.sandbox.worlds.aptos import AptosWorld
from viralcore.sandbox.worlds.solana import SolanaWorld
from viralcore.sandbox.worlds.tron import TronWorld
from viralcore.sandbox.worlds.tron_chain import millis

World = SolanaWorld | TronWorld | AptosWorld

NATIVE = {"solana": "SOL", "tron": "TRX", "aptos": "APT"}
DELAY = {"solana": 13, "tron": 57, "aptos": 0}
UNKNOWN = {"solana": "1" * 64, "tron": "ab" * 32, "aptos": "0x" + "ab" * 32}
NOBODY = {
    "solana": "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
    "tron": "TL24LCps5FKwp3PoU1MvrYrwhi5LU1tHre",
    "aptos": "0x" + "cd" * 32,
}
BAD_ADDRESSES = {
    "solana": [
        "",
        "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt",
        "0x" + "cd" * 20,
        "TL24LCps5FKwp3PoU1MvrYrwhi5LU1tHre",
    ],
    "tron": ["", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6u", "tr7nhqjekqxgtci8q8zy4pl8otszgjlj6t", "0x" + "cd" * 20],
    "aptos": ["", "0x", "cd" * 32, "0x" + "c" * 65, "0xzz"],
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=[SolanaWorld, TronWorld, AptosWorld], ids=["solana", "tron", "aptos"])
def world(request: pytest.FixtureRequest, clock: FakeClock) -> World:
    build: Callable[..., World] = request.param
    return build(clock.now, seeded())


async def told_final(world: World, sent: str) -> bool:
    """Ask the first node as a reader would."""
    if isinstance(world, AptosWorld):
        async with client(world.app) as http:
            return bool((await http.get(f"/node0/v1/transactions/by_hash/{sent}")).json().get("success"))
    if isinstance(world, TronWorld):
        async with client(world.app) as http:
            return bool((await http.post("/walletsolidity/gettransactioninfobyid", json={"value": sent})).json())
    params = [sent, {"maxSupportedTransactionVersion": 0}]
    call = {"id": 1, "method": "getTransaction", "params": params}
    return bool(world.nodes[0].answer(call)["result"])


@pytest.mark.parametrize("asset", ["USDT", "native"])
async def test_final_by_itself_after_the_networks_delay(world: World, clock: FakeClock, asset: str) -> None:
    sent = await send(world, asset=NATIVE[world.name] if asset == "native" else asset)
    delay = DELAY[world.name]
    assert await told_final(world, sent) == (delay == 0)
    assert world.next_due(clock.now()) == (clock.now() + timedelta(seconds=delay) if delay else None)
    clock.advance(max(delay - 1, 0))
    assert await told_final(world, sent) == (delay == 0)
    clock.advance(1)
    assert await told_final(world, sent)
    assert world.next_due(clock.now()) is None


async def test_final_at_once_and_by_hand(world: World, clock: FakeClock) -> None:
    assert await told_final(world, await send(world, final=True))
    held, later = await send(world, final=False), await send(world)
    clock.advance(7200)
    await world.tick(clock.now())
    clock.advance(60)
    assert await told_final(world, later)
    assert not await told_final(world, held)
    assert world.pending(clock.now()) == []
    answer = await post(world, f"/transfers/{held}", {"final": True})
    assert answer.json() == {"hash": held, "final": True}
    assert await told_final(world, held)
    shown = {one["hash"]: (one["state"], one["held"]) for one in world.snapshot()["transfers"]}
    assert shown[held] == ("final", False)


async def test_not_quiet_until_somebody_read_what_is_final(world: World, clock: FakeClock) -> None:
    sent = await send(world)
    clock.advance(DELAY[world.name])
    assert "nobody has read" in world.pending(clock.now())[0]
    await set_faults(world, outage=True)
    assert world.pending(clock.now()) == []
    await set_faults(world, outage=False)
    assert await told_final(world, sent)
    assert world.pending(clock.now()) == []
    for fields in ({"failed": True}, {"to": NOBODY[world.name]}, {"contract": NOBODY[world.name]}, {"amount": "0"}):
        await send(world, final=True, **fields)
        assert world.pending(clock.now()) == [], fields


async def test_finality_that_is_far_off_is_not_waited_for(clock: FakeClock) -> None:
    tron = TronWorld(clock.now, seeded())
    await send(tron)
    assert tron.pending(clock.now()) == []
    clock.advance(45)
    assert "becomes final" in tron.pending(clock.now())[0]


async def test_finality_never_goes_back(world: World, clock: FakeClock) -> None:
    rng, chain = seeded(), world.chain
    seen = [chain.finalized()]
    for _ in range(150):
        clock.advance(rng.choice([0, 0.5, 1, 3, 60]))
        match rng.randrange(4):
            case 0:
                await send(world, final=rng.choice([True, False, None]), age_seconds=rng.choice([0, 0, 0, 500]))
            case 1:
                chain.poll()
            case 2:
                await world.tick(clock.now())
            case _:
                held = [one for one in chain.transfers.values() if one.held or not one.mined]
                if held:
                    await post(world, f"/transfers/{rng.choice(held).hash}", {"final": True})
        final = {block.hash for block in chain.blocks[: seen[-1] - chain.first_block + 1]}
        seen.append(chain.finalized())
        assert final <= {block.hash for block in chain.blocks}
    assert seen == sorted(seen)
    assert all(one.hash == two.parent and one.number + 1 == two.number for one, two in pairwise(chain.blocks))
    if world.name == "tron":  # readers find their place by time
        plain = [millis(b.at) for b in chain.blocks if b.transfer is None or not b.transfer.backdated]
        assert all(one < two for one, two in pairwise(plain))


async def test_the_books_show_what_reached_us(world: World) -> None:
    native = NATIVE[world.name]
    await send(world, amount="2.5", final=True)
    await send(world, asset=native, amount="0.25", failed=True)
    await send(world, to=NOBODY[world.name])
    await send(world, contract=NOBODY[world.name])
    await send(world, amount="12345.000001")
    rows = [(row.network, row.asset, row.amount, row.failed) for row in world.books().transfers]
    assert rows == [
        (world.name, "USDT", Decimal("2.5"), False),
        (world.name, native, Decimal("0.25"), True),
        (world.name, "", Decimal("15.0042"), False),
        (world.name, "USDT", Decimal("12345.000001"), False),
    ]
    shown = world.snapshot()["transfers"]
    assert [one["asset"] for one in shown] == ["USDT", "fake USDT", "USDT", native, "USDT"]
    assert [one["ours"] for one in shown] == [True, True, False, True, True]
    assert shown[0]["to"] == world.address
    assert world.snapshot()["chains"][world.name]["assets"] == ["USDT", native]


async def test_what_strangers_send_is_in_no_book(world: World, clock: FakeClock) -> None:
    for _ in range(60):
        await send(world, to=NOBODY[world.name])
        clock.advance(5)
    assert world.books().transfers == []


@pytest.mark.parametrize(
    "body",
    [
        {"asset": "BNB"},
        {"amount": "-1"},
        {"amount": "1e3"},
        {"amount": 1.5, "asset": 7},
        {"amount": "0.0000001"},
        {"amount": "9" * 40},
        {"final": "yes"},
        {"colour": "red"},
        {"asset": "native", "contract": "own"},
        {"asset": "native", "parts": 2},
        {"change": "16"},
        {"final": True, "unmined": True},
        {"age_seconds": -1},
    ],
)
async def test_nonsense_is_refused_in_words(world: World, body: dict[str, Any]) -> None:
    spoken = {"native": NATIVE[world.name], "own": NOBODY[world.name]}
    body = {key: spoken.get(value, value) if isinstance(value, str) else value for key, value in body.items()}
    answer = await post(world, "/transfers", {"asset": "USDT", "to": world.address, "amount": "15"} | body)
    assert answer.status_code == 400
    assert isinstance(answer.json()["error"], str)
    assert not world.chain.transfers


async def test_addresses_and_hashes_must_be_of_the_network(world: World) -> None:
    for bad in BAD_ADDRESSES[world.name]:
        for field in ("to", "from", "contract"):
            body = {"asset": "USDT", "to": world.address, "amount": "1"} | {field: bad}
            answer = await post(world, "/transfers", body)
            assert answer.status_code == 400, (field, bad)
            assert answer.json()["error"].startswith(f"{field}: ")
    assert (await post(world, "/transfers/0xnothing", {"final": True})).status_code == 400
    assert (await post(world, f"/transfers/{UNKNOWN[world.name]}", {"final": True})).status_code == 404
    assert (await post(world, "", {"node": 2})).status_code == 400
    assert (await post(world, "", {"outage": "tea"})).status_code == 400


async def test_faults_of_one_node_and_of_both(world: World) -> None:
    told = await set_faults(world, node=1, lag_blocks=3, latency_ms=5)
    assert [node["lag_blocks"] for node in told["nodes"]] == [0, 3]
    assert told["outage"] == ""
    told = await set_faults(world, outage=True)
    assert [node["outage"] for node in told["nodes"]] == ["503", "503"]
    assert [node["latency_ms"] for node in told["nodes"]] == [0, 5]


async def test_each_start_has_an_address_of_its_own(clock: FakeClock) -> None:
    rng = seeded()
    for build in (SolanaWorld, TronWorld, AptosWorld):
        assert len({build(clock.now, rng).address for _ in range(3)}) == 3
    assert isinstance(TronWorld(clock.now, rng), HostsWorld)
    assert not isinstance(SolanaWorld(clock.now, rng), HostsWorld)


async def test_what_is_put_into_the_past_need_not_be_found_by_time(clock: FakeClock) -> None:
    tron, solana = TronWorld(clock.now, seeded()), SolanaWorld(clock.now, seeded())
    for one in (tron, solana):
        await send(one, age_seconds=3600)
        await send(one, age_seconds=1800)
        await send(one)
    assert [row.backdated for row in tron.books().transfers] == [True, True, False]
    assert [row.backdated for row in solana.books().transfers] == [False, False, False]
    async with client(tron.app) as http:
        for where in ("wallet", "walletsolidity"):
            head = (await http.post(f"/{where}/getnowblock")).json()["block_header"]["raw_data"]["timestamp"]
            assert head > millis(clock.now()) - 60_000

"""When a simulated transfer becomes final, and what the world says about quiet."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.worlds import control_client, seeded
from viralcore.sandbox.worlds.bsc import BscWorld
from viralcore.sandbox.worlds.bsc_chain import FIRST_BLOCK, Transfer


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> BscWorld:
    return BscWorld(clock.now, seeded())


async def post(world: BscWorld, path: str, body: dict[str, Any]) -> tuple[int, Any]:
    async with control_client(world) as http:
        answer = await http.post(f"/sandbox/chains/{path}", json=body)
    return answer.status_code, answer.json()


async def send(world: BscWorld, **fields: Any) -> Transfer:
    body = {"asset": "USDT", "to": world.address, "amount": "1"} | fields
    status, told = await post(world, "bsc/transfers", body)
    assert status == 200, told
    return world.chain.transfers[told["hash"]]


def chained(world: BscWorld) -> bool:
    blocks = world.chain.blocks
    numbers = [block.number for block in blocks] == list(range(FIRST_BLOCK, FIRST_BLOCK + len(blocks)))
    return numbers and all(one.hash == two.parent for one, two in pairwise(blocks))


async def test_final_by_itself_after_two_seconds(world: BscWorld, clock: FakeClock) -> None:
    sent = await send(world)
    assert not world.chain.is_final(sent)
    assert world.next_due(clock.now()) == clock.now() + timedelta(seconds=2)
    clock.advance(2)
    assert world.chain.is_final(sent)
    assert world.next_due(clock.now()) is None


async def test_final_at_once(world: BscWorld) -> None:
    before = await send(world)
    sent = await send(world, final=True)
    assert world.chain.is_final(sent)
    assert world.chain.is_final(before)


async def test_held_until_released(world: BscWorld, clock: FakeClock) -> None:
    sent = await send(world, final=False)
    clock.advance(7200)
    await world.tick(clock.now())
    clock.advance(10)
    assert not world.chain.is_final(sent)
    assert world.chain.finalized() < sent.block
    assert world.pending(clock.now()) == []
    status, _ = await post(world, f"bsc/transfers/{sent.hash}", {"final": True})
    assert status == 200
    assert world.chain.is_final(sent)


async def test_a_held_transfer_does_not_hold_back_later_ones(world: BscWorld, clock: FakeClock) -> None:
    first, second = await send(world, final=False), await send(world, final=False)
    clock.advance(4)
    world.chain.poll()
    later, forced = await send(world), await send(world, final=True)
    assert world.chain.is_final(forced)
    clock.advance(3)
    assert world.chain.is_final(later)
    assert not world.chain.is_final(first)
    assert chained(world)
    await post(world, f"bsc/transfers/{second.hash}", {"final": True})
    assert [world.chain.is_final(item) for item in (first, second)] == [False, True]
    assert chained(world)


async def test_finality_never_goes_back(world: BscWorld, clock: FakeClock) -> None:
    seen = [world.chain.finalized()]
    rng = seeded()
    for _ in range(200):
        clock.advance(rng.choice([0, 0.5, 1, 3, 60]))
        match rng.randrange(4):
            case 0:
                await send(world, final=rng.choice([True, False, None]))
            case 1:
                world.chain.poll()
            case 2:
                await world.tick(clock.now())
            case _:
                held = [item for item in world.chain.transfers.values() if item.held]
                if held:
                    world.chain.release(rng.choice(held))
        final = {block.hash for block in world.chain.blocks[: seen[-1] - FIRST_BLOCK + 1]}
        seen.append(world.chain.finalized())
        assert final <= {block.hash for block in world.chain.blocks}
    assert seen == sorted(seen)
    assert chained(world)
    places = [item.block for item in world.chain.transfers.values()]
    assert len(set(places)) == len(places)


async def test_blocks_appear_only_when_something_happens(world: BscWorld, clock: FakeClock) -> None:
    height = world.chain.height
    clock.advance(3600)
    assert world.chain.height == height
    world.chain.poll()
    world.chain.poll()
    assert world.chain.height == height + 1


async def test_age_is_the_blocks_time_and_old_money_is_final(world: BscWorld, clock: FakeClock) -> None:
    sent = await send(world, age_seconds=3600)
    assert world.chain.block(sent.block).at == clock.now() - timedelta(hours=1)
    assert world.chain.is_final(sent)


async def test_not_quiet_until_somebody_read_the_final_block(world: BscWorld, clock: FakeClock) -> None:
    sent = await send(world)
    assert "becomes final" in world.pending(clock.now())[0]
    clock.advance(2)
    assert "nobody has read" in world.pending(clock.now())[0]
    world.nodes[0].answer({"id": 1, "method": "eth_getBlockByNumber", "params": ["finalized", False]})
    assert "nobody has read" in world.pending(clock.now())[0]
    world.nodes[1].answer({"id": 1, "method": "eth_getBlockReceipts", "params": [hex(sent.block)]})
    assert world.pending(clock.now()) == []
    held = await send(world, final=False)
    clock.advance(60)
    await post(world, f"bsc/transfers/{held.hash}", {"final": True})
    assert "nobody has read" in world.pending(clock.now())[0]
    await post(world, "bsc", {"outage": True})
    assert world.pending(clock.now()) == []
    await post(world, "bsc", {"outage": False})
    clock.advance(60)
    assert world.pending(clock.now()) == []
    assert world.chain.is_final(sent)


async def test_the_books_show_what_reached_us(world: BscWorld) -> None:
    await send(world, amount="2.5", final=True)
    await send(world, asset="BNB", amount="0.25", failed=True)
    await send(world, to="0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
    await send(world, amount="123456789012.000000000000000001")
    rows = [(row.asset, row.amount, row.final, row.failed) for row in world.books().transfers]
    assert rows == [
        ("USDT", Decimal("2.5"), True, False),
        ("BNB", Decimal("0.25"), False, True),
        ("USDT", Decimal("123456789012.000000000000000001"), False, False),
    ]
    states = [item["state"] for item in world.snapshot()["transfers"]]
    assert states == ["pending", "pending", "failed", "final"]


@pytest.mark.parametrize(
    "body",
    [
        {"asset": "DOGE"},
        {"amount": "-1"},
        {"amount": "1e3"},
        {"amount": "ten"},
        {"amount": "0.0000000000000000001"},
        {"amount": "9" * 40},
        {"to": "0x12"},
        {"to": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"},
        {"final": "yes"},
        {"colour": "red"},
        {"asset": "BNB", "contract": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"},
        {"change": "2"},
        {"final": True, "unmined": True},
        {"age_seconds": -1},
    ],
)
async def test_nonsense_is_refused_in_words(world: BscWorld, body: dict[str, Any]) -> None:
    status, told = await post(world, "bsc/transfers", {"asset": "USDT", "to": world.address, "amount": "1"} | body)
    assert status == 400
    assert isinstance(told["error"], str)
    assert not world.chain.transfers


async def test_missing_fields_and_unknown_things(world: BscWorld) -> None:
    status, told = await post(world, "bsc/transfers", {"asset": "USDT"})
    assert (status, told) == (400, {"error": "to is missing; amount is missing"})
    assert (await post(world, "bsc/transfers/0x" + "0" * 64, {"final": True}))[0] == 404
    assert (await post(world, "bsc", {"node": 2}))[0] == 400


async def test_zero_is_allowed_for_dust(world: BscWorld) -> None:
    sent = await send(world, amount="0")
    assert sent.transaction.logs[0].data == "0x" + "0" * 64

"""The Aptos adapter against everything a transaction can look like."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.contract.payments.aptos_nodes import (
    APT,
    FAKE,
    OTHER,
    OURS,
    PAYER,
    USDT,
    Story,
    hash_of,
    short,
)
from viralcore.payments.adapters import aptos_reading as reading
from viralcore.payments.domain.chain import NATIVE, ChainTransaction, incoming, why_nothing
from viralcore.payments.ports import NodeFailed

COIN = "0x1::aptos_coin::AptosCoin"
LZ_USDT = "0xf22bede237a07e121b56d91a491eb7bcdfd1f5907926a9e58338f964a01b17fa::asset::USDT"
CONTRACTS = {USDT: "USDT", NATIVE: "APT"}
LONG = "0x" + "1".rjust(64, "0")


def read(story: Story, **changes: Any) -> ChainTransaction:
    found = reading.read_transaction("aptos", "", story.body(9, **changes), ours=OURS, contracts=(USDT,))
    assert found is not None
    return found


def money(story: Story, **changes: Any) -> list[tuple[str, int]]:
    return [(each.asset, each.amount) for each in incoming(read(story, **changes), ours=OURS, contracts=CONTRACTS)]


def why(story: Story, **changes: Any) -> str:
    return why_nothing(read(story, **changes), ours=OURS, contracts=CONTRACTS)


@pytest.mark.parametrize(
    ("story", "came"),
    [
        (Story().pay(PAYER, OURS, USDT, 5), [("USDT", 5)]),
        (Story().pay(PAYER, OURS, APT, 7), [("APT", 7)]),
        (Story().pay(PAYER, OURS, USDT, 5, told=False), [("USDT", 5)]),
        (Story().pay(PAYER, OURS, APT, 5, told=False), [("APT", 5)]),
        (Story().pay(PAYER, OURS, USDT, 5).pay(PAYER, OURS, USDT, 6), [("USDT", 11)]),
        (Story().pay(PAYER, OURS, USDT, 5).pay(PAYER, OURS, APT, 6), [("USDT", 5), ("APT", 6)]),
        (Story().pay(PAYER, OURS, USDT, 5).pay(PAYER, OTHER, USDT, 6), [("USDT", 5)]),
        (Story().pay(PAYER, OURS, USDT, 9).pay(OURS, PAYER, USDT, 4), [("USDT", 5)]),
        (Story().coin("WithdrawEvent", PAYER, COIN, 8).coin("DepositEvent", OURS, COIN, 8), [("APT", 8)]),
        (Story().coin_module("CoinDeposit", OURS, COIN, 8), [("APT", 8)]),
        (Story().coin_module("CoinDeposit", OURS, f"{LONG}::aptos_coin::AptosCoin", 8), [("APT", 8)]),
        (Story().coin("DepositEvent", OURS, COIN, 8).coin_module("CoinDeposit", OURS, COIN, 8), [("APT", 8)]),
        (Story().coin("WithdrawEvent", PAYER, COIN, 8).fa("Deposit", OURS, APT, 8), [("APT", 8)]),
        (Story().coin("DepositEvent", OURS, LZ_USDT, 8).pay(PAYER, OURS, USDT, 5), [("USDT", 5)]),
        (Story().coin("DepositEvent", OURS, COIN, 8).ended(OURS, COIN), [("APT", 8)]),
        (
            Story().coin("DepositEvent", OURS, COIN, 8).ended(OURS, COIN).coin("DepositEvent", OURS, COIN, 3),
            [("APT", 11)],
        ),
    ],
)
def test_what_came_is_the_sum_of_what_was_put_into_our_stores(story: Story, came: list[tuple[str, int]]) -> None:
    assert money(story) == came


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        (Story().pay(PAYER, OTHER, USDT, 5), "wrong_recipient"),
        (Story(), "wrong_recipient"),
        (Story().pay(PAYER, OURS, FAKE, 5), "wrong_token"),
        (Story().coin("DepositEvent", OURS, LZ_USDT, 8), "wrong_token"),
        (Story().coin_module("CoinDeposit", OURS, LZ_USDT, 8), "wrong_token"),
        (Story().pay(OURS, OURS, USDT, 5), "self_transfer"),
        (Story().pay(OURS, OTHER, USDT, 5), "self_transfer"),
        (Story().pay(PAYER, OURS, USDT, 9).pay(OURS, PAYER, USDT, 9), "self_transfer"),
        (Story().pay(PAYER, OURS, USDT, 0), "zero"),
        (Story().coin("DepositEvent", OURS, COIN, 8, told=False), "wrong_token"),
        (Story().coin("DepositEvent", OURS, LZ_USDT, 8).ended(OURS, LZ_USDT), "wrong_token"),
    ],
)
def test_what_brought_nothing_says_why(story: Story, reason: str) -> None:
    assert money(story) == []
    assert why(story) == reason


def test_a_module_of_anybody_may_call_its_events_what_it_likes() -> None:
    story = Story().pay(PAYER, OURS, USDT, 5)
    for event in story.events:
        event["type"] = event["type"].replace("0x1::", f"{FAKE}::")
    assert money(story) == []


@pytest.mark.parametrize("asset", [USDT, APT])
def test_a_store_that_somebody_made_and_gave_to_us_with_money_in_it_is_not_paid_to_us(asset: str) -> None:
    """Whoever made it may have kept the right to take it back, and with it what we had given for it."""
    story = Story().pay(PAYER, OURS, asset, 5, store="0x" + "77" * 32)
    assert any(change["data"]["data"].get("owner") == short(OURS) for change in story.changes)
    assert money(story) == []
    assert why(story) == "wrong_recipient"
    assert money(story.pay(PAYER, OURS, asset, 6)) == [("APT" if asset == APT else "USDT", 6)]


def test_what_the_chain_itself_pays_is_read_like_anything_else() -> None:
    assert money(Story().fa("Deposit", OURS, APT, 5), type="block_epilogue_transaction") == [("APT", 5)]
    bare = {**Story().body(9, type="state_checkpoint_transaction")}
    del bare["events"], bare["changes"]
    found = reading.read_transaction("aptos", "", bare, ours=OURS, contracts=(USDT,))
    assert found is not None
    assert found.movements == ()
    with pytest.raises(NodeFailed, match="no_events"):
        reading.read_transaction("aptos", "", {**bare, "type": "user_transaction"}, ours=OURS, contracts=(USDT,))


@pytest.mark.parametrize("node_translates", [True, False])
def test_nodes_that_tell_a_coin_in_the_older_and_in_the_newer_way_tell_one_story(node_translates: bool) -> None:
    """A node may translate the newer event into the older one in its place."""
    newer = Story().coin_module("CoinDeposit", OURS, COIN, 8)
    older = Story().coin("DepositEvent", OURS, f"{LONG}::aptos_coin::AptosCoin" if node_translates else COIN, 8)
    assert read(newer) == read(older)
    tokens = Story().coin_module("CoinDeposit", OURS, "0x00ab::m::Pair<0x01::a::B, 0x0c::d::E>", 8)
    assert read(tokens) == read(Story().coin("DepositEvent", OURS, "0xab::m::Pair<0x1::a::B, 0xc::d::E>", 8))


def test_an_unsuccessful_transaction_moved_nothing() -> None:
    story = Story().pay(PAYER, OURS, USDT, 5)
    assert money(story, success=False) == []
    assert money(story, vm_status="Out of gas") == []
    assert why(story, success=False) == "failed"


def test_two_readings_of_one_transaction_are_equal_and_positions_are_events() -> None:
    story = Story().pay(PAYER, OURS, USDT, 5).pay(PAYER, OURS, APT, 6)
    assert read(story) == read(story)
    assert [each.position for each in read(story).movements] == [1, 2, 3, 4]


_WRONG: list[tuple[str, Any]] = [
    ("hash", "0x12"),
    ("hash", 5),
    ("version", 9),
    ("version", "-1"),
    ("version", None),
    ("success", "true"),
    ("timestamp", "x"),
    ("timestamp", str(10**19)),
    ("timestamp", None),
    ("events", None),
    ("events", [1]),
    ("events", [{"type": 5}]),
    ("events", [{"type": "0x1::fungible_asset::Deposit", "data": {"amount": 5, "store": "0x1"}}]),
    ("events", [{"type": "0x1::fungible_asset::Deposit", "data": {"amount": "5", "store": "zz"}}]),
    ("events", [{"type": "0x1::fungible_asset::Deposit", "data": []}]),
    ("events", [{"type": "0x1::coin::DepositEvent", "data": {"amount": "5"}, "guid": None}]),
    ("events", [{"type": "0x1::coin::CoinDeposit", "data": {"amount": "5", "account": "0x1", "coin_type": 7}}]),
    ("changes", {}),
    ("changes", [{"type": "write_resource", "data": {"type": 5}}]),
    ("changes", [{"type": "write_resource", "address": "zz", "data": {"type": "0x1::object::ObjectCore", "data": {}}}]),
    ("type", "transfer"),
    ("type", None),
]


@pytest.mark.parametrize(("field", "value"), _WRONG)
def test_a_broken_field_is_no_answer(field: str, value: Any) -> None:
    body = Story().pay(PAYER, OURS, USDT, 5).body(9)
    ours = reading.primary_store(OURS, USDT)
    body["events"][1]["data"]["store"] = ours
    broken = {**body, field: value}
    if field == "events" and isinstance(value, list) and isinstance(value[0], dict) and "amount" in str(value):
        for each in value:
            if isinstance(each.get("data"), dict) and each["data"].get("store") == "0x1":
                each["data"]["store"] = ours
    with pytest.raises(NodeFailed):
        reading.read_transaction("aptos", "", broken, ours=OURS, contracts=(USDT,))


_ODD: list[Any] = [
    None, [], {}, "", "x", "-5", "+5", " 5", "5\n", "1e3", "0x5", "٥", -5, 5, Decimal("5.5"), True, False,
    "0x" + "e3" * 32, "0x" + "e3" * 32 + "\n", "9" * 21, "1" * 5000,
]  # fmt: skip


def places(body: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where anything stands in a body."""
    for key, value in body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ():
        yield (*at, key)
        yield from places(value, (*at, key))


def odd(body: Any, place: tuple[Any, ...], value: Any) -> Any:
    made = copy.deepcopy(body)
    inner = made
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return made


@pytest.mark.parametrize(
    "story",
    [
        Story().pay(PAYER, OURS, USDT, 5),
        Story().coin("WithdrawEvent", PAYER, COIN, 5).coin("DepositEvent", OURS, COIN, 5),
        Story().coin_module("CoinDeposit", OURS, COIN, 5),
        Story().coin("DepositEvent", OURS, COIN, 5).ended(OURS, COIN),
    ],
    ids=["stores", "handles", "module", "ended"],
)
def test_whatever_is_odd_anywhere_is_no_answer_or_less_money_but_never_other_money(story: Story) -> None:
    good = story.body(9)
    asset, amount = money(story)[0]
    refused = 0
    for place in places(good):
        for value in _ODD:
            body = odd(good, place, value)
            try:
                found = reading.read_transaction("aptos", hash_of(9), body, ours=OURS, contracts=(USDT,))
            except NodeFailed:
                refused += 1
                continue
            if found is not None:
                came = [(each.asset, each.amount) for each in incoming(found, ours=OURS, contracts=CONTRACTS)]
                assert came in ([], [(asset, amount)]), (place, value)
                assert found.hash == hash_of(9)
    assert refused > 100

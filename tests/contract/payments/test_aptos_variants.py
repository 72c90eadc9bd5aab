"""The Aptos adapter against everything a transaction can look like, and every way money comes between two looks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.payments.aptos_nodes import (
    APT,
    FAKE,
    OTHER,
    OURS,
    PAYER,
    USDT,
    Script,
    Story,
    chain,
    node,
    short,
)
from viralcore.core.http import Answer
from viralcore.payments.adapters import aptos_reading as reading
from viralcore.payments.domain.chain import NATIVE, ChainTransaction, incoming, why_nothing
from viralcore.payments.ports import Found, NodeFailed

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


# --- what came between two looks --------------------------------------------------------------------------------------


def pays(amount: int, asset: str = USDT) -> Story:
    return Story().pay(PAYER, OURS, asset, amount)


async def scan(script: Script, after: int, limit: int = 10**6) -> tuple[int, list[int]]:
    found = await node(script).scan(after=after, limit=limit, fresh=0)
    return found.upto, [int(each, 16) for each in found.hashes]


async def test_where_nothing_came_a_look_costs_a_handful_of_questions() -> None:
    script = Script(last=100_000)
    asked = node(script)
    await asked.finalized()
    await asked.scan(after=10, limit=10**6, fresh=0)
    script.asked.clear()
    script.last = 200_000
    assert (await asked.scan(after=100_000, limit=10**6, fresh=0)).hashes == ()
    assert len(script.asked) == 4


@pytest.mark.parametrize("versions", [[11], [100_000], [11, 12], [500, 501, 502, 90_000], list(range(2000, 2030, 3))])
async def test_every_arrival_in_a_stretch_is_found(versions: list[int]) -> None:
    script = Script(last=100_000)
    for number, version in enumerate(versions):
        script.add(version, pays(5 + number, USDT if number % 3 else APT))
    assert await scan(script, 10) == (100_000, versions)


async def test_one_that_pays_two_assets_is_found_once() -> None:
    script = Script(last=1000)
    script.add(500, Story().pay(PAYER, OURS, USDT, 5).pay(PAYER, OURS, APT, 5))
    assert await scan(script, 10) == (1000, [500])


async def test_what_goes_out_beside_it_hides_nothing() -> None:
    """The same amount comes and goes between two looks: the balance is the same at both ends."""
    script = Script(last=1000)
    script.add(300, pays(50))
    script.add(301, Story().pay(OURS, OTHER, USDT, 50), mine=True)
    script.add(302, pays(7))
    script.add(900, Story().pay(OURS, OTHER, USDT, 7), mine=True)
    script.add(901, Story().pay(OURS, OTHER, USDT, 7).pay(OTHER, OURS, APT, 3), mine=True)  # a swap of our own
    assert await scan(script, 10) == (1000, [300, 302, 901])
    assert "transactions" not in script.asked  # numbered ones are no reason to read everything


async def test_own_transactions_that_do_not_fit_the_stretch_are_no_answer() -> None:
    """Where ours lie is what makes a piece one that only grows: told wrongly, it could hide what came."""
    for field, value in [("sequence_number", "5"), ("version", "5"), ("version", "1001"), ("success", None)]:
        script = Script(last=1000)
        script.add(300, pays(50))
        script.add(301, Story().pay(OURS, OTHER, USDT, 50), mine=True)
        script.bodies[301] = {**script.bodies[301], field: value}
        with pytest.raises(NodeFailed):
            await scan(script, 10)
    script = Script(last=1000)
    script.add(301, Story().pay(OURS, OTHER, USDT, 50), mine=True)
    script.add(302, Story().pay(OURS, OTHER, USDT, 50), mine=True)
    whole = script.say

    def says_none(path: str, params: dict[str, Any]) -> Answer:
        return Answer(200, [], {}) if path == f"accounts/{OURS}/transactions" else whole(path, params)

    script.say = says_none  # type: ignore[method-assign]
    with pytest.raises(NodeFailed, match="broken_page"):
        await scan(script, 10)


async def test_a_stretch_that_shrinks_without_a_number_is_read_one_by_one() -> None:
    script = Script(last=1000)
    script.add(300, pays(50))
    script.add(301, Story().pay(OURS, OTHER, USDT, 60), mine=True, numbered=False)
    script.add(302, pays(7))
    assert await scan(script, 10) == (1000, [300, 302])
    rises = Script(last=1000)
    rises.add(300, pays(50))
    rises.add(301, Story().pay(OURS, OTHER, USDT, 60), mine=True, numbered=False)
    rises.add(302, pays(70))
    assert await scan(rises, 10) == (1000, [300, 302])


async def test_a_node_without_balances_is_read_one_by_one_and_only_so_far() -> None:
    script = Script(last=5000)
    script.no_balances = True
    script.add(300, pays(50))
    script.add(4000, pays(6))
    assert await scan(script, 10) == (2010, [300])
    assert await scan(script, 2010) == (4010, [4000])


async def test_more_arrivals_than_one_look_takes_are_left_for_the_next() -> None:
    script = Script(last=100_000)
    versions = list(range(1000, 1000 + 90))
    for version in versions:
        script.add(version, pays(5))
    found: list[int] = []
    at = 10
    for _ in range(5):
        at, some = await scan(script, at)
        found += some
    assert sorted(set(found)) == versions
    assert at == 100_000


async def test_arrivals_side_by_side_share_the_questions_that_lead_to_them() -> None:
    script = Script(last=1_000_000)
    for version in range(500_000, 500_030):
        script.add(version, pays(5))
    assert await scan(script, 10) == (1_000_000, list(range(500_000, 500_030)))
    balances = [path for path in script.asked if "/balance/" in path]
    assert len(balances) < 120  # found one by one they took twenty each


async def test_a_second_reading_takes_more_than_one_call_to_be_whole() -> None:
    """A first node that hides half of many arrivals must not be alone with its story for that."""
    honest, liar = Script(last=100_000), Script(last=100_000)
    versions = list(range(1000, 1100))
    for version in versions:
        honest.add(version, pays(5))
        if version % 3 == 0:
            liar.add(version, pays(5))
    found = await chain(liar, honest).scan(after=10, limit=10**6, fresh=0)
    assert found.upto == 100_000
    assert sorted(int(each, 16) for each in found.hashes) == versions
    honest.no_balances = True
    with pytest.raises(NodeFailed, match="too_much_to_read"):
        await node(honest).final_hashes(after=10, upto=100_000)


async def test_what_is_read_one_by_one_is_read_once_for_all_assets_and_told_when_it_is_ours() -> None:
    script = Script(last=1010)
    script.no_balances = True
    script.add(300, pays(50))
    script.add(301, pays(50), success=False)
    script.add(302, pays(50, FAKE))
    script.add(303, pays(0))
    script.add(304, Story().pay(PAYER, OURS, USDT, 5, store="0x" + "77" * 32))
    script.add(305, pays(7, APT))
    assert await scan(script, 10) == (1010, [300, 305])
    assert script.asked.count("transactions") == 10
    assert not [path for path in script.asked if "by_version" in path]


async def test_pages_too_large_to_take_are_asked_for_in_halves() -> None:
    script = Script(last=200)
    script.no_balances = True
    script.most_rows = 30
    script.add(55, pays(50))
    assert await scan(script, 10) == (200, [55])
    script.most_rows = 0
    with pytest.raises(NodeFailed, match="body_too_large"):
        await scan(script, 10)


BALANCE = f"accounts/{OURS}/balance"


async def test_a_version_that_is_not_everywhere_yet_is_asked_for_again() -> None:
    script = Script(last=1000)
    script.add(1000, pays(50))
    for late in (BALANCE, f"accounts/{OURS}", "transactions/by_version"):
        script.not_yet = [late, late]
        assert await scan(script, 10) == (1000, [1000])
        assert script.not_yet == []
        script.not_yet = [late] * 3
        with pytest.raises(NodeFailed, match="version_not_found"):
            await scan(script, 10)
    assert "transactions" not in script.asked  # it is no reason to read everything


async def test_only_a_node_that_does_not_know_the_question_is_read_one_by_one() -> None:
    script = Script(last=1000)
    whole = script.say

    def says(path: str, params: dict[str, Any]) -> Answer:
        odd = Answer(404, {"message": "?", "error_code": "table_item_not_found", "vm_error_code": None}, {})
        return odd if path.startswith(BALANCE) else whole(path, params)

    script.say = says  # type: ignore[method-assign]
    with pytest.raises(NodeFailed, match="http_404"):
        await scan(script, 10)


async def test_another_transaction_than_the_one_asked_for_is_no_answer() -> None:
    script = Script(last=1000)
    script.add(300, pays(50))
    script.bodies[300] = {**script.bodies[300], "version": "301"}
    with pytest.raises(NodeFailed, match="another_transaction"):
        await scan(script, 10)


async def test_nothing_is_told_from_beyond_where_a_look_ended() -> None:
    script = Script(last=100_000)
    for version in range(1000, 1090):
        script.add(version, pays(5))
    script.add(90_000, pays(5, APT))
    upto, found = await scan(script, 10)
    assert upto == 1039
    assert found == list(range(1000, 1040))


async def test_what_failed_is_asked_anew_and_not_kept() -> None:
    script = Script(last=10**6)
    script.add(500, pays(50))
    asked = node(script)
    for last in range(10**6, 10**6 + 50):
        script.last = last
        script.not_yet = ["transactions/by_version"] * 3
        with pytest.raises(NodeFailed):
            await asked.scan(after=10, limit=10**7, fresh=0)
    assert len(asked._known) <= 6
    assert (await asked.scan(after=10, limit=10**7, fresh=0)).upto == last


async def test_a_token_that_counts_otherwise_than_we_think_is_no_answer() -> None:
    script = Script(last=1000)
    script.decimals = 6
    assert await node(script).finalized() == 1000
    for wrong in (8, "6", True, None):
        script.decimals = {"told": wrong} if wrong is None else wrong
        with pytest.raises(NodeFailed, match="other_decimals"):
            await node(script).finalized()
    script.decimals = None  # a node that does not tell is not refused for it
    assert await node(script).finalized() == 1000


async def test_what_a_node_has_forgotten_is_no_answer() -> None:
    script = Script(last=1000, first=500)
    with pytest.raises(NodeFailed, match="version_pruned"):
        await scan(script, 10)


async def test_the_second_node_shows_what_the_first_one_hides() -> None:
    honest, liar = Script(last=1000), Script(last=1000)
    honest.add(300, pays(50))
    found = await chain(liar, honest).scan(after=10, limit=10**6, fresh=0)
    assert [int(each, 16) for each in found.hashes] == [300]


async def test_two_nodes_that_tell_one_story_agree_and_others_do_not() -> None:
    one, other = Script(last=1000), Script(last=1000)
    sent = one.add(300, pays(50))
    other.add(300, pays(50))
    both = chain(one, other)
    found = await both.transaction(sent)
    assert isinstance(found, Found)
    assert await both.confirm(found) == "agrees"
    other.add(300, pays(51))
    assert await both.confirm(found) == "differs"


@pytest.mark.parametrize("said", ["5", -1, True, None, {"balance": 5}])
async def test_a_balance_that_is_no_number_is_no_answer(said: Any) -> None:
    script = Script(last=1000)
    whole = script.say

    def lies(path: str, params: dict[str, Any]) -> Answer:
        return Answer(200, said, {}) if "/balance/" in path else whole(path, params)

    script.say = lies  # type: ignore[method-assign]
    with pytest.raises(NodeFailed):
        await scan(script, 10)


async def test_pages_with_a_gap_are_no_answer() -> None:
    script = Script(last=1000)
    script.no_balances = True
    script.bodies[50] = script.at(51)
    with pytest.raises(NodeFailed, match="broken_page"):
        await scan(script, 10)


async def test_a_node_that_is_not_past_a_stretch_says_so() -> None:
    with pytest.raises(NodeFailed, match="not_past_it"):
        await node(Script(last=1000)).final_hashes(after=10, upto=1001)

"""Reading Tron's lists: nothing is skipped when the cursor moves, whatever the pages do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.payments.nodes import fixture
from tests.contract.payments.tron_nodes import AT, HASH, OURS_SHOWN, PAYER, USDT_SHOWN, Tron, chain, native_row, node
from tests.contract.payments.tron_nodes import number_hash as named
from tests.contract.payments.tron_nodes import token_row as row
from viralcore.core.http import Answer, NoAnswer
from viralcore.payments.adapters import tron_http
from viralcore.payments.adapters.nodes import NodesChain
from viralcore.payments.ports import NodeFailed

HOUR = 3_600_000
AFTER = AT - 60_000


def tokens(count: int, *, start: int = AFTER + 3000, every: int = 3, **more: Any) -> Tron:
    """So many transfers of tokens, one block each `every` milliseconds."""
    made = Tron(**more)
    made.tokens = [row(named(number), start + number * every) for number in range(count)]
    return made


async def test_the_stretch_after_the_cursor_is_read_and_what_is_newer_is_told_apart() -> None:
    made = Tron(solid=AT, head=AT + 57_000)
    coin, fresh_coin = native_row(5, AT - 3000), native_row(6, AT + 6000, salt=2)
    made.coins = [coin, fresh_coin]
    made.tokens = [row(named(1), AT), row(named(2), AT + 3000), row(named(3), AT - HOUR)]
    scan = await node(made).scan(after=AFTER, limit=HOUR, fresh=180_000)
    assert (scan.upto, scan.behind) == (AT, 0)
    assert scan.hashes == (named(1), coin["txID"])
    assert scan.fresh == (named(2), fresh_coin["txID"])
    assert len(made.lists()) == 4


async def test_the_calls_of_a_look_are_the_same_however_much_is_open() -> None:
    made = Tron()
    asked = node(made)
    await asked.scan(after=AFTER, limit=HOUR, fresh=180_000)
    before = len(made.asked)
    await asked.scan(after=AFTER, limit=HOUR, fresh=180_000)
    assert len(made.asked) - before == 5
    before = len(made.asked)
    await asked.final_hashes(after=AFTER, upto=AT)
    assert len(made.asked) - before == 3


async def test_how_the_lists_are_asked_for() -> None:
    made = Tron()
    await node(made).scan(after=AFTER, limit=HOUR, fresh=0)
    (tokens_path, tokens_asked), (coins_path, coins_asked) = made.asked[-2:]
    assert tokens_path == f"v1/accounts/{OURS_SHOWN}/transactions/trc20"
    assert coins_path == f"v1/accounts/{OURS_SHOWN}/transactions"
    common = {
        "only_confirmed": "true",
        "only_to": "true",
        "order_by": "block_timestamp,asc",
        "limit": 200,
        "min_timestamp": AFTER - 600_000,
        "max_timestamp": AT + 1,
    }
    assert tokens_asked == {**common, "contract_address": USDT_SHOWN}
    assert coins_asked == {**common, "search_internal": "false"}


async def test_a_limit_leaves_the_rest_for_the_next_time() -> None:
    made = tokens(10, every=6000)
    scan = await node(made).scan(after=AFTER, limit=20_000, fresh=180_000)
    assert (scan.upto, scan.behind, scan.fresh) == (AFTER + 20_000, 40_000, ())
    assert scan.hashes == tuple(named(number) for number in range(3))
    rest = await node(made).scan(after=scan.upto, limit=HOUR, fresh=0)
    assert set(rest.hashes) == {named(number) for number in range(10)}


async def test_a_node_that_is_not_past_the_cursor_moves_nothing_and_tells_what_is_fresh() -> None:
    made = Tron(solid=AFTER - 3000, head=AT)
    made.tokens = [row(named(1), AT - 3000), row(named(2), AFTER)]
    scan = await node(made).scan(after=AFTER, limit=HOUR, fresh=180_000)
    assert (scan.upto, scan.behind, scan.fresh) == (AFTER, 0, (named(1),))


async def test_a_trouble_with_what_is_fresh_does_not_hold_what_is_final() -> None:
    made = tokens(1)
    plain = made.page

    def page(rows: Any, asked: Any) -> Any:
        return plain(rows, asked) if "only_confirmed" in asked else Answer(403, {"Error": "no"}, {})

    made.page = page  # type: ignore[method-assign]
    scan = await node(made).scan(after=AFTER, limit=HOUR, fresh=180_000)
    assert (scan.upto, scan.hashes, scan.fresh) == (AT, (named(0),), ())


async def test_an_index_behind_the_solid_block_skips_nothing() -> None:
    made = Tron()
    made.tokens = [row(named(1), AT - 3000)]
    made.index = AT - 30_000
    asked = node(made)
    first = await asked.scan(after=AFTER, limit=HOUR, fresh=0)
    assert (first.upto, first.hashes) == (AT, ())
    made.index, made.solid = AT + 9000, AT + 9000
    assert (await asked.scan(after=first.upto, limit=HOUR, fresh=0)).hashes == (named(1),)
    assert await asked.final_hashes(after=first.upto, upto=AT + 9000) == (named(1),)


@pytest.mark.parametrize("marks", [True, False], ids=["fingerprints", "by time"])
@pytest.mark.parametrize("count", [0, 1, 199, 200, 201, 400, 1000])
async def test_every_page_is_read(count: int, marks: bool) -> None:
    made = tokens(count)
    made.marks = marks
    assert len((await node(made).scan(after=AFTER, limit=HOUR, fresh=0)).hashes) == count


async def test_many_in_one_block_are_read_by_fingerprint_and_without_are_no_answer() -> None:
    made = tokens(450, every=0)
    assert len((await node(made).scan(after=AFTER, limit=HOUR, fresh=0)).hashes) == 450
    made.marks = False
    with pytest.raises(NodeFailed, match="page_cut_off"):
        await node(made).scan(after=AFTER, limit=HOUR, fresh=0)


async def test_a_list_that_never_ends_ends() -> None:
    made = tokens(9000)
    with pytest.raises(NodeFailed, match="too_many_pages"):
        await node(made, pages=5).scan(after=AFTER, limit=HOUR, fresh=0)
    assert len(made.lists()) == 5
    told = {"data": [row(named(1), AT)], "success": True, "meta": {"fingerprint": "again"}}
    made.page = lambda rows, asked: told  # type: ignore[method-assign]
    with pytest.raises(NodeFailed, match="pages_repeat"):
        await node(made).scan(after=AFTER, limit=HOUR, fresh=0)
    with pytest.raises(NodeFailed, match="pages_repeat"):
        await node(made).final_hashes(after=AFTER, upto=AT)


async def test_a_page_too_large_to_take_is_asked_for_by_half() -> None:
    made = tokens(300)
    plain = made.page

    def page(rows: Any, asked: Any) -> Any:
        return NoAnswer("tron", "body_too_large") if asked["limit"] > 60 else plain(rows, asked)

    made.page = page  # type: ignore[method-assign]
    assert len((await node(made).scan(after=AFTER, limit=HOUR, fresh=0)).hashes) == 300
    made.page = lambda rows, asked: NoAnswer("tron", "body_too_large")  # type: ignore[method-assign]
    with pytest.raises(NodeFailed, match="body_too_large"):
        await node(made).scan(after=AFTER, limit=HOUR, fresh=0)


BROKEN_PAGES: list[Any] = [
    {},
    {"data": [], "success": False, "meta": {}},
    {"data": [], "success": "true", "meta": {}},
    {"data": [], "meta": {}},
    {"data": [], "success": True},
    {"success": True, "meta": {}},
    {"data": {}, "success": True, "meta": {}},
    {"data": [None], "success": True, "meta": {}},
    {"data": [{}], "success": True, "meta": {}},
    {"data": [], "success": True, "meta": {"fingerprint": 5}},
    {"data": [], "success": True, "meta": {"fingerprint": ""}},
    {"data": [], "success": True, "meta": {}, "error": "half of it"},
    {"data": [row("zz", AT)], "success": True, "meta": {}},
    {"data": [row(None, AT)], "success": True, "meta": {}},  # type: ignore[arg-type]
    {"data": [row(HASH, "1738601505000")], "success": True, "meta": {}},  # type: ignore[arg-type]
    {"data": [row(HASH, 0)], "success": True, "meta": {}},
]


@pytest.mark.parametrize("page", BROKEN_PAGES, ids=range(len(BROKEN_PAGES)))
async def test_a_page_that_cannot_be_read_is_no_answer_and_the_cursor_stays(page: Any) -> None:
    made = Tron()
    made.page = lambda rows, asked: page  # type: ignore[method-assign]
    with pytest.raises(NodeFailed):
        await node(made).scan(after=AFTER, limit=HOUR, fresh=0)
    with pytest.raises(NodeFailed):
        await node(made).final_hashes(after=AFTER, upto=AT)


async def test_a_token_that_counts_otherwise_than_we_think_stops_its_node() -> None:
    made = tokens(1)
    made.tokens[0]["token_info"]["decimals"] = 18
    with pytest.raises(NodeFailed, match="other_decimals"):
        await node(made).scan(after=AFTER, limit=HOUR, fresh=0)


LOOKED_AT: list[dict[str, Any]] = [
    {},
    {"token_info": None},
    {"token_info": {}},
    {"token_info": {"address": "garbage", "symbol": "USDT", "decimals": None}},
    {"to": None},
    {"to": "garbage"},
    {"to": "TXVj38D1XR3TPgSHTCZGC8wkLDAGqF1oqX"},
    {"value": None},
    {"value": "1"},
    {"value": "much"},
]
PASSED_OVER: list[dict[str, Any]] = [
    {"type": "Approval"},
    {"value": "0"},
    {"to": "TL24LCps5FKwp3PoU1MvrYrwhi5LU1tHre"},
    {"to": PAYER},
    {"token_info": {"symbol": "USDT", "address": "TXL6rJbvmjD46zeN1JssfgxvSo99qC8MRT", "decimals": 6}},
    {"token_info": {"symbol": "USDT", "address": "TXL6rJbvmjD46zeN1JssfgxvSo99qC8MRT", "decimals": 18}},
]


@pytest.mark.parametrize("change", LOOKED_AT, ids=str)
async def test_a_row_told_badly_is_looked_at(change: dict[str, Any]) -> None:
    made = Tron()
    made.tokens = [row(named(1), AT, **change)]
    assert (await node(made).scan(after=AFTER, limit=HOUR, fresh=0)).hashes == (named(1),)


@pytest.mark.parametrize("change", PASSED_OVER, ids=str)
async def test_a_row_that_plainly_brings_nothing_is_passed_over(change: dict[str, Any]) -> None:
    made = Tron()
    made.tokens = [row(named(1), AT, **change), row(named(2), AT)]
    assert (await node(made).scan(after=AFTER, limit=HOUR, fresh=0)).hashes == (named(2),)


async def test_spam_in_the_list_of_coins_is_passed_over() -> None:
    made = Tron()
    trc10, dust = fixture("tron/v1_account_transactions_dust_and_trc10_live_2025.json")["data"]
    real = native_row(5, AT)
    bare = {**native_row(6, AT, salt=6), "raw_data": None}
    inside = {"internal_tx_id": "x", "tx_id": named(9), "block_timestamp": AT, "data": {"call_value": {"_": 100}}}
    made.coins = [
        *[{**each, "block_timestamp": AT} for each in (trc10, dust)],  # the dust went to somebody else
        native_row(7, AT, name="TriggerSmartContract", salt=3),
        native_row(0, AT, salt=4),
        native_row(7, AT, to=PAYER, salt=5),
        inside,
        bare,
        real,
    ]
    assert (await node(made).scan(after=AFTER, limit=HOUR, fresh=0)).hashes == (bare["txID"], real["txID"])


async def test_a_node_that_ignores_what_it_is_asked_tells_nothing_from_outside_the_stretch() -> None:
    made = Tron()
    every = [row(named(number), AT + offset) for number, offset in enumerate((-HOUR, -1000, 0, 1, 6000))]

    def page(rows: Any, asked: Any) -> Any:
        return {"data": every if "contract_address" in asked else [], "success": True, "meta": {}}

    made.page = page  # type: ignore[method-assign]
    assert (await node(made).scan(after=AFTER, limit=HOUR, fresh=0)).hashes == (named(1), named(2))


async def test_a_node_behind_is_not_asked_for_a_stretch_it_cannot_know() -> None:
    with pytest.raises(NodeFailed, match="not_past_it"):
        await node(Tron(solid=AT - 3000)).final_hashes(after=AFTER, upto=AT)


async def test_a_plain_node_without_lists_confirms_and_is_not_left_for_it() -> None:
    """It knows transactions and has no index: no use for watching, good for a second opinion."""
    plain = Tron()
    plain.page = lambda rows, asked: Answer(404, "<html>", {})  # type: ignore[method-assign]
    with pytest.raises(NodeFailed, match="not_past_it"):
        await node(plain).final_hashes(after=AFTER, upto=AT)
    with pytest.raises(NodeFailed, match="http_404"):
        await node(plain).scan(after=AFTER, limit=HOUR, fresh=0)
    both = chain(plain, tokens(1))
    for _ in range(2):
        assert (await both.scan(after=AFTER, limit=HOUR, fresh=0)).hashes == (named(0),)


async def test_a_node_that_hides_a_transfer_is_not_enough_to_miss_it() -> None:
    scan = await chain(Tron(), tokens(3)).scan(after=AFTER, limit=HOUR, fresh=0)
    assert scan.hashes == tuple(named(number) for number in range(3))


async def test_a_lagging_node_does_not_hold_the_watch() -> None:
    both: NodesChain = chain(Tron(solid=AFTER - HOUR), tokens(1))
    assert (await both.scan(after=AFTER, limit=HOUR, fresh=0)).upto == AT


# --- limits and the key ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (Answer(403, fixture("tron/error_403_key_frequency.json"), {}), 30),
        (Answer(403, fixture("tron/error_403_v1_frequency.json"), {}), 30),
        (Answer(429, fixture("tron/error_429_keyless_rps.json"), {}), 1),
        (fixture("tron/error_429_keyless_rps.json"), 1),
        (Answer(429, "the query server is suspended for 5 s", {}), 5),
        (NoAnswer("tron", "server_error", status=503, body={"Error": "suspended for 7s"}), 7),
        ({"Error": "suspended for 999999999 s"}, 300),
        (Answer(403, fixture("tron/error_403_bad_key.json"), {}), 0),
        (Answer(429, {}, {}), 0),
    ],
    ids=range(9),
)
async def test_a_node_that_shuts_us_out_is_not_asked_until_it_is_over(
    answer: Any, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(tron_http, "monotonic", lambda: now)
    made = Tron()
    asked = node(made)
    assert await asked.finalized() == AT
    made.whole = answer
    with pytest.raises(NodeFailed):
        await asked.finalized()
    made.whole = None
    if seconds:
        before = len(made.asked)
        now += seconds - 0.5
        with pytest.raises(NodeFailed, match="suspended"):
            await asked.finalized()
        assert len(made.asked) == before
        now += 0.5
    assert await asked.finalized() == AT


async def test_the_key_goes_into_its_header_and_nowhere_else() -> None:
    made = tokens(1)
    await node(made, key="k-123").scan(after=AFTER, limit=HOUR, fresh=60_000)
    assert {str(headers) for headers in made.headers} == {str({"TRON-PRO-API-KEY": "k-123"})}
    assert "k-123" not in str(made.asked)
    plain = Tron()
    await node(plain).finalized()
    assert plain.headers == [None, None]

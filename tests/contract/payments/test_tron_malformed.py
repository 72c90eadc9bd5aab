"""Bodies that are not what they should be: no answer, and never a wrong credit."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.contract.payments.test_tron_recorded import book, brought
from tests.contract.payments.tron_nodes import AMOUNT, AT, HASH, OURS, USDT, Tron, node, paid, pair
from viralcore.core.http import Answer
from viralcore.payments.ports import Found, NodeFailed

NEEDED = [
    ("body", "txID"),
    ("body", "raw_data_hex"),
    ("body", "ret"),
    ("info", "id"),
    ("info", "blockTimeStamp"),
]
GARBAGE: list[Any] = [
    None,
    7,
    AT // 1000,
    AT * 1000,
    -7,
    True,
    "",
    "garbage",
    [],
    {},
    [{}],
    [None],
    1.5,
    10**30,
    "0x" + "1" * 64,
    HASH + "\n",
]


async def never_wrong(told: Any, its_info: Any) -> bool:
    """No answer; or an answer, which then credits what was paid and nothing else. True: no answer."""
    try:
        answer = await node(pair(told, its_info)).transaction(HASH)
    except NodeFailed:
        return True
    assert isinstance(answer, Found)
    assert brought(answer.transaction, OURS) in ([], [("USDT", 1, AMOUNT)])
    return False


@pytest.mark.parametrize(("part", "name"), NEEDED)
@pytest.mark.parametrize("instead", ["absent", *GARBAGE], ids=str)
async def test_an_answer_without_what_is_needed_is_no_answer(part: str, name: str, instead: Any) -> None:
    told, its_info = paid()
    bent = told if part == "body" else its_info
    bent[name] = instead
    if instead == "absent":
        del bent[name]
    assert await never_wrong(told, its_info)


@pytest.mark.parametrize("instead", [None, 7, "", "success", "Success", [], {}], ids=str)
async def test_a_result_that_is_no_word_is_no_answer(instead: Any) -> None:
    told, its_info = paid()
    assert await never_wrong({**told, "ret": [{"contractRet": instead}]}, its_info)
    assert await never_wrong(told, {**its_info, "receipt": {"result": instead}})
    assert await never_wrong(told, {**its_info, "result": instead})


async def test_a_result_left_out_where_it_never_is_is_no_answer() -> None:
    told, its_info = paid()
    for ret in ([], [{}], [{"contractRet": "SUCCESS"}] * 2, {"contractRet": "SUCCESS"}):
        assert await never_wrong({**told, "ret": ret}, its_info)
    for receipt in (None, [], "SUCCESS"):
        assert await never_wrong(told, {**its_info, "receipt": receipt})


@pytest.mark.parametrize("name", ["address", "topics", "data"])
@pytest.mark.parametrize("instead", [None, 7, "garbage", {}, ["x"], "41" + USDT], ids=str)
async def test_a_log_in_another_shape_is_no_answer(name: str, instead: Any) -> None:
    told, its_info = paid()
    its_info["log"][0][name] = instead
    assert await never_wrong(told, its_info)


@pytest.mark.parametrize("logs", [None, {}, "x", [None], ["x"], 5], ids=str)
async def test_logs_in_another_shape_are_no_answer(logs: Any) -> None:
    told, its_info = paid()
    assert await never_wrong(told, {**its_info, "log": logs})


async def test_no_field_of_a_recorded_pair_bends_into_a_wrong_credit() -> None:
    """Every field there is, at any depth, replaced by every kind of garbage."""
    both = list(paid())

    def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        return [here for key, each in inner for here in ((*path, key), *places(each, (*path, key)))]

    for path in places(both):
        for instead in GARBAGE:
            bent: Any = copy.deepcopy(both)
            inner = bent
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = instead
            if isinstance(bent[0], dict) and isinstance(bent[1], dict) and all(bent):
                await never_wrong(*bent)


@pytest.mark.parametrize("what", ["gettransactionbyid", "gettransactioninfobyid"])
@pytest.mark.parametrize("said", [[], "text", None, 5, {"Error": "x"}, {"error": "x"}, {"ERROR": ""}], ids=str)
async def test_bodies_that_are_none_are_no_answer(what: str, said: Any) -> None:
    for where in ("wallet", "walletsolidity"):
        made = book(*paid(), solid=AT if where == "walletsolidity" else AT - 1)
        made.changes[f"{where}/{what}"] = Answer(200, said, {})
        with pytest.raises(NodeFailed):
            await node(made).transaction(HASH)


@pytest.mark.parametrize(
    "said", [{}, {"block_header": {}}, {"block_header": {"raw_data": {"timestamp": "1"}}}], ids=str
)
async def test_a_solid_block_without_a_time_is_no_answer(said: Any) -> None:
    made = Tron()
    made.changes["walletsolidity/getnowblock"] = said
    with pytest.raises(NodeFailed):
        await node(made).finalized()

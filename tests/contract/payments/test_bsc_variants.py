"""The recorded answers bent by hand into shapes that nodes, contracts and forks give: each judged right."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.payments.nodes import HASH, OURS, USDT, Book, Scripted, chain, paid_2026, result
from tests.contract.payments.test_bsc_recorded import CONTRACTS, book, several, told, topics
from viralcore.core.http import Answer, NoAnswer
from viralcore.payments.domain.chain import NATIVE, ChainTransaction, incoming, why_nothing
from viralcore.payments.ports import ChainUnavailable, Found

AMOUNT = 0x347547A83401A4000
FINAL = 0x6BEF771


def shout(value: Any) -> Any:
    """Every hex digit in capitals, the ``0x`` as it is."""
    if isinstance(value, dict):
        return {key: shout(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shout(inner) for inner in value]
    return "0x" + value[2:].upper() if isinstance(value, str) and value.startswith("0x") else value


def brought(found: ChainTransaction) -> list[tuple[str, int, int]]:
    return [(each.asset, each.position, each.amount) for each in incoming(found, ours=OURS, contracts=CONTRACTS)]


async def test_hex_in_capitals_is_the_same_story() -> None:
    tx, receipt = paid_2026()
    made = book(tx, receipt)
    whole = made.block

    def loud(method: str, params: list[Any]) -> dict[str, Any]:
        return dict(shout(made(method, params)))

    assert whole(FINAL, True) is not None
    found = await chain(Scripted(loud)).transaction(HASH)
    assert isinstance(found, Found)
    assert found.transaction == await told(made, HASH)
    scan = await chain(Scripted(loud)).scan(after=FINAL - 1, limit=1, fresh=0)
    assert scan.hashes == (HASH,)
    one = chain(Scripted(made), Scripted(loud))
    first = await one.transaction(HASH)
    assert isinstance(first, Found)
    assert await one.confirm(first) == "agrees"


async def test_an_amount_past_every_machine_word_is_exact() -> None:
    tx, receipt = paid_2026()
    huge = 2**256 - 1
    made = several(receipt, {"data": hex(huge)}, {"data": "0x" + f"{2**128 + 1:064x}"})
    assert brought(await told(book(tx, made), HASH)) == [("USDT", 0, huge + 2**128 + 1)]


async def test_dirty_upper_bytes_of_a_topic_are_not_part_of_the_address() -> None:
    tx, receipt = paid_2026()
    made = several(receipt, {"topics": topics(receipt, recipient="0x" + "9" * 24 + OURS[2:])})
    assert brought(await told(book(tx, made), HASH)) == [("USDT", 0, AMOUNT)]


@pytest.mark.parametrize("field", ["milliTimestamp", "mixHash"])
async def test_milliseconds_in_other_fields_change_nothing(field: str) -> None:
    made = book(*paid_2026())
    plain = await told(made, HASH)
    whole = made.block

    def block(number: int, full: bool) -> dict[str, Any] | None:
        told_ = whole(number, full)
        return None if told_ is None else {**told_, field: "0x" + f"{0x68DE3E70 * 1000 + 450:064x}"}

    made.block = block  # type: ignore[method-assign,assignment]
    assert (await told(made, HASH)).block_time == plain.block_time


async def test_milliseconds_where_seconds_belong_are_no_time() -> None:
    tx, receipt = paid_2026()
    made = Book(final=FINAL)
    made.add(tx, receipt, timestamp=0x68DE3E70 * 1000)
    with pytest.raises(ChainUnavailable):
        await told(made, HASH)


NEEDED = [
    ("receipt", "status"),
    ("receipt", "logs"),
    ("receipt", "blockNumber"),
    ("receipt", "blockHash"),
    ("receipt", "transactionHash"),
    ("tx", "hash"),
    ("tx", "value"),
]


@pytest.mark.parametrize(("part", "field"), NEEDED)
@pytest.mark.parametrize("instead", ["absent", None, 7, "garbage"])
async def test_an_answer_without_what_is_needed_is_no_answer(part: str, field: str, instead: Any) -> None:
    tx, receipt = paid_2026()
    made, sound = book(tx, receipt), book(*paid_2026())
    bent = {**(receipt if part == "receipt" else tx), field: instead}
    if instead == "absent":
        del bent[field]
    method = "eth_getTransactionReceipt" if part == "receipt" else "eth_getTransactionByHash"
    made.changes[method] = result(bent)
    with pytest.raises(ChainUnavailable):
        await chain(Scripted(made)).transaction(HASH)
    assert isinstance(await chain(Scripted(made), Scripted(sound)).transaction(HASH), Found)


@pytest.mark.parametrize("field", ["removed", "blockTimestamp", "transactionIndex"])
async def test_fields_that_some_nodes_leave_out_are_not_missed(field: str) -> None:
    tx, receipt = paid_2026()
    made = several(receipt, {})
    made["logs"][0].pop(field, None)
    assert brought(await told(book(tx, made), HASH)) == [("USDT", 0, AMOUNT)]


async def test_coins_and_tokens_through_a_router_count_only_where_they_reached_us() -> None:
    tx, receipt = paid_2026()
    tx |= {"to": "0x" + "7" * 40, "value": hex(10**17)}
    found = await told(book(tx, several(receipt, {})), HASH)
    assert brought(found) == [("USDT", 0, AMOUNT)]


async def test_coins_sent_on_by_a_contract_are_for_people_to_look_at() -> None:
    """A multi-send carries its coins itself: the value went to the contract, what it paid out is not told."""
    tx, receipt = paid_2026()
    tx |= {"to": "0x" + "7" * 40, "value": hex(10**17)}
    found = await told(book(tx, {**receipt, "logs": []}), HASH)
    assert brought(found) == []
    assert why_nothing(found, ours=OURS, contracts=CONTRACTS) == "internal"
    plain = await told(book({**tx, "input": "0x"}, {**receipt, "logs": []}), HASH)
    assert why_nothing(plain, ours=OURS, contracts=CONTRACTS) == "wrong_recipient"


async def test_the_making_of_a_contract_pays_nobody() -> None:
    tx, receipt = paid_2026()
    tx |= {"to": None, "value": hex(10**17)}
    found = await told(book(tx, {**receipt, "to": None, "contractAddress": OURS, "logs": []}), HASH)
    assert [each for each in found.movements if each.contract == NATIVE] == []
    assert brought(found) == []


LOGS_REFUSED = [
    {"jsonrpc": "2.0", "id": 1, "error": {"code": -32005, "message": "limit exceeded"}},
    {"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "the method eth_getLogs does not exist"}},
    {"jsonrpc": "2.0", "id": None, "error": {"code": -32701, "message": "Please specify an address"}},
    {"jsonrpc": "2.0", "id": 1, "error": {"code": 35, "message": "ranges over 10000 blocks are not supported"}},
    {"jsonrpc": "2.0", "id": 1, "error": {"message": "not here"}},
    {"error": "not in your plan"},
]


class NoLogs(Scripted):
    """Answers everything but eth_getLogs, which it refuses with a status of its own."""

    def __init__(self, say: Any, status: int, body: Any) -> None:
        super().__init__(say)
        self.status = status
        self.body = body

    async def read_json(self, method: str, path: str = "", *, json: Any = None, **more: Any) -> Answer:
        if isinstance(json, dict) and json["method"] == "eth_getLogs":
            if self.status >= 500:
                raise NoAnswer("bsc", "server_error", status=self.status, body=self.body)
            return Answer(self.status, self.body, {})
        return await super().read_json(method, path, json=json, **more)


@pytest.mark.parametrize("status", [200, 400, 403, 413])
@pytest.mark.parametrize("body", LOGS_REFUSED, ids=range(len(LOGS_REFUSED)))
async def test_a_node_that_refuses_logs_is_read_by_receipts_whatever_its_way_to_say_so(
    status: int, body: dict[str, Any]
) -> None:
    node = NoLogs(book(*paid_2026(), logs=False), status, body)
    scan = await chain(node).scan(after=FINAL - 3, limit=5, fresh=0)
    assert (scan.hashes, scan.upto) == ((HASH,), FINAL)


async def test_a_refusal_under_a_servers_status_is_one_when_it_is_a_json_rpc_error() -> None:
    node = NoLogs(book(*paid_2026(), logs=False), 500, LOGS_REFUSED[0])
    assert (await chain(node).scan(after=FINAL - 3, limit=5, fresh=0)).hashes == (HASH,)
    with pytest.raises(ChainUnavailable):
        await chain(NoLogs(book(*paid_2026()), 503, "busy")).scan(after=FINAL - 3, limit=5, fresh=0)


async def test_the_newest_block_not_being_everywhere_yet_holds_no_final_money() -> None:
    """Behind a balancer one answer names a block that the next one does not have."""
    made = book(*paid_2026())
    made.changes["eth_blockNumber"] = result(hex(FINAL + 9))
    scan = await chain(Scripted(made)).scan(after=FINAL - 1, limit=5, fresh=20)
    assert (scan.hashes, scan.upto, scan.fresh) == ((HASH,), FINAL, ())


async def test_a_node_that_stands_still_does_not_hold_what_another_knows_to_be_final() -> None:
    still = book(*paid_2026())
    still.final = FINAL - 1
    found = await chain(Scripted(still), Scripted(book(*paid_2026()))).transaction(HASH)
    assert isinstance(found, Found)
    assert (found.node, found.transaction.final) == ("n1", True)
    three = chain(Scripted(book(*paid_2026())), Scripted(still), Scripted(book(*paid_2026())))
    first = await three.transaction(HASH)
    assert isinstance(first, Found)
    assert await three.confirm(first) == "agrees"


async def test_the_token_in_another_spelling_of_its_address_is_the_token() -> None:
    tx, receipt = paid_2026()
    made = several(receipt, {"address": "0x55d398326f99059fF775485246999027B3197955"})
    assert brought(await told(book(tx, made), HASH)) == [("USDT", 0, AMOUNT)]
    scan = await chain(Scripted(book(tx, made))).scan(after=FINAL - 1, limit=1, fresh=0)
    assert scan.hashes == (HASH,)
    assert "0x55d398326f99059fF775485246999027B3197955".lower() == USDT

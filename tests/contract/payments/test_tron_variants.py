"""One transaction on Tron in every shape it comes in: each judged right, or no answer at all."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.payments.test_tron_recorded import book, brought, found
from tests.contract.payments.tron_nodes import (
    AMOUNT,
    AT,
    CONTRACTS,
    HASH,
    MAINNET,
    OURS,
    PAYER,
    TOPIC,
    USDT,
    Tron,
    asset,
    body,
    call,
    chain,
    coins,
    contract,
    field,
    info,
    log,
    node,
    paid,
    pair,
)
from viralcore.core.http import Answer
from viralcore.payments.domain.chain import NATIVE, why_nothing
from viralcore.payments.ports import Found, Missing, NodeFailed, Pending

OTHER = "41" + "8" * 40
FAKE = "41" + "6" * 40


async def judged(raw: bytes, *logs: Any, **more: Any) -> list[tuple[str, int, int]]:
    told = body(raw)
    return brought(await found(book(told, info(told, AT, *logs, **more)), told["txID"]), OURS)


async def why(told: dict[str, Any], *logs: Any, **more: Any) -> str:
    transaction = await found(book(told, info(told, AT, *logs, **more)), told["txID"])
    assert brought(transaction, OURS) == []
    return why_nothing(transaction, ours=OURS, contracts=CONTRACTS)


# --- how far it has come --------------------------------------------------------------------------------------------


async def test_a_body_without_its_info_is_in_no_block_yet() -> None:
    told, its_info = paid()
    assert await node(pair(told, {})).transaction(HASH) == Pending()
    assert await node(pair({}, its_info)).transaction(HASH) == Pending()


async def test_in_a_block_that_is_not_solid_it_is_not_final() -> None:
    made = book(*paid(), solid=AT - 3000, head=AT)
    answer = await node(made).transaction(HASH)
    assert isinstance(answer, Found)
    assert not answer.transaction.final
    made.solid = AT
    later = await node(made).transaction(HASH)
    assert isinstance(later, Found)
    assert later.transaction.final


async def test_solid_without_its_info_is_asked_for_where_it_may_not_be_final() -> None:
    made = book(*paid())
    made.changes["walletsolidity/gettransactioninfobyid"] = {}
    answer = await node(made).transaction(HASH)
    assert isinstance(answer, Found)
    assert not answer.transaction.final


async def test_unknown_here_is_unknown_here_only() -> None:
    made = Tron()
    assert await node(made).transaction("f" * 64) == Missing(1)
    assert [path for path, _ in made.asked[1:]] == [
        "walletsolidity/gettransactionbyid",
        "wallet/gettransactionbyid",
        "wallet/gettransactioninfobyid",
    ]
    assert made.asked[-1][1] == {"value": "f" * 64, "visible": False}


# --- did it work ----------------------------------------------------------------------------------------------------

FAILURES = ["REVERT", "OUT_OF_ENERGY", "OUT_OF_TIME", "TRANSFER_FAILED", "DEFAULT", "UNKNOWN", "A_WORD_OF_NEXT_YEAR"]


@pytest.mark.parametrize("word", FAILURES)
@pytest.mark.parametrize("where", ["body", "receipt", "both"])
async def test_one_place_that_says_it_failed_is_enough(word: str, where: str) -> None:
    told, its_info = paid()
    if where != "receipt":
        told["ret"] = [{"contractRet": word}]
    if where != "body":
        its_info["receipt"]["result"] = word
    transaction = await found(book(told, its_info), HASH)
    assert not transaction.success
    assert brought(transaction, OURS) == []
    assert why_nothing(transaction, ours=OURS, contracts=CONTRACTS) == "failed"


async def test_failed_in_the_info_alone_is_failed() -> None:
    told, its_info = paid()
    assert not (await found(book(told, {**its_info, "result": "FAILED"}), HASH)).success
    assert await why(body(coins(150), result="OUT_OF_ENERGY")) == "failed"


@pytest.mark.parametrize("word", ["SUCESS", "SUCCESS"])
async def test_success_in_either_spelling_of_java_tron(word: str) -> None:
    told, its_info = paid()
    assert (await found(book(told, {**its_info, "result": word}), HASH)).success


async def test_a_receipt_that_says_nothing_says_nothing_bad() -> None:
    told, its_info = paid()
    del its_info["receipt"]
    assert (await found(book(told, its_info), HASH)).success


# --- coins ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", [1, 150_466_320, 2**63 - 1])
async def test_coins_to_us_to_the_last_digit(amount: int) -> None:
    assert await judged(coins(amount)) == [("TRX", 0, amount)]


async def test_nothing_and_less_than_nothing_are_no_coins() -> None:
    for amount in (0, -5):
        told = body(coins(amount))
        assert (await found(book(told, info(told)), told["txID"])).movements == ()


async def test_coins_from_us_to_us_are_a_self_transfer() -> None:
    assert await why(body(coins(5, sender=OURS))) == "self_transfer"


async def test_coins_to_somebody_else() -> None:
    assert await why(body(coins(5, to=OTHER))) == "wrong_recipient"


async def test_a_trc10_token_is_the_wrong_token_whatever_its_name() -> None:
    for name in (b"1005065", b"TRX", b"\xff\x00", b"", USDT.encode()):
        assert await why(body(asset(8_888_880_000, name=name))) == "wrong_token"


async def test_coins_sent_along_with_a_call_are_not_ours() -> None:
    """Not even when the contract named is our own address."""
    for to in (USDT, OURS):
        assert await why(body(call(5_000_000, to=to))) == "internal"


async def test_the_amount_is_what_was_signed_whatever_the_json_says() -> None:
    """The JSON beside the bytes may say what it likes: the id is the hash of the bytes."""
    value = {"amount": 10**12, "owner_address": PAYER, "to_address": OURS}
    told = body(coins(5, to=OTHER), contract=[{"type": "TransferContract", "parameter": {"value": value}}])
    assert await why(told) == "wrong_recipient"


async def test_forged_bytes_are_no_answer_and_the_next_node_is_asked() -> None:
    honest = body(coins(5))
    forged = {**honest, "raw_data_hex": coins(5_000_000).hex()}
    liar, sound = book(forged, info(honest)), book(honest, info(honest))
    with pytest.raises(NodeFailed, match="another_transaction"):
        await node(liar).transaction(honest["txID"])
    answer = await chain(liar, sound).transaction(honest["txID"])
    assert isinstance(answer, Found)
    assert (answer.node, brought(answer.transaction, OURS)) == ("t1", [("TRX", 0, 5)])


async def test_the_answer_to_another_question_is_no_answer() -> None:
    other = body(coins(5_000_000))
    made = Tron()
    made.known[HASH] = other, info(other), AT
    with pytest.raises(NodeFailed, match="another_transaction"):
        await node(made).transaction(HASH)
    told, its_info = paid()
    with pytest.raises(NodeFailed, match="another_transaction"):
        await node(book(told, {**its_info, "id": "1" * 64})).transaction(HASH)


ODD_BYTES = {
    "no contract": field(1, b"\xaf\xe3"),
    "nothing": b"",
    "two contracts": coins(5) + contract(1, "TransferContract", b""),
    "another type": contract(
        1, "TransferAssetContract", field(1, bytes.fromhex(PAYER)) + field(2, bytes.fromhex(OURS)) + field(3, 5)
    ),
    "cut off": coins(5)[:-20],
    "an endless number": b"\x08" + b"\xff" * 12,
    "a number that is cut off": b"\x08\xff",
    "an unknown form": b"\x0f",
    "a contract that is a number": field(11, 5),
    "an address too short": contract(1, "TransferContract", field(1, b"\x41") + field(2, b"\x41") + field(3, 5)),
    "an address of another network": coins(5, to="42" + OURS[2:]),
    "an amount that is text": contract(1, "TransferContract", coins(5)[20:20] + field(1, b"x") + field(3, b"5")),
    "a group that never closes": coins(5) + b"\xa3\x06\x08\x01",
    "a group that never opened": coins(5) + b"\xa4\x06",
    "groups that cross": coins(5) + b"\xa3\x06\xab\x06\xa4\x06\xac\x06",
}


@pytest.mark.parametrize("name", ODD_BYTES)
async def test_bytes_that_are_no_transaction_are_no_answer(name: str) -> None:
    told = body(ODD_BYTES[name])
    with pytest.raises(NodeFailed):
        await node(book(told, info(told))).transaction(told["txID"])


async def test_bytes_written_oddly_are_read_as_the_format_has_it() -> None:
    """The last of a repeated field counts, a message in parts is one, what is unknown is passed over."""
    twice = field(1, bytes.fromhex(PAYER)) + field(3, 10**9) + field(2, bytes.fromhex(OURS)) + field(3, 7)
    assert await judged(contract(1, "TransferContract", twice)) == [("TRX", 0, 7)]
    url = field(1, b"type.googleapis.com/protocol.TransferContract")
    parts = field(1, 1) + field(2, field(2, twice)) + field(2, url)
    assert await judged(field(11, parts)) == [("TRX", 0, 7)]
    group = b"\xa3\x06" + b"\xa3\x06" * 5000 + contract(1, "TransferContract", twice) + b"\xa4\x06" * 5001
    more = field(99, 5) + field(98, b"memo") + b"\xb9\x06" + b"8" * 8 + b"\xbd\x06" + b"4" * 4
    assert await judged(group + more + coins(5)) == [("TRX", 0, 5)]


async def test_a_contract_nobody_knows_moves_nothing() -> None:
    assert await why(body(contract(59, "ContractOfNextYear", coins(5)))) == "wrong_recipient"


# --- tokens ---------------------------------------------------------------------------------------------------------


async def test_several_logs_count_where_they_are_ours_at_places_of_their_own() -> None:
    logs = [
        log(10, token=FAKE),  # another token with the same shape: its symbol is never asked
        log(10),
        log(10, to=OTHER),
        log(11),
        {**log(10), "topics": log(10)["topics"][:2]},
        {**log(10), "topics": [*log(10)["topics"], "0" * 64]},
        {**log(10), "topics": ["8" * 64, *log(10)["topics"][1:]]},
        {"address": USDT[2:]},  # what is empty is left out
        log(0),
    ]
    told = body(call())
    transaction = await found(book(told, info(told, AT, *logs)), told["txID"])
    assert brought(transaction, OURS) == [("USDT", 2, 21)]
    assert [each.position for each in transaction.movements] == [1, 2, 3, 4, 9]


async def test_change_that_goes_back_is_taken_off() -> None:
    assert await judged(call(), log(100), log(30, to=PAYER, sender=OURS)) == [("USDT", 1, 70)]
    assert await judged(call(), log(30), log(30, to=PAYER, sender=OURS)) == []


async def test_a_self_transfer_of_tokens_is_nothing() -> None:
    assert await why(body(call()), log(100, sender=OURS)) == "self_transfer"


async def test_a_fake_token_alone_is_the_wrong_token() -> None:
    assert await why(body(call()), log(10**9, token=FAKE)) == "wrong_token"


async def test_a_token_transfer_of_nothing_is_zero() -> None:
    """Poisoners send nothing from addresses that look like ours. Empty data is left out of a log."""
    assert await why(body(call()), log(0)) == "zero"
    empty = log(0)
    del empty["data"]
    assert await why(body(call()), empty) == "zero"


async def test_tokens_and_coins_of_one_transaction_do_not_share_a_place() -> None:
    """A transfer of coins has no logs on the chain; should a node tell one, it is told apart."""
    assert await judged(coins(5), log(7)) == [("TRX", 0, 5), ("USDT", 1, 7)]


async def test_topics_with_something_above_the_address_and_hex_in_capitals() -> None:
    loud = log(AMOUNT)
    loud["topics"] = [topic.upper() for topic in [TOPIC, "9" * 24 + PAYER[2:], "41".rjust(24, "0") + OURS[2:]]]
    loud = {**loud, "address": loud["address"].upper(), "data": loud["data"].upper()}
    assert await judged(call(), loud) == [("USDT", 1, AMOUNT)]


async def test_an_amount_past_every_machine_word_is_exact() -> None:
    assert await judged(call(), log(2**256 - 1), log(2**128 + 1)) == [("USDT", 1, 2**256 + 2**128)]


ODD_DATA: list[Any] = ["1", "zz", None, 5, "0" * 128, "f" * 62, "0x" + "0" * 64, "0" * 64 + "\n"]


@pytest.mark.parametrize("data", ODD_DATA)
async def test_an_amount_of_our_token_that_cannot_be_read_is_no_answer(data: Any) -> None:
    told = body(call())
    made = book(told, info(told, AT, {**log(5), "data": data}))
    with pytest.raises(NodeFailed):
        await node(made).transaction(told["txID"])


@pytest.mark.parametrize("data", ODD_DATA)
async def test_a_strangers_odd_log_beside_it_does_not_hide_our_money(data: Any) -> None:
    assert await judged(call(), {**log(5, token=FAKE), "data": data}, log(9)) == [("USDT", 2, 9)]


# --- which chain, and two of them -----------------------------------------------------------------------------------


async def test_a_node_of_a_test_network_is_never_believed() -> None:
    shasta = {"blockID": "0000000000000000de1aa88295e1fcf982742f773e0419c5a9c134c994a9059e"}
    made = book(*paid())
    made.changes["wallet/getblockbynum"] = shasta
    for _ in range(2):
        with pytest.raises(NodeFailed, match="another_chain"):
            await node(made).transaction(HASH)
        with pytest.raises(NodeFailed, match="another_chain"):
            await node(made).scan(after=AT - 1, limit=5, fresh=0)
    assert MAINNET == 0x2B6653DC


@pytest.mark.parametrize("said", [{}, Answer(404, "no such page", {})], ids=["pruned", "absent"])
async def test_a_node_that_has_no_first_block_is_asked_for_it_once(said: Any) -> None:
    made = book(*paid())
    made.changes["wallet/getblockbynum"] = said
    asked = node(made)
    for _ in range(2):
        assert isinstance(await asked.transaction(HASH), Found)
    assert [path for path, _ in made.asked].count("wallet/getblockbynum") == 1
    assert made.asked[0] == ("wallet/getblockbynum", {"num": 0})


async def confirmed(second: Any) -> str:
    one = chain(book(*paid()), second)
    first = await one.transaction(HASH)
    assert isinstance(first, Found)
    return await one.confirm(first)


async def test_the_other_node_agrees_differs_lags_or_is_silent() -> None:
    told, its_info = paid()
    assert await confirmed(book(*paid())) == "agrees"
    assert await confirmed(book(told, {**its_info, "fee": 1, "resMessage": "x", "blockNumber": 5})) == "agrees"
    assert await confirmed(book(told, {**its_info, "log": [log(AMOUNT + 1)]})) == "differs"
    assert await confirmed(book(told, {**its_info, "blockTimeStamp": AT + 3000})) == "differs"
    assert await confirmed(book(*paid(), solid=AT - 3000)) == "not_final"
    assert await confirmed(Tron()) == "silent"


async def test_a_story_is_told_alike_whatever_the_spelling_of_its_hex() -> None:
    told, its_info = paid()
    loud = {**told, "txID": HASH.upper(), "raw_data_hex": told["raw_data_hex"].upper()}
    made = pair(loud, {**its_info, "id": HASH.upper()})
    assert await found(made, HASH) == await found(book(told, its_info), HASH)
    assert (await found(made, HASH)).movements[0].contract != NATIVE

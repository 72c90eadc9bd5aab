"""The Tron adapter against what real nodes and TronGrid were recorded to say."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.payments.nodes import fixture
from tests.contract.payments.tron_nodes import (
    AMOUNT,
    AT,
    CONTRACTS,
    HASH,
    OURS,
    PAYER,
    USDT,
    Tron,
    chain,
    info,
    log,
    node,
    paid,
)
from viralcore.core.addresses import tron_base58
from viralcore.core.http import Answer, BreakerOpen, NoAnswer, NotSent
from viralcore.payments.adapters import tron_reading as reading
from viralcore.payments.domain.chain import ChainTransaction, incoming, why_nothing
from viralcore.payments.ports import ChainUnavailable, Found, Missing, NodeFailed

FIXTURES = "tron/"
TRX_ID = "3f8b651bdf4a301a08693a2fa4b0d5fd808927ad658aa279ba030215fecdd6b3"
TRX_TO = "4115e75fb8683b09c857d7b8a740b1d0234a3ca97b"
DUST_ID = "5144c4f5a52a08e57dfdf550b4f925c396e68c59a80339cea69497bee116437f"


def recorded(name: str) -> Any:
    return fixture(f"{FIXTURES}{name}.json")


def book(told: Any, its_info: Any, **more: Any) -> Tron:
    made = Tron(**{"solid": its_info["blockTimeStamp"], **more})
    made.add(told, its_info, its_info["blockTimeStamp"])
    return made


async def found(made: Tron, canonical: str) -> ChainTransaction:
    answer = await chain(made).transaction(canonical)
    assert isinstance(answer, Found)
    return answer.transaction


def brought(told: ChainTransaction, ours: str) -> list[tuple[str, int, int]]:
    return [(each.asset, each.position, each.amount) for each in incoming(told, ours=ours, contracts=CONTRACTS)]


async def test_the_recorded_usdt_transfer_is_read_from_its_log() -> None:
    told = await found(book(*paid()), HASH)
    assert (told.success, told.final, told.contract_call) == (True, True, True)
    assert (told.block, told.block_time.isoformat()) == (AT, "2025-02-03T16:51:45+00:00")
    assert brought(told, OURS) == [("USDT", 1, AMOUNT)]
    assert told.movements[0].sender == PAYER
    assert brought(told, tron_base58(OURS)) == [("USDT", 1, AMOUNT)]  # as the settings spell it


async def test_the_recorded_call_with_a_plain_word_is_read_the_same_way() -> None:
    told = recorded("gettransactionbyid_trc20_usdt_plain_word")
    made = book(told, info(told, 1669285026000, log(1_000_000, to=PAYER, sender=OURS), receipt={"result": "SUCCESS"}))
    assert brought(await found(made, told["txID"]), PAYER) == [("USDT", 1, 1_000_000)]


@pytest.mark.parametrize("word", ["41_prefixed_word", "plain_word"])
async def test_what_the_call_data_says_is_nobodys_money(word: str) -> None:
    """Either spelling decodes to a payment to us; only the log says whether there was one."""
    told = recorded(f"gettransactionbyid_trc20_usdt_{word}")
    silent = await found(book(told, info(told, AT)), told["txID"])
    assert silent.success
    assert brought(silent, OURS) == brought(silent, PAYER) == []
    assert why_nothing(silent, ours=OURS, contracts=CONTRACTS) == "internal"


@pytest.mark.parametrize(
    ("body", "its_info", "ours", "amount"),
    [
        ("trx_transfer_150_466320", "trx_transfer_activating_account", TRX_TO, 150_466_320),
        ("trx_transfer_dust_1_sun", "trx_transfer_free_bandwidth", PAYER, 1),
    ],
)
async def test_recorded_transfers_of_coins(body: str, its_info: str, ours: str, amount: int) -> None:
    told = recorded(f"gettransactionbyid_{body}")
    transaction = await found(book(told, recorded(f"gettransactioninfobyid_{its_info}")), told["txID"])
    assert brought(transaction, ours) == [("TRX", 0, amount)]
    assert not transaction.contract_call


async def test_the_recorded_failure_brings_nothing_although_its_call_decodes() -> None:
    told, _ = paid()
    failed = {**recorded("gettransactioninfobyid_failed_revert_shape"), "id": HASH}
    transaction = await found(book({**told, "ret": [{"contractRet": "REVERT"}]}, failed), HASH)
    assert not transaction.success
    assert why_nothing(transaction, ours=OURS, contracts=CONTRACTS) == "failed"


@pytest.mark.parametrize("name", ["trx_transfer", "trigger_smart_contract_doc"])
async def test_a_body_without_the_bytes_that_prove_it_is_no_answer(name: str) -> None:
    """The documentation leaves them out or cuts them off; a node gives them."""
    told = recorded(f"gettransactionbyid_{name}")
    with pytest.raises(NodeFailed, match="bad_bytes"):
        await node(book(told, info(told))).transaction(told["txID"])


def test_the_recorded_log_of_another_kind_moves_nothing() -> None:
    logs = recorded("gettransactioninfobyid_nile_contract_doc")["log"]
    assert reading.token_movements(logs, {USDT}) == ()


def test_the_recorded_block_and_address_check() -> None:
    assert reading.block_moment(recorded("getnowblock_trimmed")) == 1777445307000
    with pytest.raises(NodeFailed):
        reading.page(recorded("validateaddress_ok_hex"))


async def test_unknown_is_an_empty_object_under_200() -> None:
    assert recorded("wallet_unknown_tx") == {}
    assert await chain(Tron()).transaction(HASH) == Missing(1)
    assert await chain(Tron(), Tron()).transaction(HASH) == Missing(2)
    assert isinstance(await chain(Tron(), book(*paid())).transaction(HASH), Found)


ERRORS = [
    "error_403_bad_key",
    "error_403_key_frequency",
    "error_403_v1_frequency",
    "error_429_keyless_rps",
    "wallet_error_bad_hex_get",
]
BROKEN: list[Any] = [
    *[recorded(name) for name in ERRORS],
    *[Answer(403, recorded(name), {}) for name in ERRORS],
    *[Answer(429, recorded(name), {}) for name in ERRORS],
    Answer(404, "<html>not here</html>", {}),
    Answer(403, "<html>forbidden</html>", {}),
    Answer(429, {}, {}),
    "<html>rate limited</html>",
    [],
    None,
    {"error": "busy"},
    NoAnswer("tron", "server_error", status=503, body=recorded("error_429_keyless_rps")),
    NotSent("tron", "connect_error"),
    BreakerOpen("tron"),
]


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
async def test_an_error_rotates_to_another_node_and_never_means_not_found(body: Any) -> None:
    broken, sound = Tron(), book(*paid())
    broken.whole = Answer(200, None, {}) if body is None else body
    sound.tokens = recorded("v1_account_transactions_trc20_live_2025")["data"]
    asked = chain(broken, sound)
    assert isinstance(await asked.transaction(HASH), Found)
    assert (await asked.scan(after=AT - 3000, limit=60_000, fresh=0)).hashes == (HASH,)
    assert await asked.finalized() == AT
    for question in (
        lambda alone: alone.transaction(HASH),
        lambda alone: alone.scan(after=0, limit=1, fresh=0),
        lambda alone: alone.finalized(),
    ):
        with pytest.raises(ChainUnavailable):
            await question(chain(broken))


async def test_the_recorded_list_of_tokens_names_what_came_to_us() -> None:
    rows = recorded("v1_account_transactions_trc20_live_2025")["data"]
    named = [
        [reading.token_hash(row, ours=ours, contract=USDT, decimals=6) is not None for row in rows]
        for ours in (PAYER, OURS)
    ]
    # in, in, another token, out, in
    assert named == [[False, True, False, False, True], [True, False, False, False, False]]


async def test_the_recorded_lists_of_an_account_name_coins_only() -> None:
    rows = recorded("v1_account_transactions_dust_and_trc10_live_2025")["data"]
    assert [reading.native_hash(row, ours=PAYER) for row in rows] == [None, DUST_ID]
    (row,) = recorded("v1_account_transactions_trx_transfer")["data"]
    ours = "41c6a137bb170cc0dd40fcb83f18b389fa9426ac46"
    assert reading.native_hash(row, ours=ours) == row["txID"]


async def test_the_recorded_trc10_token_is_never_taken_for_coins() -> None:
    (row, _) = recorded("v1_account_transactions_dust_and_trc10_live_2025")["data"]
    told = await found(book(row, info(row)), row["txID"])
    assert brought(told, PAYER) == []
    assert why_nothing(told, ours=PAYER, contracts=CONTRACTS) == "wrong_token"


async def test_recorded_pages() -> None:
    assert reading.page(recorded("v1_empty_page")) == ([], None)
    rows, mark = reading.page(recorded("v1_contract_events_transfer_live_2026"))
    assert len(rows) == 2
    assert mark is not None
    assert mark.startswith("7dveEb1DxX4L2Y6q")

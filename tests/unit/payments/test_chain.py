"""What a transaction brought us."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from viralcore.payments.domain.chain import NATIVE, ChainTransaction, Incoming, Movement, incoming, why_nothing

OURS = "0x" + "a" * 40
PAYER = "0x" + "b" * 40
OTHER = "0x" + "c" * 40
USDT = "0x" + "d" * 40
FAKE = "0x" + "e" * 40
CONTRACTS = {USDT: "USDT", NATIVE: "BNB"}


def transaction(*movements: Movement, success: bool = True, contract_call: bool = False) -> ChainTransaction:
    return ChainTransaction(
        network="bsc",
        hash="0x" + "1" * 64,
        success=success,
        final=True,
        block=5,
        block_time=datetime(2026, 3, 2, tzinfo=UTC),
        movements=movements,
        contract_call=contract_call,
    )


def usdt(position: int, sender: str, recipient: str, amount: int, contract: str = USDT) -> Movement:
    return Movement(position, contract, sender, recipient, amount)


def judge(found: ChainTransaction) -> tuple[Incoming, ...]:
    return incoming(found, ours=OURS.upper().replace("X", "x"), contracts=CONTRACTS)


def test_all_logs_to_our_address_are_summed() -> None:
    found = transaction(usdt(3, PAYER, OURS, 5), usdt(7, OTHER, OURS, 6), usdt(8, PAYER, OTHER, 100))
    assert judge(found) == (Incoming("USDT", 3, 11, ((3, 5), (7, 6))),)


def test_change_that_goes_out_again_is_excluded() -> None:
    assert judge(transaction(usdt(0, PAYER, OURS, 10), usdt(1, OURS, PAYER, 4))) == (Incoming("USDT", 0, 6, ()),)


@pytest.mark.parametrize("out", [10, 11])
def test_what_went_out_whole_brought_nothing(out: int) -> None:
    found = transaction(usdt(0, PAYER, OURS, 10), usdt(1, OURS, OTHER, out))
    assert judge(found) == ()
    assert why_nothing(found, ours=OURS, contracts=CONTRACTS) == "self_transfer"


def test_a_self_transfer_is_nothing() -> None:
    found = transaction(usdt(0, OURS, OURS, 10))
    assert judge(found) == ()
    assert why_nothing(found, ours=OURS, contracts=CONTRACTS) == "self_transfer"


def test_coins_and_tokens_in_one_transaction_are_two_amounts() -> None:
    found = transaction(Movement(0, NATIVE, PAYER, OURS, 9), usdt(4, PAYER, OURS, 8))
    assert [(each.asset, each.amount) for each in judge(found)] == [("BNB", 9), ("USDT", 8)]


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (transaction(usdt(0, PAYER, OURS, 5), success=False), "failed"),
        (transaction(usdt(0, PAYER, OURS, 5, FAKE)), "wrong_token"),
        (transaction(usdt(0, PAYER, OURS, 0)), "zero"),
        (transaction(usdt(0, PAYER, OURS, 0, FAKE)), "zero"),
        (transaction(usdt(0, PAYER, OTHER, 5)), "wrong_recipient"),
        (transaction(), "wrong_recipient"),
        (transaction(contract_call=True), "internal"),
    ],
)
def test_nothing_arrived_and_why(found: ChainTransaction, reason: str) -> None:
    assert judge(found) == ()
    assert why_nothing(found, ours=OURS, contracts=CONTRACTS) == reason

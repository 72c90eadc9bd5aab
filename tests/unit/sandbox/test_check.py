"""Comparing the books: what each kind of disagreement is called, and that agreement is silent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

from viralcore.boosts.api import PanelOrderView
from viralcore.core.money import Money
from viralcore.payments.api import ReceiptView
from viralcore.sandbox.check import bank_problems, order_problems, payout_problems, transfer_problems
from viralcore.sandbox.world import BookOrder, BookPayment, BookPayout, BookTransfer
from viralcore.withdrawals.api import TransferView


def transfer(hash_: str = "0xa", amount: str = "15.0034", **more: Any) -> BookTransfer:
    fields: dict[str, Any] = {"network": "bsc", "position": 0, "asset": "USDT", "final": True, "failed": False, **more}
    return BookTransfer(hash=hash_, amount=Decimal(amount), **fields)


def receipt(
    hash_: str = "0xa", amount: str = "15.0034", number: int = 1, position: int = 0, network: str = "bsc"
) -> ReceiptView:
    return ReceiptView(
        id=number,
        network=network,
        hash=hash_,
        position=position,
        asset="USDT",
        amount=Decimal(amount),
        usd=None,
        state="credited",
        invoice_id=1,
        user_id=1,
        seen_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def placed(order: str = "1", quantity: int = 38) -> BookOrder:
    return BookOrder("smmflare", order, "101", "https://x.com/a/status/1", quantity, "Pending")


def ours(order: str = "1", phase: int = 7, quantity: int = 38, attempt: int = 1) -> PanelOrderView:
    return PanelOrderView("smmflare", order, phase, attempt, "101", "https://x.com/a/status/1", quantity)


def test_agreement_is_silent() -> None:
    assert transfer_problems([transfer()], [receipt("0xA")]) == []
    parts = [transfer(amount="10", position=1), transfer(amount="7", position=2), transfer(amount="-2", position=3)]
    assert transfer_problems(parts, [receipt(amount="15")]) == []
    assert order_problems([placed()], [ours()], 0) == []


def test_what_must_not_count() -> None:
    shadows = [transfer(final=False), transfer("0xb", failed=True), transfer("0xc", asset="")]
    assert transfer_problems(shadows, []) == []
    assert len(transfer_problems(shadows, [receipt("0xa"), receipt("0xb"), receipt("0xc")])) == 3


def test_money_that_went_wrong() -> None:
    assert transfer_problems([transfer()], []) == ["bsc USDT 0xa: 15.0034 arrived and was never judged"]
    twice = transfer_problems([transfer()], [receipt(), receipt(number=2)])
    assert twice == ["bsc USDT 0xa: 15.0034 arrived but 30.0068 was judged", "bsc 0xa: judged 2 times"]


def test_positions_are_the_adapters_own_affair_and_sums_are_not() -> None:
    parts = [transfer(amount="10", position=1), transfer(amount="5", position=4)]
    assert transfer_problems(parts, [receipt(amount="15", position=9)]) == []
    assert transfer_problems(parts, [receipt(amount="10", position=2), receipt(amount="5", position=3)]) == []
    assert len(transfer_problems(parts, [receipt(amount="10", position=2)])) == 1


def test_capitals_matter_in_base58_only() -> None:
    two = [transfer("aB", network="solana"), transfer("Ab", network="solana", amount="2")]
    judged = [receipt("aB", network="solana"), receipt("Ab", "2", number=2, network="solana")]
    assert transfer_problems(two, judged) == []
    assert len(transfer_problems(two, [receipt("AB", network="solana")])) == 3
    assert transfer_problems([transfer("AB", network="tron")], [receipt("ab", network="tron")]) == []


def test_networks_are_told_apart() -> None:
    told = transfer_problems([transfer(network="tron")], [receipt(network="aptos")])
    assert told == [
        "tron USDT 0xa: 15.0034 arrived and was never judged",
        "aptos USDT 0xa: 15.0034 was judged but never arrived",
    ]


def test_what_was_put_into_the_past_may_be_missed_and_not_misjudged() -> None:
    old = [transfer(network="tron", backdated=True)]
    assert transfer_problems(old, []) == []
    assert transfer_problems(old, [receipt(network="tron")]) == []
    assert len(transfer_problems(old, [receipt(network="tron", amount="15")])) == 1


def test_orders_that_went_wrong() -> None:
    assert order_problems([placed(), placed("2")], [ours()], 0) == [
        "smmflare order 2: 38 of service 101 for https://x.com/a/status/1 belongs to no phase"
    ]
    assert order_problems([placed(), placed("2")], [ours()], 1) == []  # a phase of unknown fate may own it
    assert order_problems([], [ours()], 0) == ["phase 7: smmflare has no order 1"]
    assert "claimed by 2 phases" in order_problems([placed()], [ours(), ours(phase=8)], 0)[0]
    assert "accepted 2 times" in order_problems([placed(), placed("2")], [ours(), ours("2")], 0)[0]
    assert "not 37 of 101" in order_problems([placed()], [ours(quantity=37)], 0)[0]


def paid(number: str = "9", kobo: int = 150_050, currency: str = "NGN", status: str = "successful") -> BookPayment:
    return BookPayment(number, "vc-1-a", kobo, currency, status)


def banked(number: str = "9", naira: str = "1500.50", state: str = "credited", asset: str = "NGN") -> ReceiptView:
    return replace(receipt(number, naira), network="bank", asset=asset, state=cast(Any, state))


def test_the_bank_agrees_in_silence() -> None:
    assert bank_problems([paid(), paid("10", 5)], [banked(), banked("10", "0.05", "suspense")]) == []
    assert bank_problems([paid(status="pending"), paid("10", status="failed")], []) == []
    assert bank_problems([paid(currency="USD")], [banked(state="suspense", asset="USD")]) == []
    assert bank_problems([], [banked("manual:7")]) == []  # staff saw it elsewhere


def test_bank_payments_that_went_wrong() -> None:
    named = "bank payment 9 (vc-1-a)"
    assert bank_problems([paid()], []) == [f"{named}: 1500.50 NGN arrived and was never judged"]
    assert bank_problems([paid()], [banked(), banked()]) == [f"{named}: judged 2 times"]
    assert bank_problems([paid()], [banked(naira="15005")]) == [
        f"{named}: 1500.50 NGN arrived but 15005 NGN was judged"
    ]
    assert bank_problems([paid(currency="USD")], [banked(asset="USD")]) == [f"{named}: USD was credited"]
    assert bank_problems([paid(status="failed")], [banked()]) == [f"{named}: judged, but the bank says failed"]
    assert bank_problems([paid(status="pending")], [banked()]) == [f"{named}: judged, but the bank says pending"]
    assert bank_problems([], [banked()]) == ["bank payment 9: was judged but never arrived"]


def sent(reference: str = "vc-w7-a1", kobo: int = 2_850_000, status: str = "SUCCESSFUL") -> BookPayout:
    return BookPayout("71780293", reference, kobo, "0123456789", status)


def attempt(reference: str = "vc-w7-a1", state: str = "succeeded", kobo: int = 2_850_000) -> TransferView:
    number, n = (int(part) for part in reference.removeprefix("vc-w").split("-a"))
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return TransferView(n, number, n, reference, cast(Any, state), "", Money(kobo, "NGN"), None, now, None)


def test_payouts_agree_in_silence() -> None:
    assert payout_problems([sent()], [attempt()]) == []
    assert payout_problems([sent(status="PENDING")], [attempt(state="accepted")]) == []
    assert payout_problems([sent()], [attempt(state="unknown")]) == []  # its webhook is on its way
    assert payout_problems([], [attempt(state="unknown"), attempt("vc-w8-a1", state="failed")]) == []
    failed_first = [sent(status="FAILED"), sent("vc-w7-a2")]
    assert payout_problems(failed_first, [attempt(state="failed"), attempt("vc-w7-a2")]) == []


def test_payouts_that_went_wrong() -> None:
    twice = payout_problems([sent(), sent("vc-w7-a2")], [attempt(), attempt("vc-w7-a2")])
    assert twice == ["withdrawal 7: paid 2 times"]
    named = "withdrawal 7, vc-w7-a1"
    assert payout_problems([sent("salary")], []) == [
        "payout salary: 28500.00 NGN were sent and belong to no withdrawal"
    ]
    assert payout_problems([sent(kobo=1)], [attempt()]) == [f"{named}: 0.01 NGN were sent instead of 28500.00"]
    assert payout_problems([sent(status="FAILED")], [attempt()]) == [
        f"{named}: we say it arrived, the bank says FAILED"
    ]
    assert payout_problems([sent()], [attempt(state="failed")]) == [
        f"{named}: we say it failed, the bank says SUCCESSFUL"
    ]
    assert payout_problems([], [attempt(state="accepted")]) == [f"{named}: the bank never heard of it"]

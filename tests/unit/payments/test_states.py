"""The moves of invoices and claims."""

from __future__ import annotations

from viralcore.payments.domain.states import CLAIM_MOVES, INVOICE_MOVES


def test_a_paid_or_cancelled_invoice_never_moves() -> None:
    assert not INVOICE_MOVES["paid"]
    assert not INVOICE_MOVES["cancelled"]
    assert INVOICE_MOVES["expired"] == {"paid"}
    assert "open" not in {state for moves in INVOICE_MOVES.values() for state in moves}


def test_a_credited_claim_never_moves() -> None:
    assert not CLAIM_MOVES["credited"]
    assert all("credited" in CLAIM_MOVES[state] for state in ("checking", "not_found", "suspense"))

"""Rows as the tables hold them, each value of which a test may choose."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.support.withdrawals import CIPHER
from viralcore.core.money import NGN, Money
from viralcore.withdrawals.domain.states import Account, Attempt, Check, Request, Terms
from viralcore.withdrawals.ports import TransferRecord

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NUMBER = "0690000032"


def request(**values: Any) -> Request:
    known: dict[str, Any] = {
        "id": 1,
        "user_id": 7,
        "source": "affiliate",
        "amount": 2000,
        "state": "processing",
        "terms": Terms(Decimal(1500), 3_000_000, 1075),
        "terms_at": NOW,
        "offered": None,
        "offered_at": None,
        "asked_at": None,
        "account_id": 1,
        "hold_id": 1,
        "mode": "automatic",
        "needed": 1,
        "score": 0,
        "reason": "",
        "reference": "",
        "decided_by": None,
        "round": 1,
        "next_attempt_at": None,
        "created_at": NOW,
        "approved_at": NOW,
        "ended_at": None,
    }
    return Request(**(known | values))


def attempt(**values: Any) -> Attempt:
    known: dict[str, Any] = {
        "id": 1,
        "withdrawal_id": 1,
        "n": 1,
        "reference": "vc-w1-a1",
        "state": "accepted",
        "provider_id": "7",
        "reason": "",
        "words": "",
        "fee": None,
        "sends": 1,
        "created_at": NOW,
        "sent_at": NOW,
        "asked_at": None,
        "ask_due": None,
        "asks": 0,
        "missing_since": None,
        "missing_at": None,
        "seen": "",
        "ended_at": None,
    }
    return Attempt(**(known | values))


def account(**values: Any) -> Account:
    known: dict[str, Any] = {
        "id": 1,
        "user_id": 7,
        "bank_id": 1,
        "bank_code": "044",
        "bank_name": "Access Bank",
        "sealed": CIPHER.encrypt(NUMBER),
        "print": "p",
        "last4": NUMBER[-4:],
        "holder": "ADA OBI",
        "created_at": NOW,
        "used_at": None,
        "forgotten": False,
    }
    return Account(**(known | values))


def check(**values: Any) -> Check:
    known: dict[str, Any] = {
        "id": 1,
        "user_id": 7,
        "source": "affiliate",
        "amount": 2000,
        "state": "asking",
        "reason": "",
        "rate": Decimal(1500),
        "gross": 3_000_000,
        "fee": None,
        "account_id": 1,
        "holder": "",
        "withdrawal_id": None,
        "created_at": NOW,
        "until": NOW,
    }
    return Check(**(known | values))


def record(**values: Any) -> TransferRecord:
    """As the provider has the transfer of `attempt()` for `request()`."""
    known: dict[str, Any] = {
        "id": "7",
        "reference": "vc-w1-a1",
        "status": "pending",
        "amount": Money(2_998_925, NGN),
        "fee": None,
        "bank_code": "044",
        "account_number": NUMBER,
        "complete_message": "",
        "why": None,
        "created_at": NOW,
    }
    return TransferRecord(**(known | values))

"""What the provider's words mean, with the words it was recorded to say."""

from __future__ import annotations

import pytest

from tests.unit.withdrawals.payout_settings import PAYOUT
from viralcore.withdrawals.domain.words import meaning, status
from viralcore.withdrawals.payout_config import TransferStatuses


@pytest.mark.parametrize(
    ("words", "means"),
    [
        ("DISBURSE FAILED: Insufficient funds in customer wallet", "passing"),
        ("DISBURSE FAILED: Insufficient funds in customer balance", "passing"),
        ("DISBURSE FAILED: Insufficient  funds", "passing"),
        ("You have INSUFFICIENT balance for this account", "passing"),
        ("This transaction could not be completed at this time", "passing"),
        ("Payout was made to a blacklisted account number", "account"),
        ("Sorry, recipient account could not be validated. Please try again", "account"),
        ("Sorry, that account number is invalid, please check and try again", "account"),
        ("DISBURSE FAILED: wallet currently restricted. please contact administrator", "config"),
        ("DISBURSE FAILED: You can only spend NGN 100.00 at once", "config"),
        ("Please enable IP Whitelisting to access this service", "config"),
        ("Merchant requires approval to use resource, please contact support", "config"),
        ("beneficiary_name is required", "final"),
        ("DISBURSE FAILED: Unable to obtain user details", None),
        ("DISBURSE FAILED: A fatal error occured while proccesing your request.", None),
        ("Transaction was successful", None),
        ("", None),
    ],
)
def test_words(words: str, means: str | None) -> None:
    assert meaning(PAYOUT, words) == means


@pytest.mark.parametrize(
    ("word", "means"),
    [
        ("NEW", "new"),
        ("pending", "pending"),
        ("SUCCESSFUL", "successful"),
        ("SUCCESS", "successful"),
        (" Failed ", "failed"),
        ("REVERSED", None),
        ("", None),
    ],
)
def test_statuses(word: str, means: str | None) -> None:
    assert status(PAYOUT, word) == means


def test_a_status_means_one_thing() -> None:
    with pytest.raises(ValueError, match="means two things"):
        TransferStatuses(new=("new",), pending=("new",), successful=("ok",), failed=("no",))

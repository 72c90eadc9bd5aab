"""Settings that would lose money do not start."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.support.withdrawals import settings


def test_the_numbers_of_the_product() -> None:
    config = settings()
    assert (config.limits.minimum_ngn, config.limits.maximum_usd, config.limits.requests_per_hour) == (1000, 500, 5)
    assert (config.approval.second_over_usd, config.approval.self_after_completed) == (200, 1000)
    assert (config.sending.at_once, config.withdrawal_retry_count, config.withdrawal_retry_backoff_sec) == (10, 3, 60)
    assert not config.sources.wallet


@pytest.mark.parametrize(
    "change",
    [
        {"limits": {"minimum_ngn": 1000.5}},
        {"limits": {"maximum_usd": "0"}},
        {"sending": {"first_ask_seconds": 3600}},
        {"sending": {"quiet_seconds": 60}},
        {"terms": {"drift_percent": "101"}},
        {"mode": "sometimes"},
        {"limits": {"unknown": 1}},
    ],
)
def test_nonsense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**change)

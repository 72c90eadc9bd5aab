"""Settings and the pure rules of notifications."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from viralcore.core.screen import NONCE_LENGTH, Button, Html, Screen
from viralcore.notifications import domain
from viralcore.notifications.config import NotificationsConfig
from viralcore.texts.actions import Go

TABLE = tomllib.loads((Path(__file__).parents[3] / "settings/notifications.toml").read_text())
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_the_settings_are_the_products_numbers() -> None:
    config = NotificationsConfig.model_validate(TABLE)
    assert config.attempts == 3
    assert [config.delay(attempt) for attempt in (1, 2, 3, 9)] == [10, 120, 120, 120]


@pytest.mark.parametrize(
    "change", [{"attempts": 0}, {"delays_seconds": []}, {"parallelism": 0}, {"keep_days": 0}, {"odd": 1}]
)
def test_nonsense_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        NotificationsConfig.model_validate({**TABLE, **change})


def test_the_same_trouble_has_one_key_within_its_stretch() -> None:
    def key(minutes: int, detail: str = "3.20 USD") -> str:
        return domain.trouble_key("smmflare", "low_balance", detail, NOON + timedelta(minutes=minutes), 10)

    assert key(0) == key(9)
    assert key(0) != key(10)
    assert key(0) != key(0, "3.10 USD")


def test_a_screen_is_the_same_when_it_looks_and_acts_the_same() -> None:
    one = Screen(Html("Hello"), ((Button("Go", Go("home")),),))
    assert domain.digest(one) == domain.digest(replace(one, route="home"))
    assert domain.digest(one) != domain.digest(replace(one, text=Html("Hello!")))
    assert domain.digest(one) != domain.digest(replace(one, rows=((Button("Go", Go("orders")),),)))


def test_nonces_differ_and_stay() -> None:
    nonces = [domain.nonce_of(number) for number in range(1000)]
    assert len(set(nonces)) == 1000
    assert {len(nonce) for nonce in nonces} == {NONCE_LENGTH}
    assert nonces[7] == domain.nonce_of(7)

"""The frozen settings of the bot: settings/bot.toml."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_Positive = Annotated[int, Field(gt=0)]


class Throttle(BaseModel):
    """How much one person may do in a sliding window of business time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    window_seconds: _Positive = 60
    commands: _Positive = 10
    presses: _Positive = 60


TELEGRAM_PER_SECOND = 30
TELEGRAM_GROUP_PER_MINUTE = 20


class Pace(BaseModel):
    """What Telegram allows a bot to send. More than that is for simulators only (`settings` sees to it)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    per_second: Annotated[int, Field(gt=0, le=1_000_000)] = TELEGRAM_PER_SECOND
    chat_gap_seconds: Annotated[Decimal, Field(ge=0, le=10)] = Decimal(1)
    group_per_minute: Annotated[int, Field(gt=0, le=1_000_000)] = TELEGRAM_GROUP_PER_MINUTE


class Countdown(BaseModel):
    """When the time left on a payment screen is drawn again: minutes before the end. `per_run`: redraws in one look."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minutes: Annotated[tuple[_Positive, ...], Field(max_length=20)] = (15, 10, 5, 4, 3, 2, 1)
    every_seconds: Annotated[int, Field(ge=5, le=60)] = 10
    per_run: _Positive = 100


class BotConfig(BaseModel):
    """`support_contact`: the @handle people are sent to. Numbers are explained in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    support_contact: Annotated[str, Field(pattern=r"^@[A-Za-z0-9_]{4,32}$")]
    dialogue_minutes: _Positive = 15
    stale_press_minutes: _Positive = 10
    max_text: Annotated[int, Field(gt=0, le=4096)] = 2000
    orders_per_page: Annotated[int, Field(gt=0, le=20)] = 5
    history_per_page: Annotated[int, Field(gt=0, le=50)] = 10
    invoices_per_page: Annotated[int, Field(gt=0, le=30)] = 20
    shop_name: Annotated[str, Field(min_length=1, max_length=40)] = "viralcore"
    throttle: Throttle = Throttle()
    pace: Pace = Pace()
    countdown: Countdown = Countdown()

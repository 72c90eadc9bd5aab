"""The frozen settings of withdrawals: withdrawals.toml, payouts.toml, and what the environment says."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from viralcore.withdrawals.api import Mode
from viralcore.withdrawals.payout_config import Banks, Payout, Reconciliation, Solvency


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _exact(value: object) -> object:
    if isinstance(value, float):
        raise ValueError(f'must be written in "quotes", as an exact decimal: "{value}"')
    return value


Exact = Annotated[Decimal, BeforeValidator(_exact)]
Amount = Annotated[Exact, Field(gt=0, decimal_places=2, max_digits=12)]
Percent = Annotated[Exact, Field(ge=0, le=100, decimal_places=2)]
Positive = Annotated[int, Field(gt=0)]
Score = Annotated[int, Field(gt=0, le=100)]


class Sources(_Frozen):
    affiliate: bool
    reply: bool
    wallet: bool


class Limits(_Frozen):
    minimum_ngn: Amount
    maximum_usd: Amount
    requests_per_hour: Positive
    checks_per_hour: Positive


class TermsRules(_Frozen):
    valid_hours: Positive
    drift_percent: Percent
    spread_ngn: Annotated[Exact, Field(ge=0, decimal_places=2, max_digits=8)]
    check_minutes: Positive
    abandon_days: Positive
    look_seconds: Positive


class Approval(_Frozen):
    second_over_usd: Amount
    lone_second_hours: Positive
    self_after_completed: Annotated[int, Field(ge=0)]


class Sending(_Frozen):
    at_once: Annotated[int, Field(gt=0, le=100)]
    slow_minutes: Positive
    narration: Annotated[str, Field(min_length=1, max_length=80)]
    dispatch_seconds: Positive
    poll_seconds: Positive
    first_ask_seconds: Positive
    longest_ask_seconds: Positive
    asks_per_run: Positive
    asks_at_once: Positive
    quiet_seconds: Annotated[int, Field(ge=600)]
    resends: Annotated[int, Field(ge=0, le=10)]
    unsent_seconds: Positive
    give_back_hours: Annotated[int, Field(ge=1)]
    alarm_hours: Positive

    @model_validator(mode="after")
    def _ordered(self) -> Sending:
        if self.first_ask_seconds > self.longest_ask_seconds:
            raise ValueError("first_ask_seconds is above longest_ask_seconds")
        return self


class Risk(_Frozen):
    small_usd: Amount
    new_user_days: Positive
    velocity_requests: Positive
    velocity_hours: Positive
    shared_users: Positive
    just_below_percent: Percent
    reversed_percent: Percent
    score_velocity: Score
    score_new_user: Score
    score_new_account: Score
    score_shared_account: Score
    score_ring: Score
    score_just_below: Score
    score_reversed_earnings: Score


class WithdrawalsConfig(_Frozen):
    """The last five come from the environment."""

    mode: Mode
    sources: Sources
    limits: Limits
    terms: TermsRules
    approval: Approval
    sending: Sending
    risk: Risk
    payout: Payout
    banks: Banks
    reconciliation: Reconciliation
    solvency: Solvency
    disable_admin_approval: bool = False
    withdrawal_retry_count: Annotated[int, Field(ge=0, le=10)] = 3
    withdrawal_retry_backoff_sec: Annotated[int, Field(ge=1, le=86400)] = 60
    flutterwave_base_url: str = "https://api.flutterwave.com/v3"
    flutterwave_api_key: SecretStr | None = None

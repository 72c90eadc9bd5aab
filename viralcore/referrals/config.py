"""The frozen settings of referrals: settings/referrals.toml."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class ReferralsConfig(BaseModel):
    """`commission_percent`: of every paid purchase. `months_shown`: of earnings, in the chart."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    commission_percent: Annotated[Decimal, Field(ge=0, le=50, decimal_places=2)]
    months_shown: Annotated[int, Field(ge=2, le=24)]

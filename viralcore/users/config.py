"""The frozen settings of users: settings/users.toml."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class UsersConfig(BaseModel):
    """`terms_version`: the terms of use in force, as shown to people. `staff_session_minutes`: of business time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    terms_version: Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[A-Za-z0-9._-]+$")]
    staff_session_minutes: Annotated[int, Field(gt=0, le=24 * 60)]

"""Buttons about groups and their members' work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from viralcore.core.screen import Action, action


@action
@dataclass(frozen=True, slots=True)
class TakeSlot(Action):
    """In a group: I did this for the post. `metric`: comments | reposts | reactions."""

    CODE: ClassVar[str] = "cw_take"
    post: int
    metric: str


@action
@dataclass(frozen=True, slots=True)
class TakeVerifiedSlot(Action):
    """In a group: I did this from a verified account."""

    CODE: ClassVar[str] = "cw_ver"
    post: int
    metric: str


@action
@dataclass(frozen=True, slots=True)
class SetGroupRole(Action):
    """Owners: what a group is for. `role`: comments | likes | none."""

    CODE: ClassVar[str] = "cw_role"
    group: int
    role: str


@action
@dataclass(frozen=True, slots=True)
class ApproveClaim(Action):
    """Staff: the proof is good. `version`: of the proof they saw; `verified`: 1 when it is from a verified account."""

    CODE: ClassVar[str] = "cw_yes"
    claim: int
    version: int
    verified: int


@action
@dataclass(frozen=True, slots=True)
class RejectClaim(Action):
    """Staff: it is not; the next line typed is the reason."""

    CODE: ClassVar[str] = "cw_no"
    claim: int
    version: int


IN_GROUPS: tuple[type[Action], ...] = (TakeSlot, TakeVerifiedSlot)
"""Actions that live in messages to groups, where no home message is."""

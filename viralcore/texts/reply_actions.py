"""Buttons about replies: of reply guys, and of staff who decide and pay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from viralcore.core.screen import Action, action


@action
@dataclass(frozen=True, slots=True)
class AskReplies(Action):
    """The next line typed is links of replies, or a number and a day."""

    CODE: ClassVar[str] = "rp_ask"


@action
@dataclass(frozen=True, slots=True)
class ConfirmReport(Action):
    """So many replies on that day (``2026-11-25``)."""

    CODE: ClassVar[str] = "rp_ok"
    count: int
    day: str


@action
@dataclass(frozen=True, slots=True)
class TakeBackReplies(Action):
    CODE: ClassVar[str] = "rp_back"
    submission: int


@action
@dataclass(frozen=True, slots=True)
class TakeTask(Action):
    """Take a slot of a post."""

    CODE: ClassVar[str] = "tk_take"
    post: int


@action
@dataclass(frozen=True, slots=True)
class TakeVerifiedTask(Action):
    """Take a slot of a post, with a verified account."""

    CODE: ClassVar[str] = "tk_ver"
    post: int


@action
@dataclass(frozen=True, slots=True)
class AskProof(Action):
    """The next line typed is the link of the reply."""

    CODE: ClassVar[str] = "tk_proof"
    claim: int


@action
@dataclass(frozen=True, slots=True)
class GiveUpTask(Action):
    CODE: ClassVar[str] = "tk_back"
    claim: int


@action
@dataclass(frozen=True, slots=True)
class ApproveReplies(Action):
    """Staff: all of a submission is good."""

    CODE: ClassVar[str] = "rp_yes"
    submission: int


@action
@dataclass(frozen=True, slots=True)
class ApproveFewer(Action):
    """Staff: the next line typed is how many of it are good."""

    CODE: ClassVar[str] = "rp_part"
    submission: int


@action
@dataclass(frozen=True, slots=True)
class RejectReplies(Action):
    """Staff: the next line typed is the reason."""

    CODE: ClassVar[str] = "rp_no"
    submission: int


@action
@dataclass(frozen=True, slots=True)
class AskGuy(Action):
    """Staff: the next line typed is somebody's id or @name."""

    CODE: ClassVar[str] = "rg_find"


@action
@dataclass(frozen=True, slots=True)
class PromoteGuy(Action):
    CODE: ClassVar[str] = "rg_up"
    user: int


@action
@dataclass(frozen=True, slots=True)
class DemoteGuy(Action):
    CODE: ClassVar[str] = "rg_down"
    user: int


@action
@dataclass(frozen=True, slots=True)
class AskReplyMoney(Action):
    """Finance: the next line typed is an amount and a reason. `kind`: bonus | correction."""

    CODE: ClassVar[str] = "rg_ask"
    user: int
    kind: str


@action
@dataclass(frozen=True, slots=True)
class ConfirmReplyMoney(Action):
    """`kobo`: as the screen showed it; the reason is in the question that is open."""

    CODE: ClassVar[str] = "rg_ok"
    user: int
    kind: str
    kobo: int


@action
@dataclass(frozen=True, slots=True)
class ExportGuys(Action):
    """`form`: csv | xlsx."""

    CODE: ClassVar[str] = "rg_file"
    form: str


CARD: tuple[type[Action], ...] = (ApproveReplies, ApproveFewer, RejectReplies)
"""Those that stand on cards in the admin group."""

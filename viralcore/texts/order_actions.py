"""Buttons of orders that are on their way, and of custom plans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from viralcore.core.screen import Action, action


@action
@dataclass(frozen=True, slots=True)
class PauseOrder(Action):
    CODE: ClassVar[str] = "opause"
    order: int


@action
@dataclass(frozen=True, slots=True)
class ResumeOrder(Action):
    CODE: ClassVar[str] = "oresume"
    order: int


@action
@dataclass(frozen=True, slots=True)
class CancelRest(Action):
    """What waits is not sent any more; its part comes back."""

    CODE: ClassVar[str] = "orest"
    order: int


@action
@dataclass(frozen=True, slots=True)
class Reorder(Action):
    """The same link and plan once more: opens the confirm screen."""

    CODE: ClassVar[str] = "oagain"
    order: int


@action
@dataclass(frozen=True, slots=True)
class FindCustomUser(Action):
    """Owner: the next line typed says whose custom plans."""

    CODE: ClassVar[str] = "cu_find"


@action
@dataclass(frozen=True, slots=True)
class AskCustom(Action):
    """Owner: the next message typed is a form. `plan` 0: a new plan."""

    CODE: ClassVar[str] = "cu_ask"
    user: int
    plan: int


@action
@dataclass(frozen=True, slots=True)
class ConfirmCustom(Action):
    CODE: ClassVar[str] = "cu_ok"
    user: int
    plan: int


@action
@dataclass(frozen=True, slots=True)
class AskEndCustom(Action):
    """Owner: the next line typed is the reason why a plan ends."""

    CODE: ClassVar[str] = "cu_end"
    plan: int


@action
@dataclass(frozen=True, slots=True)
class ConfirmEndCustom(Action):
    """`left`: posts that were left, as the screen showed them."""

    CODE: ClassVar[str] = "cu_endok"
    plan: int
    left: int

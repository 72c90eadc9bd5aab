"""Buttons about orders at panels that do not end by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from viralcore.core.screen import Action, action


@action
@dataclass(frozen=True, slots=True)
class AskPhaseEnd(Action):
    """Staff: it ended at its panel; the next line typed is how many came."""

    CODE: ClassVar[str] = "ph_end"
    phase: int


@action
@dataclass(frozen=True, slots=True)
class AskPhaseNumber(Action):
    """Staff: its number at the panel is another; the next line typed is that number."""

    CODE: ClassVar[str] = "ph_num"
    phase: int


@action
@dataclass(frozen=True, slots=True)
class ConfirmPhaseEnd(Action):
    """How many came, and the number that was looked at, are in the open question."""

    CODE: ClassVar[str] = "ph_endok"
    phase: int


CARDS: tuple[type[Action], ...] = (AskPhaseEnd, AskPhaseNumber)
"""Those that stand on cards in the admin group."""

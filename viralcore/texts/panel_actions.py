"""Buttons about panels: what owners change there, and what panels are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from viralcore.core.screen import Action, action


@action
@dataclass(frozen=True, slots=True)
class PreferPanel(Action):
    """Owner: ask this panel first from now on."""

    CODE: ClassVar[str] = "pn_first"
    panel: str


@action
@dataclass(frozen=True, slots=True)
class ReadServices(Action):
    """Owner: have a panel's list of services read now."""

    CODE: ClassVar[str] = "pn_read"
    panel: str


@action
@dataclass(frozen=True, slots=True)
class AskService(Action):
    """Owner: the next line typed is the service id. `what`: platform and metric, like ``x:likes``."""

    CODE: ClassVar[str] = "sv_ask"
    panel: str
    what: str


@action
@dataclass(frozen=True, slots=True)
class AcceptService(Action):
    """Owner: show what a service that is not used would be from now on, to be confirmed."""

    CODE: ClassVar[str] = "sv_acc"
    panel: str
    what: str


@action
@dataclass(frozen=True, slots=True)
class ConfirmService(Action):
    """The service and the price are in the open question."""

    CODE: ClassVar[str] = "sv_ok"
    panel: str
    what: str


@action
@dataclass(frozen=True, slots=True)
class LeaveOutService(Action):
    """Owner: use this service no more, until one is chosen."""

    CODE: ClassVar[str] = "sv_out"
    panel: str
    what: str


@action
@dataclass(frozen=True, slots=True)
class AskPlacements(Action):
    """Staff: the next line typed is an order's number."""

    CODE: ClassVar[str] = "po_ask"


@action
@dataclass(frozen=True, slots=True)
class AskPanel(Action):
    """Staff: ask the panel of a phase. `what`: refill | cancel."""

    CODE: ClassVar[str] = "po_do"
    phase: int
    what: str


@action
@dataclass(frozen=True, slots=True)
class RefillOrder(Action):
    """The buyer: ask for a refill of what dropped."""

    CODE: ClassVar[str] = "orefill"
    order: int

"""Effects: anything done to the outside world is a row with a state, claimed, called and recorded (DESIGN 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from viralcore.core.db import Tx

Silence = Literal["once", "keyed", "repeat"]
"""How silence is treated. once: never sent again by itself. keyed: asked about by reference, then resent with the same
reference. repeat: simply sent again, a bounded number of times."""


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The outside said yes. `data` is JSON-able and is handed to `on_outcome` and stored."""

    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """The outside said a clear no, or it is proven that nothing was sent. `reason` is a short machine word."""

    reason: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unknown:
    """Silence, or an answer that cannot be read, after something may have been sent."""

    reason: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Later:
    """Proven that nothing happened and it is worth trying again after `seconds` of business time (a read, a busy lane).

    Does not call `on_outcome`. Counts as an attempt only when `counts` is true.
    """

    seconds: float
    reason: str = ""
    counts: bool = False


Outcome = Succeeded | Refused | Unknown


@dataclass(frozen=True, slots=True)
class EffectCall:
    """What `call` gets. `key` is sent outside as the reference where one exists; `attempt` counts from 1."""

    effect_id: int
    key: str
    attempt: int
    payload: Mapping[str, Any]


class EffectKind(Protocol):
    """One way of touching the outside. Instances are registered at bootstrap under `name`."""

    name: str  # "boosts.panel_add.smmflare"
    silence: Silence
    max_attempts: int  # for repeat; 1 for once
    parallelism: int  # how many of this kind at once, in each process
    urgent: bool  # money or goods wait for it: messages and deliveries step aside while it is in hand

    def slot(self, payload: Mapping[str, Any]) -> AbstractAsyncContextManager[object]:
        """Pace, parallelism and breaker, entered BEFORE the claim, so that waiting is never mistaken for sending."""
        ...

    async def call(self, call: EffectCall) -> Outcome | Later:
        """Speak to the outside. No transaction is open.

        An exception counts as Unknown (once, keyed) or as a failure (repeat). A keyed call with attempt > 1 asks by its
        key first: the attempt before it may have arrived.
        """
        ...

    async def on_outcome(self, tx: Tx, call: EffectCall, outcome: Outcome) -> None:
        """The module's own consequences, in the transaction that records the outcome.

        Once per effect, with the last word. When it raises, the answer is kept and only the recording is tried again.
        """
        ...


@dataclass(frozen=True, slots=True)
class Said:
    """The last word on one effect. `correlation_id`: of what asked for it; its consequences carry it on."""

    call: EffectCall
    outcome: Outcome
    correlation_id: str


@runtime_checkable
class SetKind(Protocol):
    """An EffectKind that can take many last words at once, where many calls of it end at the same moment."""

    async def on_outcomes(self, tx: Tx, said: Sequence[Said]) -> None:
        """As `on_outcome` for each, all or nothing. When it raises, nothing is recorded, and each goes alone, through
        here as well: one whose consequences fail spoils nobody else's."""
        ...

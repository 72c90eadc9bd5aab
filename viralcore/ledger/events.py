"""What the ledger noticed about itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from viralcore.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerProblemFound(Event):
    """The nightly audit found books that do not agree. `problems`: the first few, in plain words; `total`: how many."""

    NAME: ClassVar[str] = "ledger.problem_found.v1"
    total: int
    problems: tuple[str, ...]

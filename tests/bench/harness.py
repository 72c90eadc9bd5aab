"""What every line of the bench is made of: interleaved pairs, medians, one result format.

A line never compares with a figure of another run or another machine: its baseline is measured beside it, turn by turn,
so that a noisy neighbour slows both.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

PAIRS = 3
Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure's median and its range over the rounds."""

    median: float
    low: float
    high: float

    @staticmethod
    def of(figures: Sequence[float]) -> Sample:
        return Sample(statistics.median(figures), min(figures), max(figures))

    @property
    def span(self) -> tuple[float, float]:
        return self.low, self.high


@dataclass(frozen=True, slots=True)
class Result:
    """One row of `bench-results.json`. `goal` is for `ratio` where a baseline exists, else for `value`."""

    name: str
    value: float
    unit: str
    better: Better
    ok: bool
    baseline: float | None = None
    baseline_name: str | None = None
    ratio: float | None = None
    goal: float | None = None
    span: tuple[float, float] | None = None
    baseline_span: tuple[float, float] | None = None

    def row(self) -> dict[str, Any]:
        """As it is written to the file; the ranges stand in the printed table only."""
        names = ("name", "value", "unit", "better", "baseline", "baseline_name", "ratio", "goal", "ok")
        found = asdict(self)
        return {name: _rounded(found[name]) for name in names}


def _rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def reaches(figure: float, goal: float | None, better: Better) -> bool:
    """Whether a figure meets its goal; without a goal it is told, not judged."""
    if goal is None:
        return True
    return figure >= goal if better == "higher" else figure <= goal


def absolute(
    name: str, figures: float | Sequence[float], unit: str, *, better: Better, goal: float | None = None
) -> Result:
    """A figure with nothing to compare it with."""
    sample = Sample.of([figures] if isinstance(figures, int | float) else figures)
    return Result(name, sample.median, unit, better, reaches(sample.median, goal, better), goal=goal, span=sample.span)


def compared(
    name: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    unit: str,
    *,
    baseline_name: str,
    goal: float | None,
    better: Better = "higher",
) -> Result:
    """Ours against a baseline taken in the same run: the ratio of the medians is judged."""
    mine, base = Sample.of(ours), Sample.of(theirs)
    ratio = mine.median / base.median if base.median else float("inf")
    return Result(
        name,
        mine.median,
        unit,
        better,
        reaches(ratio, goal, better),
        baseline=base.median,
        baseline_name=baseline_name,
        ratio=ratio,
        goal=goal,
        span=mine.span,
        baseline_span=base.span,
    )


def pairs(
    ours: Callable[[], float], baseline: Callable[[], float], *, rounds: int = PAIRS
) -> tuple[list[float], list[float]]:
    """Measure ours and the baseline in turn, `rounds` times; every second round the other one goes first."""
    mine: list[float] = []
    theirs: list[float] = []
    for turn in range(rounds):
        if turn % 2:
            theirs.append(baseline())
            mine.append(ours())
        else:
            mine.append(ours())
            theirs.append(baseline())
    return mine, theirs
